//! The client's side of a connection, whose server says anything.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use longhaul::protocol::Time;
use longhaul::protocol::block::Block;
use longhaul::protocol::close::CloseCode;
use longhaul::protocol::frame::Frame;
use longhaul::protocol::live::Wish as Asked;
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::ranges::RangeSet;
use longhaul::protocol::sender::{Effect, Key, ReadError, Record, Sender};
use longhaul::protocol::{MAX_PAYLOAD, StreamId};
use longhaul::verify::{BlockHash, Root};

use super::{Size, ZEROS, id, memory, token, trouble};

/// How many uploads there are in all.
const KEYS: usize = 6;

/// What a client may take at most, besides what it has read of its files.
const MEMORY: isize = 4 << 20;
const FILES: isize = (KEYS * ZEROS.len()) as isize;

/// What happens.
#[derive(Debug, Arbitrary)]
enum Step {
    Add(Size),
    /// A file begins on a connection of its own, and this is the server's first word on it.
    Begin(Size, Said),
    Restore(Size, u64, bool),
    /// A person wants something of an upload.
    Wish(u8, Wish),
    Connect {
        credit: u32,
        concurrency: u8,
        auto_upload: bool,
        max_entries: Option<u8>,
    },
    Disconnect,
    /// The server says something about a stream.
    Say(u8, Said),
    /// Any bytes arrive.
    Bytes(Vec<u8>),
    /// The oldest read is answered.
    Read(Option<bool>),
    /// The socket has room for a message.
    Transmit(u32),
    Tick(u16),
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Wish {
    Provide(Size),
    Pause,
    Resume,
    Retry,
    Cancel,
    Dismiss,
    Clear,
}

#[derive(Debug, Arbitrary)]
enum Said {
    /// It is open, and this is said to be there: within the file, or anywhere.
    Opened(u8),
    OpenedWith(Vec<(u64, u64)>),
    /// Somebody has begun it elsewhere, and this is there.
    Match(u8),
    MatchWith(Vec<(u64, u64)>),
    Hashes(u8, bool),
    Ack(u64, u64),
    Credit(u64, u64),
    Nack(u64),
    Failed(u8),
    Gone,
    Sealed,
    Paused(u64),
    Cancelled,
    /// Somebody asks for a pause, or to go on.
    Asked(bool),
}

struct World {
    sender: Sender,
    now: Time,
    keys: Vec<Key>,
    reads: VecDeque<(Key, u64, Range<u64>)>,
    connected: bool,
}

impl World {
    fn key(&self, n: u8) -> Key {
        let place = usize::from(n) % self.keys.len().max(1);
        self.keys.get(place).copied().unwrap_or_default()
    }

    fn step(&mut self, step: &Step) {
        match step {
            // As many as steps can speak of, and no more.
            Step::Add(_) | Step::Begin(..) | Step::Restore(..) if self.keys.len() == KEYS => {}
            Step::Add(size) => self.keys.push(self.sender.add(size.manifest())),
            Step::Begin(size, said) => {
                self.keys.push(self.sender.add(size.manifest()));
                self.sender
                    .connected(Limits::default(), 1 << 20, Duration::ZERO, self.now);
                self.connected = true;
                let mut opened = None;
                while let Some(message) = self.sender.poll_transmit(1, None) {
                    opened = check_valid(message.into_owned()).or(opened);
                }
                if let Some(stream) = opened {
                    self.message(&message(stream, said).encode());
                }
            }
            Step::Restore(size, durable, paused) => {
                let key = self.sender.restore(Record {
                    manifest: size.manifest(),
                    token: token(1),
                    id: Some(id(1)),
                    paused: *paused,
                    durable: *durable,
                    order: 0,
                });
                self.keys.push(key);
            }
            Step::Wish(n, wish) => self.wish(self.key(*n), *wish),
            Step::Connect {
                credit,
                concurrency,
                auto_upload,
                max_entries,
            } => {
                let limits = Limits {
                    max_concurrency: (concurrency % 4).into(),
                    auto_upload: *auto_upload,
                    max_entries: max_entries.map(Into::into),
                    ..Limits::default()
                };
                self.sender
                    .connected(limits, (*credit).into(), Duration::ZERO, self.now);
                self.sender.reconnected(1, self.now);
                self.connected = true;
            }
            Step::Disconnect => {
                self.sender.interrupted(CloseCode::Broken, self.now);
                self.sender.disconnected();
                self.connected = false;
            }
            Step::Say(stream, said) => {
                let message = message(StreamId((stream % 8).into()), said);
                self.message(&message.encode());
            }
            Step::Bytes(bytes) => self.message(bytes),
            Step::Read(outcome) => self.read(*outcome),
            Step::Transmit(payload) => {
                let payload = *payload as usize % MAX_PAYLOAD + 1;
                if let Some(message) = self.sender.poll_transmit(payload, None) {
                    assert!(self.connected, "sent while nobody is connected");
                    check_valid(message.into_owned());
                }
                self.sender.transmitted(1, self.now);
            }
            Step::Tick(by) => {
                self.now += Duration::from_millis((*by).into());
                self.sender.tick(self.now);
            }
        }
        while let Some(effect) = self.sender.poll_effect() {
            match effect {
                Effect::Read { key, slice, range } => self.reads.push_back((key, slice, range)),
                Effect::Keep(key) => {
                    self.sender.record(key);
                    self.sender.kept(key);
                }
                Effect::Forget(..) | Effect::Release(_) => {}
            }
        }
        self.sender.touch_moving();
        for key in &self.keys {
            self.sender.flight(*key, self.now);
        }
        for row in self.sender.take_changes(self.now).0 {
            assert!(
                row.received <= row.size && row.durable <= row.size,
                "{row:?}"
            );
        }
    }

