//! What can be done with one upload of this page.
//!
//! The buttons stay the same elements in every state: whoever presses Pause by
//! keyboard has Resume under the same key.

use leptos::html::Button;
use leptos::prelude::*;

use super::copy::CopyButton;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, say, td_string};
use super::list::List;
use super::listing::Item;
use super::numbers::bytes;
use super::question::Question;
use super::rows::{RowHandle, Totals, retry_helps};
use super::upload_menu::UploadMenu;
use crate::port::{Command, RowState, Which};
use crate::protocol::trouble::Trouble;

/// What the first button of an upload, or of several, does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Starts what waits for that.
    Start,
    /// Pauses what moves.
    Pause,
    /// Goes on with what is paused.
    Resume,
    /// Tries again what failed.
    Retry,
    /// There is nothing to do, and no button.
    Nothing,
}

impl First {
    fn of(state: RowState, trouble: Option<&Trouble>, auto_upload: bool) -> Self {
        match state {
            RowState::Queued if !auto_upload => Self::Start,
            _ if retry_helps(state, trouble) => Self::Retry,
            RowState::Queued | RowState::Sending | RowState::Verifying | RowState::Waiting => {
                Self::Pause
            }
            RowState::Paused => Self::Resume,
            RowState::Failed | RowState::Stored | RowState::NeedsFile => Self::Nothing,
        }
    }

    /// For several that are added up. Where `auto_upload` is off, queued ones wait for a person.
    pub fn together(totals: &Totals, auto_upload: bool) -> Self {
        let queued = totals.count(RowState::Queued);
        let held = if auto_upload { 0 } else { queued };
        if totals.moving() > held {
            Self::Pause
        } else if held > 0 {
            Self::Start
        } else if totals.count(RowState::Paused) > 0 {
            Self::Resume
        } else if totals.retryable > 0 {
            Self::Retry
        } else {
            Self::Nothing
        }
    }

    /// What the button is called that does it to what has this name.
    pub fn label(self, locale: Locale, name: &str) -> String {
        match self {
            Self::Start => td_string!(locale, upload_buttons.start, name),
            Self::Pause => td_string!(locale, upload_buttons.pause, name),
            Self::Resume => td_string!(locale, upload_buttons.resume, name),
            Self::Retry | Self::Nothing => td_string!(locale, upload_buttons.retry, name),
        }
    }

    /// The picture on the button.
    pub fn icon(self) -> Icon {
        match self {
            Self::Start | Self::Resume => Icon::Play,
            Self::Pause => Icon::Pause,
            Self::Retry | Self::Nothing => Icon::Retry,
        }
    }

    /// What does it.
    pub fn command(self, which: Which) -> Option<Command> {
        match self {
            Self::Start | Self::Resume => Some(Command::Resume(which)),
            Self::Pause => Some(Command::Pause(which)),
            Self::Retry => Some(Command::Retry(which)),
            Self::Nothing => None,
        }
    }
}

