//! What a page shows instead of its data when that could not be had.

use leptos::prelude::*;

use super::icons::{Icon, Picture};
use super::status::set_status;
use crate::api::ApiError;

/// A sentence that says what happened, and a way on.
#[component]
pub fn Failure(
    /// What is missing, `The list of files`.
    what: &'static str,
    /// Why.
    error: ApiError,
) -> impl IntoView {
    set_status(error.status());
    view! {
        <div class="notice is-bad" role="alert">
            <Picture icon=Icon::Alert/>
            <div>
                <p class="notice-title">{what} " could not be loaded."</p>
                <p>{error.to_string()}</p>
                // Without a path: this page again, from the server.
                <p><a href="" rel="external">"Try again"</a></p>
            </div>
        </div>
    }
    .into_any()
}
