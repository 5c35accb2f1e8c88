//! What only a browser can do, as functions that do nothing on a server: the one
//! place where the interface differs between the two.

#[cfg(not(feature = "hydrate"))]
mod inert;
#[cfg(feature = "hydrate")]
mod real;

#[cfg(not(feature = "hydrate"))]
pub use inert::*;
#[cfg(feature = "hydrate")]
pub use real::*;
