//! A further socket of a session; see [`crate::protocol::lanes`]. It carries messages of its
//! client to the session, and nothing back.
//!
//! The invariant: the session hears that a lane joined before anything that came over it, and
//! that it left, or broke, after all of it. A lane that nobody takes anything from is not read.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use tokio::time::timeout;

use super::Server;
use super::hub::LaneSender;
use super::session::{FAREWELL, kept};
use crate::protocol::close::CloseCode;
use crate::protocol::frame::Frame;
use crate::protocol::message::{ClientMessage, ServerMessage};

/// How long a socket may take to say whose lane it is.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// How many messages of all its lanes may wait for a session.
pub const WAITING: usize = 4;

/// What a session hears of its lanes.
#[derive(Debug)]
pub enum Heard {
    /// One more joined.
    Joined,
    /// A message, not longer than messages may be.
    Message(Bytes),
    /// One was closed by its client, behind its last message.
    Left,
    /// One ended in another way, or does not keep to the protocol.
    Lost(CloseCode),
}

/// Serves a lane until it or its session is over. `refused` is what the upgrade found wrong.
pub async fn run(server: Arc<Server>, mut socket: WebSocket, refused: Option<CloseCode>) {
    let code = match refused {
        Some(code) => Some(code),
        None => match timeout(INTRODUCTION, introduction(&server, &mut socket)).await {
            Ok(Ok(session)) => serve(&mut socket, session).await,
            Ok(Err(code)) => Some(code),
            Err(_) => Some(CloseCode::HeartbeatLost),
        },
    };
    let goodbye = async {
        if let Some(number) = code.and_then(CloseCode::code) {
            let reason = Utf8Bytes::from_static(code.map_or("", CloseCode::reason));
            let frame = CloseFrame {
                code: number,
                reason,
            };
            let _ = socket.send(Message::Close(Some(frame))).await;
        }
        // Reading on sends the reply, or waits for it.
        while let Some(Ok(_)) = socket.recv().await {}
    };
    if timeout(FAREWELL, goodbye).await.is_err() {
        tracing::debug!("a lane was not closed in time");
    }
}

/// The session whose lane it is.
async fn introduction(server: &Server, socket: &mut WebSocket) -> Result<LaneSender, CloseCode> {
    let message = match socket.recv().await {
        Some(Ok(Message::Binary(bytes))) => bytes,
        _ => return Err(CloseCode::Protocol),
    };
    match Frame::parse(message).map(|frame| match frame {
        Frame::Control(content) => ClientMessage::decode(&content).ok(),
        Frame::Data { .. } => None,
    }) {
        Ok(Some(ClientMessage::Join { client, generation })) => server
            .hub
            .lanes_of(client, generation)
            .ok_or(CloseCode::LaneLost),
        _ => Err(CloseCode::Protocol),
    }
}

/// Carries messages; the code to close it with, if its client has not closed it.
async fn serve(socket: &mut WebSocket, session: LaneSender) -> Option<CloseCode> {
    let gone = Some(CloseCode::LaneLost);
    if session.send(Heard::Joined).await.is_err() {
        return gone;
    }
    let joined = Message::Binary(ServerMessage::Joined.encode().into());
    if socket.send(joined).await.is_err() {
        let _ = session.send(Heard::Lost(CloseCode::LaneLost)).await;
        return None;
    }
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            () = session.closed() => return gone,
        };
        let (heard, end) = match message {
            Some(Ok(Message::Binary(bytes))) => match kept(bytes) {
                Ok(bytes) => (Heard::Message(bytes), None),
                Err(code) => (Heard::Lost(code), Some(Some(code))),
            },
            Some(Ok(Message::Text(_))) => {
                let code = CloseCode::Text;
                (Heard::Lost(code), Some(Some(code)))
            }
            Some(Ok(Message::Close(Some(frame)))) if frame.code == 1000 => {
                (Heard::Left, Some(None))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_)) | Err(_)) | None => {
                (Heard::Lost(CloseCode::LaneLost), Some(None))
            }
        };
        if session.send(heard).await.is_err() {
            return gone;
        }
        if let Some(code) = end {
            return code;
        }
    }
}
