//! What can be done with one upload of this page.
//!
//! The buttons stay the same elements in every state: whoever presses Pause by
//! keyboard has Resume under the same key.

use leptos::html::Button;
use leptos::prelude::*;

use super::copy::CopyButton;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::question::Question;
use super::rows::{RowDataStoreFields, RowHandle, retry_helps};
use crate::port::{Command, RowState, Which};
use crate::protocol::trouble::Trouble;
use crate::units::Bytes;

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
            _ if retry_helps(state, trouble) => Self::Retry,
            RowState::Queued | RowState::Sending | RowState::Verifying | RowState::Waiting => {
                Self::Pause
            }
            RowState::Paused => Self::Resume,
            RowState::Failed | RowState::Stored | RowState::NeedsFile => Self::Nothing,
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
    name: String,
) -> impl IntoView {
    let engine = Engine::expect();
    let name = StoredValue::new(name);
    let with_name = move |verb: &str| name.with_value(|name| format!("{verb} {name}"));
    let key = upload.key();
    let which = Which::One(key);
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let first = Memo::new(move |_| First::of(state.get(), trouble.read().as_ref(), auto()));
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

#[cfg(test)]
mod tests {
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
}
