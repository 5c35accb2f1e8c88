//! The numbers of an upload.

use leptos::prelude::*;

use super::charts::{last_trip, most, speeds};
use super::text::short;
use crate::protocol::recorder::Flight as Record;
use crate::ui::language::{Language, say, td_string};
use crate::ui::numbers::{bytes, rate};

/// The numbers.
#[component]
pub(super) fn Figures(flight: Memo<Record>) -> impl IntoView {
    let language = Language::expect();
    // How often, and for how long.
    let often = move |times: u32, millis: u64| {
        let locale = language.get();
        match times {
            0 => "0".to_owned(),
            _ => td_string!(
                locale,
                flight.often,
                times = times,
                span = short(locale, millis)
            ),
        }
    };
    let none = || "–".to_owned();
    view! {
        <dl class="flight-figures">
            <Figure name=say!(flight.mean) value=Signal::derive(move || rate(language.get(), flight.read().mean()))/>
            <Figure name=say!(flight.peak) value=Signal::derive(move || rate(language.get(), most(&speeds(&flight.read()))))/>
            <Figure
                name=say!(flight.round_trip)
                value=Signal::derive(move || last_trip(&flight.read()).map_or_else(none, |trip| short(language.get(), trip)))
            />
            <Figure
                name=say!(flight.sockets)
                value=Signal::derive(move || {
                    let link = flight.read().samples.iter().rev().find_map(|sample| sample.link);
                    link.map_or_else(none, |link| link.sockets.to_string())
                })
            />
            <Figure name=say!(flight.again) value=Signal::derive(move || bytes(language.get(), flight.read().totals.again))/>
            <Figure
                name=say!(flight.stalls)
                value=Signal::derive(move || {
                    let (totals, now) = flight.with(|it| (it.totals, it.stalled));
                    let (times, millis) = (totals.stalls + u32::from(now.is_some()), totals.stalled + now.unwrap_or(0));
                    often(times, millis)
                })
            />
            <Figure
                name=say!(flight.losses)
                value=Signal::derive(move || {
                    let totals = flight.with(|it| it.totals);
                    often(totals.lost, totals.away)
                })
            />
            <Figure
                name=say!(flight.retries)
                value=Signal::derive(move || {
                    let totals = flight.with(|it| it.totals);
                    (totals.retries + totals.damaged).to_string()
                })
            />
        </dl>
    }
    .into_any()
}

/// One number.
#[component]
fn Figure(name: Signal<&'static str>, #[prop(into)] value: Signal<String>) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{move || value.get()}</dd>
        </div>
    }
    .into_any()
}
