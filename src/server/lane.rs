//! A further socket of a session; see [`crate::protocol::lanes`]. It carries messages of its
//! client to the session, and nothing back.
//!
//! The invariant: the session hears that a lane joined before anything that came over it, and
//! that it left, or broke, after all of it. A lane that nobody takes anything from is not read.

use std::sync::Arc;
use std::time::Duration;

use axum_tws::WebSocket;
use bytes::Bytes;
use futures::SinkExt;
use tokio::time::timeout;

use super::Server;
use super::hub::LaneSender;
use super::session::{FAREWELL, SILENCE};
use super::socket;
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
        if let Some(frame) = code.and_then(socket::farewell) {
            let _ = socket.send(frame).await;
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
    let socket::Heard::Message(message) = socket.recv().await.into() else {
        return Err(CloseCode::Protocol);
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
    let joined = socket::outgoing(&ServerMessage::Joined);
    if socket.send(joined).await.is_err() {
        let _ = session.send(Heard::Lost(CloseCode::LaneLost)).await;
        return None;
    }
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            () = session.closed() => return gone,
        };
        let (heard, end) = match message.into() {
            socket::Heard::Message(bytes) => (Heard::Message(bytes), None),
            socket::Heard::Not(code) => (Heard::Lost(code), Some(Some(code))),
            // Whoever asks and does not read the answers is not asked for more.
            socket::Heard::Ping => match timeout(SILENCE, socket.flush()).await {
                Ok(Ok(())) => continue,
                _ => (Heard::Lost(CloseCode::LaneLost), Some(None)),
            },
            socket::Heard::Pong => continue,
            socket::Heard::Closed(CloseCode::Done) => (Heard::Left, Some(None)),
            socket::Heard::Closed(_) | socket::Heard::Gone => {
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
