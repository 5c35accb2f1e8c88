//! A real server on a free port over a temporary folder, and a client that speaks
//! the wire by hand.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod link;
pub mod process;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use leptos::config::LeptosOptions;
use longhaul::protocol::frame::{Frame, encode_data};
use longhaul::protocol::id::{ClientId, FileId, Token};
use longhaul::protocol::manifest::{Limits, Manifest};
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::ranges::RangeSet;
use longhaul::protocol::{Generation, MAX_PAYLOAD, SUBPROTOCOL, StreamId, VERSION};
use longhaul::registry::Sqlite;
use longhaul::server::guard::Hosts;
use longhaul::server::{Server, router};
use longhaul::storage::disk::Disk;
use longhaul::verify::{BLOCK, Root, block, block_len, blocks};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct TestServer {
    pub server: Arc<Server>,
    pub address: SocketAddr,
    pub data: TempDir,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    pub async fn start_with(limits: Limits) -> Self {
        let data = TempDir::new().unwrap();
        let registry = Arc::new(Sqlite::open(data.path()).unwrap());
        let storage = Arc::new(Disk::open(data.path()).unwrap());
        let server = Server::new(registry, storage, limits, 32 << 20)
            .await
            .unwrap();
        let options = LeptosOptions::builder().output_name("longhaul").build();
        let app = router::router(server.clone(), options, Hosts::new([], false));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            server,
            address,
            data,
        }
    }

    pub async fn client(&self) -> Client {
        let mut client = Client::connect(self.address, &[]).await;
        client.hello(ClientId::from_bytes(rand_bytes()), 1).await;
        client
    }

    pub fn stored(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.data.path().join("files").join(path)).unwrap()
    }
}

fn rand_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u32,
    /// The total that may be sent, as the server said it last.
    credit: u64,
}

/// What the server granted for a stream.
pub struct Opened {
    pub stream: StreamId,
    pub id: FileId,
    pub token: Token,
    pub have: RangeSet,
}

impl Client {
    /// Connects with the right subprotocol and no origin, unless `headers` say else.
    pub async fn connect(address: SocketAddr, headers: &[(&'static str, &str)]) -> Self {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self {
            socket,
            next: 0,
            credit: 0,
        }
    }

    pub async fn send(&mut self, bytes: Vec<u8>) {
        self.raw(Message::Binary(bytes.into())).await;
    }

    pub async fn raw(&mut self, message: Message) {
        // A server that closed already says so on the other way.
        let _ = self.socket.send(message).await;
    }

    pub async fn say(&mut self, message: ClientMessage) {
        self.send(message.encode()).await;
    }

    pub async fn hello(&mut self, client: ClientId, generation: u64) {
        let generation = Generation(generation);
        self.say(ClientMessage::Hello {
            version: VERSION,
            client,
            generation,
        })
        .await;
        match self.hear().await {
            Ok(ServerMessage::Welcome { credit, .. }) => self.credit = credit,
            other => panic!("no welcome but {other:?}"),
        }
    }

    /// The next message of the server, or its close code.
    pub async fn hear(&mut self) -> Result<ServerMessage, u16> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match next.expect("the server is silent") {
                Some(Ok(Message::Binary(bytes))) => match Frame::parse(bytes) {
                    Ok(Frame::Control(content)) => {
                        let message = ServerMessage::decode(&content).unwrap();
                        if let ServerMessage::Credit { limit } = message {
                            self.credit = limit;
                        }
                        return Ok(message);
                    }
                    other => panic!("the server sent {other:?}"),
                },
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(Message::Close(None))) => return Err(1005),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// Hears until something that `wanted` takes.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(ServerMessage) -> Option<T>) -> T {
        loop {
            match self.hear().await {
                Ok(message) => {
                    if let Some(found) = wanted(message) {
                        return found;
                    }
                }
                Err(code) => panic!("closed with {code}"),
            }
        }
    }

