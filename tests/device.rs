//! Another device with the same file continues what the first one left; whoever has not
//! the same bytes learns nothing, takes nothing, and disturbs nobody.

use std::time::Instant;

use crate::support::{Client, Opened, TestServer, content};
use longhaul::protocol::block::Block;
use longhaul::protocol::frame::Frame;
use longhaul::protocol::id::{ClientId, FileId};
use longhaul::protocol::manifest::Manifest;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::sender::{Effect, Key, Note, Row, RowState, Sender};
use longhaul::protocol::trouble::Trouble;
use longhaul::protocol::{Generation, StreamId, VERSION};
use longhaul::verify::{BLOCK, Challenge, Proof, block, blocks};

const SIZE: u64 = 8 * BLOCK;

/// The real sender over a real socket, with one file.
struct Device {
    client: Client,
    sender: Sender,
    content: Vec<u8>,
    began: Instant,
    /// Bytes of the file that were sent.
    sent: u64,
}

impl Device {
    async fn with(server: &TestServer, path: &str, content: Vec<u8>) -> Self {
        let mut client = Client::connect(server.address, &[]).await;
        client
            .say(ClientMessage::Hello {
                version: VERSION,
                client: ClientId::from_bytes([77; 16]),
                generation: Generation(1),
            })
            .await;
        let began = Instant::now();
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).unwrap();
        let mut sender = Sender::new(Key(0), secret);
        match client.hear().await {
            Ok(ServerMessage::Welcome { limits, credit, .. }) => {
                let now = began.elapsed();
                sender.connected(limits, credit, now, now);
            }
            other => panic!("no welcome but {other:?}"),
        }
        sender.add(manifest(path, content.len() as u64));
        Self {
            client,
            sender,
            content,
            began,
            sent: 0,
        }
    }

    /// Sends until its row is like this.
    async fn until(&mut self, wanted: impl Fn(&Row) -> bool) -> Row {
        loop {
            while let Some(effect) = self.sender.poll_effect() {
                match effect {
                    Effect::Read { key, slice, range } => self.read(key, slice, range),
                    Effect::Keep(key) => self.sender.kept(key),
                    Effect::Forget(..) | Effect::Release(_) => {}
                }
            }
            while let Some(message) = self.sender.poll_transmit(64 * 1024, None) {
                if let Ok(Frame::Data { payload, .. }) = Frame::parse(message.to_vec().into()) {
                    self.sent += payload.len() as u64;
                }
                self.client.send(message.into_owned()).await;
            }
            let row = self.sender.rows(self.began.elapsed()).remove(0);
            if wanted(&row) {
                return row;
            }
            let message = self.client.hear().await.expect("the server closed");
            self.sender.message(message, self.began.elapsed(), 0);
        }
    }

    fn read(&mut self, key: Key, slice: u64, range: std::ops::Range<u64>) {
        let bytes = &self.content[range.start as usize..range.end as usize];
        for block in Block::of(range.start, self.content.len() as u64, bytes) {
            self.sender
                .read(key, slice, Ok(block), self.began.elapsed());
        }
    }

    /// Sends all; the row and the bytes that it took.
    async fn finish(&mut self) -> (Row, u64) {
        let row = self.until(|row| row.state == RowState::Stored).await;
        assert_eq!(
            row.digest.unwrap().0,
            *blake3::hash(&self.content).as_bytes()
        );
        (row, self.sent)
    }
}

fn manifest(path: &str, size: u64) -> Manifest {
    Manifest {
        path: path.into(),
        size,
        modified: None,
        media_type: String::new(),
    }
}

/// Waits until nobody holds an upload.
async fn rests(server: &TestServer, id: FileId) {
    let hub = &server.server.hub;
    let mut changes = hub.changes();
    while hub.is_held(id) {
        changes.changed().await.unwrap();
    }
}

/// Sends the first blocks of a file.
async fn begin(server: &TestServer, bytes: &[u8], count: u64) -> (Client, Opened) {
    let mut client = server.client().await;
    let opened = client.open("a.bin", bytes.len() as u64, None).await;
    for index in 0..count {
        client.block(opened.stream, bytes, index).await;
        client.durable(opened.stream, (index + 1) * BLOCK).await;
    }
    (client, opened)
}

