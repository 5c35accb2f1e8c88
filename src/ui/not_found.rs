//! Where there is nothing.

use leptos::prelude::*;

use super::language::say;
use super::status::set_status;
use super::title::PageTitle;

/// The page for a way that leads nowhere; the request gets status 404.
#[component]
pub fn NotFound(
    /// What is not there.
    #[prop(optional)]
    what: Option<Signal<&'static str>>,
) -> impl IntoView {
    set_status(404);
    let what = what.unwrap_or_else(|| say!(not_found.nothing));
    view! {
        <PageTitle name=say!(not_found.title)/>
        <section class="empty">
            <p class="empty-figure" aria-hidden="true">"404"</p>
            <h1>{what}</h1>
            <p>{say!(not_found.means)}</p>
            <p class="empty-ways">
                <a class="button is-primary" href="/">{say!(not_found.send)}</a>
                <a class="button" href="/files">{say!(not_found.files)}</a>
            </p>
        </section>
    }
    .into_any()
}
