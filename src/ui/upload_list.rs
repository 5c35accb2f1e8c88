//! The list of this page's uploads, of which only what is near what is seen is on the page.

use leptos::prelude::*;

use super::empty::Empty;
use super::engine::Engine;
use super::folder_row::FolderRow;
use super::icons::Icon;
use super::language::{Language, say, td_string};
use super::list::List;
use super::listing::Item;
use super::upload_row::UploadRow;
use super::window::Spot;
use crate::port::RowState;

/// The list.
#[component]
pub fn UploadList() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let list = List::expect();
    let count = move |state| engine.totals().count(state);
    let nothing = Memo::new(move |_| {
        list.matched.get() == 0 && !engine.is_empty() && list.query.read().is_narrow()
    });
    let said = move || {
        list.said.get().map(|said| {
            let (name, number, of) = (said.name, said.number, said.of);
            td_string!(language.get(), upload_list.moved, name, number, of)
        })
    };
    view! {
        <div
            class="upload-list"
            class:is-empty=move || list.layout().tops.is_empty()
            class:is-moving=move || list.held().is_some()
            role="list"
            aria-label=say!(upload_list.label)
            data-stored=move || count(RowState::Stored)
            data-failed=move || count(RowState::Failed)
            node_ref=list.place
            on:keydown=move |event| list.on_key(&event)
            on:pointerdown=move |event| list.on_hold(&event)
            on:pointermove=move |event| list.on_move(&event)
            on:pointerup=move |_| list.on_drop()
            on:pointercancel=move |_| list.on_cancel()
        >
            <For each=move || list.layout().tops.clone() key=|item| *item let:item>
                <Line item/>
            </For>
            <div
                class="upload-space"
                role="presentation"
                style:block-size=move || space(list.layout().tail)
            ></div>
            <div
                class="upload-mark"
                role="presentation"
                hidden=move || mark(list).is_none()
                style:inset-block-start=move || mark(list).map(|y| format!("{y}px"))
            ></div>
        </div>
        <Show when=move || nothing.get()>
            <Empty icon=Icon::Search title=say!(upload_list.nothing)>
                <p>{say!(upload_list.nothing_means)}</p>
                <p class="empty-ways">
                    <button type="button" class="button" on:click=move |_| list.show_all()>
                        {say!(upload_list.show_all)}
                    </button>
                </p>
            </Empty>
        </Show>
        <p class="visually-hidden" role="status">{said}</p>
    }
    .into_any()
}

/// A line on the upper level: a file, or a folder with its files.
#[component]
pub fn Line(
    /// What is in it.
    item: Item,
) -> impl IntoView {
    let engine = Engine::expect();
    let list = List::expect();
    let spot = Memo::new(move |last: Option<&Spot>| {
        let now = list.layout().at(item);
        // What is about to leave the page stays where it was.
        now.or(last.copied()).unwrap_or_default()
    });
    match item {
        // What is gone by now will not be on the page for long.
        Item::Row(key) => engine
            .row(key)
            .map(|upload| view! { <UploadRow upload spot/> })
            .into_any(),
        Item::Folder(folder) => engine
            .queue(|queue| queue.folder_row(folder))
            .map(|(name, totals)| view! { <FolderRow folder name=name.to_string() totals spot/> })
            .into_any(),
    }
}

/// Space of so many pixels, as a style; no style where there is none.
pub fn space(pixels: f64) -> Option<String> {
    (pixels > 0.0).then(|| format!("{pixels:.2}px"))
}

/// The space above a line.
pub fn gap(spot: Memo<Spot>) -> Option<String> {
    space(spot.get().gap)
}

/// Where what is being moved would land.
fn mark(list: List) -> Option<f64> {
    list.held().and_then(|held| held.mark)
}
