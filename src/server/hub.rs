//! Everything that moves on this server right now: unfinished uploads, who holds
//! them, and which clients are connected.
//!
//! An upload has at most one holder, a stream of a session. Whoever wants it next
//! asks the holder to leave and waits for it only as long as its last writes take.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::lane::Heard;
use super::metrics::{End, Metrics};
use crate::protocol::id::{ClientId, FileId};
use crate::protocol::live::{LiveState, LiveUpload, Pulse, Topic, Wish};
use crate::protocol::rate::Rate;
use crate::protocol::trouble::Trouble;
use crate::protocol::{Generation, StreamId, Time};
use crate::registry::{self, Epoch, Registry, RegistryError, Upload};
use crate::storage::Storage;

/// How long an ended upload stays visible to those who watch it.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long a holder may take for its last writes before it is written off.
const EVICTION: Duration = Duration::from_secs(2);
/// How long a client may take to do what somebody asks of it, until they are told that it was
/// asked.
const ANSWER: Duration = Duration::from_secs(2);

/// What a session is told from outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// The same client came back with a newer generation.
    Superseded,
    /// The upload of a stream is wanted elsewhere or was ended.
    Expel(StreamId, Trouble),
    /// Somebody asks something of the client that sends an upload.
    Ask(FileId, Wish),
}

/// Why nobody could be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unasked {
    /// There is no such unfinished upload.
    #[error("there is no such upload")]
    Unknown,
    /// No client is connected that has it.
    #[error("nobody is there to send it")]
    Nobody,
}

/// How a session is told things.
pub type ControlSender = mpsc::UnboundedSender<Control>;

/// How a session hears what comes over its lanes.
pub type LaneSender = mpsc::Sender<Heard>;

/// Knows every unfinished upload and who holds it.
pub struct Hub {
    registry: Arc<dyn Registry>,
    storage: Arc<dyn Storage>,
    metrics: Arc<Metrics>,
    began: Instant,
    table: Mutex<Table>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Table {
    uploads: HashMap<FileId, Entry>,
    /// The uploads that have ended, the first first.
    ended: VecDeque<(Instant, FileId)>,
    clients: HashMap<ClientId, Connected>,
}

/// A session that greeted.
struct Connected {
    generation: Generation,
    session: ControlSender,
    lanes: mpsc::WeakSender<Heard>,
}

impl Table {
    /// Forgets the uploads that ended a while ago.
    fn forget_ended(&mut self) {
        while let Some((at, id)) = self.ended.front().copied()
            && at.elapsed() >= FAREWELL
        {
            self.ended.pop_front();
            self.uploads.remove(&id);
        }
    }
}

struct Entry {
    view: LiveUpload,
    /// When it began, in milliseconds since 1970.
    started: i64,
    rate: Rate,
    holder: Option<Holder>,
    /// The session whose client has paused it.
    standby: Option<ControlSender>,
    ended: bool,
}

impl Entry {
    /// What is seen of it now.
    fn at(&mut self, now: Time) -> &LiveUpload {
        let there = self.standby.as_ref().is_some_and(|it| !it.is_closed());
        self.view.state = match self.view.state {
            LiveState::Paused | LiveState::Resting if there => LiveState::Paused,
            LiveState::Paused => LiveState::Resting,
            state => state,
        };
        self.view.rate = match self.view.state {
            LiveState::Receiving => self.rate.per_second(now),
            _ => 0,
        };
        &self.view
    }
}

#[derive(Clone)]
struct Holder {
    epoch: Epoch,
    session: ControlSender,
    stream: StreamId,
    gone: CancellationToken,
}

/// Holds an upload for a stream; dropping it lets the upload go.
pub struct Hold {
    hub: Arc<Hub>,
    id: FileId,
    gone: CancellationToken,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.gone.cancel();
        let mut table = self.hub.table.lock();
        if let Some(entry) = table.uploads.get_mut(&self.id)
            && entry.holder.as_ref().is_some_and(|h| h.gone.is_cancelled())
        {
            entry.holder = None;
            if entry.view.state == LiveState::Receiving {
                entry.view.state = LiveState::Resting;
                entry.view.received = entry.view.durable;
            }
        }
        drop(table);
        self.hub.changed();
    }
}

