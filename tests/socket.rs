//! The socket, against a real server: what it takes, and how it says no.

use crate::support::{Client, TestServer, content};
use longhaul::protocol::MAX_MESSAGE;
use longhaul::protocol::frame::encode_data;
use longhaul::protocol::id::{ClientId, Token};
use longhaul::protocol::live::{LiveState, Topic};
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::trouble::Trouble;
use longhaul::protocol::{Generation, StreamId, VERSION};
use longhaul::verify::BLOCK;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_file_arrives_as_it_was_sent() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let bytes = content(3 * BLOCK + 17, 1);
    let opened = client.open("folder/a.bin", bytes.len() as u64, None).await;
    let (path, root) = client.finish(&opened, &bytes).await;
    assert_eq!(path, "folder/a.bin");
    assert_eq!(root.0, *blake3::hash(&bytes).as_bytes());
    assert_eq!(server.stored("folder/a.bin"), bytes);
}

#[tokio::test]
async fn each_wrong_way_in_has_its_close_code() {
    let server = TestServer::start().await;
    let foreign = [("origin", "http://evil.example")];
    let mut client = Client::connect(server.address, &foreign).await;
    assert_eq!(client.close_code().await, 4001);

    let origin = format!("http://{}", server.address);
    let mut client = Client::connect(server.address, &[("origin", &origin)]).await;
    client.hello(ClientId::from_bytes([1; 16]), 1).await;

    // A client that names no subprotocol that is spoken here.
    let socket = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let url = format!("ws://{}/ws", server.address);
    let (socket, _) = tokio_tungstenite::client_async(url, socket).await.unwrap();
    let mut socket = socket;
    let message = futures::StreamExt::next(&mut socket)
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(message, Message::Close(Some(frame)) if u16::from(frame.code) == 4002));
}

#[tokio::test]
async fn each_violation_has_its_close_code_and_disturbs_nobody_else() {
    let server = TestServer::start().await;
    let mut good = server.client().await;
    let bytes = content(2 * BLOCK, 1);
    let opened = good.open("good.bin", bytes.len() as u64, None).await;
    good.block(opened.stream, &bytes, 0).await;

    let violations: [(&str, Message, u16); 6] = [
        ("text", Message::text("hello"), 4003),
        ("an unknown kind", Message::binary(vec![9, 9, 9]), 4000),
        ("nothing", Message::binary(vec![]), 4000),
        (
            "a message that means nothing",
            Message::binary(vec![0, 200]),
            4000,
        ),
        (
            "a wrong offset",
            Message::binary(encode_data(StreamId(0), 7, b"x")),
            4000,
        ),
        (
            "too much at once",
            Message::binary(vec![1; MAX_MESSAGE + 1]),
            1009,
        ),
    ];
    for (what, message, code) in violations {
        let mut bad = server.client().await;
        bad.open("bad.bin", BLOCK, None).await;
        bad.raw(message).await;
        assert_eq!(bad.close_code().await, code, "{what}");
    }
    good.block(opened.stream, &bytes, 1).await;
    good.durable(opened.stream, 2 * BLOCK).await;
    good.seal(opened.stream, &bytes).await;
    assert_eq!(server.stored("good.bin"), bytes);
}

#[tokio::test]
async fn what_is_durable_is_there_after_the_connection_broke() {
    let server = TestServer::start().await;
    let bytes = content(4 * BLOCK, 2);
    let mut first = server.client().await;
    let opened = first.open("a.bin", bytes.len() as u64, None).await;
    first.block(opened.stream, &bytes, 0).await;
    first.durable(opened.stream, BLOCK).await;
    first.block(opened.stream, &bytes, 1).await;
    // Half a block is on the way when it breaks.
    first
        .send(encode_data(opened.stream, 2 * BLOCK, &bytes[..1000]))
        .await;
    drop(first);

    let mut second = server.client().await;
    let resumed = second
        .open("a.bin", bytes.len() as u64, Some(opened.token))
        .await;
    assert_eq!(resumed.id, opened.id);
    assert!(resumed.have.contains(0) && !resumed.have.contains(2));
    second.finish(&resumed, &bytes).await;
    assert_eq!(server.stored("a.bin"), bytes);
}

