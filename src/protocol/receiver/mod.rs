//! The server's side of one connection.
//!
//! Messages of the socket and the outcomes of its own effects go in; effects come
//! out of [`Receiver::poll_effect`] and messages out of [`Receiver::poll_send`].
//! Effects of one stream are carried out in order, and each one is answered.
//!
//! The invariants: a block counts as durable once both sides computed the same hash for
//! it and a commit of it was answered, which is after its bytes and its record were
//! synced. A block that is verified is never written again. The hashes of an upload are
//! shown to whoever has its secret, and nobody else learns more than which of its blocks
//! are there. What waits to be sent is bounded: acknowledgements and credit are kept as
//! the latest state, not as a queue.

mod answers;
mod incoming;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use self::incoming::Incoming;
use super::close::CloseCode;
use super::flow::Meter;
use super::frame::Frame;
use super::id::{ClientId, FileId, ServerId, Token};
use super::live::{Topic, Wish};
use super::manifest::{Limits, Manifest};
use super::message::{ClientMessage, ServerMessage};
use super::order::Order;
use super::trouble::Trouble;
use super::{Generation, StreamId, Time, VERSION};
use crate::verify::{BlockHash, Challenge, Root};

/// How many messages may wait before the client is made to read.
const MAX_OUTBOX: usize = 256;

/// How many topics one connection may watch.
const MAX_TOPICS: usize = 64;

/// What the driver must do. Every effect that names a stream is answered by the
/// method of [`Receiver`] that its description names, or by [`Receiver::failed`].
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A client introduced itself: older connections of it are superseded.
    Greeted(ClientId, Generation),
    /// Begin or continue an upload; [`Receiver::opened`].
    Open {
        /// Which stream.
        stream: StreamId,
        /// The file.
        manifest: Manifest,
        /// The secret of an upload that was begun before.
        token: Token,
        /// Whether the client was told before that it is there.
        begun: bool,
        /// Whether its client can prove that it has what is there of another upload.
        verify: bool,
    },
    /// The client proved that it has the blocks of [`Opening::Matched`], so the upload is
    /// to be continued; or it has others, and one of its own is to begin;
    /// [`Receiver::opened`].
    Settle {
        /// Which stream.
        stream: StreamId,
        /// Whether the proof was right.
        proven: bool,
    },
    /// Hash and write bytes; [`Receiver::written`].
    Write {
        /// Which stream.
        stream: StreamId,
        /// Where they belong, in bytes.
        offset: u64,
        /// The bytes, all of one block.
        payload: Bytes,
    },
    /// Sync what was written, then record these blocks as durable;
    /// [`Receiver::committed`].
    Commit {
        /// Which stream.
        stream: StreamId,
        /// The blocks and their hashes.
        blocks: Vec<(u64, BlockHash)>,
    },
    /// Store the file under its final name; [`Receiver::sealed`].
    Seal {
        /// Which stream.
        stream: StreamId,
        /// Its digest.
        root: Root,
    },
    /// Let go of the upload, which stays for later; [`Receiver::released`].
    Release(StreamId),
    /// Delete the upload; [`Receiver::aborted`].
    Abort(StreamId),
    /// Begin to send a topic, from its snapshot on; anew, where it is sent already.
    Watch(Topic),
    /// Stop sending a topic.
    Unwatch(Topic),
    /// The client has the upload that this continues, paused, and can be asked to go on.
    Standby(Token),
    /// Close the connection with this code.
    Close(CloseCode),
}

/// What became of [`Effect::Open`] and [`Effect::Settle`].
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// The upload is held by this connection now.
    Granted {
        /// Its name in links.
        id: FileId,
        /// Its durable blocks.
        blocks: Vec<(u64, BlockHash)>,
    },
    /// It is finished already.
    Stored {
        /// Its name in links.
        id: FileId,
        /// Where it is stored.
        path: String,
        /// Its digest.
        root: Root,
    },
    /// The secret is not known.
    Gone,
    /// Nobody continues an upload of the same path and size: who proves to have its
    /// blocks may.
    Matched {
        /// Random, for this time only.
        challenge: Challenge,
        /// Its durable blocks, at least one.
        blocks: Vec<(u64, BlockHash)>,
    },
}

