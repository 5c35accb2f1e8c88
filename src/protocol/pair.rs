//! A sender and a receiver joined by a virtual wire, with a virtual disk behind:
//! whatever is done to the wire, what is stored equals what was sent.

mod devices;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use proptest::prelude::*;

use super::block::Block;
use super::frame::Frame;
use super::id::{FileId, ServerId, Token};
use super::live::Wish;
use super::manifest::{Limits, Manifest};
use super::message::ServerMessage;
use super::ranges::RangeSet;
use super::receiver::{self, Opening, Receiver, Settings};
use super::recorder::What;
use super::sender::{self, Key, Note, Row, RowState, Sender};
use super::trouble::Trouble;
use super::{Generation, StreamId, Time};
use crate::protocol::id::ClientId;
use crate::protocol::message::ClientMessage;
use crate::verify::{BLOCK, BlockHash, Proof, Root, block, block_len, blocks};

/// What the server has on disk of one upload.
#[derive(Debug, Default)]
struct Part {
    path: String,
    size: u64,
    token: Option<Token>,
    /// Tokens that stood for it before.
    replaced: Vec<Token>,
    ended: bool,
    bytes: Vec<u8>,
    durable: BTreeMap<u64, BlockHash>,
    stored: Option<Root>,
}

#[derive(Debug)]
struct World {
    now: Time,
    files: BTreeMap<Key, Vec<u8>>,
    sender: Sender,
    receiver: Option<Receiver>,
    parts: Vec<Part>,
    /// Who holds which part, and to whom one is offered.
    streams: BTreeMap<StreamId, usize>,
    offers: BTreeMap<StreamId, (usize, Manifest, Token)>,
    up: VecDeque<Vec<u8>>,
    down: VecDeque<ServerMessage>,
    reads: VecDeque<(Key, u64, Range<u64>)>,
    sent: u64,
    damage: u32,
}

impl World {
    fn new() -> Self {
        Self {
            now: Time::ZERO,
            files: BTreeMap::new(),
            sender: Sender::new(Key(0), [1; 32]),
            receiver: None,
            parts: Vec::new(),
            streams: BTreeMap::new(),
            offers: BTreeMap::new(),
            up: VecDeque::new(),
            down: VecDeque::new(),
            reads: VecDeque::new(),
            sent: 0,
            damage: 0,
        }
    }

    fn add(&mut self, path: &str, content: Vec<u8>) -> Key {
        let key = self.sender.add(manifest(path, &content));
        self.files.insert(key, content);
        key
    }

    fn connect(&mut self) {
        self.disconnect();
        let mut receiver = Receiver::new(Settings {
            server: ServerId::from_bytes([0; 16]),
            limits: Limits::default(),
            share: 1024 * 1024,
            heartbeat: Duration::from_secs(5),
            cadence: receiver::Cadence::default(),
        });
        let hello = ClientMessage::Hello {
            version: super::VERSION,
            client: ClientId::from_bytes([0; 16]),
            generation: Generation(1),
        };
        receiver.message(hello.encode().into(), self.now);
        self.receiver = Some(receiver);
    }

    /// The wire breaks; the server notices at once or never.
    fn disconnect(&mut self) {
        if let Some(mut receiver) = self.receiver.take() {
            receiver.disconnected();
            self.carry_out(&mut receiver);
        }
        self.up.clear();
        self.down.clear();
        self.sender.disconnected();
    }

