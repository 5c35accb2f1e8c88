//! Longhaul receives large files through a browser and does not lose them.
//!
//! | module | what it holds | where it runs |
//! | --- | --- | --- |
//! | [`protocol`] | the wire, and every decision about it, without I/O | everywhere |
//! | [`verify`] | block hashes and the tree that joins them, without I/O | everywhere |
//! | [`units`] | numbers as people read them | everywhere |
//! | [`kind`] | what kind of file a name stands for, and how it is shown | everywhere |
//! | [`port`] | what a page and its engine say to each other | everywhere |
//! | [`ledger`] | the log in which a browser's journal is written, without the database | page and worker |
//! | [`api`] | server functions: the control plane | server and page |
//! | [`app`] | the document shell and the routes | server and page |
//! | [`ui`] | pages and components, and their end of the port | server and page |
//! | `client` | the engine, and what feeds it from the page | page and worker |
//! | `cli` | the command line | server and native client |
//! | `native` | the client of `longhaul send` | native client |
//! | `server` | HTTP, sockets, and what holds them together | server |
//! | `storage` | where the bytes go | server |
//! | `registry` | what the server remembers | server |

#![recursion_limit = "256"]

pub mod api;
pub mod app;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "hydrate")]
pub mod client;
pub mod kind;
pub mod ledger;
#[cfg(feature = "ssr")]
pub mod native;
pub mod port;
pub mod protocol;
#[cfg(feature = "ssr")]
pub mod registry;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod storage;
pub mod ui;
pub mod units;
pub mod verify;

/// Starts the page: takes over the HTML that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
