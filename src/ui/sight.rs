//! Whether the page is in sight: not in a tab behind others, not in a window that is put
//! away, not on a phone that is locked.

use leptos::prelude::*;

/// Follows it for as long as the component that calls this lives. A page is taken to be in
/// sight until a browser says otherwise.
pub fn in_sight() -> ReadSignal<bool> {
    let (seen, set_seen) = signal(true);
    Effect::new(move |_| {
        let look = move || set_seen.set(!document().hidden());
        look();
        let listener = window_event_listener_untyped("visibilitychange", move |_| look());
        on_cleanup(move || listener.remove());
    });
    seen
}
