//! A question in place, before something is lost. The safe answer has the focus;
//! Escape gives it.

use leptos::ev;
use leptos::html::Button;
use leptos::prelude::*;

/// Asks; the two answers are buttons.
#[component]
pub fn Question(
    /// What is asked, for those who hear it.
    #[prop(into)]
    label: Signal<String>,
    /// What would happen.
    #[prop(into)]
    text: Signal<String>,
    /// The answer that does it.
    yes: Signal<&'static str>,
    /// The answer that does nothing.
    no: Signal<&'static str>,
    /// The button that led here; it gets the focus back.
    opener: NodeRef<Button>,
    /// Called with the answer.
    #[prop(into)]
    answer: Callback<bool>,
) -> impl IntoView {
    let safe = NodeRef::<Button>::new();
    Effect::new(move |_| {
        if let Some(button) = safe.get() {
            _ = button.focus();
        }
    });
    let give = move |value: bool| {
        if let Some(button) = opener.get_untracked() {
            _ = button.focus();
        }
        answer.run(value);
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            give(false);
        }
    };
    view! {
        <div class="question" role="group" aria-label=label on:keydown=on_key>
            <p>{move || text.get()}</p>
            <div class="question-answers">
                <button type="button" class="button is-danger" on:click=move |_| give(true)>
                    {yes}
                </button>
                <button type="button" class="button" node_ref=safe on:click=move |_| give(false)>
                    {no}
                </button>
            </div>
        </div>
    }
    .into_any()
}
