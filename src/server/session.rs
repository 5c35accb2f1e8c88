//! One WebSocket connection, from its upgrade to the last frame.
//!
//! The session drives a [`Receiver`]: it feeds it messages, outcomes and time, and
//! carries its effects out. It sends only when the socket has room, so a client that
//! does not read costs no memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Server;
use super::hub::Control;
use super::upload::{self, Job, Outcome, Request};
use super::watcher::Watcher;
use crate::protocol::close::CloseCode;
use crate::protocol::flow::Budget;
use crate::protocol::id::{ClientId, FileId};
use crate::protocol::receiver::{Cadence, Effect, Opening, Receiver, Settings};
use crate::protocol::trouble::Trouble;
use crate::protocol::{Generation, MAX_MESSAGE, StreamId, Time};

/// How often the client should ping, and how often the server does when it hears
/// nothing.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long nothing may be heard.
const SILENCE: Duration = Duration::from_secs(15);
/// How long the closing handshake may take, and the last writes with it.
const FAREWELL: Duration = Duration::from_secs(3);
/// How many messages may wait for the socket.
const OUTBOX: usize = 8;

/// Serves one connection until it is over. `refused` is what the upgrade found wrong.
pub async fn run(server: Arc<Server>, socket: WebSocket, refused: Option<CloseCode>) {
    let (mut sink, mut stream) = socket.split();
    let (outbox, mut outgoing) = mpsc::channel::<Message>(OUTBOX);
    let writer = tokio::spawn(async move {
        while let Some(message) = outgoing.recv().await {
            if sink.send(message).await.is_err() {
                break;
            }
        }
    });
    let mut session = Session::new(server, outbox);
    if let Some(code) = refused {
        session.receiver.close(code);
    }
    session.serve(&mut stream).await;
    let Session {
        outbox,
        server,
        client,
        code,
        ..
    } = session;
    drop(outbox);
    // The writer ends when the outbox is empty, or the socket is gone.
    if tokio::time::timeout(FAREWELL, writer).await.is_err() {
        tracing::debug!("the last messages of a connection could not be sent");
    }
    if let Some((client, generation)) = client {
        server.hub.farewell(client, generation);
    }
    let code = code.and_then(CloseCode::code);
    tracing::info!(
        code,
        client = client.map(|(c, _)| c.to_string()),
        "a connection ended"
    );
}

type Channel<T> = (mpsc::UnboundedSender<T>, mpsc::UnboundedReceiver<T>);

struct Session {
    server: Arc<Server>,
    receiver: Receiver,
    outbox: mpsc::Sender<Message>,
    controls: Channel<Control>,
    outcomes: Channel<(StreamId, Outcome)>,
    uploads: HashMap<StreamId, mpsc::UnboundedSender<Job>>,
    ids: HashMap<StreamId, FileId>,
    client: Option<(ClientId, Generation)>,
    watcher: Watcher,
    heard: Instant,
    pinged: bool,
    /// Whether this connection takes a share of the memory budget.
    joined: bool,
    code: Option<CloseCode>,
    /// Until when the end may take, once it has begun.
    deadline: Option<Instant>,
    ended: bool,
}

impl Session {
    fn new(server: Arc<Server>, outbox: mpsc::Sender<Message>) -> Self {
        let settings = Settings {
            server: server.id,
            limits: server.limits.clone(),
            capacity: Budget::LEAST,
            heartbeat: HEARTBEAT,
            cadence: Cadence::default(),
        };
        Self {
            server,
            receiver: Receiver::new(settings),
            outbox,
            controls: mpsc::unbounded_channel(),
            outcomes: mpsc::unbounded_channel(),
            uploads: HashMap::new(),
            ids: HashMap::new(),
            client: None,
            watcher: Watcher::default(),
            heard: Instant::now(),
            pinged: false,
            joined: false,
            code: None,
            deadline: None,
            ended: false,
        }
    }

    fn now(&self) -> Time {
        self.server.now()
    }