    fn carry_out(&mut self, receiver: &mut Receiver) {
        while let Some(effect) = receiver.poll_effect() {
            match effect {
                receiver::Effect::Greeted(..)
                | receiver::Effect::Watch(_)
                | receiver::Effect::Unwatch(_)
                | receiver::Effect::Standby(_) => {}
                receiver::Effect::Open {
                    stream,
                    manifest,
                    token,
                    begun,
                    verify,
                } => {
                    let known = self.parts.iter().position(|p| p.token == Some(token));
                    let replaced = self.parts.iter().find(|p| p.replaced.contains(&token));
                    let opening = match (known, replaced) {
                        (Some(index), _) if self.parts[index].ended => Some(Opening::Gone),
                        (Some(index), _) => Some(self.grant(stream, index)),
                        (None, Some(part)) if begun && part.stored.is_some() => None,
                        (None, _) if begun => Some(Opening::Gone),
                        (None, _) => Some(match self.resting(&manifest).filter(|_| verify) {
                            Some(index) => self.offer(stream, index, manifest, token),
                            None => self.begin(stream, &manifest, token),
                        }),
                    };
                    match opening {
                        Some(opening) => receiver.opened(stream, opening, self.now),
                        None => receiver.failed(stream, Trouble::Elsewhere),
                    }
                }
                receiver::Effect::Settle { stream, proven } => {
                    let (index, manifest, token) = self.offers[&stream].clone();
                    let opening = if proven {
                        let part = &mut self.parts[index];
                        part.replaced.extend(part.token.replace(token));
                        self.grant(stream, index)
                    } else {
                        self.begin(stream, &manifest, token)
                    };
                    receiver.opened(stream, opening, self.now);
                }
                receiver::Effect::Write {
                    stream,
                    offset,
                    payload,
                } => {
                    let part = &mut self.parts[self.streams[&stream]];
                    let start = offset as usize;
                    part.bytes[start..start + payload.len()].copy_from_slice(&payload);
                    let index = offset / BLOCK;
                    let end = index * BLOCK + block_len(index, part.size);
                    let mut hashes = Vec::new();
                    if offset + payload.len() as u64 == end {
                        let bytes = &part.bytes[(index * BLOCK) as usize..end as usize];
                        hashes.push((index, block::hash(index, part.size, bytes)));
                    }
                    receiver.written(stream, payload.len() as u64, &hashes, self.now);
                }
                receiver::Effect::Commit { stream, blocks } => {
                    self.parts[self.streams[&stream]].durable.extend(blocks);
                    receiver.committed(stream, self.now);
                }
                receiver::Effect::Seal { stream, root } => {
                    let index = self.streams[&stream];
                    self.streams.remove(&stream);
                    self.parts[index].stored = Some(root);
                    let id = FileId::from_bytes([index as u8; 16]);
                    receiver.sealed(stream, id, String::new(), root);
                }
                receiver::Effect::Release(stream) => {
                    self.streams.remove(&stream);
                    receiver.released(stream);
                }
                receiver::Effect::Abort(stream) => {
                    if let Some(index) = self.streams.remove(&stream) {
                        self.parts[index].ended = true;
                    }
                    receiver.aborted(stream);
                }
                receiver::Effect::Close(code) => unreachable!("the server closed with {code:?}"),
            }
        }
    }

    fn begin(&mut self, stream: StreamId, manifest: &Manifest, token: Token) -> Opening {
        self.parts.push(Part {
            path: manifest.path.clone(),
            token: Some(token),
            size: manifest.size,
            bytes: vec![0; manifest.size as usize],
            ..Part::default()
        });
        self.grant(stream, self.parts.len() - 1)
    }

    fn grant(&mut self, stream: StreamId, index: usize) -> Opening {
        let part = &self.parts[index];
        let id = FileId::from_bytes([index as u8; 16]);
        if let Some(root) = part.stored {
            let path = String::new();
            return Opening::Stored { id, path, root };
        }
        self.streams.insert(stream, index);
        Opening::Granted {
            id,
            blocks: part.durable.iter().map(|(b, h)| (*b, *h)).collect(),
        }
    }

    fn resting(&self, manifest: &Manifest) -> Option<usize> {
        let fits = |(index, part): &(usize, &Part)| {
            let held = self.streams.values().any(|i| i == index);
            part.path == manifest.path
                && part.size == manifest.size
                && Proof::is_possible(part.size)
                && !(held || part.ended || part.stored.is_some() || part.durable.is_empty())
        };
        let parts = self.parts.iter().enumerate().filter(fits);
        let (index, _) = parts.max_by_key(|(_, part)| part.durable.len())?;
        Some(index)
    }

    fn offer(
        &mut self,
        stream: StreamId,
        index: usize,
        manifest: Manifest,
        token: Token,
    ) -> Opening {
        self.offers.insert(stream, (index, manifest, token));
        Opening::Matched {
            challenge: [self.offers.len() as u8; 32],
            blocks: self.parts[index].durable.clone().into_iter().collect(),
        }
    }