impl Hub {
    /// A hub that knows the unfinished uploads of the registry.
    pub async fn new(
        registry: Arc<dyn Registry>,
        storage: Arc<dyn Storage>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, RegistryError> {
        let uploads = registry.uploads().await?;
        let hub = Self {
            registry,
            storage,
            metrics,
            began: Instant::now(),
            table: Mutex::default(),
            changes: watch::Sender::new(0),
        };
        for upload in uploads {
            hub.enter(&upload);
        }
        Ok(hub)
    }

    /// Tells when something changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes
            .send_modify(|revision| *revision = revision.wrapping_add(1));
    }

    /// All uploads that go on or may go on, and those that have just ended, by path.
    pub fn live(&self) -> Vec<LiveUpload> {
        let mut uploads = self.watched(Topic::Live);
        uploads.sort_by(|a, b| a.path.cmp(&b.path));
        uploads
    }

    /// One unfinished upload.
    pub fn upload(&self, id: FileId) -> Option<LiveUpload> {
        self.watched(Topic::Upload(id))
            .into_iter()
            .find(|upload| !upload.state.is_over())
    }

    /// What a watcher of the topic sees; ended uploads for a little while too.
    pub fn watched(&self, topic: Topic) -> Vec<LiveUpload> {
        self.news(topic, &HashMap::new()).0
    }

    /// What differs for a watcher of the topic from what it was told: uploads as they are
    /// now, and those that are no longer there.
    pub fn news(
        &self,
        topic: Topic,
        told: &HashMap<FileId, LiveUpload>,
    ) -> (Vec<LiveUpload>, Vec<FileId>) {
        let now = self.began.elapsed();
        let mut table = self.table.lock();
        table.forget_ended();
        // Only what differs is copied: there may be many watchers of many uploads.
        let differs = |entry: &mut Entry| {
            let view = entry.at(now);
            (told.get(&view.id) != Some(view)).then(|| view.clone())
        };
        let changed = match topic {
            Topic::Live => table.uploads.values_mut().filter_map(differs).collect(),
            Topic::Upload(id) => {
                let entry = table.uploads.get_mut(&id);
                entry.and_then(differs).into_iter().collect()
            }
        };
        let there = |id: &&FileId| table.uploads.contains_key(id);
        let gone = told.keys().filter(|id| !there(id)).copied().collect();
        (changed, gone)
    }

    /// How many clients are connected.
    pub fn clients(&self) -> usize {
        self.table.lock().clients.len()
    }

    /// How many uploads are held by a session.
    pub fn held(&self) -> usize {
        let table = self.table.lock();
        table
            .uploads
            .values()
            .filter(|e| e.holder.is_some())
            .count()
    }

    /// How many uploads are unfinished, and neither sent nor about to be.
    pub fn resting(&self) -> usize {
        let table = self.table.lock();
        let open = table.uploads.values().filter(|e| !e.view.state.is_over());
        open.filter(|e| e.view.state != LiveState::Receiving)
            .count()
    }

    /// How many uploads are sent now.
    pub fn receiving(&self) -> usize {
        let table = self.table.lock();
        let states = table.uploads.values().map(|entry| entry.view.state);
        states
            .filter(|state| *state == LiveState::Receiving)
            .count()
    }

    /// What went through the server from that second on, or all that is known of it; and who
    /// is connected.
    pub fn pulse(&self, from: Option<u64>) -> Pulse {
        let sending = self.metrics.senders();
        Pulse {
            sending,
            watching: (self.clients() as u64).saturating_sub(sending),
            ..self.metrics.pulse(from)
        }
    }

