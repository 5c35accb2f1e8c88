//! How the world of a seed is: who sends what over which network, and what goes wrong
//! when.

use std::time::Duration;

use longhaul::protocol::Time;
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::receiver::Cadence;
use longhaul::verify::BLOCK;

use super::chance::Chance;
use super::client::Client;
use super::faults::{ALL, Fault};
use super::network::Way;
use super::source::Source;
use super::world::{Event, Plan, World};

/// How the world of a seed is.
pub fn plan(chance: &mut Chance) -> Plan {
    let ms = Duration::from_millis;
    Plan {
        cadence: Cadence {
            bytes: chance.magnitude(1, 16 << 20),
            time: ms(chance.below(500)),
        },
        disk: chance.span(Duration::from_micros(20), ms(300)),
        reading: chance.span(ms(1), ms(100)),
        payload: chance.magnitude(300, 256 * 1024) as usize,
        queue: chance.magnitude(16 * 1024, 1 << 20),
        jitter: chance.percent(30),
        limits: limits(chance),
        trouble_ends: ms(500),
        lull: ms(match chance.below(4) {
            0 => chance.between(1000, 60_000),
            _ => 1000,
        }),
    }
}

/// How many bytes the server may have in memory.
pub fn memory(chance: &mut Chance) -> u64 {
    chance.magnitude(64 * 1024, 2 << 20)
}

pub fn limits(chance: &mut Chance) -> Limits {
    Limits {
        max_concurrency: chance.between(1, 4) as u32,
        auto_upload: chance.percent(90),
        chunk_timeout: chance.magnitude(5_000, 60_000),
        max_file_size: chance.percent(5).then(|| chance.magnitude(1, BLOCK)),
        max_entries: chance.percent(5).then_some(2),
        ..Limits::default()
    }
}

impl World {
    /// Puts people and files into the world, and lets things go wrong.
    pub fn begin(&mut self) {
        let large = self.chance.percent(20);
        if large {
            self.plan.payload = self.plan.payload.max(32 * 1024);
        }
        let people = [1, 1, 1, 2, 2, 3][self.chance.index(6)];
        self.people = people;
        let mut total = 0;
        for number in 0..people {
            let files = if large { 1 } else { self.chance.between(1, 5) };
            let mut sources = Vec::new();
            for _ in 0..files {
                let size = self.size(large && number == 0);
                total += size;
                let path = format!("{}.bin", self.sources.len());
                sources.push(self.sources.len());
                self.sources.push(Source::new(path, size, &mut self.chance));
            }
            let seconds = self.chance.magnitude(300, 20_000) as f64 / 1000.0;
            let busy = seconds * (0.5 + self.chance.below(150) as f64 / 100.0);
            let end = Duration::from_secs_f64(busy) + self.spell(5);
            self.plan.trouble_ends = self.plan.trouble_ends.max(end);
            let least = if large { 400_000.0 } else { 3_000.0 };
            let way = Way {
                rate: (total as f64 / seconds).max(least) as u64,
                latency: self
                    .chance
                    .span(Duration::from_micros(50), Duration::from_millis(300)),
            };
            let lateness = match self.chance.below(10) {
                0 => Duration::from_secs(1),
                _ => Duration::from_millis(4),
            };
            let mut client = Client::new(way, lateness);
            client.wanted.clone_from(&sources);
            self.clients.push(client);
            self.new_engine(number);
            for source in sources {
                let when = match self.chance.below(3) {
                    0 => self.plan.trouble_ends.mul_f64(0.5),
                    _ => Duration::from_millis(2),
                };
                let when = self.chance.span(Duration::from_micros(1), when);
                self.at(when, Event::Add(number, source));
            }
        }
        self.schedule();
        self.at(Duration::from_millis(500), Event::Inspect);
    }

    fn size(&mut self, large: bool) -> u64 {
        if large {
            let whole = [1, 1, 1, 2, 2, 3][self.chance.index(6)] * BLOCK;
            return match self.chance.below(6) {
                0 => whole,
                1 => whole - 1,
                2 => whole + 1,
                _ => whole + self.chance.magnitude(1, BLOCK / 4),
            };
        }
        match self.chance.below(8) {
            0 => self.chance.below(2),
            _ => self.chance.magnitude(2, 120_000),
        }
    }

    /// Draws which kinds of faults there are in this run, and when each happens: at a
    /// time, or when the disk has so much to do.
    fn schedule(&mut self) {
        let kinds: Vec<Fault> = match self.chance.below(10) {
            0 => Vec::new(),
            1..4 => {
                let first = ALL[self.chance.index(ALL.len())];
                let second = ALL[self.chance.index(ALL.len())];
                vec![first, second]
            }
            _ => {
                let share = self.chance.between(20, 80);
                let all = ALL.into_iter();
                all.filter(|_| self.chance.percent(share)).collect()
            }
        };
        let count = self.chance.magnitude(2, 50);
        let end = self.plan.trouble_ends;
        let mut last = Time::ZERO;
        for _ in 0..count {
            let Some(fault) = self.chance.pick(&kinds) else {
                return;
            };
            match self.chance.below(10) {
                0..3 => {
                    let step = self.chance.magnitude(1, 100);
                    self.at_step.insert(step, fault);
                }
                // Troubles seldom come alone.
                3..6 => {
                    let soon = Duration::from_secs(3).min(end);
                    last += self.chance.span(Duration::from_millis(1), soon);
                    self.at(last, Event::Fault(fault));
                }
                _ => {
                    last = end.mul_f64(self.chance.below(1000) as f64 / 1000.0);
                    self.at(last, Event::Fault(fault));
                }
            }
        }
    }

    /// A step of the disk begins: is it one at which something goes wrong?
    pub fn step_begun(&mut self) {
        if let Some(fault) = self.at_step.remove(&self.server.steps)
            && self.calm.is_none()
        {
            let within = self.moment();
            self.at(self.now + within, Event::Fault(fault));
        }
    }
}
