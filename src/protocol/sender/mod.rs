//! The client's side: all uploads of a client over its one connection.
//!
//! A person's wishes, the server's messages and the bytes that were read go in; reads
//! and changes of the journal come out of [`Sender::poll_effect`], and messages for
//! the socket out of [`Sender::poll_transmit`], as many as credit allows.
//!
//! The invariants: what is shown as received or durable was said by the server; a
//! file's bytes are sent only after what the server has of it was compared, or proven to
//! be the same; no upload is forgotten before the server has stored or cancelled it; and
//! nothing of an upload is sent before the journal has its token, so that whatever becomes
//! of this client, the next one asks for the same upload and does not begin a second one.

mod outgoing;
mod queue;
mod row;
#[cfg(test)]
mod tests;
mod wishes;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::outgoing::{Outgoing, Phase};
pub use self::row::{Key, Note, Row, RowState};
use super::block::Block;
use super::close::CloseCode;
use super::flow::Window;
use super::frame::{self, Number};
use super::id::{FileId, Token};
use super::manifest::{Limits, Manifest};
use super::message::{ClientMessage, ServerMessage};
use super::recorder::{Flight, Gauges, Recorder, Totals, What};
use super::trouble::Trouble;
use super::{StreamId, Time};

/// How many bytes of all files may be read ahead.
const AHEAD: u64 = 32 * 1024 * 1024;
/// The shortest frame that is cut for want of credit, in bytes.
const LEAST_FRAME: u64 = 16 * 1024;
/// How often damaged blocks are sent again before giving up.
const MAX_NACKS: u32 = 8;
/// How many uploads are written down before it is their turn, so that those whose turn it
/// is need not wait for the journal, and many share one change of it.
const WRITTEN_AHEAD: usize = 128;

/// What the driver must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read blocks of a file; each of them goes to [`Sender::read`], in order.
    Read {
        /// Whose file.
        key: Key,
        /// The name of this read.
        slice: u64,
        /// Which bytes.
        range: Range<u64>,
    },
    /// Keep what [`Sender::record`] gives, to continue after a restart of the client;
    /// answered by [`Sender::kept`] once it is sure to outlive this one.
    Keep(Key),
    /// Forget what was kept of an upload, which has this token. Changes of the journal are
    /// made in order.
    Forget(Key, Token),
    /// Let go of the file of an upload: it is not read again.
    Release(Key),
}

/// Why a file could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// It was changed since it was picked.
    Changed,
    /// It is not there any more, or may not be read.
    Vanished,
}

/// What a journal keeps of an unfinished upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The file.
    pub manifest: Manifest,
    /// The secret that continues the upload.
    pub token: Token,
    /// Its name in links, if the server is known to have it.
    pub id: Option<FileId>,
    /// Whether a person paused it.
    pub paused: bool,
    /// How many bytes the server had made durable when this was kept.
    pub durable: u64,
    /// Its place among the others.
    pub order: u64,
}

/// Where an upload stands in the queue: whether it is new, how long it is unless a person
/// arranges the uploads, where it is in the list, which it is.
type Place = (bool, u64, u64, Key);

/// How far apart the places of uploads in the list are: others can be put between them.
const STEP: u64 = 1 << 32;

/// The client's side of all its uploads.
#[derive(Debug)]
pub struct Sender {
    limits: Option<Limits>,
    /// What may be sent, while there is a connection.
    window: Option<Window>,
    uploads: BTreeMap<Key, Outgoing>,
    /// All uploads in the order of the list, by their places in it.
    list: BTreeMap<u64, Key>,
    /// Whether a person arranged the uploads: then they go in the order of the list.
    arranged: bool,
    next_key: u32,
    secret: [u8; 32],
    streams: BTreeMap<StreamId, Key>,
    /// Streams that were paused and whose end the server has not yet confirmed.
    leaving: BTreeMap<StreamId, Key>,
    next_stream: u32,
    /// Uploads that wait for their turn: those that were begun first, then by size or as
    /// a person arranged them.
    queue: BTreeSet<Place>,
    /// Those of them that the journal has.
    ready: BTreeSet<Place>,
    /// Those that it is about to have.
    writing: BTreeSet<Key>,
    /// All that wait for their turn, the oldest first.
    ages: BTreeSet<Key>,
    /// Uploads that try again by themselves, and when.
    waiting: BTreeSet<(Time, Key)>,
    /// The upload that sent the last frame.
    turn: Key,
    /// Uploads that somebody paused from elsewhere: they can be resumed from there, for as
    /// long as the connection is kept for them.
    parked: BTreeSet<Key>,
    /// How everything went that was sent.
    recorder: Recorder,
    /// Bytes that the server said to have received.
    arrived: u64,
    next_slice: u64,
    effects: VecDeque<Effect>,
    outbox: VecDeque<ClientMessage>,
    changed: BTreeSet<Key>,
    removed: Vec<Key>,
}