    fn wish(&mut self, key: Key, wish: Wish) {
        match wish {
            Wish::Provide(size) => _ = self.sender.provide(key, size.manifest()),
            Wish::Pause => self.sender.pause(key),
            Wish::Resume => self.sender.resume(key),
            Wish::Retry => self.sender.retry(key),
            Wish::Cancel => self.sender.cancel(key),
            Wish::Dismiss => self.sender.dismiss(key),
            Wish::Clear => self.sender.clear(),
        }
    }

    /// A message of the socket arrives, as a driver takes it.
    fn message(&mut self, bytes: &[u8]) {
        if self.connected
            && let Ok(Frame::Control(content)) = Frame::parse(Bytes::copy_from_slice(bytes))
            && let Ok(message) = ServerMessage::decode(&content)
        {
            self.sender.message(message, self.now, 1 << 60);
        }
    }

    fn read(&mut self, outcome: Option<bool>) {
        let Some((key, slice, range)) = self.reads.pop_front() else {
            return;
        };
        let len = (range.end - range.start) as usize;
        let len = match outcome {
            Some(true) => 0,
            Some(false) => len / 2,
            None => len,
        };
        for block in Block::of(range.start, ZEROS.len() as u64, &ZEROS[..len]) {
            self.sender.read(key, slice, Ok(block), self.now);
        }
        if len == 0 {
            self.sender
                .read(key, slice, Err(ReadError::Changed), self.now);
        }
    }
}

fn message(stream: StreamId, said: &Said) -> ServerMessage {
    let opened = |have| ServerMessage::Opened {
        stream,
        id: id(1),
        have,
    };
    let matched = |blocks| ServerMessage::Match {
        stream,
        blocks,
        challenge: [5; 32],
    };
    match said {
        Said::Opened(bits) => opened(within_file(*bits)),
        Said::OpenedWith(ranges) => opened(anywhere(ranges)),
        Said::Match(bits) => matched(within_file(*bits)),
        Said::MatchWith(ranges) => matched(anywhere(ranges)),
        Said::Hashes(count, right) => {
            // Nobody knows what the hash of a block is until it was computed.
            let hash = if *right {
                BlockHash(Default::default())
            } else {
                BlockHash([8; 32])
            };
            let hashes = vec![hash; usize::from(*count % 5)];
            ServerMessage::Hashes { stream, hashes }
        }
        Said::Ack(received, durable) => {
            let (received, durable) = (*received, *durable);
            ServerMessage::Ack {
                stream,
                received,
                durable,
            }
        }
        Said::Credit(limit, window) => ServerMessage::Credit {
            limit: *limit,
            window: *window,
        },
        Said::Nack(block) => ServerMessage::Nack {
            stream,
            block: *block,
        },
        Said::Failed(n) => ServerMessage::Failed {
            stream,
            trouble: trouble(*n),
        },
        Said::Gone => ServerMessage::Gone { stream },
        Said::Sealed => ServerMessage::Sealed {
            stream,
            id: id(1),
            path: "a".into(),
            root: Root([9; 32]),
        },
        Said::Paused(durable) => ServerMessage::Paused {
            stream,
            durable: *durable,
        },
        Said::Cancelled => ServerMessage::Cancelled { stream },
        Said::Asked(pause) => ServerMessage::Asked {
            id: id(1),
            wish: if *pause { Asked::Pause } else { Asked::Resume },
        },
    }
}

fn within_file(bits: u8) -> RangeSet {
    (0..3).filter(|block| bits >> block & 1 == 1).collect()
}

fn anywhere(ranges: &[(u64, u64)]) -> RangeSet {
    let mut set = RangeSet::new();
    for (start, end) in ranges {
        set.insert(*start..*end);
    }
    set
}

/// Whatever its server said, a client sends only what its server can read. The stream
/// that is opened, if one is.
fn check_valid(message: Vec<u8>) -> Option<StreamId> {
    match Frame::parse(message.into()).unwrap() {
        Frame::Data { .. } => None,
        Frame::Control(content) => match ClientMessage::decode(&content).unwrap() {
            ClientMessage::Open { stream, .. } => Some(stream),
            _ => None,
        },
    }
}

/// Takes bytes as what happens to a client.
pub fn run(bytes: &[u8]) {
    memory::within(MEMORY + FILES, || {
        let mut world = World {
            sender: Sender::new(Key(0), [1; 32]),
            now: Time::ZERO,
            keys: Vec::new(),
            reads: VecDeque::new(),
            connected: false,
        };
        let mut steps = Unstructured::new(bytes);
        while !steps.is_empty()
            && let Ok(step) = Step::arbitrary(&mut steps)
        {
            world.step(&step);
        }
    });
}
