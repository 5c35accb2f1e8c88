//! How a run comes to its end: no stream stands still without a reason; and once nothing
//! goes wrong any more, all is done by itself or with the help that is asked for, and
//! nothing is left open.

use std::time::Duration;

use longhaul::protocol::Time;
use longhaul::protocol::connection::State;
use longhaul::protocol::flow::Budget;
use longhaul::protocol::sender::{Note, RowState};

use super::client::Client;
use super::upload::Task;
use super::world::{Event, World};

/// How long a stream may stand still while nothing is in its way.
const STANDSTILL: Duration = Duration::from_secs(5);
/// How long nothing may change for anybody who has work, once nothing goes wrong.
const PATIENCE: Duration = Duration::from_secs(100);
/// How long all may take, once nothing goes wrong.
const END: Duration = Duration::from_secs(1500);

impl World {
    /// Looks at everything now and then.
    pub fn inspect(&mut self) {
        self.at(self.now + Duration::from_millis(1000), Event::Inspect);
        for client in 0..self.clients.len() {
            self.check_standstill(client);
        }
        match self.calm {
            None if self.trouble_is_over() => self.heal(),
            None => {}
            Some(since) => self.inspect_calm(since),
        }
    }

    /// No stream stands still while nothing is in its way.
    fn check_standstill(&mut self, number: usize) {
        let client = &self.clients[number];
        let Some((_, link)) = client.socket else {
            return;
        };
        let link = &self.links[link];
        let State::Open { .. } = client.half.connection().state() else {
            return;
        };
        let reported = link.session.and_then(|s| self.server.alive.get(&s));
        let moved = reported.map_or(link.moved, |at| link.moved.max(*at));
        let still = moved + STANDSTILL < self.now && !link.busy(self.now);
        if !still || link.hurt || link.client_done || link.server_done || client.reading > 0 {
            return;
        }
        let session = link.session.and_then(|s| self.server.sessions.get(&s));
        let Some(session) = session else {
            return;
        };
        let task = |number: &u64| self.server.tasks.get(number);
        let busy = session.uploads.values().filter_map(task).any(Task::is_busy);
        if busy {
            return;
        }
        let rows = client.half.sender.rows(self.now);
        let starving = rows
            .iter()
            .find(|row| matches!(row.state, RowState::Sending | RowState::Verifying));
        assert!(starving.is_none(), "a stream starves: {starving:?}");
    }

    /// Once nothing goes wrong all comes to its end: by itself as far as it can, then
    /// with the help of people.
    fn inspect_calm(&mut self, since: Time) {
        // Whoever paused something from elsewhere lets it go on.
        for client in 0..self.clients.len() {
            for row in self.clients[client].half.sender.rows(self.now) {
                if row.state == RowState::Paused && row.note == Some(Note::PausedElsewhere) {
                    self.help_with(client, &row);
                }
            }
        }
        let busy = self
            .clients
            .iter()
            .any(|client| client.half.sender.interest());
        let quiet = self.now - self.checks.changed.max(since);
        self.reconnect();
        assert!(!busy || quiet < PATIENCE, "nothing changes any more");
        assert!(self.now - since < END, "it does not come to an end");
        if busy {
            self.checks.idle_since = None;
            return;
        }
        if self.help() {
            self.checks.idle_since = None;
            return;
        }
        let idle = *self.checks.idle_since.get_or_insert(self.now);
        let server = &self.server;
        let closed = |client: &Client| matches!(client.half.connection().state(), State::Idle);
        let gone = server.sessions.is_empty()
            && server.tasks.is_empty()
            && self.clients.iter().all(closed);
        if gone && server.up {
            self.check_end();
        } else {
            let waited = self.now - idle;
            assert!(waited < Duration::from_secs(60), "something is left open");
        }
    }

    /// How often somebody helped with an upload, this time included.
    pub fn count_help(&mut self, client: usize, key: u32) -> u32 {
        let engine = self.clients[client].engine;
        let count = self.checks.helped.entry((client, engine, key)).or_default();
        *count += 1;
        assert!(*count < 30, "help does not help client {client} with {key}");
        *count
    }

    /// All is over: everything that was wanted is stored, and nothing is left behind.
    fn check_end(&mut self) {
        self.over = true;
        self.check_files();
        let server = &self.server;
        assert!(server.holders.is_empty(), "an upload is held by nobody");
        assert!(server.clients.is_empty(), "a client is remembered");
        assert_eq!(server.waiting, 0, "bytes of nobody are in memory");
        assert_eq!(server.budget, Budget::new(server.budget_total));
        for client in &self.clients {
            for source in &client.wanted {
                let stored = self.is_stored(*source);
                let mut people = self.clients.iter();
                let given_up = people.any(|client| client.cancelled.contains(source));
                assert!(stored || given_up, "{source} was wanted and is not stored");
            }
        }
    }
}