/// How often durable state is produced while data flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// Commit once so many bytes are verified.
    pub bytes: u64,
    /// Commit once a verified block has waited for so long.
    pub time: Duration,
}

impl Default for Cadence {
    fn default() -> Self {
        Self {
            bytes: 16 * 1024 * 1024,
            time: Duration::from_millis(250),
        }
    }
}

/// What a receiver is told at its beginning.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This run of the server.
    pub server: ServerId,
    /// What it accepts.
    pub limits: Limits,
    /// How many bytes of this connection there is memory for, to begin with.
    pub share: u64,
    /// How often the client should ping.
    pub heartbeat: Duration,
    /// How often blocks are made durable.
    pub cadence: Cadence,
}

/// The server's side of one connection.
#[derive(Debug)]
pub struct Receiver {
    settings: Settings,
    order: Order,
    /// How many sockets it has beside the first.
    lanes: usize,
    meter: Meter,
    greeted: bool,
    over: bool,
    newest: Option<StreamId>,
    streams: BTreeMap<StreamId, Incoming>,
    /// Files and bytes opened since no stream was open.
    batch: (u64, u64),
    topics: BTreeSet<Topic>,
    out: Out,
}

/// What goes out of a receiver and its streams.
#[derive(Debug, Default)]
struct Out {
    effects: VecDeque<Effect>,
    outbox: VecDeque<ServerMessage>,
    /// Received bytes that no longer occupy memory and are not yet counted so.
    freed: u64,
}

/// A message that ends the connection.
type Violation = CloseCode;

impl Receiver {
    /// The server's side of a connection that was just accepted.
    pub fn new(settings: Settings) -> Self {
        Self {
            meter: Meter::new(settings.share),
            settings,
            order: Order::default(),
            lanes: 0,
            greeted: false,
            over: false,
            newest: None,
            streams: BTreeMap::new(),
            batch: (0, 0),
            topics: BTreeSet::new(),
            out: Out::default(),
        }
    }

