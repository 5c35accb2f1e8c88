//! The life of a client's socket.
//!
//! Events go in with the time, effects come out of [`Connection::poll`]. Whatever
//! the order of events:
//!
//! - at most one socket is connecting or open;
//! - an event whose generation is not the current one changes nothing;
//! - nothing is sent, nor listened to, unless the socket is open;
//! - a socket ends once, by a close with a code or by its close event, and its closing
//!   handshake finishes or is abandoned by a deadline;
//! - where there is interest and the page is shown, it gets connected, unless the server
//!   refused it; what the browser says of the network only hurries or checks;
//! - a connection that has fallen silent is noticed within fifteen seconds.
//!
//! `explored` visits every state that any order of events leads to and checks all of it.

#[cfg(test)]
mod explored;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::close::{AfterClose, CloseCode};
use super::retry::Backoff;
use super::{Generation, Time};

/// How long opening may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long the closing handshake may take.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// How long nothing may be heard before a connection is given up.
const SILENCE: Duration = Duration::from_secs(15);
/// How long an answer to a ping may take.
const PONG_DEADLINE: Duration = Duration::from_secs(8);
/// How long a connection stays when nothing needs it any more.
const LINGER: Duration = Duration::from_millis(1500);
/// How late a tick may be before it says that the client slept.
const SLEPT: Duration = Duration::from_secs(2);
/// How often to ping before the server has said it.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The longest time that a server can ask its clients to stay away when it stops.
const LONGEST_DRAIN: Duration = Duration::from_secs(60);

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
    /// A lane of the socket broke: what was on it is missing.
    LaneLost(Generation),
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Connection {
    state: State,
    generation: Generation,
    interest: bool,
    shown: bool,
    online: bool,
    refused: Option<CloseCode>,
    attempt: u32,
    heartbeat: Duration,
    /// Whether a ping was repeated because the client had slept through the first.
    repeated: bool,
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
            repeated: false,
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

    /// Whether the socket of that generation is open. What comes out of any other, or of
    /// this one once it was given up, is nothing to anybody.
    pub fn is_open(&self, generation: Generation) -> bool {
        generation == self.generation && matches!(self.state, State::Open { .. })
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
                self.settle(now, random);
            }
            Event::Opened(_) => {
                if let State::Connecting { .. } = self.state {
                    self.heard(now);
                }
            }
            Event::Welcomed(_, heartbeat) => {
                if let State::Open { .. } = self.state {
                    self.attempt = 0;
                    self.heartbeat =
                        heartbeat.clamp(Duration::from_secs(1), SILENCE - PONG_DEADLINE);
                    self.heard(now);
                }
            }
            Event::Heard(_) => {
                if let State::Open { .. } = self.state {
                    self.heard(now);
                }
            }
            Event::Drain(_, retry_after) => {
                if !matches!(self.state, State::Idle | State::Waiting { .. }) {
                    self.not_before = now + retry_after.min(LONGEST_DRAIN);
                }
            }
            Event::Fault(_) => {
                if let State::Connecting { .. } | State::Open { .. } = self.state {
                    self.refused = Some(CloseCode::Protocol);
                    self.close(CloseCode::Protocol, now);
                }
            }
            Event::LaneLost(_) => {
                if let State::Open { .. } = self.state {
                    self.abandon(CloseCode::LaneLost, now, random);
                }
            }
            Event::Closed(_, code) => self.closed(code, now, random),
            Event::Hidden => {
                self.shown = false;
                self.settle(now, random);
            }
            Event::Offline => {
                self.online = false;
                // An open socket may yet live, or be dead without knowing it.
                if let State::Open { pinged: false, .. } = self.state {
                    self.ping(now);
                }
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
        self.interest && self.shown && self.refused.is_none()
    }

    /// Brings the state in line with what is wanted.
    fn settle(&mut self, now: Time, random: u64) {
        match self.state {
            State::Idle if self.wanted() && now < self.not_before => self.wait(now, random),
            State::Idle if self.wanted() => self.connect(now),
            State::Waiting { .. } if !self.wanted() => self.state = State::Idle,
            State::Connecting { .. } | State::Open { .. } if !self.shown => {
                self.close(CloseCode::Away, now);
            }
            _ => {}
        }
    }

    /// The world got better: try at once, and see whether an open socket is alive.
    fn nudge(&mut self, now: Time) {
        match self.state {
            State::Idle | State::Waiting { .. } if self.wanted() => self.connect(now),
            State::Open { pinged: false, .. } => self.ping(now),
            _ => {}
        }
    }

    /// The socket is alive.
    fn heard(&mut self, now: Time) {
        self.repeated = false;
        self.state = State::Open {
            due: now + self.heartbeat,
            pinged: false,
        };
    }

    fn connect(&mut self, now: Time) {
        self.generation = self.generation.next();
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
                self.settle(now, random);
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
            // Whoever slept through the deadline may have the answer in the mail. Once: a
            // timer that is always late does not keep a dead connection.
            State::Open { due, pinged: true } if due + SLEPT <= now && !self.repeated => {
                self.repeated = true;
                self.ping(now);
            }
            State::Open { due, pinged: true } if due <= now => {
                self.abandon(CloseCode::HeartbeatLost, now, random);
            }
            State::Closing { deadline } if deadline <= now => {
                self.effects.push_back(Effect::Forget(self.generation));
                self.state = State::Idle;
                self.settle(now, random);
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
    /// The code with which an open connection ends where this ends it.
    pub fn ends_with(self) -> CloseCode {
        match self {
            Self::Closed(_, code) => code,
            Self::Fault(_) => CloseCode::Protocol,
            Self::LaneLost(_) => CloseCode::LaneLost,
            Self::Hidden => CloseCode::Away,
            // Time ends it where nothing is heard.
            _ => CloseCode::HeartbeatLost,
        }
    }

    /// The generation of the socket that it is about, if it is about one.
    fn generation(self) -> Option<Generation> {
        match self {
            Self::Opened(g)
            | Self::Welcomed(g, _)
            | Self::Heard(g)
            | Self::Drain(g, _)
            | Self::Fault(g)
            | Self::LaneLost(g)
            | Self::Closed(g, _) => Some(g),
            _ => None,
        }
    }
}
