//! What only a browser can do, as functions that do nothing on a server.

/// Milliseconds since 1970 on this page's clock; 0 on a server.
pub fn now() -> f64 {
    #[cfg(feature = "hydrate")]
    {
        js_sys::Date::now()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        0.0
    }
}
