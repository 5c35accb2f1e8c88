//! One upload as its sender sees it, for a page or a terminal to show.

use serde::{Deserialize, Serialize};

use crate::protocol::id::FileId;
use crate::protocol::trouble::Trouble;
use crate::verify::Root;

/// Names an upload within its engine.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Key(pub u32);

/// One upload. All numbers come from what the server said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name within the engine.
    pub key: Key,
    /// Its place in the list: rows are shown by it.
    pub order: u64,
    /// Its path, as sent.
    pub path: String,
    /// Length of the file in bytes.
    pub size: u64,
    /// The media type; empty if unknown.
    pub media_type: String,
    /// What happens to it.
    pub state: RowState,
    /// Bytes that the server has received.
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
    /// Whether a handle of its file is kept, with which the browser can be asked for it.
    pub handle: bool,
    /// Whether nothing of it was sent, so that its name can still be changed.
    pub fresh: bool,
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
    /// It was paused from another device, and can be resumed from there.
    PausedElsewhere,
}
