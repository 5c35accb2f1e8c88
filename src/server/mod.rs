//! The server: HTTP, sockets, and what holds them together.

pub mod choices;
pub mod config;
pub mod desk;
pub mod download;
pub mod guard;
pub mod hub;
mod lane;
pub mod language;
mod matching;
pub mod metrics;
pub mod policy;
mod pulse;
mod qr;
pub mod recover;
pub mod router;
pub mod serve;
mod session;
mod share;
mod socket;
mod stream;
mod upload;
mod watcher;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::hub::Hub;
use self::metrics::Metrics;
use crate::protocol::Time;
use crate::protocol::flow::Budget;
use crate::protocol::id::ServerId;
use crate::protocol::manifest::Limits;
use crate::registry::{Registry, RegistryError};
use crate::storage::{Storage, StorageError};

/// One running server: what its connections and handlers share.
pub struct Server {
    /// The name of this run.
    pub id: ServerId,
    /// What it accepts.
    pub limits: Limits,
    /// What it remembers.
    pub registry: Arc<dyn Registry>,
    /// Where the bytes go.
    pub storage: Arc<dyn Storage>,
    /// What moves right now.
    pub hub: Arc<Hub>,
    /// What is counted and measured.
    pub metrics: Arc<Metrics>,
    /// The memory for data on its way.
    pub budget: Mutex<Budget>,
    /// Connections and uploads, to wait for at the end.
    pub tasks: TaskTracker,
    /// Cancelled when the server begins to stop.
    pub shutdown: CancellationToken,
    began: Instant,
}

/// A connection's share of the memory for data on its way. It is given back when nobody
/// has it any more: neither the connection, nor an upload that still writes what came
/// over it. Until then it keeps the books of the data that came.
struct Share {
    server: Arc<Server>,
    /// Bytes that arrived.
    received: AtomicU64,
    /// Bytes of them that are in memory.
    pending: AtomicU64,
    /// Bytes of them that became durable.
    durable: AtomicU64,
}

impl Share {
    /// A share, if there is room for one.
    fn take(server: &Arc<Server>) -> Option<Arc<Self>> {
        let room = server.budget.lock().join();
        room.then(|| {
            server.metrics.sender_joined();
            Arc::new(Self {
                server: server.clone(),
                received: AtomicU64::new(0),
                pending: AtomicU64::new(0),
                durable: AtomicU64::new(0),
            })
        })
    }

    /// Says how many bytes arrived in all, and how many of them are in memory.
    fn holds(&self, received: u64, pending: u64) {
        let before = (
            self.received.swap(received, Ordering::Relaxed),
            self.pending.swap(pending, Ordering::Relaxed),
        );
        if before != (received, pending) {
            let metrics = &self.server.metrics;
            metrics.bytes_received(received - before.0);
            metrics.memory_used(before.1, pending);
        }
    }

    /// Says that so many more bytes became durable.
    fn made_durable(&self, bytes: u64) {
        self.durable.fetch_add(bytes, Ordering::Relaxed);
        self.server.metrics.bytes_durable(bytes);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.server.budget.lock().leave();
        let metrics = &self.server.metrics;
        metrics.sender_left();
        metrics.memory_used(*self.pending.get_mut(), 0);
        let received = *self.received.get_mut();
        metrics.bytes_wasted(received.saturating_sub(*self.durable.get_mut()));
    }
}

/// A server could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Registry and storage could not be brought together.
    #[error(transparent)]
    Recover(#[from] recover::RecoverError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}. Is it in use? Choose another with --listen.")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What came of it.
        source: std::io::Error,
    },
    /// The metrics could not be set up.
    #[error("no metrics: {0}")]
    Metrics(#[from] ::metrics_exporter_prometheus::BuildError),
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl Server {
    /// A server over a registry and a storage, with `memory` bytes for data on its way.
    pub async fn new(
        registry: Arc<dyn Registry>,
        storage: Arc<dyn Storage>,
        limits: Limits,
        memory: u64,
    ) -> Result<Arc<Self>, StartError> {
        let metrics = Arc::new(Metrics::new()?);
        let hub = Hub::new(registry.clone(), storage.clone(), metrics.clone()).await?;
        Ok(Arc::new(Self {
            id: ServerId::from_bytes(random()?),
            limits,
            registry,
            storage,
            hub: Arc::new(hub),
            metrics,
            budget: Mutex::new(Budget::new(memory)),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            began: Instant::now(),
        }))
    }

    /// The time since it began, for the machines without a clock.
    fn now(&self) -> Time {
        self.began.elapsed()
    }

    /// The moment that a machine calls `time`.
    fn instant(&self, time: Time) -> tokio::time::Instant {
        (self.began + time).into()
    }
}

/// Random bytes.
fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
