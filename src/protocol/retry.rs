//! How long to wait before the next try: exponential backoff with full jitter
//! (M. Brooker, "Exponential Backoff And Jitter", 2015), without giving up.

use std::time::Duration;

/// Bounds of the waiting time before a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The most that is waited before the first try.
    pub first: Duration,
    /// The most that is waited before any try.
    pub most: Duration,
}

impl Backoff {
    /// For connections: 100 ms at first, at most 10 s.
    pub const CONNECTION: Self = Self {
        first: Duration::from_millis(100),
        most: Duration::from_secs(10),
    };

    /// For a server in trouble, a full disk for one: 2 s at first, at most 30 s.
    pub const TROUBLE: Self = Self {
        first: Duration::from_secs(2),
        most: Duration::from_secs(30),
    };

    /// The time to wait before try number `attempt`, counted from 0, at the place
    /// that `random` picks between nothing and the bound.
    pub fn delay(&self, attempt: u32, random: u64) -> Duration {
        let bound = self
            .first
            .saturating_mul(1 << attempt.min(20))
            .min(self.most);
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
    fn it_doubles_up_to_its_bound() {
        let most = |attempt| Backoff::CONNECTION.delay(attempt, u64::MAX).as_millis();
        assert_eq!(
            [most(0), most(1), most(2), most(30)],
            [100, 200, 400, 10_000]
        );
    }
}
