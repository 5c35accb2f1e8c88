//! The two buttons of whatever is in the list, one upload or a folder of them: the one that
//! does what helps now, and the one that ends it.
//!
//! They stay the same elements in every state: whoever presses Pause by keyboard has Resume
//! under the same key.

use leptos::html::Button;
use leptos::prelude::*;

use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, td_string};
use super::question::Question;
use super::rows::{Totals, retry_helps};
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
    /// For one upload. Where `auto_upload` is off, a queued one waits for a person.
    pub fn of(state: RowState, trouble: Option<&Trouble>, auto_upload: bool) -> Self {
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

    /// For several that are added up.
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

/// The buttons, and below them the question before something is lost.
#[component]
pub fn RowButtons(
    /// The class of the element around them.
    class: &'static str,
    /// What the first one does.
    first: Memo<First>,
    /// What it is done to.
    #[prop(into)]
    name: Signal<String>,
    /// Which uploads those are.
    which: impl Fn() -> Which + Send + Sync + Copy + 'static,
    /// What the last one is called.
    last: Signal<String>,
    /// Whether there is anything to end.
    ends: Signal<bool>,
    /// Whether something is lost by that.
    loses: Signal<bool>,
    /// The question that is then asked.
    question: Signal<String>,
    /// The answer that ends it.
    yes: Signal<&'static str>,
    /// The answer that does nothing.
    no: Signal<&'static str>,
    /// Ends it.
    end: impl Fn() + Send + Sync + Copy + 'static,
    /// What comes before these two.
    children: Children,
) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let asking = RwSignal::new(false);
    let opener = NodeRef::<Button>::new();
    let act = move || first.get().label(language.get(), &name.read());
    view! {
        <div class=class>
            {children()}
            <button
                type="button"
                class="button icon-button"
                data-control="first"
                hidden=move || first.get() == First::Nothing
                aria-label=act
                title=act
                on:click=move |_| {
                    if let Some(command) = first.get_untracked().command(which()) {
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
                hidden=move || !ends.get()
                aria-label=last
                title=last
                on:click=move |_| if loses.get_untracked() { asking.set(true) } else { end() }
            >
                <Picture icon=Icon::Close/>
            </button>
        </div>
        <Question asking loses=ends label=last text=question yes no opener end/>
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
