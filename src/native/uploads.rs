//! The files of one run on their way through a [`Sender`]: handed to it a few at a
//! time, written down in the journal, and taken from it when their fate is known.
//!
//! The invariant: each file of the plan waits, is with the sender, is stored or has
//! failed; one of these at a time. What the journal says of a stored file stays until
//! all are stored, so that a run that is repeated sends none of them twice: the server
//! is asked for each by its token, and only it says that a file is there.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::address::Address;
use super::event::{Event, Failure, Stored};
use super::journal::{Change, Entry, Journal, JournalError, Kept};
use super::source::{Fault, Reader, Source};
use crate::protocol::id::FileId;
use crate::protocol::manifest::Limits;
use crate::protocol::sender::{Key, Record, Row, RowState, Sender};
use crate::protocol::trouble::Trouble;

/// How many files the sender has at once: enough to choose from, few enough that each
/// can have its file and its lock open. They are handed to it half as many at a time, so
/// that many share one change of the journal.
const WINDOW: usize = 128;

/// The files of one run.
#[derive(Debug)]
pub(super) struct Uploads {
    server: Address,
    sources: Arc<[Source]>,
    journal: Option<Journal>,
    /// What is to be written down, and for which of these the sender waits.
    changes: Vec<Change>,
    keeping: Vec<Key>,
    /// Those that wait, by their place among the sources.
    queue: VecDeque<usize>,
    open: HashMap<Key, Upload>,
    /// Those that were begun anew because the server had other contents.
    anew: HashSet<usize>,
    /// Where the server stored what it stored.
    paths: HashMap<FileId, String>,
    pub(super) stored: usize,
    pub(super) failed: usize,
    pub(super) told: Vec<Event>,
}

/// One file that the sender has.
#[derive(Debug)]
struct Upload {
    index: usize,
    reader: Arc<Reader>,
    entry: Option<Entry>,
    fault: Option<Fault>,
    /// How many bytes were received and durable at most, since it was begun anew.
    reached: (u64, u64),
}

impl Uploads {
    pub(super) fn new(server: Address, sources: Arc<[Source]>, journal: Option<Journal>) -> Self {
        Self {
            server,
            queue: (0..sources.len()).collect(),
            sources,
            journal,
            changes: Vec::new(),
            keeping: Vec::new(),
            open: HashMap::new(),
            anew: HashSet::new(),
            paths: HashMap::new(),
            stored: 0,
            failed: 0,
            told: Vec::new(),
        }
    }

