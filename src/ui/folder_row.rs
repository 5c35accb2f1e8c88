//! A folder that came with all that is in it: how far its files are together, and below it,
//! unless it is closed, the files.

use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;

use super::bar::Bar;
use super::browser;
use super::folder_buttons::FolderButtons;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, count, td_string};
use super::list::List;
use super::listing::Item;
use super::numbers::{bytes, grouped, of_stored};
use super::pace::Pace;
use super::queue::FolderId;
use super::rows::Totals;
use super::upload_list::{Line, gap, space};
use super::window::Spot;
use crate::port::RowState;

/// The folder.
#[component]
pub fn FolderRow(
    /// Which.
    folder: FolderId,
    /// Its name.
    name: String,
    /// Its files added up.
    totals: ArcRwSignal<Totals>,
    /// Where it is in the list.
    spot: Memo<Spot>,
) -> impl IntoView {
    let language = Language::expect();
    let list = List::expect();
    let item = Item::Folder(folder);
    let totals = Memo::new(move |_| totals.get());
    let open = Memo::new(move |_| list.query.read().opens(folder));
    let searching = Memo::new(move |_| !list.query.read().words.is_empty());
    let waits = Memo::new(move |_| totals.get().count(RowState::Queued) > 0);
    let done = Signal::derive(move || {
        let totals = totals.get();
        totals.unfinished() == 0 && totals.count(RowState::Failed) == 0
    });
    let inside = Memo::new(move |_| list.layout().inside(folder).cloned().unwrap_or_default());
    let head = NodeRef::<Div>::new();
    browser::watch_height(head, move |height| list.measured(item, height));
    let shown: Arc<str> = name.as_str().into();
    let label = move || td_string!(language.get(), folder_row.files, name = &*shown);
    let called = Signal::stored(name.clone());
    view! {
        <div class="upload-space" role="presentation" style:block-size=move || gap(spot)></div>
        <div
            class="folder"
            class:is-held=move || list.held().is_some_and(|held| held.item == item)
            role="listitem"
            aria-posinset=move || spot.get().number
            aria-setsize=move || spot.get().of
            data-folder=name.clone()
            data-item=item.word()
        >
            <div class="folder-head" class:is-waiting=move || waits.get() node_ref=head>
                <span class="grip" aria-hidden="true"><Picture icon=Icon::Grip/></span>
                <button
                    type="button"
                    class="folder-toggle"
                    data-control="toggle"
                    aria-expanded=move || open.get().to_string()
                    aria-disabled=move || searching.get().then_some("true")
                    on:click=move |_| if !searching.get_untracked() { list.toggle(folder) }
                >
                    <Picture icon=Icon::Chevron/>
                    <Picture icon=Icon::Folder/>
                    <bdi class="folder-name">{name.clone()}</bdi>
                </button>
                <p class="facts">
                    <span>{move || words(language.get(), &totals.get())}</span>
                    <span>{move || how_much(language.get(), &totals.get())}</span>
                    <Pace
                        rate=Signal::derive(move || totals.get().rate)
                        left=Signal::derive(move || totals.get().left())
                    />
                </p>
                <FolderButtons folder name=called totals waits/>
                <Bar
                    label=called
                    size=Signal::derive(move || totals.get().size)
                    received=Signal::derive(move || totals.get().received)
                    durable=Signal::derive(move || totals.get().durable)
                    done
                />
            </div>
            <div role="list" aria-label=label hidden=move || !open.get()>
                <For each=move || inside.get().files key=|key| *key let:key>
                    <Line item=Item::Row(key)/>
                </For>
                <div
                    class="upload-space"
                    role="presentation"
                    style:block-size=move || space(inside.get().tail)
                ></div>
            </div>
        </div>
    }
    .into_any()
}

/// How many files there are, and how far they are.
fn words(locale: Locale, totals: &Totals) -> String {
    let stored = totals.count(RowState::Stored);
    let failed = totals.count(RowState::Failed);
    let files = totals.files();
    match (stored, failed) {
        (stored, 0) if stored == files => count!(locale, files, folder_row.all_stored),
        (0, 0) => count!(locale, files, folder_row.count),
        (stored, 0) => {
            let stored = grouped(locale, stored.into());
            count!(locale, files, totals_bar.of_stored, stored = &stored)
        }
        (stored, failed) => {
            let (stored, failed) = (
                grouped(locale, stored.into()),
                grouped(locale, failed.into()),
            );
            count!(
                locale,
                files,
                totals_bar.of_stored_not_sent,
                stored = &stored,
                failed = &failed
            )
        }
    }
}

fn how_much(locale: Locale, totals: &Totals) -> String {
    match totals.unfinished() {
        0 => bytes(locale, totals.durable),
        _ => of_stored(locale, totals.durable, totals.size),
    }
}