    /// The next thing to do; call until there is none.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.out.effects.pop_front()
    }

    /// Whether [`Receiver::poll_send`] may have something.
    pub fn wants_to_send(&self) -> bool {
        !self.out.outbox.is_empty()
            || self.streams.values().any(Incoming::ack_due)
            || self.meter.due()
    }

    /// Whether so much waits to be sent that nothing more should be taken from a client
    /// that does not read.
    pub fn is_congested(&self) -> bool {
        self.out.outbox.len() >= MAX_OUTBOX
    }

    /// The next message to the client. Called whenever the socket has room.
    pub fn poll_send(&mut self) -> Option<ServerMessage> {
        if self.over {
            return None;
        }
        if let Some(message) = self.out.outbox.pop_front() {
            return Some(message);
        }
        if let Some(limit) = self.meter.grant() {
            let window = self.meter.capacity();
            return Some(ServerMessage::Credit { limit, window });
        }
        self.streams
            .iter_mut()
            .find_map(|(&stream, incoming)| incoming.ack(stream))
    }

    /// When [`Receiver::tick`] is due.
    pub fn timeout(&self) -> Option<Time> {
        self.streams
            .values()
            .filter_map(|s| s.timeout(&self.settings))
            .min()
    }

    /// How many streams have not ended.
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Another socket joined the connection.
    pub fn lane_joined(&mut self) {
        self.lanes += 1;
    }

    /// A socket that had joined was closed, behind its last message.
    pub fn lane_left(&mut self) {
        self.lanes = self.lanes.saturating_sub(1);
    }

    /// A binary message arrived, over any of the connection's sockets.
    pub fn message(&mut self, message: Bytes, now: Time) {
        if self.over {
            return;
        }
        let credit = self.meter.limit() - self.meter.total();
        let alone = self.lanes == 0;
        if self.order.take(message, credit, alone).is_err() {
            return self.close(CloseCode::Protocol);
        }
        while !self.over
            && let Some(message) = self.order.poll()
        {
            self.arrived(message, now);
        }
    }

    fn arrived(&mut self, message: Bytes, now: Time) {
        let outcome = match Frame::parse(message) {
            Ok(Frame::Data {
                stream,
                offset,
                payload,
            }) => self.data(stream, offset, payload, now),
            Ok(Frame::Control(content)) => match ClientMessage::decode(&content) {
                Ok(message) => self.control(message),
                Err(_) => Err(CloseCode::Protocol),
            },
            Err(_) => Err(CloseCode::Protocol),
        };
        if let Err(code) = outcome {
            self.close(code);
        }
    }

    /// Changes how many bytes of this connection there is memory for.
    pub fn set_share(&mut self, share: u64) {
        self.meter.set_share(share);
    }

    /// How many bytes of data arrived on this connection, and how many of them occupy
    /// memory.
    pub fn taken(&self) -> (u64, u64) {
        (self.meter.total(), self.meter.pending())
    }

    /// How many bytes of a stream are received, and how many of them durable.
    pub fn progress(&self, stream: StreamId) -> Option<(u64, u64)> {
        self.streams.get(&stream).and_then(Incoming::progress)
    }

    /// Someone else takes a stream's upload over, or has ended it: what is verified is
    /// made durable before it is let go of, or it is deleted.
    pub fn expel(&mut self, stream: StreamId, trouble: Trouble) {
        if let Some(incoming) = self.streams.get_mut(&stream) {
            incoming.leave(stream, Leave::Trouble(trouble), &mut self.out);
            self.count_freed();
        }
    }

    /// Somebody asks something of the client that sends an upload. Of what is asked of one
    /// before the client reads, only the last counts.
    pub fn ask(&mut self, id: FileId, wish: Wish) {
        let about = |said: &ServerMessage| matches!(said, ServerMessage::Asked { id: other, .. } if *other == id);
        self.out.outbox.retain(|said| !about(said));
        self.out.outbox.push_back(ServerMessage::Asked { id, wish });
    }

    /// Ends the connection with this code; what was verified is made durable.
    pub fn close(&mut self, code: CloseCode) {
        if !self.over {
            self.out.effects.push_back(Effect::Close(code));
            self.disconnected();
        }
    }

    /// The socket is gone: what was verified is made durable, and everything is let
    /// go of.
    pub fn disconnected(&mut self) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        for (&stream, incoming) in &mut self.streams {
            incoming.leave(stream, Leave::Lost, &mut self.out);
        }
    }

    /// Announces that the server stops.
    pub fn drain(&mut self, retry_after: Duration) {
        let retry_after = retry_after.as_millis().try_into().unwrap_or(u32::MAX);
        self.out
            .outbox
            .push_back(ServerMessage::Drain { retry_after });
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time) {
        for (&stream, incoming) in &mut self.streams {
            incoming.tick(stream, now, &self.settings, &mut self.out);
        }
    }

    fn control(&mut self, message: ClientMessage) -> Result<(), Violation> {
        if let ClientMessage::Hello {
            version,
            client,
            generation,
        } = message
        {
            return self.hello(version, client, generation);
        }
        if !self.greeted {
            return Err(CloseCode::Protocol);
        }
        match message {
            ClientMessage::Hello { .. } | ClientMessage::Join { .. } => {
                return Err(CloseCode::Protocol);
            }
            ClientMessage::Open {
                stream,
                manifest,
                token,
                begun,
                verify,
            } => {
                return self.open(stream, manifest, (token, begun), verify);
            }
            ClientMessage::BlockHash {
                stream,
                block,
                hash,
            } => {
                return self.with(stream, |incoming, out| {
                    incoming.claimed(stream, block, hash, out)
                });
            }
            ClientMessage::Seal { stream, root } => {
                return self.with(stream, |incoming, out| incoming.seal(stream, root, out));
            }
            ClientMessage::Prove { stream, proof } => {
                return self.with(stream, |incoming, out| incoming.proved(stream, proof, out));
            }
            ClientMessage::Pause { stream } => {
                return self.with(stream, |incoming, out| {
                    incoming.leave(stream, Leave::Paused, out);
                    Ok(())
                });
            }
            ClientMessage::Cancel { stream } => {
                return self.with(stream, |incoming, out| {
                    incoming.leave(stream, Leave::Cancelled, out);
                    Ok(())
                });
            }
            ClientMessage::Watch { topic } => {
                if self.topics.insert(topic) && self.topics.len() > MAX_TOPICS {
                    return Err(CloseCode::Protocol);
                }
                self.out.effects.push_back(Effect::Watch(topic));
            }
            ClientMessage::Unwatch { topic } => {
                if self.topics.remove(&topic) {
                    self.out.effects.push_back(Effect::Unwatch(topic));
                }
            }
            ClientMessage::Window { bytes } => self.meter.wanted(bytes),
            ClientMessage::Standby { token } => {
                self.out.effects.push_back(Effect::Standby(token));
            }
            ClientMessage::Ping => {
                if self.out.outbox.back() != Some(&ServerMessage::Pong) {
                    self.out.outbox.push_back(ServerMessage::Pong);
                }
            }
        }
        Ok(())
    }

    fn hello(
        &mut self,
        version: u16,
        client: ClientId,
        generation: Generation,
    ) -> Result<(), Violation> {
        if std::mem::replace(&mut self.greeted, true) {
            return Err(CloseCode::Protocol);
        }
        if version != VERSION {
            return Err(CloseCode::Version);
        }
        self.out
            .effects
            .push_back(Effect::Greeted(client, generation));
        self.out.outbox.push_back(ServerMessage::Welcome {
            server: self.settings.server,
            limits: self.settings.limits.clone(),
            credit: self.meter.limit(),
            heartbeat: self
                .settings
                .heartbeat
                .as_millis()
                .try_into()
                .unwrap_or(u32::MAX),
        });
        Ok(())
    }

    fn open(
        &mut self,
        stream: StreamId,
        manifest: Manifest,
        (token, begun): (Token, bool),
        verify: bool,
    ) -> Result<(), Violation> {
        if self.newest.is_some_and(|newest| stream <= newest) {
            return Err(CloseCode::Protocol);
        }
        self.newest = Some(stream);
        if self.streams.is_empty() {
            self.batch = (0, 0);
        }
        let batch = (self.batch.0 + 1, self.batch.1.saturating_add(manifest.size));
        let taken: u32 = self.streams.values().map(Incoming::weight).sum();
        let limits = &self.settings.limits;
        let verdict = if taken + Limits::weight(manifest.size) > limits.room() {
            Err(Trouble::Busy)
        } else {
            limits
                .check(&manifest)
                .and_then(|()| limits.check_queue(batch.0, batch.1))
        };
        match verdict {
            Ok(()) => {
                self.batch = batch;
                // Who thinks that it begins may find that another with its token was faster.
                let compares = verify || !begun;
                self.streams
                    .insert(stream, Incoming::new(manifest.size, compares));
                self.out.effects.push_back(Effect::Open {
                    stream,
                    manifest,
                    token,
                    begun,
                    verify,
                });
            }
            Err(trouble) => self
                .out
                .outbox
                .push_back(ServerMessage::Failed { stream, trouble }),
        }
        Ok(())
    }

    fn data(
        &mut self,
        stream: StreamId,
        offset: u64,
        payload: Bytes,
        now: Time,
    ) -> Result<(), Violation> {
        let len = payload.len() as u64;
        self.meter.received(len).map_err(|_| CloseCode::Protocol)?;
        if !self.streams.contains_key(&stream) {
            // Data of a stream that ended while it was on the way.
            self.out.freed += len;
        }
        self.with(stream, |incoming, out| {
            incoming.data(stream, offset, payload, now, out)
        })
    }

    /// Does something with a stream; one that has ended is an ordinary case, one that
    /// never was is not.
    fn with(
        &mut self,
        stream: StreamId,
        act: impl FnOnce(&mut Incoming, &mut Out) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        match self.streams.get_mut(&stream) {
            Some(incoming) => act(incoming, &mut self.out)?,
            None if self.newest.is_some_and(|newest| stream <= newest) => {}
            None => return Err(CloseCode::Protocol),
        }
        self.count_freed();
        Ok(())
    }

    fn count_freed(&mut self) {
        self.meter.done(std::mem::take(&mut self.out.freed));
    }

    /// Takes a stream off, with the message that says so.
    fn end(&mut self, stream: StreamId, message: ServerMessage) {
        if let Some(incoming) = self.streams.remove(&stream) {
            self.meter.done(incoming.held());
            self.out.outbox.push_back(message);
        }
    }
}

/// Why a stream is left before its file is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Leave {
    /// A person paused it.
    Paused,
    /// A person cancelled it.
    Cancelled,
    /// The connection is gone.
    Lost,
    /// It cannot go on.
    Trouble(Trouble),
}
