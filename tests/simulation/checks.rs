//! What must hold, whatever happens. Everything is compared with the truth, which is on
//! the virtual disk and in the virtual registry.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use longhaul::protocol::client::Effect;
use longhaul::protocol::close::CloseCode;
use longhaul::protocol::id::{FileId, Token};
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::sender::{Row, RowState};
use longhaul::protocol::{StreamId, Time};
use longhaul::registry::{Epoch, Found};
use longhaul::verify::{BLOCK, BlockHash, block_len};

use super::client::Socket;
use super::extents::equal;
use super::network::{Link, LinkId};
use super::session::Session;
use super::world::World;

/// What was said, and what people wanted.
#[derive(Debug, Default)]
pub struct Checks {
    said: BTreeMap<FileId, Said>,
    /// Uploads that somebody has ended, and their tokens: what was on its way then may begin
    /// anew with one.
    ended: BTreeSet<FileId>,
    tokens: BTreeSet<Token>,
    pub cancelled: BTreeSet<FileId>,
    /// How far each stream was said to be, and whether a block was refused since.
    streams: BTreeMap<(usize, StreamId), u64>,
    /// When anything that people see changed last.
    pub changed: Time,
    /// How often somebody helped each upload.
    pub helped: BTreeMap<(usize, u64, u32), u32>,
    pub idle_since: Option<Time>,
}

/// The most that the server said of an upload.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    received: u64,
    durable: u64,
}

impl Checks {
    pub fn ended(&mut self, id: FileId, token: Token) {
        self.ended.insert(id);
        self.tokens.insert(token);
    }
}

impl World {
    /// The server says something to a client: it must be true now.
    pub fn said(&mut self, session: &Session, message: &ServerMessage) {
        self.say(|| format!("the server says {message:?}"));
        let link = session.link;
        match message {
            ServerMessage::Opened {
                stream, id, have, ..
            } => {
                if let Some(entry) = self.server.books.upload(*id) {
                    for block in have.values() {
                        let known = entry.blocks.contains_key(&block);
                        assert!(known, "block {block} of {id} is claimed and not recorded");
                    }
                    let size = entry.manifest.size;
                    let durable = have.values().map(|block| block_len(block, size)).sum();
                    self.hear(*id, durable, durable);
                    self.checks.streams.insert((link, *stream), durable);
                }
            }
            ServerMessage::Ack {
                stream,
                received,
                durable,
            } => {
                let last = self.checks.streams.insert((link, *stream), *received);
                let fell = last.is_some_and(|last| *received < last);
                assert!(!fell, "what is received fell from {last:?} to {received}");
                if let Some(&id) = session.ids.get(stream) {
                    self.hear(id, *received, *durable);
                }
            }
            ServerMessage::Nack { stream, .. } => {
                self.checks.streams.remove(&(link, *stream));
            }
            ServerMessage::Paused { stream, durable } => {
                if let Some(&id) = session.ids.get(stream) {
                    self.hear(id, *durable, *durable);
                }
            }
            ServerMessage::Sealed { id, root, .. } => {
                let file = self.server.books.file(*id);
                let digest = file.map(|file| file.digest);
                assert_eq!(digest, Some(*root), "{id} is said to be stored");
            }
            _ => {}
        }
    }

    fn hear(&mut self, id: FileId, received: u64, durable: u64) {
        assert!(durable <= received, "{id}: {durable} of {received}");
        if let Some(entry) = self.server.books.upload(id) {
            assert!(received <= entry.manifest.size, "{id}: more than its size");
            let truth = entry.durable();
            assert!(
                durable <= truth,
                "{id}: {durable} durable, in truth {truth}"
            );
        }
        let said = self.checks.said.entry(id).or_default();
        said.received = said.received.max(received);
        said.durable = said.durable.max(durable);
    }

    /// Blocks are recorded as durable, by the newest holder: they must be.
    pub fn check_recorded(&mut self, id: FileId, epoch: Epoch, blocks: &[(u64, BlockHash)]) {
        let newest = self.server.books.upload(id).map(|entry| entry.epoch);
        assert_eq!(
            newest,
            Some(epoch),
            "an older holder records blocks of {id}"
        );
        for (block, hash) in blocks {
            self.check_block(id, *block, *hash);
        }
    }

