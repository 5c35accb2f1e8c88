//! How one upload goes: its speed and what its connection is like over time, what happened on
//! the way, and all of it as text for a bug report. It is told only while it is shown.

mod charts;
mod figures;
mod tables;
mod text;

use leptos::prelude::*;

use self::charts::Charts;
use self::figures::Figures;
use self::tables::{Events, Report};
use super::digest::{DigestFacts, check_line};
use super::engine::Engine;
use super::language::{Language, say, td_string};
use super::qr::PhoneCode;
use super::rows::RowHandle;
use crate::port::Key;
use crate::protocol::id::FileId;
use crate::protocol::recorder::Flight as Record;
use crate::verify::Root;

/// The button of a row that opens its record.
#[component]
pub fn FlightToggle(
    /// The upload.
    upload: RowHandle,
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let language = Language::expect();
    let name = upload.now(|row| row.name.clone()).unwrap_or_default();
    let label = move || td_string!(language.get(), flight.open, name = &name);
    view! {
        <button
            type="button"
            class="flight-toggle"
            aria-label=label
            aria-expanded=move || open.get().to_string()
            on:click=move |_| open.update(|open| *open = !*open)
        >
            {say!(flight.details)}
        </button>
    }
    .into_any()
}

/// The record of a row, while it is open.
#[component]
pub fn FlightPanel(
    /// The upload.
    upload: RowHandle,
    /// Whether it is open.
    open: RwSignal<bool>,
    /// Its length in bytes.
    size: Signal<u64>,
) -> impl IntoView {
    let key = upload.key();
    let name = upload.now(|row| row.name.clone()).unwrap_or_default();
    let name = StoredValue::new(name);
    let id: Signal<Option<FileId>> = upload.part(|row| row.id).into();
    let digest: Signal<Option<Root>> = upload.part(|row| row.digest).into();
    view! {
        <Show when=move || open.get()>
            <Flight key name=name.get_value() size id digest/>
        </Show>
    }
    .into_any()
}

/// How an upload goes.
#[component]
fn Flight(
    /// Which upload.
    key: Key,
    /// The file's name.
    #[prop(into)]
    name: String,
    /// Its length in bytes.
    #[prop(into)]
    size: Signal<u64>,
    /// Its name in links, once it has one.
    #[prop(into)]
    id: Signal<Option<FileId>>,
    /// Its digest, once it is stored.
    #[prop(into)]
    digest: Signal<Option<Root>>,
) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let record: Signal<Option<Record>> = engine.look(key).into();
    let known = Memo::new(move |_| record.read().is_some());
    let flight = Memo::new(move |_| record.get().unwrap_or_default());
    let label = {
        let name = name.clone();
        move || td_string!(language.get(), flight.label, name = &name)
    };
    let name = StoredValue::new(name);
    let proof = move || {
        let digest = digest.get()?.to_string();
        let line = check_line(&digest, &name.read_value());
        Some(view! { <DigestFacts digest line name=name.get_value()/> })
    };
    view! {
        <section class="flight" aria-label=label>
            <p class="quiet" hidden=move || known.get()>{say!(flight.nothing)}</p>
            <Show when=move || known.get()>
                <Charts flight/>
                <Figures flight/>
                <Events flight/>
                <Report flight size/>
            </Show>
            {proof}
            {move || id.get().map(|id| view! { <PhoneCode id name=name.get_value()/> })}
        </section>
    }
    .into_any()
}
