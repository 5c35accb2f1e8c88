//! What the interface says, where it depends on data: states, limits, troubles.

use super::engine::LinkView;
use super::language::{Locale, count, td_string};
use super::numbers::{bytes, grouped};
use crate::api::ApiError;
use crate::port::{Link, Note, RowState};
use crate::protocol::close::CloseCode;
use crate::protocol::live::LiveState;
use crate::protocol::manifest::Limits;
use crate::protocol::trouble::Trouble;

/// The state of an upload of this page.
pub fn state(locale: Locale, state: RowState, auto_upload: bool) -> &'static str {
    match state {
        RowState::Queued if auto_upload => td_string!(locale, state.queued),
        RowState::Queued => td_string!(locale, state.ready),
        RowState::Sending => td_string!(locale, state.sending),
        RowState::Paused => td_string!(locale, state.paused),
        RowState::Waiting => td_string!(locale, state.waiting),
        RowState::Verifying => td_string!(locale, state.verifying),
        RowState::Stored => td_string!(locale, state.stored),
        RowState::Failed => td_string!(locale, state.failed),
        RowState::NeedsFile => td_string!(locale, state.needs_file),
    }
}

/// The state of any upload.
pub fn live_state(locale: Locale, state: LiveState) -> &'static str {
    match state {
        LiveState::Receiving => td_string!(locale, state.receiving),
        LiveState::Paused => td_string!(locale, state.paused),
        LiveState::Resting => td_string!(locale, state.resting),
        LiveState::Stored => td_string!(locale, state.stored),
        LiveState::Ended => td_string!(locale, state.ended),
    }
}

/// A quiet line about an upload.
pub fn note(locale: Locale, note: Note) -> &'static str {
    match note {
        Note::Continued => td_string!(locale, note.continued),
        Note::StartedOver => td_string!(locale, note.started_over),
        Note::PausedElsewhere => td_string!(locale, note.paused_elsewhere),
    }
}

/// The state of the connection. `now` is the moment on the page's clock; without
/// it, the seconds are left out.
pub fn link(locale: Locale, view: LinkView, now: Option<f64>) -> String {
    let words = match view.link {
        Link::Idle => td_string!(locale, connection.idle),
        Link::Connecting if view.lost && now.is_some() => {
            td_string!(locale, connection.lost_now)
        }
        Link::Connecting if view.lost => td_string!(locale, connection.lost),
        Link::Connecting => td_string!(locale, connection.connecting),
        Link::Open => td_string!(locale, connection.open),
        Link::Offline => td_string!(locale, connection.offline),
        Link::Outdated => td_string!(locale, connection.outdated),
        Link::Closed { code } => {
            let reason = close(locale, CloseCode::from_code(code));
            return td_string!(locale, connection.closed, reason);
        }
        Link::Waiting { .. } => match (view.retry_at, now) {
            (Some(at), Some(now)) => {
                let seconds = ((at - now) / 1000.0).ceil().max(0.0) as u64;
                match seconds {
                    // Nobody can read what changes several times a second.
                    0 | 1 => td_string!(locale, connection.lost_now),
                    _ => return td_string!(locale, connection.lost_for, seconds),
                }
            }
            _ => td_string!(locale, connection.lost),
        },
    };
    words.to_owned()
}

/// Why a connection ended, in a few words.
pub fn close(locale: Locale, code: CloseCode) -> &'static str {
    match code {
        CloseCode::Done => td_string!(locale, close.done),
        CloseCode::Away => td_string!(locale, close.away),
        CloseCode::TooLarge => td_string!(locale, close.too_large),
        CloseCode::Internal => td_string!(locale, close.internal),
        CloseCode::Restart => td_string!(locale, close.restart),
        CloseCode::TryLater => td_string!(locale, close.try_later),
        CloseCode::Protocol => td_string!(locale, close.protocol),
        CloseCode::Origin => td_string!(locale, close.origin),
        CloseCode::Version => td_string!(locale, close.version),
        CloseCode::Text => td_string!(locale, close.text),
        CloseCode::Superseded => td_string!(locale, close.superseded),
        CloseCode::HeartbeatLost => td_string!(locale, close.heartbeat_lost),
        CloseCode::Timeout => td_string!(locale, close.timeout),
        CloseCode::LaneLost => td_string!(locale, close.lane_lost),
        CloseCode::Broken => td_string!(locale, close.broken),
        CloseCode::Other(_) => td_string!(locale, close.other),
    }
}

