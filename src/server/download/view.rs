//! `/f/{id}/view`: a file shown in place, if it is of a kind that can do no harm.
//!
//! Its type is ours, from a fixed list: pictures, film, sound, PDF, and everything else
//! that is text as plain text. No page can frame it, but for a PDF, which ours can: it is
//! shown by the browser's own reader. That works in no sandboxed frame, and in Safari not
//! under a policy with `sandbox`, which Chromium ignores for it. What a PDF does, it does
//! within its reader; it reaches neither a page nor this origin.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{Desk, Refusal, harmless, name_it, send, stored};
use crate::kind::{Shown, View};

/// For what is looked at: it loads nothing but itself and runs nothing.
const SANDBOX: &str = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; \
                       style-src 'unsafe-inline'; frame-ancestors 'none'";

/// For a PDF.
const READER: &str = "default-src 'none'; object-src 'self'; \
                      style-src 'unsafe-inline'; frame-ancestors 'self'";

/// Shows a file, or the bytes of it that are asked for; or says that it is not shown.
pub(super) async fn view(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    method: Method,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let file = stored(&desk, &id).await?;
    let Some(view) = View::of(&file.path) else {
        let text = format!(
            "A file of this kind is not shown, it can only be downloaded: /f/{}/content\n",
            file.id
        );
        return Ok((StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response());
    };
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(view.media_type),
    );
    // A page shows it as a picture all the same; in a tab of its own it would be a document.
    let meant = match view.only_as_picture() {
        true => "attachment",
        false => "inline",
    };
    name_it(&mut headers, meant, file.name());
    if view.shown == Shown::Pdf {
        harmless(&mut headers, READER);
        let ours = HeaderValue::from_static("SAMEORIGIN");
        headers.insert(header::X_FRAME_OPTIONS, ours);
    } else {
        harmless(&mut headers, SANDBOX);
    }
    send(&desk, &file, &method, &asked, headers).await
}
