//! What is counted and measured, and `GET /metrics`, where Prometheus reads it.
//!
//! Every server has a recorder of its own, so several in one process do not mix; nothing
//! is global, and no thread is started. [`FAMILIES`] names and documents all there is, and
//! all of it is exposed from the first moment on, at zero. A label is one of a few words
//! that are written down here: never a name, an address, a secret or what a client chose.
//!
//! What is a state (connections, uploads, memory) is read from where it is kept when it is
//! asked for. What happens is counted where it is known: per batch, block, upload or
//! connection. The samples of histograms that wait for a reader are bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use parking_lot::Mutex;

use super::Server;
use super::pulse::Ring;
use crate::protocol::close::CloseCode;
use crate::protocol::live::Pulse;
use crate::protocol::trouble::Trouble;

/// All metrics of one name.
struct Family {
    name: &'static str,
    kind: Kind,
    /// What it says, and in which unit.
    help: &'static str,
    /// Its label, and the values that are there from the beginning.
    label: Option<(&'static str, &'static [&'static str])>,
}

enum Kind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

const UPLOADS_BEGUN: &str = "longhaul_uploads_begun_total";
const UPLOADS_FINISHED: &str = "longhaul_uploads_finished_total";
const UPLOADS_INTERRUPTED: &str = "longhaul_uploads_interrupted_total";
const UPLOADS_RESUMED: &str = "longhaul_uploads_resumed_total";
const UPLOADS: &str = "longhaul_uploads";
const UPLOAD_DURATION: &str = "longhaul_upload_duration_seconds";
const TROUBLES: &str = "longhaul_upload_troubles_total";
const RECEIVED: &str = "longhaul_bytes_received_total";
const DURABLE: &str = "longhaul_bytes_durable_total";
const WASTED: &str = "longhaul_bytes_wasted_total";
const DAMAGED: &str = "longhaul_blocks_damaged_total";
const ACK: &str = "longhaul_ack_seconds";
const CONNECTIONS: &str = "longhaul_connections";
const CONNECTIONS_OPENED: &str = "longhaul_connections_opened_total";
const CONNECTIONS_CLOSED: &str = "longhaul_connections_closed_total";
const MEMORY_BUDGET: &str = "longhaul_memory_budget_bytes";
const MEMORY_GRANTED: &str = "longhaul_memory_granted_bytes";
const MEMORY_USED: &str = "longhaul_memory_used_bytes";
const BUILD: &str = "longhaul_build_info";

const VERSION: &str = env!("CARGO_PKG_VERSION");
const CODES: &[&str] = &[
    "1000", "1001", "1006", "1009", "1011", "1012", "1013", "4000", "4001", "4002", "4003", "4004",
    "4005", "4006", "4007", "other",
];
const SIZES: &[&str] = &["0-1MiB", "1-16MiB", "16-256MiB", "256MiB-4GiB", "4GiB-"];
const DURATIONS: &[f64] = &[
    0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3600.0, 14400.0, 86400.0,
];
const LATENCIES: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// The troubles that a server tells of.
const TROUBLE_WORDS: &[&str] = &[
    "too-large",
    "total-too-large",
    "too-many",
    "not-accepted",
    "no-folders",
    "bad-name",
    "disk-full",
    "storage",
    "server-busy",
    "silent",
    "taken-over",
    "elsewhere",
    "different",
    "ended",
    "internal",
];

/// Everything that is exposed.
const FAMILIES: &[Family] = &[
    Family {
        name: UPLOADS_BEGUN,
        kind: Kind::Counter,
        help: "Uploads that began, resumed ones not counted again.",
        label: None,
    },
    Family {
        name: UPLOADS_FINISHED,
        kind: Kind::Counter,
        help: "Uploads that are over, by how they ended.",
        label: Some(("outcome", &["stored", "cancelled", "expired", "lost"])),
    },
    Family {
        name: UPLOADS_INTERRUPTED,
        kind: Kind::Counter,
        help: "Uploads under way on a connection that ended, by its close code.",
        label: Some(("code", CODES)),
    },
    Family {
        name: UPLOADS_RESUMED,
        kind: Kind::Counter,
        help: "Uploads that were taken up again, by their token or by a proof of their bytes.",
        label: Some(("by", &["token", "proof"])),
    },
    Family {
        name: UPLOADS,
        kind: Kind::Gauge,
        help: "Unfinished uploads: sent by a client now, or resting until one comes back.",
        label: Some(("state", &["receiving", "resting"])),
    },
    Family {
        name: UPLOAD_DURATION,
        kind: Kind::Histogram(DURATIONS),
        help: "Time from the beginning of an upload until its file was stored, in seconds, \
               interruptions and pauses included, by the size of the file.",
        label: Some(("size", SIZES)),
    },
    Family {
        name: TROUBLES,
        kind: Kind::Counter,
        help: "Times a client was told that an upload is refused or does not go on, by reason.",
        label: Some(("trouble", TROUBLE_WORDS)),
    },
    Family {
        name: RECEIVED,
        kind: Kind::Counter,
        help: "Bytes of files that arrived.",
        label: None,
    },
    Family {
        name: DURABLE,
        kind: Kind::Counter,
        help: "Bytes of files that were verified, synced and recorded.",
        label: None,
    },
    Family {
        name: WASTED,
        kind: Kind::Counter,
        help: "Bytes that arrived and were not durable when their connection had ended: sent \
               twice, if the upload goes on.",
        label: None,
    },
    Family {
        name: DAMAGED,
        kind: Kind::Counter,
        help: "Blocks that arrived damaged and were asked for again.",
        label: None,
    },
    Family {
        name: ACK,
        kind: Kind::Histogram(LATENCIES),
        help: "Time from the arrival of the last byte of a block until it was acknowledged as \
               durable, in seconds: the longest of each commit.",
        label: None,
    },
    Family {
        name: CONNECTIONS,
        kind: Kind::Gauge,
        help: "Connected clients: sending have a share of the memory since their first upload, \
               watching have none.",
        label: Some(("state", &["sending", "watching"])),
    },
    Family {
        name: CONNECTIONS_OPENED,
        kind: Kind::Counter,
        help: "Sockets that were opened.",
        label: None,
    },
    Family {
        name: CONNECTIONS_CLOSED,
        kind: Kind::Counter,
        help: "Sockets that ended, by close code; 1006 is one that broke without any.",
        label: Some(("code", CODES)),
    },
    Family {
        name: MEMORY_BUDGET,
        kind: Kind::Gauge,
        help: "Bytes of data that may be on their way or in memory at once, of all clients.",
        label: None,
    },
    Family {
        name: MEMORY_GRANTED,
        kind: Kind::Gauge,
        help: "Bytes of that budget that clients may have as credit.",
        label: None,
    },
    Family {
        name: MEMORY_USED,
        kind: Kind::Gauge,
        help: "Bytes of data that arrived and are not yet written.",
        label: None,
    },
    Family {
        name: BUILD,
        kind: Kind::Gauge,
        help: "Always 1; the version is the label.",
        label: Some(("version", &[VERSION])),
    },
];

/// So many samples wait at most until they are put into the buckets.
const WAITING: u64 = 4096;

/// How an upload came to be held by a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// It is new.
    Begun,
    /// Its secret was shown.
    Resumed,
    /// Somebody else proved to have its bytes.
    Adopted,
}

/// How an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its file is stored.
    Stored,
    /// Somebody cancelled it.
    Cancelled,
    /// Nobody continued it for too long.
    Expired,
    /// Its bytes were not where they had been put.
    Lost,
}

