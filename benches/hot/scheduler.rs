//! The sender with many uploads, between a disk and a server that do everything at once:
//! what it costs to decide who is next.

use criterion::{BatchSize, Criterion, Throughput};
use longhaul::protocol::block::Block;
use longhaul::protocol::id::FileId;
use longhaul::protocol::manifest::{Limits, Manifest};
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::protocol::ranges::RangeSet;
use longhaul::protocol::sender::{Effect, Key, Sender};
use longhaul::protocol::{MAX_PAYLOAD, Time};
use longhaul::verify::{BLOCK, blocks};

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scheduler");
    group.sample_size(10);
    for (name, count, size) in [
        ("1,000 files of 4 KiB", 1000, 4 << 10),
        ("10,000 files of 4 KiB", 10_000, 4 << 10),
        ("64 files of 2 MiB", 64, 2 * BLOCK),
    ] {
        // Made before and all alike: neither their hashing is measured nor their copying.
        let bytes = vec![7; size.min(BLOCK) as usize];
        let Some(made) = Block::of(0, size, &bytes).next() else {
            continue;
        };
        let needed = (count * blocks(size)) as usize;
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (sender(count, size), vec![made.clone(); needed]),
                |(sender, blocks)| send(sender, blocks),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn sender(count: u64, size: u64) -> Sender {
    let mut sender = Sender::new(Key(0), [7; 32]);
    for n in 0..count {
        sender.add(Manifest {
            path: format!("{n}.bin"),
            size,
            modified: None,
            media_type: String::new(),
        });
    }
    sender
}

/// Sends everything; how many messages that took.
fn send(mut sender: Sender, mut blocks: Vec<Block>) -> u64 {
    sender.connected(Limits::default(), u64::MAX, Time::ZERO, Time::ZERO);
    let mut messages = 0;
    let mut answers = Vec::new();
    loop {
        let mut idle = true;
        while let Some(effect) = sender.poll_effect() {
            idle = false;
            carry_out(&mut sender, effect, &mut blocks);
        }
        while let Some(message) = sender.poll_transmit(MAX_PAYLOAD, None) {
            idle = false;
            messages += 1;
            answers.extend(answer(&message));
        }
        for answer in answers.drain(..) {
            sender.message(answer, Time::ZERO, 0);
        }
        if idle {
            return messages;
        }
    }
}

fn carry_out(sender: &mut Sender, effect: Effect, made: &mut Vec<Block>) {
    match effect {
        Effect::Read { key, slice, range } => {
            let read = made.len() - blocks(range.end - range.start) as usize;
            for block in made.drain(read..) {
                sender.read(key, slice, Ok(block), Time::ZERO);
            }
        }
        Effect::Keep(key) => sender.kept(key),
        Effect::Forget(..) | Effect::Release(_) => {}
    }
}

/// The server's, where it has one.
fn answer(message: &[u8]) -> Option<ServerMessage> {
    // Of a frame of data the kind is enough.
    let Some((0, content)) = message.split_first() else {
        return None;
    };
    let id = FileId::from_bytes([7; 16]);
    match ClientMessage::decode(content).ok()? {
        ClientMessage::Open { stream, .. } => Some(ServerMessage::Opened {
            stream,
            id,
            have: RangeSet::new(),
        }),
        ClientMessage::Seal { stream, root } => Some(ServerMessage::Sealed {
            stream,
            id,
            path: String::new(),
            root,
        }),
        _ => None,
    }
}
