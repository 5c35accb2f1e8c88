//! One WebSocket connection, from its upgrade to the last frame.
//!
//! The session drives a [`Receiver`]: it feeds it messages, outcomes and time, and
//! carries its effects out. It sends only when the socket has room, so a client that
//! does not read costs no memory, and is let go of; it reads only while what was read
//! gets written. However it ends, nothing of it is left.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum_tws::{Message, WebSocket, WebSocketError};
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{FutureExt, SinkExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::hub::{Control, LaneSender};
use super::lane;
use super::socket::{self, Heard};
use super::stream::Stream;
use super::upload::{self, Job, Outcome, Request};
use super::watcher::Watcher;
use super::{Server, Share};
use crate::protocol::close::CloseCode;
use crate::protocol::flow::Budget;
use crate::protocol::id::{ClientId, Token};
use crate::protocol::message::ServerMessage;
use crate::protocol::receiver::{Cadence, Effect, Opening, Receiver, Settings};
use crate::protocol::trouble::Trouble;
use crate::protocol::{Generation, StreamId, Time};
use crate::registry::Found;

/// How often the client should ping, and how often the server does when it hears
/// nothing.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long nothing may be heard, and how long a message may take to be sent: fifteen
/// seconds after the last sign of life, no half-open connection is left.
pub const SILENCE: Duration = Duration::from_secs(14);
/// How long the closing handshake may take, and the last writes with it.
pub const FAREWELL: Duration = Duration::from_secs(3);
/// How long what is queued before the announcement of the end may take.
const DRAIN: Duration = Duration::from_secs(1);
/// When a client may come back at the earliest after the server stopped.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// How many messages may wait for the socket.
const OUTBOX: usize = 8;
/// How many frames may wait to be written; an honest client's credit is used up before.
const MAX_FRAMES: usize = 4096;
/// How many messages are taken in at once, if they are there.
const TOGETHER: usize = 8;
/// How many streams that were left may wait for their last writes.
const MAX_LEAVING: usize = 64;

/// Serves one connection until it is over. `refused` is what the upgrade found wrong.
pub async fn run(server: Arc<Server>, socket: WebSocket, refused: Option<CloseCode>) {
    let (sink, mut stream) = socket.split();
    let (outbox, outgoing) = mpsc::channel(OUTBOX);
    let (farewell, last) = oneshot::channel();
    let writer = AbortOnDropHandle::new(tokio::spawn(write(sink, outgoing, last)));
    let mut session = Session::new(server, outbox, farewell);
    if let Some(code) = refused {
        session.receiver.close(code);
    }
    session.serve(&mut stream).await;
    let (client, code) = (session.client, session.code.and_then(CloseCode::code));
    let deadline = session.deadline.unwrap_or_else(Instant::now);
    drop(session);
    // The writer ends when the outbox is empty, or the socket is gone.
    if timeout_at(deadline, writer).await.is_err() {
        tracing::debug!("the last messages of a connection could not be sent");
    }
    tracing::info!(
        code,
        client = client.map(|(c, _)| c.to_string()),
        "a connection ended"
    );
}

/// Sends what comes out of the outbox, and after all of it the close frame. Ends early
/// if the socket is gone or takes nothing for too long.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut outgoing: mpsc::Receiver<Message>,
    mut last: oneshot::Receiver<Message>,
) {
    loop {
        let message = tokio::select! {
            biased;
            Some(message) = outgoing.recv() => message,
            Ok(close) = &mut last => close,
            else => break,
        };
        let is_last = message.is_close();
        let sent = timeout(SILENCE, sink.send(message)).await;
        if is_last || !matches!(sent, Ok(Ok(()))) {
            break;
        }
    }
}

type Channel<T> = (mpsc::UnboundedSender<T>, mpsc::UnboundedReceiver<T>);

struct Session {
    server: Arc<Server>,
    receiver: Receiver,
    outbox: mpsc::Sender<Message>,
    /// Takes the close frame, once.
    farewell: Option<oneshot::Sender<Message>>,
    controls: Channel<Control>,
    outcomes: Channel<(StreamId, Outcome)>,
    lanes: (LaneSender, mpsc::Receiver<lane::Heard>),
    uploads: HashMap<StreamId, Stream>,
    /// Looks up what its client has paused.
    standing: JoinSet<()>,
    client: Option<(ClientId, Generation)>,
    watcher: Watcher,
    heard: Instant,
    pinged: bool,
    /// Whether there was no room for an answer to a ping: whoever does not read the answers is
    /// not listened to.
    owes: bool,
    /// What it has of the memory budget, once it sends something.
    share: Option<Arc<Share>>,
    code: Option<CloseCode>,
    /// Until when the announcement of the server's end may take.
    draining: Option<Instant>,
    /// Until when the end may take, once it has begun.
    deadline: Option<Instant>,
    ended: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Without a code it broke down.
        let code = self.code.unwrap_or(CloseCode::Internal);
        self.server.metrics.connection_closed(code);
        // From now on nothing can be asked of its client.
        self.controls.1.close();
        if let Some((client, generation)) = self.client {
            self.server.hub.farewell(client, generation);
        }
    }
}

