//! What a WebSocket message holds: raw bytes of a file behind a fixed header, or
//! one control message.
//!
//! ```text
//! data     01 00 00 00 | stream u32 LE | offset u64 LE | payload, 1 byte to 256 KiB
//! control  00          | message in postcard
//! ```
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
            Some(&DATA) => Self::parse_data(message),
            Some(&kind) => Err(FrameError::UnknownKind(kind)),
        }
    }

    fn parse_data(message: Bytes) -> Result<Self, FrameError> {
        let Some((header, payload)) = message.split_first_chunk::<DATA_HEADER>() else {
            return Err(FrameError::Truncated(message.len()));
        };
        let [_, r0, r1, r2, s0, s1, s2, s3, offset @ ..] = *header;
        let len = payload.len();
        if (r0, r1, r2) != (0, 0, 0) {
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
pub(super) fn data_header(stream: StreamId, offset: u64) -> [u8; DATA_HEADER] {
    let mut header = [0; DATA_HEADER];
    header[0] = DATA;
    header[4..8].copy_from_slice(&stream.0.to_le_bytes());
    header[8..].copy_from_slice(&offset.to_le_bytes());
    header
}

/// Encodes a data frame.
pub fn encode_data(stream: StreamId, offset: u64, payload: &[u8]) -> Vec<u8> {
    [&data_header(stream, offset)[..], payload].concat()
}

/// Starts a control frame; the caller appends the encoded message.
pub(super) fn control() -> Vec<u8> {
    vec![CONTROL]
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
