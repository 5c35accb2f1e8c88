//! The curves of an upload: its speed, how long acknowledgements take, and what may be on its
//! way; behind them stripes where it stood still.

use leptos::prelude::*;

use super::text::short;
use crate::protocol::recorder::{Flight as Record, Mark, STEP, Sample, What};
use crate::ui::chart::{Chart, area, line, stripes, top};
use crate::ui::language::{Language, Locale, count, say, td_string};
use crate::ui::numbers::{bytes, rate};

/// How wide a stripe is at least, as a part of the chart.
const LEAST: f64 = 0.004;

/// Where each sample is, in steps from the beginning, and what it says.
fn points(flight: &Record, value: impl Fn(usize, &Sample) -> Option<u64>) -> Vec<(f64, u64)> {
    let step = flight.step.max(1) as f64;
    let samples = flight.samples.iter().enumerate();
    let points = samples.filter_map(|(index, sample)| {
        let middle = index as f64 + flight.span(index) as f64 / step / 2.0;
        Some((middle, value(index, sample)?))
    });
    points.collect()
}

/// A sample that has hardly begun says nothing yet.
pub(super) fn speeds(flight: &Record) -> Vec<(f64, u64)> {
    let least = STEP.as_millis() as u64;
    let told = |index| flight.span(index) >= least || flight.samples.len() == 1;
    points(flight, |index, _| told(index).then(|| flight.speed(index)))
}

fn trips(flight: &Record) -> Vec<(f64, u64)> {
    let trip = |sample: &Sample| Some(sample.round_trip).filter(|trip| *trip > 0);
    points(flight, |_, sample| trip(sample).map(u64::from))
}

pub(super) fn most(points: &[(f64, u64)]) -> u64 {
    points.iter().map(|(_, value)| *value).max().unwrap_or(0)
}

/// What the upper edge of a chart stands for; 0 where nothing flowed.
fn edge(points: &[(f64, u64)]) -> u64 {
    match most(points) {
        0 => 0,
        most => top(most),
    }
}

/// The three charts, one below the other, with the same time from left to right.
#[component]
pub(super) fn Charts(flight: Memo<Record>) -> impl IntoView {
    let language = Language::expect();
    let wide = Memo::new(move |_| {
        let flight = flight.read();
        (flight.lasted as f64 / flight.step.max(1) as f64).max(1.0)
    });
    // What is the same on all of them.
    let band = move |of: fn(&Mark) -> Option<u64>| {
        let flight = flight.read();
        let step = flight.step.max(1) as f64;
        let marks = flight.marks.iter();
        let bands = marks.filter_map(|mark| Some((mark.at as f64 / step, of(mark)? as f64 / step)));
        stripes(bands, wide.get() * LEAST)
    };
    let lost = Memo::new(move |_| {
        band(|mark| match mark.what {
            What::Lost { back, .. } => Some(back.unwrap_or_default()),
            _ => None,
        })
    });
    let stalled = Memo::new(move |_| {
        band(|mark| match mark.what {
            What::Stalled { lasted } => Some(lasted),
            _ => None,
        })
    });
    let other = Memo::new(move |_| {
        band(|mark| match mark.what {
            What::Paused { .. }
            | What::StartedOver
            | What::Retried { .. }
            | What::Damaged { .. } => Some(0),
            _ => None,
        })
    });
    let backdrop = move || {
        view! {
            <path class="chart-stalled" d=move || stalled.get()></path>
            <path class="chart-lost" d=move || lost.get()></path>
            <path class="chart-mark" d=move || other.get()></path>
        }
    };
    let speeds = Memo::new(move |_| speeds(&flight.read()));
    let trips = Memo::new(move |_| trips(&flight.read()));
    let speed_top = Memo::new(move |_| edge(&speeds.read()));
    let trip_top = Memo::new(move |_| edge(&trips.read()));
    let windows = Memo::new(move |_| points(&flight.read(), |_, sample| Some(sample.link?.window)));
    let credits = Memo::new(move |_| points(&flight.read(), |_, sample| Some(sample.link?.credit)));
    let window_top = Memo::new(move |_| edge(&windows.read()));
    // Where nothing flowed, there is nothing to measure by.
    let scale = move |edge: Memo<u64>, words: fn(Locale, u64) -> String| {
        Signal::derive(move || match edge.get() {
            0 => String::new(),
            edge => words(language.get(), edge),
        })
    };
    let summary = move || summary(language.get(), &flight.read());
    view! {
        <div class="flight-charts">
            <Lane name=say!(flight.speed) scale=scale(speed_top, rate)>
                <Chart wide label=Signal::derive(summary)>
                    {backdrop()}
                    <path class="chart-area" d=move || area(speeds.get(), speed_top.get())></path>
                    <path class="chart-line" d=move || line(speeds.get(), speed_top.get())></path>
                </Chart>
            </Lane>
            <Lane name=say!(flight.round_trip) scale=scale(trip_top, |locale, micros| short(locale, micros.div_ceil(1000)))>
                <Chart wide label=Signal::derive(move || trip_words(language.get(), &flight.read()))>
                    {backdrop()}
                    <path class="chart-line is-trip" d=move || line(trips.get(), trip_top.get())></path>
                </Chart>
            </Lane>
            <Lane name=say!(flight.window) scale=scale(window_top, bytes)>
                <Chart wide label=Signal::derive(move || window_words(language.get(), &flight.read()))>
                    {backdrop()}
                    <path class="chart-area is-credit" d=move || area(credits.get(), window_top.get())></path>
                    <path class="chart-line is-window" d=move || line(windows.get(), window_top.get())></path>
                </Chart>
            </Lane>
            <p class="flight-times" aria-hidden="true">
                <span>{move || short(language.get(), 0)}</span>
                <span>{move || short(language.get(), flight.read().lasted)}</span>
            </p>
        </div>
    }
    .into_any()
}

/// One chart, what it shows, and what its upper edge stands for.
#[component]
fn Lane(
    name: Signal<&'static str>,
    #[prop(into)] scale: Signal<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="flight-lane">
            <p class="flight-name" aria-hidden="true">
                <span>{name}</span>
                <span>{move || scale.get()}</span>
            </p>
            {children()}
        </div>
    }
    .into_any()
}

/// The speed in words, for those who do not see the curve.
fn summary(locale: Locale, flight: &Record) -> String {
    let totals = &flight.totals;
    td_string!(
        locale,
        flight.summary,
        span = short(locale, flight.lasted),
        mean = rate(locale, flight.mean()),
        peak = rate(locale, most(&speeds(flight))),
        stalls = count!(locale, totals.stalls, flight.stalls_many),
        losses = count!(locale, totals.lost, flight.losses_many)
    )
}

pub(super) fn last_trip(flight: &Record) -> Option<u64> {
    trips(flight).pop().map(|(_, trip)| trip.div_ceil(1000))
}

fn trip_words(locale: Locale, flight: &Record) -> String {
    match last_trip(flight) {
        Some(last) => td_string!(
            locale,
            flight.trip_summary,
            last = short(locale, last),
            most = short(locale, most(&trips(flight)).div_ceil(1000))
        ),
        None => td_string!(locale, flight.trip_unknown).to_owned(),
    }
}

fn window_words(locale: Locale, flight: &Record) -> String {
    match flight.samples.iter().rev().find_map(|sample| sample.link) {
        Some(link) => td_string!(
            locale,
            flight.window_summary,
            window = bytes(locale, link.window),
            credit = bytes(locale, link.credit)
        ),
        None => td_string!(locale, flight.window_unknown).to_owned(),
    }
}
