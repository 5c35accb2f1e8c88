//! The page's end of the port to the engine: what an interface may know of it.
//!
//! An [`Engine`] lives above the router, so uploads and what is known of them outlive
//! every change of the route. [`Engine::apply`] turns reports into signals;
//! [`Engine::command`] carries wishes the other way. On a server it is inert, and
//! in a page it is so until an engine is attached: commands wait until then.

use std::collections::{HashMap, HashSet};

use leptos::prelude::*;

use super::browser;
use super::queue::{Put, Queue};
use super::rows::{RowData, RowHandle, Totals};
use super::table::LiveTable;
use crate::port::{Command, EngineId, Key, Link, Place, Report, Row, RowState, Tag};
use crate::protocol::live::Topic;
use crate::protocol::manifest::Limits;
use crate::protocol::recorder::Flight;

#[cfg(feature = "hydrate")]
pub use super::outbox::Picked;
#[cfg(feature = "hydrate")]
use {
    super::outbox::{Outbox, Sink},
    std::rc::Rc,
};

/// What the interface knows of the engine. `Copy`; find it with [`Engine::expect`].
#[derive(Clone, Copy)]
pub struct Engine {
    queue: StoredValue<Queue>,
    /// How many rows there are.
    len: RwSignal<usize>,
    /// Says that there are others, or that they are in another order.
    listed: RwSignal<()>,
    /// Says that some are in another state.
    states: RwSignal<()>,
    totals: RwSignal<Totals>,
    link: RwSignal<LinkView>,
    limits: RwSignal<Option<Limits>>,
    /// What the server said to the page that it accepts.
    expected: RwSignal<Option<Limits>>,
    unreadable: RwSignal<u32>,
    place: RwSignal<Option<Place>>,
    watched: StoredValue<HashMap<Topic, Vec<(u64, LiveTable)>>>,
    watchers: StoredValue<u64>,
    /// How the uploads go that the page looks at, and how many parts of it look.
    flights: StoredValue<Flights>,
    #[cfg(feature = "hydrate")]
    outbox: StoredValue<Outbox, LocalStorage>,
}

/// How uploads go, and how many parts of the page look at each.
type Flights = HashMap<Key, (ArcRwSignal<Option<Flight>>, u32)>;

/// The state of the connection, and when the next try comes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkView {
    /// The state as the engine reported it.
    pub link: Link,
    /// The moment of the next try on this page's clock ([`browser::now`]).
    pub retry_at: Option<f64>,
    /// Whether one broke and none was open since: quick tries come and go, and this stays.
    pub lost: bool,
}

impl Engine {
    /// Makes the page's end and provides it to every component below.
    pub fn provide() -> Self {
        let engine = Self {
            queue: StoredValue::new(Queue::default()),
            len: RwSignal::new(0),
            listed: RwSignal::new(()),
            states: RwSignal::new(()),
            totals: RwSignal::new(Totals::default()),
            link: RwSignal::new(LinkView::default()),
            limits: RwSignal::new(None),
            expected: RwSignal::new(None),
            unreadable: RwSignal::new(0),
            place: RwSignal::new(None),
            watched: StoredValue::new(HashMap::new()),
            watchers: StoredValue::new(0),
            flights: StoredValue::new(HashMap::new()),
            #[cfg(feature = "hydrate")]
            outbox: StoredValue::new_local(Outbox::default()),
        };
        provide_context(engine);
        engine
    }

    /// The engine provided above this component.
    pub fn expect() -> Self {
        expect_context()
    }

    /// How many rows there are; tracked.
    pub fn len(self) -> usize {
        self.len.get()
    }

    /// Whether there are no rows; tracked.
    pub fn is_empty(self) -> bool {
        self.len.get() == 0
    }

    /// Follows which rows there are and in which order; where `states` matter, those too.
    pub fn follow(self, states: bool) {
        self.listed.track();
        if states {
            self.states.track();
        }
    }

    /// Looks at all rows.
    pub fn queue<T>(self, look: impl FnOnce(&Queue) -> T) -> T {
        self.queue.with_value(look)
    }

    /// One row, for the component that calls this; nothing if it is gone.
    pub fn row(self, key: Key) -> Option<RowHandle> {
        let row = self.queue(|queue| queue.row(key))?;
        Some(RowHandle::new(key, row))
    }