/// As [`begin`], and leaves.
async fn left(server: &TestServer, bytes: &[u8], count: u64) -> Opened {
    let (client, opened) = begin(server, bytes, count).await;
    drop(client);
    rests(server, opened.id).await;
    opened
}

/// A client by hand that begins an upload and is asked for a proof.
struct Asked {
    client: Client,
    blocks: Vec<u64>,
    challenge: Challenge,
}

const STREAM: StreamId = StreamId(0);

impl Asked {
    async fn by(server: &TestServer) -> Self {
        let mut client = server.client().await;
        let open = ClientMessage::Open {
            stream: STREAM,
            manifest: manifest("a.bin", SIZE),
            token: crate::support::token(),
            begun: false,
            verify: true,
        };
        client.say(open).await;
        let mut asked = Self {
            client,
            blocks: Vec::new(),
            challenge: [0; 32],
        };
        asked.again().await;
        asked
    }

    async fn again(&mut self) {
        let matched = |message| match message {
            ServerMessage::Match {
                blocks, challenge, ..
            } => Some((blocks.values().collect(), challenge)),
            _ => None,
        };
        (self.blocks, self.challenge) = self.client.until(matched).await;
    }

    async fn prove(&mut self, bytes: &[u8]) {
        let size = bytes.len() as u64;
        let pieces: Vec<_> = bytes.chunks(BLOCK as usize).collect();
        let hash = |&index: &u64| (index, block::hash(index, size, pieces[index as usize]));
        let proof = Proof::new(&self.challenge, self.blocks.iter().map(hash));
        let stream = STREAM;
        self.client
            .say(ClientMessage::Prove { stream, proof })
            .await;
    }

    /// The upload that is opened for it, and how many blocks are there.
    async fn opened(&mut self) -> (FileId, u64) {
        let opened = |message| match message {
            ServerMessage::Opened { id, have, .. } => Some((id, have.count())),
            _ => None,
        };
        self.client.until(opened).await
    }

    async fn cancel(&mut self) {
        let stream = STREAM;
        self.client.say(ClientMessage::Cancel { stream }).await;
        self.client.just(ServerMessage::Cancelled { stream }).await;
    }
}

#[tokio::test]
async fn it_sends_only_what_is_not_there() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let first = left(&server, &bytes, 4).await;

    let mut second = Device::with(&server, "a.bin", bytes.clone()).await;
    let (row, sent) = second.finish().await;
    assert_eq!(sent, SIZE - 4 * BLOCK);
    assert_eq!((row.id, row.note), (Some(first.id), Some(Note::Continued)));
    assert_eq!(server.stored("a.bin"), bytes);
    assert!(server.unfinished().is_empty());
}

#[tokio::test]
async fn one_changed_byte_is_another_file() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let first = left(&server, &bytes, 4).await;

    let mut changed = bytes.clone();
    changed[3 * BLOCK as usize + 5] ^= 1;
    let mut second = Device::with(&server, "a.bin", changed.clone()).await;
    let (row, sent) = second.finish().await;
    assert_eq!((sent, row.note), (SIZE, None));
    assert_ne!(row.id, Some(first.id));
    assert_eq!(server.stored("a.bin"), changed);

    // The first device's upload is as it was, and its own.
    let mut again = server.client().await;
    let resumed = again.open("a.bin", SIZE, Some(first.token)).await;
    assert_eq!((resumed.id, resumed.have.count()), (first.id, 4));
    let (path, _) = again.finish(&resumed, &bytes).await;
    assert_eq!(server.stored(&path), bytes);
}

#[tokio::test]
async fn another_name_or_length_or_a_single_block_is_not_compared() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    left(&server, &bytes, 4).await;
    let single = content(BLOCK, 1);
    left(&server, &single, 1).await;
    for (path, bytes) in [
        ("b.bin", bytes.clone()),
        ("a.bin", content(SIZE + 1, 1)),
        ("a.bin", single),
    ] {
        let size = bytes.len() as u64;
        let mut device = Device::with(&server, path, bytes).await;
        let (row, sent) = device.finish().await;
        assert_eq!((sent, row.note), (size, None));
    }
    assert_eq!(server.unfinished().len(), 2);
}

