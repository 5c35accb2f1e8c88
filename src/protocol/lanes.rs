//! Further sockets of one connection, where one alone is slow.
//!
//! TCP takes every lost packet for a sign that it sends too fast, so on a long way with some
//! loss one socket stays slow, however wide the way is; several get as many times as far
//! (M. Mathis and others, "The Macroscopic Behavior of the TCP Congestion Avoidance
//! Algorithm", 1997). Where its socket, and nothing else, holds a client up, it opens more, all
//! at once, and keeps them if they carry clearly more; on a way that is merely narrow they do
//! not, and are closed again, and the next try comes later. All at once, because loss makes
//! rates swing by half: what two sockets gain over one is lost in that, what six gain is not.
//!
//! Messages take the socket that is least in arrears, and are numbered once there is more
//! than one: the server's [`super::order::Order`] puts them in their order. So nothing else
//! knows of lanes. What was on a lane that broke is missing, which ends the connection; the
//! next one continues from what is durable.
//!
//! The invariants: a lane is sent over after the server has said that it joined, and no more
//! once it is being closed; a lane that ends by itself after it joined is never overlooked.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Time;
use super::close::CloseCode;
use super::frame::Number;

/// How many lanes there are at most beside the first socket: browsers open as many
/// connections to one server for ordinary pages.
pub const MOST: usize = 5;
/// Where a message and its answer are quicker than this, TCP recovers soon.
const FAR: Duration = Duration::from_millis(20);
/// At this many bytes per second it is not loss that holds a socket up.
const FAST: f64 = 32e6;
/// For how long the rate of the first socket is measured; more than that much faster than in
/// the span before, it is still finding out what the way carries.
const SPAN: Duration = Duration::from_millis(600);
const GROWTH: f64 = 1.25;
/// For how long lanes are on trial, and how many times as much they must carry.
const TRIAL: Duration = Duration::from_secs(3);
const GAIN: f64 = 1.5;
/// When to try again after lanes were no gain: twice as late after each time.
const REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);
/// How long lanes may have nothing to do.
const IDLE: Duration = Duration::from_secs(10);

/// Names a lane within its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneId(pub u32);

/// What is to be done with a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a socket for it.
    Open(LaneId),
    /// Close its socket behind what was sent over it.
    Close(LaneId),
}

/// Where a lane is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its socket is being opened, or it has asked to join.
    Joining,
    /// It is being closed before it joined.
    Leaving,
    Open,
    /// It is being closed behind what was sent over it.
    Closing,
}

/// What is measured, in bytes per second.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// How fast the first socket is; in the span before, it was so fast.
    Alone(f64),
    /// Whether the lanes reach this.
    Trial(f64),
    /// Nothing: they did.
    Kept,
}

impl Default for Phase {
    /// A socket that has just begun grows by itself.
    fn default() -> Self {
        Self::Alone(0.0)
    }
}

/// The lanes of one connection.
#[derive(Debug, Default)]
pub struct Lanes {
    round_trip: Duration,
    lanes: BTreeMap<LaneId, Stage>,
    last: LaneId,
    effects: VecDeque<Effect>,
    /// How many messages were sent, and whether they are numbered.
    messages: u64,
    numbered: bool,
    /// Since when the sockets hold everything up, and how many bytes had arrived then.
    held_up: Option<(Time, u64)>,
    /// When they did last.
    busy: Time,
    phase: Phase,
    /// Until when there is no trial, and how many in a row were no gain.
    rested: Time,
    failures: u32,
}

