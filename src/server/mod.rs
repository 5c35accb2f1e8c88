//! The server: HTTP, sockets, and what holds them together.

pub mod config;
pub mod desk;
pub mod hub;
