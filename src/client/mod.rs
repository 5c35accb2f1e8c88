//! The engine that uploads, and what feeds it from the page.
//!
//! | module | what it holds | where it runs |
//! | --- | --- | --- |
//! | [`host`] | where a page finds its engine; page events | page, and the worker's entry |
//! | [`seat`], [`locks`], [`lines`] | which of several engines runs; ways to all pages | with the engine |
//! | [`pick`] | files from inputs, drops and the clipboard | page |
//! | [`shared`] | files from the share sheet of a phone | both |
//! | [`picture`] | small pictures of them | page |
//! | [`port`] | one end of the port between page and engine | both |
//! | [`engine`] | drives the client's half of the protocol | worker, or page without one |
//! | [`socket`], [`source`], [`hasher`], [`journal`], [`handle`], [`time`] | what the browser gives it | with the engine |

pub mod engine;
pub mod handle;
pub mod hasher;
pub mod host;
mod journal;
pub mod lines;
pub mod locks;
pub mod pick;
pub mod picture;
pub mod port;
pub mod seat;
pub mod shared;
pub mod socket;
pub mod source;
pub mod time;

pub use host::start;
