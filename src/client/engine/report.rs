//! What pages are told, no more often than they can show it.

use super::{FLIGHTS, Inner, RATES, REPORT, REPORT_ROW, now};
use crate::client::lines::LineId;
use crate::port::{Key, Link, Report, Row, Told};
use crate::protocol::Time;
use crate::protocol::close::CloseCode;
use crate::protocol::connection::State;

/// How many rows a page takes in at once: thousands of them in one piece would hold it up.
pub(super) const PORTION: usize = 256;

/// Tells of rows, a portion at a time.
pub(super) fn portions(changed: Vec<Row>, removed: Vec<Key>) -> impl Iterator<Item = Report> {
    let mut removed = Some(removed).filter(|keys| !keys.is_empty());
    let mut changed = changed.into_iter();
    std::iter::from_fn(move || {
        let changed: Vec<Row> = changed.by_ref().take(PORTION).collect();
        let removed = removed.take();
        (!changed.is_empty() || removed.is_some()).then(|| Report::Rows {
            changed,
            removed: removed.unwrap_or_default(),
        })
    })
}

impl Inner {
    pub(super) fn report_changes(&mut self) {
        let now = now();
        let link = self.link(now);
        if self.link != Some(link) {
            self.link = Some(link);
            self.report(&Report::Connection(link));
        }
        if self.client.sender.interest() && self.rated + RATES <= now {
            self.rated = now;
            self.client.sender.touch_moving();
        }
        if self.client.sender.has_changes() && self.report_due() <= now {
            self.reported = now;
            self.flown = false;
            let (changed, removed) = self.client.sender.take_changes(now);
            for report in portions(changed, removed) {
                self.report(&report);
            }
        }
        if self.flights_due().is_some_and(|due| due <= now) {
            self.flights = now;
            // What moves, moves on.
            self.flown = !self.client.sender.interest();
            let looks = |(line, page): (&LineId, &super::pages::Page)| {
                let line = *line;
                let keys: Vec<Key> = page.looks.iter().copied().collect();
                keys.into_iter().map(move |key| (line, key))
            };
            let looks: Vec<_> = self.pages.iter().flat_map(looks).collect();
            for (line, key) in looks {
                self.report_flight(line, key);
            }
        }
    }

    /// When pages are to be told how uploads go that they look at; never, where nobody looks
    /// or nothing happens.
    pub(super) fn flights_due(&self) -> Option<Time> {
        let looks = !self.flown && self.pages.values().any(|page| !page.looks.is_empty());
        looks.then(|| self.flights + FLIGHTS)
    }

    /// Tells a page how an upload goes.
    pub(super) fn report_flight(&self, line: LineId, key: Key) {
        if let Some(flight) = self.client.sender.flight(key, now()) {
            self.report_to(line, Report::Flight(key, Box::new(flight)));
        }
    }

    /// When pages are to be told of the rows that changed; of the last ones at once, for
    /// nothing comes after them that they could be told with.
    pub(super) fn report_due(&self) -> Time {
        if !self.client.sender.interest() {
            return Time::ZERO;
        }
        let rows = self.client.sender.changes() as u32;
        self.reported + (REPORT_ROW * rows).clamp(*REPORT.start(), *REPORT.end())
    }

    pub(super) fn report(&self, report: &Report) {
        for line in self.pages.keys() {
            self.report_to(*line, report.clone());
        }
    }

    /// Reports to one page, if it is attached.
    pub(super) fn report_to(&self, line: LineId, report: Report) {
        if let Some(page) = self.pages.get(&line) {
            self.lines.tell(line, &Told::Report(page.visit, report));
        }
    }

    pub(super) fn link(&self, now: Time) -> Link {
        if let Some(code) = self.client.connection().refused().and_then(CloseCode::code) {
            return Link::Closed { code };
        }
        match self.client.connection().state() {
            State::Open { pinged, .. } if self.client.connection().online() || !pinged => {
                Link::Open
            }
            _ if !self.client.connection().online() && self.client.is_needed() => Link::Offline,
            State::Open { .. } => Link::Open,
            State::Connecting { .. } => Link::Connecting,
            State::Waiting { until } => {
                let left = until.saturating_sub(now).as_millis() as u64;
                // The same wait is one report: its seconds are the page's to count.
                match self.link {
                    Some(Link::Waiting { retry_in }) if retry_in >= left => {
                        Link::Waiting { retry_in }
                    }
                    _ => Link::Waiting { retry_in: left },
                }
            }
            State::Closing { .. } | State::Idle => Link::Idle,
        }
    }
}