/// What a server accepts, in one sentence.
pub fn limits(locale: Locale, limits: &Limits) -> String {
    let mut rules = vec![if limits.accept.is_empty() {
        td_string!(locale, limits.any_kind).to_owned()
    } else {
        let kinds = kinds(locale, limits.accept.iter().map(String::as_str));
        td_string!(locale, limits.accepted, kinds)
    }];
    rules.push(match limits.max_file_size {
        Some(size) => td_string!(locale, limits.each, size = bytes(locale, size)),
        None => td_string!(locale, limits.any_size).to_owned(),
    });
    if let Some(entries) = limits.max_entries {
        rules.push(count!(locale, entries, limits.at_once));
    }
    if let Some(total) = limits.max_total_size {
        rules.push(td_string!(
            locale,
            limits.together,
            size = bytes(locale, total)
        ));
    }
    if !limits.directories {
        rules.push(td_string!(locale, limits.no_folders).to_owned());
    }
    let rules = rules.join(td_string!(locale, limits.comma));
    td_string!(locale, limits.sentence, rules)
}

/// What went wrong and what to do.
pub fn trouble(locale: Locale, trouble: &Trouble) -> String {
    let words = match trouble {
        Trouble::TooLarge { limit } => {
            return td_string!(locale, trouble.too_large, limit = bytes(locale, *limit));
        }
        Trouble::TotalTooLarge { limit } => {
            return td_string!(
                locale,
                trouble.total_too_large,
                limit = bytes(locale, *limit)
            );
        }
        Trouble::TooMany { limit } => {
            let limit = grouped(locale, u64::from(*limit));
            return td_string!(locale, trouble.too_many, limit);
        }
        Trouble::NotAccepted { accept } => {
            let kinds = kinds(locale, accept.split(", "));
            return td_string!(locale, trouble.not_accepted, kinds);
        }
        Trouble::NoFolders => td_string!(locale, trouble.no_folders),
        Trouble::BadName => td_string!(locale, trouble.bad_name),
        Trouble::DiskFull => td_string!(locale, trouble.disk_full),
        Trouble::Storage => td_string!(locale, trouble.storage),
        Trouble::Busy => td_string!(locale, trouble.busy),
        Trouble::Silent => td_string!(locale, trouble.silent),
        Trouble::TakenOver => td_string!(locale, trouble.taken_over),
        Trouble::Elsewhere => td_string!(locale, trouble.elsewhere),
        Trouble::Changed => td_string!(locale, trouble.changed),
        Trouble::Vanished => td_string!(locale, trouble.vanished),
        Trouble::Different => td_string!(locale, trouble.different),
        Trouble::Corrupt => td_string!(locale, trouble.corrupt),
        Trouble::Ended => td_string!(locale, trouble.ended),
        Trouble::Internal => td_string!(locale, trouble.internal),
    };
    words.to_owned()
}

/// Why the server did not do what it was asked for.
pub fn error(locale: Locale, error: &ApiError) -> String {
    let words = match error {
        ApiError::BadRequest(why) => return td_string!(locale, error.bad_request, why),
        ApiError::Transport(why) => return td_string!(locale, error.transport, why),
        ApiError::SearchTooLong { limit } => {
            let bytes = grouped(locale, u64::from(*limit));
            return td_string!(locale, error.search_too_long, bytes);
        }
        ApiError::TooManyChosen { limit } => {
            let limit = grouped(locale, u64::from(*limit));
            return td_string!(locale, error.too_many_chosen, limit);
        }
        ApiError::NothingChosen => td_string!(locale, error.nothing_chosen),
        ApiError::NoText => td_string!(locale, error.no_text),
        ApiError::NotFound => td_string!(locale, error.not_found),
        ApiError::NameTooLong => td_string!(locale, error.name_too_long),
        ApiError::NoName => td_string!(locale, error.no_name),
        ApiError::Taken => td_string!(locale, error.taken),
        ApiError::Nobody => td_string!(locale, error.nobody),
        ApiError::Internal => td_string!(locale, error.internal),
    };
    words.to_owned()
}

