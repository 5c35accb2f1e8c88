//! The real server and the real client, killed with `SIGKILL` at random moments and
//! started again, until every file is stored: nothing that was said to be durable is
//! lost, and what is stored is what was sent.
//!
//! `CRASH_ROUNDS` says how many kills there are, `CRASH_SEED` repeats a run as far as
//! the machine's own timing allows.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::PATIENCE;
use crate::support::process::{Process, Sending, serve, serve_with};
use longhaul::native::journal::Journal;
use longhaul::verify::BLOCK;
use serde_json::Value;
use tempfile::TempDir;

/// A kill comes at most so long after bytes began to move.
const MOMENT: u64 = 200_000;

/// How many files there are in a batch.
const FILES: usize = 10;

#[test]
fn no_kill_loses_anything() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let rounds = number("CRASH_ROUNDS").unwrap_or(30);
    let seed = number("CRASH_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    println!("CRASH_SEED={seed} CRASH_ROUNDS={rounds}");
    let (mut random, mut kills, mut batches) = (Random(seed), Kills::default(), 0);
    let began = Instant::now();
    while kills.rounds < rounds {
        Batch::new(&mut random).run(&mut random, &mut kills, rounds);
        batches += 1;
    }
    println!(
        "{kills:?}, {batches} batches of files, {:?}",
        began.elapsed()
    );
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::with_capacity(len as usize + 8);
        while (bytes.len() as u64) < len {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(len as usize);
        bytes
    }
}

#[derive(Debug, Default)]
struct Kills {
    rounds: u64,
    server: u64,
    client: u64,
}

/// Files that are sent, through crashes, to a server of their own.
struct Batch {
    source: TempDir,
    state: TempDir,
    data: TempDir,
    address: SocketAddr,
    server: Option<Process>,
    client: Option<Sending>,
    ledger: Ledger,
}

impl Batch {
    fn new(random: &mut Random) -> Self {
        let [source, state, data] = [(); 3].map(|()| TempDir::new().unwrap());
        let (server, address) = serve(data.path(), 0);
        let batch = Self {
            source,
            state,
            data,
            address,
            server: Some(server),
            client: None,
            ledger: Ledger::default(),
        };
        fs::create_dir(batch.folder()).unwrap();
        let mut size = |blocks: u64| random.below(blocks * BLOCK);
        let sizes: [u64; FILES] = [
            0,
            1,
            BLOCK - 1,
            BLOCK,
            BLOCK + 1,
            size(2),
            size(4),
            size(8),
            size(16),
            size(32),
        ];
        for (index, size) in sizes.into_iter().enumerate() {
            let file = batch.folder().join(format!("{index}.bin"));
            fs::write(file, random.bytes(size)).unwrap();
        }
        batch
    }

    fn folder(&self) -> std::path::PathBuf {
        self.source.path().join("f")
    }

    fn run(mut self, random: &mut Random, kills: &mut Kills, rounds: u64) {
        loop {
            self.start();
            if !self.until_something_moves() {
                break;
            }
            if kills.rounds < rounds {
                let moment = Duration::from_micros(random.below(MOMENT));
                if !self.watch_for(moment) {
                    break;
                }
                kills.rounds += 1;
                let victim = random.below(4);
                if victim != 3 {
                    kills.server += 1;
                    drop(self.server.take());
                }
                if victim >= 2 {
                    kills.client += 1;
                    // One that had said of every file that it is stored was at its end.
                    if self.kill_client() == FILES {
                        break;
                    }
                }
            }
        }
        self.check();
    }

    /// Starts what does not run.
    fn start(&mut self) {
        if self.server.is_none() {
            let (server, _) = serve(self.data.path(), self.address.port());
            self.server = Some(server);
        }
        let folder = self.folder();
        let (address, state) = (self.address, self.state.path());
        self.client
            .get_or_insert_with(|| Sending::start(address, state, &[&folder], &[]));
    }

