//! One upload as its sender sends it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::row::{Key, Note, Row, RowState};
use super::{Effect, Place};
use crate::protocol::block::{Block, Cutting};
use crate::protocol::frame::Number;
use crate::protocol::id::{FileId, Token};
use crate::protocol::manifest::{Manifest, SMALL};
use crate::protocol::ranges::RangeSet;
use crate::protocol::rate::Rate;
use crate::protocol::recorder::{Gauges, Recorder, What};
use crate::protocol::trouble::Trouble;
use crate::protocol::{StreamId, Time};
use crate::verify::{BLOCK, BlockHash, Challenge, Proof, Root, block_len, blocks, tree};

/// The first slice; later ones double up to what the sender allows.
const FIRST_SLICE: u64 = BLOCK;

/// How many more bytes must be durable before the journal is told, besides a twentieth
/// of the file.
const KEEP_STEP: u64 = 4 * BLOCK;

/// What happens to an upload.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// It waits for a person to start it.
    Held,
    /// It waits for its turn.
    Queued,
    /// `Open` was sent.
    Opening(StreamId),
    /// Blocks that the server has of the same file are read, to prove that it is the same;
    /// without a challenge, that was done.
    Proving(StreamId, Option<Challenge>),
    /// Blocks that the server has are compared with the file.
    Comparing(StreamId),
    /// Blocks are sent.
    Sending(StreamId),
    /// `Seal` was sent.
    Sealing(StreamId),
    /// It tries again at that time.
    Waiting(Time),
    /// A person paused it.
    Paused,
    /// Its file must be picked again.
    NeedsFile,
    /// It cannot go on.
    Failed,
    /// It is stored.
    Stored,
}

/// Whether the journal has the token of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    No,
    /// It was told to.
    Soon,
    Yes,
}

/// One upload as its sender sends it.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) manifest: Manifest,
    /// Its place in the list.
    pub(super) order: u64,
    pub(super) phase: Phase,
    pub(super) token: Token,
    /// Whether `Open` was sent with that token: the server may know it.
    pub(super) asked: bool,
    pub(super) id: Option<FileId>,
    pub(super) digest: Option<Root>,
    pub(super) trouble: Option<Trouble>,
    pub(super) note: Option<Note>,
    /// Whether the file can be read.
    pub(super) source: bool,
    /// Whether a handle of the file is kept.
    pub(super) handle: bool,
    /// Whether a person wants it gone: it is only opened to be cancelled.
    pub(super) ending: bool,
    /// Whether a person started it, where that is asked for.
    pub(super) started: bool,
    /// Whether it was sent before, so that it goes first after an interruption.
    pub(super) begun: bool,
    /// Whether it was picked because it is the oldest.
    pub(super) by_age: bool,
    pub(super) attempt: u32,
    received: u64,
    durable: u64,
    /// How many durable bytes the journal knows of.
    kept: u64,
    written: Written,
    /// How many changes of the journal about it are under way.
    keeping: u32,
    rate: Rate,
    /// Our own hash of each block that was read.
    hashes: Vec<Option<BlockHash>>,
    /// The server's hashes that are to be compared, by block, and which are missing; or
    /// the blocks that are to be proven.
    theirs: BTreeMap<u64, BlockHash>,
    awaited: VecDeque<u64>,
    /// Blocks to read next, for comparing or for sending.
    todo: RangeSet,
    /// Blocks that the server does not have, while others are compared.
    missing: RangeSet,
    /// The read that is under way, and what of it is not there yet.
    reading: Option<(u64, Range<u64>)>,
    /// Blocks that wait to be sent, and the one that is cut into frames.
    ready: VecDeque<(u64, Block)>,
    cutting: Option<Cutting>,
    slice_len: u64,
    seal_sent: bool,
    pub(super) nacks: u32,
    /// How it went, once it began.
    recorder: Option<Box<Recorder>>,
    /// Up to how many bytes the server has if all that was sent arrives.
    reach: u64,
    /// How many bytes a block that was sent makes, and since when they are on their way.
    probe: Option<(u64, Option<Time>)>,
}

