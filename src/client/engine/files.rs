//! The files of uploads: where they come from, and who else keeps them.

use std::rc::Rc;

use super::Inner;
use crate::client::journal::Journal;
use crate::client::lines::{LineId, Word};
use crate::client::source::{self, Source};
use crate::port::{Key, Report};

/// Files that came together.
pub(super) struct Batch {
    /// The page that gave them, if it wants to know what became of them.
    pub(super) from: Option<LineId>,
    /// Whether they may be known already.
    pub(super) offered: bool,
    pub(super) files: Vec<Source>,
}

impl Inner {
    /// From now on nothing is done any more. Gives the files of what is unfinished.
    pub(super) fn end(&mut self) -> (Vec<Source>, Option<Rc<Journal>>) {
        self.over = true;
        self.timer = None;
        (self.files(), self.journal.take())
    }

    /// The files of all that is unfinished.
    pub(super) fn files(&self) -> Vec<Source> {
        let early = self.early.iter().flatten().flat_map(|batch| &batch.files);
        let mut files = self.sources.all();
        files.extend(early.cloned());
        files
    }

    /// Keeps a file for as long as its upload needs it. Other hosts keep it as well, if
    /// this one may end sooner.
    fn keep(&mut self, key: Key, mut source: Source) {
        if let Some(manifest) = self.sender.manifest(key) {
            source.given.manifest = manifest.clone();
            if self.mortal {
                self.share(vec![source.clone()]);
            }
            self.sources.keep(key, source);
        }
    }

    pub(super) fn share(&self, files: Vec<Source>) {
        let (given, files) = source::pack(files);
        self.lines.say(&Word::Spare(given), &files);
    }

    /// Takes files into the queue, or to the uploads that were waiting for just these.
    pub(super) fn admit(&mut self, batch: Batch) {
        let waiting = self
            .sender
            .needs_file()
            .map(|(key, manifest)| (key, manifest.clone()));
        let mut waiting: Vec<_> = waiting.collect();
        let mut keys = Vec::with_capacity(batch.files.len());
        for source in batch.files {
            let (tag, manifest) = (source.given.tag, &source.given.manifest);
            let known = self.sources.key_of(tag).filter(|_| batch.offered);
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
                    let key = self.sender.add(manifest.clone());
                    self.keep(key, source);
                    Some(key)
                }
            };
            keys.push((tag, key));
        }
        if let Some(line) = batch.from {
            self.lines.tell(line, &Report::Added(keys));
        }
    }

    /// Gives an upload its file; whether it takes it.
    pub(super) fn provide(&mut self, key: Key, source: Source) -> bool {
        let taken = self.sender.provide(key, source.given.manifest.clone());
        if taken {
            self.keep(key, source);
        }
        taken
    }
}