impl Sender {
    /// A client without uploads, whose first will have this key. From `secret`, which is
    /// random and used for nothing else, it derives what continues its uploads.
    pub fn new(first: Key, secret: [u8; 32]) -> Self {
        Self {
            limits: None,
            window: None,
            uploads: BTreeMap::new(),
            list: BTreeMap::new(),
            arranged: false,
            next_key: first.0,
            secret,
            streams: BTreeMap::new(),
            leaving: BTreeMap::new(),
            next_stream: 0,
            queue: BTreeSet::new(),
            ready: BTreeSet::new(),
            writing: BTreeSet::new(),
            ages: BTreeSet::new(),
            waiting: BTreeSet::new(),
            turn: Key::default(),
            parked: BTreeSet::new(),
            recorder: Recorder::default(),
            arrived: 0,
            next_slice: 0,
            effects: VecDeque::new(),
            outbox: VecDeque::new(),
            changed: BTreeSet::new(),
            removed: Vec::new(),
        }
    }

    /// What continues the upload of that key: a BLAKE3 of it, keyed with the secret.
    fn token(&self, key: Key) -> Token {
        let hash = blake3::keyed_hash(&self.secret, &key.0.to_le_bytes());
        let mut token = [0; 16];
        token.copy_from_slice(&hash.as_bytes()[..16]);
        Token::from_bytes(token)
    }

