//! The log in which a browser's journal is written, without the database that has it.
//!
//! A database asks the same for a request whatever it carries, so all that changes at once
//! is written as one entry, or two: a sheet of the uploads that are kept, and a note of what
//! is over. No entry is written again, for a sheet may carry file handles, which are dear to
//! copy; it is only removed, whole. Of each upload the last sheet counts that has it, if no
//! later note says that it is forgotten.
//!
//! The invariant: what is read is what there would be if each upload had a record of its
//! own, put when it is kept and deleted when it is forgotten. So a sheet stays while one of
//! its uploads counts, and a note while a sheet has one that it forgets. This holds also
//! where engines that do not know of each other write into one log: what one of them
//! superseded remains so, whatever the others do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::port::Tag;
use crate::protocol::id::Token;
use crate::protocol::sender::Record;

/// How long somebody may sleep and then offer files that have ended meanwhile, in
/// milliseconds.
const SLEEP: u64 = 7 * 24 * 3600 * 1000;

/// Names an entry; a later one has a greater name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId(pub u64);

/// What is written at once, and removed at once. `H` is the handle of a file.
#[derive(Clone, Debug)]
pub enum Entry<H> {
    /// Uploads, each in the place of what earlier sheets have of it.
    Sheet(Vec<(Record, H)>),
    /// What is over.
    Note(Note),
}

/// What is over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Note {
    /// When this was written, in milliseconds since 1970.
    pub at: u64,
    /// Uploads that are forgotten: what earlier sheets have of them does not count.
    pub forgotten: BTreeSet<Token>,
    /// Files that were stored or cancelled.
    pub ended: Vec<Tag>,
}

/// A change of the journal.
#[derive(Clone, Debug)]
pub enum Change<H> {
    /// An upload is kept, in the place of what was kept of it, with the handle of its file.
    Keep(Record, H),
    /// An upload is forgotten.
    Forget(Token),
    /// A file was stored or cancelled: somebody who slept may still offer it.
    End(Tag),
}

/// Changes that are made together: of each upload the last one.
#[derive(Clone, Debug)]
pub struct Changes<H> {
    kept: BTreeMap<Token, (Record, H)>,
    forgotten: BTreeSet<Token>,
    ended: Vec<Tag>,
}

/// Where the uploads are that count, as far as one engine knows.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The sheet that counts, by upload.
    sheets: BTreeMap<Token, EntryId>,
    /// How many uploads count of each sheet.
    counts: BTreeMap<EntryId, usize>,
}

/// What a log says.
#[derive(Clone, Debug)]
pub struct Reading<H> {
    /// The uploads that are kept, in the order of the list.
    pub uploads: Vec<(Record, H)>,
    /// The files that have ended lately.
    pub ended: BTreeSet<Tag>,
    /// Entries that say nothing any more: to be removed, all of them together.
    pub spent: Vec<EntryId>,
    /// To go on with.
    pub ledger: Ledger,
}

impl<H> Default for Changes<H> {
    fn default() -> Self {
        Self {
            kept: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            ended: Vec::new(),
        }
    }
}

