//! The flight recorder: how an upload went, kept in bounded memory.
//!
//! What happened and when goes in; a [`Flight`] comes out when somebody looks. Samples are
//! all as long as each other. When there are [`SAMPLES`] of them, each two become one, so
//! that a minute and ten hours take the same room. What happened besides is a bounded list
//! of [`Mark`]s; what no longer fits in is still counted.
//!
//! The clock of a recorder stands still while the upload rests, because a person paused it
//! or its file is missing: the time in which it could have moved is the one that is told.
//!
//! The invariants: no more samples, marks or memory than said, however long it takes; and
//! no byte is lost when samples are joined, so that they add up to the totals.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Time;
use super::close::CloseCode;
use super::trouble::Trouble;

/// How many samples are kept at most.
pub const SAMPLES: usize = 240;
/// How many marks are kept at most; the oldest give way.
pub const MARKS: usize = 64;
/// How long a sample is at first.
pub const STEP: Duration = Duration::from_millis(250);
/// How long no acknowledgement may come while bytes are on their way.
pub const STALL: Duration = Duration::from_secs(3);

/// What happened in one step of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Bytes that arrived, as the server said.
    pub received: u64,
    /// Bytes that were handed to the sockets.
    pub sent: u64,
    /// The longest time between a block and its acknowledgement, in microseconds; 0 where
    /// none was measured.
    pub round_trip: u32,
    /// What the connection was like at last, where there was one.
    pub link: Option<Gauges>,
}

impl Sample {
    /// Both as one; `later` comes after it.
    fn join(self, later: Self) -> Self {
        Self {
            received: self.received + later.received,
            sent: self.sent + later.sent,
            round_trip: self.round_trip.max(later.round_trip),
            link: match (self.link, later.link) {
                (Some(earlier), Some(later)) => Some(earlier.join(later)),
                (earlier, later) => later.or(earlier),
            },
        }
    }
}

/// What a connection is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gauges {
    /// How many bytes may be on their way at once.
    pub window: u64,
    /// How many more may be sent at once; the least of its time.
    pub credit: u64,
    /// Over how many sockets it goes; the most of its time.
    pub sockets: u8,
}

impl Gauges {
    fn join(self, later: Self) -> Self {
        Self {
            window: later.window,
            credit: self.credit.min(later.credit),
            sockets: self.sockets.max(later.sockets),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// When, in milliseconds since the beginning.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What can happen to an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// The server took it up.
    Opened {
        /// Durable bytes that it had by then.
        have: u64,
        /// Bytes that had been sent and are to be sent again.
        again: u64,
    },
    /// Bytes were on their way, and nothing was acknowledged.
    Stalled {
        /// For how many milliseconds.
        lasted: u64,
    },
    /// The connection ended.
    Lost {
        /// Its close code; 1006 where it broke without one.
        code: u16,
        /// After how many milliseconds there was another; not yet, without a number.
        back: Option<u64>,
        /// How many tries that took.
        tries: u32,
    },
    /// A block arrived damaged.
    Damaged {
        /// Which.
        block: u64,
    },
    /// It did not go on, and is tried again by itself.
    Retried {
        /// Why.
        trouble: Trouble,
    },
    /// It could not go on.
    Failed {
        /// Why.
        trouble: Trouble,
    },
    /// The server no longer had it.
    StartedOver,
    /// A person paused it.
    Paused {
        /// Whether that was on another device.
        elsewhere: bool,
    },
    /// A person let it go on.
    Resumed {
        /// Whether that was on another device.
        elsewhere: bool,
    },
    /// It is stored.
    Stored,
}

/// All that happened, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Bytes that arrived, some of them more than once.
    pub received: u64,
    /// Bytes that were handed to the sockets.
    pub sent: u64,
    /// Bytes of those that did not count, so that they were or will be sent again.
    pub again: u64,
    /// How often nothing was acknowledged for [`STALL`] or more.
    pub stalls: u32,
    /// For how many milliseconds in all.
    pub stalled: u64,
    /// How often the connection ended under it.
    pub lost: u32,
    /// For how many milliseconds in all there was none.
    pub away: u64,
    /// How often it was tried again by itself.
    pub retries: u32,
    /// How many blocks arrived damaged.
    pub damaged: u32,
    /// How often it was paused.
    pub pauses: u32,
}

/// What a recorder knows when somebody looks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    /// For how many milliseconds it went on, rests left out.
    pub lasted: u64,
    /// How many milliseconds each sample takes.
    pub step: u64,
    /// The samples, the first first. The last one may be shorter than a step.
    pub samples: Vec<Sample>,
    /// What happened, the first first.
    pub marks: Vec<Mark>,
    /// How many marks before those had no room.
    pub left_out: u32,
    /// Everything in numbers.
    pub totals: Totals,
    /// For how many milliseconds nothing was acknowledged, if that is a stall.
    pub stalled: Option<u64>,
    /// The same of all uploads of the connection together.
    pub connection: Totals,
}

