//! Every way out of a connection: a close frame each way, with code and reason, and
//! nothing of it is left on the server.

use std::time::Duration;

use crate::support::{Client, TestServer, content};
use longhaul::protocol::close::CloseCode;
use longhaul::protocol::frame::encode_data;
use longhaul::protocol::id::ClientId;
use longhaul::protocol::message::ClientMessage;
use longhaul::protocol::{Generation, MAX_MESSAGE, StreamId, VERSION};
use longhaul::verify::BLOCK;
use tokio_tungstenite::tungstenite::Message;

/// Within this time a connection is over whose close was answered; one whose close is
/// not answered takes longer.
const SOON: Duration = Duration::from_secs(2);

/// Nothing is left: no task, no client, no held upload, no share of the memory.
async fn nothing_left(server: &TestServer) {
    server.quiet(SOON).await;
    server.nothing_left();
}

/// A client in the middle of an upload.
async fn busy(server: &TestServer) -> Client {
    let mut client = server.client().await;
    let bytes = content(2 * BLOCK, 1);
    let opened = client.open("a.bin", 2 * BLOCK, None).await;
    client.block(opened.stream, &bytes, 0).await;
    client.durable(opened.stream, BLOCK).await;
    client
}

#[tokio::test]
async fn every_close_of_the_client_is_answered() {
    let server = TestServer::start().await;
    let ways = [
        ("idle, or the last route left", CloseCode::Done),
        ("page hidden, as the browser says it", CloseCode::Away),
        ("the server makes no sense", CloseCode::Protocol),
        ("a ping that was not answered", CloseCode::HeartbeatLost),
        ("not open in time", CloseCode::Timeout),
    ];
    for (what, way) in ways {
        let mut client = busy(&server).await;
        let code = way.code().unwrap();
        let (answer, _) = client.close(code, way.reason()).await;
        assert_eq!(answer, code, "{what}");
        client.end().await;
        nothing_left(&server).await;
    }
    // A page may not say 1001 itself: what it says has the words.
    let mut client = busy(&server).await;
    let (code, _) = client.close(1000, CloseCode::Away.reason()).await;
    assert_eq!(code, 1000);
    client.end().await;
    nothing_left(&server).await;
}

#[tokio::test]
async fn every_close_of_the_server_has_its_code_and_its_words() {
    let server = TestServer::start().await;
    let origin = [("origin", "http://evil.example")];
    let violations = [
        (Message::text("hello"), CloseCode::Text),
        (Message::binary(vec![9, 9, 9]), CloseCode::Protocol),
        (
            Message::binary(encode_data(StreamId(0), 7, b"x")),
            CloseCode::Protocol,
        ),
        (
            Message::binary(vec![1; MAX_MESSAGE + 1]),
            CloseCode::TooLarge,
        ),
        (
            Message::binary(vec![1; BLOCK as usize]),
            CloseCode::TooLarge,
        ),
    ];
    for (violation, way) in violations {
        let mut client = busy(&server).await;
        client.raw(violation).await;
        closed(&mut client, way).await;
        nothing_left(&server).await;
    }

    let mut client = Client::connect(server.address, &origin).await;
    closed(&mut client, CloseCode::Origin).await;
    nothing_left(&server).await;

    let mut client = Client::connect(server.address, &[]).await;
    let hello = ClientMessage::Hello {
        version: VERSION + 1,
        client: ClientId::from_bytes([1; 16]),
        generation: Generation(1),
    };
    client.say(hello).await;
    closed(&mut client, CloseCode::Version).await;
    nothing_left(&server).await;

    let id = ClientId::from_bytes([5; 16]);
    let mut old = Client::connect(server.address, &[]).await;
    old.hello(id, 1).await;
    let mut new = Client::connect(server.address, &[]).await;
    new.hello(id, 2).await;
    closed(&mut old, CloseCode::Superseded).await;
    new.close(1000, "done").await;
    new.end().await;
    nothing_left(&server).await;

    let mut client = busy(&server).await;
    server.server.shutdown.cancel();
    closed(&mut client, CloseCode::Restart).await;
    nothing_left(&server).await;

    let mut late = Client::connect(server.address, &[]).await;
    closed(&mut late, CloseCode::Restart).await;
    nothing_left(&server).await;
}

async fn closed(client: &mut Client, way: CloseCode) {
    let frame = client.close_frame().await;
    assert_eq!(frame, (way.code().unwrap(), way.reason().to_owned()));
    client.end().await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_the_close_is_let_go_of() {
    let server = TestServer::start().await;
    let mut client = busy(&server).await;
    client.raw(Message::text("hello")).await;
    server.quiet(Duration::from_secs(5)).await;
    nothing_left(&server).await;
    closed(&mut client, CloseCode::Text).await;
}

#[tokio::test]
async fn a_client_that_is_just_gone_leaves_nothing() {
    let server = TestServer::start().await;
    drop(busy(&server).await);
    nothing_left(&server).await;
}
