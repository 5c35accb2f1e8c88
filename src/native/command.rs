//! `longhaul send`: its options, one run of it, and its exit codes.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::address::Address;
use super::engine::{Plan, send};
use super::event::{End, Event, Outcome};
use super::journal::Journal;
use super::report::{Json, Report, Text};
use super::walk::{self, FindError, Skip, Skipped};
use super::words;

/// Options of `longhaul send`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Files and folders to send; a folder goes with its tree, under its own name
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// The address of the server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    pub to: Address,

    /// Tells what happens as JSON on standard output, an object on each line
    #[arg(long)]
    pub json: bool,

    /// Ends when nothing has moved for so long (30s, 2h) [else: tries for ever]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub give_up_after: Option<Duration>,
}

/// What `longhaul send --help` says below its options.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    everything is stored
  1    a file could not be read, was refused or failed
  2    the command line is wrong, or something that it names cannot be sent
  3    the server could not be reached or does not take this client
  130  interrupted: the same command goes on from where it was";

/// Sends what the options name, until `stop` is done, and says what came of it.
pub async fn run(options: &Options, stop: impl Future<Output = ()>) -> ExitCode {
    let paths = options.paths.clone();
    let found = match tokio::task::spawn_blocking(move || walk::find(&paths)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return wrong(&error),
        Err(error) => {
            words::complain(&error);
            return ExitCode::FAILURE;
        }
    };
    let (journal, trouble) = match Journal::open() {
        Ok(journal) => (Some(journal), None),
        Err(error) => (None, Some(error)),
    };
    let plan = Plan {
        server: options.to.clone(),
        sources: found.sources.into(),
        journal,
        give_up_after: options.give_up_after,
    };
    let mut report: Box<dyn Report> = match options.json {
        true => Box::new(Json::new(&plan)),
        false => Box::new(Text::new(&plan)),
    };
    for skipped in &found.skipped {
        report.skipped(skipped);
    }
    if let Some(error) = trouble {
        report.event(Event::NoJournal(error));
    }
    let outcome = send(plan, stop, |event| report.event(event)).await;
    report.end(&outcome);
    code(&outcome, &found.skipped)
}

fn wrong(error: &FindError) -> ExitCode {
    words::complain(error);
    ExitCode::from(2)
}

fn code(outcome: &Outcome, skipped: &[Skipped]) -> ExitCode {
    let unreadable = skipped.iter().any(|s| matches!(s.why, Skip::Unreadable(_)));
    ExitCode::from(match outcome.end {
        End::Stopped => 130,
        End::GaveUp | End::Closed(_) | End::Refused(_) => 3,
        End::Finished if outcome.failed > 0 || unreadable => 1,
        End::Finished => 0,
    })
}
