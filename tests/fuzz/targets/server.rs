//! The server's side of a connection, whose client says anything and whose disk answers
//! honestly but when it likes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use longhaul::protocol::frame::encode_data;
use longhaul::protocol::id::{ClientId, ServerId};
use longhaul::protocol::live::{Topic, Wish};
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::message::ClientMessage;
use longhaul::protocol::receiver::{Cadence, Effect, Opening, Receiver, Settings};
use longhaul::protocol::{Generation, MAX_PAYLOAD, StreamId, Time, VERSION};
use longhaul::verify::proof::{Challenge, Proof};
use longhaul::verify::{BLOCK, BlockHash, Root, block_len};

use super::{Size, ZEROS, id, memory, token, trouble};

/// What a connection may have in memory, by credit.
const CAPACITY: u64 = 512 << 10;
/// What it may take at most: its credit, copies of a message, and its own books.
const MEMORY: isize = 5 << 18;

/// The hash that disk and honest clients have of every block.
const HASH: BlockHash = BlockHash([7; 32]);

/// What happens.
#[derive(Debug, Arbitrary)]
enum Step {
    /// Any bytes arrive.
    Bytes(Vec<u8>),
    /// A message arrives that means something.
    Say(u8, Said),
    /// The bytes that come next in a stream arrive in so many frames, or others.
    Data {
        stream: u8,
        times: u8,
        len: u32,
        astray: Option<u32>,
    },
    /// The oldest effect of a stream is answered.
    Answer(u8, Answer),
    /// The client reads.
    Read,
    Tick(u16),
    Capacity(u32),
    Expel(u8, u8),
    /// Somebody asks something of the client.
    Ask(u8, bool),
    Drain,
    Gone,
}

#[derive(Debug, Arbitrary)]
enum Said {
    Open {
        size: Size,
        resume: Option<u8>,
        verify: bool,
    },
    /// The hash of a block, whether it is right.
    Hash(u8, bool),
    Seal,
    Pause,
    Cancel,
    /// What was matched, whether that is so.
    Prove(bool),
    Watch(u8),
    Unwatch(u8),
    Standby(u8),
    Ping,
    Hello,
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Answer {
    Done,
    /// What was opened is stored, gone, or has these blocks.
    Stored,
    Gone,
    Has(u8),
    Failed(u8),
}

/// The challenge of every match.
const CHALLENGE: Challenge = [6; 32];

/// The blocks that a server has, of the first three.
fn blocks(bits: u8) -> Vec<(u64, BlockHash)> {
    let has = (0..3).filter(|block| bits >> block & 1 == 1);
    has.map(|block| (block, HASH)).collect()
}

/// A server's side, and what was asked of its disk.
struct World {
    receiver: Receiver,
    now: Time,
    todo: BTreeMap<StreamId, VecDeque<Effect>>,
    sizes: BTreeMap<StreamId, u64>,
    /// The blocks that were matched.
    matched: BTreeMap<StreamId, u8>,
    /// Where the next bytes of a stream belong.
    next: BTreeMap<StreamId, u64>,
    /// Streams count up: the newest of each of the four that steps speak of.
    streams: [StreamId; 4],
    newest: u32,
    closed: bool,
}

impl World {
    fn new() -> Self {
        let receiver = Receiver::new(Settings {
            server: ServerId::from_bytes([0; 16]),
            limits: Limits::default(),
            share: CAPACITY,
            heartbeat: Duration::from_secs(5),
            cadence: Cadence::default(),
        });
        let mut world = Self {
            receiver,
            now: Time::ZERO,
            todo: BTreeMap::new(),
            sizes: BTreeMap::new(),
            matched: BTreeMap::new(),
            next: BTreeMap::new(),
            streams: [StreamId(0); 4],
            newest: 0,
            closed: false,
        };
        world.say(&hello());
        world
    }

    fn say(&mut self, message: &ClientMessage) {
        self.receiver.message(message.encode().into(), self.now);
    }

    fn stream(&self, place: u8) -> StreamId {
        self.streams[usize::from(place % 4)]
    }