/// The buttons, and the question before something is lost.
#[component]
pub fn UploadButtons(
    /// The upload.
    upload: RowHandle,
    /// Its state.
    state: Memo<RowState>,
    /// What is wrong with it.
    trouble: Memo<Option<Trouble>>,
    /// The file's name.
    name: Memo<String>,
) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let list = List::expect();
    let named = move |label: fn(Locale, &str) -> String| {
        Signal::derive(move || label(language.get(), &name.read()))
    };
    let copy = named(|locale, name| td_string!(locale, copy.digest, name));
    let open = named(|locale, name| td_string!(locale, upload_buttons.open, name));
    let key = upload.key();
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let first = Memo::new(move |_| First::of(state.get(), trouble.read().as_ref(), auto()));
    let act = move || first.get().label(language.get(), &name.read());
    let cancel_label = named(|locale, name| td_string!(locale, upload_buttons.cancel, name));
    let remove_label = named(|locale, name| td_string!(locale, upload_buttons.remove, name));
    let last = move || match state.get() {
        RowState::Failed => remove_label.get(),
        _ => cancel_label.get(),
    };
    let id = upload.part(|row| row.id);
    let digest = upload.part(|row| row.digest);
    let durable = upload.part(|row| row.progress.durable);
    let fresh = upload.part(|row| row.fresh);
    let waits = Memo::new(move |_| state.get() == RowState::Queued);
    let asking = RwSignal::new(false);
    let opener = NodeRef::<Button>::new();
    // Whoever removes several goes on with the next.
    let end = move || {
        list.leave(Item::Row(key), "cancel");
        engine.command(Command::Cancel(key.into()));
    };
    let cancel = move |_| {
        if durable.get_untracked() > 0 && state.get_untracked() != RowState::Failed {
            asking.set(true);
        } else {
            end();
        }
    };
    let question = move || {
        let locale = language.get();
        let stored = bytes(locale, durable.get());
        td_string!(locale, upload_buttons.question, stored)
    };
    view! {
        <div class="upload-buttons">
            <Show when=move || digest.get().is_some()>
                <CopyButton
                    text=Signal::derive(move || {
                        digest.get().map(|digest| digest.to_string()).unwrap_or_default()
                    })
                    label=copy
                />
            </Show>
            <Show when=move || id.get().is_some()>
                <a
                    class="button icon-button"
                    data-control="open"
                    href=move || id.get().map(|id| format!("/f/{id}"))
                    aria-label=open
                    title=open
                >
                    <Picture icon=Icon::Open/>
                </a>
            </Show>
            <Show when=move || fresh.get() && state.get() != RowState::Sending>
                <UploadMenu item=Item::Row(key) name fresh waits/>
            </Show>
            <button
                type="button"
                class="button icon-button"
                data-control="first"
                hidden=move || first.get() == First::Nothing
                aria-label=act
                title=act
                on:click=move |_| {
                    if let Some(command) = first.get_untracked().command(key.into()) {
                        engine.command(command);
                    }
                }
            >
                <Picture icon=Signal::derive(move || first.get().icon())/>
            </button>
            <button
                type="button"
                class="button icon-button"
                data-control="cancel"
                node_ref=opener
                hidden=move || state.get() == RowState::Stored
                aria-label=last
                title=last
                on:click=cancel
            >
                <Picture icon=Icon::Close/>
            </button>
        </div>
        <Show when=move || asking.get() && state.get() != RowState::Stored>
            <Question
                label=cancel_label
                text=Signal::derive(question)
                yes=say!(upload_buttons.yes)
                no=say!(upload_buttons.no)
                opener
                answer=move |yes| {
                    asking.set(false);
                    if yes {
                        end();
                    }
                }
            />
        </Show>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::{of, row};
    use super::*;

    #[test]
    fn the_first_button_is_what_helps() {
        let of = |state, trouble: Option<Trouble>| First::of(state, trouble.as_ref(), true);
        assert!(of(RowState::Sending, None) == First::Pause);
        assert!(of(RowState::Waiting, Some(Trouble::DiskFull)) == First::Retry);
        assert!(of(RowState::Failed, Some(Trouble::Ended)) == First::Retry);
        assert!(of(RowState::Failed, Some(Trouble::NoFolders)) == First::Nothing);
        assert!(of(RowState::Failed, Some(Trouble::Changed)) == First::Nothing);
        assert!(First::of(RowState::Queued, None, false) == First::Start);
    }

    #[test]
    fn several_are_paused_while_one_moves_then_started_resumed_and_tried_again() {
        let together = |states: &[RowState], auto| {
            let row = |(key, state): (usize, &RowState)| row(key as u32, "a", *state, (9, 0, 0));
            let rows: Vec<_> = states.iter().enumerate().map(row).collect();
            First::together(&of(&rows), auto)
        };
        use RowState::{Failed, NeedsFile, Paused, Queued, Sending, Stored};
        assert!(together(&[Paused, Sending, Failed], true) == First::Pause);
        assert!(together(&[Queued, Paused], true) == First::Pause);
        assert!(together(&[Queued, Paused], false) == First::Start);
        assert!(together(&[Queued, Sending], false) == First::Pause);
        assert!(together(&[Paused, Stored], true) == First::Resume);
        assert!(together(&[Stored, NeedsFile], true) == First::Nothing);
    }
}
