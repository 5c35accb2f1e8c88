//! Many watchers of one upload, a quarter of which never read: they cost neither its
//! speed nor memory, the others see the latest state, and those end.

use std::time::{Duration, Instant};

use crate::support::usage::{rss, settled};
use crate::support::{Client, TestServer, content};
use futures::SinkExt;
use longhaul::protocol::id::FileId;
use longhaul::protocol::live::{LiveState, Topic};
use longhaul::protocol::manifest::Manifest;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::registry::Upload;
use longhaul::verify::{BLOCK, blocks};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

const WATCHERS: usize = 200;
const STALLED: usize = 50;
const SIZE: u64 = 32 * BLOCK;

/// Many unfinished uploads with long names: what a watcher is told first is more than a
/// connection takes in that nobody reads.
fn enter_many(server: &TestServer) {
    for n in 0..300u64 {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_le_bytes());
        let path = format!("{n}-{}", "x".repeat(800));
        let manifest = Manifest {
            path: path.clone(),
            size: BLOCK,
            modified: None,
            media_type: String::new(),
        };
        server.server.hub.enter(&Upload {
            id: FileId::from_bytes(id),
            manifest,
            path,
            started: 0,
            touched: 0,
            durable: 0,
            sealing: None,
        });
    }
}

async fn watcher(server: &TestServer) -> Client {
    let mut client = Client::connect_narrow(server.address).await;
    client.hello(crate::support::some_client(), 1).await;
    let topic = Topic::Live;
    client.say(ClientMessage::Watch { topic }).await;
    client
}

/// Sends a file as fast as credit allows; how long that took.
async fn upload(server: &TestServer, path: &str, bytes: &[u8]) -> Duration {
    let mut client = server.client().await;
    let opened = client.open(path, SIZE, None).await;
    let began = Instant::now();
    for block in 0..blocks(SIZE) {
        client.block(opened.stream, bytes, block).await;
        let sent = (block + 1) * BLOCK;
        let acked = |m| matches!(m, ServerMessage::Ack { received, .. } if received >= sent);
        client.until(|m| acked(m).then_some(())).await;
    }
    client.seal(opened.stream, bytes).await;
    let took = began.elapsed();
    client.close(1000, "done").await;
    client.end().await;
    took
}

/// Watches until the upload is stored; how many messages that took.
async fn watch(mut client: Client, path: &'static str) -> usize {
    let mut heard = 0;
    client
        .until(|message| {
            heard += 1;
            let (ServerMessage::Snapshot { uploads, .. } | ServerMessage::Changed { uploads, .. }) =
                message
            else {
                return None;
            };
            let seen = uploads.into_iter().find(|u| u.path == path);
            seen.filter(|u| u.state == LiveState::Stored).map(|u| {
                assert_eq!((u.received, u.durable), (SIZE, SIZE));
            })
        })
        .await;
    client.close(1000, "done").await;
    client.end().await;
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_that_never_read_hold_up_nobody() {
    let server = TestServer::start_narrow().await;
    let bytes = content(SIZE, 1);
    let alone = upload(&server, "alone", &bytes).await;
    server.quiet(Duration::from_secs(5)).await;
    let (few, _, _) = settled((1, usize::MAX)).await;

    enter_many(&server);
    let stalled_since = Instant::now();
    let (mut silent, mut talking) = (Vec::new(), JoinSet::new());
    for n in 0..STALLED {
        let mut client = watcher(&server).await;
        if n % 2 == 0 {
            silent.push(client);
        } else {
            // It never reads, but says every second that it is there.
            talking.spawn(async move {
                let ping = Message::binary(ClientMessage::Ping.encode());
                let mut seconds = tokio::time::interval(Duration::from_secs(1));
                while client.socket.send(ping.clone()).await.is_ok() {
                    seconds.tick().await;
                }
            });
        }
    }
    let mut reading = JoinSet::new();
    for _ in STALLED..WATCHERS {
        reading.spawn(watch(watcher(&server).await, "watched"));
    }
    assert_eq!(server.server.hub.clients(), WATCHERS);

    let before = rss();
    let watched = upload(&server, "watched", &bytes).await;
    // Whoever waited for those that never read would still wait.
    assert!(server.server.hub.clients() >= STALLED);
    let heard = reading.join_all().await;
    let after = rss();
    println!(
        "{} MiB alone {alone:?}, watched {watched:?}; resident {before} KiB, then {after} KiB; \
         readers heard {} to {} messages",
        SIZE / BLOCK,
        heard.iter().min().unwrap(),
        heard.iter().max().unwrap(),
    );
    assert!(after < before + 16 * 1024, "{before} KiB, then {after} KiB");
    assert_eq!(heard.len(), WATCHERS - STALLED);

    // Those that never read are ended, also those that said that they are there.
    server.quiet(Duration::from_secs(30)).await;
    server.nothing_left();
    println!(
        "the last stalled watcher was let go of after {:?}",
        stalled_since.elapsed()
    );
    assert_eq!(silent.len() + talking.len(), STALLED);
    talking.join_all().await;
    let (tasks, _, _) = settled((few, usize::MAX)).await;
    assert_eq!(tasks, few, "a task is left");
}
