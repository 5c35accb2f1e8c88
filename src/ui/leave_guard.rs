//! Asks before the page is closed while its own engine is sending, and only then: an
//! engine that all tabs share does not end with this one, and a listener that is always
//! there would keep the page out of the back/forward cache.

use leptos::ev;
use leptos::prelude::*;

use super::engine::Engine;
use crate::port::{Link, Place, RowState};

/// The guard; it shows nothing.
#[component]
pub fn LeaveGuard() -> impl IntoView {
    let engine = Engine::expect();
    let sending = Memo::new(move |_| {
        let totals = engine.totals();
        let moving = totals.count(RowState::Sending) + totals.count(RowState::Verifying);
        let outdated = engine.link().link == Link::Outdated;
        moving > 0 && !outdated && engine.place() != Some(Place::Shared)
    });
    Effect::new(move |_| {
        if sending.get() {
            let listener = window_event_listener(ev::beforeunload, |event| {
                event.prevent_default();
                event.set_return_value("sending");
            });
            on_cleanup(move || listener.remove());
        }
    });
}
