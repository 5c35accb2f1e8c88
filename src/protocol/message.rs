//! The small messages around the data, encoded with postcard.

use serde::{Deserialize, Serialize};

use super::frame;
use super::id::{ClientId, FileId, ServerId, Token};
use super::live::{LiveUpload, Pulse, Topic, Wish};
use super::manifest::{Limits, Manifest};
use super::ranges::RangeSet;
use super::trouble::Trouble;
use super::{Generation, StreamId};
use crate::verify::{BlockHash, Challenge, Proof, Root};

/// How many hashes one [`ServerMessage::Hashes`] carries at most.
pub const HASHES_PER_MESSAGE: usize = 1024;

/// How many ranges one [`ServerMessage::Opened`] or [`ServerMessage::Match`] carries at
/// most. What lies beyond is not mentioned and simply sent again.
pub const RANGES_PER_MESSAGE: usize = 2048;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// First of all, and once.
    Hello {
        /// [`super::VERSION`].
        version: u16,
        /// Who.
        client: ClientId,
        /// Which of its connections.
        generation: Generation,
    },
    /// Begins or continues an upload.
    Open {
        /// The name of the upload on this connection.
        stream: StreamId,
        /// The file.
        manifest: Manifest,
        /// What continues it, over this connection and any other. The client chose it, by
        /// chance, so that it knows it whatever becomes of the answer.
        token: Token,
        /// Whether the server said before that it has it. Then an upload that it does not
        /// know is `Gone`; else it begins.
        begun: bool,
        /// Whether the client would compare its file with what is there: with the
        /// hashes of the blocks of the upload that it continues; or, where it begins
        /// one, by proof with an upload of the same file that nobody continues.
        verify: bool,
    },
    /// What the client computed for a block that it sent.
    BlockHash {
        /// Which upload.
        stream: StreamId,
        /// Which block.
        block: u64,
        /// Its hash.
        hash: BlockHash,
    },
    /// All blocks were sent, and this is the BLAKE3 of the file.
    Seal {
        /// Which upload.
        stream: StreamId,
        /// The digest of the whole file.
        root: Root,
    },
    /// Ends the stream; what is durable stays for later.
    Pause {
        /// Which upload.
        stream: StreamId,
    },
    /// Ends the stream and deletes what is there of it.
    Cancel {
        /// Which upload.
        stream: StreamId,
    },
    /// Asks for a snapshot of a topic, and for its changes from then on.
    Watch {
        /// Which.
        topic: Topic,
    },
    /// Ends a watch.
    Unwatch {
        /// Which.
        topic: Topic,
    },
    /// Asks for a sign of life, since browsers cannot send WebSocket pings.
    Ping,
    /// The answer to `Match`.
    Prove {
        /// Which upload.
        stream: StreamId,
        /// What only somebody can make who has the blocks.
        proof: Proof,
    },
    /// First of all on a further socket: it is a lane of that connection.
    Join {
        /// Whose.
        client: ClientId,
        /// Which of its connections.
        generation: Generation,
    },
    /// So many bytes on their way are worth it, where the way is long.
    Window {
        /// How many.
        bytes: u64,
    },
    /// The client has an upload that is paused, and can be asked to go on with it for as
    /// long as it is connected.
    Standby {
        /// What continues it.
        token: Token,
    },
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The answer to `Hello`.
    Welcome {
        /// This run of the server.
        server: ServerId,
        /// What it accepts.
        limits: Limits,
        /// The total of data bytes that may be sent; see [`super::flow`].
        credit: u64,
        /// How often the client should ping, in milliseconds.
        heartbeat: u32,
    },
    /// The answer to `Open`.
    Opened {
        /// Which upload.
        stream: StreamId,
        /// Its name in links.
        id: FileId,
        /// The blocks that are durable.
        have: RangeSet,
    },
    /// Hashes of blocks that are durable, in the order of `have`, in as many
    /// messages as it takes, where the client asked to verify.
    Hashes {
        /// Which upload.
        stream: StreamId,
        /// The next hashes.
        hashes: Vec<BlockHash>,
    },
    /// The upload is refused or cannot go on. The stream is over.
    Failed {
        /// Which upload.
        stream: StreamId,
        /// Why.
        trouble: Trouble,
    },
    /// The token is not known (any more). The stream is over.
    Gone {
        /// Which upload.
        stream: StreamId,
    },
    /// How far an upload is.
    Ack {
        /// Which upload.
        stream: StreamId,
        /// Bytes that have arrived; of a block that is damaged they are taken back.
        received: u64,
        /// Bytes in blocks that are durable.
        durable: u64,
    },
    /// A new total of data bytes that may be sent.
    Credit {
        /// The total, counted from the beginning of the connection.
        limit: u64,
        /// How many bytes may thus be on their way at once.
        window: u64,
    },
    /// A block arrived damaged: its hash is not the client's. Send it again.
    Nack {
        /// Which upload.
        stream: StreamId,
        /// Which block.
        block: u64,
    },
    /// The file is stored under its final name. The stream is over.
    Sealed {
        /// Which upload.
        stream: StreamId,
        /// Its name in links.
        id: FileId,
        /// Where it is, below the folder of files.
        path: String,
        /// Its digest.
        root: Root,
    },
    /// What is verified is durable; the stream is over.
    Paused {
        /// Which upload.
        stream: StreamId,
        /// Bytes in blocks that are durable.
        durable: u64,
    },
    /// Nothing of it is left; the stream is over.
    Cancelled {
        /// Which upload.
        stream: StreamId,
    },
    /// Everything about a topic.
    Snapshot {
        /// Which.
        topic: Topic,
        /// All uploads of it.
        uploads: Vec<LiveUpload>,
    },
    /// What changed about a topic since the last message about it.
    Changed {
        /// Which.
        topic: Topic,
        /// The uploads that changed, whole.
        uploads: Vec<LiveUpload>,
        /// The uploads that left it.
        gone: Vec<FileId>,
    },
    /// The answer to `Ping`.
    Pong,
    /// The answer to `Join`: the lane may be sent over.
    Joined,
    /// The server is about to stop and will close the connection.
    Drain {
        /// When to come back at the earliest, in milliseconds.
        retry_after: u32,
    },
    /// Nobody continues an upload of that path and size: whoever proves to have the
    /// same bytes may. `Opened` comes after the proof, or another `Match` if there is
    /// more of it by then.
    Match {
        /// Which stream asked.
        stream: StreamId,
        /// The blocks that are durable.
        blocks: RangeSet,
        /// What the proof is to be made for.
        challenge: Challenge,
    },
    /// Somebody asks something of the client that sends an upload. Not answered: what came
    /// of it is seen by what the client does.
    Asked {
        /// Which upload.
        id: FileId,
        /// What they ask.
        wish: Wish,
    },
    /// What went through the server, beside the topic [`Topic::Live`].
    Pulse(Pulse),
}

