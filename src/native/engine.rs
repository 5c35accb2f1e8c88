//! The engine: drives the [`Client`] of [`crate::protocol`] with what the system has.
//!
//! Every event is taken in by [`Engine::run`], which lets the machine have it and then
//! carries out all that it wants done. Nothing in here decides anything about the
//! protocol.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::address::Address;
use super::event::{End, Event, Link, Outcome};
use super::journal::Journal;
use super::socket::{Room, Socket, Told};
use super::source::{Fault, Source};
use super::uploads::Uploads;
use crate::protocol::block::Block;
use crate::protocol::client::{Client, Effect};
use crate::protocol::close::CloseCode;
use crate::protocol::connection::{self, State};
use crate::protocol::id::ClientId;
use crate::protocol::lanes::{self, LaneId};
use crate::protocol::manifest::Limits;
use crate::protocol::message::ServerMessage;
use crate::protocol::sender::{self, Key, RowState, Sender};
use crate::protocol::sockets::{Socket as _, Sockets, Which};
use crate::protocol::{Generation, Time};
use crate::verify::BLOCK;

/// How often progress is told, at most.
const REPORT: Duration = Duration::from_millis(100);
/// How often the rates of what moves are told.
const RATES: Duration = Duration::from_millis(500);
/// How long the server may take to make durable what it has, when it is all to stop.
const PAUSE: Duration = Duration::from_secs(3);
/// How long the closing handshake may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How many events may wait.
const INBOX: usize = 64;

/// What is to be sent, and where to.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub server: Address,
    /// The files.
    pub sources: Arc<[Source]>,
    /// Where unfinished uploads are written down, if they are.
    pub journal: Option<Journal>,
    /// How long to go on while nothing moves; for ever, where it is not said.
    pub give_up_after: Option<Duration>,
}

/// Sends all files of a plan, through whatever happens to the connection, until each is
/// stored or has failed, or `stop` is done. Then what the server has is made durable
/// before the connection is closed. What happens goes to `report`.
pub async fn send(
    plan: Plan,
    stop: impl Future<Output = ()>,
    report: impl FnMut(Event),
) -> Outcome {
    Engine::new(plan, report).run(stop).await
}

/// What comes in.
enum Input {
    Socket(Which, Told),
    Read(Key, u64, Result<Block, Fault>),
}

impl From<(Which, Told)> for Input {
    fn from((which, told): (Which, Told)) -> Self {
        Self::Socket(which, told)
    }
}

struct Engine<R> {
    client: Client,
    uploads: Uploads,
    url: String,
    sockets: Sockets<Socket>,
    room: Arc<Room>,
    inbox: (mpsc::Sender<Input>, mpsc::Receiver<Input>),
    /// What the server accepts, while there is a connection.
    limits: Option<Limits>,
    report: R,
    link: Option<Link>,
    /// What the last socket ended with.
    why: Option<String>,
    end: Option<End>,
    began: Instant,
    /// When progress was told last, and the rates with it.
    reported: Option<Time>,
    rated: Time,
    /// When anything moved last.
    moved: Time,
    give_up_after: Option<Duration>,
    /// Until when it may take to stop, once it was asked to.
    deadline: Option<Time>,
    /// Whether a file's fate is known of which nobody was told.
    urgent: bool,
    /// Where there is data for which the socket has no room: when it has room again, in
    /// bytes that wait in it.
    blocked: Option<u64>,
}

impl<R: FnMut(Event)> Engine<R> {
    fn new(plan: Plan, report: R) -> Self {
        let (mut client, mut secret) = ([0; 16], [0; 32]);
        let chance = getrandom::fill(&mut client).and_then(|()| getrandom::fill(&mut secret));
        let refused = |error| End::Refused(format!("no random numbers: {error}"));
        Self {
            url: plan.server.socket(),
            sockets: Sockets::default(),
            room: Arc::default(),
            client: Client::new(
                ClientId::from_bytes(client),
                Sender::new(Key(0), secret),
                true,
            ),
            uploads: Uploads::new(plan.server, plan.sources, plan.journal),
            inbox: mpsc::channel(INBOX),
            limits: None,
            report,
            link: None,
            why: None,
            end: chance.err().map(refused),
            began: Instant::now(),
            reported: None,
            rated: Time::ZERO,
            moved: Time::ZERO,
            give_up_after: plan.give_up_after,
            deadline: None,
            urgent: false,
            blocked: None,
        }
    }

