//! The control plane: what the server functions do.
//!
//! A rename, a deletion and the return of what was deleted are written down before they
//! begin, so that a crash in the middle is completed by [`super::recover`], never half of
//! one: a file that its owner believes deleted is not seen, and one that is seen is known.
//! Changes happen one at a time, and to their end even if whoever asked has gone.

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::hub::{Hub, Unasked};
use crate::api::{
    ApiError, DeletedFile, FilePage, FileQuery, FileView, LiveView, MAX_CHOSEN, StoredFile,
    TextView,
};
use crate::kind::{Shown, View};
use crate::protocol::id::FileId;
use crate::protocol::live::Wish;
use crate::protocol::manifest::Limits;
use crate::registry::{Registry, RegistryError, now};
use crate::storage::{Storage, StorageError, name};

/// The longest text to search for, in bytes.
const MAX_SEARCH: u32 = 1024;

/// The longest name to give a file, in bytes.
const MAX_NAME: usize = 4096;

/// How much of a file is shown as text, in bytes.
const MAX_TEXT: u64 = 256 << 10;

/// The control plane.
pub struct Desk {
    registry: Arc<dyn Registry>,
    storage: Arc<dyn Storage>,
    hub: Arc<Hub>,
    limits: Limits,
    /// Held by whoever changes a file.
    changing: tokio::sync::Mutex<()>,
}

/// What can be done to several files at once.
#[derive(Clone, Copy)]
enum Change {
    Delete,
    Restore,
}

/// The desk of the server that runs this server function.
pub fn desk() -> Result<Arc<Desk>, ApiError> {
    use_context::<Arc<Desk>>().ok_or_else(|| {
        tracing::error!("a server function runs without a desk");
        ApiError::Internal
    })
}

/// Gives the response of the server function that runs now the status of its error.
///
/// Not where a browser without JavaScript sent a form: it is led back to its page, and
/// another status would keep it from following.
pub fn set_status(error: &ApiError) {
    let Some(response) = use_context::<ResponseOptions>() else {
        return;
    };
    let wants_page = use_context::<http::request::Parts>().is_some_and(|request| {
        let accept = request.headers.get(header::ACCEPT);
        let accept = accept.map_or(&b""[..], HeaderValue::as_bytes);
        accept.windows(9).any(|part| part == b"text/html")
    });
    if !wants_page && let Ok(status) = StatusCode::from_u16(error.status()) {
        response.set_status(status);
    }
}

