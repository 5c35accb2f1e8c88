//! The server's shared part: what `server::hub` knows, its start and its ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longhaul::protocol::flow::Budget;
use longhaul::protocol::id::{ClientId, FileId, ServerId};
use longhaul::protocol::live::Wish;
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::trouble::Trouble;
use longhaul::protocol::{Generation, StreamId, Time};
use longhaul::registry::Epoch;

use super::books::Books;
use super::boot;
use super::disk::Disk;
use super::network::{Cargo, Side};
use super::session::Session;
use super::upload::{Job, Stage, Task};
use super::world::{Event, World};

/// How the server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Its process is killed; what it wrote stays with the system.
    Killed,
    /// The power fails.
    Powerless,
}

#[derive(Debug)]
pub struct Server {
    pub up: bool,
    /// Counts its runs.
    pub life: u64,
    pub disk: Disk,
    pub books: Books,
    pub limits: Limits,
    pub budget: Budget,
    /// How much it may have in memory in this run, and in the next.
    pub budget_total: u64,
    /// The sessions that have a share of it, and how many had one at most.
    shares: BTreeSet<u64>,
    pub members: u64,
    pub memory: u64,
    pub sessions: BTreeMap<u64, Session>,
    /// The sessions that are there, and when the last outcome of their tasks arrives.
    pub alive: BTreeMap<u64, Time>,
    pub tasks: BTreeMap<u64, Task>,
    pub holders: BTreeMap<FileId, Holder>,
    pub clients: BTreeMap<ClientId, (Generation, u64)>,
    /// Bytes that were taken from sockets and wait to be written.
    pub waiting: u64,
    /// How much longer than usual the disk takes, and until when it does nothing.
    pub slowness: u32,
    pub hangs_until: Duration,
    /// Whether that is so for the bytes of uploads only, and not for the registry.
    pub books_are_fast: bool,
    /// How many steps of the disk were begun.
    pub steps: u64,
    pub next: u64,
}

/// Which stream holds an upload.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    pub epoch: Epoch,
    pub session: u64,
    pub stream: StreamId,
    pub task: u64,
}

/// What a session is told from outside.
#[derive(Clone, Debug)]
pub enum Control {
    Superseded,
    Expel(StreamId, Trouble),
    Ask(FileId, Wish),
}

impl Server {
    pub fn new(limits: Limits, memory: u64) -> Self {
        Self {
            up: true,
            life: 0,
            disk: Disk::default(),
            books: Books::default(),
            limits,
            budget: Budget::new(memory),
            budget_total: memory,
            shares: BTreeSet::new(),
            members: 0,
            memory,
            sessions: BTreeMap::new(),
            alive: BTreeMap::new(),
            tasks: BTreeMap::new(),
            holders: BTreeMap::new(),
            clients: BTreeMap::new(),
            waiting: 0,
            slowness: 1,
            hangs_until: Duration::ZERO,
            books_are_fast: false,
            steps: 0,
            next: 0,
        }
    }

    /// A name that was not given before.
    pub fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub fn id(&self) -> ServerId {
        ServerId::from_bytes(bytes(self.life))
    }

    /// Whether a session has a share of the memory, or can have one.
    pub fn share(&mut self, session: u64) -> bool {
        if self.shares.contains(&session) {
            return true;
        }
        let room = self.budget.join();
        if room {
            self.shares.insert(session);
            self.members = self.members.max(self.shares.len() as u64);
        }
        room
    }

    /// A session or a task of it has ended: the share is given back after the last.
    pub fn give_back(&mut self, session: u64) {
        let used = self.alive.contains_key(&session)
            || self.tasks.values().any(|task| task.session == session);
        if !used && self.shares.remove(&session) {
            self.budget.leave();
        }
    }

    /// As `Hub::farewell`.
    pub fn farewell(&mut self, client: ClientId, generation: Generation) {
        if self
            .clients
            .get(&client)
            .is_some_and(|(g, _)| *g == generation)
        {
            self.clients.remove(&client);
        }
    }

    /// As the end of a `Hold`.
    pub fn let_go(&mut self, task: u64) {
        self.holders.retain(|_, holder| holder.task != task);
    }
}

