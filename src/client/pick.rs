//! Files that a person picks, drops or pastes, as the engine takes them.
//!
//! A drop may be read only while its event lasts: everything is taken from it at
//! once, and looked at afterwards. Folders are walked without recursion, and files
//! are handed on in portions with a pause between, so that thousands of them do not
//! freeze the page.

use gloo_timers::callback::Timeout;
use js_sys::{Array, Date, Function, Promise, Reflect};
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, DataTransferItem, File, FileList, FileSystemDirectoryEntry, FileSystemEntry,
    FileSystemFileEntry, HtmlInputElement,
};

use super::engine::describe;
use super::handle;
use super::journal::Journal;
use super::shared::Shared;
use super::source::Source;
use super::time::random;
use crate::port::{Given, Key, Tag};
use crate::protocol::id::FileId;
use crate::protocol::manifest::Manifest;
use crate::ui::engine::{Engine, Picked};

/// How many files are handed on at a time, and how long the page is held up for them, in
/// milliseconds: to look at one may take the browser a while.
const PORTION: usize = 256;
const PATIENCE: f64 = 8.0;

/// Adds what was picked in a file input, and empties the input, so that the same
/// file can be picked again.
pub fn from_input(engine: Engine, input: &HtmlInputElement) {
    let files = taken(input);
    spawn_local(async move {
        let mut batch = Batch::new(engine);
        for file in files {
            let path = relative_path(&file);
            batch.push(path, file, None).await;
        }
        batch.finish();
    });
}

/// Gives the upload `key` the file that was picked in a file input.
pub fn for_upload(engine: Engine, key: Key, input: &HtmlInputElement) {
    if let Some(file) = taken(input).into_iter().next() {
        let path = file.name();
        engine.provide_file(key, picked(path, file, None));
    }
}

/// Opens the browser's picker that gives handles, if it has one; else it says so, and
/// the `input` opens its own. A file for the upload `key`, or files for the queue.
pub fn choose(engine: Engine, key: Option<Key>, input: HtmlInputElement) -> bool {
    if !handle::can_pick() {
        return false;
    }
    spawn_local(async move {
        let Ok(files) = handle::pick(key.is_none()).await else {
            // Within the click that is under way another would do nothing.
            Timeout::new(0, move || input.click()).forget();
            return;
        };
        let mut batch = Batch::new(engine);
        for (handle, file) in files {
            match (file, key) {
                (None, _) => batch.unreadable += 1,
                (Some(file), None) => batch.push(file.name(), file, Some(handle)).await,
                (Some(file), Some(key)) => {
                    engine.provide_file(key, picked(file.name(), file, Some(handle)));
                }
            }
        }
        batch.finish();
    });
    true
}

/// Asks the browser for the file of an upload of which a handle was kept.
pub fn ask_again(engine: Engine, key: Key, path: String, id: Option<FileId>) {
    spawn_local(async move {
        let kept = match Journal::open().await {
            Ok(journal) => journal.handle(&path, id).await.ok().flatten(),
            Err(_) => None,
        };
        if let Some(handle) = kept
            && let Some(file) = handle::ask(&handle).await
        {
            engine.provide_file(key, picked(file.name(), file, Some(handle)));
        }
    });
}

/// Says what another app shared and nobody took yet.
pub fn shared(say: impl FnOnce(Vec<Given>) + 'static) {
    spawn_local(async move {
        let found = async { Shared::open().await?.waiting().await };
        match found.await {
            Ok(files) => say(files.into_iter().map(|file| file.given).collect()),
            Err(error) => warn(&error),
        }
    });
}

/// Adds what another app shared.
pub fn take_shared(engine: Engine, tags: Vec<Tag>) {
    spawn_local(async move {
        let found = async {
            let shared = Shared::open().await?;
            let waiting = shared.waiting().await?;
            shared.take(&tags).await?;
            Ok(waiting)
        };
        match found.await {
            Ok(mut waiting) => {
                waiting.retain(|file| tags.contains(&file.given.tag));
                engine.offer(waiting.into_iter().map(Picked::from).collect());
            }
            Err(error) => warn(&error),
        }
    });
}

