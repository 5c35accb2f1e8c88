//! One upload as the server receives it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::{Effect, Leave, Out, Settings, Violation};
use crate::protocol::close::CloseCode;
use crate::protocol::id::FileId;
use crate::protocol::manifest::Limits;
use crate::protocol::message::{HASHES_PER_MESSAGE, RANGES_PER_MESSAGE, ServerMessage};
use crate::protocol::ranges::RangeSet;
use crate::protocol::trouble::Trouble;
use crate::protocol::{StreamId, Time};
use crate::verify::{BLOCK, BlockHash, Challenge, Proof, Root, block_len, blocks, tree};

/// How often a client is told that bytes arrive while no block is whole.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);

/// How many frames and messages may come before the stream is open.
const MAX_EARLY: usize = 1024;

/// What happens to the stream.
#[derive(Debug)]
enum Phase {
    /// `Open` is being carried out; what arrives meanwhile waits here.
    Opening { early: Vec<Early>, verify: bool },
    /// Its client reads its file, to make this proof.
    Matching { expected: Proof },
    /// Blocks come in.
    Receiving,
    /// `Seal` is being carried out.
    Sealing,
    /// It is over once the writes under way are; `told` says whether `Release` or `Abort`
    /// is being carried out.
    Leaving { why: Leave, told: bool },
}

/// What arrived before the stream was open.
#[derive(Debug)]
enum Early {
    Data(u64, Bytes),
    Claim(u64, BlockHash),
    Seal(Root),
}

impl Early {
    fn len(&self) -> u64 {
        match self {
            Self::Data(_, payload) => payload.len() as u64,
            Self::Claim(..) | Self::Seal(_) => 0,
        }
    }
}

/// One upload as the server receives it.
#[derive(Debug)]
pub(super) struct Incoming {
    size: u64,
    phase: Phase,
    /// The hash of every block that is verified; what it takes grows with what came, not
    /// with what was announced.
    hashes: BTreeMap<u64, BlockHash>,
    /// Bytes in blocks that are verified, in blocks that are not yet, and in blocks that
    /// are durable.
    received: u64,
    unverified: u64,
    durable: u64,
    /// The block whose bytes come in, and how many of them came.
    filling: Option<(u64, u64)>,
    /// Blocks all of whose bytes came, but whose hash is not settled.
    complete: BTreeSet<u64>,
    /// The client's word on blocks whose hash is not computed yet, and the reverse.
    claims: BTreeMap<u64, BlockHash>,
    findings: BTreeMap<u64, BlockHash>,
    /// Received blocks that no commit has taken yet, since when, and their bytes.
    fresh: Vec<(u64, BlockHash)>,
    fresh_since: Option<Time>,
    fresh_bytes: u64,
    /// The bytes that the running commits make durable, in order; while it is being left
    /// there may be two.
    committing: VecDeque<u64>,
    seal: Option<Root>,
    ack: bool,
    /// Bytes handed to `Write` that were not answered.
    writing: u64,
    /// When bytes arrived last, and when the client was told so without a block.
    heard: Option<Time>,
    told: Option<Time>,
}

impl Incoming {
    pub(super) fn new(size: u64, verify: bool) -> Self {
        Self {
            size,
            phase: Phase::Opening {
                early: Vec::new(),
                verify,
            },
            hashes: BTreeMap::new(),
            received: 0,
            unverified: 0,
            durable: 0,
            filling: None,
            complete: BTreeSet::new(),
            claims: BTreeMap::new(),
            findings: BTreeMap::new(),
            fresh: Vec::new(),
            fresh_since: None,
            fresh_bytes: 0,
            committing: VecDeque::new(),
            seal: None,
            ack: false,
            writing: 0,
            heard: None,
            told: None,
        }
    }

    /// What it takes of [`Limits::room`].
    pub(super) fn weight(&self) -> u32 {
        match self.phase {
            Phase::Leaving { .. } => 0,
            _ => Limits::weight(self.size),
        }
    }

    pub(super) fn ack_due(&self) -> bool {
        self.ack
    }

    /// The latest state of it, if the client has not been told.
    pub(super) fn ack(&mut self, stream: StreamId) -> Option<ServerMessage> {
        std::mem::take(&mut self.ack).then_some(ServerMessage::Ack {
            stream,
            received: self.received + self.unverified,
            durable: self.durable,
        })
    }