impl<H> Changes<H> {
    /// One more.
    pub fn push(&mut self, change: Change<H>) {
        match change {
            Change::Keep(record, handle) => {
                self.forgotten.remove(&record.token);
                self.kept.insert(record.token, (record, handle));
            }
            Change::Forget(token) => {
                self.kept.remove(&token);
                self.forgotten.insert(token);
            }
            Change::End(tag) => self.ended.push(tag),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.forgotten.is_empty() && self.ended.is_empty()
    }

    /// The uploads of which the journal says something else afterwards.
    fn uploads(&self) -> impl Iterator<Item = &Token> {
        self.kept.keys().chain(&self.forgotten)
    }
}

impl<H: Clone> Changes<H> {
    /// The entries that make these changes at that time, in milliseconds since 1970; no two
    /// of the same kind.
    pub fn entries(&self, at: u64) -> Vec<Entry<H>> {
        let mut entries = Vec::new();
        if !self.kept.is_empty() {
            entries.push(Entry::Sheet(self.kept.values().cloned().collect()));
        }
        if !(self.forgotten.is_empty() && self.ended.is_empty()) {
            entries.push(Entry::Note(Note {
                at,
                forgotten: self.forgotten.clone(),
                ended: self.ended.clone(),
            }));
        }
        entries
    }
}

impl Ledger {
    /// Reads a log, all its entries in order, at that time, in milliseconds since 1970. An
    /// entry that cannot be understood says nothing.
    pub fn read<H>(log: Vec<(EntryId, Option<Entry<H>>)>, now: u64) -> Reading<H> {
        let mut found = BTreeMap::new();
        let mut sheets: Vec<(EntryId, Vec<Token>)> = Vec::new();
        let mut notes = Vec::new();
        let mut spent = Vec::new();
        for (id, entry) in log {
            match entry {
                Some(Entry::Sheet(uploads)) => {
                    sheets.push((id, uploads.iter().map(|(it, _)| it.token).collect()));
                    for (record, handle) in uploads {
                        found.insert(record.token, (id, record, handle));
                    }
                }
                Some(Entry::Note(note)) => {
                    note.forgotten
                        .iter()
                        .for_each(|token| _ = found.remove(token));
                    notes.push((id, note));
                }
                None => spent.push(id),
            }
        }
        let mut ledger = Self::default();
        let mut uploads = Vec::with_capacity(found.len());
        for (token, (id, record, handle)) in found {
            ledger.place(token, id);
            uploads.push((record, handle));
        }
        uploads.sort_by_key(|(record, _)| record.order);
        // What sheets have that stay, whether it counts or not.
        let mut there = BTreeSet::new();
        for (id, tokens) in sheets {
            match ledger.counts.contains_key(&id) {
                true => there.extend(tokens),
                false => spent.push(id),
            }
        }
        let mut ended = BTreeSet::new();
        for (id, note) in notes {
            if note.at.saturating_add(SLEEP) < now && note.forgotten.is_disjoint(&there) {
                spent.push(id);
            } else {
                ended.extend(note.ended);
            }
        }
        Reading {
            uploads,
            ended,
            spent,
            ledger,
        }
    }

    /// The sheets of which nothing counts once these changes are made: to be removed with
    /// them.
    pub fn spent<H>(&self, changes: &Changes<H>) -> Vec<EntryId> {
        let mut fewer = BTreeMap::<EntryId, usize>::new();
        for id in changes.uploads().filter_map(|it| self.sheets.get(it)) {
            *fewer.entry(*id).or_default() += 1;
        }
        fewer.retain(|id, fewer| self.counts.get(id) == Some(fewer));
        fewer.into_keys().collect()
    }

    /// These changes were made; what they keep is in this sheet.
    pub fn made<H>(&mut self, changes: &Changes<H>, sheet: Option<EntryId>) {
        for token in changes.uploads() {
            self.displace(token);
        }
        if let Some(sheet) = sheet {
            for token in changes.kept.keys() {
                self.place(*token, sheet);
            }
        }
    }

    fn place(&mut self, token: Token, sheet: EntryId) {
        self.sheets.insert(token, sheet);
        *self.counts.entry(sheet).or_default() += 1;
    }

    fn displace(&mut self, token: &Token) {
        let sheet = self.sheets.remove(token);
        if let Some(sheet) = sheet
            && let Some(count) = self.counts.get_mut(&sheet)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&sheet);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::manifest::Manifest;

    /// The database: entries by their names, each greater than any before.
    #[derive(Clone, Debug, Default)]
    struct Log {
        entries: BTreeMap<EntryId, Entry<u32>>,
        next: u64,
        /// How many requests were made of it.
        requests: usize,
    }

    impl Log {
        fn read(&self, now: u64) -> Reading<u32> {
            let entries = self.entries.iter();
            Ledger::read(
                entries.map(|(id, it)| (*id, Some(it.clone()))).collect(),
                now,
            )
        }

