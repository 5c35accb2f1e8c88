//! What goes wrong in a run, and when; and what people do meanwhile.

use std::time::Duration;

use longhaul::protocol::Time;
use longhaul::protocol::close::CloseCode;
use longhaul::protocol::connection::Event as Happening;
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::receiver::Cadence;
use longhaul::protocol::sender::{Key, Row, RowState};
use longhaul::protocol::trouble::Trouble;
use longhaul::verify::BLOCK;

use super::chance::Chance;
use super::client::{Client, Input, Wish};
use super::network::{Cargo, LinkId, Side, Way};
use super::server::Crash;
use super::source::{Picked, Source};
use super::world::{Event, Plan, World};

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

const ALL: [Fault; 25] = [
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

/// How the world of a seed is.
pub fn plan(chance: &mut Chance) -> Plan {
    let ms = Duration::from_millis;
    Plan {
        cadence: Cadence {
            bytes: chance.magnitude(1, 16 << 20),
            time: ms(chance.below(500)),
        },
        disk: chance.span(Duration::from_micros(20), ms(300)),
        reading: chance.span(ms(1), ms(100)),
        payload: chance.magnitude(300, 256 * 1024) as usize,
        queue: chance.magnitude(16 * 1024, 1 << 20),
        jitter: chance.percent(30),
        limits: limits(chance),
        trouble_ends: ms(500),
        lull: ms(match chance.below(4) {
            0 => chance.between(1000, 60_000),
            _ => 1000,
        }),
    }
}

/// How many bytes the server may have in memory.
pub fn memory(chance: &mut Chance) -> u64 {
    chance.magnitude(64 * 1024, 2 << 20)
}

fn limits(chance: &mut Chance) -> Limits {
    Limits {
        max_concurrency: chance.between(1, 4) as u32,
        auto_upload: chance.percent(90),
        chunk_timeout: chance.magnitude(5_000, 60_000),
        max_file_size: chance.percent(5).then(|| chance.magnitude(1, BLOCK)),
        max_entries: chance.percent(5).then_some(2),
        ..Limits::default()
    }
}

impl World {
    /// Puts people and files into the world, and lets things go wrong.
    pub fn begin(&mut self) {
        let large = self.chance.percent(20);
        if large {
            self.plan.payload = self.plan.payload.max(32 * 1024);
        }
        let people = [1, 1, 1, 2, 2, 3][self.chance.index(6)];
        self.people = people;
        let mut total = 0;
        for number in 0..people {
            let files = if large { 1 } else { self.chance.between(1, 5) };
            let mut sources = Vec::new();
            for _ in 0..files {
                let size = self.size(large && number == 0);
                total += size;
                let path = format!("{}.bin", self.sources.len());
                sources.push(self.sources.len());
                self.sources.push(Source::new(path, size, &mut self.chance));
            }
            let seconds = self.chance.magnitude(300, 20_000) as f64 / 1000.0;
            let busy = seconds * (0.5 + self.chance.below(150) as f64 / 100.0);
            let end = Duration::from_secs_f64(busy) + self.spell(5);
            self.plan.trouble_ends = self.plan.trouble_ends.max(end);
            let least = if large { 400_000.0 } else { 3_000.0 };
            let way = Way {
                rate: (total as f64 / seconds).max(least) as u64,
                latency: self
                    .chance
                    .span(Duration::from_micros(50), Duration::from_millis(300)),
            };
            let lateness = match self.chance.below(10) {
                0 => Duration::from_secs(1),
                _ => Duration::from_millis(4),
            };
            let mut client = Client::new(way, lateness);
            client.wanted.clone_from(&sources);
            self.clients.push(client);
            self.new_engine(number);
            for source in sources {
                let when = match self.chance.below(3) {
                    0 => self.plan.trouble_ends.mul_f64(0.5),
                    _ => Duration::from_millis(2),
                };
                let when = self.chance.span(Duration::from_micros(1), when);
                self.at(when, Event::Add(number, source));
            }
        }
        self.schedule();
        self.at(Duration::from_millis(500), Event::Inspect);
    }

    fn size(&mut self, large: bool) -> u64 {
        if large {
            let whole = [1, 1, 1, 2, 2, 3][self.chance.index(6)] * BLOCK;
            return match self.chance.below(6) {
                0 => whole,
                1 => whole - 1,
                2 => whole + 1,
                _ => whole + self.chance.magnitude(1, BLOCK / 4),
            };
        }
        match self.chance.below(8) {
            0 => self.chance.below(2),
            _ => self.chance.magnitude(2, 120_000),
        }
    }

    /// Draws which kinds of faults there are in this run, and when each happens: at a
    /// time, or when the disk has so much to do.
    fn schedule(&mut self) {
        let kinds: Vec<Fault> = match self.chance.below(10) {
            0 => Vec::new(),
            1..4 => {
                let first = ALL[self.chance.index(ALL.len())];
                let second = ALL[self.chance.index(ALL.len())];
                vec![first, second]
            }
            _ => {
                let share = self.chance.between(20, 80);
                let all = ALL.into_iter();
                all.filter(|_| self.chance.percent(share)).collect()
            }
        };
        let count = self.chance.magnitude(2, 50);
        let end = self.plan.trouble_ends;
        let mut last = Time::ZERO;
        for _ in 0..count {
            let Some(fault) = self.chance.pick(&kinds) else {
                return;
            };
            match self.chance.below(10) {
                0..3 => {
                    let step = self.chance.magnitude(1, 100);
                    self.at_step.insert(step, fault);
                }
                // Troubles seldom come alone.
                3..7 => {
                    let soon = Duration::from_secs(3).min(end);
                    last += self.chance.span(Duration::from_millis(1), soon);
                    self.at(last, Event::Fault(fault));
                }
                _ => {
                    last = end.mul_f64(self.chance.below(1000) as f64 / 1000.0);
                    self.at(last, Event::Fault(fault));
                }
            }
        }
    }

    /// A step of the disk begins: is it one at which something goes wrong?
    pub fn step_begun(&mut self) {
        if let Some(fault) = self.at_step.remove(&self.server.steps)
            && self.calm.is_none()
        {
            let within = self.moment();
            self.at(self.now + within, Event::Fault(fault));
        }
    }

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
                self.server.limits = limits(&mut self.chance);
                let total = memory(&mut self.chance);
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
        let busy = all.filter(|(_, client)| client.sender.interest());
        let busy: Vec<usize> = busy.map(|(number, _)| number).collect();
        let picked = self.chance.pick(&busy).filter(|_| self.chance.percent(80));
        picked.unwrap_or_else(|| self.chance.index(self.clients.len()))
    }

    /// A while, of so many seconds at most.
    fn spell(&mut self, most: u64) -> Duration {
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

    /// Its person picks files again before long.
    fn return_soon(&mut self, client: usize) {
        let at = self.now + self.spell(8);
        let engine = self.clients[client].engine;
        self.at(at, Event::Return(client, engine));
    }

    /// A person picks the files of which the page says that it needs them, and adds those
    /// that are not on it.
    pub fn returned(&mut self, client: usize) {
        let needy = self.clients[client].sender.needs_file();
        for key in needy.map(|(key, _)| key).collect::<Vec<_>>() {
            if self.chance.percent(80) {
                self.help_with_file(client, key);
            }
        }
        for source in self.clients[client].wanted.clone() {
            if self.is_missing(client, source) && self.chance.percent(50) {
                self.add(client, source);
            }
        }
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

    /// Somebody clicks somewhere.
    fn person(&mut self, client: usize) {
        let mut keys = self.clients[client].sender.unfinished_keys();
        if self.chance.percent(20) {
            keys = self.clients[client].sender.keys();
        }
        let Some(key) = self.chance.pick(&keys) else {
            return;
        };
        let wish = match self.chance.below(12) {
            0..3 => Wish::Pause(key),
            3..6 => Wish::Resume(key),
            6..8 => Wish::Retry(key),
            8 => Wish::Clear,
            9 => return self.input(client, Input::Page(Happening::Reconnect)),
            10 => return self.help_with_file(client, key),
            _ => {
                self.cancel(client, key);
                return;
            }
        };
        self.input(client, Input::Wish(wish));
    }

    fn cancel(&mut self, client: usize, key: Key) {
        let rows = self.clients[client].sender.rows(self.now);
        let Some(row) = rows.into_iter().find(|row| row.key == key) else {
            return;
        };
        let source = self.source_of(&row.path);
        self.clients[client].cancelled.push(source);
        self.checks.cancelled.extend(row.id);
        self.input(client, Input::Wish(Wish::Cancel(key)));
    }

    /// Somebody picks the file again of which a row says that it needs it.
    fn help_with_file(&mut self, client: usize, key: Key) {
        let needy = self.clients[client].sender.needs_file();
        let Some(path) = needy
            .into_iter()
            .find(|(k, _)| *k == key)
            .map(|(_, m)| m.path.clone())
        else {
            return;
        };
        let source = self.source_of(&path);
        let version = self.sources[source].versions.len() - 1;
        let picked = Picked { source, version };
        if !self.sources[source].vanished {
            self.input(client, Input::Wish(Wish::Provide(key, picked)));
        }
    }

    pub fn source_of(&self, path: &str) -> usize {
        let found = self.sources.iter().position(|source| source.path == path);
        found.unwrap_or_else(|| panic!("{path:?} is no file of ours"))
    }

    /// A person adds a file.
    pub fn add(&mut self, client: usize, source: usize) {
        if !self.sources[source].vanished {
            self.input(client, Input::Wish(Wish::Add(source)));
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

    /// People ask for a connection where the page says that it stays away.
    pub fn reconnect(&mut self) {
        for client in 0..self.clients.len() {
            if self.clients[client].connection.refused().is_some() {
                self.input(client, Input::Page(Happening::Reconnect));
            }
        }
    }

    /// People do what the page asks them to do; whether there was anything.
    pub fn help(&mut self) -> bool {
        let mut helped = false;
        for client in 0..self.clients.len() {
            for row in self.clients[client].sender.rows(self.now) {
                helped |= self.help_with(client, &row);
            }
            for source in self.clients[client].wanted.clone() {
                if self.is_missing(client, source) {
                    self.say(|| format!("client {client} adds {source} again"));
                    self.add(client, source);
                    helped = true;
                }
            }
        }
        helped
    }

    fn help_with(&mut self, client: usize, row: &Row) -> bool {
        let wish = match row.state {
            RowState::Paused | RowState::Queued => Wish::Resume(row.key),
            // Somebody else goes on with it.
            RowState::Failed
                if row.trouble == Some(Trouble::TakenOver) && client >= self.people =>
            {
                return false;
            }
            RowState::Failed => Wish::Retry(row.key),
            RowState::NeedsFile => {
                let different = row.trouble == Some(Trouble::Different);
                if self.count_help(client, row.key.0) > 3 && different {
                    // It will never be the file that was begun.
                    self.checks.cancelled.extend(row.id);
                    self.input(client, Input::Wish(Wish::Cancel(row.key)));
                    return true;
                }
                self.help_with_file(client, row.key);
                return true;
            }
            _ => return false,
        };
        self.count_help(client, row.key.0);
        self.say(|| format!("client {client}: {wish:?}"));
        self.input(client, Input::Wish(wish));
        true
    }

    /// Whether a file that was wanted is neither on the list nor stored.
    fn is_missing(&self, client: usize, source: usize) -> bool {
        let this = &self.clients[client];
        let path = &self.sources[source].path;
        let listed = this
            .sender
            .rows(self.now)
            .iter()
            .any(|row| row.path == *path);
        !listed && !this.cancelled.contains(&source) && !self.is_stored(source)
    }

    /// Whether a file is stored, under its own name or the next one that was free.
    pub fn is_stored(&self, source: usize) -> bool {
        let path = &self.sources[source].path;
        let other = format!("{} (", path.trim_end_matches(".bin"));
        let mut files = self.server.books.files();
        files.any(|file| file.path == *path || file.path.starts_with(&other))
    }

    /// Whether the last fault was a while ago.
    pub fn trouble_is_over(&self) -> bool {
        self.now > self.plan.trouble_ends + self.plan.lull
    }
}
