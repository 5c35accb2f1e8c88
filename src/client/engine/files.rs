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
    pub(super) fn keep(&mut self, key: Key, source: Source) {
        if let Some(manifest) = self.sender.manifest(key) {
            let manifest = manifest.clone();
            let source = Source { manifest, ..source };
            if self.mortal {
                self.share(vec![source.clone()]);
            }
            self.sources.keep(key, source);
        }
    }

    pub(super) fn share(&self, files: Vec<Source>) {
        let (manifests, files) = source::pack(files);
        self.lines.say(&Word::Spare(manifests), &files);
    }

    /// Takes files into the queue, or to the uploads that were waiting for just these.
    pub(super) fn add(&mut self, batch: Batch) {
        if let Some(early) = &mut self.early {
            return early.push(batch);
        }
        let Batch {
            from,
            offered,
            files,
        } = batch;
        let waiting = self
            .sender
            .needs_file()
            .map(|(key, manifest)| (key, manifest.clone()));
        let mut waiting: Vec<_> = waiting.collect();
        let mut keys = Vec::with_capacity(files.len());
        for source in files {
            let manifest = &source.manifest;
            let key = match waiting.iter().position(|(_, wanted)| wanted == manifest) {
                Some(index) => {
                    let key = waiting.swap_remove(index).0;
                    self.provide(key, source);
                    Some(key)
                }
                None if offered && self.sender.has_file(manifest) => None,
                None => {
                    let key = self.sender.add(manifest.clone());
                    self.keep(key, source);
                    Some(key)
                }
            };
            keys.push(key);
        }
        if let Some(line) = from {
            self.lines.tell(line, &Report::Added(keys));
        }
    }

    /// Takes in what came while the journal was being read.
    pub(super) fn admit_early(&mut self) {
        for batch in self.early.take().unwrap_or_default() {
            self.add(batch);
        }
    }

    pub(super) fn provide(&mut self, key: Key, source: Source) {
        if self.sender.provide(key, source.manifest.clone()) {
            self.keep(key, source);
        }
    }
}
