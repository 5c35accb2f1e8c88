//! The registry in one SQLite file.

mod deleted;
mod files;
mod schema;
mod uploads;
mod worker;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode};

use self::worker::Worker;
use super::{Claim, Epoch, Found, Registry, RegistryError, Upload, now};
use crate::api::{DeletedFile, FilePage, FileQuery, StoredFile};
use crate::protocol::id::{FileId, Token};
use crate::protocol::manifest::Manifest;
use crate::verify::{BlockHash, Root};

/// [`Registry`] in a SQLite database, in the file `longhaul.db`.
#[derive(Debug)]
pub struct Sqlite(Worker);

impl Sqlite {
    /// Opens the database in the folder `data`, creating it if need be. An error if a
    /// newer version of this program has written it.
    pub fn open(data: &Path) -> Result<Self, RegistryError> {
        let path = data.join("longhaul.db");
        let create = || -> std::io::Result<()> {
            std::fs::create_dir_all(data)?;
            OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&path)?;
            Ok(())
        };
        create().map_err(|e| in_file(&path, e))?;
        let connection = Connection::open(&path).map_err(|e| in_file(&path, e))?;
        schema::prepare(&connection)?;
        Ok(Self(
            Worker::new(connection).map_err(|e| in_file(&path, e))?,
        ))
    }
}

fn in_file(path: &Path, e: impl std::fmt::Display) -> RegistryError {
    RegistryError::Database(format!("{}: {e}", path.display()).into())
}

impl From<&rusqlite::Error> for RegistryError {
    fn from(e: &rusqlite::Error) -> Self {
        match e.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Database(e.to_string().into()),
        }
    }
}

impl From<rusqlite::Error> for RegistryError {
    fn from(e: rusqlite::Error) -> Self {
        Self::from(&e)
    }
}

/// What is kept of a token: it is random, so its hash needs no salt.
fn token_hash(token: &Token) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

/// An error if a file other than `id` has the path or is about to have it.
fn check_free(connection: &Connection, id: FileId, path: &str) -> Result<(), RegistryError> {
    let taken: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM files WHERE path = ?2 AND id <> ?1)
                 OR EXISTS (SELECT 1 FROM files WHERE moving = ?2 AND id <> ?1)
                 OR EXISTS (SELECT 1 FROM uploads WHERE sealing = ?2 AND id <> ?1)
                 OR EXISTS (SELECT 1 FROM deleted WHERE back_to = ?2 AND id <> ?1)",
        )?
        .query_row((id.as_bytes(), path), |row| row.get(0))?;
    if taken {
        return Err(RegistryError::Taken);
    }
    Ok(())
}

#[async_trait]
impl Registry for Sqlite {
    async fn begin(
        &self,
        id: FileId,
        token: &Token,
        manifest: &Manifest,
        path: &str,
    ) -> Result<Claim, RegistryError> {
        let token = token_hash(token);
        let started = now();
        let upload = Upload {
            id,
            manifest: manifest.clone(),
            path: path.to_owned(),
            started,
            touched: started,
            durable: 0,
            sealing: None,
        };
        self.0
            .call(move |db| uploads::begin(db, token, upload))
            .await
    }

    async fn find(&self, token: &Token) -> Result<Option<Found>, RegistryError> {
        let token = token_hash(token);
        self.0
            .call(move |db| match uploads::by_token(db, token)? {
                Some(id) => Ok(Some(Found::Upload(id))),
                None => match files::by_token(db, token)? {
                    Some(file) => Ok(Some(Found::Stored(file))),
                    None => Ok(uploads::by_replaced_token(db, token)?.map(Found::Replaced)),
                },
            })
            .await
    }

    async fn record(
        &self,
        id: FileId,
        epoch: Epoch,
        blocks: &[(u64, BlockHash)],
    ) -> Result<(), RegistryError> {
        let blocks = blocks.to_vec();
        self.0
            .call(move |db| uploads::record(db, id, epoch, &blocks, now()))
            .await
    }

    async fn sealing(
        &self,
        id: FileId,
        epoch: Epoch,
        path: Option<&str>,
    ) -> Result<(), RegistryError> {
        let path = path.map(str::to_owned);
        self.0
            .call(move |db| uploads::sealing(db, id, epoch, path.as_deref()))
            .await
    }