/// Kinds of files, as a list.
fn kinds<'a>(locale: Locale, rules: impl Iterator<Item = &'a str>) -> String {
    let kinds: Vec<&str> = rules
        .map(|rule| match rule {
            "image/*" => td_string!(locale, limits.images),
            "video/*" => td_string!(locale, limits.videos),
            "audio/*" => td_string!(locale, limits.audio),
            "text/*" => td_string!(locale, limits.texts),
            other => other,
        })
        .collect();
    kinds.join(td_string!(locale, limits.list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_two_forms() {
        let shown = |number: u64| count!(Locale::en, number, files_page.count);
        assert_eq!(shown(1), "1 file");
        assert_eq!(shown(0), "0 files");
        assert_eq!(shown(1_234_567), "1,234,567 files");
    }

    #[test]
    fn limits_are_said_in_words() {
        assert_eq!(
            limits(Locale::en, &Limits::default()),
            "Any kind of file, of any size."
        );
        let strict = Limits {
            accept: vec!["image/*".into(), ".pdf".into()],
            max_entries: Some(1),
            max_file_size: Some(2_000_000),
            directories: false,
            ..Limits::default()
        };
        assert_eq!(
            limits(Locale::en, &strict),
            "Accepted: images, .pdf, up to 2.00 MB each, 1 file at once, no folders."
        );
        assert_eq!(
            limits(Locale::zh_CN, &strict),
            "可接收：图片、.pdf，每个最大 2.00 MB，一次最多 1 个文件，不接收文件夹。"
        );
    }

    #[test]
    fn a_refusal_names_kinds_as_the_limits_do() {
        let refused = Trouble::NotAccepted {
            accept: "image/*, .pdf".into(),
        };
        assert_eq!(
            trouble(Locale::en, &refused),
            "This kind of file is not taken here. Accepted: images, .pdf."
        );
    }

    #[test]
    fn the_page_says_what_the_protocol_says() {
        for code in (1000..=1013).chain(4000..=4008) {
            let code = CloseCode::from_code(code);
            assert_eq!(close(Locale::en, code), code.reason());
        }
        for trouble in [
            Trouble::TooLarge { limit: 2_000 },
            Trouble::TotalTooLarge { limit: 2_000 },
            Trouble::TooMany { limit: 2 },
            Trouble::NoFolders,
            Trouble::BadName,
            Trouble::DiskFull,
            Trouble::Storage,
            Trouble::Busy,
            Trouble::Silent,
            Trouble::TakenOver,
            Trouble::Changed,
            Trouble::Vanished,
            Trouble::Different,
            Trouble::Corrupt,
            Trouble::Ended,
            Trouble::Internal,
            Trouble::Elsewhere,
        ] {
            assert_eq!(super::trouble(Locale::en, &trouble), trouble.to_string());
        }
    }

    #[test]
    fn the_wait_is_counted_down() {
        let view = LinkView {
            link: Link::Waiting { retry_in: 3000 },
            retry_at: Some(10_000.0),
            lost: true,
        };
        let shown = |now| link(Locale::en, view, Some(now));
        assert_eq!(shown(7_001.0), "Connection lost. Next try in 3 s");
        assert_eq!(shown(10_500.0), "Connection lost. Trying again…");
        // A quick try changes nothing of what is seen, nor of what is read out.
        let trying = LinkView {
            link: Link::Connecting,
            retry_at: None,
            ..view
        };
        assert_eq!(
            link(Locale::en, trying, Some(9_500.0)),
            link(Locale::en, view, Some(9_500.0))
        );
        assert_eq!(link(Locale::en, trying, None), link(Locale::en, view, None));
    }
}