impl Flight {
    /// For how many milliseconds a sample was measured.
    pub fn span(&self, index: usize) -> u64 {
        let begins = self.step.saturating_mul(index as u64);
        self.lasted.saturating_sub(begins).min(self.step)
    }

    /// How many bytes per second arrived during a sample. One that has hardly begun is
    /// taken for as long as [`STEP`].
    pub fn speed(&self, index: usize) -> u64 {
        let bytes = self.samples.get(index).map_or(0, |sample| sample.received);
        let span = self.span(index).max(STEP.as_millis() as u64);
        (u128::from(bytes) * 1000 / u128::from(span)) as u64
    }

    /// How many bytes per second arrived in all the time.
    pub fn mean(&self) -> u64 {
        let bytes = u128::from(self.totals.received) * 1000;
        let mean = bytes.checked_div(u128::from(self.lasted)).unwrap_or(0);
        mean.try_into().unwrap_or(u64::MAX)
    }
}

/// The recorder of one upload, or of all that goes over a connection.
#[derive(Debug, Default)]
pub struct Recorder {
    /// When it began, by its own clock: later by all rests.
    began: Option<Time>,
    /// The last moment that it knows of.
    last: Time,
    /// Whether its clock stands still, and whether it is to go on with what comes next.
    resting: bool,
    waking: bool,
    ended: bool,
    /// By how often the step was doubled.
    doubled: u32,
    samples: Vec<Sample>,
    /// Bytes that were sent since the last moment.
    fresh: u64,
    marks: VecDeque<Mark>,
    left_out: u32,
    totals: Totals,
    /// Since when an acknowledgement is waited for.
    waiting: Option<Time>,
}

impl Recorder {
    /// Bytes were handed to a socket.
    pub fn sent(&mut self, bytes: u64) {
        self.fresh += bytes;
        self.totals.sent += bytes;
    }

    /// The sockets have what there was, so something is on its way if `outstanding`.
    pub fn handed(&mut self, outstanding: bool, link: Gauges, now: Time) {
        let Some(sample) = self.at(now) else {
            return;
        };
        let before = sample.link;
        sample.link = Some(before.map_or(link, |before| before.join(link)));
        if outstanding && !self.resting {
            self.waiting.get_or_insert(now);
        }
    }

    /// The server said how far it is: so many more bytes arrived, and something is still on
    /// its way, or not.
    pub fn acknowledged(&mut self, received: u64, outstanding: bool, now: Time) {
        self.end_stall(now);
        let Some(sample) = self.at(now) else {
            return;
        };
        sample.received += received;
        self.totals.received += received;
        self.waiting = (outstanding && !self.resting).then_some(now);
    }

    /// A block and its acknowledgement took so long.
    pub fn round_trip(&mut self, took: Duration, now: Time) {
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        if let Some(sample) = self.at(now) {
            sample.round_trip = sample.round_trip.max(took);
        }
    }

    /// So many bytes that were sent do not count.
    pub fn wasted(&mut self, bytes: u64) {
        self.totals.again += bytes;
    }

    /// Something happened.
    pub fn mark(&mut self, what: What, now: Time) {
        self.at(now);
        self.note(what);
    }

    /// Something happened of which nobody knows when: at the last moment that is known.
    pub fn note(&mut self, what: What) {
        if self.ended {
            return;
        }
        match &what {
            What::Stalled { lasted } => {
                self.totals.stalls += 1;
                self.totals.stalled += lasted;
            }
            What::Lost { .. } => self.totals.lost += 1,
            What::Damaged { .. } => self.totals.damaged += 1,
            What::Retried { .. } => self.totals.retries += 1,
            What::Paused { .. } => self.totals.pauses += 1,
            What::Opened { .. }
            | What::Failed { .. }
            | What::StartedOver
            | What::Resumed { .. }
            | What::Stored => {}
        }
        if self.marks.len() == MARKS {
            self.marks.pop_front();
            self.left_out = self.left_out.saturating_add(1);
        }
        let at = self.elapsed();
        self.marks.push_back(Mark { at, what });
    }

    /// The connection ended with this code while it was under way.
    pub fn lost(&mut self, code: CloseCode, now: Time) {
        self.end_stall(now);
        self.waiting = None;
        let code = code.code().unwrap_or(1006);
        let (back, tries) = (None, 0);
        self.mark(What::Lost { code, back, tries }, now);
    }