impl Lanes {
    /// A message and its answer take so long on this connection.
    pub fn measured(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// The next thing to do; call until there is none.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The lanes that messages may be sent over, beside the first socket.
    pub fn open(&self) -> impl Iterator<Item = LaneId> {
        let open = |(id, stage): (&LaneId, &Stage)| (*stage == Stage::Open).then_some(*id);
        self.lanes.iter().filter_map(open)
    }

    /// The number of the next message, if it is to have one.
    pub fn number(&self) -> Option<Number> {
        self.numbered.then(|| Number::new(self.messages))
    }

    /// The next message was sent.
    pub fn sent(&mut self) {
        self.messages += 1;
    }

    /// The server has taken a lane on.
    pub fn joined(&mut self, id: LaneId) {
        if let Some(stage @ Stage::Joining) = self.lanes.get_mut(&id) {
            *stage = Stage::Open;
            self.numbered = true;
            self.held_up = None;
        }
    }

    /// The socket of a lane is gone. Whether what was sent over it may be missing.
    pub fn closed(&mut self, id: LaneId, code: CloseCode, now: Time) -> bool {
        match self.lanes.remove(&id) {
            None | Some(Stage::Leaving) => false,
            Some(Stage::Joining) => {
                // Those that came with it have no better chance.
                self.give_up(now);
                false
            }
            Some(Stage::Open) => true,
            Some(Stage::Closing) => code != CloseCode::Done,
        }
    }

    /// All was handed to the sockets that they have room for, and so many bytes have arrived
    /// until now. `held_up` says whether there is more to send, and credit for it.
    pub fn flowed(&mut self, arrived: u64, held_up: bool, now: Time) {
        if self.round_trip < FAR {
            return;
        }
        if !held_up {
            self.held_up = None;
            return;
        }
        self.busy = now;
        if self.lanes.values().any(|stage| *stage == Stage::Joining) {
            return;
        }
        let (since, before) = *self.held_up.get_or_insert((now, arrived));
        let time = now.saturating_sub(since);
        let span = match self.phase {
            Phase::Alone(_) => SPAN,
            Phase::Trial(_) => TRIAL,
            Phase::Kept => return,
        };
        if time < span {
            return;
        }
        self.held_up = Some((now, arrived));
        let rate = arrived.saturating_sub(before) as f64 / time.as_secs_f64();
        match self.phase {
            Phase::Trial(goal) if rate < goal => self.give_up(now),
            Phase::Trial(_) => {
                self.phase = Phase::Kept;
                self.failures = 0;
            }
            Phase::Alone(before) if rate <= before * GROWTH && rate < FAST => {
                self.open_all(rate, now)
            }
            Phase::Alone(_) => self.phase = Phase::Alone(rate),
            Phase::Kept => {}
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time) {
        if self.busy + IDLE <= now {
            self.close_all();
        }
    }

    /// Opens lanes on trial, if it is time to and none is left from before.
    fn open_all(&mut self, rate: f64, now: Time) {
        if now < self.rested || !self.lanes.is_empty() {
            return;
        }
        self.phase = Phase::Trial(rate * GAIN);
        for _ in 0..MOST {
            self.last = LaneId(self.last.0 + 1);
            self.lanes.insert(self.last, Stage::Joining);
            self.effects.push_back(Effect::Open(self.last));
        }
    }

    /// Lanes were no gain, or cannot be had.
    fn give_up(&mut self, now: Time) {
        self.close_all();
        let rest = REST.saturating_mul(1 << self.failures.min(20));
        self.rested = now + rest.min(LONGEST_REST);
        self.failures += 1;
    }

    /// Closes them, and measures anew.
    fn close_all(&mut self) {
        self.phase = Phase::default();
        self.held_up = None;
        for (id, stage) in &mut self.lanes {
            *stage = match stage {
                Stage::Joining => Stage::Leaving,
                Stage::Open => Stage::Closing,
                Stage::Leaving | Stage::Closing => continue,
            };
            self.effects.push_back(Effect::Close(*id));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    fn far() -> Lanes {
        let mut lanes = Lanes::default();
        lanes.measured(Duration::from_millis(80));
        lanes
    }

    /// Sends for so many seconds over sockets that carry `each` and `all` bytes per second;
    /// how many there were on the way, whenever that changed.
    fn sockets(lanes: &mut Lanes, seconds: u64, each: u64, all: u64) -> Vec<usize> {
        let mut seen = Vec::new();
        let mut arrived = 0;
        for now in (0..seconds * 10).map(|n| STEP * n as u32) {
            while let Some(effect) = lanes.poll() {
                match effect {
                    Effect::Open(id) => lanes.joined(id),
                    Effect::Close(id) => assert!(!lanes.closed(id, CloseCode::Done, now)),
                }
            }
            let count = 1 + lanes.open().count();
            if seen.last() != Some(&count) {
                seen.push(count);
            }
            lanes.sent();
            arrived += (count as u64 * each).min(all) / 10;
            lanes.flowed(arrived, true, now);
            lanes.tick(now);
        }
        seen
    }

    #[test]
    fn there_are_more_where_each_carries_more() {
        assert_eq!(sockets(&mut far(), 20, 300_000, u64::MAX), [1, 6]);
        assert_eq!(sockets(&mut far(), 20, 300_000, 700_000), [1, 6]);
    }

    #[test]
    fn on_a_narrow_way_they_are_tried_ever_more_seldom() {
        let seen = sockets(&mut far(), 200, 300_000, 300_000);
        assert_eq!(seen, [1, 6, 1, 6, 1, 6, 1]);
    }

    #[test]
    fn nobody_opens_them_on_a_short_way_or_a_fast_one_or_without_need() {
        // One that still grows by itself, as a new one does.
        let mut lanes = far();
        for n in 0..8 {
            lanes.flowed(100_000 << n, true, SPAN * n);
        }
        assert_eq!(lanes.poll(), None);
        let mut near = far();
        near.measured(Duration::from_millis(10));
        assert_eq!(sockets(&mut near, 60, 300_000, u64::MAX), [1]);
        assert_eq!(sockets(&mut far(), 60, 40_000_000, u64::MAX), [1]);
        let mut lanes = far();
        for n in 0..1000 {
            lanes.flowed(30_000 * u64::from(n), n % 5 != 0, STEP * n);
        }
        assert_eq!(lanes.poll(), None);
    }

    #[test]
    fn they_go_when_there_is_nothing_to_do() {
        let mut lanes = far();
        sockets(&mut lanes, 20, 300_000, u64::MAX);
        let open: BTreeSet<LaneId> = lanes.open().collect();
        lanes.tick(Duration::from_secs(20) + IDLE);
        let closed = std::iter::from_fn(|| lanes.poll());
        assert!(closed.eq(open.into_iter().map(Effect::Close)));
        assert_eq!(lanes.open().count(), 0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Joined(u32),
        Closed(u32, CloseCode),
        Sends(u64),
        HasNothing,
    }

    fn step() -> impl Strategy<Value = Step> {
        let codes = prop::sample::select(vec![CloseCode::Done, CloseCode::Broken]);
        prop_oneof![
            (1u32..9).prop_map(Step::Joined),
            (1u32..9, codes).prop_map(|(id, code)| Step::Closed(id, code)),
            (1u64..10_000_000).prop_map(Step::Sends),
            Just(Step::HasNothing),
        ]
    }

    proptest! {
        /// What a driver knows of each lane agrees with what is done with it.
        #[test]
        fn a_lane_is_sent_over_between_joining_and_closing(steps in prop::collection::vec(step(), 0..200)) {
            let mut lanes = far();
            let mut now = Time::ZERO;
            let mut arrived = 0;
            // The lanes that are there: whether they joined, and whether they are being closed.
            let mut there: BTreeMap<LaneId, (bool, bool)> = BTreeMap::new();
            for step in steps {
                now += TRIAL;
                match step {
                    Step::Joined(id) => {
                        lanes.joined(LaneId(id));
                        if let Some((joined, false)) = there.get_mut(&LaneId(id)) {
                            *joined = true;
                        }
                    }
                    Step::Closed(id, code) => {
                        let lost = lanes.closed(LaneId(id), code, now);
                        let expected = match there.remove(&LaneId(id)) {
                            Some((true, closing)) => !closing || code != CloseCode::Done,
                            _ => false,
                        };
                        prop_assert_eq!(lost, expected);
                    }
                    Step::Sends(bytes) => {
                        lanes.sent();
                        arrived += bytes;
                        lanes.flowed(arrived, true, now);
                    }
                    Step::HasNothing => {
                        lanes.flowed(arrived, false, now);
                        lanes.tick(now);
                    }
                }
                while let Some(effect) = lanes.poll() {
                    match effect {
                        Effect::Open(id) => prop_assert_eq!(there.insert(id, (false, false)), None),
                        Effect::Close(id) => {
                            let before = there.get_mut(&id).map(|(_, closing)| std::mem::replace(closing, true));
                            prop_assert_eq!(before, Some(false));
                        }
                    }
                }
                prop_assert!(there.len() <= MOST);
                let usable = there.iter().filter(|(_, (joined, closing))| *joined && !closing);
                prop_assert!(lanes.open().eq(usable.map(|(id, _)| *id)));
                prop_assert!(lanes.number().is_some() || lanes.open().count() == 0);
            }
        }
    }
}
