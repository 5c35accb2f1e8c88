//! What a WebSocket message holds: raw bytes of a file behind a fixed header, or
//! one control message.
//!
//! ```text
//! data     01 00 00 00 | stream u32 LE | offset u64 LE | payload, 1 byte to 256 KiB
//! control  00          | message in postcard
//! numbered 03 n n n | stream …      and      02 n n n | message in postcard
//! ```
//!
//! A client that sends over several sockets numbers its messages (u24 LE, which begins
//! anew after its end), those counted that it sent before without a number.
//!
//! A payload never crosses the boundary of a block. Parsing copies nothing and
//! accepts nothing that another encoder could not have meant.

use bytes::Bytes;

use super::{MAX_CONTROL, MAX_PAYLOAD, StreamId};
use crate::verify::BLOCK;

/// Length of the header of a data frame, in bytes.
pub const DATA_HEADER: usize = 16;

const CONTROL: u8 = 0;
const DATA: u8 = 1;
/// Length of the kind and a number, in bytes.
const NUMBER: usize = 4;

/// Added to the kind of what has a number.
const NUMBERED: u8 = 2;
const NUMBERED_CONTROL: u8 = CONTROL + NUMBERED;
const NUMBERED_DATA: u8 = DATA + NUMBERED;

/// The place of a message among all that a client sent on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number(u32);

impl Number {
    const MASK: u32 = (1 << 24) - 1;

    /// That of the message before which so many were sent.
    pub fn new(count: u64) -> Self {
        Self(count as u32 & Self::MASK)
    }

    /// That of a message, if it has one.
    pub fn of(message: &[u8]) -> Option<Self> {
        match *message {
            [NUMBERED_CONTROL | NUMBERED_DATA, a, b, c, ..] => {
                Some(Self(u32::from_le_bytes([a, b, c, 0])))
            }
            _ => None,
        }
    }

    /// How many messages are from that one up to this one.
    pub fn since(self, other: Self) -> u32 {
        self.0.wrapping_sub(other.0) & Self::MASK
    }

    fn bytes(self) -> [u8; 3] {
        let [a, b, c, _] = self.0.to_le_bytes();
        [a, b, c]
    }
}

/// One message of the socket, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Bytes of a file.
    Data {
        /// Which upload.
        stream: StreamId,
        /// Where the payload begins in the file, in bytes.
        offset: u64,
        /// The bytes, within one block.
        payload: Bytes,
    },
    /// An encoded [`super::message`].
    Control(Bytes),
}

/// Why a message is not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Nothing, or less than a header.
    #[error("a frame of {0} bytes is cut short")]
    Truncated(usize),
    /// The first byte names no kind.
    #[error("unknown frame kind {0}")]
    UnknownKind(u8),
    /// Reserved bytes are not zero.
    #[error("reserved bytes are not zero")]
    Reserved,
    /// A payload or control message beyond its limit.
    #[error("a frame of {0} bytes is too large")]
    TooLarge(usize),
    /// The payload reaches over the end of its block or of all numbers.
    #[error("a payload of {len} bytes at {offset} crosses a block boundary")]
    CrossesBlock {
        /// Where the payload begins.
        offset: u64,
        /// Its length.
        len: usize,
    },
}

impl Frame {
    /// Takes a message apart without copying it.
    pub fn parse(message: Bytes) -> Result<Self, FrameError> {
        match message.first() {
            None => Err(FrameError::Truncated(0)),
            Some(&CONTROL) => {
                if message.len() > MAX_CONTROL {
                    return Err(FrameError::TooLarge(message.len()));
                }
                Ok(Self::Control(message.slice(1..)))
            }
            Some(&NUMBERED_CONTROL) => {
                if message.len() < NUMBER {
                    return Err(FrameError::Truncated(message.len()));
                }
                if message.len() > MAX_CONTROL + NUMBER - 1 {
                    return Err(FrameError::TooLarge(message.len()));
                }
                Ok(Self::Control(message.slice(NUMBER..)))
            }
            Some(&(DATA | NUMBERED_DATA)) => Self::parse_data(message),
            Some(&kind) => Err(FrameError::UnknownKind(kind)),
        }
    }

