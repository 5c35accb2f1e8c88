//! Everything that moves on this server right now.

use crate::protocol::id::FileId;
use crate::protocol::live::LiveUpload;

/// Knows every unfinished upload and who holds it.
#[derive(Debug, Default)]
pub struct Hub {}

impl Hub {
    /// All unfinished uploads, the latest first.
    pub fn live(&self) -> Vec<LiveUpload> {
        Vec::new()
    }

    /// One unfinished upload.
    pub fn upload(&self, _id: FileId) -> Option<LiveUpload> {
        None
    }

    /// Ends an upload, whoever holds it: its holder is told, and nothing of it is left.
    /// Whether there was one.
    pub async fn cancel(&self, _id: FileId) -> Result<bool, crate::registry::RegistryError> {
        Ok(false)
    }
}
