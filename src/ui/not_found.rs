//! Where there is nothing.

use leptos::prelude::*;

use super::status::set_status;
use super::title::PageTitle;

/// The page for a way that leads nowhere; the request gets status 404.
#[component]
pub fn NotFound(
    /// What is not there.
    #[prop(default = "There is nothing here")]
    what: &'static str,
) -> impl IntoView {
    set_status(404);
    view! {
        <PageTitle name="Not found"/>
        <section class="empty">
            <p class="empty-figure" aria-hidden="true">"404"</p>
            <h1>{what}</h1>
            <p>"The link may be old or mistyped, or the file was deleted."</p>
            <p class="empty-ways">
                <a class="button is-primary" href="/">"Send files"</a>
                <a class="button" href="/files">"See what arrived"</a>
            </p>
        </section>
    }
    .into_any()
}
