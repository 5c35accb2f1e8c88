//! A virtual network: each connection is two pipes with a rate and a latency, in which
//! messages stay in order. Between connections nothing is in order.

use std::time::Duration;

use bytes::Bytes;
use longhaul::protocol::close::CloseCode;
use longhaul::protocol::frame::DATA_HEADER;
use longhaul::protocol::{Generation, Time};

use super::chance::Chance;
use super::world::{Event, World};

/// What every message costs besides its content, in bytes.
const OVERHEAD: u64 = 8;

pub type LinkId = usize;

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// What arrives at an end.
#[derive(Clone, Debug)]
pub enum Cargo {
    Binary(Bytes),
    Close(CloseCode),
    Ping,
    Pong,
    /// The connection is gone: nothing more arrives.
    End,
}

/// One connection.
#[derive(Debug)]
pub struct Link {
    /// Whose it is, and the engine that opened it; none for a ghost.
    pub client: Option<(usize, u64)>,
    pub generation: Generation,
    pub session: Option<u64>,
    up: Pipe,
    down: Pipe,
    /// Whether what is on its way is lost.
    pub lost: bool,
    /// Whether anything was ever done to it that an honest network does not do.
    pub hurt: bool,
    /// Whether a message was damaged anywhere, so that it may mean anything.
    pub garbled: bool,
    /// Whether each end is done with it.
    pub client_done: bool,
    pub server_done: bool,
    /// When anything but a sign of life moved on it last.
    pub moved: Time,
    /// What the client sent at its beginning, for a ghost to say it again.
    said: Vec<Bytes>,
}

#[derive(Clone, Debug, Default)]
struct Pipe {
    /// Bytes per second.
    rate: u64,
    latency: Duration,
    /// When all that was sent will have left.
    free_at: Time,
    /// When the last of it arrives.
    last: Time,
    sent: u64,
    /// After so many bytes the connection breaks.
    cut_at: Option<u64>,
    /// Whether everything vanishes in it.
    dead: bool,
}

impl Link {
    fn pipe(&mut self, to: Side) -> &mut Pipe {
        match to {
            Side::Server => &mut self.up,
            Side::Client => &mut self.down,
        }
    }

    /// How many bytes have not left the sender yet.
    pub fn buffered(&self, to: Side, now: Time) -> u64 {
        let pipe = match to {
            Side::Server => &self.up,
            Side::Client => &self.down,
        };
        let left = pipe.free_at.saturating_sub(now);
        (left.as_secs_f64() * pipe.rate as f64) as u64
    }

    /// Whether either direction is in motion or cannot be.
    pub fn busy(&self, now: Time) -> bool {
        self.up.last > now || self.down.last > now
    }
}

/// How fast and how far away the server is for one client.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub rate: u64,
    pub latency: Duration,
}

impl World {
    /// A client opens a connection.
    pub fn dial(&mut self, client: usize, generation: Generation) -> LinkId {
        let engine = self.clients[client].engine;
        let way = self.clients[client].way;
        let link = self.new_link(Some((client, engine)), generation, way);
        let offline = self.clients[client].unplugged > self.now;
        if !offline {
            let at = self.later(way.latency);
            self.at(at, Event::Accept(link));
        }
        link
    }

    fn new_link(
        &mut self,
        client: Option<(usize, u64)>,
        generation: Generation,
        way: Way,
    ) -> LinkId {
        let pipe = Pipe {
            rate: way.rate,
            latency: way.latency,
            ..Pipe::default()
        };
        self.links.push(Link {
            client,
            generation,
            session: None,
            up: pipe.clone(),
            down: pipe,
            lost: false,
            hurt: false,
            garbled: false,
            client_done: false,
            server_done: false,
            moved: self.now,
            said: Vec::new(),
        });
        self.links.len() - 1
    }

    /// Around that time from now, sometimes much later.
    fn later(&mut self, latency: Duration) -> Time {
        let latency = latency.mul_f64(0.8 + 0.4 * (self.chance.below(1000) as f64 / 1000.0));
        let late = self.plan.jitter && self.chance.percent(2);
        self.now + if late { latency * 20 } else { latency }
    }

    /// Sends something to an end of a connection.
    pub fn send(&mut self, link: LinkId, to: Side, cargo: Cargo) {
        let len = match &cargo {
            Cargo::Binary(bytes) => bytes.len() as u64,
            _ => 2,
        } + OVERHEAD;
        let latency = self.links[link].pipe(to).latency;
        let delay = self.later(latency) - self.now;
        let now = self.now;
        let this = &mut self.links[link];
        if to == Side::Server
            && let Cargo::Binary(bytes) = &cargo
            && this.said.len() < 8
        {
            this.said.push(bytes.clone());
        }
        let pipe = this.pipe(to);
        pipe.sent += len;
        pipe.free_at =
            pipe.free_at.max(now) + Duration::from_secs_f64(len as f64 / pipe.rate as f64);
        if pipe.cut_at.is_some_and(|at| pipe.sent > at) {
            pipe.cut_at = None;
            return self.cut(link);
        }
        if pipe.dead {
            return;
        }
        let at = (pipe.free_at + delay).max(pipe.last + Duration::from_nanos(1));
        pipe.last = at;
        self.at(at, Event::Arrive(link, to, cargo));
    }