    async fn serve(&mut self, stream: &mut futures::stream::SplitStream<WebSocket>) {
        let mut changes = self.server.hub.changes();
        let shutdown = self.server.shutdown.clone();
        let mut draining = false;
        loop {
            self.carry_out();
            if self.is_over() {
                break;
            }
            let due = self.due();
            let watching = self.deadline.is_none() && self.watcher.is_watching();
            let outbox = self.outbox.clone();
            let wants = self.receiver.wants_to_send();
            tokio::select! {
                message = stream.next(), if !self.ended && !self.receiver.is_congested() => self.arrived(message),
                Some((stream, outcome)) = self.outcomes.1.recv() => self.came_of(stream, outcome),
                Some(control) = self.controls.1.recv() => self.told(control),
                permit = outbox.reserve(), if wants => {
                    if let Ok(permit) = permit
                        && let Some(message) = self.receiver.poll_send()
                    {
                        permit.send(Message::Binary(message.encode().into()));
                    } else if self.outbox.is_closed() {
                        self.gone();
                    }
                }
                _ = changes.changed(), if watching && self.watcher.is_fresh() => self.watcher.changed(),
                () = shutdown.cancelled(), if !draining => {
                    draining = true;
                    self.receiver.drain(Duration::from_millis(500));
                    self.drain();
                }
                () = sleep_until(due) => self.passed(watching),
            }
        }
        if self.joined {
            self.server.budget.lock().leave();
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
        self.watcher.due().map_or(due, |at| due.min(at))
    }

    fn passed(&mut self, watching: bool) {
        let now = self.now();
        self.receiver.tick(now);
        if self.heard.elapsed() >= SILENCE {
            self.receiver.close(CloseCode::HeartbeatLost);
        } else if self.heard.elapsed() >= HEARTBEAT && !self.pinged {
            self.pinged = true;
            // With no room in the outbox the client is not short of signs of life.
            let _ = self.outbox.try_send(Message::Ping(bytes::Bytes::new()));
        }
        if watching {
            self.watcher.look(&self.server.hub, &self.outbox);
        }
    }

    fn arrived(&mut self, message: Option<Result<Message, axum::Error>>) {
        self.heard = Instant::now();
        self.pinged = false;
        let closing = self.deadline.is_some();
        match message {
            Some(Ok(Message::Binary(bytes))) if !closing => {
                if bytes.len() > MAX_MESSAGE {
                    self.receiver.close(CloseCode::TooLarge);
                } else {
                    let now = self.now();
                    self.receiver.message(bytes, now);
                }
            }
            Some(Ok(Message::Text(_))) if !closing => self.receiver.close(CloseCode::Text),
            Some(Ok(Message::Close(frame))) => {
                if self.code.is_none() {
                    self.code =
                        Some(frame.map_or(CloseCode::Broken, |f| CloseCode::from_code(f.code)));
                }
                self.receiver.disconnected();
                self.leave();
                // The reply is flushed by reading on until there is nothing more.
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                if !closing && is_too_large(&error) {
                    self.receiver.close(CloseCode::TooLarge);
                } else {
                    self.gone();
                }
            }
            None => self.gone(),
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
        self.deadline.get_or_insert(Instant::now() + FAREWELL);
    }

    /// Says that the server stops, finishes what was received, and closes.
    fn drain(&mut self) {
        while let Some(message) = self.receiver.poll_send() {
            if self
                .outbox
                .try_send(Message::Binary(message.encode().into()))
                .is_err()
            {
                break;
            }
        }
        self.receiver.close(CloseCode::Restart);
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.receiver.poll_effect() {
            match effect {
                Effect::Greeted(client, generation) => self.greeted(client, generation),
                Effect::Open {
                    stream,
                    manifest,
                    resume,
                    verify,
                } => {
                    self.open(Request {
                        stream,
                        manifest,
                        resume,
                        verify,
                    });
                }
                Effect::Settle { stream, proven } => self.job(stream, Job::Settle { proven }),
                Effect::Write {
                    stream,
                    offset,
                    payload,
                } => {
                    self.job(stream, Job::Write(offset, payload));
                }
                Effect::Commit { stream, blocks } => self.job(stream, Job::Commit(blocks)),
                Effect::Seal { stream, root } => self.job(stream, Job::Seal(root)),
                Effect::Release(stream) => self.job(stream, Job::Release),
                Effect::Abort(stream) => self.job(stream, Job::Abort),
                Effect::Watch(topic) => self.watcher.watch(topic),
                Effect::Unwatch(topic) => self.watcher.unwatch(topic),
                Effect::Close(code) => self.close(code),
            }
        }
        if self.joined {
            self.receiver
                .set_capacity(self.server.budget.lock().share());
        }
    }

    fn greeted(&mut self, client: ClientId, generation: Generation) {
        if self.server.hub.greet(client, generation, &self.controls.0) {
            self.client = Some((client, generation));
            tracing::info!(%client, generation = generation.0, "a client connected");
        } else {
            self.receiver.close(CloseCode::Superseded);
        }
    }

    fn open(&mut self, request: Request) {
        if !self.joined {
            self.joined = self.server.budget.lock().join();
        }
        let stream = request.stream;
        if !self.joined {
            return self.receiver.failed(stream, Trouble::Busy);
        }
        let (jobs, todo) = mpsc::unbounded_channel();
        self.uploads.insert(stream, jobs);
        let task = upload::run(
            self.server.clone(),
            request,
            self.controls.0.clone(),
            todo,
            self.outcomes.0.clone(),
        );
        self.server.tasks.spawn(task);
    }

    fn job(&mut self, stream: StreamId, job: Job) {
        if let Some(upload) = self.uploads.get(&stream) {
            // A task that has ended has said why, and that comes next.
            let _ = upload.send(job);
        }
    }

    fn close(&mut self, code: CloseCode) {
        self.code = Some(code);
        if let Some(number) = code.code() {
            let frame = CloseFrame {
                code: number,
                reason: Utf8Bytes::from_static(code.reason()),
            };
            // No room means that the client does not read: it will find out by itself.
            let _ = self.outbox.try_send(Message::Close(Some(frame)));
        }
        self.leave();
    }

    fn came_of(&mut self, stream: StreamId, outcome: Outcome) {
        let now = self.now();
        match outcome {
            Outcome::Opened(opening) => {
                match &opening {
                    Opening::Granted { id, .. } => _ = self.ids.insert(stream, *id),
                    Opening::Stored { .. } | Opening::Gone => _ = self.uploads.remove(&stream),
                    Opening::Matched { .. } => {}
                }
                self.receiver.opened(stream, opening, now);
            }
            Outcome::Written(bytes, hashes) => self.receiver.written(stream, bytes, &hashes, now),
            Outcome::Committed => self.receiver.committed(stream, now),
            over => {
                self.uploads.remove(&stream);
                self.ids.remove(&stream);
                match over {
                    Outcome::Sealed(id, path, root) => self.receiver.sealed(stream, id, path, root),
                    Outcome::Released => self.receiver.released(stream),
                    Outcome::Aborted => self.receiver.aborted(stream),
                    Outcome::Failed(trouble) => self.receiver.failed(stream, trouble),
                    Outcome::Opened(_) | Outcome::Written(..) | Outcome::Committed => {}
                }
            }
        }
        if let (Some(id), Some((received, durable))) =
            (self.ids.get(&stream), self.receiver.progress(stream))
        {
            self.server.hub.progress(*id, received, durable);
        }
    }

    fn told(&mut self, control: Control) {
        match control {
            Control::Superseded => self.receiver.close(CloseCode::Superseded),
            Control::Expel(stream, trouble) => self.receiver.expel(stream, trouble),
        }
    }
}

/// Whether reading failed because a message was longer than the socket takes.
fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<tokio_tungstenite::tungstenite::Error>() {
            return matches!(error, tokio_tungstenite::tungstenite::Error::Capacity(_));
        }
        source = error.source();
    }
    false
}