impl Outgoing {
    pub(super) fn new(manifest: Manifest, order: u64, token: Token, source: bool) -> Self {
        let blocks = blocks(manifest.size) as usize;
        Self {
            manifest,
            order,
            phase: Phase::Queued,
            token,
            asked: false,
            id: None,
            digest: None,
            trouble: None,
            note: None,
            source,
            handle: false,
            ending: false,
            started: false,
            begun: false,
            by_age: false,
            attempt: 0,
            received: 0,
            durable: 0,
            kept: 0,
            written: Written::No,
            keeping: 0,
            rate: Rate::default(),
            hashes: vec![None; blocks],
            theirs: BTreeMap::new(),
            awaited: VecDeque::new(),
            todo: RangeSet::new(),
            missing: RangeSet::new(),
            reading: None,
            ready: VecDeque::new(),
            cutting: None,
            slice_len: FIRST_SLICE,
            seal_sent: false,
            nacks: 0,
            recorder: None,
            reach: 0,
            probe: None,
        }
    }

    /// Keeps how it goes.
    pub(super) fn recorder(&mut self) -> &mut Recorder {
        self.recorder.get_or_insert_default()
    }

    /// How it went, if it began.
    pub(super) fn recorded(&self) -> Option<&Recorder> {
        self.recorder.as_deref()
    }

    /// The same, to add to it.
    pub(super) fn recorded_mut(&mut self) -> Option<&mut Recorder> {
        self.recorder.as_deref_mut()
    }

    /// Its stream, if it has one.
    pub(super) fn stream(&self) -> Option<StreamId> {
        match self.phase {
            Phase::Opening(s)
            | Phase::Proving(s, _)
            | Phase::Comparing(s)
            | Phase::Sending(s)
            | Phase::Sealing(s) => Some(s),
            _ => None,
        }
    }

    /// Its place in the queue, which a person may have `arranged`.
    pub(super) fn place(&self, key: Key, arranged: bool) -> Place {
        let size = if arranged { 0 } else { self.manifest.size };
        (!self.begun, size, self.order, key)
    }

    /// Whether nothing of it was sent, so that its name can still be changed.
    pub(super) fn is_fresh(&self) -> bool {
        !self.asked && !self.ending && self.phase != Phase::Stored
    }

    /// It has another path; the journal is to know it before anything is sent.
    pub(super) fn rename(&mut self, path: String) {
        self.manifest.path = path;
        if self.written == Written::Yes {
            self.written = Written::Soon;
        }
    }

    /// Has the journal keep it as it is now.
    pub(super) fn keep(&mut self, key: Key, effects: &mut VecDeque<Effect>) {
        if self.written == Written::No {
            self.written = Written::Soon;
        }
        self.keeping += 1;
        effects.push_back(Effect::Keep(key));
    }

    /// The journal has kept it.
    pub(super) fn kept(&mut self) {
        self.keeping = self.keeping.saturating_sub(1);
        if self.keeping == 0 && self.written == Written::Soon {
            self.written = Written::Yes;
        }
    }

    /// Has the journal forget it, if it has it.
    pub(super) fn forget(&mut self, key: Key, effects: &mut VecDeque<Effect>) {
        if self.written != Written::No {
            self.written = Written::No;
            effects.push_back(Effect::Forget(key, self.token));
        }
    }

    /// It came out of the journal.
    pub(super) fn restored(&mut self) {
        self.written = Written::Yes;
    }

    /// Whether the journal has its token, or will have it.
    pub(super) fn is_noted(&self) -> bool {
        self.written != Written::No
    }

    /// Whether the journal has its token.
    pub(super) fn is_written_down(&self) -> bool {
        self.written == Written::Yes
    }

