//! What a client may not do ends its connection with the code that says so.

use std::time::Duration;

use super::*;
use crate::protocol::frame::encode_data;
use crate::verify::{BLOCK, Proof};

const SIZE: u64 = 3 * BLOCK;

fn settings() -> Settings {
    Settings {
        server: ServerId::from_bytes([0; 16]),
        limits: Limits::default(),
        share: 1024,
        heartbeat: Duration::from_secs(5),
        cadence: Cadence::default(),
    }
}

fn hello(version: u16) -> Vec<u8> {
    ClientMessage::Hello {
        version,
        client: ClientId::from_bytes([0; 16]),
        generation: Generation(1),
    }
    .encode()
}

fn open(stream: u32) -> Vec<u8> {
    ClientMessage::Open {
        stream: StreamId(stream),
        manifest: Manifest {
            path: "a".into(),
            size: SIZE,
            modified: None,
            media_type: String::new(),
        },
        token: Token::from_bytes([2; 16]),
        begun: false,
        verify: false,
    }
    .encode()
}

/// The close code after these messages, the first upload being granted at once.
fn code(messages: &[Vec<u8>]) -> Option<CloseCode> {
    let mut receiver = Receiver::new(settings());
    for message in messages {
        receiver.message(message.clone().into(), Time::ZERO);
        while let Some(effect) = receiver.poll_effect() {
            match effect {
                Effect::Open { stream, .. } => {
                    let id = FileId::from_bytes([1; 16]);
                    let blocks = Vec::new();
                    receiver.opened(stream, Opening::Granted { id, blocks }, Time::ZERO);
                }
                Effect::Close(code) => return Some(code),
                _ => {}
            }
        }
    }
    None
}

fn data(stream: u32, offset: u64, len: usize) -> Vec<u8> {
    encode_data(StreamId(stream), offset, &vec![0; len])
}

#[test]
fn each_violation_has_its_close_code() {
    let protocol = Some(CloseCode::Protocol);
    let cases = [
        ("a message before hello", vec![open(0)], protocol),
        ("data before hello", vec![data(0, 0, 1)], protocol),
        ("another version", vec![hello(99)], Some(CloseCode::Version)),
        (
            "hello twice",
            vec![hello(VERSION), hello(VERSION)],
            protocol,
        ),
        ("an unknown frame", vec![hello(VERSION), vec![77]], protocol),
        (
            "an unknown message",
            vec![hello(VERSION), vec![0, 99]],
            protocol,
        ),
        (
            "a stream that never was",
            vec![hello(VERSION), data(0, 0, 1)],
            protocol,
        ),
        (
            "a stream id again",
            vec![hello(VERSION), open(3), open(3)],
            protocol,
        ),
        (
            "the middle of a block first",
            vec![hello(VERSION), open(0), data(0, 5, 1)],
            protocol,
        ),
        (
            "a gap within a block",
            vec![hello(VERSION), open(0), data(0, 0, 4), data(0, 5, 1)],
            protocol,
        ),
        (
            "a block before the last one is whole",
            vec![hello(VERSION), open(0), data(0, 0, 4), data(0, BLOCK, 1)],
            protocol,
        ),
        (
            "data past the end",
            vec![hello(VERSION), open(0), data(0, SIZE, 1)],
            protocol,
        ),
        (
            "more than the credit",
            vec![hello(VERSION), open(0), data(0, 0, 1025)],
            protocol,
        ),
        (
            "a hash of a block that did not come",
            vec![
                hello(VERSION),
                open(0),
                ClientMessage::BlockHash {
                    stream: StreamId(0),
                    block: 0,
                    hash: BlockHash([0; 32]),
                }
                .encode(),
            ],
            protocol,
        ),
        (
            "nothing wrong",
            vec![hello(VERSION), open(0), data(0, 0, 4), data(0, 4, 4)],
            None,
        ),
    ];
    for (what, messages, expected) in cases {
        assert_eq!(code(&messages), expected, "{what}");
    }
}

