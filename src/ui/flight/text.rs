//! How an upload went, in words: for its reader, and as plain text for a bug report.
//!
//! The report is in English, since it is for those who mend Longhaul. It has no name of a
//! file, no address and no secret in it.

use std::fmt::Write;
use std::time::Duration;

use crate::protocol::close::CloseCode;
use crate::protocol::recorder::{Flight, What};
use crate::ui::language::{Locale, td_string};
use crate::ui::numbers::{bytes, span};
use crate::ui::words;
use crate::units::{Bytes, Span};

/// A span of time that may be short, in milliseconds.
pub fn short(locale: Locale, millis: u64) -> String {
    match millis {
        1..1000 => td_string!(locale, flight.millis, millis = millis),
        1000..60_000 => {
            let seconds = format!("{:.1}", millis as f64 / 1000.0);
            td_string!(locale, numbers.seconds, seconds = seconds)
        }
        _ => span(locale, Duration::from_millis(millis)),
    }
}

/// Something that happened.
pub fn what(locale: Locale, what: &What) -> String {
    match what {
        What::Opened { have: 0, again: 0 } => td_string!(locale, flight.began).to_owned(),
        What::Opened { have, again: 0 } => {
            td_string!(locale, flight.went_on, have = bytes(locale, *have))
        }
        What::Opened { have, again } => td_string!(
            locale,
            flight.went_on_again,
            have = bytes(locale, *have),
            again = bytes(locale, *again)
        ),
        What::Stalled { lasted } => {
            td_string!(locale, flight.stalled, span = short(locale, *lasted))
        }
        What::Lost { code, back, .. } => {
            let reason = words::close(locale, CloseCode::from_code(*code));
            match back {
                Some(back) => td_string!(
                    locale,
                    flight.lost_back,
                    code = code,
                    reason = reason,
                    span = short(locale, *back)
                ),
                None => td_string!(locale, flight.lost, code = code, reason = reason),
            }
        }
        What::Damaged { block } => td_string!(locale, flight.damaged, block = block),
        What::Retried { trouble } => {
            td_string!(
                locale,
                flight.retried,
                why = words::trouble(locale, trouble)
            )
        }
        What::Failed { trouble } => {
            td_string!(locale, flight.failed, why = words::trouble(locale, trouble))
        }
        What::StartedOver => td_string!(locale, flight.started_over).to_owned(),
        What::Paused { elsewhere: false } => td_string!(locale, flight.paused).to_owned(),
        What::Paused { elsewhere: true } => td_string!(locale, flight.paused_elsewhere).to_owned(),
        What::Resumed { elsewhere: false } => td_string!(locale, flight.resumed).to_owned(),
        What::Resumed { elsewhere: true } => {
            td_string!(locale, flight.resumed_elsewhere).to_owned()
        }
        What::Stored => td_string!(locale, state.stored).to_owned(),
    }
}

/// How many lines a report has of samples at most.
const LINES: usize = 40;

