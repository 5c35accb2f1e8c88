//! The life of a client's socket.
//!
//! Events go in with the time, effects come out of [`Connection::poll`]. Whatever
//! the order of events:
//!
//! - at most one socket is connecting or open;
//! - an event whose generation is not the current one changes nothing;
//! - nothing is sent unless the socket is open;
//! - a socket is closed at most once, with a code, and its closing handshake
//!   finishes or is abandoned by a deadline;
//! - where there is interest, and the page is shown and online, it gets connected.

use std::collections::VecDeque;
use std::time::Duration;

use super::close::{AfterClose, CloseCode};
use super::retry::Backoff;
use super::{Generation, Time};

/// How long opening may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long the closing handshake may take.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// How long an answer to a ping may take.
const PONG_DEADLINE: Duration = Duration::from_secs(8);
/// How long a connection stays when nothing needs it any more.
const LINGER: Duration = Duration::from_millis(1500);
/// How late a tick may be before it says that the client slept.
const SLEPT: Duration = Duration::from_secs(2);
/// How often to ping before the server has said it.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// There is something to be connected for, or no longer.
    Interest(bool),
    /// The socket of that generation opened.
    Opened(Generation),
    /// The server's `Welcome` arrived, with its wish for the heartbeat.
    Welcomed(Generation, Duration),
    /// Any message arrived.
    Heard(Generation),
    /// The server announced that it stops; come back after this time at the earliest.
    Drain(Generation, Duration),
    /// What the server sent makes no sense: leave.
    Fault(Generation),
    /// The socket closed, or could not be opened.
    Closed(Generation, CloseCode),
    /// The page was hidden away or frozen.
    Hidden,
    /// The page is back.
    Shown,
    /// The page became visible.
    Visible,
    /// The browser has a network again.
    Online,
    /// The browser has no network.
    Offline,
    /// A person asks for a connection.
    Reconnect,
    /// The time that [`Connection::timeout`] named has come, or any other time.
    Tick,
}

/// What the driver must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Open a socket.
    Open(Generation),
    /// Send a ping.
    Ping(Generation),
    /// Close the socket with this code.
    Close(Generation, CloseCode),
    /// Let go of the socket: nothing of it matters any more.
    Forget(Generation),
}

/// Where the connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody needs it, or it may not be.
    Idle,
    /// The socket is being opened, until the deadline.
    Connecting {
        /// When that has taken too long.
        deadline: Time,
    },
    /// The socket is open.
    Open {
        /// When to send the next ping, or to give up waiting for its answer.
        due: Time,
        /// Whether a ping is unanswered.
        pinged: bool,
    },
    /// The closing handshake is under way.
    Closing {
        /// When it is abandoned.
        deadline: Time,
    },
    /// It waits before the next try.
    Waiting {
        /// When the try comes.
        until: Time,
    },
}

/// The life of a client's socket.
#[derive(Clone, Debug)]
pub struct Connection {
    state: State,
    generation: Generation,
    interest: bool,
    shown: bool,
    online: bool,
    refused: Option<CloseCode>,
    attempt: u32,
    heartbeat: Duration,
    linger: Option<Time>,
    not_before: Time,
    effects: VecDeque<Effect>,
}

