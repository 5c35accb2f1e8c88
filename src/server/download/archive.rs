//! `/files.zip?ids=…&ids=…`: several files as one archive, made while it is sent.
//!
//! Nothing is compressed and nothing is kept: a piece is read, counted into its checksum
//! and sent, so memory stays flat whatever is in it, and the length is known before the
//! first byte. A file that cannot be read as it was stored ends the transfer in the
//! middle: nobody gets an archive that looks whole and is not.

use std::io::{self, Write};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::headers::{ContentLength, HeaderMapExt};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, header};
use rawzip::ZipArchiveWriter;
use rawzip::time::UtcDateTime;
use tokio::sync::mpsc;

use super::{Desk, Refusal, harmless, name_it, unchanged_on_disk};
use crate::api::{ApiError, StoredFile};
use crate::protocol::id::FileId;
use crate::server::desk::check_count;

/// How many pieces may wait for whoever receives them.
const AHEAD: usize = 2;

/// A plain file, for its owner to write and for all to read.
const MODE: u32 = 0o100_644;

/// Sends the files that are asked for, in the order of their paths.
pub(super) async fn archive(
    State(desk): State<Arc<Desk>>,
    Query(asked): Query<Vec<(String, String)>>,
    method: Method,
) -> Result<Response, Refusal> {
    let files = chosen(&desk, &asked).await?;
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/zip"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    headers.typed_insert(ContentLength(length(&files)));
    harmless(&mut headers, "sandbox; default-src 'none'");
    name_it(&mut headers, "attachment", &archive_name(&files));
    if method == Method::HEAD {
        return Ok((headers, Body::empty()).into_response());
    }
    let (pieces, sent) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        match write(&desk, &files, &pieces).await {
            Ok(()) => {}
            Err(gone) if gone.is::<Gone>() => {}
            Err(error) => {
                tracing::error!(%error, "an archive breaks off");
                // Whoever receives it sees the connection break.
                _ = pieces.send(Err(io::Error::other(error))).await;
            }
        }
    });
    let pieces = stream::unfold(sent, |mut sent| async move {
        let piece = sent.recv().await?;
        Some((piece, sent))
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The files whose ids were given as `ids`, as a form with check boxes does; all of them
/// are there, and as they were stored.
async fn chosen(desk: &Desk, asked: &[(String, String)]) -> Result<Vec<StoredFile>, ApiError> {
    let ids = asked.iter().filter(|(name, _)| {
        let name = name.split('[').next();
        name == Some("ids")
    });
    let ids = ids.map(|(_, id)| id.parse::<FileId>());
    let mut ids = ids
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| ApiError::NotFound)?;
    ids.sort_unstable();
    ids.dedup();
    check_count(ids.len())?;
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        let file = desk.file(id).await?.ok_or(ApiError::NotFound)?;
        unchanged_on_disk(desk, &file).await?;
        files.push(file);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// That of the folder which they have in common, or of the one file.
fn archive_name(files: &[StoredFile]) -> String {
    let folder = |file: &StoredFile| file.path.split_once('/').map(|(top, _)| top.to_owned());
    let name = match files {
        [file] => Some(file.name().to_owned()),
        [first, rest @ ..] => {
            folder(first).filter(|top| rest.iter().all(|file| folder(file).as_ref() == Some(top)))
        }
        [] => None,
    };
    format!("{}.zip", name.as_deref().unwrap_or("files"))
}

/// Why an archive is not finished.
type Stop = Box<dyn std::error::Error + Send + Sync>;

/// Whoever received it does so no longer.
#[derive(Debug, thiserror::Error)]
#[error("nobody receives it any more")]
struct Gone;

/// What is written and not yet sent.
#[derive(Clone, Default)]
struct Written(Arc<parking_lot::Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    async fn send(&self, pieces: &mpsc::Sender<io::Result<Bytes>>) -> Result<(), Stop> {
        let written = std::mem::take(&mut *self.0.lock());
        if written.is_empty() {
            return Ok(());
        }
        Ok(pieces.send(Ok(written.into())).await.map_err(|_| Gone)?)
    }
}

/// Writes the archive, piece by piece.
async fn write(
    desk: &Desk,
    files: &[StoredFile],
    pieces: &mpsc::Sender<io::Result<Bytes>>,
) -> Result<(), Stop> {
    let written = Written::default();
    let mut archive = ZipArchiveWriter::builder()
        .with_capacity(files.len())
        .build(written.clone());
    for file in files {
        // It may have another name by now, or be gone.
        let path = desk.file(file.id).await?.ok_or(ApiError::NotFound)?.path;
        let mut content = desk.storage().read(&path, 0..file.size).await?;
        let (mut entry, data) = archive
            .new_file(&file.path)
            .last_modified(UtcDateTime::from_unix(file.stored / 1000))
            .unix_permissions(MODE)
            .start()?;
        let mut data = data.wrap(&mut entry);
        while let Some(piece) = content.next().await {
            data.write_all(&piece?)?;
            written.send(pieces).await?;
        }
        let (_, end) = data.finish()?;
        if end.uncompressed_size() != file.size {
            return Err(format!("{path:?} has not {} bytes any more", file.size).into());
        }
        entry.finish(end)?;
    }
    archive.finish()?;
    written.send(pieces).await
}

/// How long the archive of these files is, in bytes: as `rawzip` writes it, and as
/// PKWARE's APPNOTE, section 4.3, has it.
fn length(files: &[StoredFile]) -> u64 {
    /// From here on, sizes and offsets are of 64 bits.
    const LARGE: u64 = u32::MAX as u64;
    const LOCAL: u64 = 30;
    const CENTRAL: u64 = 46;
    /// Of the time of modification.
    const TIME: u64 = 9;
    const END: u64 = 22;
    /// The record and its locator.
    const LARGE_END: u64 = 56 + 20;
    let (mut entries, mut central, mut large) = (0, 0, false);
    for file in files {
        let name = file.path.len() as u64;
        let large_size = file.size >= LARGE;
        let large_offset = entries >= LARGE;
        let descriptor = if large_size { 24 } else { 16 };
        central += CENTRAL + name + TIME;
        if large_size || large_offset {
            // A field with what does not fit: both sizes, the offset.
            central += 4 + 16 * u64::from(large_size) + 8 * u64::from(large_offset);
            large = true;
        }
        entries += LOCAL + name + file.size + descriptor;
    }
    large |= entries >= LARGE || central >= LARGE || files.len() >= usize::from(u16::MAX);
    entries + central + END + if large { LARGE_END } else { 0 }
}

#[cfg(test)]
mod tests;
