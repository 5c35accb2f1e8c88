//! What came of the effects of a receiver.

use super::{Incoming, Opening, Receiver};
use crate::protocol::id::FileId;
use crate::protocol::message::ServerMessage;
use crate::protocol::trouble::Trouble;
use crate::protocol::{StreamId, Time};
use crate::verify::{BlockHash, Root};

impl Receiver {
    /// [`Effect::Open`] or [`Effect::Settle`] was carried out.
    pub fn opened(&mut self, stream: StreamId, opening: Opening, now: Time) {
        let Some(incoming) = self.streams.get_mut(&stream) else {
            return;
        };
        match opening {
            Opening::Granted { id, blocks } => {
                let granted = incoming.granted(stream, id, blocks, now, &mut self.out);
                self.count_freed();
                if let Err(code) = granted {
                    self.close(code);
                }
            }
            Opening::Matched { challenge, blocks } => {
                let matched = incoming.matched(stream, challenge, blocks, &mut self.out);
                if let Err(code) = matched {
                    self.close(code);
                }
            }
            Opening::Stored { id, path, root } => self.sealed(stream, id, path, root),
            Opening::Gone => self.end(stream, ServerMessage::Gone { stream }),
        }
    }

    /// [`Effect::Write`] was carried out for `bytes` bytes, which completed `hashes`.
    pub fn written(
        &mut self,
        stream: StreamId,
        bytes: u64,
        hashes: &[(u64, BlockHash)],
        now: Time,
    ) {
        if let Some(incoming) = self.streams.get_mut(&stream) {
            incoming.written(bytes, &mut self.out);
            for &(block, hash) in hashes {
                incoming.computed(stream, block, hash, &mut self.out);
            }
            incoming.let_go(stream, &mut self.out);
            incoming.tick(stream, now, &self.settings, &mut self.out);
            self.count_freed();
        }
    }

    /// [`Effect::Commit`] was carried out.
    pub fn committed(&mut self, stream: StreamId, now: Time) {
        if let Some(incoming) = self.streams.get_mut(&stream) {
            incoming.committed(stream, &mut self.out);
            incoming.tick(stream, now, &self.settings, &mut self.out);
        }
    }

    /// [`Effect::Seal`] was carried out.
    pub fn sealed(&mut self, stream: StreamId, id: FileId, path: String, root: Root) {
        self.end(
            stream,
            ServerMessage::Sealed {
                stream,
                id,
                path,
                root,
            },
        );
    }

    /// [`Effect::Release`] was carried out.
    pub fn released(&mut self, stream: StreamId) {
        let durable = self.progress(stream).map_or(0, |(_, durable)| durable);
        self.left(stream, ServerMessage::Paused { stream, durable });
    }

    /// [`Effect::Abort`] was carried out.
    pub fn aborted(&mut self, stream: StreamId) {
        self.left(stream, ServerMessage::Cancelled { stream });
    }

    fn left(&mut self, stream: StreamId, message: ServerMessage) {
        let trouble = self.streams.get(&stream).and_then(Incoming::trouble);
        let failed = trouble.map(|trouble| ServerMessage::Failed { stream, trouble });
        self.end(stream, failed.unwrap_or(message));
    }

    /// An effect of the stream could not be carried out, or someone else took or ended
    /// the upload: the stream is over, and the driver has let go of it.
    pub fn failed(&mut self, stream: StreamId, trouble: Trouble) {
        self.end(stream, ServerMessage::Failed { stream, trouble });
    }
}
