//! Flow control: how many bytes of data a client may have sent on one connection.
//!
//! Credit is a running total, as QUIC's `MAX_DATA`: the server says up to which
//! total it takes data, the client counts what it sent. A grant that is repeated or
//! arrives late therefore changes nothing. What the server grants comes out of one
//! [`Budget`] for all its connections, so its memory stays flat however many
//! clients send and however slow its disk is.
//!
//! How much is worth granting depends on the way: what is written at once could have been
//! sent sooner. So a client that has used up its credit says so, as with QUIC's
//! `DATA_BLOCKED`; if there is hardly anything in the server's memory then, it was the way
//! that took the time, and the window doubles. Where the disk is behind, it shrinks.

/// The client's side: what it may still send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    sent: u64,
    limit: u64,
    /// The limit of which the server knows that it is too low.
    told: Option<u64>,
}

impl Window {
    /// The window of a new connection, which may send `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            sent: 0,
            limit,
            told: None,
        }
    }

    /// Takes a new total; a smaller one than before is an old message.
    pub fn granted(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    /// How many bytes may be sent now.
    pub fn room(&self) -> u64 {
        self.limit - self.sent
    }

    /// Whether to say that there is more to send than may be: once for each limit.
    pub fn block(&mut self) -> bool {
        self.told.replace(self.limit) != Some(self.limit)
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
    /// How many bytes of a connection are on their way to begin with, if there is room.
    const FIRST: u64 = 8 * 1024 * 1024;
    /// The most credit that waits to be told of, in bytes.
    const STEP: u64 = 1024 * 1024;

    /// Allows `share` bytes at most to be on their way or in memory at once.
    pub fn new(share: u64) -> Self {
        Self {
            share,
            window: Self::FIRST,
            received: 0,
            done: 0,
            granted: share.min(Self::FIRST),
        }
    }

    /// How many bytes may be on their way or in memory now.
    fn capacity(&self) -> u64 {
        self.share.min(self.window)
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

    /// The client has more to send than it may.
    pub fn blocked(&mut self) {
        let (pending, capacity) = (self.pending(), self.capacity());
        if pending <= capacity / 4 {
            self.window = capacity.saturating_mul(2).max(Self::FIRST);
        } else if pending > capacity / 2 {
            self.window = (capacity / 2).max(Self::FIRST);
        }
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
    /// The largest share of a connection, in bytes: what is on its way when a server ends
    /// is sent twice.
    pub const MOST: u64 = 8 * 1024 * 1024;

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
            let mut window = Window::new(meter.limit());
            let mut in_flight = 0;
            for (step, bytes) in steps {
                match step {
                    0 => in_flight += window.take(bytes),
                    1 => {
                        let arrived = bytes.min(in_flight);
                        in_flight -= arrived;
                        prop_assert_eq!(meter.received(arrived), Ok(()));
                    }
                    2 => meter.blocked(),
                    _ => {
                        meter.done(bytes.min(meter.pending()));
                        if let Some(limit) = meter.grant() {
                            window.granted(limit);
                        }
                    }
                }
                prop_assert!(meter.pending() + in_flight <= share);
            }
            meter.set_share(smaller);
            prop_assert_eq!(meter.received(in_flight), Ok(()));
            meter.done(meter.pending());
            if let Some(limit) = meter.grant() {
                window.granted(limit);
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

    /// Sends all that may be sent, says so, and writes as much of it.
    fn round(meter: &mut Meter, window: &mut Window, written: u64) {
        let sent = window.take(u64::MAX);
        assert_eq!(meter.received(sent), Ok(()));
        assert!(window.block() && !window.block(), "once for each limit");
        meter.done(written.min(meter.pending()));
        meter.blocked();
        if let Some(limit) = meter.grant() {
            window.granted(limit);
        }
    }

    #[test]
    fn the_window_grows_with_the_length_of_the_way_and_shrinks_where_the_disk_is_behind() {
        let share = 50 * 1024 * 1024;
        let mut meter = Meter::new(share);
        let mut window = Window::new(meter.limit());
        for expected in [2, 4] {
            round(&mut meter, &mut window, u64::MAX);
            assert_eq!(window.room(), expected * Meter::FIRST);
        }
        round(&mut meter, &mut window, u64::MAX);
        assert_eq!(window.room(), share);
        // Most of it stays in memory.
        round(&mut meter, &mut window, share / 4);
        meter.done(meter.pending());
        window.granted(meter.grant().unwrap_or_default());
        assert_eq!(window.room(), share / 2);
    }
}