impl Session {
    fn new(
        server: Arc<Server>,
        outbox: mpsc::Sender<Message>,
        farewell: oneshot::Sender<Message>,
    ) -> Self {
        server.metrics.connection_opened();
        let settings = Settings {
            server: server.id,
            limits: server.limits.clone(),
            share: Budget::LEAST,
            heartbeat: HEARTBEAT,
            cadence: Cadence::default(),
        };
        Self {
            server,
            receiver: Receiver::new(settings),
            outbox,
            farewell: Some(farewell),
            controls: mpsc::unbounded_channel(),
            outcomes: mpsc::unbounded_channel(),
            lanes: mpsc::channel(lane::WAITING),
            uploads: HashMap::new(),
            standing: JoinSet::new(),
            client: None,
            watcher: Watcher::default(),
            heard: Instant::now(),
            pinged: false,
            owes: false,
            share: None,
            code: None,
            draining: None,
            deadline: None,
            ended: false,
        }
    }

    fn now(&self) -> Time {
        self.server.now()
    }

    async fn serve(&mut self, stream: &mut SplitStream<WebSocket>) {
        let mut changes = self.server.hub.changes();
        let shutdown = self.server.shutdown.clone();
        loop {
            self.carry_out();
            if self.is_over() {
                break;
            }
            let due = self.due();
            let crowded = self.is_crowded();
            let reads = !self.ended && !crowded;
            if crowded {
                // Who is not listened to is not silent.
                self.heard = Instant::now();
                self.pinged = false;
            }
            let open = self.deadline.is_none();
            let watches = open && self.watcher.is_watching();
            let wants = open && (self.owes || self.receiver.wants_to_send());
            let outbox = self.outbox.clone();
            tokio::select! {
                message = stream.next(), if reads => self.arrive(message, stream),
                Some(heard) = self.lanes.1.recv(), if reads => self.heard_on_lane(heard),
                Some((stream, outcome)) = self.outcomes.1.recv() => self.came_of(stream, outcome),
                Some(control) = self.controls.1.recv() => self.told(control),
                Some(_) = self.standing.join_next() => {}
                Ok(permit) = outbox.reserve(), if wants => self.say(permit),
                () = outbox.closed(), if open => self.gone(),
                _ = changes.changed(), if watches && self.watcher.is_fresh() => self.watcher.changed(),
                () = shutdown.cancelled(), if open && self.draining.is_none() => {
                    self.draining = Some(Instant::now() + DRAIN);
                    self.receiver.drain(RETRY_AFTER);
                }
                () = sleep_until(due) => self.passed(watches),
            }
        }
    }

    /// Takes in a message, and those that came with it: they are written together.
    fn arrive(
        &mut self,
        first: Option<Result<Message, WebSocketError>>,
        stream: &mut SplitStream<WebSocket>,
    ) {
        // What came first over a lane goes first: the lane may have joined just now.
        while let Ok(heard) = self.lanes.1.try_recv() {
            self.heard_on_lane(heard);
        }
        self.arrived(first.into());
        for _ in 1..TOGETHER {
            if self.ended {
                break;
            }
            let Some(message) = stream.next().now_or_never() else {
                break;
            };
            self.arrived(message.into());
        }
    }

    /// Whether so much of this client waits to be written or sent that nothing more is
    /// read.
    fn is_crowded(&self) -> bool {
        let streams = self.server.limits.most_streams() + MAX_LEAVING;
        self.receiver.is_congested()
            || self.owes
            || self.uploads.len() > streams
            || self.standing.len() > MAX_LEAVING
            || self.uploads.values().map(|u| u.frames).sum::<usize>() > MAX_FRAMES
    }

    /// Sends the next message. Behind the announcement that the server stops, there is
    /// none.
    fn say(&mut self, permit: mpsc::Permit<'_, Message>) {
        if std::mem::take(&mut self.owes) {
            permit.send(Message::pong(Bytes::new()));
        } else if let Some(message) = self.receiver.poll_send() {
            permit.send(socket::outgoing(&message));
            match message {
                ServerMessage::Drain { .. } => self.receiver.close(CloseCode::Restart),
                ServerMessage::Nack { .. } => self.server.metrics.block_damaged(),
                ServerMessage::Failed { trouble, .. } => {
                    self.server.metrics.upload_troubled(&trouble);
                }
                _ => {}
            }
        }
    }

