//! The files that are being sent, and how they are read.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomException, File};

use crate::port::{Given, Key, Tag};
use crate::protocol::sender::ReadError;

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

/// The files by upload.
#[derive(Debug, Default)]
pub struct Sources(HashMap<Key, Source>);

impl Sources {
    /// Keeps a file.
    pub fn keep(&mut self, key: Key, source: Source) {
        self.0.insert(key, source);
    }

    /// Lets go of a file.
    pub fn forget(&mut self, key: Key) -> Option<Source> {
        self.0.remove(&key)
    }

    /// The file of an upload.
    pub fn get(&self, key: Key) -> Option<&Source> {
        self.0.get(&key)
    }

    /// The upload that has this file.
    pub fn key_of(&self, tag: Tag) -> Option<Key> {
        let mut all = self.0.iter();
        all.find(|(_, source)| source.given.tag == tag)
            .map(|(key, _)| *key)
    }

    /// The names of all files, and their uploads.
    pub fn names(&self) -> Vec<(Tag, Option<Key>)> {
        let all = self.0.iter();
        all.map(|(key, source)| (source.given.tag, Some(*key)))
            .collect()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Source> {
        self.0.values().cloned().collect()
    }
}

/// Reads bytes of a file into the memory of WASM: one copy.
pub async fn read(file: File, range: Range<u64>) -> Result<Bytes, ReadError> {
    // Offsets are exact in an f64 up to 8 PiB.
    let slice = file
        .slice_with_f64_and_f64(range.start as f64, range.end as f64)
        .map_err(why)?;
    let buffer = JsFuture::from(slice.array_buffer()).await.map_err(why)?;
    let buffer: ArrayBuffer = buffer.dyn_into().map_err(|_| ReadError::Vanished)?;
    Ok(Uint8Array::new(&buffer).to_vec().into())
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
