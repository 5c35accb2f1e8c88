//! The connection, always in sight and in plain words.
//!
//! What is seen counts the seconds; what is read out does not, or a screen reader
//! would never be silent.

use std::time::Duration;

use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::language::{Language, td_string};
use super::words;
use crate::port::{Command, Link, Place};

/// The indicator in the header.
#[component]
pub fn Connection() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let now = RwSignal::new(None::<f64>);
    let lost = Memo::new(move |_| engine.link().lost);
    // A clock that runs only while there is something to count down.
    Effect::new(move |_| {
        if !lost.get() {
            now.set(None);
            return;
        }
        now.set(Some(browser::now()));
        let clock = set_interval_with_handle(
            move || {
                now.try_set(Some(browser::now()));
            },
            Duration::from_millis(250),
        );
        on_cleanup(move || {
            if let Ok(clock) = clock {
                clock.clear();
            }
        });
    });
    let seen = Memo::new(move |_| words::link(language.get(), engine.link(), now.get()));
    let heard = Memo::new(move |_| words::link(language.get(), engine.link(), None));
    let action = Memo::new(move |_| match engine.link().link {
        _ if lost.get() => Some(td_string!(language.get(), connection.try_now)),
        Link::Closed { .. } => Some(td_string!(language.get(), connection.reconnect)),
        Link::Outdated => Some(td_string!(language.get(), connection.reload)),
        _ => None,
    });
    view! {
        <div
            class="connection needs-script"
            data-connection=move || engine.link().link.word()
            data-lost=move || lost.get().to_string()
            data-engine=move || engine.place().map(Place::word)
        >
            <span class="connection-dot" aria-hidden="true"></span>
            <span class="connection-words" aria-hidden="true">{move || seen.get()}</span>
            <span class="visually-hidden" role="status">{move || heard.get()}</span>
            <button
                type="button"
                class="button small"
                hidden=move || action.get().is_none()
                on:click=move |_| match untrack(|| engine.link().link) {
                    Link::Outdated => browser::reload(),
                    _ => engine.command(Command::Reconnect),
                }
            >
                {move || action.get().unwrap_or_default()}
            </button>
        </div>
    }
    .into_any()
}
