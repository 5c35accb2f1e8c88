//! For a person: what is stored on standard output, all else on standard error; with
//! bars where that is a terminal, in plain lines where it is not.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Report;
use super::bars::Bars;
use super::totals::Totals;
use crate::native::address::Address;
use crate::native::engine::Plan;
use crate::native::event::{End, Event, Failure, Link, Outcome, Stored};
use crate::native::source::Source;
use crate::native::walk::Skipped;
use crate::native::words::printable;
use crate::protocol::sender::{Note, Row};
use crate::units::Bytes;

/// How often progress is told where there are no bars.
const PLAIN: Duration = Duration::from_secs(10);
/// How often it is said that a server cannot be reached.
const OUTAGE: Duration = Duration::from_secs(60);

/// Text for a person.
#[derive(Debug)]
pub struct Text {
    server: Address,
    sources: Arc<[Source]>,
    totals: Totals,
    bars: Option<Bars>,
    told: Instant,
    outage: Option<Instant>,
    /// Which notes were told of each file.
    noted: Vec<Vec<Note>>,
}

impl Text {
    /// The text of a run that begins.
    pub fn new(plan: &Plan) -> Self {
        let text = Self {
            server: plan.server.clone(),
            sources: plan.sources.clone(),
            totals: Totals::new(&plan.sources),
            bars: stderr().is_terminal().then(Bars::new),
            told: Instant::now(),
            outage: None,
            noted: vec![Vec::new(); plan.sources.len()],
        };
        let (files, size) = (count(text.totals.files), Bytes(text.totals.size));
        text.say(&format!("Sending {files} ({size}) to {}", text.server));
        text
    }

    fn say(&self, line: &str) {
        // Whoever closed it does not want to know.
        self.beside(|| _ = writeln!(stderr(), "{line}"));
    }

    fn beside(&self, act: impl FnOnce()) {
        match &self.bars {
            Some(bars) => bars.beside(act),
            None => act(),
        }
    }

    fn name(&self, index: usize) -> String {
        printable(&self.sources[index].path)
    }

    fn link(&mut self, link: &Link) {
        let told = self.outage.is_some_and(|at| at.elapsed() < OUTAGE);
        match link {
            Link::Waiting { why, .. } if !told => {
                self.outage = Some(Instant::now());
                let (server, why) = (&self.server, printable(why));
                self.say(&format!("No connection to {server}: {why}. Trying again."));
            }
            Link::Open if self.outage.take().is_some() => self.say("Connected again."),
            _ => {}
        }
    }

    fn progress(&mut self, index: usize, row: Row) {
        let noted = &mut self.noted[index];
        if row.note != Some(Note::PausedElsewhere) {
            // It may be paused again.
            noted.retain(|note| *note != Note::PausedElsewhere);
        }
        if let Some(note) = row.note
            && !noted.contains(&note)
        {
            noted.push(note);
            let (name, durable) = (self.name(index), Bytes(row.durable));
            self.say(&match note {
                Note::Continued => format!("{name} goes on; the server has {durable} of it."),
                Note::StartedOver => format!("{name} begins anew; the server has no more of it."),
                Note::PausedElsewhere => {
                    format!("{name} was paused from another device, and waits to be resumed there.")
                }
            });
        }
        if let Some(bars) = &mut self.bars {
            bars.moved(index, &row);
        }
        self.totals.moved(index, row);
    }

    fn stored(&mut self, index: usize, stored: &Stored) {
        let size = self.sources[index].stamp.size;
        self.totals.stored(index, size);
        let (path, link) = (printable(&stored.path), self.server.link(stored.id));
        let (size, digest) = (Bytes(size), stored.digest);
        self.beside(|| {
            _ = writeln!(stdout(), "{path} ({size})\n  {link}\n  blake3 {digest}");
        });
    }

    fn failed(&mut self, index: usize, failure: &Failure) {
        self.totals.failed(index, self.sources[index].stamp.size);
        self.say(&format!("{} failed: {failure}", self.name(index)));
    }

    fn show(&mut self) {
        if let Some(bars) = &mut self.bars {
            let text = match self.outage {
                Some(_) => "no connection, trying again".to_owned(),
                None => self.totals.to_string(),
            };
            bars.total(&self.totals, text);
        } else if self.told.elapsed() >= PLAIN && self.outage.is_none() {
            self.told = Instant::now();
            let (durable, size) = (Bytes(self.totals.durable()), Bytes(self.totals.size));
            self.say(&format!("{durable} of {size} are safe, {}", self.totals));
        }
    }
}

impl Report for Text {
    fn skipped(&mut self, skipped: &Skipped) {
        let path = printable(&skipped.path.to_string_lossy());
        self.say(&format!("{path} is left out: {}.", skipped.why));
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Link(link) => self.link(&link),
            Event::Progress(index, row) => self.progress(index, row),
            Event::Stored(index, stored) => {
                self.settled(index);
                self.stored(index, &stored);
            }
            Event::Failed(index, failure) => {
                self.settled(index);
                self.failed(index, &failure);
            }
            Event::NoJournal(error) => self.say(&format!(
                "This cannot be continued by another run, for the journal failed: {error}."
            )),
        }
        self.show();
    }

    fn end(&mut self, outcome: &Outcome) {
        if let Some(bars) = &mut self.bars {
            bars.clear();
        }
        let mut text = format!("{} stored", count(outcome.stored));
        if outcome.failed > 0 {
            text.push_str(&format!(", {} failed", outcome.failed));
        }
        if outcome.left > 0 {
            text.push_str(&format!(", {} left", outcome.left));
        }
        self.say(&format!("{text}."));
        let server = &self.server;
        match &outcome.end {
            End::Finished => {}
            End::Stopped => self.say("The same command goes on from where it was."),
            End::GaveUp => self.say("Nothing moved for too long. The same command goes on."),
            End::Refused(why) => self.say(&format!("{server} cannot be used: {}", printable(why))),
            End::Closed(code) => {
                let why = code.reason();
                self.say(&format!("{server} closed the connection for good: {why}."));
            }
        }
    }
}

impl Text {
    fn settled(&mut self, index: usize) {
        if let Some(bars) = &mut self.bars {
            bars.settled(index);
        }
    }
}

fn count(files: usize) -> String {
    match files {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    }
}
