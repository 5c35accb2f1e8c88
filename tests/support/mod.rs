//! A real server on a free port over a temporary folder, and a client that speaks
//! the wire by hand.

pub mod link;
pub mod process;
pub mod storage;
pub mod usage;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use leptos::config::LeptosOptions;
use longhaul::protocol::flow::Budget;
use longhaul::protocol::frame::{Frame, encode_data};
use longhaul::protocol::id::{ClientId, FileId, Token};
use longhaul::protocol::live::LiveUpload;
use longhaul::protocol::manifest::{Limits, Manifest};
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::ranges::RangeSet;
use longhaul::protocol::{Generation, MAX_PAYLOAD, SUBPROTOCOL, StreamId, VERSION};
use longhaul::registry::Sqlite;
use longhaul::server::guard::Hosts;
use longhaul::server::{Server, router};
use longhaul::storage::Storage;
use longhaul::storage::disk::Disk;
use longhaul::verify::{BLOCK, Root, block, block_len, blocks};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The memory for data on its way.
const MEMORY: u64 = 32 << 20;
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(limits, listener, |disk| Arc::new(disk)).await
    }

    /// Starts with a storage that is made of the disk.
    pub async fn start_over(storage: impl FnOnce(Disk) -> Arc<dyn Storage>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(Limits::default(), listener, storage).await
    }

    /// Starts with connections whose buffers in the system are as small as they may be.
    pub async fn start_narrow() -> Self {
        Self::start_narrow_with(Limits::default(), |disk| Arc::new(disk)).await
    }

    pub async fn start_narrow_with(
        limits: Limits,
        storage: impl FnOnce(Disk) -> Arc<dyn Storage>,
    ) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(4096).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1024).unwrap();
        Self::serve(limits, listener, storage).await
    }

    async fn serve(
        limits: Limits,
        listener: TcpListener,
        storage: impl FnOnce(Disk) -> Arc<dyn Storage>,
    ) -> Self {
        let data = TempDir::new().unwrap();
        let registry = Arc::new(Sqlite::open(data.path()).unwrap());
        let storage = storage(Disk::open(data.path()).unwrap());
        let server = Server::new(registry, storage, limits, MEMORY)
            .await
            .unwrap();
        let options = LeptosOptions::builder().output_name("longhaul").build();
        let app = router::router(server.clone(), options, Hosts::new([], false));
        let address = listener.local_addr().unwrap();
        // So that tests can wait until all connections are over.
        server.tasks.close();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            server,
            address,
            data,
        }
    }

    pub async fn client(&self) -> Client {
        let mut client = Client::connect(self.address, &[]).await;
        client.hello(some_client(), 1).await;
        client
    }

    /// Waits until no connection and no upload is left, within `patience`.
    pub async fn quiet(&self, patience: Duration) {
        let quiet = tokio::time::timeout(patience, self.server.tasks.wait()).await;
        let left = self.server.tasks.len();
        quiet.unwrap_or_else(|_| panic!("{left} tasks are left after {patience:?}"));
    }

    /// No client is known, no upload held, and nobody has a share of the memory.
    pub fn nothing_left(&self) {
        let hub = &self.server.hub;
        assert_eq!((hub.clients(), hub.held()), (0, 0));
        assert_eq!(*self.server.budget.lock(), Budget::new(MEMORY));
    }

    /// The uploads that go on or may go on, by path.
    pub fn unfinished(&self) -> Vec<LiveUpload> {
        let mut uploads = self.server.hub.live();
        uploads.retain(|upload| !upload.state.is_over());
        uploads
    }

    pub fn stored(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.data.path().join("files").join(path)).unwrap()
    }
}

/// A client that nobody knows yet.
pub fn some_client() -> ClientId {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    ClientId::from_bytes(bytes)
}

pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u32,
    /// The total that may be sent, as the server said it last.
    credit: u64,
    /// The bytes of data that were sent.
    sent: u64,
    /// What was said while the client waited for credit, for those who hear later.
    missed: VecDeque<ServerMessage>,
}