    /// One small thing happens; whether anything did.
    fn step(&mut self) -> bool {
        while let Some(effect) = self.sender.poll_effect() {
            match effect {
                sender::Effect::Read { key, slice, range } => {
                    self.reads.push_back((key, slice, range));
                }
                sender::Effect::Keep(key) => self.sender.kept(key),
                sender::Effect::Forget(..) | sender::Effect::Release(_) => {}
            }
        }
        if let Some((key, slice, range)) = self.reads.pop_front() {
            let file = &self.files[&key];
            let bytes = &file[range.start as usize..range.end as usize];
            for block in Block::of(range.start, file.len() as u64, bytes) {
                self.sender.read(key, slice, Ok(block), self.now);
            }
            return true;
        }
        let Some(mut receiver) = self.receiver.take() else {
            return !self.reads.is_empty();
        };
        let mut moved = false;
        if let Some(message) = self.sender.poll_transmit(64 * 1024, None) {
            self.up.push_back(message.into_owned());
            moved = true;
        }
        if let Some(mut message) = self.up.pop_front() {
            if let Ok(Frame::Data { payload, .. }) = Frame::parse(message.clone().into()) {
                self.sent += payload.len() as u64;
                if self.damage > 0 {
                    self.damage -= 1;
                    if let Some(byte) = message.last_mut() {
                        *byte ^= 1;
                    }
                }
            }
            receiver.message(message.into(), self.now);
            moved = true;
        }
        self.carry_out(&mut receiver);
        while let Some(message) = receiver.poll_send() {
            self.down.push_back(message);
        }
        if let Some(message) = self.down.pop_front() {
            match message {
                ServerMessage::Welcome { limits, credit, .. } => {
                    self.sender
                        .connected(limits, credit, Duration::ZERO, self.now);
                }
                message => self.sender.message(message, self.now, 0),
            }
            moved = true;
        }
        self.now += Duration::from_millis(1);
        receiver.tick(self.now);
        self.sender.tick(self.now);
        self.receiver = Some(receiver);
        moved
    }

    fn run(&mut self) {
        // Nothing moving for half a second: longer than the cadence of commits.
        let mut still = 0;
        while still < 500 {
            still = if self.step() { 0 } else { still + 1 };
        }
    }

    fn rows(&self) -> Vec<Row> {
        self.sender.rows(self.now)
    }

    fn states(&self) -> Vec<RowState> {
        self.rows().iter().map(|row| row.state).collect()
    }

    fn check_stored(&self) {
        let rows = self.rows();
        assert_eq!(rows.len(), self.files.len());
        for row in rows {
            let content = &self.files[&row.key];
            assert_eq!(row.state, RowState::Stored, "{row:?}");
            assert_eq!(row.durable, row.size);
            let digest = Root(*blake3::hash(content).as_bytes());
            assert_eq!(row.digest, Some(digest));
            let stored = |p: &&Part| p.stored == Some(digest) && p.bytes == *content;
            assert!(self.parts.iter().any(|p| stored(&p)));
        }
    }
}

fn manifest(path: &str, content: &[u8]) -> Manifest {
    Manifest {
        path: path.into(),
        size: content.len() as u64,
        modified: None,
        media_type: String::new(),
    }
}

fn content(size: u64, seed: u64) -> Vec<u8> {
    (0..size)
        .map(|i| (i.wrapping_mul(seed * 2 + 1) >> 3) as u8)
        .collect()
}

#[test]
fn files_of_every_length_arrive() {
    let mut world = World::new();
    for (seed, size) in (0..).zip([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5, 0]) {
        world.add("a", content(size, seed));
    }
    world.connect();
    world.run();
    world.check_stored();
}

#[test]
fn after_a_cut_only_what_is_not_durable_is_sent_again() {
    let mut world = World::new();
    let size = 8 * BLOCK;
    world.add("a", content(size, 1));
    world.connect();
    while world.rows()[0].received < 4 * BLOCK {
        world.step();
    }
    world.connect();
    world.run();
    world.check_stored();
    // The window of a connection is in flight at most, and one block half received.
    assert!(
        world.sent <= size + 2 * BLOCK,
        "{} bytes were sent",
        world.sent
    );
}

#[test]
fn a_damaged_block_is_sent_again_and_no_other() {
    let mut world = World::new();
    world.add("a", content(5 * BLOCK, 1));
    world.damage = 2;
    world.connect();
    world.run();
    world.check_stored();
    assert!(world.sent <= 7 * BLOCK, "{} bytes were sent", world.sent);
}

