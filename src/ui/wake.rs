//! Keeps the screen on while this browser is sending and the page is in sight: a phone that
//! goes to sleep stops sending. What only waits, for the connection or for a person, may
//! wait in the dark.

use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::sight::in_sight;

/// Keeps it on; shows nothing.
#[component]
pub fn Wake() -> impl IntoView {
    let engine = Engine::expect();
    let seen = in_sight();
    let wanted = Memo::new(move |_| seen.get() && engine.totals().sending() > 0);
    // The effect's value is what holds the screen. The browser takes it from a page that is
    // put away, so one that comes back asks anew.
    Effect::new(move |_| wanted.get().then(browser::stay_awake));
}
