//! `/`: files come in here, and are watched on their way.

use leptos::prelude::*;

use super::drop_zone::DropZone;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::say;
use super::list::List;
use super::shared_files::SharedFiles;
use super::title::PageTitle;
use super::totals_bar::TotalsBar;
use super::upload_filter::UploadFilter;
use super::upload_list::UploadList;
use crate::port::Link;

/// The page.
#[component]
pub fn UploadsPage() -> impl IntoView {
    let engine = Engine::expect();
    List::provide();
    let some = Memo::new(move |_| !engine.is_empty());
    // A page of an older version, whose uploads another took over, only shows what it knew.
    let outdated = move || engine.link().link == Link::Outdated;
    view! {
        <PageTitle/>
        <Show when=outdated>
            <div class="notice">
                <Picture icon=Icon::Alert/>
                <div>
                    <h1 class="notice-title">{say!(uploads_page.outdated)}</h1>
                    <p>{say!(uploads_page.outdated_means)}</p>
                </div>
            </div>
        </Show>
        <div
            class="uploads"
            class:has-uploads=move || some.get()
            inert=outdated
        >
            <SharedFiles/>
            <DropZone/>
            <Show when=move || some.get()>
                <TotalsBar/>
            </Show>
            <UploadFilter/>
            <UploadList/>
        </div>
    }
    .into_any()
}
