//! Every state that any order of events leads to, breadth first, until there is no new
//! one; each is held against what the module promises.
//!
//! The world is as bad as it can be: a socket may say anything at any time, also before
//! it is open and after it was closed or let go of, or never say anything again, and
//! time may pass beyond what was due. What makes the states finite: times count from
//! now, and one that has passed is as good as any other; generations count from the
//! newest; tries end at the first whose delay is the longest.
#![allow(clippy::panic)]

use std::collections::HashMap;

use super::*;

/// Now, in every state.
const NOW: Time = Duration::from_secs(1000);
/// The generation of the newest socket, in every state.
const NEWEST: Generation = Generation(100);
/// From the first of these tries up to the last of them, none waits longer than the others.
const LIKE: std::ops::Range<u32> = 3..Backoff::HOPEFUL;
/// From this try on, none waits longer.
const LAST_ATTEMPT: u32 = Backoff::HOPEFUL + 3;
/// What a stopping server asks for.
const DRAIN: Duration = Duration::from_millis(500);

/// The newest socket, as whoever drives the connection sees it. There is no other that
/// is connecting or open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Socket {
    Connecting,
    Open,
    Closing,
    /// Its close event came, or it was let go of; or there was none yet.
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    connection: Connection,
    socket: Socket,
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// An event, with the number that places the next try.
    Event(Event, u64),
    /// Time passes and nobody says so.
    Pass(Duration),
}

impl World {
    fn new(online: bool) -> Self {
        let mut world = Self {
            connection: Connection::new(NEWEST, online),
            socket: Socket::Over,
        };
        world.later(Duration::ZERO);
        world
    }

    /// All that can happen in this state.
    fn steps(&self, grain: Duration) -> Vec<Step> {
        let mut steps = Vec::new();
        for generation in [NEWEST, Generation(NEWEST.0 - 1)] {
            steps.extend([
                Event::Opened(generation),
                Event::Welcomed(generation, HEARTBEAT),
                Event::Heard(generation),
                Event::Drain(generation, DRAIN),
                Event::Fault(generation),
                Event::LaneLost(generation),
                Event::Closed(generation, CloseCode::Broken),
                Event::Closed(generation, CloseCode::Done),
                Event::Closed(generation, CloseCode::Superseded),
            ]);
        }
        steps.extend([
            Event::Interest(true),
            Event::Interest(false),
            Event::Hidden,
            Event::Shown,
            Event::Visible,
            Event::Online,
            Event::Offline,
            Event::Reconnect,
            Event::Tick,
        ]);
        let mut steps: Vec<_> = steps
            .into_iter()
            .flat_map(|event| [Step::Event(event, 0), Step::Event(event, u64::MAX)])
            .collect();
        let mut moments = self.moments();
        moments.push(NOW + grain);
        if let Some(due) = self.connection.timeout() {
            moments.push(due + SLEPT);
        }
        let passes = moments.into_iter().filter(|at| *at > NOW);
        steps.extend(passes.map(|at| Step::Pass(at - NOW)));
        steps
    }

    /// All moments that the connection remembers.
    fn moments(&self) -> Vec<Time> {
        let Connection {
            state,
            linger,
            not_before,
            ..
        } = &self.connection;
        let due = match *state {
            State::Idle => None,
            State::Connecting { deadline } | State::Closing { deadline } => Some(deadline),
            State::Open { due, .. } => Some(due),
            State::Waiting { until } => Some(until),
        };
        due.into_iter()
            .chain(*linger)
            .chain([*not_before])
            .collect()
    }

    /// The same state, a little later.
    fn later(&mut self, by: Duration) {
        let ago = |time: Time, longest: Duration| time.max(NOW + by - longest) - by;
        let connection = &mut self.connection;
        match &mut connection.state {
            State::Idle => {}
            // How late it is matters up to what counts as sleep.
            State::Open { due, .. } => *due = ago(*due, SLEPT),
            State::Connecting { deadline } | State::Closing { deadline } => {
                *deadline = ago(*deadline, Duration::ZERO);
            }
            State::Waiting { until } => *until = ago(*until, Duration::ZERO),
        }
        connection.linger = connection.linger.map(|at| ago(at, Duration::ZERO));
        connection.not_before = ago(connection.not_before, Duration::ZERO);
    }

