//! The control plane: server functions, what they take and give, and their one
//! error type.

use bytes::Bytes;
use leptos::prelude::*;
use leptos::server_fn::Encodes;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::protocol::id::FileId;
use crate::protocol::live::LiveUpload;
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

/// What stands behind a link `/f/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileView {
    /// A file that arrived.
    Stored(StoredFile),
    /// An upload that has not finished.
    Upload(LiveUpload),
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
    /// Another file has that name. Status 409.
    #[error("There is already a file of that name.")]
    Taken,
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
            Self::BadRequest(_) | Self::SearchTooLong { .. } | Self::NameTooLong | Self::NoName => {
                400
            }
            Self::Taken => 409,
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

/// Deletes a file.
#[server(prefix = "/api")]
pub async fn delete_file(id: FileId) -> Result<(), ApiError> {
    desk()?.delete(id).await
}

/// Cancels an upload, whoever sends it.
#[server(prefix = "/api")]
pub async fn cancel_upload(id: FileId) -> Result<(), ApiError> {
    desk()?.cancel(id).await
}

/// All uploads that are unfinished.
#[server(prefix = "/api")]
pub async fn live_uploads() -> Result<Vec<LiveUpload>, ApiError> {
    desk()?.live().await
}

/// What the server accepts.
#[server(prefix = "/api")]
pub async fn upload_limits() -> Result<Limits, ApiError> {
    Ok(desk()?.limits())
}
