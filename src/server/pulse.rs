//! What went through the server in each of the last seconds.
//!
//! The invariant: it remembers [`PULSE`] seconds at most, however long nothing happens.

use std::collections::VecDeque;

use crate::protocol::live::{PULSE, Pulse, Second};

/// The last seconds.
#[derive(Debug, Default)]
pub struct Ring {
    seconds: VecDeque<Second>,
    /// The number of the second after the last one.
    end: u64,
}

impl Ring {
    /// That second, to add to it. Seconds come in their order; who is late counts for the
    /// last one.
    pub fn at(&mut self, second: u64) -> &mut Second {
        if second >= self.end {
            let passed = second + 1 - self.end;
            if passed >= PULSE as u64 {
                self.seconds.clear();
            }
            let passed = passed.min(PULSE as u64) as usize;
            let keep = PULSE - passed;
            let old = self.seconds.len().saturating_sub(keep);
            self.seconds.drain(..old);
            let len = self.seconds.len() + passed;
            self.seconds.resize(len, Second::default());
            self.end = second + 1;
        }
        let last = self.seconds.len() - 1;
        &mut self.seconds[last]
    }

    /// The seconds that are over at the beginning of the second `now`, from `from` on; or all
    /// of them, without those at the beginning in which nothing happened.
    pub fn pulse(&mut self, from: Option<u64>, now: u64) -> Pulse {
        self.at(now);
        let first = self.end - self.seconds.len() as u64;
        let over = self.seconds.len() - 1;
        let still = |second: &&Second| **second == Second::default();
        let skipped = match from {
            Some(from) => from.saturating_sub(first) as usize,
            None => self.seconds.iter().take(over).take_while(still).count(),
        };
        Pulse {
            whole: from.is_none(),
            from: first + skipped as u64,
            seconds: self
                .seconds
                .iter()
                .take(over)
                .skip(skipped)
                .copied()
                .collect(),
            ..Pulse::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(pulse: &Pulse) -> Vec<u64> {
        pulse.seconds.iter().map(|s| s.received).collect()
    }

    #[test]
    fn only_what_is_over_is_told_and_nothing_twice() {
        let mut ring = Ring::default();
        ring.at(3).received += 5;
        ring.at(3).received += 1;
        assert_eq!(received(&ring.pulse(None, 3)), [0; 0]);
        ring.at(5).received += 7;
        // Whoever looked at the clock a moment before another.
        ring.at(4).received += 1;
        let pulse = ring.pulse(None, 6);
        assert_eq!(
            (pulse.whole, pulse.from, received(&pulse)),
            (true, 3, vec![6, 0, 8])
        );
        let pulse = ring.pulse(Some(5), 6);
        assert_eq!(
            (pulse.whole, pulse.from, received(&pulse)),
            (false, 5, vec![8])
        );
        assert_eq!(received(&ring.pulse(Some(6), 6)), [0; 0]);
    }

    #[test]
    fn it_remembers_some_minutes_and_no_more() {
        let mut ring = Ring::default();
        for second in 0..1000 {
            ring.at(second).received = second;
            assert!(ring.seconds.len() <= PULSE);
        }
        let pulse = ring.pulse(None, 1000);
        assert_eq!(pulse.from + pulse.seconds.len() as u64, 1000);
        assert_eq!(pulse.seconds.last().map(|s| s.received), Some(999));
        assert_eq!(pulse.seconds.len(), PULSE - 1);
        // A long night.
        let pulse = ring.pulse(None, 90_000);
        assert_eq!(received(&pulse), [0; 0]);
        assert_eq!(pulse.from, 90_000);
        assert!(ring.seconds.len() <= PULSE);
        let pulse = ring.pulse(Some(1000), 90_000);
        assert_eq!(pulse.from, 90_001 - PULSE as u64);
        assert_eq!(pulse.seconds.len(), PULSE - 1);
    }
}