#[test]
fn a_stream_that_ended_is_an_ordinary_case() {
    let pause = ClientMessage::Pause {
        stream: StreamId(0),
    }
    .encode();
    let cancel = ClientMessage::Cancel {
        stream: StreamId(0),
    }
    .encode();
    let mut receiver = Receiver::new(settings());
    for message in [hello(VERSION), open(0), pause] {
        receiver.message(message.into(), Time::ZERO);
    }
    receiver.released(StreamId(0));
    // A thousand bytes again and again: what is dropped is credited.
    for _ in 0..8 {
        receiver.message(data(0, 0, 1000).into(), Time::ZERO);
        while receiver.poll_send().is_some() {}
    }
    receiver.message(cancel.into(), Time::ZERO);
    let closed =
        std::iter::from_fn(|| receiver.poll_effect()).any(|e| matches!(e, Effect::Close(_)));
    assert!(!closed);
}

#[test]
fn a_topic_is_begun_anew_whenever_it_is_asked_for() {
    let watch = |n: usize| {
        let id = FileId::from_bytes([n as u8; 16]);
        let topic = Topic::Upload(id);
        (topic, ClientMessage::Watch { topic }.encode())
    };
    let mut receiver = Receiver::new(settings());
    receiver.message(hello(VERSION).into(), Time::ZERO);
    for _ in 0..2 {
        for (topic, message) in (0..MAX_TOPICS).map(watch) {
            effects(&mut receiver);
            receiver.message(message.into(), Time::ZERO);
            assert_eq!(effects(&mut receiver), [Effect::Watch(topic)]);
        }
    }
    let (_, message) = watch(MAX_TOPICS);
    receiver.message(message.into(), Time::ZERO);
    assert_eq!(
        effects(&mut receiver)[0],
        Effect::Close(CloseCode::Protocol)
    );
}

#[test]
fn an_upload_beyond_the_limits_fails_and_the_connection_stays() {
    let mut receiver = Receiver::new(Settings {
        limits: Limits {
            max_file_size: Some(SIZE - 1),
            ..Limits::default()
        },
        ..settings()
    });
    receiver.message(hello(VERSION).into(), Time::ZERO);
    receiver.message(open(0).into(), Time::ZERO);
    let sent: Vec<_> = std::iter::from_fn(|| receiver.poll_send()).collect();
    let trouble = Trouble::TooLarge { limit: SIZE - 1 };
    assert_eq!(
        sent.last(),
        Some(&ServerMessage::Failed {
            stream: StreamId(0),
            trouble
        })
    );
    assert_eq!(receiver.open_streams(), 0);
}

#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let mut receiver = Receiver::new(Settings {
        limits: Limits {
            max_file_size: Some(0),
            ..Limits::default()
        },
        ..settings()
    });
    receiver.message(hello(VERSION).into(), Time::ZERO);
    let mut stream = 0;
    while !receiver.is_congested() {
        receiver.message(open(stream).into(), Time::ZERO);
        stream += 1;
        assert!(stream < 10_000, "the outbox grows without end");
    }
    assert!(receiver.poll_send().is_some());
    assert!(!receiver.is_congested());
}

#[test]
fn a_size_that_is_only_announced_takes_no_memory() {
    let mut receiver = Receiver::new(settings());
    receiver.message(hello(VERSION).into(), Time::ZERO);
    let stream = StreamId(0);
    let manifest = Manifest {
        path: "a".into(),
        size: crate::protocol::manifest::MAX_SIZE,
        modified: None,
        media_type: String::new(),
    };
    let open = ClientMessage::Open {
        stream,
        manifest,
        token: Token::from_bytes([2; 16]),
        begun: false,
        verify: true,
    };
    receiver.message(open.encode().into(), Time::ZERO);
    let id = FileId::from_bytes([1; 16]);
    receiver.opened(
        stream,
        Opening::Granted {
            id,
            blocks: Vec::new(),
        },
        Time::ZERO,
    );
    assert_eq!(receiver.progress(stream), Some((0, 0)));
}

const STREAM: StreamId = StreamId(0);
const CHALLENGE: Challenge = [7; 32];

/// The blocks of an upload that rests.
fn resting() -> Vec<(u64, BlockHash)> {
    vec![(0, BlockHash([1; 32])), (2, BlockHash([2; 32]))]
}

/// A receiver that has asked for a proof, and what it said.
fn asked() -> (Receiver, Vec<ServerMessage>) {
    let mut receiver = Receiver::new(settings());
    for message in [hello(VERSION), open(0)] {
        receiver.message(message.into(), Time::ZERO);
    }
    let (challenge, blocks) = (CHALLENGE, resting());
    receiver.opened(STREAM, Opening::Matched { challenge, blocks }, Time::ZERO);
    while receiver.poll_effect().is_some() {}
    let said = std::iter::from_fn(|| receiver.poll_send()).collect();
    (receiver, said)
}