        /// Opens it as an engine does.
        fn open(&mut self, now: u64) -> Ledger {
            let Reading { spent, ledger, .. } = self.read(now);
            spent.iter().for_each(|id| _ = self.entries.remove(id));
            ledger
        }

        /// Makes changes; the sheet that was written.
        fn write(&mut self, ledger: &Ledger, changes: &Changes<u32>, now: u64) -> Option<EntryId> {
            let mut sheet = None;
            for entry in changes.entries(now) {
                let id = EntryId(self.next);
                self.next += 1;
                self.requests += 1;
                if let Entry::Sheet(_) = entry {
                    sheet = Some(id);
                }
                self.entries.insert(id, entry);
            }
            for id in ledger.spent(changes) {
                self.requests += 1;
                self.entries.remove(&id);
            }
            sheet
        }

        fn make(&mut self, ledger: &mut Ledger, changes: impl IntoIterator<Item = Change<u32>>) {
            let changes = all(changes);
            let sheet = self.write(ledger, &changes, 0);
            ledger.made(&changes, sheet);
        }

        /// How many uploads each of its sheets has.
        fn sheets(&self) -> Vec<usize> {
            let sheets = self.entries.values().filter_map(|entry| match entry {
                Entry::Sheet(uploads) => Some(uploads.len()),
                Entry::Note(_) => None,
            });
            sheets.collect()
        }
    }

    fn all(changes: impl IntoIterator<Item = Change<u32>>) -> Changes<u32> {
        let mut all = Changes::default();
        changes.into_iter().for_each(|change| all.push(change));
        all
    }

    fn token(n: u32) -> Token {
        let mut token = [0; 16];
        token[..4].copy_from_slice(&n.to_le_bytes());
        Token::from_bytes(token)
    }

    fn keep(n: u32, durable: u64) -> Change<u32> {
        let record = Record {
            manifest: Manifest {
                path: format!("file {n}"),
                size: 1000,
                modified: None,
                media_type: String::new(),
            },
            token: token(n),
            id: None,
            paused: false,
            durable,
            order: u64::from(n),
        };
        Change::Keep(record, n)
    }

    fn forget(n: u32) -> Change<u32> {
        Change::Forget(token(n))
    }

    #[test]
    fn many_small_uploads_take_few_requests_and_leave_no_sheet() {
        let (mut log, mut ledger) = (Log::default(), Ledger::default());
        for batch in 0..10 {
            let uploads = batch * 100..(batch + 1) * 100;
            log.make(&mut ledger, uploads.clone().map(|n| keep(n, 0)));
            for n in uploads.step_by(20) {
                let stored = (n..n + 20).flat_map(|n| [forget(n), Change::End(Tag(n.into()))]);
                log.make(&mut ledger, stored);
            }
        }
        assert!(log.sheets().is_empty());
        assert_eq!(log.requests, 10 * (1 + 5 + 1));
        assert_eq!(log.read(0).ended.len(), 1000);
        assert!(log.read(0).uploads.is_empty());
    }

    #[test]
    fn the_progress_of_one_upload_rewrites_no_other() {
        let (mut log, mut ledger) = (Log::default(), Ledger::default());
        log.make(&mut ledger, (0..100).map(|n| keep(n, 0)));
        for durable in 1..20 {
            log.make(&mut ledger, [keep(7, durable)]);
            assert_eq!(log.sheets(), [100, 1]);
        }
        assert_eq!(log.read(0).uploads.len(), 100);
        assert_eq!(log.read(0).uploads[7].0.durable, 19);
        // What is forgotten does not come back out of an earlier sheet.
        log.make(&mut ledger, [forget(7)]);
        assert_eq!(log.sheets(), [100]);
        assert!(
            log.read(0)
                .uploads
                .iter()
                .all(|(it, _)| it.token != token(7))
        );
    }

