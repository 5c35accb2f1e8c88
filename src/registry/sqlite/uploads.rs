//! Unfinished uploads and their durable blocks.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Claim, Epoch, RegistryError, Upload, check_free, files};
use crate::protocol::id::FileId;
use crate::protocol::manifest::Manifest;
use crate::verify::{BLOCK, BlockHash, block_len, blocks};

/// Selects what [`upload`] reads. What is durable is derived from the blocks.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, path, sent_path, size, modified, media_type, started, touched, sealing,
                    (SELECT COUNT(*) FROM blocks WHERE upload = no),
                    (SELECT MAX(idx) FROM blocks WHERE upload = no),
                    no, epoch
             FROM uploads ",
            $rest
        )
    };
}

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let size = row.get(3)?;
    let count: u64 = row.get(9)?;
    let last: Option<u64> = row.get(10)?;
    // Only the last block of a file may be shorter than the others.
    let short = match last {
        Some(last) if last + 1 == blocks(size) => BLOCK - block_len(last, size),
        _ => 0,
    };
    Ok(Upload {
        id: FileId::from_bytes(row.get(0)?),
        path: row.get(1)?,
        manifest: Manifest {
            path: row.get(2)?,
            size,
            modified: row.get(4)?,
            media_type: row.get(5)?,
        },
        started: row.get(6)?,
        touched: row.get(7)?,
        sealing: row.get(8)?,
        durable: count.saturating_mul(BLOCK).saturating_sub(short),
    })
}

pub fn begin(db: &Connection, token: [u8; 32], upload: Upload) -> Result<Claim, RegistryError> {
    if by_token(db, token)?.is_some() || files::by_token(db, token)?.is_some() {
        return Err(RegistryError::Taken);
    }
    db.prepare_cached(
        "INSERT INTO uploads (id, token_hash, epoch, path, sent_path, size, modified,
                              media_type, started, touched)
         VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    )?
    .execute((
        upload.id.as_bytes(),
        token,
        &upload.path,
        &upload.manifest.path,
        upload.manifest.size,
        upload.manifest.modified,
        &upload.manifest.media_type,
        upload.started,
    ))?;
    Ok(Claim {
        upload,
        epoch: Epoch(1),
        blocks: Vec::new(),
    })
}

pub fn by_token(db: &Connection, token: [u8; 32]) -> Result<Option<FileId>, RegistryError> {
    let id = db
        .prepare_cached("SELECT id FROM uploads WHERE token_hash = ?1")?
        .query_row([token], |row| row.get(0))
        .optional()?;
    Ok(id.map(FileId::from_bytes))
}

/// The upload, or what became of it, for which the token once stood.
pub fn by_replaced_token(
    db: &Connection,
    token: [u8; 32],
) -> Result<Option<FileId>, RegistryError> {
    let id = db
        .prepare_cached("SELECT id FROM replaced_tokens WHERE hash = ?1")?
        .query_row([token], |row| row.get(0))
        .optional()?;
    Ok(id.map(FileId::from_bytes))
}

/// Gives the upload another token, if this is its epoch.
pub fn replace_token(
    db: &Connection,
    id: FileId,
    epoch: Epoch,
    token: [u8; 32],
) -> Result<(), RegistryError> {
    let no = held(db, id, epoch)?;
    db.prepare_cached(
        "INSERT OR REPLACE INTO replaced_tokens (hash, id) SELECT token_hash, id FROM uploads WHERE no = ?1",
    )?
    .execute([no])?;
    db.prepare_cached("UPDATE uploads SET token_hash = ?2 WHERE no = ?1")?
        .execute((no, token))?;
    Ok(())
}