/// The metrics of one server.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    received: Counter,
    durable: Counter,
    wasted: Counter,
    memory: Gauge,
    ack: Histogram,
    /// How many samples were taken of histograms.
    samples: AtomicU64,
    /// How many connections have a share of the memory.
    senders: AtomicU64,
    /// What went through of late, by the seconds since that moment.
    began: Instant,
    ring: Mutex<Ring>,
}

impl Metrics {
    /// All metrics, at zero.
    pub fn new() -> Result<Self, BuildError> {
        let mut builder = PrometheusBuilder::new();
        for family in FAMILIES {
            if let Kind::Histogram(bounds) = family.kind {
                let name = Matcher::Full(family.name.to_owned());
                builder = builder.set_buckets_for_metric(name, bounds)?;
            }
        }
        let recorder = builder.build_recorder();
        FAMILIES.iter().for_each(|family| family.begin(&recorder));
        gauge(&recorder, BUILD, Some(("version", VERSION))).set(1.0);
        Ok(Self {
            handle: recorder.handle(),
            received: counter(&recorder, RECEIVED, None),
            durable: counter(&recorder, DURABLE, None),
            wasted: counter(&recorder, WASTED, None),
            memory: gauge(&recorder, MEMORY_USED, None),
            ack: histogram(&recorder, ACK, None),
            recorder,
            samples: AtomicU64::new(0),
            senders: AtomicU64::new(0),
            began: Instant::now(),
            ring: Mutex::default(),
        })
    }

