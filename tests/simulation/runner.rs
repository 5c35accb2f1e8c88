//! Runs many seeds on all cores.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::world;

/// How often it is said how far it is.
const PROGRESS: Duration = Duration::from_secs(10);

/// A number from the environment.
pub fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is not a number")),
    )
}

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

struct Progress<I> {
    seeds: I,
    done: u64,
    events: u64,
    virtual_time: Duration,
    failed: Vec<(u64, String)>,
    began: Instant,
    said: Instant,
}

/// Runs all of them; panics with those that failed, once ten did or all are done.
pub fn run_all(seeds: impl IntoIterator<Item = u64, IntoIter: Send>, talkative: bool) {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        PLACE.with_borrow_mut(|last| *last = place.unwrap_or_default());
    }));
    let now = Instant::now();
    let progress = Mutex::new(Progress {
        seeds: seeds.into_iter(),
        done: 0,
        events: 0,
        virtual_time: Duration::ZERO,
        failed: Vec::new(),
        began: now,
        said: now,
    });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&progress, talkative));
        }
    });
    let _ = std::panic::take_hook();
    let progress = progress.into_inner();
    println!("{}", progress.line());
    let failures: Vec<String> = progress.failed.into_iter().map(|(_, why)| why).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn work<I: Iterator<Item = u64>>(progress: &Mutex<Progress<I>>, talkative: bool) {
    loop {
        let Some(seed) = progress.lock().next() else {
            return;
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| world::run(seed, false)));
        let mut progress = progress.lock();
        progress.done += 1;
        match outcome {
            Ok(summary) => {
                progress.events += summary.events;
                progress.virtual_time += summary.virtual_time;
            }
            Err(why) => {
                let place = PLACE.with_borrow(Clone::clone);
                let why = format!("SEED={seed}: {} ({place})", text(&*why));
                println!("{why}");
                progress.failed.push((seed, why));
            }
        }
        if talkative && progress.said.elapsed() > PROGRESS {
            progress.said = Instant::now();
            println!("{}", progress.line());
        }
    }
}

impl<I: Iterator<Item = u64>> Progress<I> {
    fn next(&mut self) -> Option<u64> {
        (self.failed.len() < 10)
            .then(|| self.seeds.next())
            .flatten()
    }

    fn line(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        format!(
            "{} seeds in {seconds:.1} s: {} events, {:.0} hours of virtual time, {} failed",
            self.done,
            self.events,
            self.virtual_time.as_secs_f64() / 3600.0,
            self.failed.len(),
        )
    }
}

fn text(why: &(dyn Any + Send)) -> &str {
    let string = why.downcast_ref::<String>().map(String::as_str);
    string
        .or_else(|| why.downcast_ref::<&str>().copied())
        .unwrap_or("something else")
}
