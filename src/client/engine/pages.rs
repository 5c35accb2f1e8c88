//! What pages command, and what each of them is told of.

use std::collections::BTreeSet;

use js_sys::Array;

use super::files::Batch;
use super::{Inner, now};
use crate::client::lines::LineId;
use crate::client::source;
use crate::port::{Command, Key, Report, Which, World};
use crate::protocol::connection::Event;
use crate::protocol::live::Topic;
use crate::protocol::message::ClientMessage;
use crate::protocol::sender::Sender;

impl Inner {
    /// Does what a page wants; files for the queue are given back, to be taken in.
    pub(super) fn command(
        &mut self,
        line: LineId,
        command: Command,
        files: &Array,
    ) -> Option<Batch> {
        let batch = |given, offered| Batch {
            from: Some(line),
            offered,
            files: source::beside(given, files),
        };
        match command {
            Command::Attach { topics, .. } => self.attach(line, topics),
            Command::Detach => self.detach(line),
            Command::Add(given) => return Some(batch(given, false)),
            Command::Offer(given) => return Some(batch(given, true)),
            Command::Provide(key, given) => {
                for source in source::beside(vec![given], files) {
                    let tag = source.given.tag;
                    let taken = self.provide(key, source).then_some(key);
                    self.lines.tell(line, &Report::Added(vec![(tag, taken)]));
                }
            }
            Command::Resume(which) => self.each(which, Sender::resume),
            Command::Pause(which) => self.each(which, Sender::pause),
            Command::Retry(which) => self.each(which, Sender::retry),
            Command::Cancel(Which::One(key)) => self.sender.cancel(key),
            Command::Cancel(Which::All) => {
                for key in self.sender.unfinished_keys() {
                    self.sender.cancel(key);
                }
            }
            Command::Clear => self.sender.clear(),
            Command::Watch(topic) => self.watch(line, topic),
            Command::Unwatch(topic) => self.unwatch(line, topic),
            Command::World(World::Visible) => self.connect(Event::Visible),
            Command::World(World::Online) => self.connect(Event::Online),
            Command::World(World::Offline) => self.connect(Event::Offline),
            Command::Reconnect => self.connect(Event::Reconnect),
        }
        None
    }

    /// Tells a page everything, and from now on what changes.
    pub(super) fn attach(&mut self, line: LineId, topics: Vec<Topic>) {
        self.pages.insert(line, BTreeSet::new());
        let now = now();
        let attached = Report::Attached {
            engine: self.id,
            rows: self.sender.rows(now),
            link: self.link(now),
            limits: self.limits.clone(),
        };
        self.lines.tell(line, &attached);
        for topic in topics {
            self.watch(line, topic);
        }
        self.connect(Event::Shown);
    }

    pub(super) fn detach(&mut self, line: LineId) {
        for topic in self.pages.remove(&line).unwrap_or_default() {
            self.unwatched(topic);
        }
    }

    pub(super) fn each(&mut self, which: Which, act: impl Fn(&mut Sender, Key)) {
        match which {
            Which::One(key) => act(&mut self.sender, key),
            Which::All => {
                for key in self.sender.keys() {
                    act(&mut self.sender, key);
                }
            }
        }
    }

    pub(super) fn watch(&mut self, line: LineId, topic: Topic) {
        if let Some(topics) = self.pages.get_mut(&line) {
            topics.insert(topic);
            // Also where another page watches it: this one needs the snapshot.
            self.say(&ClientMessage::Watch { topic });
        }
    }

    pub(super) fn unwatch(&mut self, line: LineId, topic: Topic) {
        if let Some(topics) = self.pages.get_mut(&line)
            && topics.remove(&topic)
        {
            self.unwatched(topic);
        }
    }

    /// One page less watches it.
    pub(super) fn unwatched(&mut self, topic: Topic) {
        if !self.watched().contains(&topic) {
            self.say(&ClientMessage::Unwatch { topic });
        }
    }

    pub(super) fn watched(&self) -> BTreeSet<Topic> {
        self.pages.values().flatten().copied().collect()
    }
}
