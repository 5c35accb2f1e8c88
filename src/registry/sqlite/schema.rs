//! The tables, and how a database of an earlier version gets them.

use std::time::Duration;

use rusqlite::Connection;

use super::{RegistryError, files};

/// What leads from each version to the next. Never change one that was released.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE uploads (
    no         INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    token_hash BLOB NOT NULL UNIQUE,
    epoch      INTEGER NOT NULL,
    path       TEXT NOT NULL,
    sent_path  TEXT NOT NULL,
    size       INTEGER NOT NULL,
    modified   INTEGER,
    media_type TEXT NOT NULL,
    started    INTEGER NOT NULL,
    touched    INTEGER NOT NULL,
    sealing    TEXT UNIQUE
) STRICT;

CREATE TABLE blocks (
    upload INTEGER NOT NULL REFERENCES uploads (no) ON DELETE CASCADE,
    idx    INTEGER NOT NULL,
    hash   BLOB NOT NULL,
    PRIMARY KEY (upload, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
    id         BLOB PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    path       TEXT NOT NULL UNIQUE,
    folded     TEXT NOT NULL,
    moving     TEXT UNIQUE,
    size       INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    digest     BLOB NOT NULL,
    started    INTEGER NOT NULL,
    stored     INTEGER NOT NULL
) STRICT;
CREATE INDEX files_stored ON files (stored, id);
CREATE INDEX files_folded ON files (folded, id);
CREATE INDEX files_size ON files (size, id);
",
    "
CREATE INDEX uploads_alike ON uploads (path, size);

-- Of an upload, or of the file that it became.
CREATE TABLE replaced_tokens (
    hash BLOB PRIMARY KEY,
    id   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX replaced_tokens_id ON replaced_tokens (id);
",
    "
-- Whether it is about to be put aside.
ALTER TABLE files ADD COLUMN leaving INTEGER NOT NULL DEFAULT 0;

-- What was put aside; its columns are those of a file.
CREATE TABLE deleted (
    id         BLOB PRIMARY KEY,
    token_hash BLOB NOT NULL,
    path       TEXT NOT NULL,
    size       INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    digest     BLOB NOT NULL,
    started    INTEGER NOT NULL,
    stored     INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    back_to    TEXT UNIQUE
) STRICT;
",
];

/// Makes a connection durable and strict, and brings the tables up to date.
pub(super) fn prepare(connection: &Connection) -> Result<(), RegistryError> {
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    files::teach_kinds(connection)?;

    let found: usize = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(missing) = MIGRATIONS.get(found..) else {
        let known = MIGRATIONS.len();
        return Err(RegistryError::Database(
            format!(
                "the database is of version {found}, this program knows only {known}: \
                 a newer Longhaul has written it, so run that one"
            )
            .into(),
        ));
    };
    for (step, sql) in missing.iter().enumerate() {
        let version = found + step + 1;
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {version}; COMMIT;"
        ))?;
    }
    Ok(())
}
