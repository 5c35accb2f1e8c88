//! `/f/{id}/qr.svg`: the address of an upload or a file as a code for a phone's camera.
//!
//! The encoder is here and not in the page: who wants a code fetches a picture. It leads to
//! the origin by which its reader reached this server, whose name the guard has let pass.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode};

use super::desk::Desk;
use crate::protocol::id::FileId;

/// How many modules around the code stay white, as readers expect it.
const QUIET: usize = 4;

/// The route `/f/{id}/qr.svg`.
pub fn routes<S: Clone + Send + Sync + 'static>(desk: Arc<Desk>) -> Router<S> {
    Router::new()
        .route("/f/{id}/qr.svg", get(picture))
        .with_state(desk)
}

async fn picture(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Response {
    let plain = |status: u16, text: String| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, format!("{text}\n")).into_response()
    };
    let Ok(id) = id.parse::<FileId>() else {
        return plain(404, "There is no such file or upload.".into());
    };
    if let Err(error) = desk.view(id).await {
        return plain(error.status(), error.to_string());
    }
    let Some(origin) = origin(&asked) else {
        return plain(400, "The request does not say where it was sent to.".into());
    };
    let svg = match draw(&format!("{origin}/f/{id}")) {
        Ok(svg) => svg,
        Err(error) => {
            tracing::warn!(%error, "no code can be drawn");
            return plain(500, "This address is too long for a code.".into());
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        // Under another name of this server it is another picture.
        (header::CACHE_CONTROL, "private, no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ),
    ];
    (headers, svg).into_response()
}

/// The origin of the page that asks. A server does not see whether there is TLS in front of
/// it: the page's own address says it, or the proxy.
fn origin(asked: &HeaderMap) -> Option<String> {
    let text = |name: HeaderName| asked.get(name)?.to_str().ok();
    let host: Authority = text(header::HOST)?.parse().ok()?;
    let page = text(header::REFERER).and_then(|page| page.parse::<Uri>().ok());
    let page = page.filter(|page| page.authority() == Some(&host));
    let page = page.as_ref().and_then(Uri::scheme_str);
    let proxy = text(HeaderName::from_static("x-forwarded-proto"));
    let secure = page.or(proxy) == Some("https");
    let scheme = if secure { Scheme::HTTPS } else { Scheme::HTTP };
    Some(format!("{scheme}://{host}"))
}

/// Black on white in either theme, or cameras would not find it.
fn draw(address: &str) -> Result<String, QrError> {
    let code = QrCode::with_error_correction_level(address, EcLevel::M)?;
    let side = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(side).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let (left, top, len) = (x + QUIET, y + QUIET, run.len());
                // Writing to a string does not fail.
                let _ = write!(path, "M{left} {top}h{len}v1h-{len}z");
            }
            x += run.len();
        }
    }
    let all = side + 2 * QUIET;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {all} {all}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{all}v{all}H0z\"/>\
         <path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_of(pairs: &[(&'static str, &str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().ok()?);
        }
        origin(&headers)
    }

    #[test]
    fn it_leads_to_where_its_reader_is() {
        let host = ("host", "files.example:8443");
        let is = |pairs: &[_], origin: &str| assert_eq!(origin_of(pairs).as_deref(), Some(origin));
        is(&[host], "http://files.example:8443");
        is(
            &[host, ("x-forwarded-proto", "https")],
            "https://files.example:8443",
        );
        let page = ("referer", "https://files.example:8443/f/abc");
        is(&[host, page], "https://files.example:8443");
        // Nobody else decides it.
        for page in [
            "https://evil.example/",
            "gopher://files.example:8443/",
            "?",
            "https://files.example",
        ] {
            is(&[host, ("referer", page)], "http://files.example:8443");
        }
        is(
            &[host, ("x-forwarded-proto", "javascript")],
            "http://files.example:8443",
        );
        assert_eq!(origin_of(&[]), None);
    }

    #[test]
    fn a_code_is_a_square_with_its_three_corners() -> Result<(), QrError> {
        let svg = draw("http://127.0.0.1:3000/f/AAAAAAAAAAAAAAAAAAAAAA")?;
        // 29 modules, and what stays white around them.
        assert!(
            svg.contains("viewBox=\"0 0 41 41\"") || svg.contains("viewBox=\"0 0 37 37\""),
            "{svg}"
        );
        let finder = |left: usize, top: usize| svg.contains(&format!("M{left} {top}h7v1h-7z"));
        assert!(finder(4, 4) && finder(4, 10), "{svg}");
        Ok(())
    }
}