    /// Lets an event happen and carries out what comes of it.
    fn handle(&mut self, event: Event, random: u64) {
        match (event, self.socket) {
            (Event::Opened(NEWEST), Socket::Connecting) => self.socket = Socket::Open,
            (Event::Closed(NEWEST, _), _) => self.socket = Socket::Over,
            _ => {}
        }
        self.connection.handle(event, NOW, random);
        while let Some(effect) = self.connection.poll() {
            self.carry_out(effect);
        }
        let generation = self.connection.generation;
        assert!(generation == NEWEST || generation == NEWEST.next());
        self.connection.generation = NEWEST;
        let attempt = &mut self.connection.attempt;
        *attempt = match *attempt {
            like if LIKE.contains(&like) => LIKE.end - 1,
            attempt => attempt.min(LAST_ATTEMPT),
        };
    }

    fn carry_out(&mut self, effect: Effect) {
        let newest = self.connection.generation;
        match effect {
            Effect::Open(g) => {
                assert_eq!(g, NEWEST.next());
                assert_eq!(self.socket, Socket::Over, "a second socket");
                self.socket = Socket::Connecting;
            }
            Effect::Ping(g) => {
                assert_eq!((g, self.socket), (newest, Socket::Open), "sent too early");
            }
            Effect::Close(g, code) => {
                assert_eq!(g, newest);
                assert!(matches!(self.socket, Socket::Connecting | Socket::Open));
                assert!(code.code().is_some());
                self.socket = Socket::Closing;
            }
            Effect::Forget(g) => {
                assert_eq!(g, NEWEST);
                let ended = matches!(self.socket, Socket::Closing | Socket::Over);
                assert!(ended, "let go of without a close");
                self.socket = Socket::Over;
            }
        }
    }

    fn step(&self, step: Step) -> Self {
        let mut next = self.clone();
        match step {
            Step::Pass(time) => next.later(time),
            Step::Event(event, random) => next.handle(event, random),
        }
        next
    }

    /// What holds in every state.
    fn check(&self) {
        let c = &self.connection;
        let socket = match c.state {
            State::Idle | State::Waiting { .. } => Socket::Over,
            State::Connecting { .. } => Socket::Connecting,
            State::Open { .. } => Socket::Open,
            State::Closing { .. } => Socket::Closing,
        };
        assert_eq!(self.socket, socket, "the connection knows its socket");
        let longest = match c.state {
            State::Idle => Duration::ZERO,
            State::Connecting { .. } => CONNECT_DEADLINE,
            State::Open { pinged: false, .. } => SILENCE - PONG_DEADLINE,
            State::Open { pinged: true, .. } => PONG_DEADLINE,
            State::Closing { .. } => CLOSE_DEADLINE,
            State::Waiting { .. } => DRAIN + Backoff::CONNECTION.most,
        };
        match c.timeout() {
            None => assert_eq!(c.state, State::Idle),
            Some(due) => assert!(due <= NOW + longest),
        }
        assert!(self.end_of_silence().is_none_or(|end| end <= NOW + SILENCE));
        let wanted = c.interest && c.shown && c.refused.is_none();
        assert_eq!(wanted, c.wanted());
        match c.state {
            State::Idle => assert!(!wanted, "nothing is done for what is wanted"),
            State::Waiting { until } => {
                assert!(wanted, "it waits for what nobody wants");
                assert!(c.not_before <= until, "it comes back too early");
            }
            State::Connecting { .. } | State::Open { .. } => {
                assert!(
                    c.shown && c.refused.is_none(),
                    "it is connected but may not be"
                );
                assert_eq!(c.linger.is_none(), c.interest, "without interest it ends");
            }
            State::Closing { .. } => assert_eq!(c.linger, None),
        }
    }

    /// What holds of every step.
    fn check_step(&self, step: Step, next: &Self) {
        let Step::Event(event, _) = step else {
            return;
        };
        let stale = event.generation().is_some_and(|g| g != NEWEST);
        let over = event.generation().is_some() && self.socket == Socket::Over;
        if stale || over {
            assert_eq!(self, next, "a socket that is over changed something");
        }
        if self.socket != Socket::Connecting && next.socket == Socket::Connecting {
            let asked = matches!(
                event,
                Event::Shown | Event::Visible | Event::Online | Event::Reconnect
            );
            let early = NOW < self.connection.not_before;
            assert!(asked || !early, "it comes back too early");
        }
        // Only signs of life put off the moment at which silence ends a connection, and
        // one sleep.
        if let (Some(before), Some(after)) = (self.end_of_silence(), next.end_of_silence()) {
            let alive = matches!(event, Event::Heard(_) | Event::Welcomed(..));
            let slept = next.connection.repeated && !self.connection.repeated;
            assert!(alive || slept || after <= before, "silence lasts longer");
        }
        // What is due is done.
        if let (Event::Tick, Some(due)) = (event, self.connection.timeout())
            && due <= NOW
        {
            assert_ne!(self, next, "a tick did nothing");
        }
    }