    fn check_block(&self, id: FileId, block: u64, hash: BlockHash) {
        let Some(entry) = self.server.books.upload(id) else {
            return;
        };
        let size = entry.manifest.size;
        let start = block * BLOCK;
        let end = start + block_len(block, size);
        let part = self.server.disk.part(id);
        let Some(part) = part else {
            panic!("block {block} of {id} is recorded, and there is no part");
        };
        let Some(pieces) = part.safe(start, end) else {
            panic!("block {block} of {id} is recorded and not synced");
        };
        if part.rotten(start, end) {
            return;
        }
        let source = self.source_of(&entry.manifest.path);
        let of = start as usize..end as usize;
        let sent = self.sources[source].versions.iter();
        let mut sent = sent.filter_map(|version| version.content.get(of.clone()));
        if sent.any(|bytes| equal(&pieces, bytes)) {
            return;
        }
        // Bytes that nobody has any more were still what was recorded.
        let mut hasher = longhaul::verify::BlockHasher::new(block, size);
        pieces.iter().for_each(|piece| hasher.update(piece));
        assert!(
            hasher.finish() == hash,
            "block {block} of {id} is not what was recorded"
        );
    }

    /// A file is stored: it must be a file that somebody had, whole and unmixed.
    pub fn check_stored(&mut self, id: FileId) {
        let Some(file) = self.server.books.file(id) else {
            panic!("{id} is stored and unknown");
        };
        let placed = self.server.disk.file(&file.path);
        // One empty file is as good as another.
        let Some(placed) = placed.filter(|placed| placed.id == id || file.size == 0) else {
            panic!("{} is recorded and not there", file.path);
        };
        // "3 (2).bin" came from "3.bin".
        let number: String = file.path.chars().take_while(char::is_ascii_digit).collect();
        let source = self.source_of(&format!("{number}.bin"));
        let rotten = !placed.content.rot.is_empty();
        let same = self.sources[source].versions.iter().any(|version| {
            // Where the disk has damaged a byte, its digest still is what was sent.
            version.digest == file.digest && placed.content.equals(&version.content)
        });
        assert!(
            same,
            "{} is stored and is not what was sent (damaged by the disk: {rotten})",
            file.path
        );
    }

    /// The server gives an upload up because nothing of it is left.
    pub fn check_abandoned(&mut self, id: FileId) {
        let said = self.checks.said.get(&id).copied().unwrap_or_default();
        let ended = self.checks.ended.contains(&id);
        assert!(
            ended || said.durable == 0,
            "{id} is given up, and {} bytes of it were acknowledged",
            said.durable
        );
    }

    /// After a crash all is there that was ever said to be.
    pub fn check_after_crash(&mut self) {
        for (&id, said) in &self.checks.said {
            if self.checks.ended.contains(&id) || self.server.books.file(id).is_some() {
                continue;
            }
            let Some(entry) = self.server.books.upload(id) else {
                assert!(
                    said.durable == 0,
                    "{id} is gone, and {} bytes of it were acknowledged",
                    said.durable
                );
                continue;
            };
            assert!(
                entry.durable() >= said.durable,
                "{id}: {} bytes were acknowledged, {} are there",
                said.durable,
                entry.durable()
            );
            for (&block, &hash) in &entry.blocks {
                self.check_block(id, block, hash);
            }
        }
        self.check_files();
    }

    pub fn check_files(&mut self) {
        let ids: Vec<FileId> = self.server.books.files().map(|file| file.id).collect();
        for id in ids {
            self.check_stored(id);
        }
    }

    /// The server ends a connection: there must be a reason.
    pub fn check_closed(&self, link: LinkId, code: CloseCode) {
        let this = &self.links[link];
        match code {
            CloseCode::Superseded => self.check_superseded(this),
            CloseCode::Restart | CloseCode::HeartbeatLost => {}
            // What a ghost says need not make sense.
            code => assert!(
                this.garbled || this.client.is_none(),
                "the server closes with {code:?}"
            ),
        }
    }

    /// A newer connection of the same client must be there.
    fn check_superseded(&self, this: &Link) {
        let newer =
            |other: &Link| other.client == this.client && other.generation > this.generation;
        let ghost = this.client.is_none();
        assert!(
            ghost || self.links.iter().any(newer),
            "{:?} is superseded by an older connection",
            this.generation
        );
    }

