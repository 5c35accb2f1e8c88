//! What a page and the engine that uploads for it say to each other.
//!
//! The engine may live in the page, in a worker, or in a worker that several pages
//! share; between them there is always a message port, and these are its messages.
//! `File` objects travel beside a message, in the order in which it names them.

use serde::{Deserialize, Serialize};

use crate::protocol::id::FileId;
use crate::protocol::live::{LiveUpload, Topic};
use crate::protocol::manifest::{Limits, Manifest};
pub use crate::protocol::sender::{Key, Note, Row, RowState};

/// One upload, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// This one.
    One(Key),
    /// Every upload to which the command applies.
    All,
}

/// What a page asks of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Takes files into the queue: a `File`, and a handle or `null`, beside it each.
    Add(Vec<Manifest>),
    /// Gives an upload the file that it needs; the `File`, and a handle or `null`,
    /// are beside it.
    Provide(Key, Manifest),
    /// Starts uploads that wait because `auto_upload` is off, and resumes paused ones.
    Resume(Which),
    /// Pauses; what is durable stays on the server.
    Pause(Which),
    /// Tries again what failed or waits.
    Retry(Which),
    /// Ends uploads, and deletes what is on the server of unfinished ones.
    Cancel(Which),
    /// Takes finished uploads off the list.
    Clear,
    /// Begins to watch; counted.
    Watch(Topic),
    /// Ends one watch.
    Unwatch(Topic),
    /// What happened to the page.
    Page(PageEvent),
    /// Connects again at once, also after a refusal.
    Reconnect,
}

/// What happens to a page, as far as its connection is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageEvent {
    /// `pagehide` or `freeze`: it is put away; it may come back or not.
    Hidden,
    /// `pageshow` or `resume`: it is back.
    Shown,
    /// It became visible.
    Visible,
    /// The browser has a network again.
    Online,
    /// The browser has no network.
    Offline,
}

/// What the engine tells its pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// Rows that are new or changed, whole, and rows that are gone.
    Rows {
        /// New or changed.
        changed: Vec<Row>,
        /// Gone from the list.
        removed: Vec<Key>,
    },
    /// The state of the connection changed.
    Connection(Link),
    /// What the server accepts.
    Limits(Limits),
    /// Everything about a topic that is watched.
    Snapshot(Topic, Vec<LiveUpload>),
    /// What changed about a topic that is watched: changed uploads, and gone ones.
    Changed(Topic, Vec<LiveUpload>, Vec<FileId>),
}

/// The connection as a page shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// There is nothing to be connected for.
    #[default]
    Idle,
    /// It is being opened.
    Connecting,
    /// It is open.
    Open,
    /// It broke; the next try comes in so many milliseconds.
    Waiting {
        /// Milliseconds from the moment of this report.
        retry_in: u64,
    },
    /// The browser has no network.
    Offline,
    /// The server refused it with this close code; it stays closed until a person
    /// asks for it.
    Closed {
        /// The code of [`crate::protocol::close::CloseCode`].
        code: u16,
    },
}

impl Link {
    /// The word in `data-connection`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Waiting { .. } => "waiting",
            Self::Offline => "offline",
            Self::Closed { .. } => "closed",
        }
    }
}
