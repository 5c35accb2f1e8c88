//! What is shown where a list has nothing to show.

use leptos::prelude::*;

use super::icons::{Icon, Picture};

/// A sign, what is the case, and what to do.
#[component]
pub fn Empty(
    /// The sign.
    icon: Icon,
    /// What is the case.
    #[prop(into)]
    title: Signal<&'static str>,
    /// More of it.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="empty-sign"><Picture icon/></div>
            <h2>{move || title.get()}</h2>
            {children()}
        </div>
    }
    .into_any()
}
