//! What the server functions do.

use leptos::prelude::use_context;
use std::sync::Arc;

use crate::api::{ApiError, FilePage, FileQuery, FileView, StoredFile};
use crate::protocol::id::FileId;
use crate::protocol::live::LiveUpload;
use crate::protocol::manifest::Limits;

/// The control plane.
pub struct Desk {}

/// The desk of the server that runs this server function.
pub fn desk() -> Result<Arc<Desk>, ApiError> {
    use_context::<Arc<Desk>>().ok_or(ApiError::Internal)
}

impl Desk {
    pub async fn files(&self, _query: FileQuery) -> Result<FilePage, ApiError> {
        Err(ApiError::Internal)
    }
    pub async fn view(&self, _id: FileId) -> Result<FileView, ApiError> {
        Err(ApiError::Internal)
    }
    pub async fn rename(&self, _id: FileId, _name: String) -> Result<StoredFile, ApiError> {
        Err(ApiError::Internal)
    }
    pub async fn delete(&self, _id: FileId) -> Result<(), ApiError> {
        Err(ApiError::Internal)
    }
    pub async fn cancel(&self, _id: FileId) -> Result<(), ApiError> {
        Err(ApiError::Internal)
    }
    pub async fn live(&self) -> Result<Vec<LiveUpload>, ApiError> {
        Err(ApiError::Internal)
    }
    pub fn limits(&self) -> Limits {
        Limits::default()
    }
}