    /// When the connection is given up if nothing is heard any more and no tick is late
    /// from now on.
    fn end_of_silence(&self) -> Option<Time> {
        match self.connection.state {
            State::Open { due, pinged: true } => Some(due.max(NOW)),
            State::Open { due, pinged: false } => Some(due.max(NOW) + PONG_DEADLINE),
            _ => None,
        }
    }

    /// How many ticks and how long it takes until another socket is open, where every
    /// socket until now is dead and does not say so, a new one opens at once, and every
    /// tick is late by `late`; or, without interest, until there is none.
    fn progress(mut self, late: Duration) -> (usize, Duration) {
        let mut took = Duration::ZERO;
        for ticks in 0.. {
            let Some(due) = self.connection.timeout() else {
                assert!(!self.connection.wanted());
                return (ticks, took);
            };
            assert!(ticks < 10, "no end is in sight: {self:?}");
            let wait = (due + late).saturating_sub(NOW);
            took += wait;
            self.later(wait);
            let before = self.socket;
            self.handle(Event::Tick, u64::MAX);
            if self.socket == Socket::Connecting && before != Socket::Connecting {
                self.handle(Event::Opened(NEWEST), 0);
                assert_eq!(self.socket, Socket::Open);
                return (ticks + 1, took);
            }
        }
        unreachable!()
    }
}

/// All states, and how each was reached first: from which, by what.
#[derive(Default)]
struct Seen {
    worlds: Vec<(World, Option<(usize, Step)>)>,
    places: HashMap<World, usize>,
}

impl Seen {
    fn add(&mut self, world: World, way: Option<(usize, Step)>) {
        if !self.places.contains_key(&world) {
            self.places.insert(world.clone(), self.worlds.len());
            self.worlds.push((world, way));
        }
    }

    /// Names the steps that lead to a state.
    fn way(&self, mut place: usize) -> String {
        let mut way = Vec::new();
        while let (_, Some((from, step))) = &self.worlds[place] {
            way.push(format!("{step:?}"));
            place = *from;
        }
        way.reverse();
        way.join("\n")
    }
}

/// Visits all states, with time that passes to any moment that is remembered and by
/// `grain`; how many they are, and the steps between them.
fn explore(grain: Duration) -> (usize, usize) {
    let mut seen = Seen::default();
    for online in [true, false] {
        seen.add(World::new(online), None);
    }
    let (mut place, mut steps) = (0, 0);
    while let Some(world) = seen.worlds.get(place).map(|(world, _)| world.clone()) {
        for step in world.steps(grain) {
            steps += 1;
            let checked = std::panic::catch_unwind(|| {
                let next = world.step(step);
                next.check();
                world.check_step(step, &next);
                next
            });
            match checked {
                Ok(next) => seen.add(next, Some((place, step))),
                Err(_) => panic!("after\n{}\n{step:?}", seen.way(place)),
            }
        }
        place += 1;
        assert!(place < 2_000_000, "there is no end of states");
    }
    println!("{place} states, {steps} steps between them");
    for (late, most) in [
        (Duration::ZERO, (3, Duration::from_secs(23))),
        (SLEPT, (4, Duration::from_secs(39))),
    ] {
        let mut worst = (0, Duration::ZERO);
        for place in 0..seen.worlds.len() {
            let world = &seen.worlds[place].0;
            match std::panic::catch_unwind(|| world.clone().progress(late)) {
                Ok((ticks, time)) => worst = (worst.0.max(ticks), worst.1.max(time)),
                Err(_) => panic!("after\n{}", seen.way(place)),
            }
        }
        println!(
            "with ticks late by {late:?}, at most {} ticks and {:?}",
            worst.0, worst.1
        );
        assert_eq!(worst, most);
    }
    (place, steps)
}

#[test]
fn whatever_the_order_of_events_every_promise_is_kept() {
    assert_eq!(explore(Duration::from_millis(500)), (18_960, 1_094_288));
}

/// All durations are multiples of this grain, so no order of moments is left out.
#[test]
#[ignore = "takes a minute"]
fn whatever_the_order_of_moments_every_promise_is_kept() {
    assert_eq!(explore(Duration::from_millis(100)), (787_384, 46_083_624));
}
