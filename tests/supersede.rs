//! A client that comes back while its older connection seems alive: it goes on at once,
//! and nothing of the older one lands any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::storage::{Fault, Faulty};
use crate::support::{Client, TestServer, content};
use longhaul::protocol::id::ClientId;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::trouble::Trouble;
use longhaul::verify::BLOCK;
use tokio::sync::Semaphore;

const ME: ClientId = ClientId::from_bytes([7; 16]);

async fn generation(server: &TestServer, generation: u64) -> Client {
    let mut client = Client::connect(server.address, &[]).await;
    client.hello(ME, generation).await;
    client
}

#[tokio::test]
async fn a_newer_generation_goes_on_at_once_with_all_that_came() {
    let server = TestServer::start().await;
    let bytes = content(3 * BLOCK, 1);
    let mut old = generation(&server, 1).await;
    let opened = old.open("a.bin", 3 * BLOCK, None).await;
    old.block(opened.stream, &bytes, 0).await;
    old.block(opened.stream, &bytes, 1).await;
    let came = |m| matches!(m, ServerMessage::Ack { received, .. } if received >= 2 * BLOCK);
    old.until(|m| came(m).then_some(())).await;

    // The old connection does not read what it is told, and goes on sending.
    let began = Instant::now();
    let mut new = generation(&server, 2).await;
    let resumed = new.open("a.bin", 3 * BLOCK, Some(opened.token)).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(resumed.have.contains(0) && resumed.have.contains(1));
    old.block(opened.stream, &content(3 * BLOCK, 2), 2).await;
    assert_eq!(old.close_code().await, 4004);

    new.finish(&resumed, &bytes).await;
    assert_eq!(server.stored("a.bin"), bytes);
    assert_eq!(server.server.hub.clients(), 1);
}

#[tokio::test]
async fn a_write_that_comes_back_from_the_dead_lands_nowhere() {
    let permits = Arc::new(Semaphore::new(0));
    let fault = Fault::Stuck(permits.clone());
    let server = TestServer::start_over(|disk| Arc::new(Faulty { disk, fault })).await;
    let bytes = content(2 * BLOCK, 1);
    let mut old = generation(&server, 1).await;
    let opened = old.open("a.bin", 2 * BLOCK, None).await;
    // Other bytes, whose write hangs for longer than anybody waits.
    old.block(opened.stream, &content(2 * BLOCK, 2), 0).await;

    let mut new = generation(&server, 2).await;
    let resumed = new.open("a.bin", 2 * BLOCK, Some(opened.token)).await;
    assert!(!resumed.have.contains(0));
    new.block(resumed.stream, &bytes, 0).await;
    new.durable(resumed.stream, BLOCK).await;
    assert_eq!(server.server.hub.held(), 1);

    permits.add_permits(1000);
    // Its task has ended once only the new connection and its upload are left.
    while server.server.tasks.len() > 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.server.hub.held(), 1);
    new.block(resumed.stream, &bytes, 1).await;
    new.durable(resumed.stream, 2 * BLOCK).await;
    new.seal(resumed.stream, &bytes).await;
    assert_eq!(server.stored("a.bin"), bytes);
}

#[tokio::test]
async fn a_writer_that_breaks_down_ends_its_own_upload_only() {
    let fault = Fault::Panics;
    let server = TestServer::start_over(|disk| Arc::new(Faulty { disk, fault })).await;
    let bytes = content(BLOCK, 1);
    let mut client = generation(&server, 1).await;
    let opened = client.open("a.bin", BLOCK, None).await;
    client.block(opened.stream, &bytes, 0).await;
    let (stream, trouble) = (opened.stream, Trouble::Internal);
    client.just(ServerMessage::Failed { stream, trouble }).await;

    let resumed = client.open("a.bin", BLOCK, Some(opened.token)).await;
    client.finish(&resumed, &bytes).await;
    assert_eq!(server.stored("a.bin"), bytes);
    client.say(ClientMessage::Ping).await;
    client.just(ServerMessage::Pong).await;
}