/// Forgets what another app shared.
pub fn leave_shared(tags: Vec<Tag>) {
    spawn_local(async move {
        let forgotten = async { Shared::open().await?.forget(&tags).await };
        if let Err(error) = forgotten.await {
            warn(&error);
        }
    });
}

fn warn(error: &idb::Error) {
    web_sys::console::warn_1(&format!("Longhaul: what was shared: {error}").into());
}

impl From<Source> for Picked {
    fn from(source: Source) -> Self {
        Self {
            given: source.given,
            file: source.file,
            handle: Some(source.handle),
        }
    }
}

/// Whether a drag carries files, as far as can be known before it is dropped.
pub fn has_files(transfer: &DataTransfer) -> bool {
    transfer.types().iter().any(|kind| kind == "Files")
}

/// Adds what was dropped or pasted; says whether there were files or folders.
pub fn from_transfer(engine: Engine, transfer: &DataTransfer) -> bool {
    let items = transfer.items();
    let nodes: Vec<Node> = (0..items.length())
        .filter_map(|index| items.get(index))
        .filter(|item| item.kind() == "file")
        .filter_map(|item| Node::of_item(&item))
        .collect();
    if nodes.is_empty() {
        return false;
    }
    spawn_local(walk(engine, nodes));
    true
}

/// Adds what was dropped before the page was alive; says whether there was anything.
/// (`ui/early.js` kept it.)
pub fn from_early(engine: Engine) -> bool {
    let taken = || {
        let window = web_sys::window()?;
        let take = Reflect::get(&window, &"takeEarly".into()).ok()?;
        let take: Function = take.dyn_into().ok()?;
        take.call0(&window).ok()?.dyn_into::<Array>().ok()
    };
    let items = taken().unwrap_or_default();
    let items = items.iter().map(|item| Array::from(&item));
    let nodes: Vec<Node> = items
        .filter_map(|item| {
            let given = |index| Some(item.get(index)).filter(is_object);
            let entry = given(0).map(JsCast::unchecked_into);
            let file = given(1).map(JsCast::unchecked_into);
            Node::new(entry, file, || given(2)?.dyn_into().ok())
        })
        .collect();
    if nodes.is_empty() {
        return false;
    }
    spawn_local(walk(engine, nodes));
    true
}

/// One thing to look at.
enum Node {
    /// A file, and perhaps the promise of its handle.
    File(File, Option<Promise>),
    /// A file inside a folder.
    FileEntry(FileSystemFileEntry),
    /// A folder.
    Folder(FileSystemDirectoryEntry),
}

impl Node {
    /// Takes everything from the item that will not be there after the event.
    fn of_item(item: &DataTransferItem) -> Option<Self> {
        let entry = item.webkit_get_as_entry().ok().flatten();
        let file = item.get_as_file().ok().flatten();
        Self::new(entry, file, || handle_of(item))
    }

    fn new(
        entry: Option<FileSystemEntry>,
        file: Option<File>,
        handle: impl FnOnce() -> Option<Promise>,
    ) -> Option<Self> {
        match (entry, file) {
            (Some(entry), _) if entry.is_directory() => Some(Self::of_entry(entry)),
            (_, Some(file)) => Some(Self::File(file, handle())),
            (entry, None) => entry.map(Self::of_entry),
        }
    }

    fn of_entry(entry: FileSystemEntry) -> Self {
        if entry.is_directory() {
            Self::Folder(entry.unchecked_into())
        } else {
            Self::FileEntry(entry.unchecked_into())
        }
    }
}

/// Asks for the handle of a dropped file, where the browser has such handles.
fn handle_of(item: &DataTransferItem) -> Option<Promise> {
    let get = Reflect::get(item, &"getAsFileSystemHandle".into()).ok()?;
    let get: Function = get.dyn_into().ok()?;
    get.call0(item).ok()?.dyn_into().ok()
}