    /// There is a connection again, after so many tries.
    pub fn found(&mut self, after: u32, now: Time) {
        if !self.is_away() {
            return;
        }
        self.at(now);
        let elapsed = self.elapsed();
        let last = self.marks.iter_mut().rev();
        for Mark { at, what } in last {
            if let What::Lost { back, tries, .. } = what {
                let away = elapsed.saturating_sub(*at);
                (*back, *tries) = (Some(away), after);
                self.totals.away += away;
                return;
            }
        }
    }

    /// Whether the connection ended and there was none since.
    fn is_away(&self) -> bool {
        let lost = self.marks.iter().rev().find_map(|mark| match mark.what {
            What::Lost { back, .. } => Some(back.is_none()),
            _ => None,
        });
        lost.unwrap_or(false)
    }

    /// It waits for a person: the clock stands still.
    pub fn rest(&mut self) {
        self.resting = true;
        self.waking = false;
        self.waiting = None;
    }

    /// It is to go on: so does the clock, with what comes next.
    pub fn wake(&mut self) {
        self.waking = true;
    }

    /// It is stored; nothing happens after that.
    pub fn end(&mut self, now: Time) {
        if !self.ended {
            self.end_stall(now);
            self.mark(What::Stored, now);
            self.ended = true;
            self.waiting = None;
            // There may be ten thousand of them.
            self.samples.shrink_to_fit();
            self.marks.shrink_to_fit();
        }
    }

    /// What is known, without what is known of the connection only.
    pub fn flight(&self, now: Time) -> Flight {
        let mut samples = self.samples.clone();
        if let Some(last) = samples.last_mut() {
            last.sent += self.fresh;
        }
        let still = self.ended || self.resting || self.began.is_none();
        let now = if still { self.last } else { now.max(self.last) };
        let lasted = now.saturating_sub(self.began.unwrap_or(now));
        let stalled = self.waiting.map(|since| now.saturating_sub(since));
        // Time in which nothing at all happened is told, too.
        let mut step = self.step();
        while lasted.as_nanos() / step.as_nanos() >= SAMPLES as u128 {
            samples = joined(&samples);
            step *= 2;
        }
        if self.began.is_some() {
            let until = (lasted.as_nanos() / step.as_nanos()) as usize;
            samples.resize(samples.len().max(until + 1), Sample::default());
        }
        Flight {
            lasted: millis(lasted),
            step: millis(step),
            samples,
            marks: self.marks.iter().cloned().collect(),
            left_out: self.left_out,
            totals: self.totals,
            stalled: stalled.filter(|time| *time >= STALL).map(millis),
            connection: Totals::default(),
        }
    }

    /// All that happened, in numbers.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    fn step(&self) -> Duration {
        STEP * (1 << self.doubled)
    }

    /// Milliseconds from the beginning to the last moment.
    fn elapsed(&self) -> u64 {
        millis(self.last.saturating_sub(self.began.unwrap_or(self.last)))
    }

    fn end_stall(&mut self, now: Time) {
        let Some(since) = self.waiting.take() else {
            return;
        };
        let quiet = now.saturating_sub(since);
        if quiet >= STALL {
            let lasted = millis(quiet);
            // It began back then.
            self.note(What::Stalled { lasted });
            let began = self.began.unwrap_or(since);
            if let Some(mark) = self.marks.back_mut() {
                mark.at = millis(since.saturating_sub(began));
            }
        }
    }

    /// The sample of this moment, which has all that was sent up to it; none after the end.
    fn at(&mut self, now: Time) -> Option<&mut Sample> {
        if self.ended {
            return None;
        }
        let began = *self.began.get_or_insert(now);
        let mut now = now.max(self.last);
        if self.samples.is_empty() {
            self.last = now;
            self.samples.push(Sample::default());
        }
        if std::mem::take(&mut self.waking) && std::mem::take(&mut self.resting) {
            self.began = Some(began + now.saturating_sub(self.last));
        } else if self.resting {
            now = self.last;
        }
        self.last = now;
        let since = now.saturating_sub(self.began.unwrap_or(now));
        let index = loop {
            let index = (since.as_nanos() / self.step().as_nanos()) as usize;
            if index < SAMPLES {
                break index;
            }
            self.samples = joined(&self.samples);
            self.doubled += 1;
        };
        if self.samples.len() <= index {
            self.samples.resize(index + 1, Sample::default());
        }
        let fresh = std::mem::take(&mut self.fresh);
        let sample = self.samples.last_mut()?;
        sample.sent += fresh;
        Some(sample)
    }
}

/// Each two as one.
fn joined(samples: &[Sample]) -> Vec<Sample> {
    let two = |pair: &[Sample]| pair.iter().copied().reduce(Sample::join);
    samples.chunks(2).filter_map(two).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
