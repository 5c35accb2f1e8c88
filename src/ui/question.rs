//! A question in place, before something is lost. The safe answer has the focus;
//! Escape gives it.

use leptos::ev;
use leptos::html::Button;
use leptos::prelude::*;

/// Asks, while it is to; the two answers are buttons.
#[component]
pub fn Question(
    /// Whether to ask; an answer ends that.
    asking: RwSignal<bool>,
    /// Whether there still is something to lose.
    #[prop(into)]
    loses: Signal<bool>,
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
    /// Does it.
    end: impl Fn() + Send + Sync + Copy + 'static,
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
        asking.set(false);
        if value {
            end();
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            give(false);
        }
    };
    view! {
        <Show when=move || asking.get() && loses.get()>
            <div class="question" role="group" aria-label=label on:keydown=on_key>
                <p>{move || text.get()}</p>
                <div class="question-answers">
                    <button type="button" class="button is-danger" on:click=move |_| give(true)>
                        {yes}
                    </button>
                    <button
                        type="button"
                        class="button"
                        node_ref=safe
                        on:click=move |_| give(false)
                    >
                        {no}
                    </button>
                </div>
            </div>
        </Show>
    }
    .into_any()
}