/// Adds all files of these nodes and of the folders among them.
async fn walk(engine: Engine, nodes: Vec<Node>) {
    let mut batch = Batch::new(engine);
    // A stack: what is to come next is last.
    let mut stack: Vec<(String, Node)> = nodes
        .into_iter()
        .rev()
        .map(|node| (String::new(), node))
        .collect();
    while let Some((folder, node)) = stack.pop() {
        match node {
            Node::File(file, handle) => {
                let handle = match handle {
                    Some(promise) => JsFuture::from(promise).await.ok().filter(is_object),
                    None => None,
                };
                let path = folder + &file.name();
                batch.push(path, file, handle).await;
            }
            Node::FileEntry(entry) => match file_of(&entry).await {
                Some(file) => {
                    let path = folder + &entry.name();
                    batch.push(path, file, None).await;
                }
                None => batch.unreadable += 1,
            },
            Node::Folder(entry) => {
                let path = format!("{folder}{}/", entry.name());
                match children(&entry).await {
                    Some(children) => stack.extend(
                        children
                            .into_iter()
                            .rev()
                            .map(|child| (path.clone(), Node::of_entry(child))),
                    ),
                    None => batch.unreadable += 1,
                }
            }
        }
    }
    batch.finish();
}

/// Files on their way to the engine.
struct Batch {
    engine: Engine,
    files: Vec<Picked>,
    unreadable: u32,
    /// When the page last did something else.
    since: f64,
}

impl Batch {
    fn new(engine: Engine) -> Self {
        Self {
            engine,
            files: Vec::new(),
            unreadable: 0,
            since: Date::now(),
        }
    }

    async fn push(&mut self, path: String, file: File, handle: Option<JsValue>) {
        self.files.push(picked(path, file, handle));
        if self.files.len() >= PORTION || Date::now() - self.since >= PATIENCE {
            self.engine.add(std::mem::take(&mut self.files));
            pause().await;
            self.since = Date::now();
        }
    }

    fn finish(self) {
        self.engine.add(self.files);
        self.engine.unreadable(self.unreadable);
    }
}

/// Describes a file.
fn picked(path: String, file: File, handle: Option<JsValue>) -> Picked {
    Picked {
        given: Given {
            tag: Tag(random()),
            manifest: Manifest {
                path,
                ..describe(&file)
            },
            again: false,
        },
        file,
        handle,
    }
}

/// The files of an input, which is empty afterwards.
fn taken(input: &HtmlInputElement) -> Vec<File> {
    let files = input.files().map(list).unwrap_or_default();
    input.set_value("");
    files
}

fn list(files: FileList) -> Vec<File> {
    (0..files.length())
        .filter_map(|index| files.get(index))
        .collect()
}

/// The path of a file of a picked folder, or its name.
fn relative_path(file: &File) -> String {
    Reflect::get(file, &"webkitRelativePath".into())
        .ok()
        .and_then(|path| path.as_string())
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| file.name())
}

async fn file_of(entry: &FileSystemFileEntry) -> Option<File> {
    let promise = Promise::new(&mut |resolve, reject| {
        entry.file_with_callback_and_callback(&resolve, &reject);
    });
    JsFuture::from(promise).await.ok()?.dyn_into().ok()
}

/// What is in a folder, by name. A reader gives a part of it at a time, until it
/// gives nothing.
async fn children(folder: &FileSystemDirectoryEntry) -> Option<Vec<FileSystemEntry>> {
    let reader = folder.create_reader();
    let mut all: Vec<FileSystemEntry> = Vec::new();
    loop {
        let promise = Promise::new(&mut |resolve, reject| {
            if let Err(error) = reader.read_entries_with_callback_and_callback(&resolve, &reject) {
                _ = reject.call1(&JsValue::UNDEFINED, &error);
            }
        });
        let part: Array = JsFuture::from(promise).await.ok()?.dyn_into().ok()?;
        if part.length() == 0 {
            break;
        }
        all.extend(part.iter().map(JsCast::unchecked_into));
    }
    all.sort_by_cached_key(FileSystemEntry::name);
    Some(all)
}

fn is_object(value: &JsValue) -> bool {
    value.is_object()
}

/// Lets the page do something else.
async fn pause() {
    let promise = Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            _ = window.set_timeout_with_callback(&resolve);
        }
    });
    _ = JsFuture::from(promise).await;
}