    /// Whether a session holds the upload.
    pub fn is_held(&self, id: FileId) -> bool {
        self.table
            .lock()
            .uploads
            .get(&id)
            .is_some_and(|e| e.holder.is_some())
    }

    /// Takes an upload into the table.
    pub fn enter(&self, upload: &Upload) {
        let view = LiveUpload {
            id: upload.id,
            path: upload.path.clone(),
            size: upload.manifest.size,
            received: upload.durable,
            durable: upload.durable,
            rate: 0,
            state: LiveState::Resting,
        };
        let mut table = self.table.lock();
        let fresh = Entry {
            view,
            started: upload.started,
            rate: Rate::default(),
            holder: None,
            standby: None,
            ended: false,
        };
        table.uploads.entry(upload.id).or_insert(fresh);
        drop(table);
        self.changed();
    }

    /// Makes a stream the holder of an upload that was entered, unless one with a newer
    /// epoch was faster.
    pub fn hold(
        self: &Arc<Self>,
        id: FileId,
        epoch: Epoch,
        session: ControlSender,
        stream: StreamId,
    ) -> Hold {
        let gone = CancellationToken::new();
        let mut table = self.table.lock();
        if let Some(entry) = table.uploads.get_mut(&id)
            && entry.holder.as_ref().is_none_or(|h| h.epoch < epoch)
        {
            entry.holder = Some(Holder {
                epoch,
                session,
                stream,
                gone: gone.clone(),
            });
            entry.standby = None;
            entry.view.state = LiveState::Receiving;
            entry.rate.reset(self.began.elapsed(), entry.view.received);
        }
        drop(table);
        self.changed();
        Hold {
            hub: self.clone(),
            id,
            gone,
        }
    }

    /// The client of a session has this upload, paused, and can be asked to go on.
    pub fn stand_by(&self, id: FileId, session: &ControlSender) {
        let mut table = self.table.lock();
        if let Some(entry) = table.uploads.get_mut(&id).filter(|e| !e.ended) {
            entry.standby = Some(session.clone());
        }
        drop(table);
        self.changed();
    }

    /// Asks something of the client that sends an upload or has paused it, and waits a little
    /// until it has done so.
    pub async fn ask(&self, id: FileId, wish: Wish) -> Result<(), Unasked> {
        let mut changes = self.changes();
        let session = {
            let now = self.began.elapsed();
            let mut table = self.table.lock();
            let entry = table.uploads.get_mut(&id).filter(|e| !e.ended);
            let entry = entry.ok_or(Unasked::Unknown)?;
            match (entry.at(now).state, wish) {
                (LiveState::Receiving, Wish::Resume) | (LiveState::Paused, Wish::Pause) => {
                    return Ok(());
                }
                (LiveState::Receiving, Wish::Pause) => {
                    entry.holder.as_ref().map(|holder| holder.session.clone())
                }
                (LiveState::Paused, Wish::Resume) => entry.standby.clone(),
                _ => None,
            }
        };
        let session = session.ok_or(Unasked::Nobody)?;
        let told = session.send(Control::Ask(id, wish));
        told.map_err(|_| Unasked::Nobody)?;
        let done = async {
            let moving = |upload: LiveUpload| upload.state == LiveState::Receiving;
            while self.upload(id).is_some_and(moving) != (wish == Wish::Resume) {
                // Whoever waits here keeps the hub, which keeps the other end.
                let _ = changes.changed().await;
            }
        };
        if tokio::time::timeout(ANSWER, done).await.is_err() {
            tracing::debug!(%id, ?wish, "a client takes its time to do what was asked");
        }
        Ok(())
    }

