//! The control plane: server functions, what they take and give, and their one
//! error type.

use std::time::Duration;

use bytes::Bytes;
use leptos::prelude::*;
use leptos::server_fn::Encodes;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::protocol::id::FileId;
use crate::protocol::live::{LiveUpload, Pulse, Wish};
use crate::protocol::manifest::Limits;
use crate::verify::Root;

/// A file that arrived, complete and verified: its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its name in links.
    pub id: FileId,
    /// Where it is, below the folder of files.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// The media type as its sender gave it; empty if not.
    pub media_type: String,
    /// Its BLAKE3, the same that `b3sum` prints.
    pub digest: Root,
    /// When its upload began, in milliseconds since 1970.
    pub started: i64,
    /// When it was stored, in milliseconds since 1970.
    pub stored: i64,
}

impl StoredFile {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// A file that was deleted and can still be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedFile {
    /// The file as it was.
    pub file: StoredFile,
    /// When it was deleted, in milliseconds since 1970.
    pub deleted: i64,
}

impl DeletedFile {
    /// When it is gone for good, in milliseconds since 1970.
    pub fn until(&self) -> i64 {
        self.deleted.saturating_add(KEPT.as_millis() as i64)
    }
}

/// How long a file that was deleted can be taken back.
pub const KEPT: Duration = Duration::from_secs(600);

/// What the list of files is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SortBy {
    /// When they were stored.
    #[default]
    Stored,
    /// Their path.
    Path,
    /// Their length.
    Size,
}

/// Which files, in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileQuery {
    /// Only files whose path contains this; empty for all.
    pub search: String,
    /// Only files of this kind.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// What they are sorted by.
    pub sort: SortBy,
    /// Whether the largest, the latest or the last comes first.
    pub descending: bool,
    /// Which page, counted from 0.
    pub page: u32,
}

impl Default for FileQuery {
    fn default() -> Self {
        Self {
            search: String::new(),
            kind: None,
            sort: SortBy::Stored,
            descending: true,
            page: 0,
        }
    }
}

/// How many files a [`FilePage`] holds at most.
pub const PAGE_SIZE: u32 = 50;

/// A page of the list of files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePage {
    /// The files of this page.
    pub files: Vec<StoredFile>,
    /// How many files there are on all pages.
    pub total: u64,
}

/// How many files one request can be about.
pub const MAX_CHOSEN: u32 = 1000;

/// The beginning of a file as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextView {
    /// What it says, with a sign in place of whatever is no text.
    pub text: String,
    /// Whether the file goes on after it.
    pub more: bool,
}

/// What stands behind a link `/f/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileView {
    /// A file that arrived.
    Stored(StoredFile),
    /// An upload that has not finished.
    Upload(LiveUpload),
    /// A file that was deleted and can still be taken back.
    Deleted(DeletedFile),
}

/// All that moves on the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveView {
    /// The uploads that are unfinished.
    pub uploads: Vec<LiveUpload>,
    /// What went through of late, and who is connected.
    pub pulse: Pulse,
}

/// Why a server function did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ApiError {
    /// There is no such file or upload. Status 404.
    #[error("There is no such file or upload.")]
    NotFound,
    /// What was asked makes no sense. Status 400.
    #[error("{0}")]
    BadRequest(String),
    /// The text to search for is longer than so many bytes. Status 400.
    #[error("Search for {limit} bytes at most.")]
    SearchTooLong {
        /// How many there may be.
        limit: u32,
    },
    /// The new name is too long. Status 400.
    #[error("This name is too long.")]
    NameTooLong,
    /// The new name is none. Status 400.
    #[error("This name has nothing in it that a file can be called.")]
    NoName,
    /// No file is chosen. Status 400.
    #[error("Choose files first.")]
    NothingChosen,
    /// Too many are. Status 400.
    #[error("Choose {limit} files at most.")]
    TooManyChosen {
        /// How many there may be.
        limit: u32,
    },
    /// The file is none of those that are shown as text. Status 400.
    #[error("This file is not shown as text.")]
    NoText,
    /// Another file has that name. Status 409.
    #[error("There is already a file of that name.")]
    Taken,
    /// No client is connected that sends the upload, so nobody can be asked. Status 409.
    #[error("Its sender is not connected. What is here stays, and it goes on when they are back.")]
    Nobody,
    /// The server failed; its log says how. Status 500.
    #[error("The server had a fault. Try again; its log says more.")]
    Internal,
    /// The request did not get through, or its answer. No status of ours.
    #[error("The server did not answer: {0}")]
    Transport(String),
}

