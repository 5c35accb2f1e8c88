//! The engine: drives the [`Client`] of [`crate::protocol`] with what the browser has.
//!
//! Every event comes in through [`Engine::event`], which lets the machine take it and
//! then carries out all that it wants done. Nothing in here decides anything about
//! the protocol.

mod files;
mod notes;
mod pages;
mod report;
mod small;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use gloo_timers::callback::Timeout;
use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use self::files::{Batch, News, Waiting};
use self::notes::Notes;
use self::pages::Page;
use self::small::SmallReads;
use crate::client::hasher::Hasher;
use crate::client::journal::Journal;
use crate::client::lines::{LineId, Lines};
use crate::client::shared::{self, Shared};
use crate::client::socket::{Socket, Told};
use crate::client::source::{self, Source, Sources};
use crate::client::time::{now, random};
use crate::ledger::Change;
use crate::port::{Command, EngineId, Given, Link, Report, Tag};
use crate::protocol::client::{Client, Effect};
use crate::protocol::close::CloseCode;
use crate::protocol::connection::Event;
use crate::protocol::id::ClientId;
use crate::protocol::lanes::{self, LaneId};
use crate::protocol::manifest::{Limits, MAX_MEDIA_TYPE, Manifest};
use crate::protocol::message::{ClientMessage, ServerMessage};
use crate::protocol::sender::{self, Key, Record, Sender};
use crate::protocol::sockets::{Socket as _, Sockets, Which};
use crate::protocol::{Generation, Time};

/// How often pages are told of their rows, by how many changed: to draw one takes time.
const REPORT_ROW: Duration = Duration::from_millis(60);
const REPORT: RangeInclusive<Duration> = Duration::from_millis(125)..=Duration::from_millis(250);
/// How often the rates of what moves are told.
const RATES: Duration = Duration::from_millis(500);
/// How often a page is told how the uploads go that it looks at.
const FLIGHTS: Duration = Duration::from_millis(500);
/// How long picked files wait for the journal to be read, in milliseconds: a browser
/// whose database hangs uploads all the same.
const PICKED_WAIT: u32 = 2000;
/// The same for files of an earlier engine. In the journal are uploads that wait for
/// just these; without it each would become a second one.
const OFFERED_WAIT: u32 = 30_000;
/// How long a connection is kept for files that are likely to come.
const EXPECTED: Duration = Duration::from_secs(30);
/// How soon to look again whether the socket has room.
const ROOM: Duration = Duration::from_millis(8);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_namespace = location, js_name = origin)]
    static ORIGIN: String;

    #[wasm_bindgen(thread_local_v2, js_namespace = navigator, js_name = onLine)]
    static ON_LINE: bool;
}

/// The engine of this browser.
#[derive(Clone)]
pub struct Engine(Rc<RefCell<Inner>>);

struct Inner {
    id: EngineId,
    client: Client,
    url: String,
    sockets: Sockets<Socket>,
    sources: Sources,
    hasher: Rc<Hasher>,
    small: SmallReads,
    notes: Notes,
    /// Files that came before the journal was read; one of them may be what an upload
    /// in it waits for.
    early: Vec<Batch>,
    waiting: Waiting,
    lines: Rc<Lines>,
    /// Whether it ends with one page of several.
    mortal: bool,
    news: News,
    /// The pages that are attached.
    pages: BTreeMap<LineId, Page>,
    link: Option<Link>,
    limits: Option<Limits>,
    timer: Option<(Time, Timeout)>,
    /// Until when files are likely to come.
    expected: Time,
    reported: Time,
    rated: Time,
    /// When it was told how uploads go, and whether there is nothing to tell since.
    flights: Time,
    flown: bool,
    /// Whether there is data for which the socket has no room.
    blocked: bool,
    /// Whether another engine took its place: what still comes in is nothing to it.
    over: bool,
}

impl Engine {
    /// Starts the engine. It talks to pages over `lines`, once they attached; it is
    /// `mortal` if it ends with one page of several.
    pub fn start(lines: Rc<Lines>, mortal: bool) -> Result<Self, getrandom::Error> {
        let (mut client, mut secret) = ([0; 16], [0; 32]);
        getrandom::fill(&mut client)?;
        getrandom::fill(&mut secret)?;
        // Keys of an engine before this one mean nothing here.
        let sender = Sender::new(Key(random() as u32 / 2), secret);
        let online = ON_LINE.with(|online| *online);
        let hasher = Rc::new(Hasher::default());
        let engine = Self(Rc::new(RefCell::new(Inner {
            id: EngineId(random()),
            client: Client::new(ClientId::from_bytes(client), sender, online),
            // `http` becomes `ws`, and `https` `wss`.
            url: format!("{}/ws", ORIGIN.with(|it| it.replacen("http", "ws", 1))),
            sockets: Sockets::default(),
            sources: Sources::default(),
            hasher: hasher.clone(),
            small: SmallReads::default(),
            notes: Notes::default(),
            early: Vec::new(),
            waiting: Waiting::All,
            lines,
            mortal,
            news: News::default(),
            pages: BTreeMap::new(),
            link: None,
            limits: None,
            timer: None,
            expected: Time::ZERO,
            reported: Time::ZERO,
            rated: Time::ZERO,
            flights: Time::ZERO,
            flown: false,
            blocked: false,
            over: false,
        })));
        spawn_local(async move { hasher.load().await });
        spawn_local(engine.clone().restore());
        for (wait, waiting) in [
            (PICKED_WAIT, Waiting::Offered),
            (OFFERED_WAIT, Waiting::Nothing),
        ] {
            let impatient = engine.clone();
            Timeout::new(wait, move || {
                spawn_local(async move { impatient.admit_early(waiting).await });
            })
            .forget();
        }
        Ok(engine)
    }

