//! What pages command, and what each of them is told of.

use std::collections::BTreeSet;

use js_sys::Array;

use super::files::Batch;
use super::report::{PORTION, portions};
use super::{EXPECTED, Inner, now};
use crate::client::lines::LineId;
use crate::client::source;
use crate::port::{Command, Key, Report, Visit, Which, World};
use crate::protocol::connection::Event;
use crate::protocol::live::Topic;
use crate::protocol::message::ClientMessage;
use crate::protocol::sender::Sender;

/// A page that is attached.
pub(super) struct Page {
    pub(super) visit: Visit,
    /// What it watches.
    topics: BTreeSet<Topic>,
    /// The uploads of which it shows how they go.
    pub(super) looks: BTreeSet<Key>,
}

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
            Command::Attach { visit, topics, .. } => self.attach(line, visit, topics),
            Command::Detach => self.detach(line),
            Command::Expect => self.expected = now() + EXPECTED,
            Command::Add(given) => return Some(batch(given, false)),
            Command::Offer(given) => return Some(batch(given, true)),
            Command::Provide(key, given) => {
                for source in source::beside(vec![given], files) {
                    let tag = source.given.tag;
                    let taken = self.provide(key, source).then_some(key);
                    self.report_to(line, Report::Added(vec![(tag, taken)]));
                }
            }
            Command::Resume(which) => self.each(which, Sender::keys, Sender::resume),
            Command::Pause(which) => self.each(which, Sender::keys, Sender::pause),
            Command::Retry(which) => self.each(which, Sender::keys, Sender::retry),
            Command::Cancel(which) => self.each(which, Sender::unfinished_keys, Sender::cancel),
            Command::Rename(key, name) => {
                self.client.sender.rename(key, &name);
                self.renamed(key);
            }
            Command::Arrange(keys, before) => self.client.sender.arrange(&keys, before),
            Command::Limits(limits) => {
                if self.limits.is_none() {
                    self.client.sender.expect(limits, now());
                }
            }
            Command::Clear => self.client.sender.clear(),
            Command::Watch(topic) => self.watch(line, topic),
            Command::Unwatch(topic) => self.unwatch(line, topic),
            Command::Look(key) => {
                if let Some(page) = self.pages.get_mut(&line) {
                    page.looks.insert(key);
                    self.report_flight(line, key);
                }
            }
            Command::LookAway(key) => {
                if let Some(page) = self.pages.get_mut(&line) {
                    page.looks.remove(&key);
                }
            }
            Command::World(World::Visible) => self.connect(Event::Visible),
            Command::World(World::Online) => self.connect(Event::Online),
            Command::World(World::Offline) => self.connect(Event::Offline),
            Command::Reconnect => self.connect(Event::Reconnect),
        }
        None
    }

    /// Tells a page everything, and from now on what changes.
    fn attach(&mut self, line: LineId, visit: Visit, topics: Vec<Topic>) {
        let page = Page {
            visit,
            topics: BTreeSet::new(),
            looks: BTreeSet::new(),
        };
        self.pages.insert(line, page);
        let now = now();
        let rows = self.client.sender.rows(now);
        let keys = rows.iter().map(|row| row.key).collect();
        let mut rows = rows.into_iter();
        let attached = Report::Attached {
            engine: self.id,
            keys,
            rows: rows.by_ref().take(PORTION).collect(),
            link: self.link(now),
            limits: self.limits.clone(),
        };
        self.report_to(line, attached);
        for report in portions(rows.collect(), Vec::new()) {
            self.report_to(line, report);
        }
        // On an earlier visit it may not have heard.
        self.report_to(line, Report::Added(self.sources.names()));
        for topic in topics {
            self.watch(line, topic);
        }
        self.connect(Event::Shown);
    }

    fn detach(&mut self, line: LineId) {
        let page = self.pages.remove(&line);
        for topic in page.into_iter().flat_map(|page| page.topics) {
            self.unwatched(topic);
        }
    }

    fn each(
        &mut self,
        which: Which,
        all: impl Fn(&Sender) -> Vec<Key>,
        act: impl Fn(&mut Sender, Key),
    ) {
        let sender = &mut self.client.sender;
        let keys = match which {
            Which::These(keys) => keys,
            Which::All => all(sender),
        };
        for key in keys {
            act(sender, key);
        }
    }

    fn watch(&mut self, line: LineId, topic: Topic) {
        if let Some(page) = self.pages.get_mut(&line) {
            page.topics.insert(topic);
            // Also where another page watches it: this one needs the snapshot.
            self.client.say(&ClientMessage::Watch { topic });
        }
    }

    fn unwatch(&mut self, line: LineId, topic: Topic) {
        if let Some(page) = self.pages.get_mut(&line)
            && page.topics.remove(&topic)
        {
            self.unwatched(topic);
        }
    }

    /// One page less watches it.
    fn unwatched(&mut self, topic: Topic) {
        if !self.watched().contains(&topic) {
            self.client.say(&ClientMessage::Unwatch { topic });
        }
    }

    pub(super) fn watched(&self) -> BTreeSet<Topic> {
        let topics = self.pages.values().flat_map(|page| &page.topics);
        topics.copied().collect()
    }
}