impl Connection {
    /// A connection that nobody needs yet; its first socket will have the generation
    /// after `last`.
    pub fn new(last: Generation, online: bool) -> Self {
        Self {
            state: State::Idle,
            generation: last,
            interest: false,
            shown: true,
            online,
            refused: None,
            attempt: 0,
            heartbeat: HEARTBEAT,
            linger: None,
            not_before: Time::ZERO,
            effects: VecDeque::new(),
        }
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// The generation of the newest socket.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The code with which the server refused it, if it stays away for that.
    pub fn refused(&self) -> Option<CloseCode> {
        self.refused
    }

    /// Whether the browser has a network.
    pub fn online(&self) -> bool {
        self.online
    }

    /// When a [`Event::Tick`] is due.
    pub fn timeout(&self) -> Option<Time> {
        match self.state {
            State::Idle => None,
            State::Connecting { deadline } => {
                Some(self.linger.map_or(deadline, |l| l.min(deadline)))
            }
            State::Open { due, .. } => Some(self.linger.map_or(due, |l| l.min(due))),
            State::Closing { deadline } => Some(deadline),
            State::Waiting { until } => Some(until),
        }
    }

    /// The next thing to do; call until there is none.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Takes an event. `random` places the next try between nothing and its bound.
    pub fn handle(&mut self, event: Event, now: Time, random: u64) {
        if event.generation().is_some_and(|g| g != self.generation) {
            return;
        }
        match event {
            Event::Interest(interest) => {
                self.interest = interest;
                let connected = matches!(self.state, State::Connecting { .. } | State::Open { .. });
                self.linger = (!interest && connected).then(|| now + LINGER);
                self.settle(now);
            }
            Event::Opened(_) => {
                if let State::Connecting { .. } = self.state {
                    self.state = State::Open {
                        due: now + self.heartbeat,
                        pinged: false,
                    };
                }
            }
            Event::Welcomed(_, heartbeat) => {
                if let State::Open { .. } = self.state {
                    self.attempt = 0;
                    self.heartbeat = heartbeat.clamp(Duration::from_secs(1), PONG_DEADLINE);
                    self.state = State::Open {
                        due: now + self.heartbeat,
                        pinged: false,
                    };
                }
            }
            Event::Heard(_) => {
                if let State::Open { .. } = self.state {
                    self.state = State::Open {
                        due: now + self.heartbeat,
                        pinged: false,
                    };
                }
            }
            Event::Drain(_, retry_after) => self.not_before = now + retry_after,
            Event::Fault(_) => {
                if let State::Connecting { .. } | State::Open { .. } = self.state {
                    self.refused = Some(CloseCode::Protocol);
                    self.close(CloseCode::Protocol, now);
                }
            }
            Event::Closed(_, code) => self.closed(code, now, random),
            Event::Hidden => {
                self.shown = false;
                self.settle(now);
            }
            Event::Offline => {
                self.online = false;
                // An open socket may yet live, or be dead without knowing it.
                if let State::Open { pinged: false, .. } = self.state {
                    self.ping(now);
                }
                self.settle(now);
            }
            Event::Shown | Event::Visible | Event::Online | Event::Reconnect => {
                match event {
                    Event::Shown | Event::Visible => self.shown = true,
                    Event::Online => self.online = true,
                    _ => self.refused = None,
                }
                self.nudge(now);
            }
            Event::Tick => self.tick(now, random),
        }
    }

    fn wanted(&self) -> bool {
        self.interest && self.may()
    }

    fn may(&self) -> bool {
        self.shown && self.online && self.refused.is_none()
    }

    /// Brings the state in line with what is wanted.
    fn settle(&mut self, now: Time) {
        match self.state {
            State::Idle if self.wanted() => self.connect(now),
            State::Waiting { .. } if !self.wanted() => self.state = State::Idle,
            State::Connecting { .. } | State::Open { .. } if !self.shown => {
                self.close(CloseCode::Away, now);
            }
            // Without a network an open socket may yet live: its heartbeat decides.
            _ => {}
        }
    }

    /// The world got better: try at once, and see whether an open socket is alive.
    fn nudge(&mut self, now: Time) {
        match self.state {
            State::Idle | State::Waiting { .. } if self.wanted() => self.connect(now),
            State::Open { pinged: false, .. } => self.ping(now),
            _ => self.settle(now),
        }
    }

    fn connect(&mut self, now: Time) {
        self.generation = self.generation.next();
        self.linger = None;
        self.state = State::Connecting {
            deadline: now + CONNECT_DEADLINE,
        };
        self.effects.push_back(Effect::Open(self.generation));
    }

    fn ping(&mut self, now: Time) {
        self.state = State::Open {
            due: now + PONG_DEADLINE,
            pinged: true,
        };
        self.effects.push_back(Effect::Ping(self.generation));
    }

    fn close(&mut self, code: CloseCode, now: Time) {
        self.linger = None;
        self.state = State::Closing {
            deadline: now + CLOSE_DEADLINE,
        };
        self.effects.push_back(Effect::Close(self.generation, code));
    }

    fn closed(&mut self, code: CloseCode, now: Time, random: u64) {
        match self.state {
            State::Connecting { .. } | State::Open { .. } => {
                self.effects.push_back(Effect::Forget(self.generation));
                if code.after() == AfterClose::Stay {
                    self.refused = Some(code);
                }
                self.wait(now, random);
            }
            State::Closing { .. } => {
                self.effects.push_back(Effect::Forget(self.generation));
                self.state = State::Idle;
                self.settle(now);
            }
            State::Idle | State::Waiting { .. } => {}
        }
    }

    /// Waits before the next try, where one is wanted.
    fn wait(&mut self, now: Time, random: u64) {
        self.linger = None;
        if !self.wanted() {
            self.state = State::Idle;
            return;
        }
        let delay = Backoff::CONNECTION.delay(self.attempt, random);
        self.attempt = self.attempt.saturating_add(1);
        self.state = State::Waiting {
            until: now.max(self.not_before) + delay,
        };
    }

    fn tick(&mut self, now: Time, random: u64) {
        if let (State::Connecting { .. } | State::Open { .. }, Some(linger)) =
            (self.state, self.linger)
            && linger <= now
        {
            return self.close(CloseCode::Done, now);
        }
        match self.state {
            State::Connecting { deadline } if deadline <= now => {
                self.abandon(CloseCode::Timeout, now, random);
            }
            State::Open { due, pinged: false } if due <= now => self.ping(now),
            // Whoever slept through the deadline may have the answer in the mail.
            State::Open { due, pinged: true } if due + SLEPT <= now => self.ping(now),
            State::Open { due, pinged: true } if due <= now => {
                self.abandon(CloseCode::HeartbeatLost, now, random);
            }
            State::Closing { deadline } if deadline <= now => {
                self.effects.push_back(Effect::Forget(self.generation));
                self.state = State::Idle;
                self.settle(now);
            }
            State::Waiting { until } if until <= now => self.connect(now),
            _ => {}
        }
    }

    /// Closes a socket from which no answer can be expected.
    fn abandon(&mut self, code: CloseCode, now: Time, random: u64) {
        self.effects.push_back(Effect::Close(self.generation, code));
        self.effects.push_back(Effect::Forget(self.generation));
        self.wait(now, random);
    }
}

impl Event {
    /// The generation of the socket that it is about, if it is about one.
    fn generation(self) -> Option<Generation> {
        match self {
            Self::Opened(g)
            | Self::Welcomed(g, _)
            | Self::Heard(g)
            | Self::Drain(g, _)
            | Self::Fault(g)
            | Self::Closed(g, _) => Some(g),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What became of each socket that the connection asked for.
    #[derive(Debug, Default)]
    struct Sockets(BTreeMap<Generation, Socket>);

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Socket {
        Connecting,
        Open,
        Closing,
        Closed,
    }

    impl Sockets {
        fn carry_out(&mut self, connection: &mut Connection) {
            while let Some(effect) = connection.poll() {
                match effect {
                    Effect::Open(g) => {
                        let live = |s: &Socket| matches!(s, Socket::Connecting | Socket::Open);
                        assert!(
                            !self.0.values().any(live),
                            "a second socket beside {self:?}"
                        );
                        assert_eq!(self.0.insert(g, Socket::Connecting), None);
                    }
                    Effect::Ping(g) => assert_eq!(self.0[&g], Socket::Open, "a ping too early"),
                    Effect::Close(g, code) => {
                        assert!(code.code().is_some());
                        let socket = self.0.insert(g, Socket::Closing);
                        assert!(matches!(socket, Some(Socket::Connecting | Socket::Open)));
                    }
                    Effect::Forget(g) => {
                        self.0.insert(g, Socket::Closed);
                    }
                }
            }
        }

        /// Tells what the world did to the socket before the connection hears of it.
        fn happen(&mut self, event: Event) -> bool {
            match event {
                Event::Opened(g) => match self.0.get_mut(&g) {
                    Some(socket @ Socket::Connecting) => {
                        *socket = Socket::Open;
                        true
                    }
                    _ => false,
                },
                Event::Closed(g, _) => match self.0.get_mut(&g) {
                    Some(Socket::Closed) | None => true,
                    Some(socket) => {
                        *socket = Socket::Closed;
                        true
                    }
                },
                Event::Welcomed(g, _) | Event::Heard(g) | Event::Drain(g, _) | Event::Fault(g) => {
                    self.0.get(&g) == Some(&Socket::Open)
                }
                _ => true,
            }
        }
    }

    fn event() -> impl Strategy<Value = Event> {
        let generation = (0u64..4).prop_map(Generation);
        let codes = prop::sample::select(vec![
            CloseCode::Broken,
            CloseCode::Restart,
            CloseCode::Superseded,
            CloseCode::Done,
        ]);
        prop_oneof![
            any::<bool>().prop_map(Event::Interest),
            generation.clone().prop_map(Event::Opened),
            generation
                .clone()
                .prop_map(|g| Event::Welcomed(g, HEARTBEAT)),
            generation.clone().prop_map(Event::Heard),
            generation
                .clone()
                .prop_map(|g| Event::Drain(g, Duration::from_secs(1))),
            generation.clone().prop_map(Event::Fault),
            (generation, codes).prop_map(|(g, c)| Event::Closed(g, c)),
            prop::sample::select(vec![
                Event::Hidden,
                Event::Shown,
                Event::Visible,
                Event::Online,
                Event::Offline,
                Event::Reconnect,
            ]),
            Just(Event::Tick),
            Just(Event::Tick),
        ]
    }

    /// Counts generations from the newest, so that short runs meet live sockets.
    fn about(event: Event, newest: Generation) -> Event {
        let from = |g: Generation| Generation(newest.0.saturating_sub(g.0));
        match event {
            Event::Opened(g) => Event::Opened(from(g)),
            Event::Welcomed(g, d) => Event::Welcomed(from(g), d),
            Event::Heard(g) => Event::Heard(from(g)),
            Event::Drain(g, d) => Event::Drain(from(g), d),
            Event::Fault(g) => Event::Fault(from(g)),
            Event::Closed(g, c) => Event::Closed(from(g), c),
            other => other,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn whatever_happens_it_gets_connected_in_the_end(
            events in prop::collection::vec((event(), 0u64..6000, any::<u64>()), 0..60)
        ) {
            let mut connection = Connection::new(Generation(0), true);
            let mut sockets = Sockets::default();
            let mut now = Time::ZERO;
            for (event, wait, random) in events {
                now += Duration::from_millis(wait);
                let event = about(event, connection.generation());
                if !sockets.happen(event) {
                    continue;
                }
                let before = (connection.state(), connection.generation());
                let stale = event.generation().is_some_and(|g| g != connection.generation());
                connection.handle(event, now, random);
                if stale {
                    prop_assert_eq!(before, (connection.state(), connection.generation()));
                    prop_assert_eq!(connection.poll(), None);
                }
                sockets.carry_out(&mut connection);
            }
            for event in [Event::Interest(true), Event::Shown, Event::Online, Event::Reconnect] {
                connection.handle(event, now, 0);
                sockets.carry_out(&mut connection);
            }
            for _ in 0..4 {
                if let State::Connecting { .. } = connection.state() {
                    let event = Event::Opened(connection.generation());
                    prop_assert!(sockets.happen(event));
                    connection.handle(event, now, 0);
                }
                if let State::Open { .. } = connection.state() {
                    return Ok(());
                }
                now = connection.timeout().unwrap_or(now);
                connection.handle(Event::Tick, now, 0);
                sockets.carry_out(&mut connection);
            }
            prop_assert!(false, "still {:?}", connection.state());
        }
    }

    fn open() -> (Connection, Time) {
        let mut connection = Connection::new(Generation(0), true);
        connection.handle(Event::Interest(true), Time::ZERO, 0);
        assert_eq!(connection.poll(), Some(Effect::Open(Generation(1))));
        connection.handle(Event::Opened(Generation(1)), Time::ZERO, 0);
        (connection, Time::ZERO)
    }

    #[test]
    fn the_late_close_of_an_old_socket_leaves_the_new_one_alone() {
        let (mut connection, now) = open();
        connection.handle(Event::Hidden, now, 0);
        assert_eq!(
            connection.poll(),
            Some(Effect::Close(Generation(1), CloseCode::Away))
        );
        connection.handle(Event::Shown, now, 0);
        let now = now + CLOSE_DEADLINE;
        connection.handle(Event::Tick, now, 0);
        assert_eq!(connection.poll(), Some(Effect::Forget(Generation(1))));
        assert_eq!(connection.poll(), Some(Effect::Open(Generation(2))));
        connection.handle(Event::Opened(Generation(2)), now, 0);
        connection.handle(Event::Closed(Generation(1), CloseCode::Broken), now, 0);
        assert!(matches!(connection.state(), State::Open { .. }));
        assert_eq!(connection.poll(), None);
    }

    #[test]
    fn without_interest_it_is_closed_as_done_after_a_short_linger() {
        let (mut connection, now) = open();
        connection.handle(Event::Interest(false), now, 0);
        assert_eq!(connection.poll(), None);
        connection.handle(Event::Tick, now + LINGER, 0);
        assert_eq!(
            connection.poll(),
            Some(Effect::Close(Generation(1), CloseCode::Done))
        );
        connection.handle(
            Event::Closed(Generation(1), CloseCode::Done),
            now + LINGER,
            0,
        );
        assert_eq!(connection.state(), State::Idle);
    }

    #[test]
    fn interest_that_returns_while_it_lingers_keeps_the_socket() {
        let (mut connection, now) = open();
        connection.handle(Event::Interest(false), now, 0);
        connection.handle(Event::Interest(true), now, 0);
        connection.handle(Event::Tick, now + LINGER, 0);
        assert_eq!(connection.poll(), None);
    }

    #[test]
    fn an_unanswered_ping_ends_it_but_sleep_does_not() {
        let (mut connection, now) = open();
        let now = now + HEARTBEAT;
        connection.handle(Event::Tick, now, 0);
        assert_eq!(connection.poll(), Some(Effect::Ping(Generation(1))));
        let slept = now + Duration::from_secs(3600);
        connection.handle(Event::Tick, slept, 0);
        assert_eq!(connection.poll(), Some(Effect::Ping(Generation(1))));
        connection.handle(Event::Tick, slept + PONG_DEADLINE, 0);
        assert_eq!(
            connection.poll(),
            Some(Effect::Close(Generation(1), CloseCode::HeartbeatLost))
        );
        assert_eq!(connection.poll(), Some(Effect::Forget(Generation(1))));
        assert!(matches!(connection.state(), State::Waiting { .. }));
    }

    #[test]
    fn a_refusal_lasts_until_a_person_asks() {
        let (mut connection, now) = open();
        connection.handle(Event::Closed(Generation(1), CloseCode::Superseded), now, 0);
        assert_eq!(connection.refused(), Some(CloseCode::Superseded));
        connection.handle(Event::Visible, now, 0);
        assert_eq!(connection.state(), State::Idle);
        connection.handle(Event::Reconnect, now, 0);
        assert!(matches!(connection.state(), State::Connecting { .. }));
    }

    #[test]
    fn online_ends_a_backoff_at_once() {
        let (mut connection, now) = open();
        connection.handle(
            Event::Closed(Generation(1), CloseCode::Broken),
            now,
            u64::MAX,
        );
        assert!(matches!(connection.state(), State::Waiting { .. }));
        connection.handle(Event::Online, now, 0);
        assert!(matches!(connection.state(), State::Connecting { .. }));
    }
}