    /// A page commands.
    pub fn command(&self, line: LineId, command: Command, files: &Array) {
        let mut batch = None;
        self.event(|inner| batch = inner.command(line, command, files));
        if let Some(batch) = batch {
            self.take_in(batch);
        }
    }

    /// Ends it for another to take its place: gives the files of all that is unfinished,
    /// once everything about it is written down.
    pub async fn leave(self) -> Vec<Source> {
        self.event(|inner| inner.connect(Event::Hidden));
        let (files, notes) = self.0.borrow_mut().end();
        if let Err(error) = notes.finish().await {
            warn("the journal failed", &error);
        }
        files
    }

    /// Lets the machine take an event, then carries out what it wants.
    fn event(&self, take: impl FnOnce(&mut Inner)) {
        let mut inner = self.0.borrow_mut();
        if !inner.over {
            take(&mut inner);
            inner.carry_out(self);
        }
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
        let mut handles = Vec::new();
        self.event(|inner| {
            for (record, handle) in records {
                let key = inner.client.sender.restore(record);
                if handle.is_object() {
                    // Of one that another app shared there is nobody to ask.
                    if shared::tag_of(&handle).is_none() {
                        inner.client.sender.remember_handle(key);
                    }
                    handles.push((key, handle));
                }
            }
            inner.notes.journal = journal;
        });
        self.admit_early(Waiting::Nothing).await;
        for (key, handle) in handles {
            if let Some(file) = super::handle::open_granted(&handle).await {
                let given = Given {
                    tag: shared::tag_of(&handle).unwrap_or_else(|| Tag(random())),
                    manifest: describe(&file),
                    again: true,
                };
                let source = Source {
                    given,
                    file,
                    handle,
                };
                self.event(|inner| _ = inner.provide(key, source));
            }
        }
        // Those that the journal has are known by their names now.
        self.take_shared().await;
    }

    /// Takes up what was shared and has not been sent: the journal knows only of those that
    /// are sent or are among the next.
    async fn take_shared(&self) {
        if let Ok(shared) = Shared::open().await
            && let Ok(files) = shared.taken().await
        {
            self.offer(files);
        }
    }

    async fn journal() -> Result<(Journal, Vec<(Record, JsValue)>), idb::Error> {
        let journal = Journal::open().await?;
        let records = journal.load().await?;
        Ok((journal, records))
    }

    /// What is called with the events of sockets.
    fn tell(&self) -> impl Fn(Which, Told) + Clone + 'static {
        let engine = self.clone();
        move |(generation, lane), told| {
            engine.event(|inner| match lane {
                None => inner.told(generation, told),
                Some(id) => inner.lane_told(generation, id, told),
            });
        }
    }
}

impl Inner {
    fn connect(&mut self, event: Event) {
        self.client.happen(event, now(), random());
    }

    fn told(&mut self, generation: Generation, told: Told) {
        match told {
            Told::Opened => {
                if self.client.opened(generation, now(), random()) {
                    for topic in self.watched() {
                        self.client.say(&ClientMessage::Watch { topic });
                    }
                }
            }
            Told::Message(bytes) => {
                let heard = self.client.hear(generation, bytes.into(), now(), random());
                if let Some(message) = heard {
                    self.message(message);
                }
            }
            Told::Nonsense => self.connect(Event::Fault(generation)),
            Told::Closed(code) => self.connect(Event::Closed(generation, code)),
        }
    }

    fn lane_told(&mut self, generation: Generation, id: LaneId, told: Told) {
        let Some(lane) = self.sockets.get((generation, Some(id))) else {
            return;
        };
        let code = match told {
            Told::Opened => {
                if let Some(message) = self.client.lane_opened(generation) {
                    lane.send(&message);
                }
                return;
            }
            Told::Message(bytes) => {
                return self.client.lane_heard(generation, id, bytes.into());
            }
            Told::Nonsense => CloseCode::Protocol,
            Told::Closed(code) => code,
        };
        self.sockets.drop_lane(id);
        let lane = (generation, id);
        self.client.lane_closed(lane, code, now(), random());
    }

    fn message(&mut self, message: ServerMessage) {
        match message {
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
            ServerMessage::Pulse(pulse) => self.report(&Report::Pulse(pulse)),
            message => {
                if let ServerMessage::Welcome { limits, .. } = &message {
                    self.limits = Some(limits.clone());
                    self.report(&Report::Limits(limits.clone()));
                }
                self.client.message(message, now(), random());
            }
        }
    }

