//! The sockets of a connection: its own and its lanes. Data takes the one in which the least
//! waits.

use std::collections::BTreeMap;
use std::iter::once;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::socket::{Room, Socket, Told};
use crate::protocol::Generation;
use crate::protocol::close::CloseCode;
use crate::protocol::lanes::{Effect, LaneId};

/// Which socket of a client: of which connection, and which lane if it is one.
pub type Which = (Generation, Option<LaneId>);

/// The sockets of a connection.
#[derive(Debug)]
pub struct Sockets {
    url: String,
    first: Option<(Generation, Socket)>,
    lanes: BTreeMap<LaneId, Socket>,
    room: Arc<Room>,
}

impl Sockets {
    /// None yet, to this server.
    pub fn to(url: String) -> Self {
        Self {
            url,
            first: None,
            lanes: BTreeMap::new(),
            room: Arc::default(),
        }
    }

    /// Opens the connection's own socket; its events go to `tell`.
    pub fn open<T>(&mut self, generation: Generation, tell: &mpsc::Sender<T>)
    where
        T: From<(Which, Told)> + Send + 'static,
    {
        let which = (generation, None);
        let socket = Socket::open(&self.url, which, tell.clone(), &self.room);
        self.first = Some((generation, socket));
        self.lanes.clear();
    }

    /// Opens a lane of it, or closes one.
    pub fn lane<T>(&mut self, generation: Generation, effect: Effect, tell: &mpsc::Sender<T>)
    where
        T: From<(Which, Told)> + Send + 'static,
    {
        match effect {
            Effect::Open(id) => {
                let (url, which) = (format!("{}/lane", self.url), (generation, Some(id)));
                let socket = Socket::open(&url, which, tell.clone(), &self.room);
                self.lanes.insert(id, socket);
            }
            Effect::Close(id) => {
                if let Some(lane) = self.lanes.get(&id) {
                    lane.close(CloseCode::Done);
                }
            }
        }
    }

    /// One of them.
    pub fn get(&self, (generation, lane): Which) -> Option<&Socket> {
        let first = self.first.as_ref().filter(|(of, _)| *of == generation);
        match (first, lane) {
            (Some((_, first)), None) => Some(first),
            (Some(_), Some(id)) => self.lanes.get(&id),
            (None, _) => None,
        }
    }

    /// The one in which the least waits, of the connection's own and these lanes.
    pub fn least(&self, lanes: impl Iterator<Item = LaneId>) -> Option<&Socket> {
        let (_, first) = self.first.as_ref()?;
        let lanes = lanes.filter_map(|id| self.lanes.get(&id));
        once(first).chain(lanes).min_by_key(|it| it.buffered())
    }

    /// Done when no more than `low` bytes wait in one of the connection's own and these lanes.
    pub async fn shrunk_to<L>(&self, low: u64, lanes: impl Fn() -> L)
    where
        L: Iterator<Item = LaneId>,
    {
        self.room.ask(low);
        while self.least(lanes()).is_some_and(|it| it.buffered() > low) {
            self.room.made().await;
        }
    }

    /// Closes the connection's own socket with this code, and its lanes.
    pub fn close(&self, generation: Generation, code: CloseCode) {
        if let Some(first) = self.get((generation, None)) {
            self.lanes.values().for_each(|it| it.close(CloseCode::Done));
            first.close(code);
        }
    }

    /// Drops a lane that is gone.
    pub fn drop_lane(&mut self, id: LaneId) {
        self.lanes.remove(&id);
    }

    /// Drops them all.
    pub fn forget(&mut self, generation: Generation) {
        if self.get((generation, None)).is_some() {
            self.first = None;
            self.lanes.clear();
        }
    }
}
