//! The server's half of [`super::lanes`]: puts the messages of a client that came over
//! several sockets into the order in which they were sent.
//!
//! The invariant: what comes out is what the client said, in its order, however the
//! sockets overtook each other. What waits for a message that is still on its way is
//! bounded by the credit that the client was granted, and by a number of messages.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::frame::Number;

/// How many messages may wait for one before them.
const MOST: u32 = 16 * 1024;
/// How many bytes may wait beside the credit: frames' headers and control messages.
const BESIDE: u64 = 1024 * 1024;

/// A client's messages, sorted.
#[derive(Debug, Default)]
pub struct Order {
    /// How many were given on.
    next: u64,
    /// How many of them had no number.
    unnumbered: u64,
    held: BTreeMap<u64, Bytes>,
    /// How many bytes are held.
    bytes: u64,
}

/// What no honest client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disorder {
    /// A message without a number after one with a number.
    #[error("a message without a number")]
    Unnumbered,
    /// A number that came before.
    #[error("two messages have the same number")]
    Twice,
    /// A message that comes before others are there, where none can overtake another.
    #[error("a message is missing")]
    Missing,
    /// Too much came before what should have come first.
    #[error("a message is missing, and too many wait for it")]
    Full,
}

impl Order {
    /// Takes a message, where `credit` bytes of data may be on their way. What comes over
    /// the only socket that is left is the next one, though some after it may be here.
    pub fn take(&mut self, message: Bytes, credit: u64, alone: bool) -> Result<(), Disorder> {
        let ahead = match Number::of(&message) {
            // Those come first, and over one socket.
            None if self.unnumbered < self.next => return Err(Disorder::Unnumbered),
            None => {
                self.unnumbered += 1;
                0
            }
            Some(number) => number.since(Number::new(self.next)),
        };
        if alone && ahead != 0 {
            return Err(Disorder::Missing);
        }
        self.bytes += message.len() as u64;
        if ahead >= MOST || self.bytes > credit.saturating_add(BESIDE) {
            return Err(Disorder::Full);
        }
        let place = self.next + u64::from(ahead);
        match self.held.insert(place, message) {
            None => Ok(()),
            Some(_) => Err(Disorder::Twice),
        }
    }

    /// The next message, if it is here.
    pub fn poll(&mut self) -> Option<Bytes> {
        let message = self.held.remove(&self.next)?;
        self.next += 1;
        self.bytes -= message.len() as u64;
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::frame::{control, number};

    /// Control messages that can be told apart: so many without a number, the others with.
    fn messages(plain: u64, numbered: u64) -> Vec<Bytes> {
        (0..plain + numbered)
            .map(|n| {
                let mut message = [control(), n.to_le_bytes().to_vec()].concat();
                if n >= plain {
                    number(&mut message, Number::new(n));
                }
                message.into()
            })
            .collect()
    }

    fn polled(order: &mut Order) -> Vec<Bytes> {
        std::iter::from_fn(|| order.poll()).collect()
    }

    proptest! {
        #[test]
        fn however_sockets_overtake_each_other_the_order_is_kept(
            plain in 0u64..5,
            lanes in prop::collection::vec(0usize..4, 1..200),
            turns in prop::collection::vec(0usize..4, 0..400),
        ) {
            let all = messages(plain, lanes.len() as u64);
            // What has no number came over the first socket, before any other was there.
            let mut queues: [Vec<Bytes>; 4] = Default::default();
            queues[0].extend(all.iter().take(plain as usize).cloned());
            for (lane, message) in lanes.iter().zip(&all[plain as usize..]) {
                queues[*lane].push(message.clone());
            }
            let mut order = Order::default();
            let mut out = Vec::new();
            let rest = (0..4).flat_map(|lane| std::iter::repeat_n(lane, all.len()));
            for lane in turns.into_iter().chain(rest) {
                if !queues[lane].is_empty() {
                    let message = queues[lane].remove(0);
                    prop_assert_eq!(order.take(message, 0, false), Ok(()));
                    out.extend(polled(&mut order));
                }
            }
            prop_assert_eq!(out, all);
        }
    }

    #[test]
    fn what_no_honest_client_sends_is_refused() {
        let all = messages(1, 40_000);
        let started = || {
            let mut order = Order::default();
            assert_eq!(order.take(all[0].clone(), 0, false), Ok(()));
            assert_eq!(polled(&mut order).len(), 1);
            order
        };
        let mut order = started();
        assert_eq!(order.take(all[2].clone(), 0, false), Ok(()));
        assert!(order.poll().is_none());
        assert_eq!(order.take(all[3].clone(), 0, true), Err(Disorder::Missing));
        assert_eq!(order.take(all[1].clone(), 0, true), Ok(()));
        assert_eq!(polled(&mut order).len(), 2);
        let mut order = started();
        assert_eq!(order.take(all[2].clone(), 0, false), Ok(()));
        assert_eq!(order.take(all[2].clone(), 0, false), Err(Disorder::Twice));
        assert_eq!(
            started().take(all[20_000].clone(), 0, false),
            Err(Disorder::Full)
        );
        // One that is out already is far ahead, by its number.
        let mut order = started();
        assert_eq!(order.take(all[1].clone(), 0, false), Ok(()));
        assert_eq!(polled(&mut order).len(), 1);
        assert_eq!(
            order.take(all[0].clone(), 0, false),
            Err(Disorder::Unnumbered)
        );
        assert_eq!(order.take(all[1].clone(), 0, false), Err(Disorder::Full));
        // More bytes than the credit, and what may be beside them.
        let mut order = started();
        let mut long = vec![0; 600_000];
        for n in [2, 3] {
            long[..1].copy_from_slice(&control());
            let mut message = long.clone();
            number(&mut message, Number::new(n));
            let taken = order.take(message.into(), 1000, false);
            assert_eq!(taken.is_ok(), n == 2);
        }
    }
}
