//! The upgrades to `/ws` and `/ws/lane`, and messages of these sockets. What is wrong with it is
//! said on the socket, by its close code, because that is the only answer a page can read.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum_tws::{Limits, Message, WebSocket, WebSocketUpgrade};
use bytes::Bytes;

use super::{Server, guard, lane, session};
use crate::protocol::close::CloseCode;
use crate::protocol::frame::DATA_HEADER;
use crate::protocol::message::ServerMessage;
use crate::protocol::{MAX_MESSAGE, SUBPROTOCOL};
use crate::verify::BLOCK;

/// Messages that are shorter than this, in bytes, are copied: else each could keep the whole
/// buffer in memory that it was read into.
const SHORT: usize = 16 * 1024;
/// How long a message may be to be read at all: whoever takes a block for a frame is
/// told so in good form.
const LONGEST: usize = DATA_HEADER + BLOCK as usize;

/// Upgrades a request to a session.
pub async fn session(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgraded(server, &headers, upgrade, session::run)
}

/// Upgrades a request to a lane of a session.
pub async fn lane(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgraded(server, &headers, upgrade, lane::run)
}

fn upgraded<F: Future<Output = ()> + Send + 'static>(
    server: Arc<Server>,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
    run: fn(Arc<Server>, WebSocket, Option<CloseCode>) -> F,
) -> Response {
    let spoken = offers(headers, SUBPROTOCOL);
    let refused = if !guard::same_origin(headers) {
        Some(CloseCode::Origin)
    } else if !spoken {
        Some(CloseCode::Version)
    } else if server.shutdown.is_cancelled() {
        Some(CloseCode::Restart)
    } else {
        None
    };
    let limits = Limits::default().max_payload_len(Some(LONGEST));
    let tasks = server.tasks.clone();
    let mut response = upgrade.limits(limits).on_upgrade(move |socket| async move {
        let served = run(server, socket, refused);
        // A connection that breaks its task down takes nobody else along.
        if tasks.spawn(served).await.is_err() {
            tracing::error!("a connection broke down");
        }
    });
    if spoken {
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        response
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}

/// Whether the client offers to speak this subprotocol.
fn offers(headers: &HeaderMap, protocol: &str) -> bool {
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| offer.trim() == protocol)
}

/// A message, as it goes out.
pub fn outgoing(message: &ServerMessage) -> Message {
    Message::binary(message.encode())
}

/// A close frame with this code, if it is one that can be sent.
pub fn farewell(code: CloseCode) -> Option<Message> {
    let number = axum_tws::CloseCode::try_from(code.code()?).ok()?;
    (!number.is_reserved()).then(|| Message::close(Some(number), code.reason()))
}

/// What was heard.
pub enum Heard {
    /// A binary message, as it is kept in memory.
    Message(Bytes),
    /// Something that this server does not take, and the code that says so.
    Not(CloseCode),
    /// The client wants to hear that somebody is there: its answer waits to be flushed.
    Ping,
    /// A sign of life.
    Pong,
    /// The client closed the socket. Reading on sends the reply, until there is nothing more.
    Closed(CloseCode),
    /// The socket is gone.
    Gone,
}

impl From<Option<Result<Message, axum_tws::WebSocketError>>> for Heard {
    fn from(message: Option<Result<Message, axum_tws::WebSocketError>>) -> Self {
        match message {
            Some(Ok(message)) if message.is_binary() => {
                let bytes = Bytes::from(message.into_payload());
                match bytes.len() {
                    ..SHORT => Self::Message(Bytes::copy_from_slice(&bytes)),
                    SHORT..=MAX_MESSAGE => Self::Message(bytes),
                    _ => Self::Not(CloseCode::TooLarge),
                }
            }
            Some(Ok(message)) if message.is_text() => Self::Not(CloseCode::Text),
            Some(Ok(message)) if message.is_ping() => Self::Ping,
            Some(Ok(message)) => match message.as_close() {
                Some((code, _)) => Self::Closed(CloseCode::from_code(code.into())),
                None => Self::Pong,
            },
            Some(Err(axum_tws::WebSocketError::Internal(axum_tws::Error::PayloadTooLong {
                ..
            }))) => Self::Not(CloseCode::TooLarge),
            Some(Err(_)) | None => Self::Gone,
        }
    }
}