fn prove(challenge: &Challenge, blocks: Vec<(u64, BlockHash)>) -> Vec<u8> {
    let proof = Proof::new(challenge, blocks);
    let stream = STREAM;
    ClientMessage::Prove { stream, proof }.encode()
}

fn effects(receiver: &mut Receiver) -> Vec<Effect> {
    std::iter::from_fn(|| receiver.poll_effect()).collect()
}

#[test]
fn a_proof_is_right_or_not_and_no_hash_is_shown_for_it() {
    let mut other = resting();
    other[1].1.0[31] ^= 1;
    for (message, proven) in [
        (prove(&CHALLENGE, resting()), true),
        (prove(&[8; 32], resting()), false),
        (prove(&CHALLENGE, other), false),
        (prove(&CHALLENGE, Vec::new()), false),
    ] {
        let (mut receiver, said) = asked();
        let asked = ServerMessage::Match {
            stream: STREAM,
            blocks: [0, 2].into_iter().collect(),
            challenge: CHALLENGE,
        };
        assert_eq!(said.last(), Some(&asked));
        assert!(
            !said
                .iter()
                .any(|m| matches!(m, ServerMessage::Hashes { .. }))
        );
        receiver.message(message.into(), Time::ZERO);
        let settle = Effect::Settle {
            stream: STREAM,
            proven,
        };
        assert_eq!(effects(&mut receiver), [settle]);
    }
}

#[test]
fn out_of_turn_a_proof_and_all_else_is_a_violation() {
    let claim = ClientMessage::BlockHash {
        stream: STREAM,
        block: 0,
        hash: BlockHash([1; 32]),
    };
    let seal = ClientMessage::Seal {
        stream: STREAM,
        root: Root([0; 32]),
    };
    let proof = prove(&CHALLENGE, resting());
    for message in [data(0, 0, 1), claim.encode(), seal.encode()] {
        let (mut receiver, _) = asked();
        receiver.message(message.into(), Time::ZERO);
        assert_eq!(
            effects(&mut receiver)[0],
            Effect::Close(CloseCode::Protocol)
        );
    }
    let (mut receiver, _) = asked();
    for _ in 0..2 {
        effects(&mut receiver);
        receiver.message(proof.clone().into(), Time::ZERO);
    }
    assert_eq!(
        effects(&mut receiver)[0],
        Effect::Close(CloseCode::Protocol)
    );
    let protocol = Some(CloseCode::Protocol);
    assert_eq!(code(&[hello(VERSION), open(0), proof.clone()]), protocol);
    assert_eq!(code(&[hello(VERSION), proof]), protocol);

    // Data that did not wait for the question.
    let mut receiver = Receiver::new(settings());
    for message in [hello(VERSION), open(0), data(0, 0, 1)] {
        receiver.message(message.into(), Time::ZERO);
    }
    effects(&mut receiver);
    let (challenge, blocks) = (CHALLENGE, resting());
    receiver.opened(STREAM, Opening::Matched { challenge, blocks }, Time::ZERO);
    assert_eq!(
        effects(&mut receiver)[0],
        Effect::Close(CloseCode::Protocol)
    );
}

#[test]
fn a_stream_that_is_asked_for_a_proof_can_be_left() {
    let (pause, cancel) = (
        ClientMessage::Pause { stream: STREAM },
        ClientMessage::Cancel { stream: STREAM },
    );
    for (message, effect) in [
        (pause, Effect::Release(STREAM)),
        (cancel, Effect::Abort(STREAM)),
    ] {
        let (mut receiver, _) = asked();
        receiver.message(message.encode().into(), Time::ZERO);
        assert_eq!(effects(&mut receiver), [effect]);
        // The proof that was on the way.
        receiver.message(prove(&CHALLENGE, resting()).into(), Time::ZERO);
        assert_eq!(effects(&mut receiver), []);
        receiver.released(STREAM);
        assert_eq!(receiver.open_streams(), 0);
    }
    let (mut receiver, _) = asked();
    receiver.disconnected();
    assert_eq!(effects(&mut receiver), [Effect::Release(STREAM)]);
}
