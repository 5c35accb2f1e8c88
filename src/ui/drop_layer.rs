//! Files may be dropped or pasted anywhere, on every page: a drop that missed would
//! make the browser leave for the file. They are shown where uploads are. What is dropped
//! before the page is alive, `early.js` keeps, the one script that is in the page itself.

use leptos::ev;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate};

use super::browser;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::say;

/// Takes drops and pastes, and shows that a drag would be taken.
#[component]
pub fn DropLayer() -> impl IntoView {
    let engine = Engine::expect();
    let navigate = use_navigate();
    let path = use_location().pathname;
    let dragging = RwSignal::new(false);
    Effect::new(move |_| {
        let show = {
            let navigate = navigate.clone();
            move || {
                if path.get_untracked() != "/" {
                    navigate("/", Default::default());
                }
            }
        };
        let after_drop = show.clone();
        if browser::files_dropped_early(engine) {
            show();
        }
        let listeners = [
            window_event_listener(ev::dragover, move |event| {
                if browser::drag_has_files(&event) {
                    event.prevent_default();
                    if !dragging.get_untracked() {
                        dragging.set(true);
                        engine.expect_files();
                    }
                }
            }),
            window_event_listener(ev::dragleave, move |event| {
                // Only when it leaves the window: there is nothing it goes to.
                if event.related_target().is_none() {
                    dragging.set(false);
                }
            }),
            window_event_listener(ev::dragend, move |_| dragging.set(false)),
            window_event_listener(ev::drop, move |event| {
                dragging.set(false);
                if browser::drag_has_files(&event) {
                    event.prevent_default();
                    if browser::files_dropped(engine, &event) {
                        after_drop();
                    }
                }
            }),
            window_event_listener(ev::paste, move |event| {
                if browser::files_pasted(engine, &event) {
                    event.prevent_default();
                    show();
                }
            }),
        ];
        on_cleanup(move || {
            for listener in listeners {
                listener.remove();
            }
        });
    });
    view! {
        <div class="drop-layer" class:is-shown=move || dragging.get() aria-hidden="true">
            <div class="drop-layer-frame">
                <Picture icon=Icon::Upload/>
                <p>{say!(drop_layer.let_go)}</p>
            </div>
        </div>
    }
    .into_any()
}
