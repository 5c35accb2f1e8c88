//! What people do: some of it for no reason, and what the page asks them to do.

use longhaul::protocol::connection::Event as Happening;
use longhaul::protocol::live::Wish as Asked;
use longhaul::protocol::sender::{Key, Row, RowState};
use longhaul::protocol::trouble::Trouble;

use super::client::{Input, Wish};
use super::server::Control;
use super::source::Picked;
use super::world::{Event, World};

impl World {
    /// A person adds a file.
    pub fn add(&mut self, client: usize, source: usize) {
        if !self.sources[source].vanished {
            self.input(client, Input::Wish(Wish::Add(source)));
        }
    }

    /// Its person picks files again before long.
    pub fn return_soon(&mut self, client: usize) {
        let at = self.now + self.spell(8);
        let engine = self.clients[client].engine;
        self.at(at, Event::Return(client, engine));
    }

    /// A person picks the files of which the page says that it needs them, and adds those
    /// that are not on it.
    pub fn returned(&mut self, client: usize) {
        let needy = self.clients[client].half.sender.needs_file();
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

    /// Somebody clicks somewhere.
    pub fn person(&mut self, client: usize) {
        let mut keys = self.clients[client].half.sender.unfinished_keys();
        if self.chance.percent(20) {
            keys = self.clients[client].half.sender.keys();
        }
        let Some(key) = self.chance.pick(&keys) else {
            return;
        };
        let wish = match self.chance.below(13) {
            0..3 => Wish::Pause(key),
            3..6 => Wish::Resume(key),
            6..8 => Wish::Retry(key),
            8 => Wish::Clear,
            9 => return self.input(client, Input::Page(Happening::Reconnect)),
            10 => return self.help_with_file(client, key),
            11 => return self.ask(client, key),
            _ => {
                self.cancel(client, key);
                return;
            }
        };
        self.input(client, Input::Wish(wish));
    }

    /// Somebody elsewhere asks the client to pause an upload, or to go on.
    fn ask(&mut self, client: usize, key: Key) {
        let row = self.clients[client].half.sender.row(key, self.now);
        let wish = match self.chance.percent(50) {
            true => Asked::Pause,
            false => Asked::Resume,
        };
        let link = self.clients[client].socket.map(|socket| socket.1);
        let session = link.and_then(|link| self.links[link].session);
        if let (Some(session), Some(id)) = (session, row.and_then(|row| row.id)) {
            self.controlled(session, Control::Ask(id, wish));
        }
    }

    pub fn cancel(&mut self, client: usize, key: Key) {
        let rows = self.clients[client].half.sender.rows(self.now);
        let Some(row) = rows.into_iter().find(|row| row.key == key) else {
            return;
        };
        let source = self.source_of(&row.path);
        self.clients[client].cancelled.push(source);
        self.checks.cancelled.extend(row.id);
        self.input(client, Input::Wish(Wish::Cancel(key)));
    }

    /// Somebody picks the file again of which a row says that it needs it.
    pub fn help_with_file(&mut self, client: usize, key: Key) {
        let needy = self.clients[client].half.sender.needs_file();
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

    /// People ask for a connection where the page says that it stays away.
    pub fn reconnect(&mut self) {
        for client in 0..self.clients.len() {
            if self.clients[client].half.connection().refused().is_some() {
                self.input(client, Input::Page(Happening::Reconnect));
            }
        }
    }

    /// People do what the page asks them to do; whether there was anything.
    pub fn help(&mut self) -> bool {
        let mut helped = false;
        for client in 0..self.clients.len() {
            for row in self.clients[client].half.sender.rows(self.now) {
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

    pub fn help_with(&mut self, client: usize, row: &Row) -> bool {
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
    pub fn is_missing(&self, client: usize, source: usize) -> bool {
        let this = &self.clients[client];
        let path = &self.sources[source].path;
        let listed = this
            .half
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

    pub fn source_of(&self, path: &str) -> usize {
        let found = self.sources.iter().position(|source| source.path == path);
        found.unwrap_or_else(|| panic!("{path:?} is no file of ours"))
    }
}
