//! What a page holds for its engine: commands while there is none, the files that it
//! gave to unfinished uploads, and their pictures.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::{File, Url};

use crate::client::picture;
use crate::port::{Command, EngineId, Given, Key, Tag};

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
    pub pictures: Pictures,
}

impl Outbox {
    /// From now on everything goes into `sink`.
    pub fn attach(&mut self, sink: Sink) {
        self.sink = Some(sink);
    }

    /// The page is attached to this engine; whether it is another than before. Then the
    /// files that were given to that one wait to be offered to this, in the order of the list.
    pub fn attached(&mut self, engine: EngineId, list: &[Key]) -> bool {
        let known = self.engine.replace(engine);
        if known == Some(engine) {
            return false;
        }
        let mut given = std::mem::take(&mut self.given);
        let mut files: Vec<_> = list.iter().filter_map(|key| given.remove(key)).collect();
        files.extend(given.into_values());
        files.extend(std::mem::take(&mut self.unnamed).into_values());
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
                self.pictures.know(key, &picked);
                self.given.insert(key, picked);
            }
        }
    }

    /// The file of an upload is called something else.
    pub fn renamed(&mut self, key: Key, path: &str) {
        if let Some(picked) = self.given.get_mut(&key)
            && !picked.given.again
        {
            path.clone_into(&mut picked.given.manifest.path);
        }
    }

    /// The file of an upload is not needed any more.
    pub fn release(&mut self, key: Key) {
        self.given.remove(&key);
    }
}

/// How many pictures are kept. What is looked at again after that many is made again.
const PICTURES: usize = 400;

/// Small pictures of files, as object URLs, and the files of which there can be one.
#[derive(Default)]
pub struct Pictures {
    files: HashMap<Key, File>,
    made: HashMap<Key, Arc<str>>,
    oldest: VecDeque<Key>,
}

impl Pictures {
    fn know(&mut self, key: Key, picked: &Picked) {
        if picture::is_possible(&picked.given.manifest) {
            self.files.insert(key, picked.file.clone());
        }
    }

    /// The file of an upload, if there can be a picture of it.
    pub fn file(&self, key: Key) -> Option<&File> {
        self.files.get(&key)
    }

    /// The picture of an upload, if it was made.
    pub fn picture(&self, key: Key) -> Option<Arc<str>> {
        self.made.get(&key).cloned()
    }

    /// Keeps the picture of an upload.
    pub fn keep(&mut self, key: Key, url: Arc<str>) {
        self.drop_picture(key);
        self.made.insert(key, url);
        self.oldest.push_back(key);
        while self.oldest.len() > PICTURES {
            if let Some(key) = self.oldest.pop_front() {
                self.drop_picture(key);
            }
        }
    }

    fn drop_picture(&mut self, key: Key) {
        if let Some(url) = self.made.remove(&key) {
            _ = Url::revoke_object_url(&url);
        }
    }

    /// Lets go of the pictures of rows that are gone.
    pub fn release(&mut self, keys: &[Key]) {
        let gone: HashSet<&Key> = keys.iter().collect();
        self.oldest.retain(|key| !gone.contains(key));
        for key in keys {
            self.files.remove(key);
            self.drop_picture(*key);
        }
    }
}