#[tokio::test]
async fn another_connection_takes_an_upload_over_at_once() {
    let server = TestServer::start().await;
    let bytes = content(3 * BLOCK, 3);
    let mut first = server.client().await;
    let opened = first.open("a.bin", bytes.len() as u64, None).await;
    first.block(opened.stream, &bytes, 0).await;
    first
        .until(|m| {
            matches!(m, ServerMessage::Ack { received, .. } if received == BLOCK).then_some(())
        })
        .await;

    let mut second = server.client().await;
    let resumed = second
        .open("a.bin", bytes.len() as u64, Some(opened.token))
        .await;
    // The first was asked to leave, and what it had was made durable before.
    assert!(resumed.have.contains(0));
    let stream = opened.stream;
    let trouble = Trouble::TakenOver;
    first.just(ServerMessage::Failed { stream, trouble }).await;
    second.finish(&resumed, &bytes).await;
    assert_eq!(server.stored("a.bin"), bytes);
}

#[tokio::test]
async fn a_newer_generation_supersedes_an_older_one() {
    let server = TestServer::start().await;
    let id = ClientId::from_bytes([5; 16]);
    let mut old = Client::connect(server.address, &[]).await;
    old.hello(id, 1).await;
    let mut new = Client::connect(server.address, &[]).await;
    new.hello(id, 2).await;
    assert_eq!(old.close_code().await, 4004);
    let mut late = Client::connect(server.address, &[]).await;
    let generation = Generation(1);
    late.say(ClientMessage::Hello {
        version: VERSION,
        client: id,
        generation,
    })
    .await;
    assert_eq!(late.close_code().await, 4004);
    new.say(ClientMessage::Ping).await;
    new.just(ServerMessage::Pong).await;
}

#[tokio::test]
async fn a_token_that_is_not_known_is_gone_and_the_connection_stays() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let stream = StreamId(0);
    client.ask(stream, 1, Token::from_bytes([9; 16])).await;
    client.just(ServerMessage::Gone { stream }).await;
    client.say(ClientMessage::Ping).await;
    client.just(ServerMessage::Pong).await;
}

#[tokio::test]
async fn a_finished_upload_is_still_found_by_its_token() {
    let server = TestServer::start().await;
    let bytes = content(10, 4);
    let mut client = server.client().await;
    let opened = client.open("a.txt", 10, None).await;
    client.finish(&opened, &bytes).await;
    let stream = StreamId(77);
    client.ask(stream, 10, opened.token).await;
    let id = client
        .until(|m| match m {
            ServerMessage::Sealed { stream: s, id, .. } if s == stream => Some(id),
            _ => None,
        })
        .await;
    assert_eq!(id, opened.id);
}

#[tokio::test]
async fn a_watcher_sees_an_upload_from_its_beginning_to_its_end() {
    let server = TestServer::start().await;
    let mut watcher = server.client().await;
    watcher
        .say(ClientMessage::Watch { topic: Topic::Live })
        .await;
    let snapshot = watcher
        .until(|m| match m {
            ServerMessage::Snapshot { uploads, .. } => Some(uploads),
            _ => None,
        })
        .await;
    assert_eq!(snapshot, []);

    let bytes = content(2 * BLOCK, 5);
    let mut client = server.client().await;
    let opened = client.open("a.bin", bytes.len() as u64, None).await;
    client.block(opened.stream, &bytes, 0).await;
    let state = |m: ServerMessage| match m {
        ServerMessage::Changed { uploads, .. } => uploads.into_iter().find(|u| u.id == opened.id),
        _ => None,
    };
    watcher
        .until(|m| state(m).filter(|u| u.state == LiveState::Receiving && u.durable == BLOCK))
        .await;
    client.block(opened.stream, &bytes, 1).await;
    client.durable(opened.stream, 2 * BLOCK).await;
    client.seal(opened.stream, &bytes).await;
    watcher
        .until(|m| state(m).filter(|u| u.state == LiveState::Stored))
        .await;
}

#[tokio::test]
async fn paused_is_kept_and_cancelled_is_gone() {
    let server = TestServer::start().await;
    let bytes = content(2 * BLOCK, 6);
    let mut client = server.client().await;
    let opened = client.open("a.bin", bytes.len() as u64, None).await;
    client.block(opened.stream, &bytes, 0).await;
    client
        .say(ClientMessage::Pause {
            stream: opened.stream,
        })
        .await;
    client
        .until(|m| matches!(m, ServerMessage::Paused { .. }).then_some(()))
        .await;
    let parts = || {
        std::fs::read_dir(server.data.path().join("parts"))
            .unwrap()
            .count()
    };
    assert_eq!(parts(), 1);

    let resumed = client
        .open("a.bin", bytes.len() as u64, Some(opened.token))
        .await;
    client
        .say(ClientMessage::Cancel {
            stream: resumed.stream,
        })
        .await;
    client
        .until(|m| matches!(m, ServerMessage::Cancelled { .. }).then_some(()))
        .await;
    assert_eq!(parts(), 0);
    assert!(server.unfinished().is_empty());
}
