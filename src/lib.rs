//! Longhaul receives large files through a browser and does not lose them.

#![recursion_limit = "256"]

pub mod app;

/// Starts the page: takes over the HTML that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
