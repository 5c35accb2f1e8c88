//! What a phone's share sheet sends, where the page's service worker (`public/sw.js`) is not
//! there to take it: before a browser has installed it, or after it was removed.

use axum::body::Body;
use axum::response::Redirect;
use axum::routing::{MethodRouter, post};
use futures::StreamExt;

/// How much of it is read and thrown away, in bytes. Somebody who still sends may not hear
/// an answer.
const PATIENCE: usize = 64 * 1024 * 1024;

/// `POST /share` leads to a page that says what to do. It changes nothing, so anybody may
/// ask for it; the browser says of a share sheet that it is no page.
pub fn route<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    post(async |body: Body| {
        let mut sent = body.into_data_stream();
        let mut left = PATIENCE;
        while let Some(Ok(bytes)) = sent.next().await
            && left > 0
        {
            left = left.saturating_sub(bytes.len());
        }
        Redirect::to("/?shared=not")
    })
    .get(async || Redirect::to("/"))
}