    /// A connection took hold of an upload.
    pub fn upload_held(&self, beginning: Beginning) {
        let (name, label) = match beginning {
            Beginning::Begun => (UPLOADS_BEGUN, None),
            Beginning::Resumed => (UPLOADS_RESUMED, Some(("by", "token"))),
            Beginning::Adopted => (UPLOADS_RESUMED, Some(("by", "proof"))),
        };
        counter(&self.recorder, name, label).increment(1);
    }

    /// An upload of `size` bytes is over, so long after its beginning.
    pub fn upload_finished(&self, end: End, size: u64, after: Duration) {
        let label = match end {
            End::Stored => "stored",
            End::Cancelled => "cancelled",
            End::Expired => "expired",
            End::Lost => "lost",
        };
        let label = Some(("outcome", label));
        counter(&self.recorder, UPLOADS_FINISHED, label).increment(1);
        if end == End::Stored {
            let label = Some(("size", size_class(size)));
            self.sample(&histogram(&self.recorder, UPLOAD_DURATION, label), after);
        }
    }

    /// A client was told of a trouble with an upload.
    pub fn upload_troubled(&self, trouble: &Trouble) {
        let label = Some(("trouble", trouble.word()));
        counter(&self.recorder, TROUBLES, label).increment(1);
    }

    /// A socket was opened.
    pub fn connection_opened(&self) {
        counter(&self.recorder, CONNECTIONS_OPENED, None).increment(1);
    }

    /// A connection began to end while so many uploads were under way on it.
    pub fn uploads_interrupted(&self, code: CloseCode, uploads: usize) {
        let label = Some(("code", code_label(code)));
        counter(&self.recorder, UPLOADS_INTERRUPTED, label).increment(uploads as u64);
    }

    /// A connection is over.
    pub fn connection_closed(&self, code: CloseCode) {
        let label = Some(("code", code_label(code)));
        counter(&self.recorder, CONNECTIONS_CLOSED, label).increment(1);
    }

    /// Bytes of files arrived.
    pub fn bytes_received(&self, bytes: u64) {
        self.received.increment(bytes);
        self.ring.lock().at(self.second()).received += bytes;
    }

    /// Bytes of files are durable.
    pub fn bytes_durable(&self, bytes: u64) {
        self.durable.increment(bytes);
        self.ring.lock().at(self.second()).durable += bytes;
    }