/// Forgets the tokens that stood for an upload, or for the file that it became.
pub fn forget_replaced_tokens(db: &Connection, id: FileId) -> Result<(), RegistryError> {
    db.prepare_cached("DELETE FROM replaced_tokens WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    Ok(())
}

pub fn alike(db: &Connection, path: &str, size: u64) -> Result<Vec<FileId>, RegistryError> {
    let mut select = db.prepare_cached(
        "SELECT id FROM uploads JOIN blocks ON upload = no WHERE path = ?1 AND size = ?2
         GROUP BY no ORDER BY COUNT(*) DESC, no DESC",
    )?;
    let ids = select.query_map((path, size), |row| Ok(FileId::from_bytes(row.get(0)?)))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

pub fn hold(db: &Connection, id: FileId, now: i64) -> Result<Claim, RegistryError> {
    let changed = db
        .prepare_cached("UPDATE uploads SET epoch = epoch + 1, touched = ?2 WHERE id = ?1")?
        .execute((id.as_bytes(), now))?;
    if changed == 0 {
        return Err(RegistryError::Unknown);
    }
    claim(db, id)
}

/// An upload with its epoch and blocks.
pub fn claim(db: &Connection, id: FileId) -> Result<Claim, RegistryError> {
    let found: Option<(_, i64, _)> = db
        .prepare_cached(select!("WHERE id = ?1"))?
        .query_row([id.as_bytes()], |row| {
            Ok((upload(row)?, row.get(11)?, Epoch(row.get(12)?)))
        })
        .optional()?;
    let (upload, no, epoch) = found.ok_or(RegistryError::Unknown)?;
    let blocks = db
        .prepare_cached("SELECT idx, hash FROM blocks WHERE upload = ?1 ORDER BY idx")?
        .query_map([no], |row| Ok((row.get(0)?, BlockHash(row.get(1)?))))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Claim {
        upload,
        epoch,
        blocks,
    })
}

/// The row of an upload, if this is its epoch.
pub fn held(db: &Connection, id: FileId, epoch: Epoch) -> Result<i64, RegistryError> {
    let found: Option<(i64, u64)> = db
        .prepare_cached("SELECT no, epoch FROM uploads WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((no, newest)) if newest == epoch.0 => Ok(no),
        Some(_) => Err(RegistryError::Superseded),
        None => Err(RegistryError::Unknown),
    }
}

pub fn record(
    db: &Connection,
    id: FileId,
    epoch: Epoch,
    blocks: &[(u64, BlockHash)],
    now: i64,
) -> Result<(), RegistryError> {
    let no = held(db, id, epoch)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO blocks (upload, idx, hash) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET hash = excluded.hash",
    )?;
    for (index, hash) in blocks {
        insert.execute((no, index, hash.0))?;
    }
    db.prepare_cached("UPDATE uploads SET touched = ?2 WHERE no = ?1")?
        .execute((no, now))?;
    Ok(())
}

pub fn sealing(
    db: &Connection,
    id: FileId,
    epoch: Epoch,
    path: Option<&str>,
) -> Result<(), RegistryError> {
    let no = held(db, id, epoch)?;
    if let Some(path) = path {
        check_free(db, id, path)?;
    }
    db.prepare_cached("UPDATE uploads SET sealing = ?2 WHERE no = ?1")?
        .execute((no, path))?;
    Ok(())
}

pub fn end(db: &Connection, id: FileId, holder: Option<Epoch>) -> Result<bool, RegistryError> {
    if let Some(epoch) = holder {
        held(db, id, epoch)?;
    }
    let ended = db
        .prepare_cached("DELETE FROM uploads WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    if ended > 0 {
        forget_replaced_tokens(db, id)?;
    }
    Ok(ended > 0)
}

pub fn by_id(db: &Connection, id: FileId) -> Result<Option<Upload>, RegistryError> {
    Ok(db
        .prepare_cached(select!("WHERE id = ?1"))?
        .query_row([id.as_bytes()], upload)
        .optional()?)
}

pub fn all(db: &Connection) -> Result<Vec<Upload>, RegistryError> {
    let mut select = db.prepare_cached(select!("ORDER BY started, no"))?;
    let uploads = select.query_map([], upload)?;
    Ok(uploads.collect::<rusqlite::Result<_>>()?)
}
