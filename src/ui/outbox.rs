//! What a page holds for its engine: commands while there is none, the files that it
//! gave to unfinished uploads, and their pictures.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::{File, Url};

use crate::port::{Command, EngineId, Given, Key, Tag};
use crate::protocol::manifest::Manifest;

/// A file that a person picked.
#[derive(Clone, Debug)]
pub struct Picked {
    /// Its name, and what is said of it.
    pub given: Given,
    /// The file.
    pub file: File,
    /// A handle with which the browser finds it again later, where there is one.
    pub handle: Option<JsValue>,
}

/// Where commands go, with the files beside them.
pub type Sink = Rc<dyn Fn(Command, Array)>;

/// The page's side of the port.
#[derive(Default)]
pub struct Outbox {
    sink: Option<Sink>,
    /// The engine to which the page is attached.
    engine: Option<EngineId>,
    /// What waits for it.
    queued: VecDeque<(Command, Vec<Picked>)>,
    /// Files that were sent and of which the engine has not yet said whose they are.
    unnamed: HashMap<Tag, Picked>,
    /// The files that this page gave to unfinished uploads, to give them to the next
    /// engine if this one ends.
    given: HashMap<Key, Picked>,
    /// Pictures of the files.
    pub previews: Previews,
}

impl Outbox {
    /// From now on everything goes into `sink`.
    pub fn attach(&mut self, sink: Sink) {
        self.sink = Some(sink);
    }

    /// The page is attached to this engine; whether it is another than before. Then the
    /// files that were given to that one wait to be offered to this.
    pub fn attached(&mut self, engine: EngineId) -> bool {
        let known = self.engine.replace(engine);
        if known == Some(engine) {
            return false;
        }
        let given = std::mem::take(&mut self.given).into_values();
        let unnamed = std::mem::take(&mut self.unnamed).into_values();
        let files: Vec<_> = given.chain(unnamed).collect();
        if !files.is_empty() {
            let given = files.iter().map(|one| one.given.clone()).collect();
            self.queued.push_front((Command::Offer(given), files));
        }
        true
    }

    /// The engine is gone; whether there was one. What comes now waits for the next.
    pub fn detached(&mut self) -> bool {
        self.engine.take().is_some()
    }

    /// Takes a command, with the files that belong to it.
    pub fn send(&mut self, command: Command, files: Vec<Picked>) {
        self.queued.push_back((command, files));
    }

    /// What is to be sent now, and where to. The caller does it, with nothing borrowed:
    /// a report may come back at once.
    pub fn flush(&mut self) -> Option<(Sink, Vec<(Command, Array)>)> {
        let sink = self.sink.clone().filter(|_| self.engine.is_some())?;
        let mut ready = Vec::with_capacity(self.queued.len());
        for (command, files) in std::mem::take(&mut self.queued) {
            let array = Array::new();
            for one in &files {
                array.push(&one.file);
                array.push(one.handle.as_ref().unwrap_or(&JsValue::NULL));
            }
            let named = files.into_iter().map(|one| (one.given.tag, one));
            self.unnamed.extend(named);
            ready.push((command, array));
        }
        Some((sink, ready))
    }

    /// The engine says to which uploads the files belong that it was given.
    pub fn added(&mut self, keys: Vec<(Tag, Option<Key>)>) {
        for (tag, key) in keys {
            if let (Some(picked), Some(key)) = (self.unnamed.remove(&tag), key) {
                self.given.insert(key, picked);
            }
        }
    }

    /// The picture of an upload whose file this page gave.
    pub fn preview(&mut self, key: Key) -> Option<Arc<str>> {
        self.previews.of(key, self.given.get(&key)?)
    }

    /// The file of an upload is not needed any more.
    pub fn release(&mut self, key: Key) {
        self.given.remove(&key);
    }
}

/// The longest image that is shown while it is sent, in bytes.
const MAX_PREVIEW: u64 = 20_000_000;

/// Object URLs of images.
#[derive(Default)]
pub struct Previews(HashMap<Key, Arc<str>>);

impl Previews {
    fn of(&mut self, key: Key, picked: &Picked) -> Option<Arc<str>> {
        let Manifest {
            size, media_type, ..
        } = &picked.given.manifest;
        if *size == 0 || *size > MAX_PREVIEW || !is_image(media_type) {
            return None;
        }
        let url = Url::create_object_url_with_blob(&picked.file).ok()?.into();
        Some(self.0.entry(key).or_insert(url).clone())
    }

    /// Lets go of the pictures of rows that are gone.
    pub fn release(&mut self, keys: &[Key]) {
        for key in keys {
            if let Some(url) = self.0.remove(key) {
                _ = Url::revoke_object_url(&url);
            }
        }
    }
}

/// Whether browsers show this type in an `<img>`.
fn is_image(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "image/bmp"
            | "image/svg+xml"
    )
}
