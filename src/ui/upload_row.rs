//! One upload of this page.
//!
//! Every part reads its own signals, so that a report about one upload touches only
//! what it changes.

use leptos::html::{Div, Input};
use leptos::prelude::*;

use super::bar::Bar;
use super::browser;
use super::engine::Engine;
use super::flight::{FlightPanel, FlightToggle};
use super::icons::{Icon, Picture};
use super::language::{Language, say, td_string};
use super::list::List;
use super::listing::Item;
use super::numbers::{bytes, of_stored};
use super::pace::Pace;
use super::rows::{Progress, RowHandle, percent, wants_file};
use super::thumbnail::Thumbnail;
use super::upload_buttons::UploadButtons;
use super::upload_list::gap;
use super::upload_name::UploadName;
use super::window::Spot;
use super::words;
use crate::port::RowState;
use crate::protocol::trouble::{Class, Trouble};

/// The row of an upload.
#[component]
pub fn UploadRow(
    /// Its signals.
    upload: RowHandle,
    /// Where it is in the list.
    spot: Memo<Spot>,
) -> impl IntoView {
    let list = List::expect();
    let item = Item::Row(upload.key());
    // Read by many parts: one subscription each, not one per reader.
    let state = upload.part(|row| row.state);
    let trouble = upload.part(|row| row.trouble.clone());
    let name = upload.part(|row| row.name.clone());
    let progress = upload.part(|row| row.progress);
    let size = Signal::derive(move || progress.get().size);
    let received = Signal::derive(move || progress.get().received);
    let durable = Signal::derive(move || progress.get().durable);
    let done = Signal::derive(move || state.get() == RowState::Stored);
    let open = RwSignal::new(false);
    let place = NodeRef::<Div>::new();
    browser::watch_height(place, move |height| list.measured(item, height));
    view! {
        <div
            class="upload"
            class:is-held=move || list.held().is_some_and(|held| held.item == item)
            role="listitem"
            aria-posinset=move || spot.get().number
            aria-setsize=move || spot.get().of
            data-name=move || name.get()
            data-state=move || state.get().word()
            data-item=item.word()
            style:margin-block-start=move || gap(spot)
            node_ref=place
        >
            <span class="grip" aria-hidden="true"><Picture icon=Icon::Grip/></span>
            <Thumbnail upload/>
            <div class="upload-main">
                <div class="upload-head">
                    <UploadName upload name/>
                    <p class="upload-percent" aria-hidden="true">
                        {move || percent(durable.get(), size.get(), done.get())} "%"
                    </p>
                </div>
                <Bar label=name size received durable done/>
                <Facts upload state progress open/>
                <Remarks upload state trouble/>
            </div>
            <UploadButtons upload state trouble name/>
            <FlightPanel upload open size/>
        </div>
    }
    .into_any()
}

/// State, bytes, speed and time.
#[component]
fn Facts(
    upload: RowHandle,
    state: Memo<RowState>,
    progress: Memo<Progress>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let how_much = move || {
        let Progress { size, durable, .. } = progress.get();
        match state.get() {
            RowState::Stored | RowState::Failed => bytes(language.get(), size),
            _ => of_stored(language.get(), durable, size),
        }
    };
    view! {
        <p class="facts">
            <span class="state">{move || words::state(language.get(), state.get(), auto())}</span>
            <span>{how_much}</span>
            <Pace
                rate=Signal::derive(move || progress.get().rate)
                left=Signal::derive(move || progress.get().left)
            />
            <span><FlightToggle upload open/></span>
        </p>
    }
    .into_any()
}

/// What went wrong and what to do, or a quiet line.
#[component]
fn Remarks(
    upload: RowHandle,
    state: Memo<RowState>,
    trouble: Memo<Option<Trouble>>,
) -> impl IntoView {
    let language = Language::expect();
    let patient = move || {
        trouble
            .get()
            .is_some_and(|trouble| matches!(trouble.class(), Class::Retry | Class::Wait))
    };
    let handle = upload.part(|row| row.handle);
    let said = upload.part(|row| row.note);
    let remark = move || match (trouble.get(), state.get()) {
        (Some(trouble), _) => Some(words::trouble(language.get(), &trouble)),
        (None, RowState::NeedsFile) => Some(
            match handle.get() {
                true => td_string!(language.get(), upload_row.will_ask),
                false => td_string!(language.get(), upload_row.pick_it_again),
            }
            .to_owned(),
        ),
        _ => None,
    };
    let needs_file = Memo::new(move |_| match state.get() {
        RowState::NeedsFile => true,
        RowState::Failed => trouble.read().as_ref().is_some_and(wants_file),
        _ => false,
    });
    let note = move || match state.get() {
        RowState::Failed | RowState::NeedsFile => None,
        _ => said.get().map(|note| words::note(language.get(), note)),
    };
    view! {
        <p class="remark" class:is-patient=patient hidden=move || remark().is_none()>
            {remark}
        </p>
        <p class="note" hidden=move || note().is_none()>{note}</p>
        <Show when=move || needs_file.get()>
            <PickAgain upload handle/>
        </Show>
    }
    .into_any()
}

/// Asks for the file of an upload.
#[component]
fn PickAgain(upload: RowHandle, handle: Memo<bool>) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let input = NodeRef::<Input>::new();
    let key = upload.key();
    let name = upload.now(|row| row.name.clone()).unwrap_or_default();
    let other = name.clone();
    let picked = move |_| {
        if let Some(input) = input.get_untracked() {
            browser::file_provided(engine, key, &input);
        }
    };
    let ask = move |_| {
        if let Some((path, id)) = upload.now(|row| (row.path(), row.id)) {
            browser::ask_again(engine, key, path, id);
        }
    };
    view! {
        <div class="again">
            <button
                type="button"
                class="button is-primary"
                aria-label=move || td_string!(language.get(), upload_row.continue_file, name = &name)
                hidden=move || !handle.get()
                on:click=ask
            >
                {say!(upload_row.continue_it)}
            </button>
            <label class="button pick" class:is-primary=move || !handle.get()>
                {say!(upload_row.pick_again)}
                <input
                    type="file"
                    class="visually-hidden"
                    aria-label=move || {
                        td_string!(language.get(), upload_row.pick_file_again, name = &other)
                    }
                    node_ref=input
                    on:click=move |event| browser::choosing(engine, Some(key), &event)
                    on:change=picked
                />
            </label>
        </div>
    }
    .into_any()
}
