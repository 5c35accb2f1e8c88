//! The client's half of the protocol: the connection and the sender as one machine.
//!
//! Whoever drives it says what became of sockets, files and time, and carries out what
//! [`Client::poll`] gives, then what [`Client::poll_transmit`] does while there is room.
//!
//! The invariant: the sender knows of a connection from its welcome until it is closed
//! or given up, and of no other. What comes out of a socket after that is not heard.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::close::CloseCode;
use super::connection::{self, Connection, Event, State};
use super::frame::{self, Frame};
use super::id::ClientId;
use super::lanes::{self, LaneId, Lanes};
use super::message::{ClientMessage, ServerMessage};
use super::pace::Pace;
use super::sender::{self, Sender};
use super::{Generation, Time, VERSION};

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a socket; say what becomes of it with this generation.
    Open(Generation),
    /// Close the socket of that generation, if it is still there, and its lanes.
    Close(Generation, CloseCode),
    /// Drop the socket of that generation and its lanes: nothing more is heard of them.
    Forget(Generation),
    /// Send this over the socket of that generation, which was open.
    Send(Generation, Vec<u8>),
    /// Open or close a lane of the socket of that generation, whose end is theirs, too.
    Lane(Generation, lanes::Effect),
    /// What an upload needs.
    Upload(sender::Effect),
}

/// The client's half.
#[derive(Debug)]
pub struct Client {
    /// The uploads. Wishes go straight to it.
    pub sender: Sender,
    id: ClientId,
    connection: Connection,
    /// Whether the connection was told that it is needed.
    interest: bool,
    said: VecDeque<Vec<u8>>,
    lanes: Lanes,
    /// When the server was greeted last.
    greeted: Time,
    /// How many sockets were opened since the last welcome.
    tries: u32,
}

