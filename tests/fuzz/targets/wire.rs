//! Any bytes as a message of the socket.

use bytes::Bytes;
use longhaul::protocol::frame::{Frame, Number, encode_data};
use longhaul::protocol::message::{ClientMessage, ServerMessage};

use super::memory;

/// What decoding may take at most: a message is at most 64 KiB long.
const MEMORY: isize = 2 << 20;

/// Takes them as a frame, and as what a control frame holds.
pub fn run(bytes: &[u8]) {
    memory::within(MEMORY, || {
        match Frame::parse(Bytes::copy_from_slice(bytes)) {
            Ok(Frame::Data {
                stream,
                offset,
                payload,
            }) => {
                let mut frame = encode_data(stream, offset, &payload);
                if Number::of(bytes).is_some() {
                    frame[..4].copy_from_slice(&bytes[..4]);
                }
                assert_eq!(frame, bytes);
            }
            Ok(Frame::Control(content)) => {
                let header = if Number::of(bytes).is_some() { 4 } else { 1 };
                assert_eq!(content, bytes[header..]);
            }
            Err(_) => {}
        }
        if let Ok(message) = ClientMessage::decode(bytes) {
            assert_eq!(ClientMessage::decode(&message.encode()[1..]), Ok(message));
        }
        if let Ok(message) = ServerMessage::decode(bytes) {
            assert_eq!(ServerMessage::decode(&message.encode()[1..]), Ok(message));
        }
    });
}
