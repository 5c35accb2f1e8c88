//! The engine: drives the machines of [`crate::protocol`] with what the browser has.
//!
//! Every event comes in through [`Engine::event`], which lets the machines take it and
//! then carries out all that they want done. Nothing in here decides anything about
//! the protocol.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use gloo_timers::callback::Timeout;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, MessagePort};

use super::journal::Journal;
use super::port::Port;
use super::socket::{Socket, Told};
use super::source::{self, Source, Sources};
use super::time::{now, random};
use crate::port::{Command, Link, PageEvent, Report, Which};
use crate::protocol::close::CloseCode;
use crate::protocol::connection::{self, Connection, Event, State};
use crate::protocol::frame::Frame;
use crate::protocol::id::ClientId;
use crate::protocol::live::Topic;
use crate::protocol::manifest::Manifest;
use crate::protocol::message::{ClientMessage, ServerMessage};
use crate::protocol::pace::Pace;
use crate::protocol::sender::{Effect, Key, Record, Sender};
use crate::protocol::{Generation, Time, VERSION};

/// How often pages are told, at most.
const REPORT: Duration = Duration::from_millis(33);
/// How often the rates of what moves are told.
const RATES: Duration = Duration::from_millis(500);
/// How long files wait for the journal to be read, in milliseconds: a browser whose
/// database hangs uploads all the same.
const JOURNAL_PATIENCE: u32 = 2000;
/// How soon to look again whether the socket has room.
const ROOM: Duration = Duration::from_millis(8);

/// The engine of this page or worker.
#[derive(Clone)]
pub struct Engine(Rc<RefCell<Inner>>);

struct Inner {
    url: String,
    client: ClientId,
    sender: Sender,
    connection: Connection,
    interest: bool,
    socket: Option<Socket>,
    sources: Sources,
    journal: Option<Rc<Journal>>,
    /// Files that were added before the journal was read; one of them may be what an
    /// upload in it waits for. `None` once it was.
    early: Option<Vec<(Manifest, Source)>>,
    watches: BTreeMap<Topic, u32>,
    port: Option<Port<Report, Command>>,
    link: Option<Link>,
    timer: Option<(Time, Timeout)>,
    reported: Time,
    rated: Time,
    /// Whether there is data for which the socket has no room.
    blocked: bool,
}

impl Engine {
    /// Starts an engine that serves the page at the other end of `port`. `origin` is
    /// the page's, `online` what its browser says of the network.
    pub fn start(port: MessagePort, origin: &str, online: bool) -> Self {
        let mut client = [0; 16];
        // Without chance the client is nobody in particular; tokens still hold.
        let _ = getrandom::fill(&mut client);
        let engine = Self(Rc::new(RefCell::new(Inner {
            // `http` becomes `ws`, and `https` `wss`.
            url: format!("{}/ws", origin.replacen("http", "ws", 1)),
            client: ClientId::from_bytes(client),
            sender: Sender::new(),
            connection: Connection::new(Generation(0), online),
            interest: false,
            socket: None,
            sources: Sources::default(),
            journal: None,
            early: Some(Vec::new()),
            watches: BTreeMap::new(),
            port: None,
            link: None,
            timer: None,
            reported: Time::ZERO,
            rated: Time::ZERO,
            blocked: false,
        })));
        let listening = engine.clone();
        let port = Port::new(port, move |command, files| {
            listening.event(|inner| inner.command(command, &files));
        });
        engine.event(|inner| inner.port = Some(port));
        spawn_local(engine.clone().restore());
        let impatient = engine.clone();
        Timeout::new(JOURNAL_PATIENCE, move || {
            impatient.event(Inner::admit_early)
        })
        .forget();
        engine
    }

    /// Lets the machines take an event, then carries out what they want.
    fn event(&self, take: impl FnOnce(&mut Inner)) {
        let mut inner = self.0.borrow_mut();
        take(&mut inner);
        inner.carry_out(self);
    }