impl ApiError {
    /// The HTTP status that says it.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::BadRequest(_)
            | Self::SearchTooLong { .. }
            | Self::NameTooLong
            | Self::NoName
            | Self::NothingChosen
            | Self::TooManyChosen { .. }
            | Self::NoText => 400,
            Self::Taken | Self::Nobody => 409,
            Self::Internal | Self::Transport(_) => 500,
        }
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(why) | ServerFnErrorErr::MissingArg(why) => {
                Self::BadRequest(why)
            }
            other => Self::Transport(other.to_string()),
        }
    }

    fn ser(&self) -> Bytes {
        // The one place through which every error leaves the server.
        #[cfg(feature = "ssr")]
        crate::server::desk::set_status(self);
        JsonEncoding::encode(self).unwrap_or_else(|_| Bytes::from_static(b"\"Internal\""))
    }
}

#[cfg(feature = "ssr")]
use crate::server::desk::desk;

/// A page of the files that arrived.
#[server(prefix = "/api")]
pub async fn list_files(query: FileQuery) -> Result<FilePage, ApiError> {
    desk()?.files(query).await
}

/// What stands behind a link.
#[server(prefix = "/api")]
pub async fn view_file(id: FileId) -> Result<FileView, ApiError> {
    desk()?.view(id).await
}

/// Gives a file another name within its folder; returns the file as it is then.
#[server(prefix = "/api")]
pub async fn rename_file(id: FileId, name: String) -> Result<StoredFile, ApiError> {
    desk()?.rename(id, name).await
}

/// Deletes files, and returns those that were there. They can be taken back for [`KEPT`].
#[server(prefix = "/api")]
pub async fn delete_files(ids: Vec<FileId>) -> Result<Vec<StoredFile>, ApiError> {
    desk()?.delete(ids).await
}

/// Takes back files that were deleted; returns them as they are then. One whose name was
/// taken meanwhile has another.
#[server(prefix = "/api")]
pub async fn restore_files(ids: Vec<FileId>) -> Result<Vec<StoredFile>, ApiError> {
    desk()?.restore(ids).await
}

/// The files that were deleted and can still be taken back, the latest first.
#[server(prefix = "/api")]
pub async fn deleted_files() -> Result<Vec<DeletedFile>, ApiError> {
    desk()?.deleted().await
}

/// The beginning of a file that is shown as text.
#[server(prefix = "/api")]
pub async fn read_text(id: FileId) -> Result<TextView, ApiError> {
    desk()?.text(id).await
}

/// Cancels an upload, whoever sends it.
#[server(prefix = "/api")]
pub async fn cancel_upload(id: FileId) -> Result<(), ApiError> {
    desk()?.cancel(id).await
}

/// Asks the client that sends an upload to pause it, or to go on.
#[server(prefix = "/api")]
pub async fn ask_sender(id: FileId, wish: Wish) -> Result<(), ApiError> {
    desk()?.ask(id, wish).await
}

/// All that moves or may move again.
#[server(prefix = "/api")]
pub async fn live_now() -> Result<LiveView, ApiError> {
    desk()?.live().await
}

/// What the server accepts.
#[server(prefix = "/api")]
pub async fn upload_limits() -> Result<Limits, ApiError> {
    Ok(desk()?.limits())
}
