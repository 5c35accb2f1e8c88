//! The sockets of a connection: its own and its lanes. Data takes the one in which the least
//! waits.

use std::collections::BTreeMap;
use std::iter::once;

use super::socket::{Socket, Told};
use crate::protocol::Generation;
use crate::protocol::close::CloseCode;
use crate::protocol::lanes::{Effect, LaneId};

/// Which socket of a client: of which connection, and which lane if it is one.
pub type Which = (Generation, Option<LaneId>);

/// The sockets of a connection.
pub struct Sockets {
    url: String,
    first: Option<(Generation, Socket)>,
    lanes: BTreeMap<LaneId, Socket>,
}

impl Sockets {
    /// None yet, to this server.
    pub fn to(url: String) -> Self {
        Self {
            url,
            first: None,
            lanes: BTreeMap::new(),
        }
    }

    /// Opens the connection's own socket; `tell` is called with its events.
    pub fn open(
        &mut self,
        generation: Generation,
        tell: impl Fn(Which, Told) + Clone + 'static,
    ) -> Result<(), CloseCode> {
        let tell = move |told| tell((generation, None), told);
        self.first = Some((generation, Socket::open(&self.url, tell)?));
        Ok(())
    }

    /// Opens a lane of it, or closes one; `tell` is called with its events.
    pub fn lane(
        &mut self,
        generation: Generation,
        effect: Effect,
        tell: impl Fn(Which, Told) + Clone + 'static,
    ) -> Result<(), (LaneId, CloseCode)> {
        match effect {
            Effect::Open(id) => {
                let tell = move |told| tell((generation, Some(id)), told);
                let socket = Socket::open(&format!("{}/lane", self.url), tell);
                self.lanes.insert(id, socket.map_err(|code| (id, code))?);
            }
            Effect::Close(id) => {
                if let Some(lane) = self.lanes.get(&id) {
                    lane.close(CloseCode::Done);
                }
            }
        }
        Ok(())
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

    /// Drops them all. Browsers keep sockets open that nobody holds.
    pub fn forget(&mut self, generation: Generation) {
        if self.get((generation, None)).is_some() {
            self.lanes.values().for_each(|it| it.close(CloseCode::Done));
            self.first = None;
            self.lanes.clear();
        }
    }
}
