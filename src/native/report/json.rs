//! For a script: an object on each line of standard output. The README lists them.

use std::collections::HashMap;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Report;
use crate::native::address::Address;
use crate::native::engine::Plan;
use crate::native::event::{End, Event, Failure, Link, Outcome};
use crate::native::source::Source;
use crate::native::walk::Skipped;
use crate::native::words;
use crate::protocol::id::FileId;
use crate::protocol::sender::{Note, Row, RowState};
use crate::protocol::trouble::Trouble;
use crate::verify::Root;

/// How often the progress of a file is told while its state stays the same.
const PROGRESS: Duration = Duration::from_millis(500);

/// JSON for a script.
#[derive(Debug)]
pub struct Json {
    server: Address,
    sources: Arc<[Source]>,
    told: HashMap<usize, (Instant, RowState)>,
}

/// One line.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    Skipped {
        file: &'a str,
        message: String,
    },
    Connection {
        state: &'a str,
        retry_in: Option<f64>,
        message: Option<&'a str>,
    },
    Progress {
        #[serde(flatten)]
        file: File<'a>,
        state: &'a str,
        received: u64,
        durable: u64,
        rate: u64,
        seconds_left: Option<u64>,
        note: Option<&'a str>,
        trouble: Option<&'a str>,
    },
    Stored {
        #[serde(flatten)]
        file: File<'a>,
        stored_as: &'a str,
        digest: Root,
        id: FileId,
        link: String,
    },
    Failed {
        #[serde(flatten)]
        file: File<'a>,
        reason: &'a str,
        message: String,
    },
    NoJournal {
        message: String,
    },
    End {
        end: &'a str,
        stored: usize,
        failed: usize,
        left: usize,
        message: Option<&'a str>,
    },
}

/// Which file a line is about.
#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    file: String,
    size: u64,
}

impl Json {
    /// The lines of a run that begins.
    pub fn new(plan: &Plan) -> Self {
        Self {
            server: plan.server.clone(),
            sources: plan.sources.clone(),
            told: HashMap::new(),
        }
    }

    fn file(&self, index: usize) -> File<'_> {
        let source = &self.sources[index];
        File {
            path: &source.path,
            file: source.file.to_string_lossy().into_owned(),
            size: source.stamp.size,
        }
    }

    fn progress(&mut self, index: usize, row: &Row) {
        let (now, state) = (Instant::now(), row.state);
        let told = self.told.get(&index);
        if told.is_some_and(|(at, was)| *was == state && now - *at < PROGRESS) {
            return;
        }
        self.told.insert(index, (now, state));
        write(&Line::Progress {
            file: self.file(index),
            state: state.word(),
            received: row.received,
            durable: row.durable,
            rate: row.rate,
            seconds_left: row.left.map(|millis| millis / 1000),
            note: row.note.map(|note| match note {
                Note::Continued => "continued",
                Note::StartedOver => "started-over",
                Note::PausedElsewhere => "paused-elsewhere",
            }),
            trouble: row.trouble.as_ref().map(Trouble::word),
        });
    }
}

impl Report for Json {
    fn skipped(&mut self, skipped: &Skipped) {
        write(&Line::Skipped {
            file: &skipped.path.to_string_lossy(),
            message: skipped.why.to_string(),
        });
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Link(link) => {
                let (state, retry_in, message) = match &link {
                    Link::Connecting => ("connecting", None, None),
                    Link::Open => ("open", None, None),
                    Link::Waiting { retry_in, why } => {
                        ("waiting", Some(retry_in.as_secs_f64()), Some(why.as_str()))
                    }
                };
                write(&Line::Connection {
                    state,
                    retry_in,
                    message,
                });
            }
            Event::Progress(index, row) => self.progress(index, &row),
            Event::Stored(index, stored) => write(&Line::Stored {
                file: self.file(index),
                stored_as: &stored.path,
                digest: stored.digest,
                id: stored.id,
                link: self.server.link(stored.id),
            }),
            Event::Failed(index, failure) => write(&Line::Failed {
                file: self.file(index),
                reason: match &failure {
                    Failure::Trouble(trouble) => trouble.word(),
                    Failure::Fault(fault) => words::fault(fault),
                    Failure::Busy => "busy",
                },
                message: failure.to_string(),
            }),
            Event::NoJournal(error) => write(&Line::NoJournal {
                message: error.to_string(),
            }),
        }
    }

    fn end(&mut self, outcome: &Outcome) {
        let (end, message) = match &outcome.end {
            End::Finished => ("finished", None),
            End::Stopped => ("interrupted", None),
            End::GaveUp => ("gave-up", None),
            End::Closed(code) => ("refused", Some(code.reason())),
            End::Refused(why) => ("refused", Some(why.as_str())),
        };
        write(&Line::End {
            end,
            stored: outcome.stored,
            failed: outcome.failed,
            left: outcome.left,
            message,
        });
    }
}

fn write(line: &Line<'_>) {
    if let Ok(mut line) = serde_json::to_vec(line) {
        line.push(b'\n');
        // Whoever closed it does not want to know.
        let _ = stdout().write_all(&line);
    }
}
