//! What a page and the engine that uploads for it say to each other.
//!
//! The engine may live in the page, in a worker, or in a worker that several pages
//! share; between them there is always a message port, and these are its messages.
//! `File` objects travel beside a message, in the order in which it names them.

use serde::{Deserialize, Serialize};

use crate::protocol::id::FileId;
use crate::protocol::live::{LiveUpload, Topic};
use crate::protocol::manifest::{Limits, Manifest};
use crate::protocol::trouble::Trouble;
use crate::verify::Root;

/// Names an upload within its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub u32);

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

/// One upload as a page shows it. All numbers come from what the server said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name within the engine.
    pub key: Key,
    /// Its path, as sent.
    pub path: String,
    /// Length of the file in bytes.
    pub size: u64,
    /// The media type; empty if unknown.
    pub media_type: String,
    /// What happens to it.
    pub state: RowState,
    /// Bytes that the server has received and verified.
    pub received: u64,
    /// Bytes that the server has made durable.
    pub durable: u64,
    /// Bytes per second over the last seconds; 0 where nothing moves.
    pub rate: u64,
    /// Milliseconds left at this rate, where that can be said.
    pub left: Option<u64>,
    /// What went wrong.
    pub trouble: Option<Trouble>,
    /// Something worth a quiet line.
    pub note: Option<Note>,
    /// Its name in links, once the server gave it one.
    pub id: Option<FileId>,
    /// Its digest, once it is stored.
    pub digest: Option<Root>,
}

impl Row {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// What happens to an upload, seen from its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RowState {
    /// It waits for its turn, or for a person to start it.
    Queued,
    /// It is being sent.
    Sending,
    /// A person paused it.
    Paused,
    /// It waits for the connection, or for a server in trouble.
    Waiting,
    /// The file is compared with what the server has, or is being sealed.
    Verifying,
    /// It is stored.
    Stored,
    /// It cannot go on.
    Failed,
    /// The file must be picked again.
    NeedsFile,
}

impl RowState {
    /// The word in `data-state`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Paused => "paused",
            Self::Waiting => "waiting",
            Self::Verifying => "verifying",
            Self::Stored => "stored",
            Self::Failed => "failed",
            Self::NeedsFile => "needs-file",
        }
    }
}

/// A quiet line about an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// It continues from what the server already had.
    Continued,
    /// The server no longer had it, so it began anew.
    StartedOver,
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
