//! Frames and messages, taken apart and put together. No byte of a file is touched.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use longhaul::protocol::block::{Block, Cutting};
use longhaul::protocol::frame::{Frame, encode_data};
use longhaul::protocol::id::Token;
use longhaul::protocol::manifest::Manifest;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::{MAX_PAYLOAD, StreamId};
use longhaul::verify::BLOCK;

const STREAM: StreamId = StreamId(7);

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec");

    let block = Block::of(0, BLOCK, &[7; BLOCK as usize]).next();
    group.bench_function("cut a block into frames", |bencher| {
        bencher.iter_batched(
            || block.clone().map(|block| Cutting::new(0, block)),
            |cutting| {
                let mut cutting = cutting?;
                while cutting.next(STREAM, MAX_PAYLOAD as u64, None) > 0 {
                    black_box(cutting.frame());
                }
                Some(cutting)
            },
            BatchSize::LargeInput,
        );
    });

    let frame = bytes::Bytes::from(encode_data(STREAM, 0, &[7; MAX_PAYLOAD]));
    group.bench_function("parse a frame of data", |bencher| {
        bencher.iter(|| Frame::parse(black_box(frame.clone())));
    });

    let open = ClientMessage::Open {
        stream: STREAM,
        manifest: Manifest {
            path: "holiday/2026/mountains and lakes.jpg".into(),
            size: 4_200_000,
            modified: Some(1_780_000_000_000),
            media_type: "image/jpeg".into(),
        },
        token: Token::from_bytes([7; 16]),
        begun: false,
        verify: true,
    };
    let ack = ServerMessage::Ack {
        stream: STREAM,
        received: 1 << 30,
        durable: 1 << 29,
    };
    let (open_bytes, ack_bytes) = (open.encode(), ack.encode());
    group.bench_function("encode Open", |bencher| {
        bencher.iter(|| black_box(&open).encode());
    });
    group.bench_function("decode Open", |bencher| {
        bencher.iter(|| ClientMessage::decode(black_box(&open_bytes[1..])));
    });
    group.bench_function("encode Ack", |bencher| {
        bencher.iter(|| black_box(&ack).encode());
    });
    group.bench_function("decode Ack", |bencher| {
        bencher.iter(|| ServerMessage::decode(black_box(&ack_bytes[1..])));
    });
    group.finish();
}
