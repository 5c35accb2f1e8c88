//! Flow control: how many bytes of data a client may have sent on one connection.
//!
//! Credit is a running total, as QUIC's `MAX_DATA`: the server says up to which
//! total it takes data, the client counts what it sent. A grant that is repeated or
//! arrives late therefore changes nothing. What the server grants comes out of one
//! [`Budget`] for all its connections, so its memory stays flat however many
//! clients send and however slow its disk is.
//!
//! How much is worth granting depends on the way: what fits on it in the time that a grant
//! takes to come back. The client measures that, where it had to wait for a grant, and asks
//! for twice as much, until it no longer waits or the server gives no more.

use std::time::Duration;

use super::Time;

/// How many bytes may be on their way before anybody has asked for more.
pub const FIRST_WINDOW: u64 = 8 * 1024 * 1024;

/// The client's side: what it may still send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    sent: u64,
    limit: u64,
    /// How many bytes may be on their way at once.
    width: u64,
    /// How long a message takes there and its answer back.
    round_trip: Duration,
    /// Since when it is measured how much is sent, and what was sent before.
    since: (Time, u64),
    /// What it asked for last.
    wanted: u64,
}

impl Window {
    /// The window of a new connection, which may send `limit` bytes, where a message and its
    /// answer take as long as `round_trip`.
    pub fn new(limit: u64, round_trip: Duration, now: Time) -> Self {
        Self {
            sent: 0,
            limit,
            width: limit,
            round_trip,
            since: (now, 0),
            wanted: FIRST_WINDOW,
        }
    }

    /// Takes a new total, with which so many bytes may be on their way at once; a smaller
    /// one than before is an old message.
    pub fn granted(&mut self, limit: u64, width: u64) {
        if limit >= self.limit {
            (self.limit, self.width) = (limit, width);
        }
    }

    /// How long a frame should be at most, in bytes: each also takes memory of the server
    /// while it arrives.
    pub fn frame(&self) -> u64 {
        self.width / 2
    }

    /// How many bytes may be on their way at once.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// How many bytes may be sent now.
    pub fn room(&self) -> u64 {
        self.limit - self.sent
    }

    /// A grant was waited for. Gives how many bytes should be on their way, if that is
    /// clearly more than was asked for before.
    pub fn waited(&mut self, now: Time) -> Option<u64> {
        let (since, sent) = self.since;
        let time = now.saturating_sub(since);
        if time < self.round_trip {
            return None;
        }
        self.since = (now, self.sent);
        let on_the_way = (self.sent - sent) as f64 * self.round_trip.div_duration_f64(time);
        let worth = 2 * on_the_way as u64;
        if worth / 5 * 4 <= self.wanted {
            return None;
        }
        self.wanted = worth;
        Some(worth)
    }

    /// Counts bytes as sent, as many as there is room for; returns how many.
    pub fn take(&mut self, bytes: u64) -> u64 {
        let taken = bytes.min(self.room());
        self.sent += taken;
        taken
    }
}

/// The client sent more than it was allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{over} bytes were sent beyond the credit")]
pub struct Overdrawn {
    /// By how many bytes.
    pub over: u64,
}

/// The server's side: what a client may send, and what it has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// How much there is room for, and how much is worth it.
    share: u64,
    window: u64,
    received: u64,
    done: u64,
    granted: u64,
}

impl Meter {
    /// The most credit that waits to be told of, in bytes.
    const STEP: u64 = 1024 * 1024;

    /// Allows `share` bytes at most to be on their way or in memory at once.
    pub fn new(share: u64) -> Self {
        Self {
            share,
            window: FIRST_WINDOW,
            received: 0,
            done: 0,
            granted: share.min(FIRST_WINDOW),
        }
    }

    /// How many bytes may be on their way or in memory at once: at first a third of the share,
    /// and as many more as have been written. Of those who come together, the first would
    /// otherwise fill large shares before there were others.
    pub fn capacity(&self) -> u64 {
        let proven = (self.share / 3)
            .max(Budget::LEAST)
            .saturating_add(self.done);
        self.share.min(self.window).min(proven)
    }

    /// The total the client was allowed last.
    pub fn limit(&self) -> u64 {
        self.granted
    }

    /// Bytes that were received in all.
    pub fn total(&self) -> u64 {
        self.received
    }

    /// Bytes that were received and still occupy memory.
    pub fn pending(&self) -> u64 {
        self.received - self.done
    }

    /// Counts bytes as received.
    pub fn received(&mut self, bytes: u64) -> Result<(), Overdrawn> {
        self.received += bytes;
        match self.received.saturating_sub(self.granted) {
            0 => Ok(()),
            over => Err(Overdrawn { over }),
        }
    }

    /// The client asks for so many bytes on their way.
    pub fn wanted(&mut self, window: u64) {
        self.window = window.clamp(FIRST_WINDOW, Budget::MOST);
    }

    /// Counts bytes as written: they no longer occupy memory.
    pub fn done(&mut self, bytes: u64) {
        self.done = (self.done + bytes).min(self.received);
    }

    /// Changes how many bytes there is room for. What was granted stays granted: a smaller
    /// share takes hold as the client uses it up.
    pub fn set_share(&mut self, share: u64) {
        self.share = share;
    }

    /// Whether a new total is worth a message.
    pub fn due(&self) -> bool {
        let limit = self.done + self.capacity();
        let step = (self.capacity() / 4).clamp(1, Self::STEP);
        limit.saturating_sub(self.granted) >= step
    }