    /// Ends the client; what it said before is heard. How many files it had stored.
    fn kill_client(&mut self) -> usize {
        let mut client = self.client.take().unwrap();
        client.0.kill();
        while let Some(event) = client.event() {
            self.ledger.heard(&event);
        }
        std::mem::take(&mut self.ledger.stored)
    }

    /// Listens until bytes move; whether they do, and it is not the end.
    fn until_something_moves(&mut self) -> bool {
        let client = self.client.as_ref().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while let Some(event) = client.event() {
            assert!(Instant::now() < deadline, "nothing moves: {event}");
            self.ledger.heard(&event);
            if is_live(&event) {
                return true;
            }
        }
        false
    }

    /// Listens for so long; whether it was not the end.
    fn watch_for(&mut self, time: Duration) -> bool {
        let client = self.client.as_ref().unwrap();
        let deadline = Instant::now() + time;
        while let Ok(event) =
            client.event_within(deadline.saturating_duration_since(Instant::now()))
        {
            match event {
                Some(event) => self.ledger.heard(&event),
                None => return false,
            }
        }
        true
    }

    /// Everything is stored as it was sent, once, and no trace of its way is left.
    fn check(mut self) {
        if let Some(mut client) = self.client.take() {
            assert_eq!(client.0.code(), Some(0));
            let journal = Journal::open_at(&self.state.path().join("longhaul"));
            assert_eq!(journal.unwrap().count().unwrap(), 0);
        }
        drop(self.server.take());
        // What a client began and was killed before it could write down is nobody's: it
        // expires.
        let expire = ["--expire-after", "1ms"];
        drop(serve_with(self.data.path(), 0, &expire));
        assert_eq!(names(&self.data.path().join("parts")), [""; 0]);
        let stored = self.data.path().join("files/f");
        assert_eq!(names(&stored), names(&self.folder()));
        for name in names(&stored) {
            let bytes = fs::read(self.folder().join(&name)).unwrap();
            assert!(
                fs::read(stored.join(&name)).unwrap() == bytes,
                "{name} differs"
            );
            let digest = blake3::hash(&bytes).to_hex();
            assert_eq!(self.ledger.digests[&format!("f/{name}")], digest.as_str());
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries.map(|e| name(e).into_string().unwrap()).collect();
    names.sort();
    names
}

/// Whether it is about an upload that is open, so that its numbers are those of the
/// server that runs.
fn is_live(event: &Value) -> bool {
    let moving = event["state"] == "sending" || event["state"] == "verifying";
    event["event"] == "progress" && moving
}

/// What the server said through its clients, and has to stand by.
#[derive(Default)]
struct Ledger {
    durable: BTreeMap<String, u64>,
    digests: BTreeMap<String, String>,
    ids: BTreeMap<String, String>,
    /// How many files the client that runs has stored.
    stored: usize,
}

impl Ledger {
    fn heard(&mut self, event: &Value) {
        let text = |key: &str| event[key].as_str().unwrap().to_owned();
        match event["event"].as_str().unwrap() {
            "progress" => {
                assert_ne!(event["note"], "started-over", "lost: {event}");
                let durable = event["durable"].as_u64().unwrap();
                assert!(durable <= event["received"].as_u64().unwrap(), "{event}");
                let before = self.durable.entry(text("path")).or_default();
                if is_live(event) {
                    assert!(durable >= *before, "{before} bytes were durable: {event}");
                    *before = durable;
                }
            }
            "stored" => {
                assert_eq!(event["stored_as"], event["path"]);
                let id = self.ids.entry(text("path")).or_insert(text("id"));
                assert_eq!(*id, text("id"), "stored twice: {event}");
                self.digests.insert(text("path"), text("digest"));
                self.stored += 1;
            }
            "connection" => {}
            "end" => assert_eq!(event["end"], "finished"),
            _ => panic!("{event}"),
        }
    }
}