    async fn run(mut self, stop: impl Future<Output = ()>) -> Outcome {
        let mut stop = pin!(stop);
        let end = loop {
            self.carry_out();
            if let Some(end) = self.end() {
                break end;
            }
            let due = self.due();
            tokio::select! {
                Some(input) = self.inbox.1.recv() => self.take(input),
                () = room(&self.room, &self.sockets, &self.client, self.blocked) => {}
                () = sleep_until(due) => self.tick(),
                () = &mut stop, if self.deadline.is_none() => self.stop(End::Stopped),
            }
        };
        self.farewell().await;
        self.urgent = true;
        self.take_rows();
        self.uploads.finish();
        self.tell();
        Outcome {
            end,
            stored: self.uploads.stored,
            failed: self.uploads.failed,
            left: self.uploads.left(),
        }
    }

    fn now(&self) -> Time {
        self.began.elapsed()
    }

    /// How it ends, if it does now.
    fn end(&mut self) -> Option<End> {
        if let Some(deadline) = self.deadline {
            let over = !self.client.sender.is_leaving() || deadline <= self.now();
            return self.end.take_if(|_| over);
        }
        if let Some(end) = self.end.take() {
            return Some(end);
        }
        if let Some(code) = self.client.connection().refused() {
            return Some(End::Closed(code));
        }
        let over = !self.uploads.is_unsettled() && !self.client.sender.interest();
        over.then_some(End::Finished)
    }

    /// Lets go of everything: what the server has is to be made durable.
    fn stop(&mut self, end: End) {
        self.uploads.stop();
        for key in self.uploads.keys() {
            self.client.sender.halt(key);
        }
        self.deadline = Some(self.now() + PAUSE);
        self.end = Some(end);
        self.urgent = true;
    }

    fn report_due(&self) -> Time {
        self.reported.map_or(Time::ZERO, |at| at + REPORT)
    }

    /// When to look at the time again.
    fn due(&self) -> Instant {
        let busy = self.client.sender.interest();
        let times = [
            self.client.timeout(),
            self.client.sender.has_changes().then(|| self.report_due()),
            busy.then(|| self.rated + RATES),
            self.give_up_after.map(|patience| self.moved + patience),
            self.deadline,
        ];
        let due = times.into_iter().flatten().min();
        self.began + due.unwrap_or(self.now() + Duration::from_secs(60))
    }

    fn tick(&mut self) {
        let now = self.now();
        self.client.tick(now, random());
        let patience = self.give_up_after.filter(|_| self.deadline.is_none());
        if patience.is_some_and(|patience| self.moved + patience <= now) {
            self.stop(End::GaveUp);
        }
    }

