//! What `/metrics` says after a run whose every byte is known, and that the README names
//! all of it and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use longhaul::protocol::StreamId;
use longhaul::protocol::frame::encode_data;
use longhaul::protocol::id::{FileId, Token};
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::trouble::Trouble;
use longhaul::verify::{BLOCK, block};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Client, PATIENCE, TestServer, content};

/// What one scrape says: a value for every name with its labels, and every name.
struct Scrape {
    values: BTreeMap<String, f64>,
    names: BTreeSet<String>,
}

impl Scrape {
    async fn of(address: SocketAddr) -> Self {
        let (head, body) = get(address, &address.to_string()).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        let mut scrape = Self {
            values: BTreeMap::new(),
            names: BTreeSet::new(),
        };
        let mut described = BTreeSet::new();
        for line in body.lines().filter(|line| !line.is_empty()) {
            if let Some(text) = line.strip_prefix("# HELP ") {
                described.insert(text.split_once(' ').unwrap().0.to_owned());
            } else if let Some(text) = line.strip_prefix("# TYPE ") {
                let name = text.split_once(' ').unwrap().0.to_owned();
                assert!(scrape.names.insert(name), "twice: {line}");
            } else {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let before = scrape.values.insert(name.into(), value.parse().unwrap());
                assert_eq!(before, None, "twice: {line}");
            }
        }
        assert_eq!(described, scrape.names);
        scrape
    }

    fn value(&self, name: &str) -> f64 {
        let value = self.values.get(name);
        *value.unwrap_or_else(|| panic!("{name} is missing"))
    }

    /// Of all that has this name, exactly this is there; everything else is zero.
    fn has(&self, name: &str, values: &[(&str, u64)]) {
        let with = |labels: &str| match labels {
            "" => name.to_owned(),
            labels => format!("{name}{{{labels}}}"),
        };
        for (labels, _) in values {
            self.value(&with(labels));
        }
        let expected: BTreeMap<_, _> = values.iter().map(|(l, v)| (with(l), *v as f64)).collect();
        let found: BTreeMap<_, _> = self
            .values
            .iter()
            .filter(|(key, _)| key.split('{').next() == Some(name))
            .filter(|(key, value)| **value != 0.0 || expected.contains_key(*key))
            .map(|(key, value)| (key.clone(), *value))
            .collect();
        assert_eq!(found, expected);
    }
}

