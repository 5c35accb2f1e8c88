//! What a watcher sees of uploads that are under way.

use serde::{Deserialize, Serialize};

use super::id::FileId;

/// What a connection can watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Everything that moves on the server.
    Live,
    /// One upload.
    Upload(FileId),
}

/// One upload, as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveUpload {
    /// Which.
    pub id: FileId,
    /// Its path, made safe.
    pub path: String,
    /// Length of the file in bytes.
    pub size: u64,
    /// Bytes that are received.
    pub received: u64,
    /// Bytes that are durable.
    pub durable: u64,
    /// Bytes per second, over the last seconds.
    pub rate: u64,
    /// What happens to it now.
    pub state: LiveState,
}

/// What happens to an upload, seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LiveState {
    /// A client is connected and sends it.
    Receiving,
    /// It is unfinished and no client is sending it.
    Resting,
    /// It is complete and stored under its name.
    Stored,
    /// It was cancelled or has expired; nothing of it is left.
    Ended,
}