    fn connect(&mut self, event: connection::Event) {
        let now = self.now();
        self.client.happen(event, now, random());
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Socket((generation, None), told) => self.told(generation, told),
            Input::Socket((generation, Some(id)), told) => self.lane_told(generation, id, told),
            Input::Read(key, slice, outcome) => {
                let now = self.now();
                let row = self.client.sender.row(key, now);
                if row.is_some_and(|row| row.state == RowState::Verifying) {
                    // What is compared is read once.
                    self.moved = now;
                }
                let outcome = outcome.map_err(|fault| {
                    let kind = fault.kind();
                    self.urgent = true;
                    self.uploads.fault(key, fault);
                    kind
                });
                self.client.sender.read(key, slice, outcome, now);
            }
        }
    }

    fn told(&mut self, generation: Generation, told: Told) {
        use connection::Event;
        if generation != self.client.connection().generation() {
            return;
        }
        let now = self.now();
        match told {
            Told::Opened => _ = self.client.opened(generation, now, random()),
            Told::Message(bytes) => {
                if let Some(message) = self.client.hear(generation, bytes, now, random()) {
                    self.message(message);
                }
            }
            Told::Nonsense => self.connect(Event::Fault(generation)),
            Told::Closed(code, why) => {
                self.why = Some(why.unwrap_or_else(|| code.reason().to_owned()));
                self.connect(Event::Closed(generation, code));
            }
            Told::Refused(why) => {
                self.connect(Event::Closed(generation, CloseCode::Broken));
                self.end = Some(End::Refused(why));
            }
        }
    }

    fn lane_told(&mut self, generation: Generation, id: LaneId, told: Told) {
        let which = (generation, Some(id));
        let Some(lane) = self.sockets.get(which) else {
            return;
        };
        let code = match told {
            Told::Opened => {
                if let Some(message) = self.client.lane_opened(generation) {
                    lane.send(message);
                }
                return;
            }
            Told::Message(bytes) => return self.client.lane_heard(generation, id, bytes),
            Told::Nonsense => CloseCode::Protocol,
            Told::Closed(code, _) => code,
            Told::Refused(_) => CloseCode::Broken,
        };
        self.sockets.drop_lane(id);
        let now = self.now();
        self.client
            .lane_closed((generation, id), code, now, random());
    }

    fn message(&mut self, message: ServerMessage) {
        let now = self.now();
        let mut welcome = false;
        match &message {
            ServerMessage::Welcome { limits, .. } => {
                self.limits = Some(limits.clone());
                welcome = true;
            }
            ServerMessage::Failed { .. } => self.urgent = true,
            ServerMessage::Sealed { id, path, .. } => {
                self.uploads.stored_at(*id, path.clone());
                self.urgent = true;
                self.moved = now;
            }
            _ => {}
        }
        self.client.message(message, now, random());
        if welcome && self.deadline.is_none() {
            for key in self.uploads.keys() {
                self.client.sender.start(key);
            }
        }
    }

    /// Carries out what the machine wants, until it wants nothing more.
    fn carry_out(&mut self) {
        self.take_rows();
        if self.deadline.is_none()
            && let Some(limits) = &self.limits
        {
            self.uploads.feed(&mut self.client.sender, limits);
        }
        let needed = self.uploads.is_unsettled() || self.client.sender.interest();
        self.client.needed(needed, self.now(), random());
        loop {
            while let Some(effect) = self.client.poll() {
                self.effect(effect);
            }
            if !self.uploads.write_down(&mut self.client.sender) {
                break;
            }
        }
        self.transmit();
        self.tell();
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Open(generation) => {
                self.open(self.url.clone(), (generation, None));
            }
            Effect::Send(generation, message) => {
                if let Some(socket) = self.sockets.get((generation, None)) {
                    socket.send(message);
                }
            }
            Effect::Lane(generation, lanes::Effect::Open(id)) => {
                self.open(format!("{}/lane", self.url), (generation, Some(id)));
            }
            Effect::Lane(generation, lanes::Effect::Close(id)) => {
                if let Some(lane) = self.sockets.get((generation, Some(id))) {
                    lane.close(CloseCode::Done);
                }
            }
            Effect::Close(generation, code) => {
                self.why = Some(code.reason().to_owned());
                self.limits = None;
                self.sockets.close(generation, code);
            }
            Effect::Forget(generation) => {
                self.limits = None;
                self.sockets.forget(generation);
            }
            Effect::Upload(effect) => self.upload_effect(effect),
        }
    }

    fn open(&mut self, url: String, which: Which) {
        let socket = Socket::open(&url, which, self.inbox.0.clone(), &self.room);
        self.sockets.insert(which, socket);
    }

    fn upload_effect(&mut self, effect: sender::Effect) {
        use sender::Effect;
        match effect {
            Effect::Read { key, slice, range } => {
                let Some(reader) = self.uploads.reader(key) else {
                    return;
                };
                let inbox = self.inbox.0.clone();
                tokio::task::spawn_blocking(move || {
                    for index in range.start / BLOCK..range.end.div_ceil(BLOCK) {
                        let outcome = reader.read(index);
                        let failed = outcome.is_err();
                        let told = inbox.blocking_send(Input::Read(key, slice, outcome));
                        // Whoever is gone needs no bytes.
                        if failed || told.is_err() {
                            break;
                        }
                    }
                });
            }
            Effect::Keep(key) => self.uploads.keep(key, self.client.sender.record(key)),
            Effect::Forget(key, _) => {
                let row = self.client.sender.row(key, self.now());
                if row.is_none_or(|row| row.state != RowState::Stored) {
                    self.uploads.forget(key);
                }
            }
            // The file goes with the upload, when its fate is known.
            Effect::Release(_) => {}
        }
    }

    /// Hands messages to the sockets while credit and their queues allow.
    fn transmit(&mut self) {
        let now = self.now();
        self.blocked = None;
        let Some(pace) = self.client.pace(now) else {
            return;
        };
        let full = loop {
            match self.sockets.least(self.client.lanes()) {
                None => return,
                Some(socket) if socket.buffered() >= pace.queue => break true,
                Some(socket) => match self.client.poll_transmit(pace.payload) {
                    Some(message) => socket.send(message.into_owned()),
                    None => break false,
                },
            }
        };
        self.client.transmitted(now);
        let more = full && self.client.sender.has_data();
        self.blocked = more.then_some(pace.queue / 2);
    }

    /// Takes what became of the files.
    fn take_rows(&mut self) {
        let now = self.now();
        if self.client.sender.interest() && self.rated + RATES <= now {
            self.rated = now;
            self.client.sender.touch_moving();
        }
        let due = self.urgent || self.report_due() <= now;
        if due && self.client.sender.has_changes() {
            self.urgent = false;
            self.reported = Some(now);
            for row in self.client.sender.take_changes(now).0 {
                if self.uploads.row(row, &mut self.client.sender) {
                    self.moved = now;
                }
            }
        }
    }

    /// Tells what happened.
    fn tell(&mut self) {
        let link = self.link();
        if link.is_some() && link != self.link {
            self.link.clone_from(&link);
            link.map(Event::Link).into_iter().for_each(&mut self.report);
        }
        self.uploads.told.drain(..).for_each(&mut self.report);
    }

    fn link(&self) -> Option<Link> {
        match self.client.connection().state() {
            State::Open { .. } => Some(Link::Open),
            State::Connecting { .. } => Some(Link::Connecting),
            State::Waiting { until } => match &self.link {
                // The same wait is told once.
                Some(Link::Waiting { .. }) => None,
                _ => Some(Link::Waiting {
                    retry_in: until.saturating_sub(self.now()),
                    why: self.why.clone().unwrap_or_default(),
                }),
            },
            State::Closing { .. } | State::Idle => None,
        }
    }

    /// Closes the connection, if there is one, and waits for the server's word.
    async fn farewell(&mut self) {
        if let State::Open { .. } = self.client.connection().state() {
            let generation = self.client.connection().generation();
            self.sockets.close(generation, CloseCode::Done);
            let closed = async {
                while let Some(input) = self.inbox.1.recv().await {
                    if let Input::Socket((from, None), Told::Closed(..)) = input
                        && from == generation
                    {
                        return;
                    }
                }
            };
            // A server that does not answer has all it needs.
            let _ = timeout(FAREWELL, closed).await;
        }
    }
}

/// Done when a socket has taken something, if that is waited for.
async fn room(room: &Room, sockets: &Sockets<Socket>, client: &Client, blocked: Option<u64>) {
    let Some(low) = blocked else {
        return pending().await;
    };
    room.ask(low);
    let full = |socket: &Socket| socket.buffered() > low;
    while sockets.least(client.lanes()).is_some_and(full) {
        room.made().await;
    }
}

/// A random number, to spread tries.
fn random() -> u64 {
    // Without a source of chance all tries are as late as they may be.
    getrandom::u64().unwrap_or(u64::MAX)
}