/// All that is known, as plain text. `agent` is what the browser says of itself.
pub fn report(flight: &Flight, size: u64, agent: &str) -> String {
    // Writing to a string does not fail.
    let mut text = String::new();
    let totals = &flight.totals;
    let time = |millis| Span(Duration::from_millis(millis));
    let _ = writeln!(
        text,
        "Longhaul {}, flight record",
        env!("CARGO_PKG_VERSION")
    );
    let _ = writeln!(text, "browser      {agent}");
    let _ = writeln!(text, "file         {size} bytes");
    let _ = writeln!(text, "time         {}", time(flight.lasted));
    let _ = writeln!(
        text,
        "arrived      {} ({}/s), handed to sockets {}, sent twice {}",
        Bytes(totals.received),
        Bytes(flight.mean()),
        Bytes(totals.sent),
        Bytes(totals.again)
    );
    let _ = writeln!(
        text,
        "stalls       {} ({}), now {}",
        totals.stalls,
        time(totals.stalled),
        flight
            .stalled
            .map_or("none".to_owned(), |it| time(it).to_string())
    );
    let _ = writeln!(
        text,
        "reconnects   {} ({}), retries {}, damaged blocks {}, pauses {}",
        totals.lost,
        time(totals.away),
        totals.retries,
        totals.damaged,
        totals.pauses
    );
    let all = &flight.connection;
    let _ = writeln!(
        text,
        "connection   arrived {}, sent twice {}, stalls {}, reconnects {}",
        Bytes(all.received),
        Bytes(all.again),
        all.stalls,
        all.lost
    );
    let _ = writeln!(text, "\n{:>10}  what happened", "ms");
    if flight.left_out > 0 {
        let _ = writeln!(
            text,
            "{:>10}  {} earlier marks are left out",
            "", flight.left_out
        );
    }
    for mark in &flight.marks {
        let _ = writeln!(text, "{:>10}  {}", mark.at, plain(&mark.what));
    }
    let _ = writeln!(
        text,
        "\n{:>10} {:>12} {:>12} {:>10} {:>10} {:>10} {:>7}",
        "ms", "arrived B", "sent B", "trip us", "window B", "credit B", "sockets"
    );
    let each = flight.samples.len().div_ceil(LINES).max(1);
    for (index, samples) in flight.samples.chunks(each).enumerate() {
        let at = flight.step * (index * each) as u64;
        let received: u64 = samples.iter().map(|sample| sample.received).sum();
        let sent: u64 = samples.iter().map(|sample| sample.sent).sum();
        let trip = samples.iter().map(|sample| sample.round_trip).max();
        let link = samples.iter().rev().find_map(|sample| sample.link);
        let link = link.unwrap_or_default();
        let _ = writeln!(
            text,
            "{at:>10} {received:>12} {sent:>12} {:>10} {:>10} {:>10} {:>7}",
            trip.unwrap_or_default(),
            link.window,
            link.credit,
            link.sockets
        );
    }
    text
}

fn plain(what: &What) -> String {
    match what {
        What::Opened { have, again } => {
            format!("opened, {have} B durable, {again} B to send again")
        }
        What::Stalled { lasted } => format!("stalled for {lasted} ms"),
        What::Lost { code, back, tries } => match back {
            Some(back) => {
                format!("lost the connection, {code}; back after {back} ms, tries {tries}")
            }
            None => format!("lost the connection, {code}; not back"),
        },
        What::Damaged { block } => format!("block {block} damaged"),
        What::Retried { trouble } => format!("tries again: {}", trouble.word()),
        What::Failed { trouble } => format!("failed: {}", trouble.word()),
        What::StartedOver => "started over".to_owned(),
        What::Paused { elsewhere } => format!("paused{}", from(*elsewhere)),
        What::Resumed { elsewhere } => format!("resumed{}", from(*elsewhere)),
        What::Stored => "stored".to_owned(),
    }
}

fn from(elsewhere: bool) -> &'static str {
    if elsewhere {
        " from another device"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::recorder::{Gauges, Mark, Sample, Totals};

    #[test]
    fn a_report_says_all_in_few_lines() {
        let sample = Sample {
            received: 1000,
            sent: 2000,
            round_trip: 7,
            link: Some(Gauges {
                window: 8,
                credit: 4,
                sockets: 2,
            }),
        };
        let (code, back, tries) = (4005, Some(300), 2);
        let flight = Flight {
            lasted: 60_000,
            step: 250,
            samples: vec![sample; 200],
            marks: vec![Mark {
                at: 5,
                what: What::Lost { code, back, tries },
            }],
            left_out: 3,
            totals: Totals {
                received: 200_000,
                sent: 400_000,
                again: 5000,
                ..Totals::default()
            },
            ..Flight::default()
        };
        let text = report(&flight, 1 << 20, "Some/1.0");
        for part in [
            "browser      Some/1.0",
            "200 kB (3.33 kB/s)",
            "sent twice 5.00 kB",
            "lost the connection, 4005; back after 300 ms, tries 2",
            "3 earlier marks are left out",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let samples = text
            .lines()
            .filter(|line| line.ends_with(" 8          4       2"));
        assert_eq!(samples.count(), 40);
        assert!(text.contains("\n         0         5000        10000          7"));
    }
}