    fn parse_data(message: Bytes) -> Result<Self, FrameError> {
        let Some((header, payload)) = message.split_first_chunk::<DATA_HEADER>() else {
            return Err(FrameError::Truncated(message.len()));
        };
        let [kind, r0, r1, r2, s0, s1, s2, s3, offset @ ..] = *header;
        let len = payload.len();
        if kind == DATA && (r0, r1, r2) != (0, 0, 0) {
            return Err(FrameError::Reserved);
        }
        if len == 0 {
            return Err(FrameError::Truncated(message.len()));
        }
        if len > MAX_PAYLOAD {
            return Err(FrameError::TooLarge(len));
        }
        let offset = u64::from_le_bytes(offset);
        if offset % BLOCK + len as u64 > BLOCK || offset.checked_add(len as u64).is_none() {
            return Err(FrameError::CrossesBlock { offset, len });
        }
        Ok(Self::Data {
            stream: StreamId(u32::from_le_bytes([s0, s1, s2, s3])),
            offset,
            payload: message.slice(DATA_HEADER..),
        })
    }
}

/// The header of a data frame.
pub(super) fn data_header(
    stream: StreamId,
    offset: u64,
    number: Option<Number>,
) -> [u8; DATA_HEADER] {
    let mut header = [0; DATA_HEADER];
    header[0] = DATA;
    if let Some(number) = number {
        header[0] = NUMBERED_DATA;
        header[1..NUMBER].copy_from_slice(&number.bytes());
    }
    header[4..8].copy_from_slice(&stream.0.to_le_bytes());
    header[8..].copy_from_slice(&offset.to_le_bytes());
    header
}

/// Encodes a data frame.
pub fn encode_data(stream: StreamId, offset: u64, payload: &[u8]) -> Vec<u8> {
    [&data_header(stream, offset, None)[..], payload].concat()
}

/// Starts a control frame; the caller appends the encoded message.
pub(super) fn control() -> Vec<u8> {
    vec![CONTROL]
}

/// Gives a control frame a number.
pub(super) fn number(control: &mut Vec<u8>, number: Number) {
    let [a, b, c] = number.bytes();
    control.splice(..1, [NUMBERED_CONTROL, a, b, c]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_data_frame_reads_back_and_no_shorter_piece_does(
            stream: u32,
            block in 0u64..1 << 40,
            start in 0..BLOCK,
            len in 1usize..2048,
        ) {
            let payload = vec![7; len.min((BLOCK - start) as usize)];
            let offset = block * BLOCK + start;
            let message = encode_data(StreamId(stream), offset, &payload);
            for cut in 0..=DATA_HEADER {
                let piece = Bytes::copy_from_slice(&message[..cut]);
                prop_assert_eq!(Frame::parse(piece), Err(FrameError::Truncated(cut)));
            }
            prop_assert_eq!(
                Frame::parse(message.into()),
                Ok(Frame::Data { stream: StreamId(stream), offset, payload: payload.into() })
            );
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            if let Ok(Frame::Data { offset, payload, .. }) = Frame::parse(bytes.into()) {
                prop_assert!(offset % BLOCK + payload.len() as u64 <= BLOCK);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let parse = |bytes: &[u8]| Frame::parse(Bytes::copy_from_slice(bytes));
        assert_eq!(parse(&[9]), Err(FrameError::UnknownKind(9)));
        let mut reserved = encode_data(StreamId(1), 0, b"x");
        reserved[2] = 1;
        assert_eq!(parse(&reserved), Err(FrameError::Reserved));
        assert_eq!(
            parse(&encode_data(StreamId(1), BLOCK - 1, b"xy")),
            Err(FrameError::CrossesBlock {
                offset: BLOCK - 1,
                len: 2
            })
        );
        assert_eq!(
            parse(&encode_data(StreamId(1), u64::MAX, b"x")),
            Err(FrameError::CrossesBlock {
                offset: u64::MAX,
                len: 1
            })
        );
        assert_eq!(
            parse(&encode_data(StreamId(1), 0, &[0; MAX_PAYLOAD + 1])),
            Err(FrameError::TooLarge(MAX_PAYLOAD + 1))
        );
        assert_eq!(
            parse(&[0; MAX_CONTROL + 1]),
            Err(FrameError::TooLarge(MAX_CONTROL + 1))
        );
    }
}