    fn step(&mut self, step: &Step) {
        match step {
            // From a client that does not read, nothing is taken.
            Step::Bytes(_) | Step::Say(..) | Step::Data { .. } if self.receiver.is_congested() => {}
            Step::Bytes(bytes) => {
                self.receiver
                    .message(Bytes::copy_from_slice(bytes), self.now);
            }
            Step::Say(place, said) => self.said(place % 4, said),
            Step::Data {
                stream,
                times,
                len,
                astray,
            } => {
                for _ in 0..=times % 8 {
                    self.data(self.stream(*stream), *len, *astray);
                }
            }
            Step::Answer(stream, answer) => self.answer(self.stream(*stream), *answer),
            Step::Read => _ = self.receiver.poll_send(),
            Step::Tick(by) => {
                self.now += Duration::from_millis((*by).into());
                self.receiver.tick(self.now);
            }
            Step::Capacity(bytes) => {
                self.receiver.set_share(u64::from(*bytes) % (CAPACITY + 1));
            }
            Step::Expel(stream, n) => {
                self.receiver.expel(self.stream(*stream), trouble(*n));
            }
            Step::Ask(n, pause) => {
                let wish = if *pause { Wish::Pause } else { Wish::Resume };
                self.receiver.ask(id(*n), wish);
            }
            Step::Drain => self.receiver.drain(Duration::from_millis(500)),
            Step::Gone => self.receiver.disconnected(),
        }
        self.take_effects();
    }

    fn data(&mut self, stream: StreamId, len: u32, astray: Option<u32>) {
        let next = self.next.entry(stream).or_default();
        let offset = astray.map_or(*next, u64::from);
        let size = self.sizes.get(&stream).copied().unwrap_or(BLOCK);
        let room = BLOCK - offset % BLOCK;
        let len = (u64::from(len) % MAX_PAYLOAD as u64 + 1).min(room);
        let len = len.min(size.saturating_sub(offset).max(1));
        *next = offset + len;
        let message = encode_data(stream, offset, &ZEROS[..len as usize]);
        self.receiver.message(message.into(), self.now);
    }

    fn said(&mut self, place: u8, said: &Said) {
        let stream = self.stream(place);
        let message = match *said {
            Said::Open {
                size,
                resume,
                verify,
            } => {
                let stream = StreamId(self.newest);
                self.newest += 1;
                self.streams[usize::from(place)] = stream;
                self.sizes.insert(stream, size.bytes());
                ClientMessage::Open {
                    stream,
                    manifest: size.manifest(),
                    token: token(resume.unwrap_or(0)),
                    begun: resume.is_some(),
                    verify,
                }
            }
            Said::Hash(block, right) => ClientMessage::BlockHash {
                stream,
                block: block.into(),
                hash: if right { HASH } else { BlockHash([8; 32]) },
            },
            Said::Seal => ClientMessage::Seal {
                stream,
                root: Root([9; 32]),
            },
            Said::Pause => ClientMessage::Pause { stream },
            Said::Cancel => ClientMessage::Cancel { stream },
            Said::Prove(right) => {
                let bits = self.matched.get(&stream).copied().unwrap_or_default();
                let proof = Proof::new(&CHALLENGE, blocks(if right { bits } else { !bits }));
                ClientMessage::Prove { stream, proof }
            }
            Said::Watch(n) => ClientMessage::Watch {
                topic: Topic::Upload(id(n)),
            },
            Said::Unwatch(n) => ClientMessage::Unwatch {
                topic: Topic::Upload(id(n)),
            },
            Said::Standby(n) => ClientMessage::Standby { token: token(n) },
            Said::Ping => ClientMessage::Ping,
            Said::Hello => hello(),
        };
        self.say(&message);
    }

    fn take_effects(&mut self) {
        while let Some(effect) = self.receiver.poll_effect() {
            let stream = match &effect {
                Effect::Open { stream, .. }
                | Effect::Settle { stream, .. }
                | Effect::Write { stream, .. }
                | Effect::Commit { stream, .. }
                | Effect::Seal { stream, .. }
                | Effect::Release(stream)
                | Effect::Abort(stream) => *stream,
                Effect::Close(_) => {
                    assert!(!self.closed, "closed twice");
                    self.closed = true;
                    continue;
                }
                Effect::Greeted(..)
                | Effect::Watch(_)
                | Effect::Unwatch(_)
                | Effect::Standby(_) => continue,
            };
            self.todo.entry(stream).or_default().push_back(effect);
        }
    }

