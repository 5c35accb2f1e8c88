//! What happened to an upload and how it went over time, as tables and as text, each behind a
//! disclosure.

use leptos::ev;
use leptos::html::Details;
use leptos::prelude::*;

use super::text::{report, short, what};
use crate::protocol::recorder::{Flight as Record, Mark, Sample};
use crate::ui::browser;
use crate::ui::icons::{Icon, Picture};
use crate::ui::language::{Language, say, td_string};
use crate::ui::numbers::{bytes, rate};

/// How many lines the table of samples has at most.
const LINES: usize = 24;

/// What happened, and the samples, as tables behind a disclosure.
#[component]
pub(super) fn Events(flight: Memo<Record>) -> impl IntoView {
    let language = Language::expect();
    let (details, open) = disclosure();
    let marks = move || {
        let locale = language.get();
        let row = |mark: &Mark| {
            view! {
                <tr>
                    <td>{short(locale, mark.at)}</td>
                    <td>{what(locale, &mark.what)}</td>
                </tr>
            }
        };
        flight.read().marks.iter().map(row).collect_view()
    };
    let samples = move || {
        let (locale, flight) = (language.get(), flight.read());
        let each = flight.samples.len().div_ceil(LINES).max(1);
        let row = |(line, part): (usize, &[Sample])| {
            let first = line * each;
            let spans = (first..first + part.len()).map(|index| flight.span(index));
            let millis = spans.sum::<u64>().max(1);
            let received: u64 = part.iter().map(|sample| sample.received).sum();
            let trip = part
                .iter()
                .map(|sample| sample.round_trip)
                .max()
                .filter(|trip| *trip > 0);
            let link = part.iter().rev().find_map(|sample| sample.link);
            let none = || "–".to_owned();
            view! {
                <tr>
                    <td>{short(locale, flight.step * first as u64)}</td>
                    <td>{rate(locale, received.saturating_mul(1000) / millis)}</td>
                    <td>{trip.map_or_else(none, |trip| short(locale, u64::from(trip).div_ceil(1000)))}</td>
                    <td>{link.map_or_else(none, |link| bytes(locale, link.window))}</td>
                    <td>{link.map_or_else(none, |link| bytes(locale, link.credit))}</td>
                </tr>
            }
        };
        flight
            .samples
            .chunks(each)
            .enumerate()
            .map(row)
            .collect_view()
    };
    view! {
        <details class="flight-more" node_ref=details on:toggle=open.1>
            <summary>{say!(flight.table)}</summary>
            <Show when=move || open.0.get()>
                <div class="flight-tables" tabindex="0" role="group" aria-label=say!(flight.table)>
                    <table>
                        <caption>{say!(flight.happened)}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{say!(flight.after)}</th>
                                <th scope="col">{say!(flight.event)}</th>
                            </tr>
                        </thead>
                        <tbody>{marks}</tbody>
                    </table>
                    <table>
                        <caption>{say!(flight.over_time)}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{say!(flight.after)}</th>
                                <th scope="col">{say!(flight.speed)}</th>
                                <th scope="col">{say!(flight.round_trip)}</th>
                                <th scope="col">{say!(flight.window_short)}</th>
                                <th scope="col">{say!(flight.credit)}</th>
                            </tr>
                        </thead>
                        <tbody>{samples}</tbody>
                    </table>
                </div>
            </Show>
        </details>
    }
    .into_any()
}

/// All of it as text. What is shown stays as it was when it was opened, so that it can be
/// selected.
#[component]
pub(super) fn Report(flight: Memo<Record>, size: Signal<u64>) -> impl IntoView {
    let language = Language::expect();
    let (details, open) = disclosure();
    let now = move || {
        report(
            &flight.get_untracked(),
            size.get_untracked(),
            &browser::agent(),
        )
    };
    let text = Memo::new(move |_| if open.0.get() { now() } else { String::new() });
    let copied = RwSignal::new(false);
    let copy = move |_| browser::copy(text.get_untracked(), move || copied.set(true));
    Effect::new(move |_| {
        if !open.0.get() {
            copied.set(false);
        }
    });
    let icon = Signal::derive(move || {
        if copied.get() {
            Icon::Check
        } else {
            Icon::Copy
        }
    });
    view! {
        <details class="flight-more" node_ref=details on:toggle=open.1>
            <summary>{say!(flight.report)}</summary>
            <Show when=move || open.0.get()>
                <p class="quiet">{say!(flight.report_means)}</p>
                <button type="button" class="button" on:click=copy>
                    <Picture icon/>
                    {move || match copied.get() {
                        true => td_string!(language.get(), flight.copied),
                        false => td_string!(language.get(), flight.copy),
                    }}
                </button>
                <pre class="flight-report" tabindex="0" role="group" aria-label=say!(flight.report)>{move || text.get()}</pre>
            </Show>
        </details>
    }
    .into_any()
}

/// A `<details>`, whether it is open, and what is to be called when that changes.
fn disclosure() -> (
    NodeRef<Details>,
    (RwSignal<bool>, impl Fn(ev::Event) + Copy),
) {
    let details = NodeRef::<Details>::new();
    let open = RwSignal::new(false);
    let toggled = move |_| open.set(details.get_untracked().is_some_and(|it| it.open()));
    (details, (open, toggled))
}
