//! Which bytes a `Range` header asks for: RFC 9110, section 14.

use std::ops::Range;

/// The bytes to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    Whole,
    /// These, at least one.
    Part(Range<u64>),
    /// Some beyond the end.
    Unsatisfiable,
}

/// Reads a `Range` header for a file of `len` bytes. One that is malformed, of another
/// unit, or asks for several ranges at once, asks for the whole file.
pub fn wanted(header: &str, len: u64) -> Wanted {
    match parse(header) {
        None => Wanted::Whole,
        Some(Asked::Last(0)) => Wanted::Unsatisfiable,
        Some(Asked::Last(count)) => part(len.saturating_sub(count)..len),
        Some(Asked::From(first, last)) => {
            part(first..last.map_or(len, |last| last.saturating_add(1)).min(len))
        }
    }
}

fn part(range: Range<u64>) -> Wanted {
    if range.is_empty() {
        return Wanted::Unsatisfiable;
    }
    Wanted::Part(range)
}

enum Asked {
    From(u64, Option<u64>),
    Last(u64),
}

fn parse(header: &str) -> Option<Asked> {
    let (unit, ranges) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = ranges.trim().split_once('-')?;
    match (first, last) {
        ("", last) => number(last).map(Asked::Last),
        (first, "") => number(first).map(|first| Asked::From(first, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Asked::From(first, Some(last)))
        }
    }
}

/// Digits and nothing else; more than fit are more than any file has.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn single_ranges() {
        assert_eq!(wanted("bytes=0-4", 10), Wanted::Part(0..5));
        assert_eq!(wanted("bytes=9-9", 10), Wanted::Part(9..10));
        assert_eq!(wanted("bytes=3-", 10), Wanted::Part(3..10));
        assert_eq!(wanted("bytes=5-99", 10), Wanted::Part(5..10));
        assert_eq!(wanted("bytes=-3", 10), Wanted::Part(7..10));
        assert_eq!(wanted("bytes=-99", 10), Wanted::Part(0..10));
        assert_eq!(wanted("Bytes=0-0", 1), Wanted::Part(0..1));
        let endless = format!("bytes=1-{}", "9".repeat(40));
        assert_eq!(wanted(&endless, 10), Wanted::Part(1..10));
    }

    #[test]
    fn nothing_of_the_file() {
        for (header, len) in [
            ("bytes=10-", 10),
            ("bytes=10-12", 10),
            ("bytes=-0", 10),
            ("bytes=0-", 0),
            ("bytes=-1", 0),
        ] {
            assert_eq!(wanted(header, len), Wanted::Unsatisfiable, "{header}");
        }
    }

    #[test]
    fn what_makes_no_sense_or_is_several_is_the_whole() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=0-1,4-5",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1 - 2",
            "lines=0-1",
        ] {
            assert_eq!(wanted(header, 10), Wanted::Whole, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_always_within(first: Option<u8>, last: Option<u8>, len in 0u64..300) {
            let text = |n: Option<u8>| n.map_or(String::new(), |n| n.to_string());
            let header = format!("bytes={}-{}", text(first), text(last));
            if let Wanted::Part(range) = wanted(&header, len) {
                prop_assert!(!range.is_empty() && range.end <= len);
            }
        }
    }
}