/// The head and the body of an answer to `GET /metrics`.
async fn get(address: SocketAddr, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

async fn leave(mut client: Client, code: u16) {
    client.close(code, "").await;
    client.end().await;
}

/// Waits until so many bytes of an upload were received.
async fn received(server: &TestServer, id: FileId, bytes: u64) {
    let hub = &server.server.hub;
    let mut changes = hub.changes();
    let there = async {
        while hub.upload(id).unwrap().received < bytes {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, there).await.unwrap();
}

/// The bytes from `from` to `to`, of one block.
async fn send(client: &mut Client, stream: StreamId, content: &[u8], from: u64, to: u64) {
    let mut offset = from;
    for piece in content[from as usize..to as usize].chunks(64 * 1024) {
        client.send(encode_data(stream, offset, piece)).await;
        offset += piece.len() as u64;
    }
}

#[tokio::test]
async fn the_numbers_are_those_of_the_run() {
    let limits = Limits {
        max_file_size: Some(8 * BLOCK),
        ..Limits::default()
    };
    let server = TestServer::start_with(limits).await;

    // One that is stored without more ado.
    let bytes = content(3 * BLOCK + 5, 1);
    let mut client = server.client().await;
    let opened = client.open("whole.bin", 3 * BLOCK + 5, None).await;
    client.finish(&opened, &bytes).await;
    leave(client, 1000).await;

    // One that is cut in the middle of its second block, and resumed.
    let bytes = content(2 * BLOCK, 2);
    let mut client = server.client().await;
    let cut = client.open("cut.bin", 2 * BLOCK, None).await;
    client.block(cut.stream, &bytes, 0).await;
    client.durable(cut.stream, BLOCK).await;
    send(&mut client, cut.stream, &bytes, BLOCK, BLOCK + BLOCK / 2).await;
    received(&server, cut.id, BLOCK + BLOCK / 2).await;
    let during = Scrape::of(server.address).await;
    drop(client);
    server.quiet(PATIENCE).await;
    let between = Scrape::of(server.address).await;
    let mut client = server.client().await;
    let resumed = client.open("cut.bin", 2 * BLOCK, Some(cut.token)).await;
    client.finish(&resumed, &bytes).await;
    leave(client, 1000).await;

    // One that is refused, and one that is cancelled.
    let mut client = server.client().await;
    let token = Token::from_bytes([0; 16]);
    client.ask(StreamId(0), 8 * BLOCK + 1, token).await;
    let trouble = Trouble::TooLarge { limit: 8 * BLOCK };
    let stream = StreamId(0);
    client.just(ServerMessage::Failed { stream, trouble }).await;
    let stream = StreamId(1);
    client.open_as(stream, "no.bin", 2 * BLOCK, None).await;
    client.block(stream, &bytes, 0).await;
    client.durable(stream, BLOCK).await;
    client.say(ClientMessage::Cancel { stream }).await;
    client.just(ServerMessage::Cancelled { stream }).await;
    leave(client, 1001).await;

    // One of whose only block arrives damaged at first.
    let bytes = content(BLOCK, 3);
    let mut client = server.client().await;
    let opened = client.open("damaged.bin", BLOCK, None).await;
    let stream = opened.stream;
    send(&mut client, stream, &bytes, 0, BLOCK).await;
    let hash = block::hash(0, BLOCK, &content(BLOCK, 4));
    let claim = ClientMessage::BlockHash {
        stream,
        block: 0,
        hash,
    };
    client.say(claim).await;
    client.just(ServerMessage::Nack { stream, block: 0 }).await;
    client.finish(&opened, &bytes).await;
    leave(client, 1000).await;

    // A code that nobody knows is no label.
    let client = server.client().await;
    leave(client, 4999).await;
    server.quiet(PATIENCE).await;
    let after = Scrape::of(server.address).await;

    during.has("longhaul_uploads", &[("state=\"receiving\"", 1)]);
    during.has("longhaul_connections", &[("state=\"sending\"", 1)]);
    during.has("longhaul_memory_budget_bytes", &[("", 32 * BLOCK)]);
    during.has("longhaul_memory_granted_bytes", &[("", 32 * BLOCK)]);
    between.has("longhaul_uploads", &[("state=\"resting\"", 1)]);
    between.has("longhaul_bytes_wasted_total", &[("", BLOCK / 2)]);

    after.has("longhaul_uploads_begun_total", &[("", 4)]);
    let finished = [("outcome=\"stored\"", 3), ("outcome=\"cancelled\"", 1)];
    after.has("longhaul_uploads_finished_total", &finished);
    after.has(
        "longhaul_uploads_interrupted_total",
        &[("code=\"1006\"", 1)],
    );
    after.has("longhaul_uploads_resumed_total", &[("by=\"token\"", 1)]);
    let troubles = [("trouble=\"too-large\"", 1)];
    after.has("longhaul_upload_troubles_total", &troubles);
    let sizes = [("size=\"0-1MiB\"", 1), ("size=\"1-16MiB\"", 2)];
    after.has("longhaul_upload_duration_seconds_count", &sizes);
    // What arrived is durable, or was in vain.
    let (received, durable, wasted) = (17 * BLOCK / 2 + 5, 7 * BLOCK + 5, 3 * BLOCK / 2);
    assert_eq!(received, durable + wasted);
    after.has("longhaul_bytes_received_total", &[("", received)]);
    after.has("longhaul_bytes_durable_total", &[("", durable)]);
    after.has("longhaul_bytes_wasted_total", &[("", wasted)]);
    after.has("longhaul_blocks_damaged_total", &[("", 1)]);
    after.has("longhaul_connections_opened_total", &[("", 6)]);
    let closed = [
        ("code=\"1000\"", 3),
        ("code=\"1001\"", 1),
        ("code=\"1006\"", 1),
        ("code=\"other\"", 1),
    ];
    after.has("longhaul_connections_closed_total", &closed);
    for none in [
        "longhaul_uploads",
        "longhaul_connections",
        "longhaul_memory_granted_bytes",
        "longhaul_memory_used_bytes",
    ] {
        after.has(none, &[]);
    }

    // Eight blocks of five connections: a commit takes one or several of a connection.
    let commits = after.value("longhaul_ack_seconds_count");
    assert!((5.0..=8.0).contains(&commits), "{commits}");
    let all = after.value("longhaul_ack_seconds_bucket{le=\"+Inf\"}");
    assert_eq!(all, commits);
    let seconds = after.value("longhaul_ack_seconds_sum");
    assert!(
        seconds > 0.0 && seconds < PATIENCE.as_secs_f64(),
        "{seconds}"
    );
}

#[tokio::test]
async fn a_server_begins_with_all_names_of_the_readme_and_at_zero() {
    let server = TestServer::start().await;
    let scrape = Scrape::of(server.address).await;
    let readme = include_str!("../README.md");
    let (_, table) = readme.split_once("<!-- the metrics -->").unwrap();
    let (table, _) = table.split_once("<!-- /the metrics -->").unwrap();
    let documented: BTreeSet<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(scrape.names, documented);

    let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
    scrape.has("longhaul_build_info", &[(version, 1)]);
    let states = ["longhaul_build_info", "longhaul_memory_budget_bytes"];
    for (name, value) in &scrape.values {
        let is_state = states.iter().any(|state| name.starts_with(state));
        assert!(is_state || *value == 0.0, "{name} begins at {value}");
    }
}

#[tokio::test]
async fn a_stranger_s_host_reads_nothing() {
    let server = TestServer::start().await;
    let (head, body) = get(server.address, "evil.example").await;
    assert!(head.starts_with("HTTP/1.1 421 "), "{head}");
    assert!(!body.contains("longhaul_"), "{body}");
}
