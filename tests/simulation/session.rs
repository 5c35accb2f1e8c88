//! One connection on the server: drives the real [`Receiver`] as `server::session` does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use longhaul::protocol::close::CloseCode;
use longhaul::protocol::flow::Budget;
use longhaul::protocol::id::{ClientId, FileId};
use longhaul::protocol::message::ServerMessage;
use longhaul::protocol::receiver::{Effect, Opening, Receiver, Settings};
use longhaul::protocol::trouble::Trouble;
use longhaul::protocol::{Generation, MAX_MESSAGE, StreamId, Time};
use longhaul::verify::Proof;

use super::network::{Cargo, LinkId, Side};
use super::server::Control;
use super::upload::{Job, Outcome, Stage, Task};
use super::world::{Event, World};

const HEARTBEAT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(14);
const FAREWELL: Duration = Duration::from_secs(3);
/// How many frames may wait to be written, and streams that were left for their end.
const MAX_FRAMES: usize = 4096;
const MAX_LEAVING: usize = 64;
/// How long the announcement of the server's end may take.
const DRAIN: Duration = Duration::from_secs(1);
/// How many bytes may wait for the socket.
const OUTBOX: u64 = 16 * 1024;

#[derive(Debug)]
pub struct Session {
    pub link: LinkId,
    pub receiver: Receiver,
    inbox: VecDeque<Cargo>,
    pub uploads: BTreeMap<StreamId, u64>,
    pub ids: BTreeMap<StreamId, FileId>,
    client: Option<(ClientId, Generation)>,
    heard: Time,
    pinged: bool,
    shares: bool,
    draining: Option<Time>,
    deadline: Option<Time>,
    ended: bool,
    /// When the time is looked at next.
    look: Option<Time>,
}

impl World {
    pub fn welcome_session(&mut self, link: LinkId) {
        let settings = Settings {
            server: self.server.id(),
            limits: self.server.limits.clone(),
            share: Budget::LEAST,
            heartbeat: HEARTBEAT,
            cadence: self.plan.cadence,
        };
        let number = self.server.fresh();
        let session = Session {
            link,
            receiver: Receiver::new(settings),
            inbox: VecDeque::new(),
            uploads: BTreeMap::new(),
            ids: BTreeMap::new(),
            client: None,
            heard: self.now,
            pinged: false,
            shares: false,
            draining: None,
            deadline: None,
            ended: false,
            look: None,
        };
        self.server.sessions.insert(number, session);
        self.server.alive.insert(number, self.now);
        self.links[link].session = Some(number);
        self.serve(number, |_, _| {});
    }

    /// Lets a session take something, carries out what it wants, and ends it where it
    /// is over.
    fn serve(&mut self, number: u64, take: impl FnOnce(&mut World, &mut Session)) {
        let Some(mut session) = self.server.sessions.remove(&number) else {
            return;
        };
        take(self, &mut session);
        self.carry_out_session(number, &mut session);
        while !session.ended
            && !self.is_crowded(&session)
            && let Some(cargo) = session.inbox.pop_front()
        {
            self.arrived(&mut session, cargo);
            self.carry_out_session(number, &mut session);
        }
        let over = session.deadline.is_some_and(|deadline| {
            (session.ended && session.receiver.open_streams() == 0) || deadline <= self.now
        });
        if over {
            return self.end_session(number, session);
        }
        self.arm_session(number, &mut session);
        self.server.sessions.insert(number, session);
    }

    fn end_session(&mut self, number: u64, session: Session) {
        self.server.alive.remove(&number);
        if let Some((client, generation)) = session.client {
            self.server.farewell(client, generation);
        }
        for task in session.uploads.values() {
            self.orphan(*task);
        }
        self.server.give_back(number);
        let link = &mut self.links[session.link];
        if !std::mem::replace(&mut link.server_done, true) {
            self.send(session.link, Side::Client, Cargo::End);
        }
    }

