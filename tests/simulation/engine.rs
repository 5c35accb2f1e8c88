//! Carries out what a client's half wants, as the engines do.

use std::time::Duration;

use bytes::Bytes;
use longhaul::protocol::client::Effect;
use longhaul::protocol::message::ClientMessage;
use longhaul::protocol::sender;
use longhaul::verify::BLOCK;

use super::client::{Entry, Input, Reading};
use super::network::{Cargo, Side, damaged};
use super::world::{Event, World};

/// How soon to look again whether the socket has room.
const ROOM: Duration = Duration::from_millis(8);

impl World {
    /// Carries out what a client's half wants.
    pub fn carry_out(&mut self, number: usize) {
        let (now, random) = (self.clock(number), self.chance.next());
        let half = &mut self.clients[number].half;
        half.needed(half.sender.interest(), now, random);
        while let Some(effect) = self.clients[number].half.poll() {
            self.effect(number, effect);
        }
        let blocked = self.transmit(number);
        self.check_rows(number);
        self.arm(number, blocked);
    }

    fn effect(&mut self, number: usize, effect: Effect) {
        if let Effect::Upload(effect) = effect {
            return self.upload_effect(number, effect);
        }
        self.check_socket(number, &effect);
        self.say(|| format!("client {number}: {effect:?}"));
        let socket = self.clients[number].socket;
        let link = |generation| socket.filter(|s| s.0 == generation).map(|s| s.1);
        match effect {
            Effect::Open(generation) => {
                let link = self.dial(number, generation);
                self.clients[number].socket = Some((generation, link));
            }
            Effect::Send(generation, message) => {
                if let Some(link) = link(generation) {
                    self.send(link, Side::Server, Cargo::Binary(message.into()));
                }
            }
            Effect::Close(generation, code) => {
                if let Some(link) = link(generation) {
                    self.send(link, Side::Server, Cargo::Close(code));
                }
            }
            Effect::Forget(generation) => {
                let socket = &mut self.clients[number].socket;
                socket.take_if(|s| s.0 == generation);
            }
            Effect::Lane(..) | Effect::Upload(_) => {}
        }
    }

    fn upload_effect(&mut self, number: usize, effect: sender::Effect) {
        use sender::Effect;
        let client = &mut self.clients[number];
        let engine = client.engine;
        match effect {
            Effect::Read { key, slice, range } => {
                if let Some(picked) = client.sources.get(&key).copied() {
                    // Block by block, in order.
                    let mut at = self.now;
                    for start in range.clone().step_by(BLOCK as usize) {
                        let block = start..range.end.min(start + BLOCK);
                        at += self
                            .chance
                            .span(Duration::from_micros(20), self.plan.reading);
                        self.clients[number].reading += 1;
                        let read = Event::Read(number, engine, (key, slice, picked, block));
                        self.at(at, read);
                    }
                }
            }
            Effect::Keep(key) => {
                let record = client.half.sender.record(key);
                let before = record.as_ref().and_then(|r| client.journal.get(&r.token));
                let picked = client.sources.get(&key).copied();
                match record.zip(picked.or(before.map(|(_, picked)| *picked))) {
                    Some(both) => self.write_down(number, Entry::Keep(key, Box::new(both))),
                    None => client.half.sender.kept(key),
                }
            }
            Effect::Forget(_, token) => {
                self.check_forgotten(number, token);
                self.write_down(number, Entry::Forget(token));
            }
            Effect::Release(key) => _ = client.sources.remove(&key),
        }
    }

    /// Changes of a journal are made in order, a little later.
    fn write_down(&mut self, number: usize, entry: Entry) {
        let delay = self
            .chance
            .span(Duration::from_micros(100), self.plan.reading);
        let at = (self.now + delay).max(self.clients[number].journal_at + Duration::from_nanos(1));
        self.clients[number].journal_at = at;
        self.clients[number].writing.push_back(entry);
        self.at(at, Event::Kept(number, self.clients[number].engine));
    }

    pub fn kept(&mut self, number: usize) {
        let Some(entry) = self.clients[number].writing.pop_front() else {
            return;
        };
        let key = match &entry {
            Entry::Keep(key, _) => Some(*key),
            Entry::Forget(_) => None,
        };
        self.clients[number].write(entry);
        if let Some(key) = key {
            self.input(number, Input::Kept(key));
        }
    }

    pub fn read_done(&mut self, number: usize, (key, slice, picked, range): Reading) {
        let source = &self.sources[picked.source];
        let outcome = source.read(picked.version, range.start / BLOCK);
        self.input(number, Input::Read(key, slice, outcome));
    }

    /// Hands messages to the socket while credit and its queue allow; whether it has
    /// no room for more.
    fn transmit(&mut self, number: usize) -> bool {
        let client = &self.clients[number];
        let (Some(pace), Some((_, link))) = (client.half.pace(self.clock(number)), client.socket)
        else {
            return false;
        };
        let payload = pace.payload.min(self.plan.payload);
        let queue = pace.queue.min(self.plan.queue);
        while self.links[link].buffered(Side::Server, self.now) < queue {
            let client = &mut self.clients[number];
            let Some(message) = client.half.poll_transmit(payload) else {
                return false;
            };
            let mut message = Bytes::from(message.into_owned());
            self.check_written_down(number, &message);
            let client = &mut self.clients[number];
            let fragile = message.first() == Some(&1) || is_hash(&message);
            if client.damage > 0 && fragile {
                client.damage -= 1;
                let anywhere = self.chance.percent(20);
                self.links[link].hurt |= anywhere;
                self.links[link].garbled |= anywhere;
                message = damaged(&message, anywhere, &mut self.chance);
            }
            self.send(link, Side::Server, Cargo::Binary(message));
        }
        self.clients[number].half.sender.has_data()
    }

    /// Sets the one timer.
    fn arm(&mut self, number: usize, blocked: bool) {
        let now = self.clock(number);
        let client = &mut self.clients[number];
        let room = blocked.then_some(now + ROOM);
        let times = [client.half.timeout(), room];
        let Some(due) = times.into_iter().flatten().min() else {
            return;
        };
        if client.armed.is_some_and(|armed| armed <= due) {
            return;
        }
        client.armed = Some(due);
        client.stamp += 1;
        let (engine, stamp, lateness) = (client.engine, client.stamp, client.lateness);
        let late = self.chance.span(Duration::from_micros(100), lateness);
        let wait = due.saturating_sub(now) + late;
        self.at(self.now + wait, Event::Timer(number, engine, stamp));
    }

    /// Its clock jumps ahead, as after a sleep: what is due by then is due now.
    pub fn jump(&mut self, number: usize, by: Duration) {
        let moment = self.moment();
        let client = &mut self.clients[number];
        client.ahead += by;
        if client.armed.is_some() {
            let timer = Event::Timer(number, client.engine, client.stamp);
            self.at(self.now + moment, timer);
        }
    }

    pub fn timer(&mut self, number: usize, stamp: u64) {
        if self.clients[number].stamp == stamp {
            self.input(number, Input::Timer);
        }
    }
}

/// Whether a message carries the hash of a block.
fn is_hash(message: &Bytes) -> bool {
    let content = message.get(1..).unwrap_or_default();
    matches!(
        ClientMessage::decode(content),
        Ok(ClientMessage::BlockHash { .. })
    )
}
