//! The files that are being sent, and how they are read.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use js_sys::{Array, ArrayBuffer, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DomException, File, ReadableStreamByobReader};

use super::hasher::Hasher;
use crate::port::{Given, Key, Tag};
use crate::protocol::block::{Block, Buffer};
use crate::protocol::sender::ReadError;
use crate::verify::{BLOCK, block_len};

/// A file that was picked.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, and what is said of it.
    pub given: Given,
    /// The file, as it was when it was picked.
    pub file: File,
    /// The handle with which it is found again later, or `null`.
    pub handle: JsValue,
}

/// The files beside the message that names them: a file and a handle each.
pub fn beside(given: Vec<Given>, files: &Array) -> Vec<Source> {
    let both = given.into_iter().zip((0..).step_by(2));
    both.filter_map(|(given, index)| {
        Some(Source {
            given,
            file: files.get(index).dyn_into().ok()?,
            handle: files.get(index + 1),
        })
    })
    .collect()
}

/// The opposite of [`beside`].
pub fn pack(sources: Vec<Source>) -> (Vec<Given>, Array) {
    let files = Array::new();
    let given = sources.into_iter().map(|source| {
        files.push(&source.file);
        files.push(&source.handle);
        source.given
    });
    (given.collect(), files)
}

/// The files by upload, which are found by their names as well.
#[derive(Debug, Default)]
pub struct Sources {
    files: BTreeMap<Key, Source>,
    keys: HashMap<Tag, Key>,
}

impl Sources {
    /// Keeps a file.
    pub fn keep(&mut self, key: Key, source: Source) {
        let tag = source.given.tag;
        if let Some(old) = self.files.insert(key, source) {
            self.keys.remove(&old.given.tag);
        }
        self.keys.insert(tag, key);
    }

    /// Lets go of a file.
    pub fn forget(&mut self, key: Key) -> Option<Source> {
        let source = self.files.remove(&key)?;
        self.keys.remove(&source.given.tag);
        Some(source)
    }

    /// The file of an upload.
    pub fn get(&self, key: Key) -> Option<&Source> {
        self.files.get(&key)
    }

    /// The upload that has this file.
    pub fn key_of(&self, tag: Tag) -> Option<Key> {
        self.keys.get(&tag).copied()
    }

    /// The names of all files, and their uploads.
    pub fn names(&self) -> Vec<(Tag, Option<Key>)> {
        let all = self.keys.iter();
        all.map(|(tag, key)| (*tag, Some(*key))).collect()
    }

    /// All of them, in the order in which they came.
    pub fn all(&self) -> Vec<Source> {
        self.files.values().cloned().collect()
    }
}

/// The longest piece that a stream gives, in bytes.
const PIECE: u32 = 1024 * 1024;
/// The longest slice that is read at once where streams do not read into a buffer, in
/// bytes: every such read has a fixed cost.
const SLICE: u64 = 8 * 1024 * 1024;

/// Reads blocks of a file. Each of them goes to `take` as soon as it is there, until
/// there is an error.
pub async fn read(
    file: &File,
    mut range: Range<u64>,
    hasher: &Hasher,
    mut take: impl FnMut(Result<Block, ReadError>),
) {
    let size = file.size() as u64;
    // A stream that fails does not say why; the other way does.
    let mut stream = Stream::of(file, &range).ok();
    while !range.is_empty() {
        let outcome = match &mut stream {
            Some(stream) => stream.blocks(&mut range, size, hasher, &mut take).await,
            None => slice(file, &mut range, size, hasher, &mut take).await,
        };
        match outcome {
            Err(_) if stream.is_some() => stream = None,
            Err(error) => return take(Err(why(error))),
            Ok(()) => {}
        }
    }
}

