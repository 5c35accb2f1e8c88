//! Numbers as people read them.

use std::fmt;
use std::time::Duration;

/// A count of bytes, shown in decimal units with three significant digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
        if self.0 < 1000 {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / 1e3;
        let mut unit = 0;
        // 999.5 would be shown as 1000: that is one of the next unit.
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1e3;
            unit += 1;
        }
        let digits = match value {
            v if v < 9.995 => 2,
            v if v < 99.95 => 1,
            _ => 0,
        };
        write!(f, "{value:.digits$} {}", UNITS[unit])
    }
}

/// A span of time, shown with its two largest units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// The two largest units of a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Less than a minute.
    Seconds(u64),
    /// Minutes and seconds.
    Minutes(u64, u64),
    /// Hours and minutes.
    Hours(u64, u64),
    /// Days and hours.
    Days(u64, u64),
}

impl Span {
    /// Its two largest units, of whole seconds.
    pub fn units(self) -> Units {
        let seconds = self.0.as_secs_f64().round() as u64;
        match seconds {
            0..60 => Units::Seconds(seconds),
            60..3600 => Units::Minutes(seconds / 60, seconds % 60),
            3600..86_400 => Units::Hours(seconds / 3600, seconds % 3600 / 60),
            _ => Units::Days(seconds / 86_400, seconds % 86_400 / 3600),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.units() {
            Units::Seconds(seconds) => write!(f, "{seconds} s"),
            Units::Minutes(minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            Units::Hours(hours, minutes) => write!(f, "{hours} h {minutes} min"),
            Units::Days(days, hours) => write!(f, "{days} d {hours} h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits() {
        let shown = |n| Bytes(n).to_string();
        assert_eq!(shown(0), "0 B");
        assert_eq!(shown(999), "999 B");
        assert_eq!(shown(1000), "1.00 kB");
        assert_eq!(shown(12_345), "12.3 kB");
        assert_eq!(shown(999_600), "1.00 MB");
        assert_eq!(shown(2_000_000_000), "2.00 GB");
        assert_eq!(shown(u64::MAX), "18.4 EB");
    }

    #[test]
    fn spans_have_two_units() {
        let shown = |s| Span(Duration::from_secs(s)).to_string();
        assert_eq!(shown(0), "0 s");
        assert_eq!(shown(61), "1 min 1 s");
        assert_eq!(shown(3_700), "1 h 1 min");
        assert_eq!(shown(90_000), "1 d 1 h");
    }
}
