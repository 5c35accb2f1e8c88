//! The wire and everything that decides what goes over it, without any I/O.
//!
//! Nothing in here knows a socket, a file, a clock or a source of randomness.
//! Events and the time go in, effects come out; whoever drives a machine
//! carries its effects out and reports back. The browser, the server, the
//! native client and the simulator drive the same code.
//!
//! The invariant all of it serves: *what the server has made durable is the
//! truth*. Progress, resume offsets and flow control derive from what the
//! server said, never from bytes that were handed to a socket.

#![warn(missing_docs)]

pub mod block;
pub mod client;
pub mod close;
pub mod connection;
pub mod flow;
pub mod frame;
pub mod id;
pub mod lanes;
pub mod live;
pub mod manifest;
pub mod message;
pub mod name;
pub mod order;
pub mod pace;
pub mod ranges;
pub mod rate;
pub mod receiver;
pub mod recorder;
pub mod retry;
pub mod sender;
pub mod sockets;
pub mod trouble;

#[cfg(test)]
mod pair;

use std::time::Duration;

/// A moment, as the time since one arbitrary fixed moment of the driver's choice.
///
/// `std::time::Instant` cannot be made in a browser or in a simulator; this can.
pub type Time = Duration;

/// The WebSocket subprotocol that both sides must name.
pub const SUBPROTOCOL: &str = "longhaul.v1";

/// The version that [`message::ClientMessage::Hello`] carries.
pub const VERSION: u16 = 4;

/// The longest payload of a data frame, in bytes.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// The longest control frame, in bytes, its kind byte included.
pub const MAX_CONTROL: usize = 64 * 1024;

/// The longest WebSocket message either side accepts, in bytes.
pub const MAX_MESSAGE: usize = frame::DATA_HEADER + MAX_PAYLOAD;

/// Names one upload on one connection; chosen by the client, never reused on it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct StreamId(pub u32);

/// Counts the connections of one client; an event of another than the current
/// generation changes nothing.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Generation(pub u64);

impl Generation {
    /// The generation after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