impl Desk {
    /// A desk over these.
    pub fn new(
        registry: Arc<dyn Registry>,
        storage: Arc<dyn Storage>,
        hub: Arc<Hub>,
        limits: Limits,
    ) -> Self {
        Self {
            registry,
            storage,
            hub,
            limits,
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// A page of the files that arrived.
    pub async fn files(&self, query: FileQuery) -> Result<FilePage, ApiError> {
        if query.search.len() > MAX_SEARCH as usize {
            return Err(ApiError::SearchTooLong { limit: MAX_SEARCH });
        }
        Ok(self.registry.files(&query).await?)
    }

    /// What stands behind a link.
    pub async fn view(&self, id: FileId) -> Result<FileView, ApiError> {
        // In the order in which one becomes the other, so that none is missed between.
        if let Some(upload) = self.hub.upload(id) {
            return Ok(FileView::Upload(upload));
        }
        if let Some(file) = self.file(id).await? {
            return Ok(FileView::Stored(file));
        }
        let deleted = self.deleted().await?;
        let deleted = deleted.into_iter().find(|deleted| deleted.file.id == id);
        deleted.map(FileView::Deleted).ok_or(ApiError::NotFound)
    }

    /// A file that arrived.
    pub async fn file(&self, id: FileId) -> Result<Option<StoredFile>, ApiError> {
        Ok(self.registry.file(id).await?)
    }

    /// Gives a file another name within its folder.
    pub async fn rename(
        self: &Arc<Self>,
        id: FileId,
        name: String,
    ) -> Result<StoredFile, ApiError> {
        let desk = Arc::clone(self);
        to_the_end(async move { desk.rename_now(id, &name).await }).await
    }

    async fn rename_now(&self, id: FileId, name: &str) -> Result<StoredFile, ApiError> {
        if name.len() > MAX_NAME {
            return Err(ApiError::NameTooLong);
        }
        let name = name::safe_name(name).ok_or(ApiError::NoName)?;
        let _changing = self.changing.lock().await;
        let file = self.file(id).await?.ok_or(ApiError::NotFound)?;
        let (folder, _) = name::split_folder(&file.path);
        let path = format!("{folder}{name}");
        if path == file.path {
            return Ok(file);
        }
        self.registry.moving(id, Some(&path)).await?;
        match self.storage.rename(&file.path, &path).await {
            Ok(()) => self.registry.rename(id, &path).await?,
            // Nothing is known of what was done: the next start will see.
            Err(error @ StorageError::Io { .. }) => return Err(error.into()),
            Err(error) => {
                self.registry.moving(id, None).await?;
                return Err(error.into());
            }
        }
        tracing::info!(%id, from = file.path, to = path, "a file was renamed");
        Ok(StoredFile { path, ..file })
    }

    /// Deletes those of these files that are there; an error if none is. They can be
    /// taken back for a while.
    pub async fn delete(self: &Arc<Self>, ids: Vec<FileId>) -> Result<Vec<StoredFile>, ApiError> {
        self.each(ids, Change::Delete).await
    }

    async fn delete_now(&self, id: FileId) -> Result<StoredFile, ApiError> {
        let _changing = self.changing.lock().await;
        let file = self.file(id).await?.ok_or(ApiError::NotFound)?;
        self.registry.leaving(id, true).await?;
        match self.storage.set_aside(&file.path, id).await {
            Ok(()) => self.registry.put_aside(id).await?,
            // Somebody took it away from the folder: there is nothing to take back.
            Err(StorageError::Missing) => _ = self.registry.delete(id).await?,
            // Nothing is known of what was done: the next start will see.
            Err(error @ StorageError::Io { .. }) => return Err(error.into()),
            Err(error) => {
                self.registry.leaving(id, false).await?;
                return Err(error.into());
            }
        }
        tracing::info!(%id, path = file.path, size = file.size, "a file was deleted");
        Ok(file)
    }

    /// Changes each file that is there, one after another, until it fails; an error if
    /// none is there.
    async fn each(
        self: &Arc<Self>,
        mut ids: Vec<FileId>,
        change: Change,
    ) -> Result<Vec<StoredFile>, ApiError> {
        check_count(ids.len())?;
        ids.sort_unstable();
        ids.dedup();
        let desk = Arc::clone(self);
        to_the_end(async move {
            let mut files = Vec::with_capacity(ids.len());
            for id in ids {
                let changed = match change {
                    Change::Delete => desk.delete_now(id).await,
                    Change::Restore => desk.restore_now(id).await,
                };
                match changed {
                    Ok(file) => files.push(file),
                    // Somebody else was faster.
                    Err(ApiError::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
            match files.is_empty() {
                true => Err(ApiError::NotFound),
                false => Ok(files),
            }
        })
        .await
    }

    /// What was deleted and can still be taken back, the latest first.
    pub async fn deleted(&self) -> Result<Vec<DeletedFile>, ApiError> {
        let mut deleted = self.registry.deleted().await?;
        let now = now();
        deleted.retain(|deleted| deleted.until() > now);
        Ok(deleted)
    }

    /// Takes back those of these files that were deleted; an error if none can be.
    pub async fn restore(self: &Arc<Self>, ids: Vec<FileId>) -> Result<Vec<StoredFile>, ApiError> {
        self.each(ids, Change::Restore).await
    }

    async fn restore_now(&self, id: FileId) -> Result<StoredFile, ApiError> {
        let _changing = self.changing.lock().await;
        let deleted = self.deleted().await?;
        let deleted = deleted.into_iter().find(|deleted| deleted.file.id == id);
        let mut path = deleted.ok_or(ApiError::NotFound)?.file.path;
        loop {
            let taken = match self.registry.returning(id, Some(&path)).await {
                Ok(()) => match self.storage.bring_back(id, &path).await {
                    Ok(()) => break,
                    Err(StorageError::Exists { taken }) => taken,
                    // Nothing is known of what was done: the next start will see.
                    Err(error @ StorageError::Io { .. }) => return Err(error.into()),
                    Err(error) => {
                        self.registry.returning(id, None).await?;
                        return Err(error.into());
                    }
                },
                Err(RegistryError::Taken) => path.clone(),
                Err(error) => return Err(error.into()),
            };
            path = name::alternative(&path, &taken);
        }
        let file = self.registry.bring_back(id, &path).await?;
        tracing::info!(%id, path, "a deleted file was taken back");
        Ok(file)
    }

    /// The beginning of a file that is shown as text.
    pub async fn text(&self, id: FileId) -> Result<TextView, ApiError> {
        let file = self.file(id).await?.ok_or(ApiError::NotFound)?;
        if View::of(&file.path).is_none_or(|view| view.shown != Shown::Text) {
            return Err(ApiError::NoText);
        }
        let len = file.size.min(MAX_TEXT);
        let pieces = self.storage.read(&file.path, 0..len).await?;
        let bytes = pieces.try_collect::<Vec<Bytes>>().await?.concat();
        Ok(TextView {
            text: text(&bytes),
            more: len < file.size,
        })
    }

    /// Cancels an upload, whoever sends it.
    pub async fn cancel(&self, id: FileId) -> Result<(), ApiError> {
        let hub = Arc::clone(&self.hub);
        match to_the_end(async move { Ok(hub.cancel(id).await?) }).await? {
            true => Ok(()),
            false => Err(ApiError::NotFound),
        }
    }

    /// Asks something of the client that sends an upload.
    pub async fn ask(&self, id: FileId, wish: Wish) -> Result<(), ApiError> {
        Ok(self.hub.ask(id, wish).await?)
    }

    /// All that moves, may move again, or has just ended.
    pub async fn live(&self) -> Result<LiveView, ApiError> {
        Ok(LiveView {
            uploads: self.hub.live(),
            pulse: self.hub.pulse(None),
        })
    }

    /// What the server accepts.
    pub fn limits(&self) -> Limits {
        self.limits.clone()
    }

    /// Where the bytes are.
    pub(super) fn storage(&self) -> &dyn Storage {
        self.storage.as_ref()
    }
}

/// Reads the beginning of a text: UTF-8, or UTF-16 that says so.
fn text(bytes: &[u8]) -> String {
    let utf16 = |read: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units = rest.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        String::from_utf16_lossy(&units.collect::<Vec<u16>>())
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => utf16(u16::from_be_bytes, rest),
        bytes => {
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            // The last character may be cut off.
            let whole = match std::str::from_utf8(bytes) {
                Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
                _ => bytes,
            };
            String::from_utf8_lossy(whole).into_owned()
        }
    }
}

/// Whether a request may be about so many files.
pub(super) fn check_count(chosen: usize) -> Result<(), ApiError> {
    match u32::try_from(chosen) {
        Ok(0) => Err(ApiError::NothingChosen),
        Ok(..=MAX_CHOSEN) => Ok(()),
        _ => Err(ApiError::TooManyChosen { limit: MAX_CHOSEN }),
    }
}

/// Does something to its end, also if the request for it is given up meanwhile.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::spawn(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a change broke down");
        Err(ApiError::Internal)
    })
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Unknown => Self::NotFound,
            RegistryError::Taken => Self::Taken,
            RegistryError::Superseded | RegistryError::Full | RegistryError::Database(_) => {
                tracing::error!(%error, "a request failed");
                Self::Internal
            }
        }
    }
}

impl From<Unasked> for ApiError {
    fn from(error: Unasked) -> Self {
        match error {
            Unasked::Unknown => Self::NotFound,
            Unasked::Nobody => Self::Nobody,
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Missing => Self::NotFound,
            StorageError::Exists { .. } => Self::Taken,
            StorageError::Full
            | StorageError::Superseded
            | StorageError::UnsafePath
            | StorageError::Io { .. } => {
                tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
                Self::Internal
            }
        }
    }
}

#[cfg(test)]
mod tests;
