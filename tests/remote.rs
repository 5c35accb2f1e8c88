//! An upload is paused and resumed by somebody who only watches it, for as long as the client
//! that sends it is there.

use crate::support::{Client, TestServer, content, some_client};
use longhaul::protocol::id::FileId;
use longhaul::protocol::live::{LiveState, Topic, Wish};
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::server::hub::Unasked;
use longhaul::verify::BLOCK;

const SIZE: u64 = 4 * BLOCK;

/// Somebody asks, and waits for what comes of it.
fn ask(
    server: &TestServer,
    id: FileId,
    wish: Wish,
) -> tokio::task::JoinHandle<Result<(), Unasked>> {
    let hub = server.server.hub.clone();
    tokio::spawn(async move { hub.ask(id, wish).await })
}

/// Waits until the upload is seen in this state.
async fn becomes(server: &TestServer, id: FileId, state: LiveState) {
    let mut changes = server.server.hub.changes();
    while server.server.hub.upload(id).map(|upload| upload.state) != Some(state) {
        changes.changed().await.unwrap();
    }
}

#[tokio::test]
async fn a_client_is_asked_to_pause_and_to_go_on() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let mut client = server.client().await;
    let opened = client.open("film.mkv", SIZE, None).await;
    client.block(opened.stream, &bytes, 0).await;
    client.durable(opened.stream, BLOCK).await;

    let (id, token, stream) = (opened.id, opened.token, opened.stream);
    assert_eq!(
        ask(&server, id, Wish::Resume).await.unwrap(),
        Ok(()),
        "it moves already"
    );
    let asking = ask(&server, id, Wish::Pause);
    let wish = Wish::Pause;
    client.just(ServerMessage::Asked { id, wish }).await;
    client.say(ClientMessage::Pause { stream }).await;
    client.say(ClientMessage::Standby { token }).await;
    assert_eq!(asking.await.unwrap(), Ok(()));
    becomes(&server, id, LiveState::Paused).await;

    let asking = ask(&server, id, Wish::Resume);
    let wish = Wish::Resume;
    client.just(ServerMessage::Asked { id, wish }).await;
    let again = client.open("film.mkv", SIZE, Some(token)).await;
    assert_eq!(asking.await.unwrap(), Ok(()));
    assert!(again.have.contains(0));
    becomes(&server, id, LiveState::Receiving).await;
    let (path, _) = client.finish(&again, &bytes).await;
    assert_eq!(server.stored(&path), bytes);
    assert_eq!(
        ask(&server, id, Wish::Pause).await.unwrap(),
        Err(Unasked::Unknown)
    );
}

#[tokio::test]
async fn where_nobody_is_there_nobody_can_be_asked() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let opened = client.open("film.mkv", SIZE, None).await;
    let (id, token, stream) = (opened.id, opened.token, opened.stream);
    client.say(ClientMessage::Pause { stream }).await;
    // It paused for reasons of its own, and says nothing of going on.
    becomes(&server, id, LiveState::Resting).await;
    for wish in [Wish::Pause, Wish::Resume] {
        assert_eq!(ask(&server, id, wish).await.unwrap(), Err(Unasked::Nobody));
    }

    // Nobody stands by with a token of nothing.
    let strange = crate::support::token();
    client.say(ClientMessage::Standby { token: strange }).await;
    client.say(ClientMessage::Standby { token }).await;
    becomes(&server, id, LiveState::Paused).await;
    client.close(1000, "done").await;
    becomes(&server, id, LiveState::Resting).await;
    assert_eq!(
        ask(&server, id, Wish::Resume).await.unwrap(),
        Err(Unasked::Nobody)
    );
    let nothing = FileId::from_bytes([7; 16]);
    assert_eq!(
        ask(&server, nothing, Wish::Pause).await.unwrap(),
        Err(Unasked::Unknown)
    );

    // The same client is back.
    let mut client = server.client().await;
    client.say(ClientMessage::Standby { token }).await;
    becomes(&server, id, LiveState::Paused).await;
    // Somebody cancels what is paused.
    assert!(server.server.hub.cancel(id).await.unwrap());
    assert_eq!(
        ask(&server, id, Wish::Resume).await.unwrap(),
        Err(Unasked::Unknown)
    );
}

/// The pulse that comes next.
async fn pulse(client: &mut Client) -> longhaul::protocol::live::Pulse {
    client
        .until(|message| match message {
            ServerMessage::Pulse(pulse) => Some(pulse),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn who_watches_everything_feels_the_pulse_and_hears_nothing_while_nothing_happens() {
    let server = TestServer::start().await;
    let mut watcher = server.client().await;
    let topic = Topic::Live;
    watcher.say(ClientMessage::Watch { topic }).await;
    let mut known = pulse(&mut watcher).await;
    assert!(known.whole);
    assert_eq!(
        (known.sending, known.watching, known.seconds.len()),
        (0, 1, 0)
    );

    let bytes = content(SIZE, 2);
    let mut client = server.client().await;
    let opened = client.open("film.mkv", SIZE, None).await;
    client.finish(&opened, &bytes).await;
    let sum = |pulse: &longhaul::protocol::live::Pulse| {
        pulse
            .seconds
            .iter()
            .fold((0, 0), |(received, durable), second| {
                (received + second.received, durable + second.durable)
            })
    };
    while sum(&known) != (SIZE, SIZE) {
        let next = pulse(&mut watcher).await;
        assert!(!next.whole && next.from == known.from + known.seconds.len() as u64);
        known.follow(next);
    }
    assert_eq!((known.sending, known.watching), (1, 1));
    client.close(1000, "done").await;
    loop {
        known.follow(pulse(&mut watcher).await);
        if (known.sending, known.watching) == (0, 1) {
            break;
        }
    }

    // Another page of the same browser watches, too: it is told all of it.
    watcher.say(ClientMessage::Watch { topic }).await;
    let again = loop {
        let next = pulse(&mut watcher).await;
        if next.whole {
            break next;
        }
    };
    assert_eq!(sum(&again), (SIZE, SIZE));
    // One that watches a single upload is told of that alone.
    let mut other = Client::connect(server.address, &[]).await;
    other.hello(some_client(), 1).await;
    let topic = Topic::Upload(opened.id);
    other.say(ClientMessage::Watch { topic }).await;
    other.say(ClientMessage::Ping).await;
    loop {
        match other.hear().await.unwrap() {
            ServerMessage::Pong => break,
            ServerMessage::Pulse(pulse) => panic!("{pulse:?}"),
            _ => {}
        }
    }
}
