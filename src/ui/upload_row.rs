//! One upload of this page.
//!
//! Every part reads its own signals, so that a report about one upload touches only
//! what it changes.

use leptos::html::Input;
use leptos::prelude::*;

use super::bar::Bar;
use super::browser;
use super::engine::Engine;
use super::file_name::FileName;
use super::icons::{Icon, Picture};
use super::language::{Language, say, td_string};
use super::numbers::{bytes, left, of_stored, rate};
use super::rows::{RowDataStoreFields, RowHandle, join, percent, wants_file};
use super::upload_buttons::UploadButtons;
use super::words;
use crate::port::RowState;
use crate::protocol::trouble::{Class, Trouble};

/// The row of an upload.
#[component]
pub fn UploadRow(
    /// Its signals.
    upload: RowHandle,
    /// Which it is in the list, from one.
    place: Signal<usize>,
    /// How many there are.
    of: Signal<usize>,
) -> impl IntoView {
    let name = upload.name().try_get_untracked().unwrap_or_default();
    let owned = name.clone();
    let folder = upload.folder().try_get_untracked().unwrap_or_default();
    // Read by many parts: one subscription to the store each, not one per reader.
    let state = Memo::new(move |_| upload.state().try_get().unwrap_or(RowState::Queued));
    let trouble = Memo::new(move |_| upload.trouble().try_get().flatten());
    let size = Signal::derive(move || upload.size().try_get().unwrap_or_default());
    let received = Signal::derive(move || upload.received().try_get().unwrap_or_default());
    let durable = Signal::derive(move || upload.durable().try_get().unwrap_or_default());
    let done = Signal::derive(move || state.get() == RowState::Stored);
    let path = if folder.is_empty() {
        name.clone()
    } else {
        format!("{folder}/{name}")
    };
    let folder = (!folder.is_empty())
        .then(|| view! { <span class="upload-folder">{format!("{folder}/")}</span> });
    view! {
        <div
            class="upload"
            role="listitem"
            aria-posinset=move || place.get()
            aria-setsize=move || of.get()
            data-name=name.clone()
            data-state=move || state.get().word()
        >
            <Thumbnail upload/>
            <div class="upload-main">
                <div class="upload-head">
                    <p class="upload-name" title=path>
                        {folder}
                        <FileName name=name.clone()/>
                    </p>
                    <p class="upload-percent" aria-hidden="true">
                        {move || percent(durable.get(), size.get(), done.get())} "%"
                    </p>
                </div>
                <Bar label=name.clone() size received durable done/>
                <Facts upload state/>
                <Remarks upload state trouble/>
            </div>
            <UploadButtons upload state trouble name=owned/>
        </div>
    }
    .into_any()
}

/// The picture itself, or one of its type.
#[component]
fn Thumbnail(upload: RowHandle) -> impl IntoView {
    let name = upload.name().try_get_untracked().unwrap_or_default();
    let media_type = upload.media_type().try_get_untracked().unwrap_or_default();
    let icon = Icon::of_file(&media_type, &name);
    // A file that only claims to be an image gets the icon after all.
    let preview = RwSignal::new(upload.preview().try_get_untracked().flatten());
    view! {
        <div class="thumbnail" aria-hidden="true">
            {move || match preview.get() {
                Some(url) => view! {
                    <img
                        src=url.to_string()
                        alt=""
                        loading="lazy"
                        decoding="async"
                        on:error=move |_| preview.set(None)
                    />
                }
                .into_any(),
                None => view! { <Picture icon/> }.into_any(),
            }}
            <span class="thumbnail-mark"><Picture icon=Icon::Check/></span>
        </div>
    }
    .into_any()
}

/// State, bytes, speed and time.
#[component]
fn Facts(upload: RowHandle, state: Memo<RowState>) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let how_much = move || {
        let size = upload.size().try_get().unwrap_or_default();
        match state.get() {
            RowState::Stored | RowState::Failed => bytes(language.get(), size),
            _ => {
                let durable = upload.durable().try_get().unwrap_or_default();
                of_stored(language.get(), durable, size)
            }
        }
    };
    let how_fast = move || upload.rate().try_get().filter(|rate| *rate > 0);
    let how_long = move || upload.left().try_get().flatten();
    view! {
        <p class="facts">
            <span class="state">{move || words::state(language.get(), state.get(), auto())}</span>
            <span>{how_much}</span>
            <span hidden=move || how_fast().is_none()>
                {move || how_fast().map(|bytes| rate(language.get(), bytes))}
            </span>
            <span hidden=move || how_long().is_none()>
                {move || how_long().map(|millis| left(language.get(), millis))}
            </span>
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
    let remark = move || match (trouble.get(), state.get()) {
        (Some(trouble), _) => Some(words::trouble(language.get(), &trouble)),
        (None, RowState::NeedsFile) => Some(
            match upload.handle().try_get().unwrap_or_default() {
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
        _ => {
            let note = upload.note().try_get().flatten();
            note.map(|note| words::note(language.get(), note))
        }
    };
    view! {
        <p class="remark" class:is-patient=patient hidden=move || remark().is_none()>
            {remark}
        </p>
        <p class="note" hidden=move || note().is_none()>{note}</p>
        <Show when=move || needs_file.get()>
            <PickAgain upload/>
        </Show>
    }
    .into_any()
}

/// Asks for the file of an upload.
#[component]
fn PickAgain(upload: RowHandle) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let input = NodeRef::<Input>::new();
    let key = upload.key();
    let name = upload.name().try_get_untracked().unwrap_or_default();
    let other = name.clone();
    let picked = move |_| {
        if let Some(input) = input.get_untracked() {
            browser::file_provided(engine, key, &input);
        }
    };
    let own = name.clone();
    let ask = move |_| {
        let (id, folder) = (upload.id(), upload.folder());
        if let Some((id, folder)) = id.try_get_untracked().zip(folder.try_get_untracked()) {
            browser::ask_again(engine, key, join(&folder, &own), id);
        }
    };
    let can_ask = move || upload.handle().try_get().unwrap_or_default();
    view! {
        <div class="again">
            <button
                type="button"
                class="button is-primary"
                aria-label=move || td_string!(language.get(), upload_row.continue_file, name = &name)
                hidden=move || !can_ask()
                on:click=ask
            >
                {say!(upload_row.continue_it)}
            </button>
            <label class="button pick" class:is-primary=move || !can_ask()>
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
