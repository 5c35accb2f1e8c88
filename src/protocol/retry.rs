//! How long to wait before the next try: exponential backoff with full jitter
//! (M. Brooker, "Exponential Backoff And Jitter", 2015), without giving up.

use std::time::Duration;

/// Bounds of the waiting time before a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The most that is waited before the first try.
    pub first: Duration,
    /// The most that is waited before one of the first [`Backoff::HOPEFUL`] tries.
    pub soon: Duration,
    /// The most that is waited before any try.
    pub most: Duration,
}

impl Backoff {
    /// How many tries are made as if what is wrong were soon over, as when a server is
    /// started again.
    pub const HOPEFUL: u32 = 40;

    /// For connections: 100 ms at first, 700 ms for about a quarter of a minute, at most
    /// 10 s.
    pub const CONNECTION: Self = Self {
        first: Duration::from_millis(100),
        soon: Duration::from_millis(700),
        most: Duration::from_secs(10),
    };

    /// For a server in trouble, a full disk for one: 2 s at first, at most 30 s.
    pub const TROUBLE: Self = Self {
        first: Duration::from_secs(2),
        soon: Duration::from_secs(30),
        most: Duration::from_secs(30),
    };

    /// The time to wait before try number `attempt`, counted from 0, at the place
    /// that `random` picks between nothing and the bound.
    pub fn delay(&self, attempt: u32, random: u64) -> Duration {
        let doubled = |from: Duration, times: u32| from.saturating_mul(1 << times.min(20));
        let bound = match attempt.checked_sub(Self::HOPEFUL) {
            None => doubled(self.first, attempt).min(self.soon),
            Some(later) => doubled(self.soon, later + 1).min(self.most),
        };
        bound.mul_f64(random as f64 / u64::MAX as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_delay_stays_in_its_bounds(attempt: u32, random: u64) {
            let delay = Backoff::CONNECTION.delay(attempt, random);
            prop_assert!(delay <= Backoff::CONNECTION.most);
            prop_assert!(Backoff::CONNECTION.delay(attempt, u64::MAX) >= delay);
        }
    }

    #[test]
    fn it_doubles_up_to_its_bounds() {
        let most = |attempt| Backoff::CONNECTION.delay(attempt, u64::MAX).as_millis();
        assert_eq!([0, 1, 2, 3, 39].map(most), [100, 200, 400, 700, 700]);
        assert_eq!(
            [40, 41, 42, 43, 60].map(most),
            [1400, 2800, 5600, 10_000, 10_000]
        );
    }
}