    /// Whether everything that had to happen has, or took too long.
    fn is_over(&self) -> bool {
        let Some(deadline) = self.deadline else {
            return false;
        };
        (self.ended && self.receiver.open_streams() == 0) || deadline <= Instant::now()
    }

    /// When to look at the time again.
    fn due(&self) -> Instant {
        if let Some(deadline) = self.deadline {
            return deadline;
        }
        let quiet = if self.pinged { SILENCE } else { HEARTBEAT };
        let mut due = self.heard + quiet;
        if let Some(at) = self.receiver.timeout() {
            due = due.min(self.server.instant(at));
        }
        let others = self.watcher.due().into_iter().chain(self.draining);
        others.fold(due, Instant::min)
    }

    /// How long the client was listened to and said nothing.
    fn silence(&self) -> Duration {
        if self.is_crowded() {
            Duration::ZERO
        } else {
            self.heard.elapsed()
        }
    }

    fn passed(&mut self, watches: bool) {
        let now = self.now();
        self.receiver.tick(now);
        if self.draining.is_some_and(|by| by <= Instant::now()) {
            self.receiver.close(CloseCode::Restart);
        } else if self.silence() >= SILENCE {
            self.receiver.close(CloseCode::HeartbeatLost);
        } else if self.silence() >= HEARTBEAT && !self.pinged {
            self.pinged = true;
            // With no room in the outbox the client is not short of signs of life.
            let _ = self.outbox.try_send(Message::ping(Bytes::new()));
        }
        if watches {
            self.watcher.look(&self.server.hub, &self.outbox);
        }
    }

    fn arrived(&mut self, heard: Heard) {
        self.heard = Instant::now();
        self.pinged = false;
        let closing = self.deadline.is_some();
        match heard {
            Heard::Message(bytes) if !closing => self.receiver.message(bytes, self.now()),
            Heard::Not(code) if !closing => self.receiver.close(code),
            // The socket has the answer, and flushes it before the message behind it.
            Heard::Ping => self.owes = self.outbox.try_send(Message::pong(Bytes::new())).is_err(),
            Heard::Message(_) | Heard::Not(_) | Heard::Pong => {}
            Heard::Closed(code) => {
                self.code.get_or_insert(code);
                self.receiver.disconnected();
                self.leave();
            }
            Heard::Gone => self.gone(),
        }
    }

    fn heard_on_lane(&mut self, heard: lane::Heard) {
        self.heard = Instant::now();
        self.pinged = false;
        if self.deadline.is_some() {
            return;
        }
        match heard {
            lane::Heard::Joined => self.receiver.lane_joined(),
            lane::Heard::Message(bytes) => self.receiver.message(bytes, self.now()),
            lane::Heard::Left => self.receiver.lane_left(),
            lane::Heard::Lost(code) => self.receiver.close(code),
        }
    }

    /// The socket is gone.
    fn gone(&mut self) {
        self.ended = true;
        self.code.get_or_insert(CloseCode::Broken);
        self.receiver.disconnected();
        self.leave();
    }

    /// Begins the end: the last writes and the closing handshake have a deadline.
    fn leave(&mut self) {
        if self.deadline.is_none() {
            self.deadline = Some(Instant::now() + FAREWELL);
            let held = self.uploads.values().filter(|u| u.id.is_some()).count();
            let metrics = &self.server.metrics;
            metrics.uploads_interrupted(self.code.unwrap_or(CloseCode::Internal), held);
        }
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.receiver.poll_effect() {
            match effect {
                Effect::Greeted(client, generation) => self.greeted(client, generation),
                Effect::Open {
                    stream,
                    manifest,
                    token,
                    begun,
                    verify,
                } => {
                    self.open(Request {
                        stream,
                        manifest,
                        token,
                        begun,
                        verify,
                    });
                }
                Effect::Settle { stream, proven } => self.job(stream, Job::Settle { proven }),
                Effect::Write {
                    stream,
                    offset,
                    payload,
                } => {
                    if let Some(upload) = self.uploads.get_mut(&stream) {
                        upload.writes(offset, payload.len(), self.heard);
                    }
                    self.job(stream, Job::Write(offset, payload));
                }
                Effect::Commit { stream, blocks } => {
                    if let Some(upload) = self.uploads.get_mut(&stream) {
                        upload.commits(&blocks);
                    }
                    self.job(stream, Job::Commit(blocks));
                }
                Effect::Seal { stream, root } => self.job(stream, Job::Seal(root)),
                Effect::Release(stream) => self.job(stream, Job::Release),
                Effect::Abort(stream) => self.job(stream, Job::Abort),
                Effect::Watch(topic) => self.watcher.watch(topic),
                Effect::Unwatch(topic) => self.watcher.unwatch(topic),
                Effect::Standby(token) => self.stand_by(token),
                Effect::Close(code) => self.close(code),
            }
        }
        if let Some(share) = &self.share {
            self.receiver.set_share(self.server.budget.lock().share());
            let (received, pending) = self.receiver.taken();
            share.holds(received, pending);
        }
    }

