//! What people see: pages and their components, one file per thing on the screen.
//!
//! A view never branches on the target. What only a browser can do is behind
//! [`engine`] and [`browser`], which do nothing on a server.

pub mod browser;
pub mod engine;
#[cfg(feature = "hydrate")]
pub mod outbox;
pub mod rows;
pub mod table;
