//! One upload of this page.
//!
//! Every part reads its own signals, so that a report about one upload touches only
//! what it changes. The buttons stay the same elements in every state: whoever
//! presses Pause by keyboard has Resume under the same key.

use leptos::html::{Button, Input};
use leptos::prelude::*;

use super::bar::Bar;
use super::browser;
use super::copy::CopyButton;
use super::engine::Engine;
use super::file_name::FileName;
use super::icons::{Icon, Picture};
use super::question::Question;
use super::rows::{RowDataStoreFields, RowHandle, percent};
use super::words;
use crate::port::{Command, RowState, Which};
use crate::protocol::trouble::{Class, Trouble};
use crate::units::Bytes;

/// The row of an upload.
#[component]
pub fn UploadRow(
    /// Its signals.
    upload: RowHandle,
) -> impl IntoView {
    let name = upload.name().try_get_untracked().unwrap_or_default();
    let owned = name.clone();
    let folder = upload.folder().try_get_untracked().unwrap_or_default();
    let state = state_of(upload);
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
        <li
            class="upload"
            role="listitem"
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
                <Facts upload/>
                <Remarks upload/>
            </div>
            <Buttons upload name=owned/>
        </li>
    }
    .into_any()
}

fn state_of(upload: RowHandle) -> Signal<RowState> {
    Signal::derive(move || upload.state().try_get().unwrap_or(RowState::Queued))
}

fn trouble_of(upload: RowHandle) -> Option<Trouble> {
    upload.trouble().try_get().flatten()
}

/// The picture itself, or one of its type.
#[component]
fn Thumbnail(upload: RowHandle) -> impl IntoView {
    let name = upload.name().try_get_untracked().unwrap_or_default();
    let media_type = upload.media_type().try_get_untracked().unwrap_or_default();
    let icon = Icon::of_file(&media_type, &name);
    let preview = upload.preview().try_get_untracked().flatten();
    view! {
        <div class="thumbnail" aria-hidden="true">
            {match preview {
                Some(url) => {
                    view! { <img src=url.to_string() alt="" loading="lazy" decoding="async"/> }
                        .into_any()
                }
                None => view! { <Picture icon/> }.into_any(),
            }}
            <span class="thumbnail-mark"><Picture icon=Icon::Check/></span>
        </div>
    }
    .into_any()
}

/// State, bytes, speed and time.
#[component]
fn Facts(upload: RowHandle) -> impl IntoView {
    let engine = Engine::expect();
    let state = state_of(upload);
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let bytes = move || {
        let size = Bytes(upload.size().try_get().unwrap_or_default());
        match state.get() {
            RowState::Stored | RowState::Failed => size.to_string(),
            _ => {
                let durable = Bytes(upload.durable().try_get().unwrap_or_default());
                format!("{durable} of {size} stored")
            }
        }
    };
    let rate = move || upload.rate().try_get().filter(|rate| *rate > 0);
    let left = move || upload.left().try_get().flatten();
    view! {
        <p class="facts">
            <span class="state">{move || words::state(state.get(), auto())}</span>
            <span>{bytes}</span>
            <span hidden=move || rate().is_none()>{move || rate().map(words::rate)}</span>
            <span hidden=move || left().is_none()>{move || left().map(words::left)}</span>
        </p>
    }
    .into_any()
}

/// What went wrong and what to do, or a quiet line.
#[component]
fn Remarks(upload: RowHandle) -> impl IntoView {
    let state = state_of(upload);
    let trouble = move || trouble_of(upload);
    let patient = move || {
        trouble().is_some_and(|trouble| matches!(trouble.class(), Class::Retry | Class::Wait))
    };
    let remark = move || match (trouble(), state.get()) {
        (Some(trouble), _) => Some(trouble.to_string()),
        (None, RowState::NeedsFile) => Some(
            "The browser no longer has this file. Pick it again: only what is missing is sent."
                .to_owned(),
        ),
        _ => None,
    };
    let needs_file = Memo::new(move |_| match state.get() {
        RowState::NeedsFile => true,
        RowState::Failed => trouble_of(upload).as_ref().is_some_and(wants_file),
        _ => false,
    });
    let note = move || match state.get() {
        RowState::Failed | RowState::NeedsFile => None,
        _ => upload.note().try_get().flatten().map(words::note),
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

/// What the first button does in a state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Start,
    Pause,
    Resume,
    Retry,
    Nothing,
}

impl First {
    fn of(state: RowState, trouble: Option<&Trouble>, auto_upload: bool) -> Self {
        match state {
            RowState::Queued if !auto_upload => Self::Start,
            RowState::Waiting if trouble.is_some() => Self::Retry,
            RowState::Queued | RowState::Sending | RowState::Verifying | RowState::Waiting => {
                Self::Pause
            }
            RowState::Paused => Self::Resume,
            RowState::Failed => match trouble {
                Some(trouble) if trouble.class() == Class::Final || wants_file(trouble) => {
                    Self::Nothing
                }
                _ => Self::Retry,
            },
            RowState::Stored | RowState::NeedsFile => Self::Nothing,
        }
    }

    fn words(self) -> (&'static str, Icon) {
        match self {
            Self::Start => ("Start", Icon::Play),
            Self::Pause => ("Pause", Icon::Pause),
            Self::Resume => ("Resume", Icon::Play),
            Self::Retry | Self::Nothing => ("Retry", Icon::Retry),
        }
    }

    fn command(self, which: Which) -> Option<Command> {
        match self {
            Self::Start | Self::Resume => Some(Command::Resume(which)),
            Self::Pause => Some(Command::Pause(which)),
            Self::Retry => Some(Command::Retry(which)),
            Self::Nothing => None,
        }
    }
}

/// Whether only the right file helps.
fn wants_file(trouble: &Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Changed | Trouble::Vanished | Trouble::Different
    )
}