    /// Whether so much of this client waits that nothing more is read.
    fn is_crowded(&self, session: &Session) -> bool {
        let streams = self.server.limits.most_streams() + MAX_LEAVING;
        let tasks = session.uploads.values();
        let tasks = tasks.filter_map(|task| self.server.tasks.get(task));
        session.receiver.is_congested()
            || session.uploads.len() > streams
            || tasks.map(Task::frames).sum::<usize>() > MAX_FRAMES
    }

    pub fn session_arrival(&mut self, number: u64, cargo: Cargo) {
        self.serve(number, |_, session| session.inbox.push_back(cargo));
    }

    fn arrived(&mut self, session: &mut Session, cargo: Cargo) {
        session.heard = self.now;
        session.pinged = false;
        let closing = session.deadline.is_some();
        match cargo {
            Cargo::Binary(bytes) if !closing => {
                if bytes.len() > MAX_MESSAGE {
                    session.receiver.close(CloseCode::TooLarge);
                } else {
                    session.receiver.message(bytes, self.now);
                }
            }
            Cargo::Close(code) => {
                session.receiver.disconnected();
                self.leave(session);
                // The answer of the closing handshake, where this is not one itself.
                if !closing {
                    self.send(session.link, Side::Client, Cargo::Close(code));
                }
                session.ended = true;
            }
            Cargo::Ping => self.send(session.link, Side::Client, Cargo::Pong),
            Cargo::Binary(_) | Cargo::Pong => {}
            Cargo::End => {
                session.ended = true;
                session.receiver.disconnected();
                self.leave(session);
            }
        }
    }

    fn leave(&mut self, session: &mut Session) {
        session.deadline.get_or_insert(self.now + FAREWELL);
    }

    pub fn drain(&mut self, number: u64) {
        self.serve(number, |world, session| {
            if session.deadline.is_none() {
                session.draining = Some(world.now + DRAIN);
                session.receiver.drain(Duration::from_millis(500));
            }
        });
    }

    fn carry_out_session(&mut self, number: u64, session: &mut Session) {
        while let Some(effect) = session.receiver.poll_effect() {
            match effect {
                Effect::Greeted(client, generation) => {
                    if self.greet(client, generation, number) {
                        session.client = Some((client, generation));
                    } else {
                        session.receiver.close(CloseCode::Superseded);
                    }
                }
                Effect::Open {
                    stream,
                    manifest,
                    token,
                    begun,
                    verify,
                } => {
                    session.shares = self.server.share(number);
                    if !session.shares {
                        session.receiver.failed(stream, Trouble::Busy);
                        continue;
                    }
                    let task = self.server.fresh();
                    session.uploads.insert(stream, task);
                    let matching = verify && Proof::is_possible(manifest.size);
                    let mut opening = Task::new(number, stream, manifest, token);
                    (opening.begun, opening.matching) = (begun, matching);
                    self.server.tasks.insert(task, opening);
                    self.proceed(task, Stage::Find);
                }
                Effect::Settle { stream, proven } => {
                    self.job(session, stream, Job::Settle(proven));
                }
                Effect::Write {
                    stream,
                    offset,
                    payload,
                } => self.job(session, stream, Job::Write(offset, payload)),
                Effect::Commit { stream, blocks } => {
                    self.job(session, stream, Job::Commit(blocks));
                }
                Effect::Seal { stream, root } => self.job(session, stream, Job::Seal(root)),
                Effect::Release(stream) => self.job(session, stream, Job::Release),
                Effect::Abort(stream) => self.job(session, stream, Job::Abort),
                Effect::Watch(_) | Effect::Unwatch(_) | Effect::Standby(_) => {}
                Effect::Close(code) => {
                    self.say(|| format!("session {number} closes with {code:?}"));
                    self.check_closed(session.link, code);
                    self.send(session.link, Side::Client, Cargo::Close(code));
                    self.leave(session);
                }
            }
        }
        if session.shares {
            let share = self.server.budget.share();
            session.receiver.set_share(share);
        }
        while session.deadline.is_none()
            && self.has_room(session)
            && let Some(message) = session.receiver.poll_send()
        {
            self.said(session, &message);
            let cargo = Cargo::Binary(message.encode().into());
            self.send(session.link, Side::Client, cargo);
            // Behind the announcement that the server stops, there is nothing more.
            if matches!(message, ServerMessage::Drain { .. }) {
                session.receiver.close(CloseCode::Restart);
                return self.carry_out_session(number, session);
            }
        }
    }

