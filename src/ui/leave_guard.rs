//! Asks before the page is closed while it is sending, and only then: a listener
//! that is always there would keep the page out of the back/forward cache.

use leptos::ev;
use leptos::prelude::*;

use super::engine::Engine;
use crate::port::RowState;

/// The guard; it shows nothing.
#[component]
pub fn LeaveGuard() -> impl IntoView {
    let engine = Engine::expect();
    let sending = Memo::new(move |_| {
        let totals = engine.totals();
        totals.count(RowState::Sending) + totals.count(RowState::Verifying) > 0
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
