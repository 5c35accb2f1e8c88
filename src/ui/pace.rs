//! How fast something goes, and how long it will take.

use leptos::prelude::*;

use super::language::Language;
use super::numbers;

/// Two facts beside others, each of which is hidden where there is nothing to say.
#[component]
pub fn Pace(
    /// In bytes per second; 0 says nothing.
    #[prop(into)]
    rate: Signal<u64>,
    /// How much longer, in milliseconds, where that is known.
    #[prop(into)]
    left: Signal<Option<u64>>,
) -> impl IntoView {
    let language = Language::expect();
    let how_fast = move || {
        let rate = Some(rate.get()).filter(|rate| *rate > 0);
        rate.map(|bytes| numbers::rate(language.get(), bytes))
    };
    let how_long = move || {
        let left = left.get();
        left.map(|millis| numbers::left(language.get(), millis))
    };
    view! {
        <span hidden=move || how_fast().is_none()>{how_fast}</span>
        <span hidden=move || how_long().is_none()>{how_long}</span>
    }
    .into_any()
}
