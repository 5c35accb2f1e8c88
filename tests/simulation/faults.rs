//! What goes wrong in a run, and when; and what people do meanwhile.

use std::time::Duration;

use longhaul::protocol::close::CloseCode;
use longhaul::protocol::connection::Event as Happening;
use longhaul::protocol::manifest::Limits;

use super::client::{Client, Input};
use super::network::{Cargo, LinkId, Side};
use super::plan;
use super::server::Crash;
use super::world::{Event, World};

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Cut,
    CutSoon,
    Silence,
    Stall,
    Duplicate,
    Unplug,
    Reload,
    Twin,
    OtherDevice,
    Freeze,
    Hide,
    Clock,
    Kill,
    PowerFailure,
    Deploy,
    DiskFull,
    DiskHangs,
    DiskSlow,
    DiskFails,
    Rot,
    Damage,
    SourceChanges,
    Limits,
    EndElsewhere,
    Person,
}

pub const ALL: [Fault; 25] = [
    Fault::Cut,
    Fault::CutSoon,
    Fault::Silence,
    Fault::Stall,
    Fault::Duplicate,
    Fault::Unplug,
    Fault::Reload,
    Fault::Twin,
    Fault::OtherDevice,
    Fault::Freeze,
    Fault::Hide,
    Fault::Clock,
    Fault::Kill,
    Fault::PowerFailure,
    Fault::Deploy,
    Fault::DiskFull,
    Fault::DiskHangs,
    Fault::DiskSlow,
    Fault::DiskFails,
    Fault::Rot,
    Fault::Damage,
    Fault::SourceChanges,
    Fault::Limits,
    Fault::EndElsewhere,
    Fault::Person,
];

impl World {
    /// Lets something go wrong.
    pub fn inflict(&mut self, fault: Fault) {
        if self.calm.is_some() {
            return;
        }
        self.say(|| format!("-- {fault:?}"));
        let client = self.somebody();
        match fault {
            Fault::Cut => self.some_link().map_or((), |link| self.cut(link)),
            Fault::CutSoon => self.some_link().map_or((), |link| self.cut_soon(link)),
            Fault::Silence => self.some_link().map_or((), |link| self.silence(link)),
            Fault::Stall => self.some_link().map_or((), |link| self.stall(link)),
            Fault::Duplicate => {
                if !self.links.is_empty() {
                    let link = self.chance.index(self.links.len());
                    self.duplicate(link);
                }
            }
            Fault::Unplug => self.unplug(client),
            Fault::Reload => self.reload(client),
            Fault::Twin => self.twin(client),
            Fault::OtherDevice => self.other_device(client),
            Fault::Freeze => {
                let until = self.now + self.spell(30);
                self.clients[client].frozen_until = until;
                self.hurt(client);
                self.at(until, Event::Thaw(client));
            }
            Fault::Hide => {
                let event = [Happening::Hidden, Happening::Shown, Happening::Visible];
                let event = event[self.chance.index(3)];
                self.input(client, Input::Page(event));
            }
            Fault::Clock => {
                let jump = self.spell(100_000);
                self.jump(client, jump);
                self.hurt(client);
            }
            Fault::Kill => self.crash(Crash::Killed),
            Fault::PowerFailure => self.crash(Crash::Powerless),
            Fault::Deploy => self.deploy(),
            Fault::DiskFull => {
                let full = !self.server.disk.full;
                self.server.disk.full = full;
                self.server.books.full = full && self.chance.percent(50);
            }
            Fault::DiskHangs => {
                let spell = self.spell(20);
                self.server.hangs_until = self.now + spell;
                self.server.books_are_fast = self.chance.percent(50);
            }
            Fault::DiskSlow => self.server.slowness = self.chance.magnitude(1, 300) as u32,
            Fault::DiskFails => self.server.disk.failing += self.chance.between(1, 3) as u32,
            Fault::Rot => {
                let rotten = self.server.disk.rot(&mut self.chance);
                self.say(|| format!("rot: {rotten:?}"));
            }
            Fault::Damage => {
                self.clients[client].damage += self.chance.magnitude(1, 12) as u32;
            }
            Fault::SourceChanges => self.source_changes(),
            Fault::Limits => {
                self.server.limits = plan::limits(&mut self.chance);
                let total = plan::memory(&mut self.chance);
                self.server.memory = total;
            }
            Fault::EndElsewhere => {
                let uploads = self.server.books.uploads();
                if self.server.up && !uploads.is_empty() {
                    let id = uploads[self.chance.index(uploads.len())].id;
                    self.end_elsewhere(id);
                }
            }
            Fault::Person => self.person(client),
        }
    }

    /// A client, one with work most of the time.
    fn somebody(&mut self) -> usize {
        let all = self.clients.iter().enumerate();
        let busy = all.filter(|(_, client)| client.half.sender.interest());
        let busy: Vec<usize> = busy.map(|(number, _)| number).collect();
        let picked = self.chance.pick(&busy).filter(|_| self.chance.percent(80));
        picked.unwrap_or_else(|| self.chance.index(self.clients.len()))
    }

