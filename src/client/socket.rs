//! One WebSocket of the browser.
//!
//! Messages are received through gloo-net; sending and closing go to the handle
//! itself, because a close code and `bufferedAmount` are to be had only there.

use futures::StreamExt;
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::protocol::SUBPROTOCOL;
use crate::protocol::close::CloseCode;
use crate::protocol::sockets;

/// What a socket tells.
#[derive(Debug)]
pub enum Told {
    /// It is open.
    Opened,
    /// A binary message.
    Message(Vec<u8>),
    /// Something that is not of this protocol.
    Nonsense,
    /// It is closed, or could not be opened.
    Closed(CloseCode),
}

/// A socket that is connecting, open or closing.
pub struct Socket {
    handle: web_sys::WebSocket,
    _opened: Closure<dyn FnMut()>,
}

impl Socket {
    /// Opens a socket; `tell` is called with all its events until it is closed.
    pub fn open(url: &str, tell: impl Fn(Told) + Clone + 'static) -> Result<Self, CloseCode> {
        let handle =
            web_sys::WebSocket::new_with_str(url, SUBPROTOCOL).map_err(|_| CloseCode::Broken)?;
        let mut stream = WebSocket::try_from(handle.clone()).map_err(|_| CloseCode::Broken)?;
        let opened = {
            let tell = tell.clone();
            Closure::<dyn FnMut()>::new(move || tell(Told::Opened))
        };
        handle.set_onopen(Some(opened.as_ref().unchecked_ref()));
        spawn_local(async move {
            let mut code = CloseCode::Broken;
            while let Some(event) = stream.next().await {
                match event {
                    Ok(Message::Bytes(bytes)) => tell(Told::Message(bytes)),
                    Ok(Message::Text(_)) => tell(Told::Nonsense),
                    Err(WebSocketError::ConnectionClose(event)) => {
                        code = CloseCode::from_code(event.code);
                    }
                    // The close event follows.
                    Err(_) => {}
                }
            }
            tell(Told::Closed(code));
        });
        Ok(Self {
            handle,
            _opened: opened,
        })
    }

    /// Hands a message to the browser. A socket that is closing takes it and drops it;
    /// its close event says the rest.
    pub fn send(&self, message: &[u8]) {
        let _ = self.handle.send_with_u8_array(message);
    }
}

impl sockets::Socket for Socket {
    /// How many bytes the browser has not yet handed to the network.
    fn buffered(&self) -> u64 {
        self.handle.buffered_amount().into()
    }

    /// Begins the closing handshake. Browsers let pages send 1000 and codes of their
    /// own only; 1001 is the browser's to send.
    fn close(&self, code: CloseCode) {
        let may = |number: &u16| matches!(number, 1000 | 3000..=4999);
        let number = code.code().filter(may).unwrap_or(1000);
        let _ = self
            .handle
            .close_with_code_and_reason(number, code.reason());
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.handle.set_onopen(None);
    }
}