    fn greeted(&mut self, client: ClientId, generation: Generation) {
        let hub = &self.server.hub;
        if hub.greet(client, generation, &self.controls.0, &self.lanes.0) {
            self.client = Some((client, generation));
            tracing::info!(%client, generation = generation.0, "a client connected");
        } else {
            self.receiver.close(CloseCode::Superseded);
        }
    }

    fn open(&mut self, request: Request) {
        self.share = self.share.take().or_else(|| Share::take(&self.server));
        let stream = request.stream;
        let Some(share) = self.share.clone() else {
            return self.receiver.failed(stream, Trouble::Busy);
        };
        let (jobs, todo) = mpsc::unbounded_channel();
        let upload = Stream::new(jobs, request.manifest.size);
        self.uploads.insert(stream, upload);
        let task = upload::run(
            share,
            request,
            self.controls.0.clone(),
            todo,
            self.outcomes.0.clone(),
        );
        self.server.tasks.spawn(task);
    }

    /// Looks for the upload that the client has paused, and says that it can be asked to go
    /// on.
    fn stand_by(&mut self, token: Token) {
        let (server, session) = (self.server.clone(), self.controls.0.clone());
        self.standing.spawn(async move {
            match server.registry.find(&token).await {
                Ok(Some(Found::Upload(id))) => server.hub.stand_by(id, &session),
                // What is not there any more, its client hears when it wants to go on.
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a paused upload could not be looked up"),
            }
        });
    }

    fn job(&mut self, stream: StreamId, job: Job) {
        if let Some(upload) = self.uploads.get(&stream) {
            // A task that has ended has said why, and that comes next.
            let _ = upload.jobs.send(job);
        }
    }

    fn close(&mut self, code: CloseCode) {
        self.code = Some(code);
        if let (Some(frame), Some(writer)) = (socket::farewell(code), self.farewell.take()) {
            // A writer that has ended has no socket to write to.
            let _ = writer.send(frame);
        }
        self.leave();
    }

    fn came_of(&mut self, stream: StreamId, outcome: Outcome) {
        let now = self.now();
        match outcome {
            Outcome::Opened(opening) => {
                match &opening {
                    Opening::Granted { id, .. } => {
                        if let Some(upload) = self.uploads.get_mut(&stream) {
                            upload.id = Some(*id);
                        }
                    }
                    Opening::Stored { .. } | Opening::Gone => _ = self.uploads.remove(&stream),
                    Opening::Matched { .. } => {}
                }
                self.receiver.opened(stream, opening, now);
            }
            Outcome::Written {
                frames,
                bytes,
                hashes,
            } => {
                if let Some(upload) = self.uploads.get_mut(&stream) {
                    upload.frames = upload.frames.saturating_sub(frames);
                }
                self.receiver.written(stream, bytes, &hashes, now);
            }
            Outcome::Committed => {
                self.receiver.committed(stream, now);
                let upload = self.uploads.get_mut(&stream);
                if let Some(since) = upload.and_then(Stream::committed) {
                    self.server.metrics.acknowledged(since.elapsed());
                }
            }
            over => {
                self.uploads.remove(&stream);
                match over {
                    Outcome::Sealed(id, path, root) => self.receiver.sealed(stream, id, path, root),
                    Outcome::Released => self.receiver.released(stream),
                    Outcome::Aborted => self.receiver.aborted(stream),
                    Outcome::Failed(trouble) => self.receiver.failed(stream, trouble),
                    Outcome::Opened(_) | Outcome::Written { .. } | Outcome::Committed => {}
                }
            }
        }
        let id = self.uploads.get(&stream).and_then(|upload| upload.id);
        if let (Some(id), Some((received, durable))) = (id, self.receiver.progress(stream)) {
            self.server.hub.progress(id, received, durable);
        }
    }

    fn told(&mut self, control: Control) {
        match control {
            Control::Superseded => self.receiver.close(CloseCode::Superseded),
            Control::Expel(stream, trouble) => self.receiver.expel(stream, trouble),
            Control::Ask(id, wish) => self.receiver.ask(id, wish),
        }
    }
}