    /// All rows added up; tracked.
    pub fn totals(self) -> Totals {
        self.totals.get()
    }

    /// The connection; tracked.
    pub fn link(self) -> LinkView {
        self.link.get()
    }

    /// What the server accepts, as the engine or the page heard last; tracked.
    pub fn limits(self) -> Option<Limits> {
        self.limits.get().or_else(|| self.expected.get())
    }

    /// The page was told what the server accepts: what breaks a rule is refused at once,
    /// also before there is a connection.
    pub fn expect_limits(self, limits: Limits) {
        self.expected.set(Some(limits.clone()));
        self.command(Command::Limits(limits));
    }

    /// Calls a file something else. It is shown so at once.
    pub fn rename(self, key: Key, name: String) {
        if let Some(row) = self.queue(|queue| queue.row(key)) {
            let mut row = row.get_untracked();
            row.name.clone_from(&name);
            self.given_renamed(key, &row.path());
            self.put(vec![row]);
        }
        self.command(Command::Rename(key, name));
    }

    /// How many picked files could not even be opened; tracked.
    pub fn left_out(self) -> u32 {
        self.unreadable.get()
    }

    /// Says that so many more picked files could not be opened.
    pub fn unreadable(self, files: u32) {
        if files > 0 {
            self.unreadable.update(|n| *n = n.saturating_add(files));
        }
    }

    /// Forgets about files that could not be opened.
    pub fn forget_left_out(self) {
        self.unreadable.set(0);
    }

    /// Sends a command that carries no files.
    pub fn command(self, command: Command) {
        #[cfg(feature = "hydrate")]
        self.post(command, Vec::new());
        #[cfg(not(feature = "hydrate"))]
        drop(command);
    }

    /// Says that files are likely to come soon.
    pub fn expect_files(self) {
        self.command(Command::Expect);
    }

    /// Where the engine is to which the page is attached; tracked.
    pub fn place(self) -> Option<Place> {
        self.place.get()
    }

    /// Says where the engine is.
    pub fn found(self, place: Place) {
        self.place.set(Some(place));
    }

    /// Watches a topic for as long as the component that calls this lives: `table`
    /// then follows it.
    pub fn watch(self, topic: Topic, table: LiveTable) {
        let number = self
            .watchers
            .try_update_value(|n| {
                *n += 1;
                *n
            })
            .unwrap_or_default();
        // An effect: it runs in a browser only, and after the page was hydrated.
        Effect::new(move |_| {
            let table = table.clone();
            let mut first = true;
            self.watched.update_value(|watched| {
                let tables = watched.entry(topic).or_default();
                if let Some((_, other)) = tables.first() {
                    table.replace(untrack(|| other.all()));
                    table.follow(untrack(|| other.pulse()));
                    first = false;
                }
                tables.push((number, table));
            });
            if first {
                self.command(Command::Watch(topic));
            }
        });
        on_cleanup(move || {
            let mut last = false;
            _ = self.watched.try_update_value(|watched| {
                if let Some(tables) = watched.get_mut(&topic) {
                    tables.retain(|(n, _)| *n != number);
                    last = tables.is_empty();
                    if last {
                        watched.remove(&topic);
                    }
                }
            });
            if last {
                self.command(Command::Unwatch(topic));
            }
        });
    }

    /// Looks at how an upload goes for as long as the component that calls this lives.
    pub fn look(self, key: Key) -> ArcRwSignal<Option<Flight>> {
        let mut first = false;
        let flight = self.flights.try_update_value(|flights| {
            let (flight, looks) = flights.entry(key).or_default();
            *looks += 1;
            first = *looks == 1;
            flight.clone()
        });
        if first {
            self.command(Command::Look(key));
        }
        on_cleanup(move || {
            let mut last = false;
            _ = self.flights.try_update_value(|flights| {
                if let Some((_, looks)) = flights.get_mut(&key) {
                    *looks -= 1;
                    last = *looks == 0;
                }
                if last {
                    flights.remove(&key);
                }
            });
            if last {
                self.command(Command::LookAway(key));
            }
        });
        flight.unwrap_or_default()
    }