    /// Takes up what the journal kept. A file whose handle may be read without asking
    /// is read; the others must be picked again.
    async fn restore(self) {
        let (journal, records) = match Self::journal().await {
            Ok((journal, records)) => (Some(Rc::new(journal)), records),
            Err(error) => {
                warn(
                    "uploads cannot be continued after a reload: the journal failed",
                    &error,
                );
                (None, Vec::new())
            }
        };
        for (record, handle) in records {
            let found = super::handle::open_granted(&handle).await;
            self.event(|inner| {
                let key = inner.sender.restore(record);
                if let Some(file) = found {
                    let manifest = describe(&file);
                    inner.provide(key, &manifest, Source { file, handle });
                }
            });
        }
        self.event(|inner| {
            inner.journal = journal;
            inner.admit_early();
        });
    }

    async fn journal() -> Result<(Journal, Vec<(Record, JsValue)>), idb::Error> {
        let journal = Journal::open().await?;
        let records = journal.load().await?;
        Ok((journal, records))
    }

    fn told(&self, generation: Generation, told: Told) {
        self.event(|inner| inner.told(generation, told));
    }
}

impl Inner {
    fn command(&mut self, command: Command, files: &Array) {
        match command {
            Command::Add(manifests) => {
                let places = (0..).step_by(2).map(|index| source_at(files, index));
                let both = manifests.into_iter().zip(places);
                self.add(
                    both.filter_map(|(manifest, source)| Some((manifest, source?)))
                        .collect(),
                );
            }
            Command::Provide(key, manifest) => {
                if let Some(source) = source_at(files, 0) {
                    self.provide(key, &manifest, source);
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
            Command::Watch(topic) => self.watch(topic),
            Command::Unwatch(topic) => self.unwatch(topic),
            Command::Page(event) => self.page(event),
            Command::Reconnect => self.connect(Event::Reconnect),
        }
    }

    fn each(&mut self, which: Which, act: impl Fn(&mut Sender, Key)) {
        match which {
            Which::One(key) => act(&mut self.sender, key),
            Which::All => {
                for key in self.sender.keys() {
                    act(&mut self.sender, key);
                }
            }
        }
    }

    /// Takes files into the queue, or to the uploads that were waiting for just these.
    fn add(&mut self, files: Vec<(Manifest, Source)>) {
        if let Some(early) = &mut self.early {
            return early.extend(files);
        }
        let waiting = self
            .sender
            .needs_file()
            .map(|(key, manifest)| (key, manifest.clone()));
        let mut waiting: Vec<_> = waiting.collect();
        for (manifest, source) in files {
            match waiting.iter().position(|(_, wanted)| *wanted == manifest) {
                Some(index) => self.provide(waiting.swap_remove(index).0, &manifest, source),
                None => {
                    let key = self.sender.add(manifest);
                    self.sources.keep(key, source);
                }
            }
        }
    }

    /// Takes in what was added while the journal was being read.
    fn admit_early(&mut self) {
        let early = self.early.take().unwrap_or_default();
        self.add(early);
    }

    fn provide(&mut self, key: Key, manifest: &Manifest, source: Source) {
        if self.sender.provide(key, manifest.clone()) {
            self.sources.keep(key, source);
        }
    }

    fn watch(&mut self, topic: Topic) {
        let count = self.watches.entry(topic).or_default();
        *count += 1;
        if *count == 1 {
            self.say(&ClientMessage::Watch { topic });
        }
    }

    fn unwatch(&mut self, topic: Topic) {
        if let Some(count) = self.watches.get_mut(&topic) {
            *count -= 1;
            if *count == 0 {
                self.watches.remove(&topic);
                self.say(&ClientMessage::Unwatch { topic });
            }
        }
    }

    fn page(&mut self, event: PageEvent) {
        self.connect(match event {
            PageEvent::Hidden => Event::Hidden,
            PageEvent::Shown => Event::Shown,
            PageEvent::Visible => Event::Visible,
            PageEvent::Online => Event::Online,
            PageEvent::Offline => Event::Offline,
        });
    }

    fn connect(&mut self, event: Event) {
        self.connection.handle(event, now(), random());
    }

    /// Sends a message if the connection is open; else the next one begins with it.
    fn say(&self, message: &ClientMessage) {
        if let (State::Open { .. }, Some(socket)) = (self.connection.state(), &self.socket) {
            socket.send(&message.encode());
        }
    }

    fn told(&mut self, generation: Generation, told: Told) {
        if generation != self.connection.generation() {
            return;
        }
        match told {
            Told::Opened => {
                self.connect(Event::Opened(generation));
                self.say(&ClientMessage::Hello {
                    version: VERSION,
                    client: self.client,
                    generation,
                });
                for topic in self.watches.keys() {
                    self.say(&ClientMessage::Watch { topic: *topic });
                }
            }
            Told::Message(bytes) => {
                self.connect(Event::Heard(generation));
                let message = match Frame::parse(bytes.into()) {
                    Ok(Frame::Control(content)) => ServerMessage::decode(&content).ok(),
                    _ => None,
                };
                match message {
                    Some(message) => self.message(generation, message),
                    None => self.connect(Event::Fault(generation)),
                }
            }
            Told::Nonsense => self.connect(Event::Fault(generation)),
            Told::Closed(code) => self.connect(Event::Closed(generation, code)),
        }
    }

    fn message(&mut self, generation: Generation, message: ServerMessage) {
        match message {
            ServerMessage::Welcome {
                limits,
                credit,
                heartbeat,
                ..
            } => {
                let heartbeat = Duration::from_millis(heartbeat.into());
                self.connect(Event::Welcomed(generation, heartbeat));
                self.report(&Report::Limits(limits.clone()));
                self.sender.connected(limits, credit, now());
            }
            ServerMessage::Drain { retry_after } => {
                let retry_after = Duration::from_millis(retry_after.into());
                self.connect(Event::Drain(generation, retry_after));
            }
            ServerMessage::Snapshot { topic, uploads } => {
                self.report(&Report::Snapshot(topic, uploads));
            }
            ServerMessage::Changed {
                topic,
                uploads,
                gone,
            } => {
                self.report(&Report::Changed(topic, uploads, gone));
            }
            ServerMessage::Pong => {}
            message => self.sender.message(message, now(), random()),
        }
    }

    /// Carries out what the machines want, until they want nothing more.
    fn carry_out(&mut self, engine: &Engine) {
        let interest = self.sender.interest() || !self.watches.is_empty();
        if interest != self.interest {
            self.interest = interest;
            self.connect(Event::Interest(interest));
        }
        while let Some(effect) = self.connection.poll() {
            self.connection_effect(effect, engine);
        }
        while let Some(effect) = self.sender.poll_effect() {
            self.sender_effect(effect, engine);
        }
        self.transmit();
        self.report_changes();
        self.arm(engine);
    }

    fn connection_effect(&mut self, effect: connection::Effect, engine: &Engine) {
        let live = |socket: &&Socket| socket.generation == self.connection.generation();
        match effect {
            connection::Effect::Open(generation) => {
                let told = engine.clone();
                let tell = move |generation, event| told.told(generation, event);
                match Socket::open(&self.url, generation, tell) {
                    Ok(socket) => self.socket = Some(socket),
                    Err(code) => self.connect(Event::Closed(generation, code)),
                }
            }
            connection::Effect::Ping(_) => self.say(&ClientMessage::Ping),
            connection::Effect::Close(_, code) => {
                if let Some(socket) = self.socket.as_ref().filter(live) {
                    socket.close(code);
                }
                self.sender.disconnected();
            }
            connection::Effect::Forget(generation) => {
                if self
                    .socket
                    .as_ref()
                    .is_some_and(|s| s.generation == generation)
                {
                    self.socket = None;
                }
                self.sender.disconnected();
            }
        }
    }

    fn sender_effect(&mut self, effect: Effect, engine: &Engine) {
        match effect {
            Effect::Read { key, slice, range } => {
                let Some(file) = self.sources.get(key).map(|s| s.file.clone()) else {
                    return;
                };
                let engine = engine.clone();
                spawn_local(async move {
                    let outcome = source::read(file, range).await;
                    engine.event(|inner| inner.sender.read(key, slice, outcome, now()));
                });
            }
            Effect::Keep(key) => {
                if let (Some(journal), Some(record)) =
                    (self.journal.clone(), self.sender.record(key))
                {
                    let handle = self.sources.get(key).map(|s| s.handle.clone());
                    spawn_local(async move {
                        let handle = handle.unwrap_or_default();
                        if let Err(error) = journal.keep(&record, &handle).await {
                            warn("an upload could not be written down", &error);
                        }
                    });
                }
            }
            Effect::Forget(id) => {
                if let Some(journal) = self.journal.clone() {
                    spawn_local(async move {
                        if let Err(error) = journal.forget(id).await {
                            warn("an upload could not be struck out", &error);
                        }
                    });
                }
            }
            Effect::Release(key) => self.sources.forget(key),
        }
    }

    /// Hands messages to the socket while credit and the socket's queue allow.
    fn transmit(&mut self) {
        self.blocked = false;
        let (State::Open { .. }, Some(socket)) = (self.connection.state(), &self.socket) else {
            return;
        };
        let pace = Pace::at(self.sender.rate(now()));
        while socket.buffered() < pace.queue {
            match self.sender.poll_transmit(pace.payload) {
                Some(message) => socket.send(&message),
                None => return,
            }
        }
        self.blocked = self.sender.has_data();
    }

    fn report_changes(&mut self) {
        let now = now();
        let link = self.link(now);
        if self.link != Some(link) {
            self.link = Some(link);
            self.report(&Report::Connection(link));
        }
        if self.sender.interest() && self.rated + RATES <= now {
            self.rated = now;
            self.sender.touch_moving();
        }
        if self.sender.has_changes() && self.reported + REPORT <= now {
            self.reported = now;
            let (changed, removed) = self.sender.take_changes(now);
            self.report(&Report::Rows { changed, removed });
        }
    }

    fn report(&self, report: &Report) {
        if let Some(port) = &self.port {
            port.send(report, &Array::new());
        }
    }

    fn link(&self, now: Time) -> Link {
        if let Some(code) = self.connection.refused().and_then(CloseCode::code) {
            return Link::Closed { code };
        }
        match self.connection.state() {
            State::Open { pinged, .. } if self.connection.online() || !pinged => Link::Open,
            _ if !self.connection.online() && self.interest => Link::Offline,
            State::Open { .. } => Link::Open,
            State::Connecting { .. } => Link::Connecting,
            State::Waiting { until } => {
                let left = until.saturating_sub(now).as_millis() as u64;
                // The same wait is one report: its seconds are the page's to count.
                match self.link {
                    Some(Link::Waiting { retry_in }) if retry_in >= left => {
                        Link::Waiting { retry_in }
                    }
                    _ => Link::Waiting { retry_in: left },
                }
            }
            State::Closing { .. } | State::Idle => Link::Idle,
        }
    }

    /// Sets the one timer to the next moment at which anything is due.
    fn arm(&mut self, engine: &Engine) {
        let now = now();
        let rows = self.sender.has_changes().then(|| self.reported + REPORT);
        let rates = self.sender.interest().then(|| self.rated + RATES);
        let room = self.blocked.then(|| now + ROOM);
        let times = [
            self.connection.timeout(),
            self.sender.timeout(),
            rows,
            rates,
            room,
        ];
        let Some(due) = times.into_iter().flatten().min() else {
            self.timer = None;
            return;
        };
        if self.timer.as_ref().is_some_and(|(at, _)| *at <= due) {
            return;
        }
        let engine = engine.clone();
        // One millisecond late is in time; one early would wake up for nothing.
        let wait = due.saturating_sub(now).as_millis().min(60_000) as u32 + 1;
        let timer = Timeout::new(wait, move || {
            engine.event(|inner| {
                inner.timer = None;
                inner.connect(Event::Tick);
                inner.sender.tick(super::time::now());
            });
        });
        self.timer = Some((due, timer));
    }
}

/// The file at a place of the array beside a command, and the handle after it.
fn source_at(files: &Array, index: u32) -> Option<Source> {
    let file: File = files.get(index).dyn_into().ok()?;
    Some(Source {
        file,
        handle: files.get(index + 1),
    })
}

/// What a file says of itself.
pub fn describe(file: &File) -> Manifest {
    Manifest {
        path: file.name(),
        size: file.size() as u64,
        modified: Some(file.last_modified() as i64),
        media_type: file.type_(),
    }
}

fn warn(what: &str, why: &impl std::fmt::Display) {
    web_sys::console::warn_1(&format!("Longhaul: {what}: {why}").into());
}
