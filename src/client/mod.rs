//! The engine that uploads, and what feeds it from the page.

pub mod pick;