    /// A while, of so many seconds at most.
    pub fn spell(&mut self, most: u64) -> Duration {
        if self.chance.percent(40) {
            return Duration::from_millis(self.chance.between(5, most * 1000));
        }
        self.chance
            .span(Duration::from_millis(5), Duration::from_secs(most))
    }

    /// A connection that somebody has.
    fn some_link(&mut self) -> Option<LinkId> {
        let links = self.clients.iter().filter_map(|client| client.socket);
        let links: Vec<LinkId> = links.map(|(_, link)| link).collect();
        self.chance.pick(&links)
    }

    fn hurt(&mut self, client: usize) {
        if let Some((_, link)) = self.clients[client].socket {
            self.links[link].hurt = true;
        }
    }

    /// A client loses its network for a while.
    fn unplug(&mut self, client: usize) {
        let until = self.now + self.spell(20);
        self.clients[client].unplugged = until;
        if let Some((_, link)) = self.clients[client].socket {
            if self.chance.percent(50) {
                self.cut(link);
            } else {
                self.silence(link);
            }
        }
        // Its browser may notice, and say so.
        if self.chance.percent(60) {
            self.input(client, Input::Page(Happening::Offline));
        }
        let engine = self.clients[client].engine;
        let delay = self.moment();
        self.at(until + delay, Event::Plugged(client, engine));
    }

    pub fn plugged(&mut self, client: usize) {
        self.input(client, Input::Page(Happening::Online));
    }

    /// A page is loaded anew: its socket goes with it, politely or not.
    fn reload(&mut self, client: usize) {
        if let Some((_, link)) = self.clients[client].socket
            && !self.links[link].client_done
        {
            self.links[link].client_done = true;
            self.links[link].hurt = true;
            match self.chance.below(3) {
                0 => self.send(link, Side::Server, Cargo::End),
                1 => self.send(link, Side::Server, Cargo::Close(CloseCode::Away)),
                _ => {}
            }
        }
        self.new_engine(client);
        self.return_soon(client);
    }

    /// Another tab or device begins with the same journal.
    fn twin(&mut self, client: usize) {
        if self.clients.len() > 4 {
            return;
        }
        let of = &self.clients[client];
        let mut twin = Client::new(of.way, of.lateness);
        twin.journal = of.journal.clone();
        twin.wanted = twin.journal.values().map(|(_, p)| p.source).collect();
        self.clients.push(twin);
        self.new_engine(self.clients.len() - 1);
        self.return_soon(self.clients.len() - 1);
    }

    /// The same person adds the same files on another device, which knows of nothing.
    fn other_device(&mut self, client: usize) {
        if self.clients.len() > 4 {
            return;
        }
        let of = &self.clients[client];
        let mut other = Client::new(of.way, of.lateness);
        other.wanted.clone_from(&of.wanted);
        self.clients.push(other);
        let number = self.clients.len() - 1;
        self.new_engine(number);
        let at = self.now + self.spell(3);
        self.at(at, Event::Return(number, 1));
        // The first one is closed, most of the time.
        if self.chance.percent(60) {
            let away = self.now + self.plan.trouble_ends + self.plan.lull;
            self.clients[client].frozen_until = away;
            self.at(away, Event::Thaw(client));
            if let Some((_, link)) = self.clients[client].socket {
                self.cut(link);
            }
        }
    }

    fn source_changes(&mut self) {
        let source = self.chance.index(self.sources.len());
        if self.chance.percent(30) {
            self.sources[source].vanished ^= true;
        } else {
            self.sources[source].change(&mut self.chance);
        }
        for client in 0..self.clients.len() {
            if self.clients[client].wanted.contains(&source) {
                match self.chance.percent(50) {
                    true => self.reload(client),
                    false => self.return_soon(client),
                }
            }
        }
    }

    /// Nothing goes wrong any more: what was broken without a word stays broken until
    /// somebody notices.
    pub fn heal(&mut self) {
        self.say(|| "-- from now on nothing goes wrong".into());
        self.calm = Some(self.now);
        self.at_step.clear();
        let server = &mut self.server;
        server.disk.full = false;
        server.books.full = false;
        server.disk.failing = 0;
        server.slowness = 1;
        server.hangs_until = self.now;
        server.memory = server.memory.max(8 << 20);
        server.limits = Limits::default();
        self.plan.jitter = false;
        // Other limits are those of another run.
        self.crash(Crash::Killed);
        self.boot();
        for source in &mut self.sources {
            source.vanished = false;
        }
        for client in 0..self.clients.len() {
            let this = &mut self.clients[client];
            this.frozen_until = self.now;
            this.unplugged = self.now;
            this.damage = 0;
            this.lateness = Duration::from_millis(4);
            self.thaw(client);
            for event in [Happening::Shown, Happening::Visible, Happening::Online] {
                self.input(client, Input::Page(event));
            }
        }
    }

    /// Whether the last fault was a while ago.
    pub fn trouble_is_over(&self) -> bool {
        self.now > self.plan.trouble_ends + self.plan.lull
    }
}
