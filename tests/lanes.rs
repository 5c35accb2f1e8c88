//! More sockets than one for a connection: on the wire, and by a client whose way is long and
//! loses packets.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use longhaul::native::{End, Plan, send, walk};
use longhaul::protocol::StreamId;
use longhaul::protocol::close::CloseCode;
use longhaul::protocol::frame::{Number, encode_data};
use longhaul::protocol::id::ClientId;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::verify::{BLOCK, block};
use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::support::{Client, TestServer, content};

/// A message with a number.
fn numbered(mut message: Vec<u8>, count: u64) -> Vec<u8> {
    let [a, b, c, _] = (count as u32).to_le_bytes();
    match message[0] {
        0 => drop(message.splice(..1, [2, a, b, c])),
        _ => message[..4].copy_from_slice(&[3, a, b, c]),
    }
    assert_eq!(Number::of(&message), Some(Number::new(count)));
    message
}

const CLIENT: ClientId = ClientId::from_bytes([5; 16]);

async fn joined(server: &TestServer) -> Client {
    let mut lane = Client::lane(server.address).await;
    lane.join(CLIENT, 1).await;
    lane.until(|message| (message == ServerMessage::Joined).then_some(()))
        .await;
    lane
}

#[tokio::test]
async fn messages_that_overtake_each_other_are_taken_in_their_order() {
    let server = TestServer::start().await;
    let mut first = Client::connect(server.address, &[]).await;
    first.hello(CLIENT, 1).await;
    let bytes = content(BLOCK, 3);
    let opened = first.open("a.bin", BLOCK, None).await;
    let mut lanes = [joined(&server).await, joined(&server).await];
    // Two messages had no number: the greeting, and the opening.
    let hash = ClientMessage::BlockHash {
        stream: opened.stream,
        block: 0,
        hash: block::hash(0, BLOCK, &bytes),
    };
    let seal = ClientMessage::Seal {
        stream: opened.stream,
        root: longhaul::verify::Root(*blake3::hash(&bytes).as_bytes()),
    };
    let frames = (0..BLOCK).step_by(128 * 1024).zip(bytes.chunks(128 * 1024));
    let data = frames.map(|(offset, piece)| encode_data(opened.stream, offset, piece));
    let messages = data.chain([hash.encode(), seal.encode()]);
    let mut messages: Vec<_> = (2..).zip(messages).collect();
    // The last ones first, over one lane and the other, and over the first socket.
    messages.reverse();
    for (turn, (count, message)) in messages.into_iter().enumerate() {
        let message = numbered(message, count);
        match turn % 3 {
            2 => first.send(message).await,
            lane => lanes[lane].send(message).await,
        }
    }
    let path = first
        .until(|message| match message {
            ServerMessage::Sealed { path, .. } => Some(path),
            _ => None,
        })
        .await;
    assert_eq!(server.stored(&path), bytes);
}

#[tokio::test]
async fn a_lane_belongs_to_a_connection_and_ends_with_it() {
    let server = TestServer::start().await;
    let mut first = Client::connect(server.address, &[]).await;
    first.hello(CLIENT, 1).await;
    let lost = CloseCode::LaneLost.code();

    for (client, generation) in [(ClientId::from_bytes([6; 16]), 1), (CLIENT, 2)] {
        let mut stranger = Client::lane(server.address).await;
        stranger.join(client, generation).await;
        assert_eq!(Some(stranger.close_code().await), lost);
    }
    let mut rude = Client::lane(server.address).await;
    rude.say(ClientMessage::Ping).await;
    assert_eq!(rude.close_code().await, 4000);

    let mut lane = joined(&server).await;
    first.close(1000, "done").await;
    assert_eq!(Some(lane.close_code().await), lost);
}

