//! Files that arrived.

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension, Row};
use unicode_normalization::UnicodeNormalization;

use super::uploads::forget_replaced_tokens;
use super::{RegistryError, check_free};
use crate::api::{FilePage, FileQuery, PAGE_SIZE, SortBy, StoredFile};
use crate::kind::Kind;
use crate::protocol::id::FileId;
use crate::verify::Root;

/// Selects what [`file`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, path, size, media_type, digest, started, stored, moving FROM files ",
            $rest
        )
    };
}

/// Reads a file from the first seven columns.
pub fn file(row: &Row<'_>) -> rusqlite::Result<StoredFile> {
    Ok(StoredFile {
        id: FileId::from_bytes(row.get(0)?),
        path: row.get(1)?,
        size: row.get(2)?,
        media_type: row.get(3)?,
        digest: Root(row.get(4)?),
        started: row.get(5)?,
        stored: row.get(6)?,
    })
}

/// What is searched instead of a path: neither case nor the spelling of accents
/// matters in it, in any script.
pub fn folded(text: &str) -> String {
    text.nfc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect()
}

/// Teaches SQL the kind of a file: `kind(path, media_type)`, as its word.
pub fn teach_kinds(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    db.create_scalar_function("kind", 2, flags, |call| {
        let (path, media_type) = (call.get_raw(0), call.get_raw(1));
        Ok(Kind::of(path.as_str()?, media_type.as_str()?).word())
    })
}

/// Makes the upload of row `no` a file.
pub fn finish(
    db: &Connection,
    no: i64,
    id: FileId,
    path: &str,
    root: Root,
    now: i64,
) -> Result<StoredFile, RegistryError> {
    check_free(db, id, path)?;
    db.prepare_cached(
        "INSERT INTO files (id, token_hash, path, folded, size, media_type, digest, started, stored)
         SELECT id, token_hash, ?2, ?3, size, media_type, ?4, started, ?5
         FROM uploads WHERE no = ?1",
    )?
    .execute((no, path, folded(path), root.0, now))?;
    db.prepare_cached("DELETE FROM uploads WHERE no = ?1")?
        .execute([no])?;
    by_id(db, id)?.ok_or(RegistryError::Unknown)
}

pub fn by_id(db: &Connection, id: FileId) -> Result<Option<StoredFile>, RegistryError> {
    Ok(db
        .prepare_cached(select!("WHERE id = ?1"))?
        .query_row([id.as_bytes()], file)
        .optional()?)
}

pub fn by_token(db: &Connection, token: [u8; 32]) -> Result<Option<StoredFile>, RegistryError> {
    Ok(db
        .prepare_cached(select!("WHERE token_hash = ?1"))?
        .query_row([token], file)
        .optional()?)
}

pub fn page(db: &Connection, query: &FileQuery) -> Result<FilePage, RegistryError> {
    // `instr` has no wildcards that would have to be escaped, and finds the empty text.
    const FOUND: &str =
        "WHERE instr(folded, ?1) > 0 AND (?2 IS NULL OR kind(folded, media_type) = ?2)";
    let search = folded(&query.search);
    let kind = query.kind.map(Kind::word);
    let total = db
        .prepare_cached(&format!("SELECT COUNT(*) FROM files {FOUND}"))?
        .query_row((&search, kind), |row| row.get(0))?;
    let by = match query.sort {
        SortBy::Stored => "stored",
        SortBy::Path => "folded",
        SortBy::Size => "size",
    };
    let order = if query.descending { "DESC" } else { "ASC" };
    let mut select = db.prepare_cached(&format!(
        "{} {FOUND} ORDER BY {by} {order}, id {order} LIMIT ?3 OFFSET ?4",
        select!("")
    ))?;
    let skip = u64::from(query.page) * u64::from(PAGE_SIZE);
    let files = select
        .query_map((&search, kind, PAGE_SIZE, skip), file)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(FilePage { files, total })
}

pub fn moving(db: &Connection, id: FileId, path: Option<&str>) -> Result<(), RegistryError> {
    if let Some(path) = path {
        check_free(db, id, path)?;
    }
    let changed = db
        .prepare_cached("UPDATE files SET moving = ?2 WHERE id = ?1")?
        .execute((id.as_bytes(), path))?;
    match changed {
        0 => Err(RegistryError::Unknown),
        _ => Ok(()),
    }
}

pub fn moves(db: &Connection) -> Result<Vec<(StoredFile, String)>, RegistryError> {
    let mut select = db.prepare_cached(select!("WHERE moving IS NOT NULL"))?;
    let moves = select.query_map([], |row| Ok((file(row)?, row.get(7)?)))?;
    Ok(moves.collect::<rusqlite::Result<_>>()?)
}

pub fn rename(db: &Connection, id: FileId, path: &str) -> Result<(), RegistryError> {
    check_free(db, id, path)?;
    let changed = db
        .prepare_cached("UPDATE files SET path = ?2, folded = ?3, moving = NULL WHERE id = ?1")?
        .execute((id.as_bytes(), path, folded(path)))?;
    match changed {
        0 => Err(RegistryError::Unknown),
        _ => Ok(()),
    }
}

pub fn delete(db: &Connection, id: FileId) -> Result<bool, RegistryError> {
    let deleted = db
        .prepare_cached("DELETE FROM files WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    if deleted > 0 {
        forget_replaced_tokens(db, id)?;
    }
    Ok(deleted > 0)
}