    #[test]
    fn a_file_has_ended_for_a_week() {
        let (mut log, mut ledger) = (Log::default(), Ledger::default());
        log.make(&mut ledger, [Change::End(Tag(1))]);
        assert!(log.read(SLEEP).ended.contains(&Tag(1)));
        assert_eq!(log.read(SLEEP + 1).spent.len(), 1);
    }

    #[test]
    fn a_note_stays_as_long_as_a_sheet_has_what_it_forgets() {
        let (mut log, mut ledger) = (Log::default(), Ledger::default());
        log.make(&mut ledger, [keep(1, 0), keep(2, 0)]);
        log.make(&mut ledger, [forget(1)]);
        let mut ledger = log.open(SLEEP * 2);
        assert_eq!(log.read(0).uploads.len(), 1);
        log.make(&mut ledger, [forget(2)]);
        log.open(SLEEP * 2);
        assert!(log.entries.is_empty());
    }

    #[test]
    fn what_cannot_be_understood_is_removed() {
        let reading = Ledger::read::<u32>(vec![(EntryId(3), None)], 0);
        assert_eq!(reading.spent, [EntryId(3)]);
    }

    /// What happens to a log that two engines write into.
    #[derive(Clone, Debug)]
    enum Step {
        /// One of them makes changes, and hears of it, or not: then it has ended.
        Write(bool, Vec<Change<u32>>, bool),
        /// It tries to, and the database fails.
        Fail(bool, Vec<Change<u32>>),
        /// It ends, and another one takes its place.
        Reload(bool),
        Later(u64),
    }

    fn changes() -> impl Strategy<Value = Vec<Change<u32>>> {
        let change = prop_oneof![
            3 => (0u32..12, 0u64..1000).prop_map(|(n, durable)| keep(n, durable)),
            3 => (0u32..12).prop_map(forget),
            1 => (0u64..12).prop_map(|tag| Change::End(Tag(tag))),
        ];
        prop::collection::vec(change, 0..8)
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (any::<bool>(), changes(), prop::bool::weighted(0.9))
                .prop_map(|(who, changes, heard)| Step::Write(who, changes, heard)),
            1 => (any::<bool>(), changes()).prop_map(|(who, changes)| Step::Fail(who, changes)),
            1 => any::<bool>().prop_map(Step::Reload),
            1 => (0..SLEEP).prop_map(Step::Later),
        ]
    }

    proptest! {
        #[test]
        fn it_behaves_as_one_record_for_each_upload(steps in prop::collection::vec(step(), 0..40)) {
            let mut log = Log::default();
            let mut engines = [Ledger::default(), Ledger::default()];
            let mut records = BTreeMap::new();
            let mut ended = BTreeMap::new();
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Write(who, made, heard) => {
                        for change in made.clone() {
                            match change {
                                Change::Keep(record, handle) => _ = records.insert(record.token, (record, handle)),
                                Change::Forget(token) => _ = records.remove(&token),
                                Change::End(tag) => _ = ended.insert(tag, now),
                            }
                        }
                        let ledger = &mut engines[usize::from(who)];
                        let changes = all(made);
                        let sheet = log.write(ledger, &changes, now);
                        if heard {
                            ledger.made(&changes, sheet);
                        } else {
                            *ledger = log.open(now);
                        }
                    }
                    Step::Fail(who, made) => _ = log.clone().write(&engines[usize::from(who)], &all(made), now),
                    Step::Reload(who) => engines[usize::from(who)] = log.open(now),
                    Step::Later(time) => now += time,
                }
                let reading = log.read(now);
                let there: BTreeMap<_, _> =
                    reading.uploads.into_iter().map(|it| (it.0.token, it)).collect();
                prop_assert_eq!(&there, &records);
                for (tag, at) in &ended {
                    prop_assert!(reading.ended.contains(tag) || at + SLEEP < now);
                }
            }
            // Nothing but what is kept, and what ended within the week, stays for good.
            for ledger in &mut engines {
                *ledger = log.open(now);
                log.make(ledger, records.keys().copied().map(Change::Forget));
            }
            log.open(now + 2 * SLEEP);
            prop_assert!(log.entries.is_empty());
        }
    }
}
