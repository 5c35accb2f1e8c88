//! The HTTP status of the page that is being rendered.

/// Answers the request with this status. Does nothing in a browser, or outside of
/// a request.
pub fn set_status(code: u16) {
    #[cfg(feature = "ssr")]
    if let Some(options) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = http::StatusCode::from_u16(code)
    {
        options.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    {
        _ = code;
    }
}
