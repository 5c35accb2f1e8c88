//! A moment: UTC as the server renders it, the reader's own time once the page runs.

use leptos::prelude::*;

use super::browser;
use super::language::{Language, Locale, td_string};

/// A moment in time, for people and for machines.
#[component]
pub fn Moment(
    /// Milliseconds since 1970.
    millis: i64,
) -> impl IntoView {
    let civil = Civil::of(millis);
    let language = Language::expect();
    let utc = move || civil.shown(language.get());
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let local = move || {
        let form = td_string!(language.get(), language.dates);
        let alive = alive.get();
        alive.then(|| browser::local_time(millis, form)).flatten()
    };
    view! {
        <time class="moment" datetime=civil.iso() title=utc>
            {move || local().unwrap_or_else(utc)}
        </time>
    }
}

/// A moment of the Gregorian calendar in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    /// Howard Hinnant's `civil_from_days`: eras of 400 years that begin in March.
    fn of(millis: i64) -> Self {
        let seconds = millis.div_euclid(1000);
        let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: second_of_day / 3600,
            minute: second_of_day % 3600 / 60,
            second: second_of_day % 60,
        }
    }

    fn iso(self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    fn shown(self, locale: Locale) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            ..
        } = self;
        let months = td_string!(locale, moment.months).split(' ');
        let month = usize::try_from(month - 1)
            .ok()
            .and_then(|index| months.into_iter().nth(index))
            .unwrap_or_default();
        let time = format!("{hour:02}:{minute:02}");
        td_string!(locale, moment.utc, year, month, day, time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(Civil::of(0).iso(), "1970-01-01T00:00:00Z");
        assert_eq!(Civil::of(-1).iso(), "1969-12-31T23:59:59Z");
        assert_eq!(Civil::of(951_782_400_000).iso(), "2000-02-29T00:00:00Z");
        let moment = Civil::of(1_795_252_739_000);
        assert_eq!(moment.shown(Locale::en), "21 Nov 2026, 09:18 UTC");
        assert_eq!(moment.shown(Locale::zh_CN), "2026年11月21日 09:18 UTC");
    }
}
