//! Numbers as people read them, in their language.

use std::time::Duration;

use super::language::{Locale, td_string};
use crate::units::{Bytes, Span, Units};

/// `12,345`.
pub fn grouped(locale: Locale, number: u64) -> String {
    let group = td_string!(locale, numbers.group);
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3 * group.len());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push_str(group);
        }
        grouped.push(digit);
    }
    grouped
}

/// A count of bytes, `12.3 MB`.
pub fn bytes(locale: Locale, bytes: u64) -> String {
    let shown = Bytes(bytes).to_string();
    match td_string!(locale, numbers.decimal) {
        "." => shown,
        decimal => shown.replace('.', decimal),
    }
}

/// Bytes per second.
pub fn rate(locale: Locale, rate: u64) -> String {
    td_string!(locale, numbers.rate, bytes = bytes(locale, rate))
}

/// How many bytes are stored, of how many.
pub fn of_stored(locale: Locale, stored: u64, size: u64) -> String {
    let (stored, size) = (bytes(locale, stored), bytes(locale, size));
    td_string!(locale, numbers.of_stored, stored, size)
}

/// A span of time, with its two largest units.
pub fn span(locale: Locale, span: Duration) -> String {
    match Span(span).units() {
        Units::Seconds(seconds) => td_string!(locale, numbers.seconds, seconds),
        Units::Minutes(minutes, seconds) => td_string!(locale, numbers.minutes, minutes, seconds),
        Units::Hours(hours, minutes) => td_string!(locale, numbers.hours, hours, minutes),
        Units::Days(days, hours) => td_string!(locale, numbers.days, days, hours),
    }
}

/// How long it still takes, given in milliseconds.
pub fn left(locale: Locale, millis: u64) -> String {
    let span = span(locale, Duration::from_millis(millis));
    td_string!(locale, numbers.left, span)
}

/// How long it took.
pub fn took(locale: Locale, time: Duration) -> String {
    td_string!(locale, numbers.took, span = span(locale, time))
}

/// How many bytes per second it were on average.
pub fn average(locale: Locale, bytes: u64) -> String {
    td_string!(locale, numbers.average, rate = rate(locale, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let shown = |number| grouped(Locale::en, number);
        assert_eq!(shown(0), "0");
        assert_eq!(shown(999), "999");
        assert_eq!(shown(1_234_567), "1,234,567");
    }

    #[test]
    fn units_are_those_of_the_language() {
        assert_eq!(rate(Locale::en, 12_345_678), "12.3 MB/s");
        assert_eq!(left(Locale::en, 61_000), "1 min 1 s left");
        assert_eq!(left(Locale::zh_CN, 61_000), "还需 1 分 1 秒");
        assert_eq!(
            of_stored(Locale::zh_CN, 1_000, 2_000),
            "已存储 1.00 kB / 2.00 kB"
        );
    }
}
