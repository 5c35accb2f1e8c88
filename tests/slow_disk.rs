//! A disk that hangs: what a client sends meanwhile waits with the client, however small
//! its pieces are, nobody is taken for gone, and nothing is lost. And a client that reads no
//! answers: they wait with it, too.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};

use crate::support::storage::{Fault, Faulty};
use crate::support::{Client, TestServer, content, some_client};
use longhaul::protocol::frame::encode_data;
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::verify::block;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

const SIZE: u64 = 40_000;

#[tokio::test]
async fn frames_of_a_byte_do_not_pile_up() {
    let permits = Arc::new(Semaphore::new(0));
    let fault = Fault::Stuck(permits.clone());
    let storage = |disk| Arc::new(Faulty { disk, fault }) as _;
    let server = TestServer::start_narrow_with(Limits::default(), storage).await;
    let mut client = Client::connect_narrow(server.address).await;
    client.hello(some_client(), 1).await;
    let opened = client.open("a.bin", SIZE, None).await;
    let bytes = content(SIZE, 1);
    let mut stuck_after = None;
    for (at, byte) in bytes.chunks(1).enumerate() {
        let mut sending = std::pin::pin!(client.send(encode_data(opened.stream, at as u64, byte)));
        // Long enough for a client to be given up, were it listened to.
        let taken = tokio::time::timeout(Duration::from_secs(16), &mut sending).await;
        if taken.is_err() {
            stuck_after.get_or_insert(at);
            permits.add_permits(SIZE as usize);
            sending.await;
        }
    }
    let taken = stuck_after.expect("all of it was taken, and nothing was written");
    println!("{taken} of {SIZE} frames were taken while nothing could be written");
    assert!(taken < SIZE as usize / 2, "{taken}");

    let (stream, block) = (opened.stream, 0);
    let hash = block::hash(0, SIZE, &bytes);
    let claim = ClientMessage::BlockHash {
        stream,
        block,
        hash,
    };
    client.say(claim).await;
    client.durable(stream, SIZE).await;
    client.seal(stream, &bytes).await;
    assert_eq!(server.stored("a.bin"), bytes);
    client.say(ClientMessage::Ping).await;
    client.just(ServerMessage::Pong).await;
}

#[tokio::test]
async fn answers_to_pings_do_not_pile_up() {
    const MANY: usize = 20_000;
    let server = TestServer::start_narrow_with(Limits::default(), |disk| Arc::new(disk)).await;
    let mut client = Client::connect_narrow(server.address).await;
    client.hello(some_client(), 1).await;
    let ping = || Message::Ping(Bytes::from_static(&[0; 100]));
    let mut stuck_after = None;
    for sent in 0..MANY {
        let mut sending = std::pin::pin!(client.socket.send(ping()));
        if tokio::time::timeout(Duration::from_secs(1), &mut sending)
            .await
            .is_err()
        {
            stuck_after = Some(sent);
            break;
        }
    }
    assert!(
        stuck_after.is_some(),
        "{MANY} answers that nobody reads are kept"
    );
    // Whoever reads them is listened to again.
    let (mut sink, mut answers) = client.socket.split();
    let read_all = async { while let Some(Ok(_)) = answers.next().await {} };
    tokio::select! {
        taken = sink.flush() => taken.unwrap(),
        () = read_all => panic!("the server went away"),
    }
    client.socket = sink.reunite(answers).unwrap();
    client.say(ClientMessage::Ping).await;
    client.just(ServerMessage::Pong).await;
}
