//! One client: drives the real client's half of the protocol as the engines do, with a
//! journal that outlives it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use longhaul::protocol::block::Block;
use longhaul::protocol::client::Client as Half;
use longhaul::protocol::close::CloseCode;
use longhaul::protocol::connection::Event as Happening;
use longhaul::protocol::id::{ClientId, Token};
use longhaul::protocol::sender::{Key, ReadError, Record, Sender};
use longhaul::protocol::{Generation, Time};

use super::network::{Cargo, LinkId, Side, Way};
use super::server::bytes;
use super::source::Picked;
use super::world::World;

#[derive(Debug)]
pub struct Client {
    /// Counts its engines: a reload makes another.
    pub engine: u64,
    pub half: Half,
    pub socket: Option<(Generation, LinkId)>,
    /// What became of every socket of this engine.
    pub sockets: BTreeMap<Generation, Socket>,
    pub journal: BTreeMap<Token, (Record, Picked)>,
    /// Changes of the journal that are under way, in order.
    pub writing: VecDeque<Entry>,
    /// When the last of them is made.
    pub journal_at: Time,
    pub sources: BTreeMap<Key, Picked>,
    /// Reads under way.
    pub reading: u32,
    pub way: Way,
    /// How late its timers are.
    pub lateness: Duration,
    pub armed: Option<Time>,
    pub stamp: u64,
    /// It takes nothing in until then; what happens meanwhile waits.
    pub frozen_until: Time,
    pub backlog: VecDeque<Input>,
    /// It reaches nobody until then.
    pub unplugged: Time,
    /// How far its clock is ahead of the world's.
    pub ahead: Duration,
    /// How many of its next messages are damaged on their way.
    pub damage: u32,
    /// Which files shall arrive, as it was told.
    pub wanted: Vec<usize>,
    pub cancelled: Vec<usize>,
}

/// What became of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    Connecting,
    Open,
    /// Closed by the client, and by nobody else yet.
    Closing,
    Closed,
}

/// What comes in.
#[derive(Debug)]
pub enum Input {
    Opened(Generation),
    Message(Generation, Bytes),
    Closed(Generation, CloseCode),
    Read(Key, u64, Result<Block, ReadError>),
    Kept(Key),
    Timer,
    Page(Happening),
    Wish(Wish),
}

/// What a person wants.
#[derive(Clone, Debug)]
pub enum Wish {
    Add(usize),
    Provide(Key, Picked),
    Pause(Key),
    Resume(Key),
    Retry(Key),
    Cancel(Key),
    Clear,
}

/// A change of the journal.
#[derive(Clone, Debug)]
pub enum Entry {
    Keep(Key, Box<(Record, Picked)>),
    Forget(Token),
}

impl Client {
    pub fn new(way: Way, lateness: Duration) -> Self {
        Self {
            engine: 0,
            half: Half::new(
                ClientId::from_bytes([0; 16]),
                Sender::new(Key(0), [0; 32]),
                true,
            ),
            socket: None,
            sockets: BTreeMap::new(),
            journal: BTreeMap::new(),
            writing: VecDeque::new(),
            journal_at: Time::ZERO,
            sources: BTreeMap::new(),
            reading: 0,
            way,
            lateness,
            armed: None,
            stamp: 0,
            frozen_until: Time::ZERO,
            backlog: VecDeque::new(),
            unplugged: Time::ZERO,
            ahead: Duration::ZERO,
            damage: 0,
            wanted: Vec::new(),
            cancelled: Vec::new(),
        }
    }

    /// Changes the journal.
    pub fn write(&mut self, entry: Entry) {
        match entry {
            Entry::Keep(_, both) => _ = self.journal.insert(both.0.token, *both),
            Entry::Forget(token) => _ = self.journal.remove(&token),
        }
    }
}