    pub async fn close_code(&mut self) -> u16 {
        loop {
            if let Err(code) = self.hear().await {
                return code;
            }
        }
    }

    pub async fn open(&mut self, path: &str, size: u64, resume: Option<Token>) -> Opened {
        let stream = StreamId(self.next);
        self.next += 1;
        let manifest = Manifest {
            path: path.into(),
            size,
            modified: None,
            media_type: String::new(),
        };
        self.say(ClientMessage::Open {
            stream,
            manifest,
            resume,
            verify: false,
        })
        .await;
        let opened = self
            .until(|message| match message {
                ServerMessage::Opened {
                    stream: s,
                    id,
                    token,
                    have,
                } if s == stream => Some(Opened {
                    stream,
                    id,
                    token,
                    have,
                }),
                ServerMessage::Failed { trouble, .. } => panic!("refused: {trouble:?}"),
                ServerMessage::Gone { .. } => panic!("gone"),
                _ => None,
            })
            .await;
        // With its first upload a client gets a share that holds any block.
        while self.credit < BLOCK {
            self.hear().await.unwrap();
        }
        opened
    }

    /// Sends one block of `content`.
    pub async fn block(&mut self, stream: StreamId, content: &[u8], index: u64) {
        let size = content.len() as u64;
        let start = index * BLOCK;
        let bytes = &content[start as usize..(start + block_len(index, size)) as usize];
        let mut offset = start;
        for piece in bytes.chunks(MAX_PAYLOAD.min(64 * 1024)) {
            self.send(encode_data(stream, offset, piece)).await;
            offset += piece.len() as u64;
        }
        let hash = block::hash(index, size, bytes);
        self.say(ClientMessage::BlockHash {
            stream,
            block: index,
            hash,
        })
        .await;
    }

    /// Sends everything that is not there, and seals; the path it is stored under.
    pub async fn finish(&mut self, opened: &Opened, content: &[u8]) -> (String, Root) {
        let size = content.len() as u64;
        for index in opened.have.complement(0..blocks(size)).values() {
            self.block(opened.stream, content, index).await;
            // One block at a time stays within any credit.
            let done = block_len(index, size);
            self.until(|message| match message {
                ServerMessage::Ack { received, .. } if received >= done => Some(()),
                _ => None,
            })
            .await;
        }
        self.seal(opened.stream, content).await
    }

    /// Seals; the path it is stored under, and its digest as the server says it.
    pub async fn seal(&mut self, stream: StreamId, content: &[u8]) -> (String, Root) {
        let root = Root(*blake3::hash(content).as_bytes());
        self.say(ClientMessage::Seal { stream, root }).await;
        self.until(|message| match message {
            ServerMessage::Sealed {
                stream: s,
                path,
                root,
                ..
            } if s == stream => Some((path, root)),
            ServerMessage::Failed { trouble, .. } => panic!("failed: {trouble:?}"),
            _ => None,
        })
        .await
    }

    /// Hears a message that is just this one.
    pub async fn just(&mut self, wanted: ServerMessage) {
        self.until(|message| (message == wanted).then_some(()))
            .await;
    }

    /// Asks to continue an upload of `size` bytes, whatever the answer will be.
    pub async fn ask(&mut self, stream: StreamId, size: u64, resume: Token) {
        let manifest = Manifest {
            path: "a".into(),
            size,
            modified: None,
            media_type: String::new(),
        };
        let resume = Some(resume);
        self.say(ClientMessage::Open {
            stream,
            manifest,
            resume,
            verify: false,
        })
        .await;
    }

    pub async fn durable(&mut self, stream: StreamId, bytes: u64) {
        self.until(|message| match message {
            ServerMessage::Ack {
                stream: s, durable, ..
            } if s == stream && durable >= bytes => Some(()),
            _ => None,
        })
        .await;
    }
}

pub fn content(size: u64, seed: u64) -> Vec<u8> {
    (0..size)
        .map(|i| (i.wrapping_mul(2 * seed + 1) >> 3) as u8)
        .collect()
}