    /// A new total for the client, once it is due.
    pub fn grant(&mut self) -> Option<u64> {
        self.due().then(|| {
            self.granted = self.done + self.capacity();
            self.granted
        })
    }
}

/// The memory that all sending connections share for data on its way.
///
/// Each gets the same share. When one more joins, the shares of the others shrink,
/// and take hold as they use up what they were granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    total: u64,
    members: u64,
}

impl Budget {
    /// The smallest share of a connection, and what it may send before it joins, in
    /// bytes.
    pub const LEAST: u64 = 64 * 1024;
    /// The largest share of a connection, in bytes: 50 ms at 640 MB/s. What is on its way when
    /// a server ends is sent twice.
    pub const MOST: u64 = 32 * 1024 * 1024;

    /// A budget of `total` bytes.
    pub fn new(total: u64) -> Self {
        Self { total, members: 0 }
    }

    /// Takes a connection in; whether there is room for its share.
    pub fn join(&mut self) -> bool {
        let room = (self.members + 1).saturating_mul(Self::LEAST) <= self.total;
        self.members += u64::from(room);
        room
    }

    /// Lets a connection go that had joined.
    pub fn leave(&mut self) {
        self.members = self.members.saturating_sub(1);
    }

    /// All of it, in bytes.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many connections have a share.
    pub fn members(&self) -> u64 {
        self.members
    }

    /// The shares of all connections, in bytes.
    pub fn granted(&self) -> u64 {
        self.members * self.share()
    }

    /// The share of each connection, in bytes.
    pub fn share(&self) -> u64 {
        (self.total / self.members.max(1)).clamp(Self::LEAST, Self::MOST)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the order of sending, writing and granting: never more than the
        /// share is in memory, an honest client is never overdrawn, and once all
        /// is written it can send again.
        #[test]
        fn memory_is_bounded_and_nobody_starves(
            share in 1u64..40_000_000,
            smaller in 1u64..40_000_000,
            steps in prop::collection::vec((0u8..4, 1u64..16_000_000), 0..200),
        ) {
            let mut meter = Meter::new(share);
            let mut window = Window::new(meter.limit(), Duration::ZERO, Time::ZERO);
            let mut in_flight = 0;
            for (step, bytes) in steps {
                match step {
                    0 => in_flight += window.take(bytes),
                    1 => {
                        let arrived = bytes.min(in_flight);
                        in_flight -= arrived;
                        prop_assert_eq!(meter.received(arrived), Ok(()));
                    }
                    2 => meter.wanted(bytes),
                    _ => {
                        meter.done(bytes.min(meter.pending()));
                        if let Some(limit) = meter.grant() {
                            window.granted(limit, meter.capacity());
                        }
                    }
                }
                prop_assert!(meter.pending() + in_flight <= share);
            }
            meter.set_share(smaller);
            prop_assert_eq!(meter.received(in_flight), Ok(()));
            meter.done(meter.pending());
            if let Some(limit) = meter.grant() {
                window.granted(limit, meter.capacity());
            }
            prop_assert!(window.room() > 0);
            prop_assert!(meter.received(window.room() + 1).is_err());
        }

        #[test]
        fn the_shares_never_exceed_the_budget(
            total in 0u64..1 << 30,
            steps in prop::collection::vec(any::<bool>(), 0..50),
        ) {
            let mut budget = Budget::new(total);
            let mut members = 0;
            for join in steps {
                if join {
                    members += u64::from(budget.join());
                } else if members > 0 {
                    budget.leave();
                    members -= 1;
                }
                prop_assert!(members * budget.share() <= total);
            }
        }
    }

    #[test]
    fn who_comes_alone_may_send_a_lot_and_a_hundred_at_once_do_not_fill_the_memory() {
        let mut budget = Budget::new(24 << 20);
        let mut granted = Vec::new();
        for _ in 0..100 {
            assert!(budget.join());
            let mut meter = Meter::new(Budget::LEAST);
            meter.set_share(budget.share());
            granted.extend(meter.grant());
        }
        assert_eq!(granted[0], FIRST_WINDOW);
        // Each keeps what it got before there were as many.
        assert!(granted.iter().sum::<u64>() < 2 * budget.total());
    }

    /// On a way of 50 ms without a limit of its own, for as many round trips: what the client
    /// may have on its way after that.
    fn window_after(round_trips: u64, measured: Duration, share: u64) -> u64 {
        const WAY: Duration = Duration::from_millis(50);
        let mut meter = Meter::new(share);
        let mut window = Window::new(meter.limit(), measured, Time::ZERO);
        for trip in 1..=round_trips {
            let sent = window.take(u64::MAX);
            assert_eq!(meter.received(sent), Ok(()));
            meter.done(sent);
            if let Some(bytes) = window.waited(WAY * trip as u32) {
                meter.wanted(bytes);
            }
            window.granted(meter.grant().unwrap_or_default(), meter.capacity());
        }
        window.room()
    }

    #[test]
    fn the_window_grows_with_the_length_of_the_way() {
        let ms = Duration::from_millis;
        assert_eq!(window_after(1, ms(50), u64::MAX), 2 * FIRST_WINDOW);
        assert_eq!(window_after(2, ms(50), u64::MAX), 4 * FIRST_WINDOW);
        assert_eq!(window_after(9, ms(50), u64::MAX), Budget::MOST);
        assert_eq!(window_after(9, ms(50), 3 * FIRST_WINDOW), 3 * FIRST_WINDOW);
        // Where an answer comes at once, it is not the way that takes the time.
        assert_eq!(window_after(9, ms(2), u64::MAX), FIRST_WINDOW);
    }
}