/// Sixteen bytes that begin with a number.
pub fn bytes(number: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

impl World {
    /// As `Hub::greet`: whether this is the newest connection of its client.
    pub fn greet(&mut self, client: ClientId, generation: Generation, session: u64) -> bool {
        match self.server.clients.get(&client) {
            Some((other, _)) if *other >= generation => return false,
            Some((_, other)) => {
                let other = *other;
                self.control(other, Control::Superseded);
            }
            None => {}
        }
        self.server.clients.insert(client, (generation, session));
        true
    }

    /// Tells a session something, a little later.
    pub fn control(&mut self, session: u64, control: Control) {
        let delay = self.moment();
        self.at(self.now + delay, Event::Control(session, control));
    }

    /// Somebody cancels an upload on another page: `Hub::cancel`.
    pub fn end_elsewhere(&mut self, id: FileId) {
        let task = Task::canceller(id);
        let number = self.server.fresh();
        self.server.tasks.insert(number, task);
        if let Some(entry) = self.server.books.upload(id) {
            self.checks.ended(id, entry.token);
        }
        self.proceed(number, Stage::Evict(id, Trouble::Ended));
    }

    /// The server ends without a word. What it had begun may have happened or not.
    pub fn crash(&mut self, crash: Crash) {
        if !self.server.up {
            return;
        }
        self.say(|| format!("the server is {crash:?}"));
        self.server.up = false;
        let tasks = std::mem::take(&mut self.server.tasks);
        for (number, task) in tasks {
            self.break_off(number, task);
        }
        self.lose_memory();
        match crash {
            Crash::Killed => self.server.disk.killed(),
            Crash::Powerless => self.server.disk.powerless(&mut self.chance),
        }
        // Everybody who was connected hears of it, unless the machine itself is gone.
        for link in 0..self.links.len() {
            let told = crash == Crash::Killed || self.chance.percent(30);
            let this = &mut self.links[link];
            this.hurt = true;
            if std::mem::replace(&mut this.server_done, true) || this.session.is_none() {
                continue;
            }
            if told {
                self.send(link, Side::Client, Cargo::End);
            } else {
                self.silence(link);
            }
        }
        let away = self
            .chance
            .span(Duration::from_millis(5), Duration::from_secs(8));
        self.at(self.now + away, Event::Boot);
    }

    fn lose_memory(&mut self) {
        let server = &mut self.server;
        server.life += 1;
        server.sessions.clear();
        server.alive.clear();
        server.tasks.clear();
        server.holders.clear();
        server.clients.clear();
        server.budget = Budget::new(server.memory);
        server.budget_total = server.memory;
        server.shares.clear();
        server.members = 0;
        server.waiting = 0;
    }

    /// The server is asked to stop: it says so, finishes what is in flight, and stops.
    pub fn deploy(&mut self) {
        if !self.server.up {
            return;
        }
        self.say(|| "the server is asked to stop".into());
        let sessions: Vec<u64> = self.server.sessions.keys().copied().collect();
        for session in sessions {
            self.drain(session);
        }
        let stop = Event::Stop(self.server.life);
        self.at(self.now + Duration::from_secs(4), stop);
    }

    /// A server that was asked to stop has had its time.
    pub fn stop(&mut self, life: u64) {
        if self.server.life == life {
            self.crash(Crash::Killed);
        }
    }

    /// The server comes up again, and brings disk and registry together.
    pub fn boot(&mut self) {
        if self.server.up {
            return;
        }
        let fuse = if self.calm.is_none() && self.chance.percent(20) {
            self.chance.below(6) as u32
        } else {
            u32::MAX
        };
        let server = &mut self.server;
        if !boot::recover(&mut server.disk, &mut server.books, fuse) {
            self.say(|| "the server does not come up".into());
            self.server.disk.powerless(&mut self.chance);
            return self.at(self.now + Duration::from_secs(1), Event::Boot);
        }
        self.say(|| "the server is up".into());
        self.server.up = true;
        self.check_after_crash();
    }

    /// Everything that arrived for a task is dropped with it.
    pub fn drop_jobs(&mut self, task: &Task) {
        for job in &task.jobs {
            if let Job::Write(_, payload) = job {
                self.server.waiting -= payload.len() as u64;
            }
        }
        self.server.waiting -= task.in_hand();
    }
}