impl World {
    /// Another engine: the memory of the one before is gone, the journal is not.
    pub fn new_engine(&mut self, number: usize) {
        let id = ClientId::from_bytes(bytes(self.server.fresh()));
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&self.chance.next().to_le_bytes());
        let client = &mut self.clients[number];
        client.engine += 1;
        // What a page had begun to write as it went may be lost.
        let writing = std::mem::take(&mut client.writing);
        let written = self.chance.index(writing.len() + 1);
        for entry in writing.into_iter().take(written) {
            client.write(entry);
        }
        let online = client.half.connection().online();
        client.half = Half::new(id, Sender::new(Key(0), secret), online);
        client.socket = None;
        client.sockets.clear();
        client.sources.clear();
        client.reading = 0;
        client.armed = None;
        client.backlog.clear();
        client.frozen_until = self.now;
        let mut records: Vec<_> = client.journal.values().cloned().collect();
        records.sort_by_key(|(record, _)| record.order);
        for (record, picked) in records {
            let key = self.clients[number].half.sender.restore(record);
            // Where the browser kept a handle that it may read without asking.
            let now = Picked {
                source: picked.source,
                version: self.sources[picked.source].versions.len() - 1,
            };
            if self.chance.percent(50) && !self.sources[now.source].vanished {
                self.provide(number, key, now);
            }
        }
        self.carry_out(number);
    }

    fn provide(&mut self, number: usize, key: Key, picked: Picked) {
        let manifest = self.sources[picked.source].manifest();
        let client = &mut self.clients[number];
        if client.half.sender.provide(key, manifest) {
            client.sources.insert(key, picked);
        }
    }

    /// Something reaches a client's end of a connection.
    pub fn client_arrival(&mut self, link: LinkId, cargo: Cargo) {
        let this = &mut self.links[link];
        let Some((client, engine)) = this.client else {
            return;
        };
        let generation = this.generation;
        if this.client_done {
            return;
        }
        if self.clients[client].engine != engine {
            this.client_done = true;
            return self.send(link, Side::Server, Cargo::End);
        }
        let input = match cargo {
            Cargo::Binary(bytes) => Input::Message(generation, bytes),
            // The browser answers these itself, however busy the page is.
            Cargo::Ping => return self.send(link, Side::Server, Cargo::Pong),
            Cargo::Pong => return,
            Cargo::Close(code) => {
                this.client_done = true;
                self.send(link, Side::Server, Cargo::Close(code));
                Input::Closed(generation, code)
            }
            Cargo::End => {
                this.client_done = true;
                Input::Closed(generation, CloseCode::Broken)
            }
        };
        self.input(client, input);
    }

    pub fn opened(&mut self, link: LinkId) {
        let this = &self.links[link];
        let Some((client, engine)) = this.client else {
            return;
        };
        if this.client_done || this.lost || self.clients[client].engine != engine {
            return;
        }
        let generation = this.generation;
        self.input(client, Input::Opened(generation));
    }

    /// A client takes something in, or will once it thaws.
    pub fn input(&mut self, number: usize, input: Input) {
        let client = &mut self.clients[number];
        if client.frozen_until > self.now {
            return client.backlog.push_back(input);
        }
        self.take(number, input);
        self.carry_out(number);
    }

    pub fn thaw(&mut self, number: usize) {
        if self.clients[number].frozen_until > self.now {
            return;
        }
        while let Some(input) = self.clients[number].backlog.pop_front() {
            self.take(number, input);
            self.carry_out(number);
        }
    }

    pub fn clock(&self, number: usize) -> Time {
        self.now + self.clients[number].ahead
    }

    pub fn happen(&mut self, number: usize, event: Happening) {
        let (now, random) = (self.clock(number), self.chance.next());
        self.clients[number].half.happen(event, now, random);
    }

    fn take(&mut self, number: usize, input: Input) {
        let now = self.clock(number);
        match input {
            Input::Opened(generation) => {
                if let Some(socket @ Socket::Connecting) =
                    self.clients[number].sockets.get_mut(&generation)
                {
                    *socket = Socket::Open;
                }
                let random = self.chance.next();
                self.clients[number].half.opened(generation, now, random);
            }
            Input::Message(generation, bytes) => {
                let random = self.chance.next();
                let half = &mut self.clients[number].half;
                if let Some(message) = half.hear(generation, bytes, now, random) {
                    self.say(|| format!("client {number} hears {message:?}"));
                    let random = self.chance.next();
                    self.clients[number].half.message(message, now, random);
                }
            }
            Input::Closed(generation, code) => {
                self.clients[number]
                    .sockets
                    .insert(generation, Socket::Closed);
                self.happen(number, Happening::Closed(generation, code));
            }
            Input::Read(key, slice, outcome) => {
                let client = &mut self.clients[number];
                client.reading -= 1;
                client.half.sender.read(key, slice, outcome, now);
            }
            Input::Kept(key) => self.clients[number].half.sender.kept(key),
            Input::Timer => {
                self.clients[number].armed = None;
                let random = self.chance.next();
                self.clients[number].half.tick(now, random);
            }
            Input::Page(event) => self.happen(number, event),
            Input::Wish(wish) => self.fulfil(number, wish),
        }
    }

    fn fulfil(&mut self, number: usize, wish: Wish) {
        let client = &mut self.clients[number];
        match wish {
            Wish::Add(source) => {
                let manifest = self.sources[source].manifest();
                let picked = Picked {
                    source,
                    version: self.sources[source].versions.len() - 1,
                };
                // As the engine: it may be what an upload waits for.
                let needy = client
                    .half
                    .sender
                    .needs_file()
                    .find(|(_, m)| **m == manifest);
                match needy.map(|(key, _)| key) {
                    Some(key) => self.provide(number, key, picked),
                    None => {
                        let key = client.half.sender.add(manifest);
                        client.sources.insert(key, picked);
                    }
                }
            }
            Wish::Provide(key, picked) => self.provide(number, key, picked),
            Wish::Pause(key) => client.half.sender.pause(key),
            Wish::Resume(key) => client.half.sender.resume(key),
            Wish::Retry(key) => client.half.sender.retry(key),
            Wish::Cancel(key) => client.half.sender.cancel(key),
            Wish::Clear => client.half.sender.clear(),
        }
    }
}

/// A read under way: whose, its name, which file, which bytes.
pub type Reading = (Key, u64, Picked, Range<u64>);
