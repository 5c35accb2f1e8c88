//! Asks before the page is closed where something would be lost with it: a file that only its
//! own engine has, so that the person would have to pick it again. An engine that all tabs
//! share does not end with this one, and a listener that is always there would keep the page
//! out of the back/forward cache.

use leptos::ev;
use leptos::prelude::*;

use super::engine::Engine;
use crate::port::{Link, Place};

/// The guard; it shows nothing.
#[component]
pub fn LeaveGuard() -> impl IntoView {
    let engine = Engine::expect();
    let loses = Memo::new(move |_| {
        let outdated = engine.link().link == Link::Outdated;
        engine.totals().held > 0 && !outdated && engine.place() != Some(Place::Shared)
    });
    Effect::new(move |_| {
        if loses.get() {
            let listener = window_event_listener(ev::beforeunload, |event| {
                event.prevent_default();
                event.set_return_value("unfinished");
            });
            on_cleanup(move || listener.remove());
        }
    });
}
