//! Files that were deleted and can still be taken back.

use rusqlite::Connection;

use super::files::{self, file, folded};
use super::uploads::forget_replaced_tokens;
use super::{RegistryError, check_free};
use crate::api::{DeletedFile, StoredFile};
use crate::protocol::id::FileId;

/// Selects what [`file`] reads, and then when it was deleted and where it returns to.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, path, size, media_type, digest, started, stored, deleted, back_to
             FROM deleted ",
            $rest
        )
    };
}

pub fn leaving(db: &Connection, id: FileId, leaving: bool) -> Result<(), RegistryError> {
    let changed = db
        .prepare_cached("UPDATE files SET leaving = ?2 WHERE id = ?1")?
        .execute((id.as_bytes(), leaving))?;
    known(changed)
}

pub fn leavings(db: &Connection) -> Result<Vec<StoredFile>, RegistryError> {
    let mut select = db.prepare_cached(
        "SELECT id, path, size, media_type, digest, started, stored FROM files WHERE leaving",
    )?;
    let leavings = select.query_map([], file)?;
    Ok(leavings.collect::<rusqlite::Result<_>>()?)
}

pub fn put_aside(db: &Connection, id: FileId, now: i64) -> Result<(), RegistryError> {
    let moved = db
        .prepare_cached(
            "INSERT INTO deleted
                 (id, token_hash, path, size, media_type, digest, started, stored, deleted)
             SELECT id, token_hash, path, size, media_type, digest, started, stored, ?2
             FROM files WHERE id = ?1",
        )?
        .execute((id.as_bytes(), now))?;
    known(moved)?;
    db.prepare_cached("DELETE FROM files WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    forget_replaced_tokens(db, id)
}

pub fn all(db: &Connection) -> Result<Vec<DeletedFile>, RegistryError> {
    let mut select = db.prepare_cached(select!("ORDER BY deleted DESC, id"))?;
    let deleted = select.query_map([], |row| {
        Ok(DeletedFile {
            file: file(row)?,
            deleted: row.get(7)?,
        })
    })?;
    Ok(deleted.collect::<rusqlite::Result<_>>()?)
}

pub fn returning(db: &Connection, id: FileId, path: Option<&str>) -> Result<(), RegistryError> {
    if let Some(path) = path {
        check_free(db, id, path)?;
    }
    let changed = db
        .prepare_cached("UPDATE deleted SET back_to = ?2 WHERE id = ?1")?
        .execute((id.as_bytes(), path))?;
    known(changed)
}

pub fn returns(db: &Connection) -> Result<Vec<(StoredFile, String)>, RegistryError> {
    let mut select = db.prepare_cached(select!("WHERE back_to IS NOT NULL"))?;
    let returns = select.query_map([], |row| Ok((file(row)?, row.get(8)?)))?;
    Ok(returns.collect::<rusqlite::Result<_>>()?)
}

pub fn bring_back(db: &Connection, id: FileId, path: &str) -> Result<StoredFile, RegistryError> {
    check_free(db, id, path)?;
    // Its sender may have begun anew with the same token; then that is for the new one.
    db.prepare_cached(
        "INSERT INTO files (id, token_hash, path, folded, size, media_type, digest, started, stored)
         SELECT id,
             CASE WHEN EXISTS (SELECT 1 FROM files WHERE token_hash = deleted.token_hash)
                    OR EXISTS (SELECT 1 FROM uploads WHERE token_hash = deleted.token_hash)
                  THEN randomblob(32) ELSE token_hash END,
             ?2, ?3, size, media_type, digest, started, stored
         FROM deleted WHERE id = ?1",
    )?
    .execute((id.as_bytes(), path, folded(path)))?;
    db.prepare_cached("DELETE FROM deleted WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    files::by_id(db, id)?.ok_or(RegistryError::Unknown)
}

pub fn forget(db: &Connection, id: FileId) -> Result<bool, RegistryError> {
    let forgotten = db
        .prepare_cached("DELETE FROM deleted WHERE id = ?1 AND back_to IS NULL")?
        .execute([id.as_bytes()])?;
    Ok(forgotten > 0)
}

fn known(changed: usize) -> Result<(), RegistryError> {
    match changed {
        0 => Err(RegistryError::Unknown),
        _ => Ok(()),
    }
}
