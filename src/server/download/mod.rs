//! Files going out: their content, to be saved or looked at, several as one archive, and
//! the receipt that says what was received.
//!
//! Whatever a file pretends to be, it never runs. Its content is an attachment, its type
//! is not guessed at, and if it is opened all the same it is in a sandbox with an origin
//! of its own. What is shown in place is shown as what [`crate::kind::View`] lists.

mod archive;
mod range;
mod view;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use axum_extra::headers::{
    AcceptRanges, ContentLength, ContentRange, ETag, HeaderMapExt, IfNoneMatch, IfRange,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;

use self::range::{Wanted, wanted};
use super::desk::Desk;
use crate::api::{ApiError, StoredFile};
use crate::verify::Root;

/// The routes `/f/{id}/content`, `/f/{id}/view`, `/f/{id}/receipt` and `/files.zip`. No
/// layer may compress them: ranges and tags are about the bytes as they are.
pub fn routes<S: Clone + Send + Sync + 'static>(desk: Arc<Desk>) -> Router<S> {
    Router::new()
        .route("/f/{id}/content", get(content))
        .route("/f/{id}/view", get(view::view))
        .route("/files.zip", get(archive::archive))
        .route("/f/{id}/receipt", get(receipt))
        .with_state(desk)
}

/// An error as a plain sentence.
struct Refusal(ApiError);

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, format!("{}\n", self.0)).into_response()
    }
}

async fn stored(desk: &Desk, id: &str) -> Result<StoredFile, Refusal> {
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    Ok(desk.file(id).await?.ok_or(ApiError::NotFound)?)
}

async fn content(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    method: Method,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let file = stored(&desk, &id).await?;
    let mut headers = HeaderMap::new();
    describe(&mut headers, &file);
    send(&desk, &file, &method, &asked, headers).await
}

/// Answers with the bytes of a file, or those that are asked for, besides what `headers`
/// say of it.
async fn send(
    desk: &Desk,
    file: &StoredFile,
    method: &Method,
    asked: &HeaderMap,
    described: HeaderMap,
) -> Result<Response, Refusal> {
    let tag = tag(file)?;
    let mut headers = HeaderMap::new();
    headers.typed_insert(tag.clone());
    headers.insert(header::CACHE_CONTROL, PRIVATE);
    let unchanged = asked.typed_get::<IfNoneMatch>();
    if unchanged.is_some_and(|known| !known.precondition_passes(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    unchanged_on_disk(desk, file).await?;
    headers.typed_insert(AcceptRanges::bytes());
    headers.extend(described);
    let (status, range) = match asked_range(method, asked, &tag, file.size) {
        Wanted::Whole => (StatusCode::OK, 0..file.size),
        Wanted::Part(range) => {
            let whole = ContentRange::bytes(range.clone(), file.size);
            headers.typed_insert(whole.map_err(|_| ApiError::Internal)?);
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Wanted::Unsatisfiable => {
            let mut headers = HeaderMap::new();
            headers.typed_insert(ContentRange::unsatisfied_bytes(file.size));
            let text = format!("This file has only {} bytes.\n", file.size);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers, text).into_response());
        }
    };
    headers.typed_insert(ContentLength(range.end - range.start));
    let body = match *method {
        Method::HEAD => Body::empty(),
        _ => Body::from_stream(desk.storage().read(&file.path, range).await?),
    };
    Ok((status, headers, body).into_response())
}

/// An error if a file is not there any more as it was stored.
async fn unchanged_on_disk(desk: &Desk, file: &StoredFile) -> Result<(), ApiError> {
    let len = desk.storage().len(&file.path).await?;
    if len == Some(file.size) {
        return Ok(());
    }
    tracing::error!(
        id = %file.id, path = file.path, size = file.size, found = len,
        "a file is not as it was stored"
    );
    Err(match len {
        None => ApiError::NotFound,
        Some(_) => ApiError::Internal,
    })
}

/// A browser may keep it, but asks each time whether it is still there.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The digest: the same bytes have the same tag, whatever they are called.
fn tag(file: &StoredFile) -> Result<ETag, ApiError> {
    format!("\"{}\"", file.digest).parse().map_err(|_| {
        tracing::error!(id = %file.id, "a digest is no tag");
        ApiError::Internal
    })
}

fn asked_range(method: &Method, asked: &HeaderMap, tag: &ETag, len: u64) -> Wanted {
    let range = asked
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let same = match asked.get(header::IF_RANGE) {
        None => true,
        // A date cannot match, for none is ever given.
        Some(_) => asked
            .typed_get::<IfRange>()
            .is_some_and(|condition| !condition.is_modified(Some(tag), None)),
    };
    match range {
        Some(range) if same && method == Method::GET => wanted(range, len),
        _ => Wanted::Whole,
    }
}

/// Says what it is, and that it is to be saved and not to be run.
fn describe(headers: &mut HeaderMap, file: &StoredFile) {
    let media_type = mime_guess::from_path(&file.path).first_or_octet_stream();
    harmless(headers, "sandbox; default-src 'none'");
    name_it(headers, "attachment", file.name());
    if let Ok(value) = HeaderValue::from_str(media_type.essence_str()) {
        headers.insert(header::CONTENT_TYPE, value);
    }
}

/// What every file has: its type is not guessed at, other sites do not get it, and there
/// is a policy for when it is a page of its own.
fn harmless(headers: &mut HeaderMap, policy: &'static str) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Says how it is meant, `attachment` or `inline`, and what it is called when saved.
fn name_it(headers: &mut HeaderMap, meant: &str, name: &str) {
    if let Ok(value) = HeaderValue::try_from(disposition(meant, name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
}

/// Any name: RFC 6266, with a plain name for what knows no better.
fn disposition(meant: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            // Some would decode the per cent.
            '"' | '\\' | '%' | '/' => '_',
            ' '..='~' => c,
            _ => '_',
        })
        .collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => exact.push(byte.into()),
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' => {
                exact.push(byte.into());
            }
            _ => exact.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("{meant}; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

/// What a sender keeps as proof.
#[derive(Serialize)]
struct Receipt {
    id: String,
    name: String,
    path: String,
    /// In bytes.
    size: u64,
    media_type: String,
    algorithm: &'static str,
    digest: Root,
    /// In milliseconds since 1970, and as RFC 3339.
    started: i64,
    started_at: String,
    stored: i64,
    stored_at: String,
}

async fn receipt(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let file = stored(&desk, &id).await?;
    let receipt = Receipt {
        id: file.id.to_string(),
        name: file.name().to_owned(),
        size: file.size,
        algorithm: "blake3",
        digest: file.digest,
        started: file.started,
        started_at: rfc3339(file.started),
        stored: file.stored,
        stored_at: rfc3339(file.stored),
        path: file.path,
        media_type: file.media_type,
    };
    Ok(([(header::CACHE_CONTROL, PRIVATE)], Json(receipt)).into_response())
}

fn rfc3339(millis: i64) -> String {
    /// The end of the year 9999, after which there is no such text.
    const END: i64 = 253_402_300_799_999;
    let since = Duration::from_millis(millis.clamp(0, END).unsigned_abs());
    let time = UNIX_EPOCH
        .checked_add(since)
        .unwrap_or(SystemTime::UNIX_EPOCH);
    humantime::format_rfc3339_millis(time).to_string()
}

#[cfg(test)]
mod tests;
