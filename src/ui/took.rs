//! How long what was sent together took, and how fast that was on average. It is said only
//! of what this page saw begin: of the rest nobody here knows when that was.

use std::time::Duration;

use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::rows::Totals;

/// What the uploads took that ended last, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// From the first byte to the last, with whatever came between.
    pub time: Duration,
    /// Bytes per second.
    pub rate: u64,
}

/// What is known of them, for the components below; tracked.
#[derive(Clone, Copy)]
pub struct LastTook(Memo<Option<Took>>);

impl LastTook {
    /// Looks at all uploads from now on.
    pub fn provide() {
        let engine = Engine::expect();
        let batch = RwSignal::new(Batch::None);
        Effect::new(move |_| {
            let totals = engine.totals();
            batch.update(|batch| *batch = batch.next(browser::now(), &totals));
        });
        provide_context(Self(Memo::new(move |_| batch.get().took())));
    }

    /// What is provided above this component.
    pub fn expect() -> Self {
        expect_context()
    }

    /// It; nothing while something is under way, or where there is nothing to say.
    pub fn get(self) -> Option<Took> {
        self.0.get()
    }
}

/// The uploads of one go: those that are there from when one begins until none is unfinished.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Batch {
    /// There are none.
    #[default]
    None,
    /// They had begun before.
    Unknown,
    /// None has begun; so many bytes are stored of others.
    Ready(u64),
    /// They are under way.
    Going {
        since: f64,
        /// Bytes stored of whatever is listed, and of these.
        durable: u64,
        bytes: u64,
    },
    /// All have ended.
    Over(Took),
}

/// What takes less is not worth a word, and is not measured well by reports.
const WORTH: Duration = Duration::from_secs(2);

impl Batch {
    fn next(self, now: f64, totals: &Totals) -> Self {
        let unfinished = totals.unfinished() > 0;
        match self {
            Self::None | Self::Over(_) if unfinished && totals.unfinished_durable > 0 => {
                Self::Unknown
            }
            Self::None | Self::Over(_) if unfinished => {
                Self::Ready(totals.durable).next(now, totals)
            }
            Self::Over(_) if totals.files() > 0 => self,
            Self::Ready(durable) if unfinished => {
                match totals.sending() > 0 || totals.durable > durable {
                    true => Self::Going {
                        since: now,
                        durable: totals.durable,
                        bytes: totals.durable.saturating_sub(durable),
                    },
                    false => self,
                }
            }
            Self::Going {
                since,
                durable,
                bytes,
            } => {
                // Less, where some are taken off the list.
                let bytes = bytes + totals.durable.saturating_sub(durable);
                match unfinished {
                    true => Self::Going {
                        since,
                        durable: totals.durable,
                        bytes,
                    },
                    false => Self::over((now - since).max(0.0), bytes),
                }
            }
            Self::Unknown if unfinished => self,
            _ => Self::None,
        }
    }

    fn over(millis: f64, bytes: u64) -> Self {
        let time = Duration::from_millis(millis as u64);
        if time < WORTH || bytes == 0 {
            return Self::None;
        }
        let rate = (bytes as f64 / time.as_secs_f64()) as u64;
        Self::Over(Took { time, rate })
    }

    fn took(self) -> Option<Took> {
        match self {
            Self::Over(took) => Some(took),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::RowState::{self, Paused, Queued, Sending, Stored};
    use crate::ui::rows::tests::{of, row};

    /// What is said after these moments, in seconds, each with the uploads as they were then,
    /// of 100 bytes each, and how many bytes of them were stored.
    fn after(moments: &[(u32, &[(RowState, u64)])]) -> Option<(u64, u64)> {
        let mut batch = Batch::default();
        for (second, uploads) in moments {
            let rows = uploads.iter().zip(0..);
            let rows: Vec<_> = rows
                .map(|((state, durable), key)| row(key, "a", *state, (100, *durable, 0)))
                .collect();
            batch = batch.next(f64::from(*second) * 1000.0, &of(&rows));
        }
        batch.took().map(|took| (took.time.as_secs(), took.rate))
    }

    #[test]
    fn it_is_from_the_first_byte_to_the_last() {
        let whole: [(u32, &[(RowState, u64)]); 5] = [
            (0, &[(Queued, 0)]),
            // Whoever waits before the start has not sent anything.
            (60, &[(Sending, 0)]),
            (62, &[(Paused, 50)]),
            (68, &[(Stored, 100), (Sending, 50)]),
            (70, &[(Stored, 100), (Stored, 100)]),
        ];
        assert_eq!(after(&whole), Some((10, 20)));
        assert_eq!(after(&whole[..4]), None, "it is not over");
    }

    #[test]
    fn what_was_stored_before_does_not_count() {
        let second = [
            (0, &[(Stored, 100), (Queued, 0)][..]),
            (1, &[(Stored, 100), (Sending, 0)]),
            // The first one is taken off the list.
            (2, &[(Sending, 0)]),
            (3, &[(Sending, 50)]),
            (5, &[(Stored, 100)]),
        ];
        assert_eq!(after(&second), Some((4, 25)));
    }

    #[test]
    fn nothing_is_said_of_what_began_elsewhere_was_short_or_is_gone() {
        assert_eq!(after(&[(0, &[(Sending, 50)]), (9, &[(Stored, 100)])]), None);
        assert_eq!(after(&[(0, &[(Sending, 0)]), (1, &[(Stored, 100)])]), None);
        assert_eq!(
            after(&[(0, &[(Sending, 0)]), (9, &[(Stored, 100)]), (9, &[])]),
            None
        );
        assert_eq!(after(&[(0, &[(Sending, 0)]), (9, &[])]), None, "cancelled");
    }
}
