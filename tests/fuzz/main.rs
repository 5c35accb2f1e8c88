//! Whatever comes over the wire, neither side panics, hangs or lets its memory grow.
//!
//! Here the targets get random inputs, `FUZZ_INPUTS` of them; one that fails is repeated
//! by its `FUZZ_SEED`. The same targets are guided by coverage in the folder `fuzz`.
#![allow(clippy::unwrap_used)]

mod targets;

use targets::{client, server, wire};

/// How many inputs there are where nobody says.
const INPUTS: u64 = 3000;
/// How long an input is at most, in bytes.
const LONGEST: u64 = 2048;

/// Says how to repeat the input that failed.
struct Input(u64);

impl Drop for Input {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to repeat: FUZZ_SEED={} FUZZ_INPUTS=1", self.0);
        }
    }
}

fn draw(run: impl Fn(&[u8])) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let inputs = number("FUZZ_INPUTS").unwrap_or(INPUTS);
    let first = number("FUZZ_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    for seed in (0..inputs).map(|n| first.wrapping_add(n)) {
        let _input = Input(seed);
        run(&bytes(seed));
    }
}

/// Random bytes; there are more short inputs than long ones.
fn bytes(seed: u64) -> Vec<u8> {
    let mut stream = blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof();
    let mut len = [0; 4];
    stream.fill(&mut len);
    let [bound, len] = [[len[0], len[1]], [len[2], len[3]]].map(u16::from_le_bytes);
    let len = u64::from(len) % (u64::from(bound) % LONGEST + 1);
    let mut bytes = vec![0; len as usize];
    stream.fill(&mut bytes);
    bytes
}

#[test]
fn any_bytes_are_a_message_or_none() {
    draw(wire::run);
}

#[test]
fn any_client_is_survived_by_its_server() {
    draw(server::run);
}

#[test]
fn any_server_is_survived_by_its_client() {
    draw(client::run);
}
