//! The control plane: what the server functions do.
//!
//! A rename is written down before it begins, so that a crash in the middle is
//! completed by [`super::recover`]. A deletion takes the file first and the record of
//! it after: what a crash leaves is a record without a file, which can be deleted
//! again, never a file that its owner believes deleted. Changes happen one at a time,
//! and to their end even if whoever asked has gone.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::hub::Hub;
use crate::api::{ApiError, FilePage, FileQuery, FileView, StoredFile};
use crate::protocol::id::FileId;
use crate::protocol::live::LiveUpload;
use crate::protocol::manifest::Limits;
use crate::registry::{Registry, RegistryError};
use crate::storage::{Storage, StorageError, name};

/// The longest text to search for, in bytes.
const MAX_SEARCH: u32 = 1024;

/// The longest name to give a file, in bytes.
const MAX_NAME: usize = 4096;

/// The control plane.
pub struct Desk {
    registry: Arc<dyn Registry>,
    storage: Arc<dyn Storage>,
    hub: Arc<Hub>,
    limits: Limits,
    /// Held by whoever changes a file.
    changing: tokio::sync::Mutex<()>,
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
        let file = self.file(id).await?;
        Ok(FileView::Stored(file.ok_or(ApiError::NotFound)?))
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

    /// Deletes a file.
    pub async fn delete(self: &Arc<Self>, id: FileId) -> Result<(), ApiError> {
        let desk = Arc::clone(self);
        to_the_end(async move { desk.delete_now(id).await }).await
    }

    async fn delete_now(&self, id: FileId) -> Result<(), ApiError> {
        let _changing = self.changing.lock().await;
        let file = self.file(id).await?.ok_or(ApiError::NotFound)?;
        self.storage.remove(&file.path).await?;
        self.registry.delete(id).await?;
        tracing::info!(%id, path = file.path, size = file.size, "a file was deleted");
        Ok(())
    }

    /// Cancels an upload, whoever sends it.
    pub async fn cancel(&self, id: FileId) -> Result<(), ApiError> {
        let hub = Arc::clone(&self.hub);
        match to_the_end(async move { Ok(hub.cancel(id).await?) }).await? {
            true => Ok(()),
            false => Err(ApiError::NotFound),
        }
    }

    /// All unfinished uploads.
    pub async fn live(&self) -> Result<Vec<LiveUpload>, ApiError> {
        Ok(self.hub.live())
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