#[test]
fn a_damaged_block_waits_for_the_end_of_the_one_under_way() {
    let mut world = World::new();
    world.add("a", content(2 * BLOCK, 1));
    world
        .sender
        .connected(Limits::default(), 4 * BLOCK, Duration::ZERO, world.now);
    // Without a server a step only reads, and keeps what is to be kept.
    while world.step() {}
    let stream = super::StreamId(0);
    let opened = ServerMessage::Opened {
        stream,
        id: FileId::from_bytes([1; 16]),
        have: RangeSet::new(),
    };
    world.sender.message(opened, world.now, 0);
    let mut offsets = Vec::new();
    while offsets.len() < 12 {
        while world.step() {}
        let message = world.sender.poll_transmit(BLOCK as usize / 4, None);
        if let Some(Ok(Frame::Data { offset, .. })) =
            message.map(|m| Frame::parse(m.into_owned().into()))
        {
            offsets.push(offset * 4 / BLOCK);
        }
        if offsets.len() == 5 {
            let nack = ServerMessage::Nack { stream, block: 0 };
            world.sender.message(nack, world.now, 0);
        }
    }
    assert_eq!(offsets, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]);
}

#[test]
fn after_a_reload_the_same_file_continues_and_another_is_refused() {
    let mut world = World::new();
    let mut original = content(6 * BLOCK, 1);
    let key = world.add("a", original.clone());
    world.connect();
    while world.rows()[0].durable < 2 * BLOCK {
        world.step();
    }
    world.disconnect();
    let record = world.sender.record(key);
    world.sender = Sender::new(Key(0), [1; 32]);
    let sent = world.sent;
    let durable = world.parts[0].durable.len() as u64 * BLOCK;
    let key = record.map(|r| world.sender.restore(r)).unwrap_or_default();
    assert_eq!(world.states(), [RowState::NeedsFile]);

    original[7] ^= 1;
    world.files = BTreeMap::from([(key, original.clone())]);
    assert!(world.sender.provide(key, manifest("a", &original)));
    world.connect();
    world.run();
    assert_eq!(world.states(), [RowState::NeedsFile]);
    assert_eq!(
        world.rows()[0].trouble,
        Some(super::trouble::Trouble::Different)
    );
    assert_eq!(world.sent, sent, "bytes of a changed file were sent");

    original[7] ^= 1;
    world.files = BTreeMap::from([(key, original.clone())]);
    assert!(world.sender.provide(key, manifest("a", &original)));
    world.run();
    world.check_stored();
    assert_eq!(world.sent - sent, 6 * BLOCK - durable);
}

#[test]
fn an_upload_that_has_its_file_goes_on_when_it_is_given_again() {
    let mut world = World::new();
    let file = content(4 * BLOCK, 1);
    let key = world.add("a", file.clone());
    world.connect();
    while world.rows()[0].durable == 0 {
        world.step();
    }
    assert!(!world.sender.provide(key, manifest("a", &file)));
    assert!(!world.sender.provide(key, manifest("a", &file[1..])));
    world.run();
    world.check_stored();
    assert!(!world.sender.provide(key, manifest("a", &file)));
}

#[test]
fn limits_of_an_earlier_connection_refuse_nothing() {
    let mut world = World::new();
    let strict = Limits {
        max_file_size: Some(1),
        ..Limits::default()
    };
    world.sender.connected(strict, 0, Duration::ZERO, world.now);
    let key = world.add("a", content(2, 1));
    assert_eq!(world.states(), [RowState::Failed]);
    world.disconnect();
    world.sender.retry(key);
    assert!(world.sender.interest());
    world.connect();
    world.run();
    world.check_stored();
}

#[test]
fn paused_resumed_and_cancelled() {
    let mut world = World::new();
    let a = world.add("a", content(4 * BLOCK, 1));
    let b = world.add("b", content(4 * BLOCK, 2));
    world.connect();
    while world.rows().iter().any(|row| row.received < BLOCK) {
        world.step();
    }
    world.sender.pause(a);
    assert!(world.sender.is_leaving());
    world.sender.cancel(b);
    world.files.remove(&b);
    world.run();
    assert!(!world.sender.is_leaving());
    assert_eq!(world.states(), [RowState::Paused]);
    assert!(!world.sender.interest());
    // What was verified at the pause became durable, and the row says so.
    let durable = world.parts[0].durable.len() as u64 * BLOCK;
    assert!(durable > 0);
    assert_eq!(world.rows()[0].durable, durable);
    world.sender.resume(a);
    world.run();
    world.check_stored();
}

