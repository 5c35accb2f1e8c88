//! What a page shows instead of its data when that could not be had.

use leptos::prelude::*;

use super::icons::{Icon, Picture};
use super::language::{Language, say};
use super::status::set_status;
use super::words;
use crate::api::ApiError;

/// A sentence that says what happened, and a way on.
#[component]
pub fn Failure(
    /// What could not be had.
    what: Signal<&'static str>,
    /// Why.
    error: ApiError,
) -> impl IntoView {
    let language = Language::expect();
    set_status(error.status());
    view! {
        <div class="notice is-bad" role="alert">
            <Picture icon=Icon::Alert/>
            <div>
                <p class="notice-title">{what}</p>
                <p>{move || words::error(language.get(), &error)}</p>
                // Without a path: this page again, from the server.
                <p><a href="" rel="external">{say!(error.try_again)}</a></p>
            </div>
        </div>
    }
    .into_any()
}