    /// Whether there are files whose fate is not known.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.queue.is_empty() || !self.open.is_empty()
    }

    /// How many files neither are stored nor have failed.
    pub(super) fn left(&self) -> usize {
        self.sources.len() - self.stored - self.failed
    }

    /// The files that the sender has.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.open.keys().copied().collect()
    }

    /// Hands files to the sender, as many as fit.
    ///
    /// What a server allows at once, it counts until a client pauses. So where it has
    /// such limits, files come in batches, each when the one before is settled.
    pub(super) fn feed(&mut self, sender: &mut Sender, limits: &Limits) {
        let batches = limits.max_entries.is_some() || limits.max_total_size.is_some();
        if batches && (!self.open.is_empty() || sender.interest()) {
            return;
        }
        if self.open.len() > WINDOW / 2 {
            return;
        }
        let (mut entries, mut total) = (0, 0u64);
        while self.open.len() < WINDOW
            && let Some(&index) = self.queue.front()
        {
            entries += 1;
            total = total.saturating_add(self.sources[index].stamp.size);
            if batches && entries > 1 && limits.check_queue(entries, total).is_err() {
                return;
            }
            self.queue.pop_front();
            self.begin(index, sender);
        }
    }

    fn begin(&mut self, index: usize, sender: &mut Sender) {
        let source = &self.sources[index];
        let (entry, kept) = match &self.journal {
            Some(journal) => match journal.claim(&self.server, source) {
                Ok((entry, kept)) => (Some(entry), kept),
                Err(JournalError::Busy) => return self.fail(index, Failure::Busy),
                Err(error) => {
                    self.without_journal(error);
                    (None, Kept::Nothing)
                }
            },
            None => (None, Kept::Nothing),
        };
        let source = &self.sources[index];
        let key = match kept {
            Kept::Nothing => sender.add(source.manifest()),
            Kept::Same(record) if record.manifest.size == source.stamp.size => {
                let key = sender.restore(Record {
                    paused: false,
                    ..record
                });
                sender.provide(key, source.manifest());
                key
            }
            Kept::Same(record) | Kept::Changed(record) => {
                let old = sender.restore(record);
                return self.again(index, old, entry, sender);
            }
        };
        // Where the server waits to be told to begin, this was it.
        sender.resume(key);
        let reader = Arc::new(Reader::new(source.clone()));
        let upload = Upload {
            index,
            reader,
            entry,
            fault: None,
            reached: (0, 0),
        };
        self.open.insert(key, upload);
    }

    /// Ends an upload on the server, because its file is another now, and lets the file
    /// begin anew.
    fn again(&mut self, index: usize, old: Key, entry: Option<Entry>, sender: &mut Sender) {
        sender.cancel(old);
        // Before it is claimed again.
        self.changes.extend(entry.map(|mut entry| entry.forget()));
        self.write();
        self.queue.push_front(index);
    }

    /// How a file of the sender is read.
    pub(super) fn reader(&self, key: Key) -> Option<Arc<Reader>> {
        self.open.get(&key).map(|upload| upload.reader.clone())
    }

    /// A file could not be read, for this reason.
    pub(super) fn fault(&mut self, key: Key, fault: Fault) {
        if let Some(upload) = self.open.get_mut(&key) {
            upload.fault = Some(fault);
        }
    }

    /// Writes down what continues an upload.
    pub(super) fn keep(&mut self, key: Key, record: Option<Record>) {
        self.keeping.push(key);
        if let Some(entry) = self.open.get_mut(&key).and_then(|u| u.entry.as_mut())
            && let Some(record) = record
        {
            self.changes.push(entry.keep(record));
        }
    }

    /// Makes all changes of the journal, and lets the sender go on that waits for some of
    /// them; whether it does.
    pub(super) fn write_down(&mut self, sender: &mut Sender) -> bool {
        self.write();
        let kept = std::mem::take(&mut self.keeping);
        kept.iter().for_each(|key| sender.kept(*key));
        !kept.is_empty()
    }

    fn write(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        if let Some(journal) = &self.journal
            && let Err(error) = journal.write(&changes)
        {
            self.without_journal(error);
        }
    }

    /// The server says where it stored a file.
    pub(super) fn stored_at(&mut self, id: FileId, path: String) {
        self.paths.insert(id, path);
    }

    /// An upload need not be written down any more.
    pub(super) fn forget(&mut self, key: Key) {
        if let Some(entry) = self.open.get_mut(&key).and_then(|u| u.entry.as_mut()) {
            self.changes.push(entry.forget());
        }
    }

    /// Takes what became of a file. Whether the server has more of it than ever.
    pub(super) fn row(&mut self, row: Row, sender: &mut Sender) -> bool {
        let key = row.key;
        let Some(upload) = self.open.get_mut(&key) else {
            return false;
        };
        let (index, before) = (upload.index, upload.reached);
        let anew = row.durable < before.1;
        upload.reached = if anew {
            (row.received, row.durable)
        } else {
            (before.0.max(row.received), row.durable)
        };
        let moved = !anew && upload.reached != before;
        let trouble = row.trouble.clone().unwrap_or(Trouble::Internal);
        match (row.state, row.id, row.digest) {
            (RowState::Stored, Some(id), Some(digest)) => {
                self.open.remove(&key);
                sender.dismiss(key);
                let path = self.paths.remove(&id).unwrap_or(row.path);
                self.stored += 1;
                self.told
                    .push(Event::Stored(index, Stored { id, path, digest }));
            }
            (RowState::NeedsFile, ..)
                if trouble == Trouble::Different && self.anew.insert(index) =>
            {
                let upload = self.open.remove(&key);
                self.again(index, key, upload.and_then(|u| u.entry), sender);
            }
            (RowState::Failed | RowState::NeedsFile | RowState::Stored, ..) => {
                let upload = self.open.remove(&key);
                sender.dismiss(key);
                let fault = upload.and_then(|u| u.fault);
                self.fail(
                    index,
                    fault.map_or(Failure::Trouble(trouble), Failure::Fault),
                );
            }
            _ => self.told.push(Event::Progress(index, row)),
        }
        moved
    }

    fn fail(&mut self, index: usize, failure: Failure) {
        self.failed += 1;
        self.told.push(Event::Failed(index, failure));
    }

    /// Hands out nothing more.
    pub(super) fn stop(&mut self) {
        self.queue.clear();
    }

    /// Strikes the whole run out of the journal once all of it is stored.
    pub(super) fn finish(&mut self) {
        let Some(journal) = self.journal.take() else {
            return;
        };
        if self.stored == self.sources.len()
            && let Err(error) = journal.strike(&self.server, &self.sources)
        {
            self.without_journal(error);
        }
    }

    fn without_journal(&mut self, error: JournalError) {
        self.journal = None;
        self.told.push(Event::NoJournal(error));
    }
}
