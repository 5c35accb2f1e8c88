//! How much a client hands to its socket at once, at the rate that it reaches.

use super::MAX_PAYLOAD;

/// How long a frame should take on the way, and how long the socket's queue should, in
/// seconds.
const FRAME_TIME: f64 = 0.05;
const QUEUE_TIME: f64 = 0.25;

/// How short a payload may become, in bytes: the overhead stays below a thousandth.
const LEAST_PAYLOAD: f64 = 16.0 * 1024.0;

/// How long the socket's queue may be, in bytes: before the rate is known, and at any
/// rate. What waits in it holds up pings.
const FIRST_QUEUE: f64 = 256.0 * 1024.0;
const LEAST_QUEUE: f64 = 64.0 * 1024.0;
const MOST_QUEUE: f64 = 8.0 * 1024.0 * 1024.0;

/// How much a client hands to its socket at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest payload of a frame, in bytes.
    pub payload: usize,
    /// Hand over nothing while more than this waits in the socket, in bytes.
    pub queue: u64,
}

impl Pace {
    /// The pace at so many bytes per second; 0 where that is not known.
    pub fn at(rate: u64) -> Self {
        let rate = rate as f64;
        let queue = match rate {
            0.0 => FIRST_QUEUE,
            rate => (rate * QUEUE_TIME).clamp(LEAST_QUEUE, MOST_QUEUE),
        };
        Self {
            payload: (rate * FRAME_TIME).clamp(LEAST_PAYLOAD, MAX_PAYLOAD as f64) as usize,
            queue: queue as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_way_gets_small_frames_and_a_fast_one_large_ones() {
        let pace = |rate| {
            let Pace { payload, queue } = Pace::at(rate);
            (payload, queue)
        };
        assert_eq!(pace(0), (16 * 1024, 256 * 1024));
        assert_eq!(pace(100_000), (16 * 1024, 64 * 1024));
        assert_eq!(pace(2_000_000), (100_000, 500_000));
        assert_eq!(pace(u64::MAX), (MAX_PAYLOAD, 8 * 1024 * 1024));
    }
}
