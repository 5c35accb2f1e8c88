//! Longhaul receives large files through a browser and does not lose them.
//!
//! | module | what it holds | where it runs |
//! | --- | --- | --- |
//! | [`protocol`] | the wire, and every decision about it, without I/O | everywhere |
//! | [`verify`] | block hashes and the tree that joins them, without I/O | everywhere |
//! | [`units`] | numbers as people read them | everywhere |
//! | [`app`] | the document shell and the routes | server and page |

#![recursion_limit = "256"]

pub mod app;
pub mod protocol;
pub mod units;
pub mod verify;

/// Starts the page: takes over the HTML that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
