//! The two-tone bar: lighter what has arrived, in full colour what is stored.
//!
//! Its lengths are attributes of an SVG, not styles: a strict content security
//! policy leaves them alone, and nothing is laid out anew when they change.

use leptos::prelude::*;

use super::language::{Language, td_string};
use super::numbers::bytes;
use super::rows::percent;

/// Progress of one upload or of many.
#[component]
pub fn Bar(
    /// What progresses.
    #[prop(into)]
    label: Signal<String>,
    /// All bytes.
    #[prop(into)]
    size: Signal<u64>,
    /// Bytes that have arrived.
    #[prop(into)]
    received: Signal<u64>,
    /// Bytes that are stored.
    #[prop(into)]
    durable: Signal<u64>,
    /// Whether it is finished, which an empty file cannot say otherwise.
    #[prop(into)]
    done: Signal<bool>,
) -> impl IntoView {
    let language = Language::expect();
    let now = Memo::new(move |_| percent(durable.get(), size.get(), done.get()));
    let length = move |part: Signal<u64>| {
        if done.get() {
            return "100%".to_owned();
        }
        match size.get() {
            0 => "0%".to_owned(),
            size => format!("{:.2}%", part.get().min(size) as f64 / size as f64 * 100.0),
        }
    };
    let text = move || {
        let locale = language.get();
        let percent = now.get();
        let (stored, size) = (bytes(locale, durable.get()), bytes(locale, size.get()));
        td_string!(locale, bar.text, percent, stored, size)
    };
    view! {
        <div
            class="bar"
            role="progressbar"
            aria-label=move || label.get()
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || now.get().to_string()
            aria-valuetext=text
        >
            <svg width="100%" height="100%" aria-hidden="true" focusable="false">
                <rect class="bar-received" height="100%" width=move || length(received)></rect>
                <rect class="bar-stored" height="100%" width=move || length(durable)></rect>
            </svg>
        </div>
    }
    .into_any()
}
