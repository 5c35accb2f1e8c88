//! What a page holds for its engine: commands until one is attached, and the
//! pictures of the files that it was given.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::{File, Url};

use crate::port::{Command, Key};
use crate::protocol::manifest::Manifest;

/// A file that a person picked.
#[derive(Clone, Debug)]
pub struct Picked {
    /// What is said of it.
    pub manifest: Manifest,
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
    queued: VecDeque<(Command, Array)>,
    /// Pictures of the files.
    pub previews: Previews,
}

impl Outbox {
    /// From now on everything goes into `sink`; gives what waited for it.
    pub fn attach(&mut self, sink: Sink) -> VecDeque<(Command, Array)> {
        self.sink = Some(sink);
        std::mem::take(&mut self.queued)
    }

    /// The sink to call with this, or nothing where it waits for one. The caller
    /// calls it, with nothing borrowed: a report may come back at once.
    pub fn send(&mut self, command: Command, files: Array) -> Option<(Sink, Command, Array)> {
        match &self.sink {
            Some(sink) => Some((sink.clone(), command, files)),
            None => {
                self.queued.push_back((command, files));
                None
            }
        }
    }

    /// Files for the queue, as a command.
    pub fn add(&mut self, picked: Vec<Picked>) -> (Command, Array) {
        let files = Array::new();
        let mut manifests = Vec::with_capacity(picked.len());
        for one in picked {
            self.previews.offer(&one);
            push(&files, &one);
            manifests.push(one.manifest);
        }
        (Command::Add(manifests), files)
    }
}

/// The file that an upload needs, as a command.
pub fn provide(key: Key, picked: Picked) -> (Command, Array) {
    let files = Array::new();
    push(&files, &picked);
    (Command::Provide(key, picked.manifest), files)
}

fn push(files: &Array, picked: &Picked) {
    files.push(&picked.file);
    files.push(picked.handle.as_ref().unwrap_or(&JsValue::NULL));
}

/// The longest image that is shown while it is sent, in bytes.
const MAX_PREVIEW: u64 = 20_000_000;

/// Object URLs of images. Keys are the engine's to give, so a file waits here until
/// a row with its path and size appears.
#[derive(Default)]
pub struct Previews {
    waiting: HashMap<(String, u64), VecDeque<File>>,
    urls: HashMap<Key, Arc<str>>,
}

impl Previews {
    fn offer(&mut self, picked: &Picked) {
        let Manifest { path, size, .. } = &picked.manifest;
        if *size > 0 && *size <= MAX_PREVIEW && is_image(&picked.manifest.media_type) {
            self.waiting
                .entry((path.clone(), *size))
                .or_default()
                .push_back(picked.file.clone());
        }
    }

    /// The picture of the row that just appeared, if the page was given one.
    pub fn claim(&mut self, key: Key, path: &str, size: u64) -> Option<Arc<str>> {
        let place = (path.to_owned(), size);
        let files = self.waiting.get_mut(&place)?;
        let file = files.pop_front();
        if files.is_empty() {
            self.waiting.remove(&place);
        }
        let url: Arc<str> = Url::create_object_url_with_blob(&file?.into()).ok()?.into();
        self.urls.insert(key, url.clone());
        Some(url)
    }

    /// Lets go of the pictures of rows that are gone.
    pub fn release(&mut self, keys: &[Key]) {
        for key in keys {
            if let Some(url) = self.urls.remove(key) {
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
