//! What a watcher sees of uploads that are under way.

use serde::{Deserialize, Serialize};

use super::id::FileId;

/// What a connection can watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Everything that moves on the server.
    Live,
    /// One upload.
    Upload(FileId),
}

/// One upload, as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveUpload {
    /// Which.
    pub id: FileId,
    /// Its path, made safe.
    pub path: String,
    /// Length of the file in bytes.
    pub size: u64,
    /// Bytes that are received.
    pub received: u64,
    /// Bytes that are durable.
    pub durable: u64,
    /// Bytes per second, over the last seconds.
    pub rate: u64,
    /// What happens to it now.
    pub state: LiveState,
}

/// What happens to an upload, seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LiveState {
    /// A client is connected and sends it.
    Receiving,
    /// Its client is connected and has paused it: it can be asked to go on.
    Paused,
    /// It is unfinished and no client is there to send it.
    Resting,
    /// It is complete and stored under its name.
    Stored,
    /// It was cancelled or has expired; nothing of it is left.
    Ended,
}

impl LiveState {
    /// Whether nothing more will come of it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Stored | Self::Ended)
    }
}

/// What somebody asks of the client that sends an upload, from wherever they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Wish {
    /// To pause it, as if its own person had.
    Pause,
    /// To let it go on.
    Resume,
}

/// What went through the server within one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// Bytes that arrived.
    pub received: u64,
    /// Bytes that became durable.
    pub durable: u64,
}

/// How many seconds a [`Pulse`] goes back at most.
pub const PULSE: usize = 300;

/// What went through the server of late, and who is connected: all of it, or what came
/// since the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// Whether it is all of it: what was known before counts no more.
    pub whole: bool,
    /// The number of the first second, counted since the server began.
    pub from: u64,
    /// The seconds from that one on, the last of which is over.
    pub seconds: Vec<Second>,
    /// How many clients have sent something since they are connected.
    pub sending: u64,
    /// How many clients are connected besides.
    pub watching: u64,
}

impl Pulse {
    /// The seconds up to now, with what came since. Those that are too old are left off.
    pub fn follow(&mut self, next: Self) {
        let known = self.from + self.seconds.len() as u64;
        (self.sending, self.watching) = (next.sending, next.watching);
        if next.whole || next.from != known {
            // Nothing may be missing between two: what is not known is better not shown.
            (self.whole, self.from, self.seconds) = (true, next.from, next.seconds);
        } else {
            self.seconds.extend(next.seconds);
        }
        let old = self.seconds.len().saturating_sub(PULSE);
        self.seconds.drain(..old);
        self.from += old as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(whole: bool, from: u64, received: &[u64]) -> Pulse {
        let second = |received: &u64| Second {
            received: *received,
            durable: 0,
        };
        Pulse {
            whole,
            from,
            seconds: received.iter().map(second).collect(),
            ..Pulse::default()
        }
    }

    #[test]
    fn a_pulse_is_followed_and_begins_anew_where_something_is_missing() {
        let mut known = pulse(true, 10, &[1, 2]);
        known.follow(pulse(false, 12, &[3]));
        assert_eq!(known, pulse(true, 10, &[1, 2, 3]));
        known.follow(pulse(false, 13, &[]));
        assert_eq!(known, pulse(true, 10, &[1, 2, 3]));
        known.follow(pulse(false, 15, &[4]));
        assert_eq!(known, pulse(true, 15, &[4]));
        // Another run of the server.
        known.follow(pulse(true, 2, &[5]));
        assert_eq!(known, pulse(true, 2, &[5]));
        known.follow(pulse(false, 3, &vec![6; 2 * PULSE]));
        assert_eq!(known.from, 2 + 1 + PULSE as u64);
        assert_eq!(known.seconds.len(), PULSE);
    }
}
