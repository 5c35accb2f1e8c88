//! What can be asked of the sender of an upload, from wherever it is seen: to pause, to go
//! on; and to cancel it. Forms, so that it works without scripts, too.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::ask::Ask;
use super::icons::{Icon, Picture};
use super::language::{Language, say, td_string};
use super::words;
use crate::api::{AskSender, CancelUpload};
use crate::protocol::live::{LiveState, LiveUpload, Wish};

/// The buttons. Pause and resume are one, so that it keeps the focus.
#[component]
pub fn Remote(
    /// The upload.
    #[prop(into)]
    upload: Signal<LiveUpload>,
    /// The file's name.
    name: String,
    /// Whether there is room for words.
    wide: bool,
) -> impl IntoView {
    let language = Language::expect();
    let id = upload.get_untracked().id.to_string();
    let state = Memo::new(move |_| upload.read().state);
    let ask = ServerAction::<AskSender>::new();
    let cancel = ServerAction::<CancelUpload>::new();
    let refused = move || {
        let asked = ask.value().get().and_then(Result::err);
        asked.or_else(|| cancel.value().get().and_then(Result::err))
    };
    let wish = Memo::new(move |_| match state.get() {
        LiveState::Receiving => Wish::Pause,
        _ => Wish::Resume,
    });
    let name = StoredValue::new(name);
    let verb = move || {
        let name = name.get_value();
        match wish.get() {
            Wish::Pause => td_string!(language.get(), remote.pause_file, name = name),
            Wish::Resume => td_string!(language.get(), remote.resume_file, name = name),
        }
    };
    let word = move || match wish.get() {
        Wish::Pause => td_string!(language.get(), remote.pause),
        Wish::Resume => td_string!(language.get(), remote.resume),
    };
    let icon = Signal::derive(move || match wish.get() {
        Wish::Pause => Icon::Pause,
        Wish::Resume => Icon::Play,
    });
    let cancelling = Signal::derive(move || {
        td_string!(
            language.get(),
            file_page.cancel_file,
            name = name.get_value()
        )
    });
    let over = move || state.get().is_over();
    // Where nobody is there, nobody can be asked.
    let alone = move || state.get() == LiveState::Resting;
    let wished = move || match wish.get() {
        Wish::Pause => "Pause",
        Wish::Resume => "Resume",
    };
    let own = id.clone();
    view! {
        <div class="remote" class:is-wide=wide hidden=over>
            <ActionForm action=ask>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="wish" value=wished/>
                <button
                    type="submit"
                    class="button"
                    class:icon-button=!wide
                    aria-label=verb
                    title=verb
                    hidden=alone
                    aria-busy=move || ask.pending().get().to_string()
                >
                    <Picture icon/>
                    {wide.then(|| view! { <span>{word}</span> })}
                </button>
            </ActionForm>
            <Ask label=cancelling icon=Icon::Close words=wide.then(|| say!(file_page.cancel))>
                <ActionForm action=cancel>
                    <input type="hidden" name="id" value=own/>
                    <p class="ask-words">{say!(file_page.cancel_question)}</p>
                    <button type="submit" class="button is-danger">{say!(file_page.cancel)}</button>
                </ActionForm>
            </Ask>
            <p class="remark" role="alert" hidden=move || refused().is_none()>
                {move || refused().map(|error| words::error(language.get(), &error))}
            </p>
        </div>
    }
    .into_any()
}