    /// Takes in what the engine reports.
    pub fn apply(self, report: Report) {
        match report {
            Report::Attached {
                engine,
                keys,
                rows,
                link,
                limits,
            } => {
                let another = self.attached_to(engine);
                let there: HashSet<Key> = keys.into_iter().collect();
                let gone = self.queue(|queue| {
                    let gone = queue.keys().filter(|key| another || !there.contains(key));
                    gone.collect()
                });
                self.apply_rows(Vec::new(), gone);
                self.apply_rows(rows, Vec::new());
                self.apply_link(link);
                if let Some(limits) = limits {
                    self.apply_limits(limits);
                } else if let Some(limits) = self.expected.get_untracked() {
                    self.command(Command::Limits(limits));
                }
                // Keys of another engine name nothing here, and nobody looks at those.
                let looks = |flights: &Flights| flights.keys().copied().collect();
                let looks: Vec<Key> = self.flights.with_value(looks);
                for key in looks.into_iter().filter(|key| there.contains(key)) {
                    self.command(Command::Look(key));
                }
                self.flush();
            }
            Report::Added(keys) => self.added(keys),
            Report::Rows { changed, removed } => self.apply_rows(changed, removed),
            Report::Connection(link) => self.apply_link(link),
            Report::Limits(limits) => self.apply_limits(limits),
            Report::Snapshot(topic, uploads) => {
                for table in self.tables(topic) {
                    table.replace(uploads.clone());
                }
            }
            Report::Changed(topic, changed, gone) => {
                for table in self.tables(topic) {
                    table.merge(changed.clone(), &gone);
                }
            }
            Report::Pulse(pulse) => {
                for table in self.tables(Topic::Live) {
                    table.follow(pulse.clone());
                }
            }
            Report::Flight(key, flight) => {
                let shown = self
                    .flights
                    .with_value(|flights| flights.get(&key).map(|(shown, _)| shown.clone()));
                if let Some(shown) = shown {
                    shown.set(Some(*flight));
                }
            }
        }
    }

    fn apply_link(self, link: Link) {
        self.link.update(|view| {
            *view = LinkView {
                link,
                retry_at: match link {
                    Link::Waiting { retry_in } => Some(browser::now() + retry_in as f64),
                    _ => None,
                },
                lost: match link {
                    Link::Waiting { .. } => true,
                    Link::Connecting => view.lost,
                    _ => false,
                },
            }
        });
    }

    fn apply_limits(self, limits: Limits) {
        if self.limits.read_untracked().as_ref() != Some(&limits) {
            self.limits.set(Some(limits));
        }
    }

    fn tables(self, topic: Topic) -> Vec<LiveTable> {
        self.watched.with_value(|watched| {
            watched
                .get(&topic)
                .map(|tables| tables.iter().map(|(_, table)| table.clone()).collect())
                .unwrap_or_default()
        })
    }

    fn apply_rows(self, changed: Vec<Row>, removed: Vec<Key>) {
        let stored = |row: &&Row| row.state == RowState::Stored;
        let stored: Vec<Key> = changed.iter().filter(stored).map(|row| row.key).collect();
        self.renamed(&changed);
        let gone = self.queue.try_update_value(|queue| {
            let gone = removed.iter().filter(|key| queue.remove(**key));
            gone.count()
        });
        self.put(changed.into_iter().map(RowData::from).collect());
        if gone.is_some_and(|gone| gone > 0) {
            self.listed.notify();
        }
        self.release(&removed);
        for key in stored {
            self.release_file(key);
        }
    }

    /// Takes rows in, and says what changed.
    fn put(self, rows: Vec<RowData>) {
        let put = self.queue.try_update_value(|queue| {
            let (mut moved, mut state) = (false, false);
            for row in rows {
                let put = queue.put(row);
                moved |= put == Put::Moved;
                state |= put == Put::State;
            }
            queue.settle();
            (moved, state, queue.len(), queue.totals())
        });
        let Some((moved, state, len, totals)) = put else {
            return;
        };
        if len != self.len.get_untracked() {
            self.len.set(len);
        }
        if totals != self.totals.get_untracked() {
            self.totals.set(totals);
        }
        if moved {
            self.listed.notify();
        }
        if state {
            self.states.notify();
        }
    }
}

/// What there is to do only where an engine can be attached.
#[cfg(not(feature = "hydrate"))]
impl Engine {
    fn attached_to(self, _engine: EngineId) -> bool {
        true
    }

    fn flush(self) {}

