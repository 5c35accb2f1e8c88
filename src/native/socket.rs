//! One WebSocket to the server, and the name that its events carry.
//!
//! Two tasks serve it, so that masking and writing take place beside hashing. What is
//! handed to [`Socket::send`] is counted until the system has taken it; whoever drives
//! it hands over no more than it wants to wait there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use http::HeaderValue;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::task::AbortOnDropHandle;

use crate::protocol::close::CloseCode;
use crate::protocol::sockets::{self, Which};
use crate::protocol::{MAX_MESSAGE, SUBPROTOCOL};

/// How long the server may take to let go of a socket that it closed.
const FAREWELL: Duration = Duration::from_secs(1);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a socket tells.
#[derive(Debug)]
pub enum Told {
    /// It is open.
    Opened,
    /// A binary message.
    Message(bytes::Bytes),
    /// Something that is not of this protocol.
    Nonsense,
    /// It is closed, or could not be opened; and what the system said.
    Closed(CloseCode, Option<String>),
    /// What answers there does not speak this protocol, and trying again is no use.
    Refused(String),
}

/// A socket that is connecting, open or closing. Dropped, it is gone at once.
#[derive(Debug)]
pub struct Socket {
    outgoing: mpsc::UnboundedSender<Message>,
    queue: Arc<Queue>,
    _task: AbortOnDropHandle<()>,
}

/// What waits to be written.
#[derive(Debug)]
struct Queue {
    bytes: AtomicU64,
    room: Arc<Room>,
}

/// Where it is told that some socket has room.
#[derive(Debug, Default)]
pub struct Room {
    /// When so few bytes wait in one, somebody is to be woken.
    low: AtomicU64,
    made: Notify,
}

impl Room {
    /// Wakes somebody from now on when so few bytes wait in a socket.
    pub fn ask(&self, low: u64) {
        self.low.store(low, Ordering::SeqCst);
    }

    /// Done when that happened, since this was done last.
    pub async fn made(&self) {
        self.made.notified().await;
    }
}

impl Socket {
    /// Opens a socket; all its events go to `tell` until it is closed.
    pub fn open<T: From<(Which, Told)> + Send + 'static>(
        url: &str,
        which: Which,
        tell: mpsc::Sender<T>,
        room: &Arc<Room>,
    ) -> Self {
        let (outgoing, messages) = mpsc::unbounded_channel();
        let queue = Arc::new(Queue {
            bytes: AtomicU64::new(0),
            room: room.clone(),
        });
        let served = serve(url.to_owned(), which, tell, messages, queue.clone());
        Self {
            outgoing,
            queue,
            _task: AbortOnDropHandle::new(tokio::spawn(served)),
        }
    }

    /// Hands over a message. A socket that has closed drops it; its last event says
    /// the rest.
    pub fn send(&self, message: Vec<u8>) {
        self.queue
            .bytes
            .fetch_add(message.len() as u64, Ordering::Relaxed);
        let _ = self.outgoing.send(Message::Binary(message.into()));
    }
}

impl sockets::Socket for Socket {
    /// How many bytes the system has not yet taken.
    fn buffered(&self) -> u64 {
        self.queue.bytes.load(Ordering::Relaxed)
    }

    /// Begins the closing handshake, behind what was handed over.
    fn close(&self, code: CloseCode) {
        let frame = code.code().map(|number| CloseFrame {
            code: number.into(),
            reason: code.reason().into(),
        });
        let _ = self.outgoing.send(Message::Close(frame));
    }
}

async fn serve<T: From<(Which, Told)>>(
    url: String,
    which: Which,
    tell: mpsc::Sender<T>,
    messages: mpsc::UnboundedReceiver<Message>,
    queue: Arc<Queue>,
) {
    // Whoever no longer listens wants to hear nothing.
    let tell = async |told| _ = tell.send((which, told).into()).await;
    let (sink, mut stream) = match connect(&url).await {
        Ok(socket) => socket.split(),
        Err(error) => return tell(refusal(error)).await,
    };
    let _writer = AbortOnDropHandle::new(tokio::spawn(write(sink, messages, queue)));
    tell(Told::Opened).await;
    let end = loop {
        match read(&mut stream).await {
            Ok(told) => tell(told).await,
            Err(end) => break end,
        }
    };
    tell(end).await;
}

async fn connect(url: &str) -> Result<Stream, Error> {
    let mut request = url.into_client_request()?;
    let headers = request.headers_mut();
    headers.insert(
        "sec-websocket-protocol",
        HeaderValue::from_static(SUBPROTOCOL),
    );
    let agent = concat!("longhaul/", env!("CARGO_PKG_VERSION"));
    headers.insert("user-agent", HeaderValue::from_static(agent));
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

/// Whether another try may succeed where this one did not.
fn refusal(error: Error) -> Told {
    match error {
        Error::Http(response) if response.status().is_server_error() => {
            let why = format!("the server answers {}", response.status());
            Told::Closed(CloseCode::Broken, Some(why))
        }
        Error::Http(response) => {
            let text = response.body().as_deref().map(String::from_utf8_lossy);
            let first = text.as_deref().and_then(|text| text.lines().next());
            let first = first.filter(|line| line.len() < 200).unwrap_or_default();
            Told::Refused(format!("it answers {}. {first}", response.status()))
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            Told::Refused(format!("it does not speak {SUBPROTOCOL}."))
        }
        Error::Url(error) => Told::Refused(format!("{error}.")),
        Error::Io(error) => Told::Closed(CloseCode::Broken, Some(error.to_string())),
        error => Told::Closed(CloseCode::Broken, Some(error.to_string())),
    }
}

/// The next event, or the last.
async fn read(stream: &mut SplitStream<Stream>) -> Result<Told, Told> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Binary(bytes))) => return Ok(Told::Message(bytes)),
            Some(Ok(Message::Text(_))) => return Ok(Told::Nonsense),
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(CloseCode::Broken, |f| CloseCode::from_code(f.code.into()));
                // Reading on sends the reply, until there is nothing more.
                let end = async { while let Some(Ok(_)) = stream.next().await {} };
                let _ = tokio::time::timeout(FAREWELL, end).await;
                return Err(Told::Closed(code, None));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                return Err(Told::Closed(CloseCode::Broken, Some(error.to_string())));
            }
            None => return Err(Told::Closed(CloseCode::Broken, None)),
        }
    }
}

async fn write(
    mut sink: SplitSink<Stream, Message>,
    mut messages: mpsc::UnboundedReceiver<Message>,
    queue: Arc<Queue>,
) {
    while let Some(message) = messages.recv().await {
        let (len, last) = match &message {
            Message::Binary(bytes) => (bytes.len() as u64, false),
            _ => (0, true),
        };
        // The reading half says why.
        if sink.send(message).await.is_err() || last {
            break;
        }
        let left = queue.bytes.fetch_sub(len, Ordering::SeqCst) - len;
        if left <= queue.room.low.load(Ordering::SeqCst) {
            queue.room.made.notify_one();
        }
    }
}
