//! The engine that uploads, and what feeds it from the page.

pub mod pick;

use crate::ui::engine::Engine;

/// Starts the engine of this page and attaches it to the page's end of the port.
pub fn start(_engine: Engine) {}