    /// A connection has a share of the memory from now on.
    pub fn sender_joined(&self) {
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection has no share any more.
    pub fn sender_left(&self) {
        self.senders.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many connections have a share of the memory.
    pub fn senders(&self) -> u64 {
        self.senders.load(Ordering::Relaxed)
    }

    /// What went through in each second that is over, from that one on; or in all that are
    /// remembered, if none is named.
    pub fn pulse(&self, from: Option<u64>) -> Pulse {
        self.ring.lock().pulse(from, self.second())
    }

    /// How many seconds are over.
    fn second(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// Bytes arrived, and their connection is over before they were durable.
    pub fn bytes_wasted(&self, bytes: u64) {
        self.wasted.increment(bytes);
    }

    /// The bytes of a connection that are in memory changed.
    pub fn memory_used(&self, before: u64, now: u64) {
        if now >= before {
            self.memory.increment((now - before) as f64);
        } else {
            self.memory.decrement((before - now) as f64);
        }
    }

    /// A block was damaged on its way.
    pub fn block_damaged(&self) {
        counter(&self.recorder, DAMAGED, None).increment(1);
    }

    /// A commit was acknowledged so long after its first block was there.
    pub fn acknowledged(&self, after: Duration) {
        self.sample(&self.ack, after);
    }

    fn sample(&self, histogram: &Histogram, time: Duration) {
        histogram.record(time.as_secs_f64());
        if self.samples.fetch_add(1, Ordering::Relaxed) % WAITING == WAITING - 1 {
            self.handle.run_upkeep();
        }
    }

    /// All of it as text, with the states as they are now.
    fn render(&self, server: &Server) -> String {
        let set = |name, label, value: u64| gauge(&self.recorder, name, label).set(value as f64);
        let budget = *server.budget.lock();
        set(MEMORY_BUDGET, None, budget.total());
        set(MEMORY_GRANTED, None, budget.granted());
        let (clients, sending) = (server.hub.clients() as u64, self.senders());
        let watching = clients.saturating_sub(sending);
        set(CONNECTIONS, Some(("state", "sending")), sending);
        set(CONNECTIONS, Some(("state", "watching")), watching);
        let hub = &server.hub;
        let (receiving, resting) = (hub.receiving() as u64, hub.resting() as u64);
        set(UPLOADS, Some(("state", "receiving")), receiving);
        set(UPLOADS, Some(("state", "resting")), resting);
        self.handle.render()
    }
}

/// Answers `GET /metrics`.
pub async fn scrape(State(server): State<Arc<Server>>) -> impl IntoResponse {
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, server.metrics.render(&server))
}

impl Family {
    /// Describes it, and exposes all of it at zero.
    fn begin(&self, recorder: &PrometheusRecorder) {
        let (name, help) = (self.name.into(), self.help.into());
        match self.kind {
            Kind::Counter => recorder.describe_counter(name, None, help),
            Kind::Gauge => recorder.describe_gauge(name, None, help),
            Kind::Histogram(_) => recorder.describe_histogram(name, None, help),
        }
        let labels: Vec<_> = match self.label {
            None => vec![None],
            Some((label, values)) => values.iter().map(|value| Some((label, *value))).collect(),
        };
        for label in labels {
            match self.kind {
                Kind::Counter => _ = counter(recorder, self.name, label),
                Kind::Gauge => _ = gauge(recorder, self.name, label),
                Kind::Histogram(_) => _ = histogram(recorder, self.name, label),
            }
        }
    }
}

const METADATA: Metadata<'static> = Metadata::new("longhaul", Level::INFO, None);

type LabelOf = Option<(&'static str, &'static str)>;

fn key(name: &'static str, label: LabelOf) -> Key {
    let label = label.map(|(label, value)| Label::from_static_parts(label, value));
    Key::from_parts(name, Vec::from_iter(label))
}

fn counter(recorder: &PrometheusRecorder, name: &'static str, label: LabelOf) -> Counter {
    recorder.register_counter(&key(name, label), &METADATA)
}

fn gauge(recorder: &PrometheusRecorder, name: &'static str, label: LabelOf) -> Gauge {
    recorder.register_gauge(&key(name, label), &METADATA)
}

fn histogram(recorder: &PrometheusRecorder, name: &'static str, label: LabelOf) -> Histogram {
    recorder.register_histogram(&key(name, label), &METADATA)
}

/// The class of a file of `size` bytes.
fn size_class(size: u64) -> &'static str {
    const MIB: u64 = 1024 * 1024;
    let bounds = [MIB, 16 * MIB, 256 * MIB, 4096 * MIB];
    SIZES[bounds.iter().filter(|bound| size > **bound).count()]
}

/// A close code as a label: a client may send any number, which is not let in here.
fn code_label(code: CloseCode) -> &'static str {
    match code {
        CloseCode::Done => "1000",
        CloseCode::Away => "1001",
        CloseCode::Broken => "1006",
        CloseCode::TooLarge => "1009",
        CloseCode::Internal => "1011",
        CloseCode::Restart => "1012",
        CloseCode::TryLater => "1013",
        CloseCode::Protocol => "4000",
        CloseCode::Origin => "4001",
        CloseCode::Version => "4002",
        CloseCode::Text => "4003",
        CloseCode::Superseded => "4004",
        CloseCode::HeartbeatLost => "4005",
        CloseCode::Timeout => "4006",
        CloseCode::LaneLost => "4007",
        CloseCode::Other(_) => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_code_is_its_own_label_or_other() {
        for number in 0..=u16::MAX {
            let code = CloseCode::from_code(number);
            let label = code_label(code);
            assert!(CODES.contains(&label), "{label}");
            match code {
                CloseCode::Other(_) => assert_eq!(label, "other"),
                CloseCode::Broken => assert_eq!(label, "1006"),
                _ => assert_eq!(label, number.to_string()),
            }
        }
    }

    #[test]
    fn a_size_is_in_the_class_whose_bound_it_does_not_exceed() {
        let mib = 1024 * 1024;
        let classes = [
            (0, "0-1MiB"),
            (mib, "0-1MiB"),
            (mib + 1, "1-16MiB"),
            (16 * mib, "1-16MiB"),
            (16 * mib + 1, "16-256MiB"),
            (4096 * mib, "256MiB-4GiB"),
            (u64::MAX, "4GiB-"),
        ];
        for (size, class) in classes {
            assert_eq!(size_class(size), class, "{size}");
        }
    }
}
