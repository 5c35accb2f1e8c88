//! How fast something grows, over the last few seconds.

use std::collections::VecDeque;
use std::time::Duration;

use super::Time;

/// Over how long the rate is taken.
const SPAN: Duration = Duration::from_secs(4);
/// How close together two samples may be.
const STEP: Duration = Duration::from_millis(200);

/// Measures a growing total of bytes.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    samples: VecDeque<(Time, u64)>,
}

impl Rate {
    /// Begins anew, at a total that was not reached by moving.
    pub fn reset(&mut self, now: Time, total: u64) {
        self.samples.clear();
        self.samples.push_back((now, total));
    }

    /// The total is `total` now.
    pub fn reached(&mut self, now: Time, total: u64) {
        // The newest sample moves along until it is a step away from the one before.
        let len = self.samples.len();
        if len >= 2 && now.saturating_sub(self.samples[len - 2].0) < STEP {
            self.samples.pop_back();
        }
        self.samples.push_back((now, total));
        while self.samples.len() > 2 && now.saturating_sub(self.samples[1].0) > SPAN {
            self.samples.pop_front();
        }
    }

    /// Bytes per second; 0 where nothing moved lately.
    pub fn per_second(&self, now: Time) -> u64 {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return 0;
        };
        if now.saturating_sub(last.0) > SPAN {
            return 0;
        }
        let seconds = now.saturating_sub(first.0).max(STEP).as_secs_f64();
        (last.1.saturating_sub(first.1) as f64 / seconds) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_growth_has_its_rate_and_a_stop_has_none() {
        let mut rate = Rate::default();
        rate.reset(Time::ZERO, 1000);
        for ms in (10..=10_000).step_by(10) {
            rate.reached(Duration::from_millis(ms), 1000 + ms);
        }
        let now = Duration::from_secs(10);
        assert!(
            (990..=1010).contains(&rate.per_second(now)),
            "{}",
            rate.per_second(now)
        );
        assert!(rate.samples.len() < 32);
        assert_eq!(rate.per_second(now + SPAN * 2), 0);
    }
}
