//! What went through the server in the last minutes, as a curve, and who is connected.

use leptos::prelude::*;

use super::chart::{Chart, area, line, top};
use super::language::{Language, Locale, count, say, td_string};
use super::numbers::rate;
use super::table::LiveTable;
use crate::protocol::live::{PULSE, Pulse, Second};

/// How high the curve reaches at least, in bytes per second: what trickles is no mountain.
const LEAST: u64 = 100_000;

/// A minute, in seconds.
const MINUTE: usize = 60;

/// The curve. It is there also while nothing moves, for it is then that one looks whether
/// something does.
#[component]
pub fn LivePulse(
    /// Where the seconds come from.
    table: LiveTable,
) -> impl IntoView {
    let language = Language::expect();
    let pulse: Signal<Pulse> = table.pulses().into();
    let sum = Memo::new(move |_| table.sum());
    let scale = Memo::new(move |_| {
        let pulse = pulse.read();
        top(most(&pulse, received).max(most(&pulse, durable)).max(LEAST))
    });
    let still = move || most(&pulse.read(), received) == 0;
    let label = Signal::derive(move || summary(language.get(), &pulse.read()));
    let shown = Memo::new(move |_| shown(&pulse.read()));
    let wide = Signal::derive(move || (shown.get() - 1) as f64);
    view! {
        <section class="pulse" aria-label=say!(live_pulse.label)>
            <div class="pulse-head">
                <p class="pulse-figure">{move || rate(language.get(), sum.get().rate)}</p>
                <p class="facts">
                    <span>{move || count!(language.get(), pulse.read().sending, live_pulse.sending)}</span>
                    <span>{move || count!(language.get(), pulse.read().watching, live_pulse.watching)}</span>
                </p>
            </div>
            <div class="pulse-chart">
                <p class="pulse-scale" aria-hidden="true" hidden=still>{move || rate(language.get(), scale.get())}</p>
                <Chart wide label>
                    <path class="chart-area" d=move || area(points(&pulse.read(), received), scale.get())></path>
                    <path class="chart-line is-received" d=move || line(points(&pulse.read(), received), scale.get())></path>
                    <path class="chart-line" d=move || line(points(&pulse.read(), durable), scale.get())></path>
                </Chart>
            </div>
            <div class="pulse-foot" aria-hidden="true">
                <span>
                    {move || match shown.get() {
                        MINUTE => td_string!(language.get(), live_pulse.minute_ago),
                        _ => td_string!(language.get(), live_pulse.ago),
                    }}
                </span>
                <span class="pulse-key">
                    <span class="key is-received">{say!(live_pulse.arrived)}</span>
                    <span class="key is-durable">{say!(live_pulse.stored)}</span>
                </span>
                <span>{say!(live_pulse.now)}</span>
            </div>
        </section>
    }
    .into_any()
}

fn received(second: &Second) -> u64 {
    second.received
}

fn durable(second: &Second) -> u64 {
    second.durable
}

fn most(pulse: &Pulse, of: fn(&Second) -> u64) -> u64 {
    pulse.seconds.iter().map(of).max().unwrap_or(0)
}

/// How many seconds are shown: the last minute, until there is more to see.
fn shown(pulse: &Pulse) -> usize {
    match pulse.seconds.len() {
        ..=MINUTE => MINUTE,
        _ => PULSE,
    }
}

/// The last second is at the right edge.
fn points(pulse: &Pulse, of: fn(&Second) -> u64) -> impl Iterator<Item = (f64, u64)> {
    let all = shown(pulse);
    let first = all - pulse.seconds.len().min(all);
    let seconds = pulse.seconds.iter().enumerate();
    seconds.map(move |(index, second)| ((first + index) as f64, of(second)))
}

fn summary(locale: Locale, pulse: &Pulse) -> String {
    let last = pulse.seconds.last().map_or(0, received);
    let (last, most) = (rate(locale, last), rate(locale, most(pulse, received)));
    td_string!(locale, live_pulse.summary, last = last, most = most)
}