    /// The connection asks for something: it must make sense for its sockets.
    pub fn check_socket(&mut self, client: usize, effect: &Effect) {
        let sockets = &mut self.clients[client].sockets;
        match effect {
            Effect::Open(generation) => {
                let live = |socket: &Socket| matches!(socket, Socket::Connecting | Socket::Open);
                assert!(!sockets.values().any(live), "a second socket");
                let before = sockets.insert(*generation, Socket::Connecting);
                assert_eq!(before, None, "a generation twice");
            }
            Effect::Send(generation, _) => {
                let socket = sockets.get(generation);
                let open = matches!(socket, Some(Socket::Open | Socket::Closed));
                assert!(open, "a message for {socket:?}");
            }
            Effect::Close(generation, _) => {
                let socket = sockets.insert(*generation, Socket::Closing);
                let closable = matches!(
                    socket,
                    Some(Socket::Connecting | Socket::Open | Socket::Closed)
                );
                assert!(closable, "a close for {socket:?}");
            }
            Effect::Forget(generation) => {
                let socket = sockets.insert(*generation, Socket::Closed);
                let over = matches!(socket, Some(Socket::Closing | Socket::Closed));
                assert!(over, "{socket:?} is forgotten and was not closed");
            }
            Effect::Lane(..) => panic!("nobody said that a socket is full"),
            Effect::Upload(_) => {}
        }
    }

    /// A client forgets an upload: it must be stored, or over.
    pub fn check_forgotten(&self, client: usize, token: Token) {
        // Where somebody else proved to have the file, it goes on with another token.
        let Some(Found::Upload(id)) = self.server.books.find(token) else {
            return;
        };
        let Some(entry) = self.server.books.upload(id) else {
            return;
        };
        // Nor is it forgotten where another tab goes on with it.
        let mut others = self.clients.iter().enumerate();
        if others.any(|(other, it)| other != client && it.journal.contains_key(&token)) {
            return;
        }
        let source = self.source_of(&entry.manifest.path);
        let over = self.clients[client].cancelled.contains(&source)
            || self.checks.cancelled.contains(&id)
            || self.checks.tokens.contains(&token);
        assert!(over, "client {client} forgets {id}, which is unfinished");
    }

    /// Nothing is asked of the server about an upload that a crash of its client would
    /// have it forget: it would begin a second one.
    pub fn check_written_down(&self, client: usize, message: &Bytes) {
        let content = message.get(1..).unwrap_or_default();
        if let (Some(0), Ok(ClientMessage::Open { token, .. })) =
            (message.first(), ClientMessage::decode(content))
        {
            let known = self.clients[client].journal.contains_key(&token);
            assert!(
                known,
                "client {client} opens what its journal does not have"
            );
        }
    }

    /// What people see must have been said by the server.
    pub fn check_rows(&mut self, client: usize) {
        let now = self.clock(client);
        if !self.clients[client].half.sender.has_changes() {
            return;
        }
        let (rows, gone) = self.clients[client].half.sender.take_changes(now);
        if !rows.is_empty() || !gone.is_empty() {
            self.checks.changed = self.now;
        }
        for row in rows {
            self.check_row(client, &row);
        }
    }

    fn check_row(&self, client: usize, row: &Row) {
        let said = row.id.and_then(|id| self.checks.said.get(&id)).copied();
        let said = said.unwrap_or_default();
        let name = format!("client {client}, {}", row.path);
        if row.state == RowState::Stored {
            let file = row.id.and_then(|id| self.server.books.file(id));
            let digest = file.map(|file| file.digest);
            assert!(
                digest.is_some() && digest == row.digest,
                "{name} is not stored"
            );
            return;
        }
        assert!(row.durable <= row.received, "{name}: {row:?}");
        assert!(row.received <= row.size, "{name}: {row:?}");
        assert!(
            row.durable <= said.durable,
            "{name}: {} is shown as durable, {} was said",
            row.durable,
            said.durable
        );
        assert!(
            row.received <= said.received,
            "{name}: {} is shown as received, {} was said",
            row.received,
            said.received
        );
    }

    /// Bytes that wait for the disk are bounded. A share that was granted is not taken
    /// back when another connection joins, so it is the budget for the first, half of it
    /// for the second, and so on.
    pub fn check_memory(&mut self) {
        let (waiting, budget) = (self.server.waiting, self.server.budget_total);
        let most: u64 = (1..=self.server.members).map(|n| budget / n).sum();
        assert!(waiting <= most, "{waiting} bytes wait, at most {most} may");
    }
}