    /// The connection breaks now. Each end hears of it soon, late, or never.
    pub fn cut(&mut self, link: LinkId) {
        let lost = self.chance.percent(50);
        let this = &mut self.links[link];
        this.hurt = true;
        this.up.dead = true;
        this.down.dead = true;
        this.lost |= lost;
        for side in [Side::Client, Side::Server] {
            if self.chance.percent(80) {
                let delay = self
                    .chance
                    .span(Duration::from_micros(10), Duration::from_secs(5));
                let at = (self.now + delay).max(self.links[link].pipe(side).last);
                self.at(at, Event::Arrive(link, side, Cargo::End));
            }
        }
    }

    /// The connection will break in the middle of what is sent next.
    pub fn cut_soon(&mut self, link: LinkId) {
        let after = self.chance.magnitude(1, 300_000);
        let side = self.either();
        let pipe = self.links[link].pipe(side);
        pipe.cut_at = Some(pipe.sent + after);
    }

    /// Everything vanishes, in one direction or in both, and nobody is told.
    pub fn silence(&mut self, link: LinkId) {
        let which = self.chance.below(3);
        let this = &mut self.links[link];
        this.hurt = true;
        this.up.dead |= which != 0;
        this.down.dead |= which != 1;
    }

    /// Nothing leaves for a while.
    pub fn stall(&mut self, link: LinkId) {
        let pause = self
            .chance
            .span(Duration::from_millis(100), Duration::from_secs(25));
        let (side, now) = (self.either(), self.now);
        let this = &mut self.links[link];
        this.hurt = true;
        let pipe = this.pipe(side);
        pipe.free_at = pipe.free_at.max(now) + pause;
    }

    /// What a client said at the beginning of a connection arrives once more, as another.
    pub fn duplicate(&mut self, link: LinkId) {
        let of = &self.links[link];
        let (generation, said) = (of.generation, of.said.clone());
        let way = Way {
            rate: 1 << 20,
            latency: Duration::from_millis(1),
        };
        let ghost = self.new_link(None, generation, way);
        self.links[ghost].hurt = true;
        let at = self.links[link].up.last.max(self.now);
        let delay = self
            .chance
            .span(Duration::from_micros(10), Duration::from_secs(20));
        self.at(at + delay, Event::Accept(ghost));
        for (step, bytes) in (1..).zip(said) {
            let at = at + delay + Duration::from_millis(step);
            self.at(at, Event::Arrive(ghost, Side::Server, Cargo::Binary(bytes)));
        }
    }

    fn either(&mut self) -> Side {
        if self.chance.percent(50) {
            Side::Server
        } else {
            Side::Client
        }
    }

    /// The handshake reaches the server.
    pub fn accept(&mut self, link: LinkId) {
        let latency = self.links[link].down.latency;
        let at = self.later(latency);
        if !self.server.up {
            // Refused by a machine that is there; a machine that is not says nothing.
            if self.chance.percent(70) {
                self.at(at, Event::Arrive(link, Side::Client, Cargo::End));
            }
            return;
        }
        self.welcome_session(link);
        if !self.links[link].down.dead {
            self.links[link].down.last = at;
            self.at(at, Event::Opened(link));
        }
    }

    /// Something reaches an end.
    pub fn arrive(&mut self, link: LinkId, side: Side, cargo: Cargo) {
        let now = self.now;
        let this = &mut self.links[link];
        let end = matches!(cargo, Cargo::End);
        if this.lost && !end {
            return;
        }
        // Signs of life are two bytes.
        if matches!(&cargo, Cargo::Binary(bytes) if bytes.len() > 2) {
            this.moved = now;
        }
        match side {
            Side::Server => match this.session {
                Some(session) if !this.server_done => self.session_arrival(session, cargo),
                // Nobody is there any more, and the sender is told so.
                _ if !end && !this.down.dead && !this.client_done => {
                    let at = self.now + self.links[link].down.latency;
                    self.at(at, Event::Arrive(link, Side::Client, Cargo::End));
                }
                _ => {}
            },
            Side::Client => self.client_arrival(link, cargo),
        }
    }
}

/// A damaged copy of a message with bytes of a file, or with a hash of them: in those, or
/// anywhere.
pub fn damaged(bytes: &Bytes, anywhere: bool, chance: &mut Chance) -> Bytes {
    let mut copy = bytes.to_vec();
    let first = match copy.first() {
        _ if anywhere => 0,
        Some(1) => DATA_HEADER,
        _ => copy.len() - 32,
    };
    let at = first + chance.index(copy.len() - first);
    copy[at] ^= 1 << chance.below(8);
    copy.into()
}
