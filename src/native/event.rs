//! What a client tells while it sends, and what came of it all.

use std::time::Duration;

use super::journal::JournalError;
use super::source::Fault;
use super::words;
use crate::protocol::close::CloseCode;
use crate::protocol::id::FileId;
use crate::protocol::sender::Row;
use crate::protocol::trouble::Trouble;
use crate::verify::Root;

/// Something that happened. A file is named by its place in the plan.
#[derive(Debug)]
pub enum Event {
    /// The connection is in another state.
    Link(Link),
    /// A file moved on, or waits.
    Progress(usize, Row),
    /// A file is stored.
    Stored(usize, Stored),
    /// A file will not be stored.
    Failed(usize, Failure),
    /// Uploads cannot be continued after the end of this process.
    NoJournal(JournalError),
}

/// The state of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It is being opened.
    Connecting,
    /// It is open.
    Open,
    /// It could not be opened, or broke; the next try comes.
    Waiting {
        /// In how long.
        retry_in: Duration,
        /// What was wrong.
        why: String,
    },
}

/// A file that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name in links.
    pub id: FileId,
    /// Where it is on the server, which never replaces a file by another.
    pub path: String,
    /// Its BLAKE3.
    pub digest: Root,
}

/// Why a file is not stored.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It cannot go on.
    #[error("{}", words::sentence(.0))]
    Trouble(Trouble),
    /// The file cannot be read.
    #[error("{0}")]
    Fault(Fault),
    /// Another process is sending it.
    #[error("another process is sending it")]
    Busy,
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every file is stored or has failed.
    Finished,
    /// It was asked to stop.
    Stopped,
    /// Nothing moved for as long as it was to be waited.
    GaveUp,
    /// The server closed the connection, and would again.
    Closed(CloseCode),
    /// What answers is no server that can be spoken to.
    Refused(String),
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// How many files are stored.
    pub stored: usize,
    /// How many failed.
    pub failed: usize,
    /// How many are neither: another run continues them.
    pub left: usize,
}