    fn has_room(&self, session: &Session) -> bool {
        self.links[session.link].buffered(Side::Client, self.now) < OUTBOX
    }

    fn job(&mut self, session: &Session, stream: StreamId, job: Job) {
        if let Some(task) = session.uploads.get(&stream) {
            self.give(*task, job);
        }
    }

    /// When to look at the time again.
    fn arm_session(&mut self, number: u64, session: &mut Session) {
        let quiet = if session.pinged { SILENCE } else { HEARTBEAT };
        let room = session.receiver.wants_to_send() && !self.has_room(session);
        let due = session.deadline.unwrap_or_else(|| {
            let room = room.then_some(self.now + Duration::from_millis(5));
            let others = [session.receiver.timeout(), session.draining, room];
            others
                .into_iter()
                .flatten()
                .fold(session.heard + quiet, Time::min)
        });
        let due = due.max(self.now + Duration::from_micros(1));
        if session
            .look
            .is_none_or(|look| look <= self.now || due < look)
        {
            session.look = Some(due);
            self.at(due, Event::Look(number));
        }
    }

    /// Time has passed for a session.
    pub fn look(&mut self, number: u64) {
        self.serve(number, |world, session| {
            if session.look.is_some_and(|look| look > world.now) {
                return;
            }
            session.look = None;
            session.receiver.tick(world.now);
            if world.is_crowded(session) {
                // Who is not listened to is not silent.
                session.heard = world.now;
                session.pinged = false;
            }
            let quiet = world.now - session.heard;
            if session.draining.is_some_and(|by| by <= world.now) {
                session.receiver.close(CloseCode::Restart);
            } else if quiet >= SILENCE {
                session.receiver.close(CloseCode::HeartbeatLost);
            } else if quiet >= HEARTBEAT && !session.pinged {
                session.pinged = true;
                world.send(session.link, Side::Client, Cargo::Ping);
            }
        });
    }

    pub fn controlled(&mut self, number: u64, control: Control) {
        self.serve(number, |_, session| match control {
            Control::Superseded => session.receiver.close(CloseCode::Superseded),
            Control::Expel(stream, trouble) => session.receiver.expel(stream, trouble),
            Control::Ask(id, wish) => session.receiver.ask(id, wish),
        });
    }

    /// A task reports.
    pub fn came_of(&mut self, number: u64, stream: StreamId, outcome: Outcome) {
        self.serve(number, |world, session| {
            let now = world.now;
            let receiver = &mut session.receiver;
            match outcome {
                Outcome::Opened(opening) => {
                    match &opening {
                        Opening::Granted { id, .. } => _ = session.ids.insert(stream, *id),
                        Opening::Stored { .. } | Opening::Gone => {
                            session.uploads.remove(&stream);
                        }
                        Opening::Matched { .. } => {}
                    }
                    receiver.opened(stream, opening, now);
                }
                Outcome::Written(bytes, hashes) => receiver.written(stream, bytes, &hashes, now),
                Outcome::Committed => receiver.committed(stream, now),
                over => {
                    session.uploads.remove(&stream);
                    match over {
                        Outcome::Sealed(id, path, root) => receiver.sealed(stream, id, path, root),
                        Outcome::Released => receiver.released(stream),
                        Outcome::Aborted => receiver.aborted(stream),
                        Outcome::Failed(trouble) => receiver.failed(stream, trouble),
                        Outcome::Opened(_) | Outcome::Written(..) | Outcome::Committed => {}
                    }
                }
            }
        });
    }
}