impl Client {
    /// A client that is not connected. `online` is what the system says of its network.
    pub fn new(id: ClientId, sender: Sender, online: bool) -> Self {
        Self {
            sender,
            id,
            connection: Connection::new(Generation(0), online),
            interest: false,
            said: VecDeque::new(),
            lanes: Lanes::default(),
            greeted: Time::ZERO,
            tries: 0,
        }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Says whether the connection is needed. `random` places the next try, here and below.
    pub fn needed(&mut self, interest: bool, now: Time, random: u64) {
        if interest != self.interest {
            self.interest = interest;
            self.happen(Event::Interest(interest), now, random);
        }
    }

    /// Whether the connection is needed.
    pub fn is_needed(&self) -> bool {
        self.interest
    }

    /// Something happens to the connection.
    pub fn happen(&mut self, event: Event, now: Time, random: u64) {
        let generation = self.connection.generation();
        let open = self.connection.is_open(generation);
        self.connection.handle(event, now, random);
        if open && !self.connection.is_open(generation) {
            let needed = self.interest;
            let code = needed.then(|| event.ends_with());
            self.sender
                .interrupted(code.unwrap_or(CloseCode::Done), now);
        }
        if self.connection.generation() != generation {
            self.tries += 1;
        }
    }

    /// The socket of that generation opened; whether it is listened to.
    pub fn opened(&mut self, generation: Generation, now: Time, random: u64) -> bool {
        self.happen(Event::Opened(generation), now, random);
        let open = self.connection.is_open(generation);
        if open {
            self.greeted = now;
            self.say(&ClientMessage::Hello {
                version: VERSION,
                client: self.id,
                generation,
            });
        }
        open
    }

    /// Bytes came out of the socket of that generation. Gives the message, for
    /// [`Client::message`], if it is one and is listened to.
    pub fn hear(
        &mut self,
        generation: Generation,
        bytes: Bytes,
        now: Time,
        random: u64,
    ) -> Option<ServerMessage> {
        if !self.connection.is_open(generation) {
            return None;
        }
        self.happen(Event::Heard(generation), now, random);
        let message = match Frame::parse(bytes) {
            Ok(Frame::Control(content)) => ServerMessage::decode(&content).ok(),
            _ => None,
        };
        if message.is_none() {
            self.happen(Event::Fault(generation), now, random);
        }
        message
    }

    /// Takes what was heard last.
    pub fn message(&mut self, message: ServerMessage, now: Time, random: u64) {
        let generation = self.connection.generation();
        match message {
            ServerMessage::Welcome {
                limits,
                credit,
                heartbeat,
                ..
            } => {
                let heartbeat = Duration::from_millis(heartbeat.into());
                self.happen(Event::Welcomed(generation, heartbeat), now, random);
                let round_trip = now.saturating_sub(self.greeted);
                self.lanes.measured(round_trip);
                self.sender.connected(limits, credit, round_trip, now);
                let tries = std::mem::take(&mut self.tries);
                self.sender.reconnected(tries, now);
            }
            ServerMessage::Drain { retry_after } => {
                let retry_after = Duration::from_millis(retry_after.into());
                self.happen(Event::Drain(generation, retry_after), now, random);
            }
            message => self.sender.message(message, now, random),
        }
    }

    /// Sends a message if the connection is open; else the next one begins without it.
    pub fn say(&mut self, message: &ClientMessage) {
        if let State::Open { .. } = self.connection.state() {
            self.said.push_back(message.encode());
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time, random: u64) {
        self.happen(Event::Tick, now, random);
        self.sender.tick(now);
        self.lanes.tick(now);
    }

    /// When to call [`Client::tick`] at the latest.
    pub fn timeout(&self) -> Option<Time> {
        let times = [self.connection.timeout(), self.sender.timeout()];
        times.into_iter().flatten().min()
    }

    /// The next thing to do; call until there is none.
    pub fn poll(&mut self) -> Option<Effect> {
        if let Some(effect) = self.connection.poll() {
            return Some(match effect {
                connection::Effect::Open(generation) => Effect::Open(generation),
                connection::Effect::Ping(generation) => {
                    Effect::Send(generation, self.number(ClientMessage::Ping.encode()))
                }
                connection::Effect::Close(generation, code) => {
                    self.disconnected();
                    Effect::Close(generation, code)
                }
                connection::Effect::Forget(generation) => {
                    self.disconnected();
                    Effect::Forget(generation)
                }
            });
        }
        let generation = self.connection.generation();
        if let Some(message) = self.said.pop_front() {
            return Some(Effect::Send(generation, self.number(message)));
        }
        let lane = self.lanes.poll();
        let lane = lane.map(|effect| Effect::Lane(generation, effect));
        lane.or_else(|| self.sender.poll_effect().map(Effect::Upload))
    }

    /// Counts a control message that is to be sent now.
    fn number(&mut self, mut message: Vec<u8>) -> Vec<u8> {
        if let Some(number) = self.lanes.number() {
            frame::number(&mut message, number);
        }
        self.lanes.sent();
        message
    }

    fn disconnected(&mut self) {
        self.said.clear();
        self.lanes = Lanes::default();
        self.sender.disconnected();
    }

    /// The socket of a lane opened: what to send over it.
    pub fn lane_opened(&self, generation: Generation) -> Option<Vec<u8>> {
        let join = ClientMessage::Join {
            client: self.id,
            generation,
        };
        let open = self.connection.is_open(generation);
        open.then(|| join.encode())
    }

    /// Bytes came out of the socket of a lane.
    pub fn lane_heard(&mut self, generation: Generation, id: LaneId, bytes: Bytes) {
        if self.connection.is_open(generation)
            && let Ok(Frame::Control(content)) = Frame::parse(bytes)
            && let Ok(ServerMessage::Joined) = ServerMessage::decode(&content)
        {
            self.lanes.joined(id);
        }
    }

    /// The socket of a lane closed, or could not be opened.
    pub fn lane_closed(
        &mut self,
        (generation, id): (Generation, LaneId),
        code: CloseCode,
        now: Time,
        random: u64,
    ) {
        if self.connection.is_open(generation) && self.lanes.closed(id, code, now) {
            self.happen(Event::LaneLost(generation), now, random);
        }
    }

    /// The lanes over which messages may go as well as over the connection's own socket.
    pub fn lanes(&self) -> impl Iterator<Item = LaneId> {
        self.lanes.open()
    }

    /// How much to hand to each socket now; `None` if none is open.
    pub fn pace(&self, now: Time) -> Option<Pace> {
        match self.connection.state() {
            State::Open { .. } => {
                let sockets = 1 + self.lanes().count() as u64;
                Some(Pace::at(self.sender.rate(now) / sockets))
            }
            _ => None,
        }
    }

    /// The next message of an upload, as [`Sender::poll_transmit`] gives it. It goes over the
    /// socket or any of the lanes.
    pub fn poll_transmit(&mut self, payload: usize) -> Option<Cow<'_, [u8]>> {
        let number = self.lanes.number();
        let message = self.sender.poll_transmit(payload, number)?;
        self.lanes.sent();
        Some(message)
    }

    /// The sockets have no room for more, or there is nothing more to send. Who never says this
    /// gets no lanes.
    pub fn transmitted(&mut self, now: Time) {
        let (arrived, more) = (self.sender.arrived(), self.sender.may_send());
        self.lanes.flowed(arrived, more, now);
        let sockets = 1 + self.lanes().count();
        self.sender.transmitted(sockets as u8, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::id::ServerId;
    use crate::protocol::manifest::{Limits, Manifest};
    use crate::protocol::sender::Key;

    const NOW: Time = Duration::from_secs(1);

    fn welcome() -> Bytes {
        let welcome = ServerMessage::Welcome {
            server: ServerId::from_bytes([0; 16]),
            limits: Limits::default(),
            credit: 1 << 20,
            heartbeat: 5000,
        };
        welcome.encode().into()
    }

    fn effects(client: &mut Client) -> Vec<Effect> {
        std::iter::from_fn(|| client.poll()).collect()
    }

    fn says(message: &ClientMessage) -> Effect {
        Effect::Send(Generation(1), message.encode())
    }

    /// One with an upload, whose first socket has just opened.
    fn opened() -> Client {
        let mut client = Client::new(
            ClientId::from_bytes([7; 16]),
            Sender::new(Key(0), [1; 32]),
            true,
        );
        let manifest = Manifest {
            path: "film.mkv".into(),
            size: 5,
            modified: None,
            media_type: String::new(),
        };
        let key = client.sender.add(manifest);
        let keep = client.sender.poll_effect();
        assert_eq!(keep, Some(sender::Effect::Keep(key)));
        client.sender.kept(key);
        client.needed(true, NOW, 0);
        assert_eq!(client.poll(), Some(Effect::Open(Generation(1))));
        assert!(client.opened(Generation(1), NOW, 0));
        client
    }

    fn hears(client: &mut Client, generation: u64, bytes: Bytes) {
        if let Some(message) = client.hear(Generation(generation), bytes, NOW, 0) {
            client.message(message, NOW, 0);
        }
    }

    #[test]
    fn it_says_hello_first_and_sends_nothing_before_the_welcome() {
        let mut client = opened();
        let hello = says(&ClientMessage::Hello {
            version: VERSION,
            client: ClientId::from_bytes([7; 16]),
            generation: Generation(1),
        });
        assert_eq!(effects(&mut client), [hello]);
        assert_eq!(client.poll_transmit(1000), None);
        hears(&mut client, 1, welcome());
        assert!(client.poll_transmit(1000).is_some());
    }

    #[test]
    fn a_welcome_that_comes_late_begins_nothing() {
        let mut client = opened();
        effects(&mut client);
        client.happen(Event::Hidden, NOW, 0);
        let closes = Effect::Close(Generation(1), CloseCode::Away);
        assert_eq!(effects(&mut client), [closes]);
        hears(&mut client, 1, welcome());
        assert_eq!(client.poll_transmit(1000), None);
        hears(&mut client, 0, welcome());
        assert_eq!(client.poll_transmit(1000), None);
    }

    #[test]
    fn what_is_said_to_nobody_is_not_said_later() {
        let mut client = opened();
        effects(&mut client);
        client.say(&ClientMessage::Ping);
        client.happen(Event::Closed(Generation(1), CloseCode::Broken), NOW, 0);
        client.say(&ClientMessage::Ping);
        assert!(!effects(&mut client).contains(&says(&ClientMessage::Ping)));
    }

    #[test]
    fn what_is_no_message_ends_the_connection() {
        for bytes in [&b""[..], b"\0", b"\0\xff", b"\x01 data from a server?"] {
            let mut client = opened();
            effects(&mut client);
            hears(&mut client, 1, Bytes::from_static(bytes));
            let closes = |effect: &Effect| matches!(effect, Effect::Close(..));
            assert!(effects(&mut client).iter().any(closes), "{bytes:?}");
        }
    }
}