    fn added(self, _keys: Vec<(Tag, Option<Key>)>) {}

    fn renamed(self, _rows: &[Row]) {}

    fn given_renamed(self, _key: Key, _path: &str) {}

    fn release_file(self, _key: Key) {}

    fn release(self, _removed: &[Key]) {}
}

/// What only a page can do.
#[cfg(feature = "hydrate")]
impl Engine {
    /// From now on commands go into `sink`, each with the files and handles that belong
    /// to it (`file, handle or null`, for every manifest), while the page is attached to
    /// an engine.
    pub fn attach(self, sink: impl Fn(Command, js_sys::Array) + 'static) {
        let sink: Sink = Rc::new(sink);
        self.outbox.update_value(|outbox| outbox.attach(sink));
        self.flush();
    }

    /// The engine is gone; whether there was one.
    pub fn detached(self) -> bool {
        self.place.set(None);
        self.outbox
            .try_update_value(Outbox::detached)
            .unwrap_or_default()
    }

    /// What the page watches.
    pub fn topics(self) -> Vec<Topic> {
        self.watched
            .with_value(|watched| watched.keys().copied().collect())
    }

    /// Puts files into the queue.
    pub fn add(self, files: Vec<Picked>) {
        // There is nobody who would take them; the page says what to do.
        let outdated = untrack(|| self.link.get()).link == Link::Outdated;
        if !files.is_empty() && !outdated {
            let given = files.iter().map(|one| one.given.clone()).collect();
            self.post(Command::Add(given), files);
        }
    }

    /// Puts files into the queue that the engine may know already.
    pub fn offer(self, files: Vec<Picked>) {
        if !files.is_empty() {
            let given = files.iter().map(|one| one.given.clone()).collect();
            self.post(Command::Offer(given), files);
        }
    }

    /// Gives an upload the file that it needs.
    pub fn provide_file(self, key: Key, mut file: Picked) {
        file.given.again = true;
        self.post(Command::Provide(key, file.given.clone()), vec![file]);
    }

    fn post(self, command: Command, files: Vec<Picked>) {
        self.outbox
            .update_value(|outbox| outbox.send(command, files));
        self.flush();
    }

    fn attached_to(self, engine: EngineId) -> bool {
        let list: Vec<Key> = self.queue(|queue| queue.glimpses().map(|it| it.key).collect());
        self.outbox
            .try_update_value(|outbox| outbox.attached(engine, &list))
            .unwrap_or_default()
    }

    /// Sends what waits.
    fn flush(self) {
        let ready = self.outbox.try_update_value(Outbox::flush).flatten();
        if let Some((sink, commands)) = ready {
            for (command, files) in commands {
                sink(command, files);
            }
        }
    }

    fn added(self, keys: Vec<(Tag, Option<Key>)>) {
        self.outbox.update_value(|outbox| outbox.added(keys));
    }

    /// The page keeps the files of unfinished uploads under their names.
    fn renamed(self, rows: &[Row]) {
        for row in rows {
            let known = self.queue(|queue| queue.row(row.key));
            if known.is_some_and(|known| known.with_untracked(|known| known.path() != row.path)) {
                self.given_renamed(row.key, &row.path);
            }
        }
    }

    fn given_renamed(self, key: Key, path: &str) {
        self.outbox.update_value(|outbox| outbox.renamed(key, path));
    }

    /// The file of an upload, if this page gave it and it can be shown.
    pub fn pictured(self, key: Key) -> Option<web_sys::File> {
        self.outbox
            .with_value(|outbox| outbox.pictures.file(key).cloned())
    }

    /// The picture of an upload, if it was made.
    pub fn picture(self, key: Key) -> Option<std::sync::Arc<str>> {
        self.outbox
            .with_value(|outbox| outbox.pictures.picture(key))
    }

    /// Keeps the picture of an upload.
    pub fn keep_picture(self, key: Key, url: std::sync::Arc<str>) {
        self.outbox
            .update_value(|outbox| outbox.pictures.keep(key, url));
    }

    fn release_file(self, key: Key) {
        self.outbox.update_value(|outbox| outbox.release(key));
    }

    fn release(self, removed: &[Key]) {
        self.outbox.update_value(|outbox| {
            outbox.pictures.release(removed);
            for key in removed {
                outbox.release(*key);
            }
        });
    }
}