/// Everything that can be done with an upload.
#[component]
fn Buttons(upload: RowHandle, name: String) -> impl IntoView {
    let engine = Engine::expect();
    let name = StoredValue::new(name);
    let with_name = move |verb: &str| name.with_value(|name| format!("{verb} {name}"));
    let key = upload.key();
    let which = Which::One(key);
    let state = state_of(upload);
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let first = Memo::new(move |_| First::of(state.get(), trouble_of(upload).as_ref(), auto()));
    let last = move || match state.get() {
        RowState::Failed => "Remove",
        _ => "Cancel",
    };
    let id = Memo::new(move |_| upload.id().try_get().flatten());
    let digest = Memo::new(move |_| upload.digest().try_get().flatten());
    let asking = RwSignal::new(false);
    let opener = NodeRef::<Button>::new();
    let cancel = move |_| {
        let stored = upload.durable().try_get_untracked().unwrap_or_default();
        if stored > 0 && state.get_untracked() != RowState::Failed {
            asking.set(true);
        } else {
            engine.command(Command::Cancel(which));
        }
    };
    let question = move || {
        let stored = Bytes(upload.durable().try_get().unwrap_or_default());
        format!("Cancel this upload? The {stored} that are already stored are deleted.")
    };
    view! {
        <div class="upload-buttons">
            <Show when=move || digest.get().is_some()>
                <CopyButton
                    text=Signal::derive(move || {
                        digest.get().map(|digest| digest.to_string()).unwrap_or_default()
                    })
                    label=with_name("Copy the digest of")
                />
            </Show>
            <Show when=move || id.get().is_some()>
                <a
                    class="button icon-button"
                    href=move || id.get().map(|id| format!("/f/{id}"))
                    aria-label=with_name("Open")
                    title=with_name("Open")
                >
                    <Picture icon=Icon::Open/>
                </a>
            </Show>
            <button
                type="button"
                class="button icon-button"
                hidden=move || first.get() == First::Nothing
                aria-label=move || with_name(first.get().words().0)
                title=move || with_name(first.get().words().0)
                on:click=move |_| {
                    if let Some(command) = first.get_untracked().command(which) {
                        engine.command(command);
                    }
                }
            >
                <Picture icon=Signal::derive(move || first.get().words().1)/>
            </button>
            <button
                type="button"
                class="button icon-button"
                node_ref=opener
                hidden=move || state.get() == RowState::Stored
                aria-label=move || with_name(last())
                title=move || with_name(last())
                on:click=cancel
            >
                <Picture icon=Icon::Close/>
            </button>
        </div>
        <Show when=move || asking.get() && state.get() != RowState::Stored>
            <Question
                label=with_name("Cancel")
                text=Signal::derive(question)
                yes="Cancel upload"
                no="Keep it"
                opener
                answer=move |yes| {
                    asking.set(false);
                    if yes {
                        engine.command(Command::Cancel(which));
                    }
                }
            />
        </Show>
    }
    .into_any()
}

/// Asks for the file of an upload.
#[component]
fn PickAgain(upload: RowHandle) -> impl IntoView {
    let engine = Engine::expect();
    let input = NodeRef::<Input>::new();
    let key = upload.key();
    let name = upload.name().try_get_untracked().unwrap_or_default();
    let picked = move |_| {
        if let Some(input) = input.get_untracked() {
            browser::file_provided(engine, key, &input);
        }
    };
    view! {
        <label class="button is-primary pick">
            "Pick the file again"
            <input
                type="file"
                class="visually-hidden"
                aria-label=format!("Pick {name} again")
                node_ref=input
                on:change=picked
            />
        </label>
    }
    .into_any()
}