    /// How many bytes are received, and how many durable, once that is known.
    pub(super) fn progress(&self) -> Option<(u64, u64)> {
        let known = !matches!(self.phase, Phase::Opening { .. } | Phase::Matching { .. });
        known.then_some((self.received + self.unverified, self.durable))
    }

    /// Why it is being left, if that is a trouble.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        match &self.phase {
            Phase::Leaving {
                why: Leave::Trouble(trouble),
                ..
            } => Some(trouble.clone()),
            _ => None,
        }
    }

    /// Bytes of it that are in memory.
    pub(super) fn held(&self) -> u64 {
        match &self.phase {
            Phase::Opening { early, .. } => early.iter().map(Early::len).sum(),
            _ => self.writing,
        }
    }

    /// The upload is held by this connection; says so, and takes up what waited.
    pub(super) fn granted(
        &mut self,
        stream: StreamId,
        id: FileId,
        durable: Vec<(u64, BlockHash)>,
        now: Time,
        out: &mut Out,
    ) -> Result<(), Violation> {
        let Phase::Opening { early, verify } = &mut self.phase else {
            // It was left while it was being opened: the answer to that comes next.
            return Ok(());
        };
        let (early, verify) = (std::mem::take(early), *verify);
        self.phase = Phase::Receiving;
        let count = blocks(self.size);
        self.hashes = durable
            .into_iter()
            .filter(|(block, _)| *block < count)
            .collect();
        self.durable = self
            .hashes
            .keys()
            .map(|block| block_len(*block, self.size))
            .sum();
        self.received = self.durable;
        let (have, told) = tellable(self.hashes.iter().map(|(block, hash)| (*block, *hash)));
        out.outbox
            .push_back(ServerMessage::Opened { stream, id, have });
        if verify {
            for told in told.chunks(HASHES_PER_MESSAGE) {
                out.outbox.push_back(ServerMessage::Hashes {
                    stream,
                    hashes: told.iter().map(|(_, hash)| *hash).collect(),
                });
            }
        }
        self.ack = true;
        for early in early {
            match early {
                Early::Data(offset, payload) => self.data(stream, offset, payload, now, out)?,
                Early::Claim(block, hash) => self.claimed(stream, block, hash, out)?,
                Early::Seal(root) => self.seal(stream, root, out)?,
            }
        }
        Ok(())
    }

    /// An upload rests that may be of the same file: asks for a proof. A client that
    /// would give one sends nothing before it is asked.
    pub(super) fn matched(
        &mut self,
        stream: StreamId,
        challenge: Challenge,
        durable: Vec<(u64, BlockHash)>,
        out: &mut Out,
    ) -> Result<(), Violation> {
        let Phase::Opening { early, .. } = &self.phase else {
            return Ok(());
        };
        if !early.is_empty() {
            return Err(CloseCode::Protocol);
        }
        let (blocks, told) = tellable(durable);
        let expected = Proof::new(&challenge, told);
        self.phase = Phase::Matching { expected };
        out.outbox.push_back(ServerMessage::Match {
            stream,
            blocks,
            challenge,
        });
        Ok(())
    }

    /// The client answered that.
    pub(super) fn proved(
        &mut self,
        stream: StreamId,
        proof: Proof,
        out: &mut Out,
    ) -> Result<(), Violation> {
        match self.phase {
            Phase::Matching { expected } => {
                let proven = proof == expected;
                self.phase = Phase::Opening {
                    early: Vec::new(),
                    verify: false,
                };
                out.effects.push_back(Effect::Settle { stream, proven });
                Ok(())
            }
            Phase::Leaving { .. } => Ok(()),
            Phase::Opening { .. } | Phase::Receiving | Phase::Sealing => Err(CloseCode::Protocol),
        }
    }

    /// Bytes arrived. They are dropped if they are here already or the stream is being
    /// left.
    pub(super) fn data(
        &mut self,
        stream: StreamId,
        offset: u64,
        payload: Bytes,
        now: Time,
        out: &mut Out,
    ) -> Result<(), Violation> {
        let len = payload.len() as u64;
        // On a slow way a block takes long: the client hears earlier that its bytes come
        // through.
        if self.told.is_none_or(|at| at + SIGN_OF_LIFE <= now) {
            self.told = Some(now);
            self.ack = true;
        }
        self.heard = Some(now);
        match &mut self.phase {
            Phase::Opening { early, .. } => {
                early.push(Early::Data(offset, payload));
                return early_enough(early);
            }
            Phase::Leaving { .. } => {
                out.freed += len;
                return Ok(());
            }
            Phase::Matching { .. } | Phase::Sealing => return Err(CloseCode::Protocol),
            Phase::Receiving => {}
        }
        let block = offset / BLOCK;
        let whole = block_len(block, self.size);
        let place = offset % BLOCK;
        let continues = match self.filling {
            Some((filling, filled)) => filling == block && filled == place,
            None => place == 0 && !self.complete.contains(&block),
        };
        if !continues || place + len > whole {
            return Err(CloseCode::Protocol);
        }
        self.filling = (place + len < whole).then_some((block, place + len));
        if self.hashes.contains_key(&block) {
            out.freed += len;
            return Ok(());
        }
        if self.filling.is_none() {
            self.complete.insert(block);
        }
        self.writing += len;
        self.unverified += len;
        out.effects.push_back(Effect::Write {
            stream,
            offset,
            payload,
        });
        Ok(())
    }

    /// The client said what it computed for a block.
    pub(super) fn claimed(
        &mut self,
        stream: StreamId,
        block: u64,
        hash: BlockHash,
        out: &mut Out,
    ) -> Result<(), Violation> {
        match &mut self.phase {
            Phase::Opening { early, .. } => {
                early.push(Early::Claim(block, hash));
                return early_enough(early);
            }
            Phase::Leaving { .. } => {}
            Phase::Matching { .. } | Phase::Sealing => return Err(CloseCode::Protocol),
            Phase::Receiving => {
                if let Some(known) = self.hashes.get(&block) {
                    if *known != hash {
                        self.leave(stream, Leave::Trouble(Trouble::Different), out);
                    }
                } else if self.complete.contains(&block) {
                    self.claims.insert(block, hash);
                    self.compare(stream, block, out);
                } else {
                    return Err(CloseCode::Protocol);
                }
            }
        }
        Ok(())
    }

    /// The server computed the hash of a block that it wrote.
    pub(super) fn computed(
        &mut self,
        stream: StreamId,
        block: u64,
        hash: BlockHash,
        out: &mut Out,
    ) {
        if let Phase::Receiving | Phase::Leaving { told: false, .. } = self.phase {
            self.findings.insert(block, hash);
            self.compare(stream, block, out);
        }
    }

    fn compare(&mut self, stream: StreamId, block: u64, out: &mut Out) {
        let (Some(&claim), Some(&finding)) = (self.claims.get(&block), self.findings.get(&block))
        else {
            return;
        };
        self.claims.remove(&block);
        self.findings.remove(&block);
        self.complete.remove(&block);
        let len = block_len(block, self.size);
        self.unverified -= len;
        self.ack = true;
        if claim != finding {
            out.outbox.push_back(ServerMessage::Nack { stream, block });
            return;
        }
        self.hashes.insert(block, finding);
        self.received += len;
        self.fresh_bytes += len;
        self.fresh.push((block, finding));
        if let Phase::Receiving = self.phase {
            self.conclude(stream, out);
        }
    }

    pub(super) fn written(&mut self, bytes: u64, out: &mut Out) {
        self.writing = self.writing.saturating_sub(bytes);
        out.freed += bytes;
    }

    /// The client sent all and named the digest.
    pub(super) fn seal(
        &mut self,
        stream: StreamId,
        root: Root,
        out: &mut Out,
    ) -> Result<(), Violation> {
        match &mut self.phase {
            Phase::Opening { early, .. } => {
                early.push(Early::Seal(root));
                return early_enough(early);
            }
            Phase::Leaving { .. } => {}
            Phase::Matching { .. } | Phase::Sealing => return Err(CloseCode::Protocol),
            Phase::Receiving => {
                self.seal = Some(root);
                self.conclude(stream, out);
            }
        }
        Ok(())
    }

    /// Commits at once where the last block is in, and seals where all is durable.
    fn conclude(&mut self, stream: StreamId, out: &mut Out) {
        if self.received == self.size {
            self.commit(stream, out);
        }
        let Some(root) = self.seal else {
            return;
        };
        if self.durable < self.size {
            return;
        }
        let hashes: Vec<_> = self.hashes.values().copied().collect();
        if tree::root(&hashes, self.size) == Some(root) {
            self.phase = Phase::Sealing;
            out.effects.push_back(Effect::Seal { stream, root });
        } else {
            self.leave(stream, Leave::Trouble(Trouble::Different), out);
        }
    }

    fn commit(&mut self, stream: StreamId, out: &mut Out) {
        if self.fresh.is_empty() || !self.committing.is_empty() {
            return;
        }
        self.fresh_since = None;
        self.committing
            .push_back(std::mem::take(&mut self.fresh_bytes));
        out.effects.push_back(Effect::Commit {
            stream,
            blocks: std::mem::take(&mut self.fresh),
        });
    }

    pub(super) fn committed(&mut self, stream: StreamId, out: &mut Out) {
        self.durable += self.committing.pop_front().unwrap_or(0);
        self.ack = true;
        if let Phase::Receiving = self.phase {
            self.conclude(stream, out);
        }
    }

    /// Leaves the stream: what came is made durable first, unless all is to be deleted.
    pub(super) fn leave(&mut self, stream: StreamId, why: Leave, out: &mut Out) {
        if matches!(self.phase, Phase::Leaving { .. } | Phase::Sealing) {
            return;
        }
        if let Phase::Opening { early, .. } = &self.phase {
            out.freed += early.iter().map(Early::len).sum::<u64>();
        }
        let told = matches!(why, Leave::Cancelled | Leave::Trouble(Trouble::Ended));
        if told {
            out.effects.push_back(Effect::Abort(stream));
        }
        self.phase = Phase::Leaving { why, told };
        self.let_go(stream, out);
    }

    /// Commits and lets go, once the writes that were under way when it was left are
    /// answered: they may have completed blocks.
    pub(super) fn let_go(&mut self, stream: StreamId, out: &mut Out) {
        if let Phase::Leaving {
            told: told @ false, ..
        } = &mut self.phase
            && self.writing == 0
        {
            *told = true;
            if !self.fresh.is_empty() {
                self.committing
                    .push_back(std::mem::take(&mut self.fresh_bytes));
                let blocks = std::mem::take(&mut self.fresh);
                out.effects.push_back(Effect::Commit { stream, blocks });
            }
            out.effects.push_back(Effect::Release(stream));
        }
    }

    /// When something is due by time alone.
    pub(super) fn timeout(&self, settings: &Settings) -> Option<Time> {
        if !matches!(self.phase, Phase::Receiving) {
            return None;
        }
        let commit = self.fresh_since.map(|since| since + settings.cadence.time);
        let commit = commit.filter(|_| self.committing.is_empty());
        commit.into_iter().chain(self.silent_at(settings)).min()
    }

    /// When it has been silent for too long: only the client's turn counts.
    fn silent_at(&self, settings: &Settings) -> Option<Time> {
        let timeout = Duration::from_millis(settings.limits.chunk_timeout);
        let clients_turn = self.writing == 0 && self.received < self.size;
        self.heard
            .filter(|_| clients_turn)
            .map(|heard| heard + timeout)
    }

    pub(super) fn tick(&mut self, stream: StreamId, now: Time, settings: &Settings, out: &mut Out) {
        if !matches!(self.phase, Phase::Receiving) {
            return;
        }
        if !self.fresh.is_empty() {
            let since = *self.fresh_since.get_or_insert(now);
            if self.fresh_bytes >= settings.cadence.bytes || since + settings.cadence.time <= now {
                self.commit(stream, out);
            }
        }
        if self.silent_at(settings).is_some_and(|at| at <= now) {
            self.leave(stream, Leave::Trouble(Trouble::Silent), out);
        }
    }
}

/// The blocks that one message can name, and their hashes.
fn tellable(
    blocks: impl IntoIterator<Item = (u64, BlockHash)>,
) -> (RangeSet, Vec<(u64, BlockHash)>) {
    let mut ranges = RangeSet::new();
    let mut told = Vec::new();
    for (block, hash) in blocks {
        let joins = block > 0 && ranges.contains(block - 1);
        if !joins && ranges.iter().count() == RANGES_PER_MESSAGE {
            break;
        }
        ranges.insert(block..block + 1);
        told.push((block, hash));
    }
    (ranges, told)
}

/// Whether no more came before the stream was open than an honest client sends.
fn early_enough(early: &[Early]) -> Result<(), Violation> {
    if early.len() > MAX_EARLY {
        Err(CloseCode::Protocol)
    } else {
        Ok(())
    }
}