/// A token that nobody else has.
pub fn token() -> Token {
    let mut token = [0; 16];
    getrandom::fill(&mut token).unwrap();
    Token::from_bytes(token)
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
        Self::connect_to(&format!("ws://{address}/ws"), headers).await
    }

    /// Connects a socket that is to become a lane.
    pub async fn lane(address: SocketAddr) -> Self {
        Self::connect_to(&format!("ws://{address}/ws/lane"), &[]).await
    }

    async fn connect_to(url: &str, headers: &[(&'static str, &str)]) -> Self {
        let mut request = url.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self::over(socket)
    }

    /// Connects with as little room in the system as there can be.
    pub async fn connect_narrow(address: SocketAddr) -> Self {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        let protocol = SUBPROTOCOL.parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_send_buffer_size(4096).unwrap();
        let stream = MaybeTlsStream::Plain(socket.connect(address).await.unwrap());
        let (socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        Self::over(socket)
    }

    fn over(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self {
            socket,
            next: 0,
            credit: 0,
            sent: 0,
            missed: VecDeque::new(),
        }
    }

    pub async fn send(&mut self, bytes: Vec<u8>) {
        let bytes = Bytes::from(bytes);
        if let Ok(Frame::Data { payload, .. }) = Frame::parse(bytes.clone()) {
            self.sent += payload.len() as u64;
        }
        self.raw(Message::Binary(bytes)).await;
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

    pub async fn join(&mut self, client: ClientId, generation: u64) {
        let generation = Generation(generation);
        self.say(ClientMessage::Join { client, generation }).await;
    }

    /// The next message of the server, or its close code.
    pub async fn hear(&mut self) -> Result<ServerMessage, u16> {
        match self.missed.pop_front() {
            Some(message) => Ok(message),
            None => self.next_message().await,
        }
    }

    /// Waits until so many bytes of data may be sent.
    async fn room(&mut self, bytes: u64) {
        while self.credit < self.sent + bytes {
            let message = self.next_message().await.expect("no room, but the end");
            self.missed.push_back(message);
        }
    }

    async fn next_message(&mut self) -> Result<ServerMessage, u16> {
        // A ping is no answer.
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let next = tokio::time::timeout_at(deadline, self.socket.next()).await;
            match next.expect("the server is silent") {
                Some(Ok(Message::Binary(bytes))) => match Frame::parse(bytes) {
                    Ok(Frame::Control(content)) => {
                        let message = ServerMessage::decode(&content).unwrap();
                        if let ServerMessage::Credit { limit, .. } = message {
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
        self.close_frame().await.0
    }

    /// The code and the reason of the server's close frame.
    pub async fn close_frame(&mut self) -> (u16, String) {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match next.expect("the server is silent") {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Close(None))) => return (1005, String::new()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (1006, String::new()),
            }
        }
    }

    /// Hears until the server has ended the connection in good form: its close frame
    /// was answered, and nothing comes after it.
    pub async fn end(&mut self) {
        let end = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let ended = tokio::time::timeout(PATIENCE, end).await;
        ended.expect("the server keeps the connection");
    }

    /// Closes with this code and reason; the server's answer.
    pub async fn close(&mut self, code: u16, reason: &'static str) -> (u16, String) {
        let frame = CloseFrame {
            code: code.into(),
            reason: Utf8Bytes::from_static(reason),
        };
        self.raw(Message::Close(Some(frame))).await;
        self.close_frame().await
    }

    pub async fn open(&mut self, path: &str, size: u64, resume: Option<Token>) -> Opened {
        let stream = StreamId(self.next);
        self.next += 1;
        self.open_as(stream, path, size, resume).await
    }

    pub async fn open_as(
        &mut self,
        stream: StreamId,
        path: &str,
        size: u64,
        resume: Option<Token>,
    ) -> Opened {
        let manifest = Manifest {
            path: path.into(),
            size,
            modified: None,
            media_type: String::new(),
        };
        let token = resume.unwrap_or_else(token);
        self.say(ClientMessage::Open {
            stream,
            manifest,
            token,
            begun: resume.is_some(),
            verify: false,
        })
        .await;
        self.until(|message| match message {
            ServerMessage::Opened {
                stream: s,
                id,
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
        .await
    }

    /// Sends one block of `content`, as there is credit for it.
    pub async fn block(&mut self, stream: StreamId, content: &[u8], index: u64) {
        let size = content.len() as u64;
        let start = index * BLOCK;
        let bytes = &content[start as usize..(start + block_len(index, size)) as usize];
        let mut offset = start;
        for piece in bytes.chunks(MAX_PAYLOAD.min(64 * 1024)) {
            self.room(piece.len() as u64).await;
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
    pub async fn ask(&mut self, stream: StreamId, size: u64, token: Token) {
        let manifest = Manifest {
            path: "a".into(),
            size,
            modified: None,
            media_type: String::new(),
        };
        self.say(ClientMessage::Open {
            stream,
            manifest,
            token,
            begun: true,
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