#[test]
fn what_somebody_asks_from_elsewhere_is_done_as_if_its_person_wanted_it() {
    let mut world = World::new();
    let key = world.add("a", content(64 * BLOCK, 1));
    world.connect();
    while world.rows()[0].durable < BLOCK {
        world.step();
    }
    let id = world.rows()[0].id.unwrap_or(FileId::from_bytes([9; 16]));
    let ask = |world: &mut World, wish| {
        let receiver = world.receiver.as_mut();
        receiver.into_iter().for_each(|it| it.ask(id, wish));
    };
    // Only the last wish counts of those that are on their way.
    ask(&mut world, Wish::Resume);
    ask(&mut world, Wish::Pause);
    world.run();
    let row = &world.rows()[0];
    assert_eq!(
        (row.state, row.note),
        (RowState::Paused, Some(Note::PausedElsewhere))
    );
    assert!(row.durable < row.size);
    assert!(world.sender.interest(), "it stays there to be resumed");
    // On a new connection, too.
    world.disconnect();
    assert_eq!(world.states(), [RowState::Paused]);
    world.connect();
    world.run();
    ask(&mut world, Wish::Resume);
    world.run();
    world.check_stored();
    assert_eq!(world.rows()[0].note, Some(Note::Continued));
    assert!(!world.sender.interest());
    let marks = world
        .sender
        .flight(key, world.now)
        .map(|flight| flight.marks);
    let marks: Vec<What> = marks.into_iter().flatten().map(|mark| mark.what).collect();
    assert!(
        marks.contains(&What::Paused { elsewhere: true }),
        "{marks:?}"
    );
    assert!(
        marks.contains(&What::Resumed { elsewhere: true }),
        "{marks:?}"
    );
    assert_eq!(marks.last(), Some(&What::Stored));
}

#[test]
fn a_flight_knows_every_byte() {
    let mut world = World::new();
    let size = 6 * BLOCK;
    let key = world.add("a", content(size, 1));
    world.connect();
    world.damage = 1;
    while world.rows()[0].durable < 2 * BLOCK {
        world.step();
        world.sender.transmitted(1, world.now);
    }
    world.disconnect();
    world.connect();
    while world.step() {
        world.sender.transmitted(1, world.now);
    }
    world.run();
    world.check_stored();
    let flight = world.sender.flight(key, world.now).unwrap_or_default();
    assert_eq!(flight.totals.sent, world.sent);
    assert_eq!(flight.totals.sent - flight.totals.again, size);
    assert_eq!(flight.totals.damaged, 1);
    assert!(flight.totals.again >= BLOCK);
    let total: u64 = flight.samples.iter().map(|sample| sample.received).sum();
    assert_eq!(total, flight.totals.received);
}

#[test]
fn what_is_dismissed_stays_on_the_server_and_makes_room() {
    let mut world = World::new();
    let a = world.add("a", content(8 * BLOCK, 1));
    world.connect();
    while world.rows()[0].durable < 2 * BLOCK {
        world.step();
    }
    let record = world.sender.record(a);
    world.sender.dismiss(a);
    let file = world.files.remove(&a).unwrap_or_default();
    world.run();
    assert!(world.rows().is_empty() && !world.sender.interest());
    assert!(!world.parts[0].durable.is_empty());
    let again = record.map(|r| world.sender.restore(r)).unwrap_or_default();
    world.sender.provide(again, manifest("a", &file));
    world.files.insert(again, file);
    world.run();
    world.check_stored();
    assert_eq!(world.parts.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_done_everything_arrives(
        sizes in prop::collection::vec(0..3 * BLOCK, 1..6),
        troubles in prop::collection::vec((1usize..400, 0u8..4), 0..8),
    ) {
        let mut world = World::new();
        for (seed, size) in (0..).zip(&sizes) {
            world.add("a", content(*size, seed));
        }
        world.connect();
        for (steps, trouble) in troubles {
            for _ in 0..steps {
                world.step();
                for row in world.rows() {
                    let durable: u64 = world.parts.iter().map(|p| {
                        p.durable.keys().map(|b| block_len(*b, p.size)).sum::<u64>()
                    }).sum();
                    prop_assert!(row.durable <= row.received && row.durable <= durable);
                    prop_assert!(row.received <= row.size);
                }
            }
            match trouble {
                0 => world.disconnect(),
                1 => world.connect(),
                2 => world.damage += 1,
                _ => {
                    for key in world.sender.keys() {
                        world.sender.pause(key);
                    }
                }
            }
        }
        world.connect();
        for key in world.sender.keys() {
            world.sender.resume(key);
        }
        world.damage = 0;
        world.run();
        world.check_stored();
        prop_assert!(!world.sender.interest());
        prop_assert_eq!(world.receiver.map(|r| r.open_streams()), Some(0));
        prop_assert!(sizes.iter().all(|size| blocks(*size) < 4));
    }
}
