//! The world of one run: a clock, what will happen and when, and everybody in it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use longhaul::protocol::manifest::Limits;
use longhaul::protocol::receiver::Cadence;
use longhaul::protocol::{StreamId, Time};

use super::chance::Chance;
use super::checks::Checks;
use super::client::{Client, Reading};
use super::faults::Fault;
use super::network::{Cargo, Link, LinkId, Side};
use super::server::{Control, Server};
use super::source::Source;
use super::upload::Outcome;

/// How many events a run may have: one that needs more does not end.
const MOST_EVENTS: u64 = 2_000_000;

/// What is going to happen.
#[derive(Debug)]
pub enum Event {
    Accept(LinkId),
    Opened(LinkId),
    Arrive(LinkId, Side, Cargo),
    Read(usize, u64, Reading),
    Kept(usize, u64),
    Timer(usize, u64, u64),
    Thaw(usize),
    Done(u64, u64),
    Outcome(u64, StreamId, Outcome),
    Control(u64, Control),
    Look(u64),
    Boot,
    Stop(u64),
    Fault(Fault),
    Add(usize, usize),
    Plugged(usize, u64),
    Return(usize, u64),
    Inspect,
}

/// What stays the same during a run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub cadence: Cadence,
    /// How long a step of the disk takes.
    pub disk: Duration,
    /// How long a read of a file takes at most.
    pub reading: Duration,
    /// The longest payload of a frame, and how many bytes may wait in a socket.
    pub payload: usize,
    pub queue: u64,
    /// Whether messages are sometimes very late.
    pub jitter: bool,
    pub limits: Limits,
    /// When the last fault happens.
    pub trouble_ends: Time,
    /// How long after it nothing new happens, and nothing is mended either.
    pub lull: Duration,
}

pub struct World {
    pub now: Time,
    pub chance: Chance,
    pub plan: Plan,
    pub server: Server,
    pub clients: Vec<Client>,
    /// How many of them are people of their own, and not somebody's second tab.
    pub people: usize,
    pub sources: Vec<Source>,
    pub links: Vec<Link>,
    pub checks: Checks,
    /// Faults that happen when so many steps of the disk were begun.
    pub at_step: BTreeMap<u64, Fault>,
    /// Since when there are no more faults.
    pub calm: Option<Time>,
    pub over: bool,
    pub events: u64,
    /// A sum of everything that happened: the same for the same seed.
    pub print: u64,
    trace: bool,
    queue: BinaryHeap<Reverse<Entered>>,
}

/// An event in the order in which it happens.
struct Entered(Time, u64, Event);

impl Entered {
    fn place(&self) -> (Time, u64) {
        (self.0, self.1)
    }
}

impl PartialEq for Entered {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Entered {}

impl PartialOrd for Entered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

/// What is worth knowing of a run that went well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub print: u64,
    pub events: u64,
    pub virtual_time: Duration,
    pub stored: usize,
}

/// Runs the world of a seed to its end; panics where anything is not as it must be.
pub fn run(seed: u64, trace: bool) -> Summary {
    let mut chance = Chance::new(seed);
    let plan = super::plan::plan(&mut chance);
    let memory = super::plan::memory(&mut chance);
    let mut world = World {
        now: Time::ZERO,
        server: Server::new(plan.limits.clone(), memory),
        chance,
        plan,
        clients: Vec::new(),
        people: 0,
        sources: Vec::new(),
        links: Vec::new(),
        checks: Checks::default(),
        at_step: BTreeMap::new(),
        calm: None,
        over: false,
        events: 0,
        print: seed,
        trace,
        queue: BinaryHeap::new(),
    };
    world.begin();
    while !world.over {
        let Some(Reverse(Entered(at, _, event))) = world.queue.pop() else {
            panic!("nothing happens any more");
        };
        world.now = at;
        world.step(event);
    }
    Summary {
        print: world.print,
        events: world.events,
        virtual_time: world.now,
        stored: world.server.books.files().count(),
    }
}

impl World {
    /// Lets something happen at a time.
    pub fn at(&mut self, at: Time, event: Event) {
        self.events += 1;
        self.queue
            .push(Reverse(Entered(at.max(self.now), self.events, event)));
    }

    /// A moment: what passes while another task gets its turn.
    pub fn moment(&mut self) -> Duration {
        Duration::from_micros(self.chance.magnitude(1, 2000))
    }

    /// Says what happens, where somebody reads it.
    pub fn say(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>14.6} {}", self.now.as_secs_f64(), what());
        }
    }

    fn step(&mut self, event: Event) {
        assert!(self.events < MOST_EVENTS, "the run does not end");
        let mark = self.now.as_nanos() as u64 ^ self.chance.clone().next();
        self.print = (self.print ^ mark).wrapping_mul(0x0100_0000_01B3);
        if self.trace && !matches!(event, Event::Inspect | Event::Look(_) | Event::Timer(..)) {
            let text = format!("{event:?}");
            let short: String = text.chars().take(200).collect();
            self.say(|| short);
        }
        let engine = |world: &Self, client: usize| world.clients[client].engine;
        match event {
            Event::Accept(link) => self.accept(link),
            Event::Opened(link) => self.opened(link),
            Event::Arrive(link, side, cargo) => self.arrive(link, side, cargo),
            Event::Read(client, by, reading) if by == engine(self, client) => {
                self.read_done(client, reading);
            }
            Event::Kept(client, by) if by == engine(self, client) => self.kept(client),
            Event::Timer(client, by, stamp) if by == engine(self, client) => {
                self.timer(client, stamp);
            }
            Event::Read(..) | Event::Kept(..) | Event::Timer(..) => {}
            Event::Thaw(client) => self.thaw(client),
            Event::Done(task, stamp) => self.done(task, stamp),
            Event::Outcome(session, stream, outcome) => self.came_of(session, stream, outcome),
            Event::Control(session, control) => self.controlled(session, control),
            Event::Look(session) => self.look(session),
            Event::Boot => self.boot(),
            Event::Stop(life) => self.stop(life),
            Event::Fault(fault) => self.inflict(fault),
            Event::Add(client, source) => self.add(client, source),
            Event::Plugged(client, by) if by == engine(self, client) => self.plugged(client),
            Event::Return(client, by) if by == engine(self, client) => self.returned(client),
            Event::Plugged(..) | Event::Return(..) => {}
            Event::Inspect => self.inspect(),
        }
    }
}
