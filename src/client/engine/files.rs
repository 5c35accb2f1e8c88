//! The files of uploads: where they come from, and who else keeps them.

use js_sys::Array;
use wasm_bindgen_futures::spawn_local;

use super::notes::Notes;
use super::{Engine, Inner};
use crate::client::lines::{LineId, Word};
use crate::client::shared;
use crate::client::source::{self, Source};
use crate::port::{Key, Report, Tag};

/// Files that came together.
pub(super) struct Batch {
    /// The page that gave them, if it wants to know what became of them.
    pub(super) from: Option<LineId>,
    /// Whether they may be known already.
    pub(super) offered: bool,
    pub(super) files: Vec<Source>,
}

/// What one event means to other hosts: for each of them a message costs the same whatever
/// it says.
#[derive(Default)]
pub(super) struct News {
    /// Files that came.
    spare: Vec<Source>,
    /// Files that are needed no longer.
    pub(super) spent: Vec<Tag>,
}

/// Which files wait for the journal to be read: one of them may be what an upload in it
/// waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Waiting {
    All,
    Offered,
    Nothing,
}

impl Waiting {
    fn includes(self, batch: &Batch) -> bool {
        match self {
            Self::All => true,
            Self::Offered => batch.offered,
            Self::Nothing => false,
        }
    }
}

impl Engine {
    /// Takes files in, in its time: not before the journal was read, for one of them may
    /// be what an upload in it waits for.
    pub(super) fn take_in(&self, batch: Batch) {
        let mut ready = None;
        self.event(|inner| match batch.offered {
            _ if inner.waiting.includes(&batch) => inner.early.push(batch),
            true => ready = Some(batch),
            // What was just picked is there at once.
            false => inner.admit(batch),
        });
        if let Some(batch) = ready {
            let engine = self.clone();
            spawn_local(async move { engine.add(batch).await });
        }
    }

    /// Lets other hosts keep the files as well.
    pub fn share(&self) {
        let inner = self.0.borrow();
        if inner.mortal {
            inner.share(inner.files());
        }
    }

    /// Takes in files that were another engine's.
    pub fn offer(&self, files: Vec<Source>) {
        self.take_in(Batch {
            from: None,
            offered: true,
            files,
        });
    }

    /// Takes in what came while the journal was being read and need not be `waiting` any
    /// more.
    pub(super) async fn admit_early(&self, waiting: Waiting) {
        let mut ready = Vec::new();
        self.event(|inner| {
            inner.waiting = inner.waiting.max(waiting);
            let early = std::mem::take(&mut inner.early);
            let waits = |batch: &Batch| inner.waiting.includes(batch);
            (inner.early, ready) = early.into_iter().partition(waits);
            // What was picked is there at once: more of it may come while the rest is looked
            // up, and it keeps its order.
            let picked = ready.extract_if(.., |batch| !batch.offered);
            picked.for_each(|batch| inner.admit(batch));
        });
        for batch in ready {
            self.add(batch).await;
        }
    }

    /// Takes files in that were offered, unless they have been sent.
    async fn add(&self, mut batch: Batch) {
        let mut journal = None;
        self.event(|inner| journal = inner.notes.journal.clone());
        if let Some(journal) = journal {
            // Rather twice than not at all.
            let ended = journal.ended().await.unwrap_or_default();
            let (over, left): (Vec<_>, _) = std::mem::take(&mut batch.files)
                .into_iter()
                .partition(|source: &Source| ended.contains(&source.given.tag));
            batch.files = left;
            shared::ended(&over).await;
        }
        self.event(|inner| inner.admit(batch));
    }
}

impl Inner {
    /// From now on nothing is done any more. Gives the files of what is unfinished, and what
    /// is still to be written down.
    pub(super) fn end(&mut self) -> (Vec<Source>, Notes) {
        self.over = true;
        self.timer = None;
        (self.files(), std::mem::take(&mut self.notes))
    }

    /// The files of all that is unfinished.
    pub(super) fn files(&self) -> Vec<Source> {
        let early = self.early.iter().flat_map(|batch| &batch.files);
        let mut files = self.sources.all();
        files.extend(early.cloned());
        files
    }

    /// Keeps a file for as long as its upload needs it. Other hosts keep it as well, if
    /// this one may end sooner.
    fn keep(&mut self, key: Key, mut source: Source) {
        if let Some(manifest) = self.client.sender.manifest(key) {
            source.given.manifest = manifest.clone();
            if source.handle.is_object() {
                self.client.sender.remember_handle(key);
            }
            if self.mortal {
                self.news.spare.push(source.clone());
            }
            self.sources.keep(key, source);
        }
    }

    /// Tells other hosts which files to keep as well, and which no longer.
    pub(super) fn tell_hosts(&mut self) {
        let News { spare, spent } = std::mem::take(&mut self.news);
        if !spare.is_empty() {
            self.share(spare);
        }
        if !spent.is_empty() {
            self.lines.say(&Word::Spent(spent), &Array::new());
        }
    }

    /// The file of an upload may be called something else now: whoever keeps it is to give
    /// it back under that name.
    pub(super) fn renamed(&mut self, key: Key) {
        if let Some(source) = self.sources.get(key).cloned() {
            if self.mortal {
                self.lines
                    .say(&Word::Spent(vec![source.given.tag]), &Array::new());
            }
            self.keep(key, source);
        }
    }

    pub(super) fn share(&self, files: Vec<Source>) {
        let (given, files) = source::pack(files);
        self.lines.say(&Word::Spare(given), &files);
    }

    /// Takes files into the queue, or to the uploads that were waiting for just these.
    pub(super) fn admit(&mut self, batch: Batch) {
        let waiting = self
            .client
            .sender
            .needs_file()
            .map(|(key, manifest)| (key, manifest.clone()));
        let mut waiting: Vec<_> = waiting.collect();
        let mut keys = Vec::with_capacity(batch.files.len());
        for source in batch.files {
            let (tag, manifest) = (source.given.tag, &source.given.manifest);
            let known = batch.offered.then(|| self.sources.key_of(tag)).flatten();
            let place = waiting.iter().position(|(_, wanted)| wanted == manifest);
            let key = match (known, place) {
                (Some(key), _) => Some(key),
                (None, Some(place)) => {
                    let key = waiting.swap_remove(place).0;
                    self.provide(key, source).then_some(key)
                }
                // Its upload is not waiting for it any more.
                (None, None) if batch.offered && source.given.again => None,
                (None, None) => {
                    let key = self.client.sender.add(manifest.clone());
                    self.keep(key, source);
                    Some(key)
                }
            };
            keys.push((tag, key));
        }
        if let Some(line) = batch.from {
            self.report_to(line, Report::Added(keys));
        }
    }

    /// Gives an upload its file; whether it takes it.
    pub(super) fn provide(&mut self, key: Key, source: Source) -> bool {
        let taken = self
            .client
            .sender
            .provide(key, source.given.manifest.clone());
        if taken {
            self.keep(key, source);
        }
        taken
    }
}
