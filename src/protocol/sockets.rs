//! The sockets of a connection, as a driver keeps them: its own and its lanes. Data takes the
//! one in which the least waits.

use std::collections::BTreeMap;
use std::iter::once;

use super::Generation;
use super::close::CloseCode;
use super::lanes::LaneId;

/// Which socket of a client: of which connection, and which lane if it is one.
pub type Which = (Generation, Option<LaneId>);

/// What is asked of a socket here.
pub trait Socket {
    /// How many bytes it was handed that the network has not taken.
    fn buffered(&self) -> u64;
    /// Begins the closing handshake.
    fn close(&self, code: CloseCode);
}

/// The sockets of a connection.
#[derive(Debug)]
pub struct Sockets<S> {
    first: Option<(Generation, S)>,
    lanes: BTreeMap<LaneId, S>,
}

impl<S> Default for Sockets<S> {
    fn default() -> Self {
        Self {
            first: None,
            lanes: BTreeMap::new(),
        }
    }
}

impl<S: Socket> Sockets<S> {
    /// Takes one in: a lane, or that of a connection, which has no lanes yet.
    pub fn insert(&mut self, (generation, lane): Which, socket: S) {
        match lane {
            Some(id) => _ = self.lanes.insert(id, socket),
            None => {
                self.first = Some((generation, socket));
                self.lanes.clear();
            }
        }
    }

    /// One of them.
    pub fn get(&self, (generation, lane): Which) -> Option<&S> {
        let first = self.first.as_ref().filter(|(of, _)| *of == generation);
        match (first, lane) {
            (Some((_, first)), None) => Some(first),
            (Some(_), Some(id)) => self.lanes.get(&id),
            (None, _) => None,
        }
    }

    /// The one in which the least waits, of the connection's own and these lanes.
    pub fn least(&self, lanes: impl Iterator<Item = LaneId>) -> Option<&S> {
        let (_, first) = self.first.as_ref()?;
        let lanes = lanes.filter_map(|id| self.lanes.get(&id));
        once(first).chain(lanes).min_by_key(|it| it.buffered())
    }

    /// Closes the connection's own socket with this code, and its lanes.
    pub fn close(&self, generation: Generation, code: CloseCode) {
        if let Some(first) = self.get((generation, None)) {
            self.close_lanes();
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
            self.close_lanes();
            self.first = None;
            self.lanes.clear();
        }
    }

    fn close_lanes(&self) {
        self.lanes.values().for_each(|it| it.close(CloseCode::Done));
    }
}