    /// The next read, or change of the journal; call until there is none.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        if let Some(effect) = self.effects.pop_front() {
            return Some(effect);
        }
        self.read_ahead()
    }

    /// Whether a connection is needed.
    pub fn interest(&self) -> bool {
        let idle = self.streams.is_empty() && self.queue.is_empty() && self.waiting.is_empty();
        !idle || !self.parked.is_empty()
    }

    /// Whether uploads were paused of which the server has not yet said how far they are.
    pub fn is_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// When [`Sender::tick`] is due.
    pub fn timeout(&self) -> Option<Time> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// What changed since the last call: rows, whole, and the keys of rows that are
    /// gone.
    pub fn take_changes(&mut self, now: Time) -> (Vec<Row>, Vec<Key>) {
        let changed = std::mem::take(&mut self.changed);
        let rows = changed
            .iter()
            .filter_map(|key| self.row(*key, now))
            .collect();
        (rows, std::mem::take(&mut self.removed))
    }

    /// Whether [`Sender::take_changes`] has something.
    pub fn has_changes(&self) -> bool {
        self.changes() > 0
    }

    /// Of how many rows it has something.
    pub fn changes(&self) -> usize {
        self.changed.len() + self.removed.len()
    }

    /// All rows, in the order of the list.
    pub fn rows(&self, now: Time) -> Vec<Row> {
        self.list
            .values()
            .filter_map(|key| self.row(*key, now))
            .collect()
    }

    /// Counts the uploads that are moving as changed: their rates change by themselves.
    pub fn touch_moving(&mut self) {
        self.changed.extend(self.streams.values());
    }

    /// Bytes per second of all uploads together.
    pub fn rate(&self, now: Time) -> u64 {
        self.active().map(|u| u.per_second(now)).sum()
    }

    /// The uploads that have a stream.
    fn active(&self) -> impl Iterator<Item = &Outgoing> {
        self.streams
            .values()
            .filter_map(|key| self.uploads.get(key))
    }

    /// One row.
    pub fn row(&self, key: Key, now: Time) -> Option<Row> {
        let upload = self.uploads.get(&key)?;
        (!upload.ending).then(|| upload.row(key, now))
    }

    /// The server welcomed the client on a new connection, over which a message and its
    /// answer take as long as `round_trip`.
    pub fn connected(&mut self, limits: Limits, credit: u64, round_trip: Duration, now: Time) {
        self.disconnected();
        self.window = Some(Window::new(credit, round_trip, now));
        self.recorder.round_trip(round_trip, now);
        self.stand_by();
        self.judge(&limits, now);
        self.limits = Some(limits);
        self.fill();
    }

    /// What the server is likely to accept, before it has said so itself: what breaks a rule
    /// is refused at once.
    pub fn expect(&mut self, limits: Limits, now: Time) {
        if self.limits.is_none() {
            self.judge(&limits, now);
            self.limits = Some(limits);
        }
    }

    /// Applies limits to all that waits for its turn and was never sent.
    fn judge(&mut self, limits: &Limits, now: Time) {
        let waiting: Vec<Key> = self.queue.iter().map(|(.., key)| *key).collect();
        let (mut entries, mut total) = (0, 0u64);
        for key in waiting {
            let upload = &self.uploads[&key];
            entries += 1;
            total = total.saturating_add(upload.manifest.size);
            if upload.begun || upload.ending {
                continue;
            }
            let held = !limits.auto_upload && !upload.started;
            let verdict = limits.check(&upload.manifest);
            match verdict.and_then(|()| limits.check_queue(entries, total)) {
                Err(trouble) => {
                    entries -= 1;
                    total -= upload.manifest.size;
                    self.fail(key, trouble, now, 0);
                }
                Ok(()) if held => self.set(key, Phase::Held),
                Ok(()) => {}
            }
        }
    }

    /// The connection is gone; everything waits for the next one.
    pub fn disconnected(&mut self) {
        self.window = None;
        self.outbox.clear();
        self.leaving.clear();
        self.next_stream = 0;
        for (_, key) in std::mem::take(&mut self.streams) {
            self.requeue(key);
        }
    }

    /// A message of the server, on the connection that is open. Those that are not
    /// about uploads are not for the sender.
    pub fn message(&mut self, message: ServerMessage, now: Time, random: u64) {
        match message {
            ServerMessage::Credit {
                limit,
                window: width,
            } => {
                let sends = self.active().any(Outgoing::can_send);
                if let Some(window) = &mut self.window {
                    if sends
                        && window.room() < LEAST_FRAME
                        && let Some(bytes) = window.waited(now)
                    {
                        self.outbox.push_back(ClientMessage::Window { bytes });
                    }
                    window.granted(limit, width);
                }
            }
            ServerMessage::Opened { stream, id, have } => {
                if let Some(key) = self.leaving.get(&stream).copied()
                    && let Some(upload) = self.uploads.get_mut(&key)
                {
                    // It was paused before this was heard.
                    upload.id = Some(id);
                    // Its place in the queue, if it is there again, stays the same.
                    upload.begun |= upload.phase != Phase::Queued;
                    self.keep(key);
                }
                self.with(stream, now, |key, upload, sender| {
                    upload.id = Some(id);
                    let known = upload.begun || matches!(upload.phase, Phase::Proving(..));
                    if known && !have.is_empty() {
                        upload.note = Some(Note::Continued);
                    }
                    upload.begun = true;
                    upload.trouble = None;
                    if upload.opened(stream, &have, now) {
                        upload.keep(key, &mut sender.effects);
                    }
                    Ok(())
                });
            }
            ServerMessage::Match {
                stream,
                blocks,
                challenge,
            } => self.with(stream, now, |_, upload, _| {
                upload.matched(stream, blocks, challenge);
                Ok(())
            }),
            ServerMessage::Hashes { stream, hashes } => {
                self.with(stream, now, |_, upload, _| upload.their_hashes(hashes));
            }
            ServerMessage::Ack {
                stream,
                received,
                durable,
            } => {
                self.with(stream, now, |key, upload, sender| {
                    let arrived = received.saturating_sub(upload.received());
                    sender.arrived += arrived;
                    let others = sender.active().any(Outgoing::is_outstanding);
                    let outstanding = others || durable < received;
                    sender.recorder.acknowledged(arrived, outstanding, now);
                    if upload.acknowledged(received, durable, now) {
                        upload.keep(key, &mut sender.effects);
                    }
                    Ok(())
                });
            }
            ServerMessage::Nack { stream, block } => self.with(stream, now, |_, upload, _| {
                upload.nack(block, now);
                if upload.nacks > MAX_NACKS {
                    Err(Trouble::Corrupt)
                } else {
                    Ok(())
                }
            }),
            ServerMessage::Sealed {
                stream, id, root, ..
            } => {
                self.with(stream, now, |key, upload, sender| {
                    sender.streams.remove(&stream);
                    upload.stored(id, root, now);
                    upload.forget(key, &mut sender.effects);
                    sender.effects.push_back(Effect::Release(key));
                    Ok(())
                });
            }
            ServerMessage::Failed { stream, trouble } => {
                if let Some(key) = self.streams.remove(&stream) {
                    self.fail(key, trouble, now, random);
                }
            }
            ServerMessage::Gone { stream } => {
                if let Some(key) = self.streams.remove(&stream) {
                    if let Some(upload) = self.uploads.get_mut(&key) {
                        // Where nothing was there, nobody needs to know.
                        let lost = upload.durable() > 0;
                        if lost {
                            upload.recorder().mark(What::StartedOver, now);
                        }
                        upload.start_over();
                        upload.note = lost.then_some(Note::StartedOver);
                    }
                    self.keep(key);
                    self.requeue(key);
                }
            }
            ServerMessage::Paused { stream, durable } => {
                if let Some(key) = self.leaving.remove(&stream)
                    && let Some(upload) = self.uploads.get_mut(&key)
                    && upload.stream().is_none()
                {
                    upload.reached(durable);
                    self.changed.insert(key);
                    self.keep(key);
                }
            }
            ServerMessage::Cancelled { stream } => {
                if let Some(key) = self.streams.remove(&stream) {
                    self.remove(key);
                }
            }
            ServerMessage::Asked { id, wish } => self.asked(id, wish),
            ServerMessage::Welcome { .. }
            | ServerMessage::Pulse(_)
            | ServerMessage::Snapshot { .. }
            | ServerMessage::Changed { .. }
            | ServerMessage::Pong
            | ServerMessage::Joined
            | ServerMessage::Drain { .. } => {}
        }
        self.fill();
    }

    /// The next message for the socket, with at most `payload` bytes of a file in it, and
    /// with this number if messages are numbered. Call while the socket has room.
    pub fn poll_transmit(
        &mut self,
        payload: usize,
        number: Option<Number>,
    ) -> Option<Cow<'_, [u8]>> {
        self.window?;
        if let Some(message) = self.outbox.pop_front() {
            let mut message = message.encode();
            if let Some(number) = number {
                frame::number(&mut message, number);
            }
            return Some(Cow::Owned(message));
        }
        self.transmit_data(payload as u64, number)
            .map(Cow::Borrowed)
    }

    /// Whether [`Sender::poll_transmit`] would have data if the socket had room.
    pub fn has_data(&self) -> bool {
        !self.outbox.is_empty() || self.active().any(Outgoing::can_send)
    }

    /// The sockets, so many of them, have what there was to send or what they have room for.
    /// Who never says this measures neither round trips nor stalls.
    pub fn transmitted(&mut self, sockets: u8, now: Time) {
        let Some(window) = &self.window else {
            return;
        };
        let link = Gauges {
            window: window.width(),
            credit: window.room(),
            sockets,
        };
        let mut outstanding = false;
        for key in self.streams.values() {
            if let Some(upload) = self.uploads.get_mut(key) {
                upload.handed(link, now);
                outstanding |= upload.is_outstanding();
            }
        }
        self.recorder.handed(outstanding, link, now);
    }

    /// The connection ended with this code. Said before [`Sender::disconnected`].
    pub fn interrupted(&mut self, code: CloseCode, now: Time) {
        for key in self.streams.values() {
            if let Some(upload) = self.uploads.get_mut(key) {
                upload.recorder().lost(code, now);
            }
        }
        if code != CloseCode::Done {
            self.recorder.lost(code, now);
        }
    }

    /// There is a connection again, after so many tries.
    pub fn reconnected(&mut self, tries: u32, now: Time) {
        for upload in self.uploads.values_mut() {
            if let Some(recorder) = upload.recorded_mut() {
                recorder.found(tries, now);
            }
        }
        self.recorder.found(tries, now);
    }

    /// How an upload went, if it began.
    pub fn flight(&self, key: Key, now: Time) -> Option<Flight> {
        let recorder = self.uploads.get(&key)?.recorded()?;
        let all = self.uploads.values().filter_map(Outgoing::recorded);
        Some(Flight {
            connection: Totals {
                again: all.map(|recorder| recorder.totals().again).sum(),
                ..self.recorder.totals()
            },
            ..recorder.flight(now)
        })
    }

    /// How many bytes the server said that it received, in all.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Whether there are bytes to send, and credit for them.
    pub fn may_send(&self) -> bool {
        let credit = self.window.is_some_and(|it| it.room() >= LEAST_FRAME);
        credit && self.active().any(Outgoing::can_send)
    }

    fn transmit_data(&mut self, payload: u64, number: Option<Number>) -> Option<&[u8]> {
        let window = self.window.as_mut()?;
        let room = window.room();
        let payload = payload.min(window.frame().max(LEAST_FRAME));
        if room < payload.min(LEAST_FRAME) {
            return None;
        }
        // The next upload after the last one that can send.
        let streams = &self.streams;
        let uploads = &self.uploads;
        let able = |key: &Key| uploads.get(key).is_some_and(Outgoing::can_send);
        let key = streams
            .values()
            .copied()
            .filter(|key| *key > self.turn && able(key))
            .min()
            .or_else(|| streams.values().copied().filter(able).min())?;
        self.turn = key;
        let upload = self.uploads.get_mut(&key)?;
        let stream = upload.stream()?;
        let (len, sent) = upload.cut(stream, payload.min(room), number)?;
        window.take(len);
        self.recorder.sent(len);
        if let Some((block, hash)) = sent {
            self.outbox.push_back(ClientMessage::BlockHash {
                stream,
                block,
                hash,
            });
            self.conclude(key);
        }
        self.uploads.get(&key)?.frame()
    }

    /// Proves or seals, where an upload has come so far.
    pub(super) fn conclude(&mut self, key: Key) {
        let Some(upload) = self.uploads.get_mut(&key) else {
            return;
        };
        let Some(stream) = upload.stream() else {
            return;
        };
        if let Some(proof) = upload.prove() {
            self.outbox
                .push_back(ClientMessage::Prove { stream, proof });
        }
        if let Some(root) = upload.seal() {
            self.changed.insert(key);
            self.outbox.push_back(ClientMessage::Seal { stream, root });
        }
    }

    fn read_ahead(&mut self) -> Option<Effect> {
        self.window?;
        let ahead: u64 = self.active().map(Outgoing::ahead).sum();
        if ahead >= AHEAD {
            return None;
        }
        // Half of an upload's share is read while the other half is sent.
        let active = self.streams.len().max(1) as u64;
        let most = AHEAD / 2 / active;
        let slice = self.next_slice;
        for key in self.streams.values() {
            if let Some(range) = self
                .uploads
                .get_mut(key)
                .and_then(|u| u.next_read(slice, most))
            {
                self.next_slice += 1;
                return Some(Effect::Read {
                    key: *key,
                    slice,
                    range,
                });
            }
        }
        None
    }

    /// [`Effect::Keep`] was carried out; each of them is answered, whatever came of it: who
    /// has no journal sends all the same.
    pub fn kept(&mut self, key: Key) {
        self.writing.remove(&key);
        if let Some(upload) = self.uploads.get_mut(&key) {
            upload.kept();
            if upload.phase == Phase::Queued && upload.is_written_down() {
                self.ready.insert(upload.place(key, self.arranged));
                self.fill();
            }
        }
    }

    /// The next block of a read is there, or the read came to an end before it.
    pub fn read(&mut self, key: Key, slice: u64, outcome: Result<Block, ReadError>, now: Time) {
        let Some(upload) = self.uploads.get_mut(&key) else {
            return;
        };
        let outcome = match outcome {
            Ok(block) => upload.read(slice, block),
            Err(ReadError::Changed) => Err(Trouble::Changed),
            Err(ReadError::Vanished) => Err(Trouble::Vanished),
        };
        match outcome {
            Ok(()) => self.conclude(key),
            Err(trouble) => self.leave_failed(key, trouble, now),
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time) {
        while let Some(&(at, key)) = self.waiting.first() {
            if at > now {
                break;
            }
            self.requeue(key);
        }
        self.fill();
    }
}