#[tokio::test]
async fn two_who_send_the_same_file_do_not_disturb_each_other() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let (mut first, opened) = begin(&server, &bytes, 4).await;
    let mut second = Device::with(&server, "a.bin", bytes.clone()).await;
    let (_, sent) = second.finish().await;
    assert_eq!(sent, SIZE);
    for index in 4..blocks(SIZE) {
        first.block(opened.stream, &bytes, index).await;
        first.durable(opened.stream, (index + 1) * BLOCK).await;
    }
    let (path, _) = first.seal(opened.stream, &bytes).await;
    assert_eq!(path, "a (2).bin");
    assert_eq!(server.stored(&path), bytes);
}

#[tokio::test]
async fn the_first_device_hears_where_its_upload_is() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let first = left(&server, &bytes, 4).await;
    let mut second = Asked::by(&server).await;
    second.prove(&bytes).await;
    assert_eq!(second.opened().await, (first.id, 4));

    let mut returned = server.client().await;
    let elsewhere = |stream| ServerMessage::Failed {
        stream,
        trouble: Trouble::Elsewhere,
    };
    let (one, two, three) = (StreamId(1), StreamId(2), StreamId(3));
    returned.ask(one, SIZE, first.token).await;
    returned.just(elsewhere(one)).await;

    // While nobody continues it, it may prove what it has as anybody may.
    drop(second);
    rests(&server, first.id).await;
    returned.ask(two, SIZE, first.token).await;
    returned.just(ServerMessage::Gone { stream: two }).await;
    let mut third = Device::with(&server, "a.bin", bytes).await;
    let (_, sent) = third.finish().await;
    assert_eq!(sent, SIZE - 4 * BLOCK);

    returned.ask(three, SIZE, first.token).await;
    returned.just(elsewhere(three)).await;
}

#[tokio::test]
async fn of_two_who_prove_it_one_continues_it() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let first = left(&server, &bytes, 4).await;
    let (mut one, mut two) = (Asked::by(&server).await, Asked::by(&server).await);
    assert_ne!(one.challenge, two.challenge);
    one.prove(&bytes).await;
    assert_eq!(one.opened().await, (first.id, 4));
    two.prove(&bytes).await;
    let (id, have) = two.opened().await;
    assert_ne!(id, first.id);
    assert_eq!(have, 0);
}

#[tokio::test]
async fn what_came_since_the_question_is_asked_for_too() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let first = left(&server, &bytes, 2).await;
    let mut asked = Asked::by(&server).await;
    assert_eq!(asked.blocks, [0, 1]);

    let mut returned = server.client().await;
    let resumed = returned.open("a.bin", SIZE, Some(first.token)).await;
    returned.block(resumed.stream, &bytes, 5).await;
    returned.durable(resumed.stream, 3 * BLOCK).await;
    drop(returned);
    rests(&server, first.id).await;

    let before = asked.challenge;
    asked.prove(&bytes).await;
    asked.again().await;
    assert_eq!(asked.blocks, [0, 1, 5]);
    assert_ne!(asked.challenge, before);
    asked.prove(&bytes).await;
    assert_eq!(asked.opened().await, (first.id, 3));
}

#[tokio::test]
async fn cancelling_before_anything_was_sent_leaves_the_other_its_upload() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let first = left(&server, &bytes, 4).await;
    let durable = || {
        let live = server.unfinished();
        live.iter().map(|u| (u.id, u.durable)).collect::<Vec<_>>()
    };
    let there = [(first.id, 4 * BLOCK)];

    let mut asked = Asked::by(&server).await;
    asked.cancel().await;
    assert_eq!(durable(), there);

    let mut adopted = Asked::by(&server).await;
    adopted.prove(&bytes).await;
    adopted.opened().await;
    adopted.cancel().await;
    assert_eq!(durable(), there);

    let mut device = Device::with(&server, "a.bin", bytes.clone()).await;
    let (_, sent) = device.finish().await;
    assert_eq!(sent, SIZE - 4 * BLOCK);
    assert_eq!(server.stored("a.bin"), bytes);
}

#[tokio::test]
async fn what_was_ended_meanwhile_is_begun_anew() {
    let server = TestServer::start().await;
    let bytes = content(SIZE, 1);
    let first = left(&server, &bytes, 4).await;
    let mut asked = Asked::by(&server).await;
    assert!(server.server.hub.cancel(first.id).await.unwrap());
    asked.prove(&bytes).await;
    let (id, have) = asked.opened().await;
    assert_ne!(id, first.id);
    assert_eq!(have, 0);
}
