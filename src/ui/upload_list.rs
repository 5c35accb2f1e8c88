//! The list of this page's uploads, of which only what is in sight is on the page.
//!
//! Rows come in portions. One that is near what is seen is on the page with all its rows; any
//! other is a space as high as it was, so thousands of uploads cost a page no more than a
//! few. Each row says where it is among all of them.

use leptos::html::Div;
use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::language::say;
use super::upload_row::UploadRow;
use crate::port::{Key, RowState};

/// How many rows are put on the page together. More would hold it up.
const PORTION: usize = 10;
/// How high a row is before anybody has seen it, in pixels.
const ROW_HEIGHT: usize = 88;

/// The list.
#[component]
pub fn UploadList() -> impl IntoView {
    let engine = Engine::expect();
    let order = Memo::new(move |_| engine.order());
    let portions = move || 0..order.with(Vec::len).div_ceil(PORTION);
    let count = move |state| engine.totals().count(state);
    view! {
        <div
            class="upload-list"
            role="list"
            aria-label=say!(upload_list.label)
            data-stored=move || count(RowState::Stored)
            data-failed=move || count(RowState::Failed)
        >
            <For each=portions key=|number| *number let:number>
                <Portion number order/>
            </For>
        </div>
    }
    .into_any()
}

/// Some of its rows.
#[component]
fn Portion(
    /// Which, in their order.
    number: usize,
    /// All uploads, in the order of the list.
    order: Memo<Vec<Key>>,
) -> impl IntoView {
    let engine = Engine::expect();
    let first = number * PORTION;
    let keys = Memo::new(move |_| {
        order.with(|all| all.iter().skip(first).take(PORTION).copied().collect())
    });
    let rows = move || keys.with(Vec::<Key>::len);
    // The first rows are seen before anything can be measured.
    let near = RwSignal::new(number == 0);
    let height = RwSignal::new(None);
    let place = NodeRef::<Div>::new();
    browser::watch_sight(place, near, height);
    let shown = move || if near.get() { keys.get() } else { Vec::new() };
    let space = move || {
        let known = height.get().unwrap_or_else(|| (rows() * ROW_HEIGHT) as f64);
        (!near.get()).then(|| format!("{known}px"))
    };
    view! {
        <div class="upload-portion" role="presentation" node_ref=place style:block-size=space>
            <For each=shown key=|key| *key let:key>
                <UploadRow
                    upload=engine.row(key)
                    place=Signal::derive(move || {
                        let before = keys.with(|keys| keys.iter().position(|other| *other == key));
                        first + before.unwrap_or_default() + 1
                    })
                    of=Signal::derive(move || order.with(Vec::len))
                />
            </For>
        </div>
    }
    .into_any()
}