    /// Carries out what the machine wants, until it wants nothing more.
    fn carry_out(&mut self, engine: &Engine) {
        let now = now();
        let needed = self.client.sender.interest() || !self.watched().is_empty();
        self.client
            .needed(needed || now < self.expected, now, random());
        while let Some(effect) = self.client.poll() {
            self.effect(effect, engine);
        }
        self.read_small(engine);
        self.write_notes(engine);
        self.tell_hosts();
        self.transmit();
        self.report_changes();
        self.arm(engine);
    }

    fn effect(&mut self, effect: Effect, engine: &Engine) {
        match effect {
            Effect::Open(generation) => {
                let url = self.url.clone();
                if let Err(code) = self.open(&url, (generation, None), engine) {
                    self.connect(Event::Closed(generation, code));
                }
            }
            Effect::Send(generation, message) => {
                if let Some(socket) = self.sockets.get((generation, None)) {
                    socket.send(&message);
                }
            }
            Effect::Lane(generation, lanes::Effect::Open(id)) => {
                let url = format!("{}/lane", self.url);
                if let Err(code) = self.open(&url, (generation, Some(id)), engine) {
                    let lane = (generation, id);
                    self.client.lane_closed(lane, code, now(), random());
                }
            }
            Effect::Lane(generation, lanes::Effect::Close(id)) => {
                if let Some(lane) = self.sockets.get((generation, Some(id))) {
                    lane.close(CloseCode::Done);
                }
            }
            Effect::Close(generation, code) => self.sockets.close(generation, code),
            Effect::Forget(generation) => self.sockets.forget(generation),
            Effect::Upload(effect) => self.upload_effect(effect, engine),
        }
    }

    fn open(&mut self, url: &str, which: Which, engine: &Engine) -> Result<(), CloseCode> {
        let tell = engine.tell();
        let socket = Socket::open(url, move |told| tell(which, told))?;
        self.sockets.insert(which, socket);
        Ok(())
    }

    fn upload_effect(&mut self, effect: sender::Effect, engine: &Engine) {
        use sender::Effect;
        match effect {
            Effect::Read { key, slice, range } => {
                let Some(file) = self.sources.get(key).map(|s| s.file.clone()) else {
                    return;
                };
                if self.read_later(key, slice, file.size() as u64) {
                    return;
                }
                let (engine, hasher) = (engine.clone(), self.hasher.clone());
                spawn_local(async move {
                    let take = |outcome| {
                        engine.event(|inner| inner.client.sender.read(key, slice, outcome, now()));
                    };
                    source::read(&file, range, &hasher, take).await;
                });
            }
            Effect::Keep(key) => self.write_down(key),
            Effect::Forget(_, token) => self.notes.push(Change::Forget(token)),
            Effect::Release(key) => {
                let Some(source) = self.sources.forget(key) else {
                    return;
                };
                let tag = source.given.tag;
                if self.mortal {
                    self.news.spent.push(tag);
                }
                self.notes.push(Change::End(tag));
                spawn_local(async move { shared::ended(&[source]).await });
            }
        }
    }

    /// Hands messages to the sockets while credit and their queues allow.
    fn transmit(&mut self) {
        self.blocked = false;
        let Some(pace) = self.client.pace(now()) else {
            return;
        };
        let full = loop {
            match self.sockets.least(self.client.lanes()) {
                None => return,
                Some(socket) if socket.buffered() >= pace.queue => break true,
                Some(socket) => match self.client.poll_transmit(pace.payload) {
                    Some(message) => socket.send(&message),
                    None => break false,
                },
            }
        };
        self.client.transmitted(now());
        self.blocked = full && self.client.sender.has_data();
    }

    /// Sets the one timer to the next moment at which anything is due.
    fn arm(&mut self, engine: &Engine) {
        let now = now();
        let rows = self.client.sender.has_changes().then(|| self.report_due());
        let rates = self.client.sender.interest().then(|| self.rated + RATES);
        let room = self.blocked.then(|| now + ROOM);
        let expected = (now < self.expected).then_some(self.expected);
        let flights = self.flights_due();
        let times = [self.client.timeout(), rows, rates, room, expected, flights];
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
                inner.client.tick(super::time::now(), random());
            });
        });
        self.timer = Some((due, timer));
    }
}

/// What a file says of itself.
pub fn describe(file: &File) -> Manifest {
    // Longer types are nothing that anybody registered.
    let media_type = Some(file.type_()).filter(|it| it.len() <= MAX_MEDIA_TYPE);
    Manifest {
        path: file.name(),
        size: file.size() as u64,
        modified: Some(file.last_modified() as i64),
        media_type: media_type.unwrap_or_default(),
    }
}

fn warn(what: &str, why: &impl std::fmt::Display) {
    web_sys::console::warn_1(&format!("Longhaul: {what}: {why}").into());
}
