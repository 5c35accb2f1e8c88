//! The native client: `longhaul send`, and the same for tests and benchmarks.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`command`] | the options of `longhaul send`, its exit codes, one run of it |
//! | [`report`] | what a person or a script sees of it |
//! | [`engine`] | drives the client's half of the protocol |
//! | `uploads` | the files of one run on their way through the sender |
//! | [`event`] | what a run tells, and what came of it |
//! | [`walk`], [`source`] | finding files, reading them |
//! | [`journal`] | what outlives the process |
//! | [`address`], `socket` | where the server is, and the way to it |
//! | [`words`] | troubles as sentences and words |

pub mod address;
pub mod command;
pub mod engine;
pub mod event;
pub mod journal;
pub mod report;
mod socket;
pub mod source;
mod uploads;
pub mod walk;
pub mod words;

pub use address::Address;
pub use engine::{Plan, send};
pub use event::{End, Event, Outcome};