    /// Whether there is nothing more to be done about it.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Failed | Phase::Stored)
    }

    /// Forgets what belongs to a stream; what was read ahead is read again.
    pub(super) fn detach(&mut self) {
        self.theirs.clear();
        self.awaited.clear();
        self.todo = RangeSet::new();
        self.missing = RangeSet::new();
        self.reading = None;
        self.ready.clear();
        self.cutting = None;
        self.slice_len = FIRST_SLICE;
        self.seal_sent = false;
        self.nacks = 0;
        self.probe = None;
        self.received = self.durable;
    }

    /// A file was picked for it: it is no longer known to be the one that was hashed.
    pub(super) fn provide(&mut self, manifest: Manifest) {
        self.manifest.modified = manifest.modified;
        self.source = true;
        self.trouble = None;
        self.hashes.fill(None);
    }

    /// The server no longer has anything of it.
    pub(super) fn start_over(&mut self) {
        let lost = std::mem::take(&mut self.reach);
        self.recorder().wasted(lost);
        self.asked = false;
        self.id = None;
        self.received = 0;
        self.durable = 0;
        self.kept = 0;
    }

    /// The server has these blocks of a file that may be the same; those that were not
    /// hashed are read first.
    pub(super) fn matched(&mut self, stream: StreamId, mut there: RangeSet, challenge: Challenge) {
        if !matches!(self.phase, Phase::Opening(_) | Phase::Proving(..)) {
            return;
        }
        there.remove(blocks(self.manifest.size)..u64::MAX);
        let unknown = |&block: &u64| self.hashes[block as usize].is_none();
        self.todo = there.values().filter(unknown).collect();
        self.awaited = there.values().collect();
        self.phase = Phase::Proving(stream, Some(challenge));
    }

    /// The proof, once all it needs was read.
    pub(super) fn prove(&mut self) -> Option<Proof> {
        let Phase::Proving(stream, challenge) = self.phase else {
            return None;
        };
        let hashed = |block: &u64| Some((*block, self.hashes.get(*block as usize).copied()??));
        let known: Option<Vec<_>> = self.awaited.iter().map(hashed).collect();
        let proof = Proof::new(&challenge?, known?);
        self.phase = Phase::Proving(stream, None);
        Some(proof)
    }

    /// The server has these blocks; those that were not hashed are compared first. Whether
    /// that is worth keeping.
    pub(super) fn opened(&mut self, stream: StreamId, have: &RangeSet, now: Time) -> bool {
        if let Phase::Sending(_) | Phase::Sealing(_) = self.phase {
            // It did not wait for this, and is stored before long.
            self.rate.reset(now, self.received);
            let mark = What::Opened { have: 0, again: 0 };
            self.recorder().mark(mark, now);
            return false;
        }
        let all = 0..blocks(self.manifest.size);
        self.missing = have.complement(all.clone());
        // Only blocks of this file: a server may say anything.
        let have = self.missing.complement(all);
        self.durable = have
            .values()
            .map(|block| block_len(block, self.manifest.size))
            .sum();
        self.received = self.durable;
        self.rate.reset(now, self.received);
        let again = self.reach.saturating_sub(self.durable);
        self.reach = self.durable;
        let mark = What::Opened {
            have: self.durable,
            again,
        };
        self.recorder().wasted(again);
        self.recorder().mark(mark, now);
        self.todo = have
            .values()
            .filter(|&block| self.hashes[block as usize].is_none())
            .collect();
        if self.todo.is_empty() {
            self.begin_sending(stream);
        } else {
            self.awaited = have.values().collect();
            self.phase = Phase::Comparing(stream);
        }
        true
    }

    /// Whether it is sent without waiting to hear that it is open: nothing of it can be
    /// there.
    pub(super) fn is_eager(&self) -> bool {
        !self.asked && self.manifest.size <= SMALL
    }

    /// It is sent from the beginning, though nobody has said that it is open.
    pub(super) fn begin(&mut self, stream: StreamId) {
        self.missing = RangeSet::full(0..blocks(self.manifest.size));
        self.begin_sending(stream);
    }

    fn begin_sending(&mut self, stream: StreamId) {
        self.todo = std::mem::take(&mut self.missing);
        self.theirs.clear();
        self.phase = Phase::Sending(stream);
    }

    /// Hashes of the server's blocks, in order.
    pub(super) fn their_hashes(&mut self, hashes: Vec<BlockHash>) -> Result<(), Trouble> {
        for hash in hashes {
            if let Some(block) = self.awaited.pop_front() {
                self.theirs.insert(block, hash);
            }
        }
        self.compare()
    }

    /// Compares what can be compared; begins to send when all is.
    fn compare(&mut self) -> Result<(), Trouble> {
        let Phase::Comparing(stream) = self.phase else {
            return Ok(());
        };
        let mut compared = Vec::new();
        for (&block, theirs) in &self.theirs {
            match self.hashes.get(block as usize).copied().flatten() {
                Some(ours) if ours == *theirs => compared.push(block),
                Some(_) => return Err(Trouble::Different),
                None => {}
            }
        }
        for block in compared {
            self.theirs.remove(&block);
        }
        let unread = self.todo.is_empty() && self.reading.is_none();
        if unread && self.awaited.is_empty() && self.theirs.is_empty() {
            self.begin_sending(stream);
        }
        Ok(())
    }

    /// The next range of bytes to read, at most `most` long, if it should read ahead.
    pub(super) fn next_read(&mut self, slice: u64, most: u64) -> Option<Range<u64>> {
        let active = matches!(
            self.phase,
            Phase::Proving(..) | Phase::Comparing(_) | Phase::Sending(_)
        );
        if !active || self.ending || self.reading.is_some() || self.ahead() > most {
            return None;
        }
        let first = self.todo.iter().next()?;
        let count = self.slice_len.min(most).div_ceil(BLOCK).max(1);
        let taken = first.start..first.end.min(first.start + count);
        let bytes = taken.start * BLOCK..(taken.end * BLOCK).min(self.manifest.size);
        self.todo.remove(taken);
        self.slice_len = self.slice_len.saturating_mul(2);
        self.reading = Some((slice, bytes.clone()));
        Some(bytes)
    }

    /// Bytes that are being read or wait to be sent.
    pub(super) fn ahead(&self) -> u64 {
        let reading = self.reading.as_ref().map_or(0, |(_, r)| r.end - r.start);
        let ready: u64 = self.ready.iter().map(|(_, block)| block.len()).sum();
        reading + ready + self.cutting.as_ref().map_or(0, Cutting::left)
    }

    /// The next block of a slice was read. A slice of another stream's time is no longer
    /// known.
    pub(super) fn read(&mut self, slice: u64, block: Block) -> Result<(), Trouble> {
        let Some((_, range)) = self.reading.as_mut().filter(|(name, _)| *name == slice) else {
            return Ok(());
        };
        let index = range.start / BLOCK;
        if block.len() != block_len(index, self.manifest.size) {
            return Err(Trouble::Changed);
        }
        range.start += block.len();
        if range.is_empty() {
            self.reading = None;
        }
        if let Some(place) = self.hashes.get_mut(index as usize) {
            *place = Some(block.hash());
        }
        if let Phase::Proving(..) | Phase::Comparing(_) = self.phase {
            return self.compare();
        }
        self.ready.push_back((index, block));
        Ok(())
    }

    /// Whether a frame can be cut now.
    pub(super) fn can_send(&self) -> bool {
        let sending = matches!(self.phase, Phase::Sending(_)) && !self.ending;
        sending && (self.is_cutting() || !self.ready.is_empty())
    }

    fn is_cutting(&self) -> bool {
        self.cutting.as_ref().is_some_and(|it| it.left() > 0)
    }

    /// Cuts the next frame, at most `most` bytes. How many it has, and the hash of the
    /// block that ends with it.
    pub(super) fn cut(
        &mut self,
        stream: StreamId,
        most: u64,
        number: Option<Number>,
    ) -> Option<(u64, Option<(u64, BlockHash)>)> {
        if !self.is_cutting() {
            let (index, block) = self.ready.pop_front()?;
            self.cutting = Some(Cutting::new(index, block));
        }
        let cutting = self.cutting.as_mut()?;
        let len = cutting.next(stream, most, number);
        let sent = (cutting.left() == 0).then(|| cutting.hash());
        self.reach += len;
        self.recorder().sent(len);
        if sent.is_some() {
            self.probe.get_or_insert((self.reach, None));
        }
        Some((len, sent))
    }

    /// The frame that was cut last.
    pub(super) fn frame(&self) -> Option<&[u8]> {
        self.cutting.as_ref().map(Cutting::frame)
    }

    /// The digest, once every block was sent and `Seal` was not.
    pub(super) fn seal(&mut self) -> Option<Root> {
        let Phase::Sending(stream) = self.phase else {
            return None;
        };
        if !self.todo.is_empty() || self.ahead() > 0 {
            return None;
        }
        let hashes: Option<Vec<_>> = self.hashes.iter().copied().collect();
        let root = tree::root(&hashes?, self.manifest.size)?;
        self.phase = Phase::Sealing(stream);
        (!std::mem::replace(&mut self.seal_sent, true)).then_some(root)
    }

    /// The sockets have what there was to send.
    pub(super) fn handed(&mut self, link: Gauges, now: Time) {
        if let Some((_, since @ None)) = &mut self.probe {
            *since = Some(now);
        }
        let outstanding = self.is_outstanding();
        self.recorder().handed(outstanding, link, now);
    }

    /// Whether something that was sent is not durable yet, as far as is known.
    pub(super) fn is_outstanding(&self) -> bool {
        self.durable < self.reach
    }

    /// A block must be sent again.
    pub(super) fn nack(&mut self, block: u64, now: Time) {
        if let Some(place) = self.hashes.get_mut(block as usize) {
            *place = None;
            self.todo.insert(block..block + 1);
            self.nacks += 1;
            let len = block_len(block, self.manifest.size);
            self.reach = self.reach.saturating_sub(len);
            self.probe = None;
            self.recorder().wasted(len);
            self.recorder().mark(What::Damaged { block }, now);
        }
        if let Phase::Sealing(stream) = self.phase {
            self.phase = Phase::Sending(stream);
        }
    }

    /// How many bytes the server has received.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// How many bytes are durable.
    pub(super) fn durable(&self) -> u64 {
        self.durable
    }

    /// So many bytes are durable, and no more were received.
    pub(super) fn reached(&mut self, durable: u64) {
        self.durable = durable.min(self.manifest.size);
        self.received = self.durable;
        self.kept = self.durable;
    }

    /// The server says how far it is. Whether that is far enough from what was kept to
    /// keep it anew.
    pub(super) fn acknowledged(&mut self, received: u64, durable: u64, now: Time) -> bool {
        let received = received.min(self.manifest.size);
        let arrived = received.saturating_sub(self.received);
        self.received = received;
        self.durable = durable.min(self.manifest.size);
        self.attempt = 0;
        if let Some((reach, since)) = self.probe
            && reach <= received
        {
            self.probe = None;
            if let Some(since) = since {
                self.recorder().round_trip(now.saturating_sub(since), now);
            }
        }
        let outstanding = self.is_outstanding();
        self.recorder().acknowledged(arrived, outstanding, now);
        self.rate.reached(now, self.received);
        let far =
            self.durable.saturating_sub(self.kept) >= (self.manifest.size / 20).max(KEEP_STEP);
        if far {
            self.kept = self.durable;
        }
        far
    }

    pub(super) fn stored(&mut self, id: FileId, digest: Root, now: Time) {
        // Of what was sent, the last part needs no acknowledgement of its own.
        let arrived = self.reach.min(self.manifest.size);
        let arrived = arrived.saturating_sub(self.received);
        self.recorder().acknowledged(arrived, false, now);
        self.recorder().end(now);
        self.detach();
        self.received = self.manifest.size;
        self.durable = self.manifest.size;
        self.id = Some(id);
        self.digest = Some(digest);
        self.trouble = None;
        self.phase = Phase::Stored;
    }

    /// Bytes per second now; 0 where nothing moves.
    pub(super) fn per_second(&self, now: Time) -> u64 {
        match self.phase {
            Phase::Sending(_) | Phase::Sealing(_) => self.rate.per_second(now),
            _ => 0,
        }
    }

    /// It as a row.
    pub(super) fn row(&self, key: Key, now: Time) -> Row {
        let rate = self.per_second(now);
        let left = (rate > 0).then(|| {
            let bytes = u128::from(self.manifest.size - self.received);
            (bytes * 1000 / u128::from(rate))
                .try_into()
                .unwrap_or(u64::MAX)
        });
        Row {
            key,
            order: self.order,
            path: self.manifest.path.clone(),
            size: self.manifest.size,
            media_type: self.manifest.media_type.clone(),
            state: match self.phase {
                Phase::Queued if self.begun => RowState::Waiting,
                Phase::Held | Phase::Queued => RowState::Queued,
                Phase::Opening(_) if self.begun => RowState::Waiting,
                Phase::Opening(_) | Phase::Sending(_) => RowState::Sending,
                // All of it was handed to the sockets, and is still on its way.
                Phase::Sealing(_) if self.received < self.manifest.size => RowState::Sending,
                Phase::Proving(..) | Phase::Comparing(_) | Phase::Sealing(_) => RowState::Verifying,
                Phase::Waiting(_) => RowState::Waiting,
                Phase::Paused => RowState::Paused,
                Phase::NeedsFile => RowState::NeedsFile,
                Phase::Failed => RowState::Failed,
                Phase::Stored => RowState::Stored,
            },
            received: self.received,
            durable: self.durable,
            rate,
            left,
            trouble: self.trouble.clone(),
            note: self.note,
            handle: self.handle,
            fresh: self.is_fresh(),
            id: self.id,
            digest: self.digest,
        }
    }
}