/// Reads files that have one block each, all at once.
pub async fn read_whole(files: &[File], hasher: &Hasher) -> Vec<Result<Block, ReadError>> {
    let mut blocks = Vec::with_capacity(files.len());
    let together: Array = files.iter().collect();
    let sizes = || files.iter().map(|file| file.size() as u64);
    if let Ok(blob) = Blob::new_with_blob_sequence(&together)
        && let Ok(bytes) = JsFuture::from(blob.array_buffer()).await
    {
        let bytes = Uint8Array::new(&bytes);
        if u64::from(bytes.length()) == sizes().sum::<u64>() {
            let mut at = 0;
            for size in sizes() {
                let mut block = Buffer::new(size);
                append(&mut block, &bytes.subarray(at, at + size as u32));
                at += size as u32;
                blocks.push(Ok(hasher.hash(block, 0, size)));
            }
            return blocks;
        }
    }
    // One of them cannot be read, and only one by one they say which and why.
    for (file, size) in files.iter().zip(sizes()) {
        let mut outcome = Err(ReadError::Vanished);
        read(file, 0..size, hasher, |block| outcome = block).await;
        blocks.push(outcome);
    }
    blocks
}

/// A stream that reads into a buffer: with that browsers read a file fastest.
struct Stream {
    reader: ReadableStreamByobReader,
    buffer: ArrayBuffer,
}

impl Stream {
    fn of(file: &File, range: &Range<u64>) -> Result<Self, JsValue> {
        Ok(Self {
            reader: ReadableStreamByobReader::new(&part(file, range)?.stream())?,
            buffer: ArrayBuffer::new(PIECE),
        })
    }

    /// The blocks of a range, with which it begins; it is shortened by those that were read.
    async fn blocks(
        &mut self,
        range: &mut Range<u64>,
        size: u64,
        hasher: &Hasher,
        take: &mut impl FnMut(Result<Block, ReadError>),
    ) -> Result<(), JsValue> {
        while !range.is_empty() {
            let index = range.start / BLOCK;
            let mut block = Buffer::new(block_len(index, size));
            while block.left() > 0 {
                let piece = self.next(block.left()).await?;
                if piece.length() == 0 {
                    return Err(JsValue::NULL);
                }
                append(&mut block, &piece);
                self.buffer = piece.buffer();
            }
            range.start += block.bytes().len() as u64;
            take(Ok(hasher.hash(block, index, size)));
        }
        Ok(())
    }

    /// The next bytes, at most so many; none at the end of the file.
    async fn next(&self, most: usize) -> Result<Uint8Array, JsValue> {
        let most = PIECE.min(most.try_into().unwrap_or(PIECE));
        let place = Uint8Array::new_with_byte_offset_and_length(&self.buffer, 0, most);
        let read = JsFuture::from(self.reader.read_with_array_buffer_view(&place)).await?;
        Reflect::get(&read, &"value".into())?.dyn_into()
    }
}

/// Reads the next slice of a range, and shortens it by that.
async fn slice(
    file: &File,
    range: &mut Range<u64>,
    size: u64,
    hasher: &Hasher,
    take: &mut impl FnMut(Result<Block, ReadError>),
) -> Result<(), JsValue> {
    let slice = range.start..range.end.min(range.start + SLICE);
    let bytes = JsFuture::from(part(file, &slice)?.array_buffer()).await?;
    let bytes = Uint8Array::new(&bytes);
    let mut at = 0;
    for index in slice.start / BLOCK..slice.end.div_ceil(BLOCK) {
        let mut block = Buffer::new(block_len(index, size));
        let end = at + block.left() as u32;
        append(&mut block, &bytes.subarray(at, end));
        at = end;
        take(Ok(hasher.hash(block, index, size)));
    }
    range.start = slice.end;
    Ok(())
}

fn append(block: &mut Buffer, bytes: &Uint8Array) {
    let vec = block.vec();
    let at = vec.len();
    vec.resize(at + bytes.length() as usize, 0);
    bytes.copy_to(&mut vec[at..]);
}

fn part(file: &File, range: &Range<u64>) -> Result<Blob, JsValue> {
    // Offsets are exact in an f64 up to 8 PiB.
    file.slice_with_f64_and_f64(range.start as f64, range.end as f64)
}

/// Browsers say `NotReadableError` of a file that changed since it was picked, and
/// `NotFoundError` of one that is gone.
fn why(error: JsValue) -> ReadError {
    match error
        .dyn_ref::<DomException>()
        .map(DomException::name)
        .as_deref()
    {
        Some("NotReadableError") => ReadError::Changed,
        _ => ReadError::Vanished,
    }
}
