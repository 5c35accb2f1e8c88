//! What the server has forgotten is an ordinary case: it says so, the connection stays,
//! and the same file can be sent anew over it.

use std::time::Duration;

use crate::support::{Client, Opened, TestServer, content};
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::trouble::Trouble;
use longhaul::protocol::{StreamId, id::Token};
use longhaul::server::recover::expire;
use longhaul::verify::BLOCK;

const SIZE: u64 = 2 * BLOCK;

async fn begun(client: &mut Client) -> Opened {
    let opened = client.open("a.bin", SIZE, None).await;
    client.block(opened.stream, &content(SIZE, 1), 0).await;
    client.durable(opened.stream, BLOCK).await;
    opened
}

/// The token is answered with `Gone`, and the file begins anew on the same connection.
async fn gone_and_begun_anew(server: &TestServer, client: &mut Client, token: Token) {
    let stream = StreamId(50);
    client.ask(stream, SIZE, token).await;
    client.just(ServerMessage::Gone { stream }).await;
    let bytes = content(SIZE, 3);
    let stream = StreamId(51);
    let anew = client.open_as(stream, "a.bin", SIZE, None).await;
    assert!(anew.have.is_empty());
    client.finish(&anew, &bytes).await;
    assert_eq!(server.stored("a.bin"), bytes);
}

#[tokio::test]
async fn after_the_data_was_wiped() {
    let before = TestServer::start().await;
    let token = begun(&mut before.client().await).await.token;
    drop(before);
    let server = TestServer::start().await;
    gone_and_begun_anew(&server, &mut server.client().await, token).await;
}

#[tokio::test]
async fn after_the_upload_expired() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let opened = begun(&mut client).await;
    let stream = opened.stream;
    client.say(ClientMessage::Pause { stream }).await;
    let durable = BLOCK;
    client.just(ServerMessage::Paused { stream, durable }).await;
    let (registry, storage) = (&*server.server.registry, &*server.server.storage);
    let held = |id| server.server.hub.is_held(id);
    let now = Some(Duration::ZERO);
    // Its last change may be of this very millisecond.
    while expire(registry, storage, now, held)
        .await
        .unwrap()
        .is_empty()
    {}
    gone_and_begun_anew(&server, &mut client, opened.token).await;
}

#[tokio::test]
async fn after_it_was_cancelled_elsewhere_while_it_was_sent() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let opened = begun(&mut client).await;
    assert!(server.server.hub.cancel(opened.id).await.unwrap());
    let (stream, trouble) = (opened.stream, Trouble::Ended);
    client.just(ServerMessage::Failed { stream, trouble }).await;
    // What was on its way meanwhile does no harm.
    client.block(stream, &content(SIZE, 1), 1).await;
    gone_and_begun_anew(&server, &mut client, opened.token).await;
}

#[tokio::test]
async fn after_it_was_cancelled_elsewhere_while_nobody_was_connected() {
    let server = TestServer::start().await;
    let opened = begun(&mut server.client().await).await;
    assert!(server.server.hub.cancel(opened.id).await.unwrap());
    gone_and_begun_anew(&server, &mut server.client().await, opened.token).await;
}

#[tokio::test]
async fn after_somebody_deleted_its_bytes() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let opened = begun(&mut client).await;
    drop(client);
    server.quiet(Duration::from_secs(5)).await;
    let part = format!("parts/{}.part", opened.id);
    std::fs::remove_file(server.data.path().join(part)).unwrap();
    gone_and_begun_anew(&server, &mut server.client().await, opened.token).await;
}