/// A control frame that holds no message of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The bytes mean nothing.
    #[error("the message cannot be decoded")]
    Malformed,
    /// Bytes are left behind the message.
    #[error("{0} bytes are left behind the message")]
    Trailing(usize),
}

macro_rules! message {
    ($name:ident) => {
        impl $name {
            /// Reads the content of a control frame.
            pub fn decode(content: &[u8]) -> Result<Self, MessageError> {
                match postcard::take_from_bytes(content) {
                    Ok((message, [])) => Ok(message),
                    Ok((_, rest)) => Err(MessageError::Trailing(rest.len())),
                    Err(_) => Err(MessageError::Malformed),
                }
            }

            /// Encodes it as a whole control frame.
            pub fn encode(&self) -> Vec<u8> {
                // Writing to a vector fails only for types postcard cannot express, of
                // which a message has none; `every_message_reads_back` holds that.
                postcard::to_extend(self, frame::control()).unwrap_or_default()
            }
        }
    };
}

message!(ClientMessage);
message!(ServerMessage);

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::frame::Frame;
    use crate::protocol::live::{PULSE, Second};

    fn content(frame: Vec<u8>) -> Bytes {
        match Frame::parse(frame.into()) {
            Ok(Frame::Control(content)) => content,
            other => unreachable!("{other:?} is not a control frame"),
        }
    }

    fn client_messages() -> Vec<ClientMessage> {
        let stream = StreamId(7);
        let topic = Topic::Upload(FileId::from_bytes([3; 16]));
        vec![
            ClientMessage::Hello {
                version: 1,
                client: ClientId::from_bytes([1; 16]),
                generation: Generation(9),
            },
            ClientMessage::Open {
                stream,
                manifest: Manifest {
                    path: "a/例.txt".into(),
                    size: u64::MAX,
                    modified: Some(-1),
                    media_type: "text/plain".into(),
                },
                token: Token::from_bytes([2; 16]),
                begun: true,
                verify: true,
            },
            ClientMessage::BlockHash {
                stream,
                block: 3,
                hash: BlockHash([4; 32]),
            },
            ClientMessage::Seal {
                stream,
                root: Root([5; 32]),
            },
            ClientMessage::Pause { stream },
            ClientMessage::Cancel { stream },
            ClientMessage::Watch { topic },
            ClientMessage::Unwatch { topic: Topic::Live },
            ClientMessage::Ping,
            ClientMessage::Window { bytes: 300 },
            ClientMessage::Join {
                client: ClientId::from_bytes([1; 16]),
                generation: Generation(9),
            },
            ClientMessage::Prove {
                stream,
                proof: Proof::new(&[6; 32], []),
            },
            ClientMessage::Standby {
                token: Token::from_bytes([2; 16]),
            },
        ]
    }

    #[test]
    fn every_client_message_reads_back_and_no_piece_of_it_does() {
        for message in client_messages() {
            let content = content(message.encode());
            assert_eq!(ClientMessage::decode(&content), Ok(message));
            for cut in 0..content.len() {
                assert!(ClientMessage::decode(&content[..cut]).is_err());
            }
            let longer = [&content[..], &[0]].concat();
            assert_eq!(
                ClientMessage::decode(&longer),
                Err(MessageError::Trailing(1))
            );
        }
    }

    #[test]
    fn every_server_message_reads_back() {
        let stream = StreamId(7);
        let id = FileId::from_bytes([3; 16]);
        let messages = [
            ServerMessage::Welcome {
                server: ServerId::from_bytes([1; 16]),
                limits: Limits::default(),
                credit: 1 << 20,
                heartbeat: 5000,
            },
            ServerMessage::Opened {
                stream,
                id,
                have: RangeSet::full(0..9),
            },
            ServerMessage::Hashes {
                stream,
                hashes: vec![BlockHash([1; 32]); HASHES_PER_MESSAGE],
            },
            ServerMessage::Failed {
                stream,
                trouble: Trouble::TooLarge { limit: 1 },
            },
            ServerMessage::Gone { stream },
            ServerMessage::Ack {
                stream,
                received: 2,
                durable: 1,
            },
            ServerMessage::Credit {
                limit: 10,
                window: 5,
            },
            ServerMessage::Nack { stream, block: 5 },
            ServerMessage::Sealed {
                stream,
                id,
                path: "a/b".into(),
                root: Root([6; 32]),
            },
            ServerMessage::Paused { stream, durable: 1 },
            ServerMessage::Cancelled { stream },
            ServerMessage::Snapshot {
                topic: Topic::Live,
                uploads: vec![],
            },
            ServerMessage::Changed {
                topic: Topic::Live,
                uploads: vec![],
                gone: vec![id],
            },
            ServerMessage::Pong,
            ServerMessage::Drain { retry_after: 500 },
            ServerMessage::Match {
                stream,
                blocks: RangeSet::full(1..4),
                challenge: [7; 32],
            },
            ServerMessage::Asked {
                id,
                wish: Wish::Pause,
            },
            ServerMessage::Pulse(Pulse {
                whole: true,
                from: 7,
                seconds: vec![Second::default(); PULSE],
                sending: 1,
                watching: 2,
            }),
        ];
        for message in messages {
            assert_eq!(
                ServerMessage::decode(&content(message.encode())),
                Ok(message)
            );
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let _ = ClientMessage::decode(&bytes);
            let _ = ServerMessage::decode(&bytes);
        }
    }
}
