//! What the interface says, where it depends on data: states, limits, counts.

use std::time::Duration;

use super::engine::LinkView;
use crate::port::{Link, Note, RowState};
use crate::protocol::close::CloseCode;
use crate::protocol::live::LiveState;
use crate::protocol::manifest::Limits;
use crate::protocol::trouble::Trouble;
use crate::units::{Bytes, Span};

/// The state of an upload of this page.
pub fn state(state: RowState, auto_upload: bool) -> &'static str {
    match state {
        RowState::Queued if auto_upload => "Next in line",
        RowState::Queued => "Ready to start",
        RowState::Sending => "Sending",
        RowState::Paused => "Paused",
        RowState::Waiting => "Waiting to go on",
        RowState::Verifying => "Checking",
        RowState::Stored => "Stored and verified",
        RowState::Failed => "Not sent",
        RowState::NeedsFile => "Needs the file again",
    }
}

/// The state of any upload.
pub fn live_state(state: LiveState) -> &'static str {
    match state {
        LiveState::Receiving => "Arriving",
        LiveState::Resting => "Resting",
        LiveState::Stored => "Stored and verified",
        LiveState::Ended => "Ended",
    }
}

/// A quiet line about an upload.
pub fn note(note: Note) -> &'static str {
    match note {
        Note::Continued => "Continues from what was already here.",
        Note::StartedOver => "The server no longer had it, so it started from the beginning.",
    }
}

/// `1 file`, `12,345 files`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {}", if number == 1 { one } else { many })
}

/// Bytes per second.
pub fn rate(rate: u64) -> String {
    format!("{}/s", Bytes(rate))
}

/// How long it still takes, given in milliseconds.
pub fn left(millis: u64) -> String {
    format!("{} left", Span(Duration::from_millis(millis)))
}

/// The state of the connection. `now` is the moment on the page's clock; without
/// it, the seconds are left out.
pub fn link(view: LinkView, now: Option<f64>) -> String {
    match view.link {
        Link::Idle => "Idle".into(),
        Link::Connecting => "Connecting…".into(),
        Link::Open => "Connected".into(),
        Link::Offline => "No network".into(),
        Link::Outdated => "A newer version sends now".into(),
        Link::Closed { code } => format!(
            "The server closed the connection: {}",
            CloseCode::from_code(code).reason()
        ),
        Link::Waiting { .. } => match (view.retry_at, now) {
            (Some(at), Some(now)) => {
                let seconds = ((at - now) / 1000.0).ceil().max(0.0) as u64;
                match seconds {
                    0 => "Connection lost. Trying now…".into(),
                    _ => format!("Connection lost. Next try in {seconds} s"),
                }
            }
            _ => "Connection lost. It tries again by itself.".into(),
        },
    }
}

/// What a server accepts, as short sentences.
pub fn limits(limits: &Limits) -> Vec<String> {
    let mut words = vec![if limits.accept.is_empty() {
        "Any kind of file".to_owned()
    } else {
        let kinds: Vec<&str> = limits.accept.iter().map(|rule| kind(rule)).collect();
        format!("Accepted: {}", kinds.join(", "))
    }];
    words.push(match limits.max_file_size {
        Some(size) => format!("up to {} each", Bytes(size)),
        None => "of any size".to_owned(),
    });
    if let Some(entries) = limits.max_entries {
        words.push(format!(
            "{} at once",
            count(u64::from(entries), "file", "files")
        ));
    }
    if let Some(total) = limits.max_total_size {
        words.push(format!("{} together", Bytes(total)));
    }
    if !limits.directories {
        words.push("no folders".to_owned());
    }
    words
}

/// What went wrong and what to do, with the same names for kinds of files as above.
pub fn trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::NotAccepted { accept } => {
            let kinds: Vec<&str> = accept.split(", ").map(kind).collect();
            Trouble::NotAccepted {
                accept: kinds.join(", "),
            }
            .to_string()
        }
        trouble => trouble.to_string(),
    }
}

fn kind(rule: &str) -> &str {
    match rule {
        "image/*" => "images",
        "video/*" => "videos",
        "audio/*" => "audio",
        "text/*" => "text",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(count(0, "file", "files"), "0 files");
        assert_eq!(count(1234567, "file", "files"), "1,234,567 files");
    }

    #[test]
    fn limits_are_said_in_words() {
        assert_eq!(
            limits(&Limits::default()).join(", "),
            "Any kind of file, of any size"
        );
        let strict = Limits {
            accept: vec!["image/*".into(), ".pdf".into()],
            max_entries: Some(1),
            max_file_size: Some(2_000_000),
            directories: false,
            ..Limits::default()
        };
        assert_eq!(
            limits(&strict).join(", "),
            "Accepted: images, .pdf, up to 2.00 MB each, 1 file at once, no folders"
        );
    }

    #[test]
    fn a_refusal_names_kinds_as_the_limits_do() {
        let refused = Trouble::NotAccepted {
            accept: "image/*, .pdf".into(),
        };
        assert_eq!(
            trouble(&refused),
            "This kind of file is not taken here. Accepted: images, .pdf."
        );
    }

    #[test]
    fn the_wait_is_counted_down() {
        let view = LinkView {
            link: Link::Waiting { retry_in: 3000 },
            retry_at: Some(10_000.0),
        };
        assert_eq!(
            link(view, Some(7_001.0)),
            "Connection lost. Next try in 3 s"
        );
        assert_eq!(link(view, Some(10_500.0)), "Connection lost. Trying now…");
    }
}
