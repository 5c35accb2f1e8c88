//! Ten thousand connections, ended in every way, and what is left of them: nothing.
//! `CONNECTIONS` makes it more or fewer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::usage::{fds, settled, tasks};
use crate::support::{Client, TestServer, some_client};
use longhaul::protocol::frame::encode_data;
use longhaul::protocol::live::Topic;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::verify::BLOCK;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

/// How many live at once: so few that each has memory for some frames.
const AT_ONCE: usize = 16;

async fn connect(server: &TestServer) -> Client {
    Client::connect(server.address, &[]).await
}

/// Begins an upload and sends some of it.
async fn begin(client: &mut Client) -> crate::support::Opened {
    let opened = client.open("a.bin", BLOCK, None).await;
    let some = encode_data(opened.stream, 0, &[1; 16 * 1024]);
    client.send(some).await;
    opened
}

/// One life of a connection, or two where the second supersedes the first.
async fn live(server: &TestServer, nth: usize) {
    let me = some_client();
    let mut client = connect(server).await;
    client.hello(me, 1).await;
    match nth % 5 {
        // It leaves in good form.
        0 => {
            client.close(1000, "done").await;
            client.end().await;
        }
        // It is cut in the middle of an upload.
        1 => _ = begin(&mut client).await,
        // It is cut while it watches.
        2 => {
            let topic = Topic::Live;
            client.say(ClientMessage::Watch { topic }).await;
        }
        // It talks nonsense.
        3 => {
            client.raw(Message::text("nonsense")).await;
            assert_eq!(client.close_code().await, 4003);
            client.end().await;
        }
        // It comes back, takes its upload over and cancels it.
        _ => {
            let opened = begin(&mut client).await;
            let mut newer = connect(server).await;
            newer.hello(me, 2).await;
            let resumed = newer.open("a.bin", BLOCK, Some(opened.token)).await;
            let stream = resumed.stream;
            newer.say(ClientMessage::Cancel { stream }).await;
            newer.just(ServerMessage::Cancelled { stream }).await;
            assert_eq!(client.close_code().await, 4004);
            newer.close(1000, "done").await;
            newer.end().await;
        }
    }
}

/// Lets so many connections live and end, then ends the uploads that they left.
async fn churn(server: &Arc<TestServer>, connections: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (server, next) = (server.clone(), next.clone());
        workers.spawn(async move {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= connections {
                    break;
                }
                live(&server, nth).await;
            }
        });
    }
    workers.join_all().await;
    server.quiet(Duration::from_secs(10)).await;
    for upload in server.unfinished() {
        assert!(server.server.hub.cancel(upload.id).await.unwrap());
    }
    server.nothing_left();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_leave_nothing_behind() {
    let connections = std::env::var("CONNECTIONS").map_or(10_000, |n| n.parse().unwrap());
    let server = Arc::new(TestServer::start().await);
    let began = (tasks(), fds());
    // The first ones make what stays: threads, caches, the pages of the allocator.
    churn(&server, 1_000).await;
    let before = settled(began).await;

    let start = Instant::now();
    churn(&server, connections).await;
    let took = start.elapsed();
    let after = settled((before.0, before.1)).await;
    println!("{connections} connections in {took:?}");
    println!("tasks {} before, {} after", before.0, after.0);
    println!("descriptors {} before, {} after", before.1, after.1);
    println!("resident {} KiB before, {} KiB after", before.2, after.2);
    assert!(after.0 <= before.0 && after.1 <= before.1);
    assert!(after.2 < before.2 + 16 * 1024);
    let parts = std::fs::read_dir(server.data.path().join("parts")).unwrap();
    assert_eq!(parts.count(), 0);
}
