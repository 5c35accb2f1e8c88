//! Flow control: how many bytes of data a client may have sent on one connection.
//!
//! Credit is a running total, as QUIC's `MAX_DATA`: the server says up to which
//! total it takes data, the client counts what it sent. A grant that is repeated or
//! arrives late therefore changes nothing. What the server grants comes out of one
//! [`Budget`] for all its connections, so its memory stays flat however many
//! clients send and however slow its disk is.

/// The client's side: what it may still send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    sent: u64,
    limit: u64,
}

impl Window {
    /// The window of a new connection, which may send `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { sent: 0, limit }
    }

    /// Takes a new total; a smaller one than before is an old message.
    pub fn granted(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    /// How many bytes may be sent now.
    pub fn room(&self) -> u64 {
        self.limit - self.sent
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
    capacity: u64,
    received: u64,
    done: u64,
    granted: u64,
}

impl Meter {
    /// Allows `capacity` bytes to be on their way or in memory at once.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity,
            received: 0,
            done: 0,
            granted: capacity,
        }
    }

    /// The total the client was allowed last.
    pub fn limit(&self) -> u64 {
        self.granted
    }

    /// All bytes that were received.
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

    /// Counts bytes as written: they no longer occupy memory.
    pub fn done(&mut self, bytes: u64) {
        self.done = (self.done + bytes).min(self.received);
    }

    /// Changes how many bytes may be in memory at once. What was granted stays
    /// granted: a smaller capacity takes hold as the client uses it up.
    pub fn set_capacity(&mut self, capacity: u64) {
        self.capacity = capacity;
    }

    /// Whether a new total is worth a message: a quarter of the capacity has become
    /// free.
    pub fn due(&self) -> bool {
        let limit = self.done + self.capacity;
        limit.saturating_sub(self.granted) >= (self.capacity / 4).max(1)
    }

    /// A new total for the client, once it is due.
    pub fn grant(&mut self) -> Option<u64> {
        self.due().then(|| {
            self.granted = self.done + self.capacity;
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
    /// The largest share of a connection, in bytes.
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
        /// capacity is in memory, an honest client is never overdrawn, and once all
        /// is written it can send again.
        #[test]
        fn memory_is_bounded_and_nobody_starves(
            capacity in 1u64..10_000,
            smaller in 1u64..10_000,
            steps in prop::collection::vec((0u8..3, 1u64..4_000), 0..200),
        ) {
            let mut meter = Meter::new(capacity);
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
                    _ => {
                        meter.done(bytes.min(meter.pending()));
                        if let Some(limit) = meter.grant() {
                            window.granted(limit);
                        }
                    }
                }
                prop_assert!(meter.pending() + in_flight <= capacity);
            }
            meter.set_capacity(smaller);
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
}
