//! The upgrades to `/ws` and `/ws/lane`. What is wrong with it is said on the socket, by its close
//! code, because that is the only answer a page can read.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Server, guard, lane, session};
use crate::protocol::SUBPROTOCOL;
use crate::protocol::close::CloseCode;
use crate::protocol::frame::DATA_HEADER;
use crate::verify::BLOCK;

/// How much is read from the socket at once, in bytes. Every connection keeps so much.
pub const READ_BUFFER: usize = 16 * 1024;
/// How much may wait in the socket's own buffer, in bytes.
const WRITE_BUFFER: usize = 256 * 1024;
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
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER);
    let refused = if !guard::same_origin(headers) {
        Some(CloseCode::Origin)
    } else if upgrade.selected_protocol().is_none() {
        Some(CloseCode::Version)
    } else if server.shutdown.is_cancelled() {
        Some(CloseCode::Restart)
    } else {
        None
    };
    let tasks = server.tasks.clone();
    upgrade.on_upgrade(move |socket| async move {
        let served = run(server, socket, refused);
        // A connection that breaks its task down takes nobody else along.
        if tasks.spawn(served).await.is_err() {
            tracing::error!("a connection broke down");
        }
    })
}