    /// Answers the oldest effect of a stream, in one of the ways in which it can be.
    fn answer(&mut self, stream: StreamId, answer: Answer) {
        let Some(effect) = self.todo.get_mut(&stream).and_then(VecDeque::pop_front) else {
            return;
        };
        if let Answer::Failed(n) = answer {
            // Its task has ended: what was still asked of it has no answer.
            self.todo.remove(&stream);
            return self.receiver.failed(stream, trouble(n));
        }
        let size = self.sizes.get(&stream).copied().unwrap_or(0);
        let granted = |bits| Opening::Granted {
            id: id(1),
            blocks: blocks(bits),
        };
        match effect {
            Effect::Settle { proven, .. } => {
                let bits = self.matched.remove(&stream).unwrap_or_default();
                let opening = granted(if proven { bits } else { 0 });
                self.receiver.opened(stream, opening, self.now);
            }
            Effect::Open {
                manifest,
                begun,
                verify,
                ..
            } => {
                self.sizes.insert(stream, manifest.size);
                let opening = match answer {
                    Answer::Stored => Opening::Stored {
                        id: id(1),
                        path: "a".into(),
                        root: Root([9; 32]),
                    },
                    Answer::Gone => Opening::Gone,
                    Answer::Has(bits) if bits % 8 > 0 && verify && !begun => {
                        self.matched.insert(stream, bits);
                        Opening::Matched {
                            challenge: CHALLENGE,
                            blocks: blocks(bits),
                        }
                    }
                    Answer::Has(bits) => granted(bits),
                    _ => granted(0),
                };
                self.receiver.opened(stream, opening, self.now);
            }
            Effect::Write {
                offset, payload, ..
            } => {
                let (len, block) = (payload.len() as u64, offset / BLOCK);
                drop(payload);
                assert!(offset + len <= size, "a write behind the end");
                let whole = offset + len == block * BLOCK + block_len(block, size);
                let hashes = if whole {
                    vec![(block, HASH)]
                } else {
                    Vec::new()
                };
                self.receiver.written(stream, len, &hashes, self.now);
            }
            Effect::Commit { blocks, .. } => {
                assert!(blocks.iter().all(|(_, hash)| *hash == HASH), "not verified");
                self.receiver.committed(stream, self.now);
            }
            Effect::Seal { root, .. } => {
                self.receiver.sealed(stream, id(1), "a".into(), root);
            }
            Effect::Release(_) => self.receiver.released(stream),
            Effect::Abort(_) => self.receiver.aborted(stream),
            _ => {}
        }
        self.take_effects();
        if let Some((received, durable)) = self.receiver.progress(stream) {
            assert!(durable <= received && received <= size, "progress lies");
        }
    }

    /// Bytes are cut into messages that arrive; every other one is at least a control
    /// frame.
    fn messages(&mut self, mut bytes: &[u8]) {
        while let [len, rest @ ..] = bytes {
            let (message, rest) = rest.split_at(usize::from(*len).min(rest.len()));
            let message = match len % 2 {
                0 => [&[0], message].concat(),
                _ => message.to_vec(),
            };
            self.step(&Step::Bytes(message));
            bytes = rest;
        }
    }

    /// The socket is gone: once all is answered, nothing is left.
    fn end(mut self) {
        self.receiver.disconnected();
        self.take_effects();
        while let Some(stream) = self
            .todo
            .iter()
            .find_map(|(s, q)| (!q.is_empty()).then_some(*s))
        {
            self.answer(stream, Answer::Done);
        }
        assert_eq!(self.receiver.open_streams(), 0);
        assert!(self.receiver.poll_send().is_none());
    }
}

fn hello() -> ClientMessage {
    ClientMessage::Hello {
        version: VERSION,
        client: ClientId::from_bytes([1; 16]),
        generation: Generation(1),
    }
}

/// Takes bytes as what happens to a server; the first says how it is told.
pub fn run(bytes: &[u8]) {
    memory::within(MEMORY, || {
        let mut world = World::new();
        match bytes {
            [0..64, bytes @ ..] => world.messages(bytes),
            bytes => {
                let mut steps = Unstructured::new(bytes);
                while !steps.is_empty()
                    && let Ok(step) = Step::arbitrary(&mut steps)
                {
                    world.step(&step);
                }
            }
        }
        world.end();
    });
}