    async fn finish(
        &self,
        id: FileId,
        epoch: Epoch,
        path: &str,
        root: Root,
    ) -> Result<StoredFile, RegistryError> {
        let path = path.to_owned();
        self.0
            .call(move |db| match uploads::held(db, id, epoch) {
                Ok(no) => files::finish(db, no, id, &path, root, now()),
                Err(RegistryError::Unknown) => files::by_id(db, id)?.ok_or(RegistryError::Unknown),
                Err(e) => Err(e),
            })
            .await
    }

    async fn end(&self, id: FileId, holder: Option<Epoch>) -> Result<bool, RegistryError> {
        self.0.call(move |db| uploads::end(db, id, holder)).await
    }

    async fn upload(&self, id: FileId) -> Result<Option<Upload>, RegistryError> {
        self.0.call(move |db| uploads::by_id(db, id)).await
    }

    async fn uploads(&self) -> Result<Vec<Upload>, RegistryError> {
        self.0.call(uploads::all).await
    }

    async fn hold(&self, id: FileId) -> Result<Claim, RegistryError> {
        self.0.call(move |db| uploads::hold(db, id, now())).await
    }

    async fn alike(&self, path: &str, size: u64) -> Result<Vec<FileId>, RegistryError> {
        let path = path.to_owned();
        self.0.call(move |db| uploads::alike(db, &path, size)).await
    }

    async fn peek(&self, id: FileId) -> Result<Claim, RegistryError> {
        self.0.call(move |db| uploads::claim(db, id)).await
    }

    async fn adopt(&self, id: FileId, epoch: Epoch, token: &Token) -> Result<Claim, RegistryError> {
        let token = token_hash(token);
        self.0
            .call(move |db| {
                uploads::replace_token(db, id, epoch, token)?;
                uploads::hold(db, id, now())
            })
            .await
    }

    async fn files(&self, query: &FileQuery) -> Result<FilePage, RegistryError> {
        let query = query.clone();
        self.0.call(move |db| files::page(db, &query)).await
    }

    async fn file(&self, id: FileId) -> Result<Option<StoredFile>, RegistryError> {
        self.0.call(move |db| files::by_id(db, id)).await
    }

    async fn moving(&self, id: FileId, path: Option<&str>) -> Result<(), RegistryError> {
        let path = path.map(str::to_owned);
        self.0
            .call(move |db| files::moving(db, id, path.as_deref()))
            .await
    }

    async fn moves(&self) -> Result<Vec<(StoredFile, String)>, RegistryError> {
        self.0.call(files::moves).await
    }

    async fn rename(&self, id: FileId, path: &str) -> Result<(), RegistryError> {
        let path = path.to_owned();
        self.0.call(move |db| files::rename(db, id, &path)).await
    }

    async fn delete(&self, id: FileId) -> Result<bool, RegistryError> {
        self.0.call(move |db| files::delete(db, id)).await
    }

    async fn leaving(&self, id: FileId, leaving: bool) -> Result<(), RegistryError> {
        self.0
            .call(move |db| deleted::leaving(db, id, leaving))
            .await
    }

    async fn leavings(&self) -> Result<Vec<StoredFile>, RegistryError> {
        self.0.call(deleted::leavings).await
    }

    async fn put_aside(&self, id: FileId) -> Result<(), RegistryError> {
        self.0
            .call(move |db| deleted::put_aside(db, id, now()))
            .await
    }

    async fn deleted(&self) -> Result<Vec<DeletedFile>, RegistryError> {
        self.0.call(deleted::all).await
    }

    async fn returning(&self, id: FileId, path: Option<&str>) -> Result<(), RegistryError> {
        let path = path.map(str::to_owned);
        self.0
            .call(move |db| deleted::returning(db, id, path.as_deref()))
            .await
    }

    async fn returns(&self) -> Result<Vec<(StoredFile, String)>, RegistryError> {
        self.0.call(deleted::returns).await
    }

    async fn bring_back(&self, id: FileId, path: &str) -> Result<StoredFile, RegistryError> {
        let path = path.to_owned();
        self.0
            .call(move |db| deleted::bring_back(db, id, &path))
            .await
    }

    async fn forget(&self, id: FileId) -> Result<bool, RegistryError> {
        self.0.call(move |db| deleted::forget(db, id)).await
    }
}

#[cfg(test)]
mod tests;