#[tokio::test]
async fn what_was_on_a_broken_lane_is_not_overlooked() {
    let server = TestServer::start().await;
    for (generation, polite, code) in [(1, false, 4007), (2, true, 4000)] {
        let mut first = Client::connect(server.address, &[]).await;
        first.hello(CLIENT, generation).await;
        let mut lane = Client::lane(server.address).await;
        lane.join(CLIENT, generation).await;
        assert_eq!(lane.hear().await, Ok(ServerMessage::Joined));
        // The message before this one never comes.
        first.send(numbered(ClientMessage::Ping.encode(), 2)).await;
        match polite {
            true => {
                lane.close(1000, "done").await;
                // The one that is missing might still come over this socket, but not after.
                first.send(numbered(ClientMessage::Ping.encode(), 3)).await;
            }
            false => drop(lane),
        }
        assert_eq!(first.close_code().await, code);
    }
    // Without lanes nothing can come later.
    let mut first = Client::connect(server.address, &[]).await;
    first.hello(CLIENT, 3).await;
    first.send(numbered(ClientMessage::Ping.encode(), 2)).await;
    assert_eq!(first.close_code().await, 4000);
    // Nor may anything overtake the greeting.
    let mut eager = Client::connect(server.address, &[]).await;
    eager
        .send(numbered(encode_data(StreamId(0), 0, b"x"), 1))
        .await;
    assert_eq!(eager.close_code().await, 4000);
}

/// A way of 80 ms there and back, on which each connection carries so many bytes per second
/// upwards.
struct Way {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<Connection>>>,
}

struct Connection {
    client: TcpStream,
    carried: Arc<AtomicU64>,
}

impl Way {
    const DELAY: Duration = Duration::from_millis(40);

    /// What waits before it, beside the megabytes that the sender's system keeps.
    const ROOM: u32 = 16 * 1024;

    fn to(server: SocketAddr, rate: u64) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(Self::ROOM).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(16).unwrap().into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        let way = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
        };
        let connections = way.connections.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
                    break;
                };
                let carried = Arc::<AtomicU64>::default();
                let up = [&client, &server].map(|it| it.try_clone().unwrap());
                let down = [&server, &client].map(|it| it.try_clone().unwrap());
                carry(up, rate, carried.clone());
                carry(down, u64::MAX, Arc::default());
                let connection = Connection { client, carried };
                connections.lock().unwrap().push(connection);
            }
        });
        way
    }

    /// How many bytes each connection has carried upwards.
    fn carried(&self) -> Vec<u64> {
        let connections = self.connections.lock().unwrap();
        let carried = connections.iter().map(|it| &it.carried);
        carried.map(|it| it.load(Ordering::Relaxed)).collect()
    }

    /// Breaks one connection.
    fn cut(&self, number: usize) {
        let connections = self.connections.lock().unwrap();
        let _ = connections[number].client.shutdown(Shutdown::Both);
    }
}

/// Passes on what it reads after the delay, no faster than the rate allows.
fn carry([mut from, mut to]: [TcpStream; 2], rate: u64, counter: Arc<AtomicU64>) {
    let (pieces, due) = mpsc::sync_channel::<(Instant, Vec<u8>)>(32);
    thread::spawn(move || {
        for (at, piece) in due {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let mut free = Instant::now();
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            let takes = Duration::from_secs_f64(len as f64 / rate as f64);
            free = free.max(Instant::now()) + takes;
            let piece = buffer[..len].to_vec();
            if pieces.send((free + Way::DELAY, piece)).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Read);
    });
}

#[tokio::test]
async fn a_client_whose_socket_is_slow_sends_over_several_and_survives_the_loss_of_one() {
    let server = TestServer::start().await;
    let way = Way::to(server.address, 4_000_000);
    let source = TempDir::new().unwrap();
    let bytes = content(32 * BLOCK, 7);
    std::fs::write(source.path().join("a.bin"), &bytes).unwrap();
    let plan = Plan {
        server: format!("http://{}", way.address).parse().unwrap(),
        sources: walk::find(&[source.path().join("a.bin")])
            .unwrap()
            .sources
            .into(),
        journal: None,
        give_up_after: None,
    };
    let mut cut = false;
    let outcome = send(plan, std::future::pending(), |_| {
        // The lane breaks, in the middle of what is on it.
        if !cut && way.carried().iter().filter(|&&it| it > 1_000_000).count() > 1 {
            way.cut(1);
            cut = true;
        }
    })
    .await;
    assert_eq!(outcome.end, End::Finished);
    assert_eq!(server.stored("a.bin"), bytes);
    assert!(cut, "only {:?} bytes went over each socket", way.carried());
}
