//! All chance of a run, drawn from its seed.

use std::time::Duration;

/// A source of numbers that look random and are the same for the same seed
/// (SplitMix64).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds shall have nothing in common.
        let mut chance = Self(seed.wrapping_mul(0xA076_1D64_78BD_642F));
        chance.next();
        chance
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A number from `low` to `high`, each order of magnitude as likely as the next.
    pub fn magnitude(&mut self, low: u64, high: u64) -> u64 {
        let (low, high) = (low as f64, high as f64);
        let share = self.next() as f64 / u64::MAX as f64;
        (low * (high / low).powf(share)) as u64
    }

    /// Yes, in so many of a hundred cases.
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.index(from.len())])
    }

    /// A span between both, each order of magnitude as likely as the next.
    pub fn span(&mut self, low: Duration, high: Duration) -> Duration {
        let (low, high) = (low.as_micros().max(1), high.as_micros().max(1));
        Duration::from_micros(self.magnitude(low as u64, high as u64))
    }

    /// Puts them in any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.index(end + 1));
        }
    }
}