    /// Asks the holder of an upload to leave, and waits for that as long as its last
    /// writes may take.
    pub async fn evict(&self, id: FileId, trouble: Trouble) {
        let holder = self
            .table
            .lock()
            .uploads
            .get(&id)
            .and_then(|e| e.holder.clone());
        if let Some(holder) = holder
            && holder
                .session
                .send(Control::Expel(holder.stream, trouble))
                .is_ok()
        {
            let left = tokio::time::timeout(EVICTION, holder.gone.cancelled()).await;
            if left.is_err() {
                tracing::warn!(%id, "the holder of an upload did not leave in time");
            }
        }
    }

    /// Says how far an upload is.
    pub fn progress(&self, id: FileId, received: u64, durable: u64) {
        let now = self.began.elapsed();
        let mut table = self.table.lock();
        let Some(entry) = table.uploads.get_mut(&id) else {
            return;
        };
        if (entry.view.received, entry.view.durable) == (received, durable) {
            return;
        }
        entry.view.received = received;
        entry.view.durable = durable;
        entry.rate.reached(now, received);
        drop(table);
        self.changed();
    }

    /// Says that an upload is over, and how.
    pub fn ended(&self, id: FileId, end: End) {
        let state = match end {
            End::Stored => LiveState::Stored,
            End::Cancelled | End::Expired | End::Lost => LiveState::Ended,
        };
        let mut table = self.table.lock();
        table.forget_ended();
        let Table { uploads, ended, .. } = &mut *table;
        if let Some(entry) = uploads.get_mut(&id) {
            entry.view.state = state;
            if !std::mem::replace(&mut entry.ended, true) {
                ended.push_back((Instant::now(), id));
                let millis = registry::now().saturating_sub(entry.started).max(0);
                let after = Duration::from_millis(millis.unsigned_abs());
                self.metrics.upload_finished(end, entry.view.size, after);
            }
            if state == LiveState::Stored {
                entry.view.received = entry.view.size;
                entry.view.durable = entry.view.size;
            }
        }
        drop(table);
        self.changed();
    }

    /// Ends an upload, whoever holds it: its holder is told, and nothing of it is left.
    /// Whether there was one.
    pub async fn cancel(&self, id: FileId) -> Result<bool, RegistryError> {
        self.evict(id, Trouble::Ended).await;
        let was = self.registry.end(id, None).await?;
        if let Err(error) = self.storage.discard(id).await {
            tracing::warn!(%id, %error, "the bytes of a cancelled upload could not be deleted");
        }
        let known = self
            .table
            .lock()
            .uploads
            .get(&id)
            .is_some_and(|e| !e.ended || e.view.state == LiveState::Ended);
        if known {
            self.ended(id, End::Cancelled);
        }
        Ok(was || known)
    }

    /// A client introduced itself. An older connection of it is told to leave; whether
    /// this one is the newest.
    pub fn greet(
        &self,
        client: ClientId,
        generation: Generation,
        session: &ControlSender,
        lanes: &LaneSender,
    ) -> bool {
        let mut table = self.table.lock();
        if let Some(other) = table.clients.get(&client) {
            if other.generation >= generation {
                return false;
            }
            // A session that is gone already needs no telling.
            let _ = other.session.send(Control::Superseded);
        }
        let connected = Connected {
            generation,
            session: session.clone(),
            // Lanes know by their channel when the session is over.
            lanes: lanes.downgrade(),
        };
        table.clients.insert(client, connected);
        drop(table);
        self.changed();
        true
    }

    /// How a client's connection of that generation hears its lanes, if it is the newest.
    pub fn lanes_of(&self, client: ClientId, generation: Generation) -> Option<LaneSender> {
        let table = self.table.lock();
        let connected = table.clients.get(&client)?;
        let newest = connected.generation == generation;
        newest.then(|| connected.lanes.upgrade()).flatten()
    }

    /// A client's connection of that generation ended.
    pub fn farewell(&self, client: ClientId, generation: Generation) {
        let mut table = self.table.lock();
        let known = table.clients.get(&client);
        if known.is_some_and(|it| it.generation == generation) {
            table.clients.remove(&client);
        }
        drop(table);
        self.changed();
    }
}
