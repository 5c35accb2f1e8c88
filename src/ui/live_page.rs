//! `/live`: everything that moves on this server now, whoever sends it.

use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::failure::Failure;
use super::icons::{Icon, Picture};
use super::language::{Language, count, say, td_string};
use super::live_pulse::LivePulse;
use super::live_row::LiveRow;
use super::numbers::of_stored;
use super::table::{LiveTable, Order};
use super::title::PageTitle;
use crate::api::{LiveView, live_now};
use crate::protocol::id::FileId;
use crate::protocol::live::Topic;

/// How many rows are put on the page together.
const PORTION: usize = 10;
/// How high a row is before anybody has seen it, in pixels.
const ROW_HEIGHT: usize = 88;

/// The page.
#[component]
pub fn LivePage() -> impl IntoView {
    let live = Resource::new(|| (), |()| live_now());
    view! {
        <PageTitle name=say!(live_page.title)/>
        <Suspense fallback=|| view! { <p class="quiet">{say!(page.looking)}</p> }>
            {move || Suspend::new(async move {
                match live.await {
                    Ok(live) => view! { <Watched live/> }.into_any(),
                    Err(error) => {
                        view! {
                            <div class="page-head"><h1>{say!(live_page.title)}</h1></div>
                            <Failure what=say!(live_page.failed) error/>
                        }
                        .into_any()
                    }
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// The page with what there is: first what the server rendered, then what the connection says.
#[component]
fn Watched(live: LiveView) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let table = LiveTable::new(live.uploads);
    table.follow(live.pulse);
    engine.watch(Topic::Live, table.clone());
    let all = {
        let table = table.clone();
        Memo::new(move |_| table.sum())
    };
    let empty = move || all.get().rows == 0;
    let order = {
        let table = table.clone();
        Memo::new(move |_| table.order())
    };
    let portions = move || 0..order.with(Vec::len).div_ceil(PORTION);
    let rows = StoredValue::new(table.clone());
    view! {
        <div class="page-head">
            <h1>{say!(live_page.title)}</h1>
            <p class="page-facts">
                <span>{move || count!(language.get(), all.get().moving, live_page.moving)}</span>
                <span hidden=empty>
                    {move || {
                        let all = all.get();
                        of_stored(language.get(), all.durable, all.size)
                    }}
                </span>
            </p>
        </div>
        <LivePulse table=table.clone()/>
        <div class="live-sort needs-script" hidden=move || all.get().rows < 2>
            <SortChoice table/>
        </div>
        <div class="upload-list is-live" role="list" aria-label=say!(live_page.label) hidden=empty>
            <For each=portions key=|number| *number let:number>
                <Portion number order table=rows.get_value()/>
            </For>
        </div>
        <section class="empty" hidden=move || !empty()>
            <div class="empty-sign"><Picture icon=Icon::Pulse/></div>
            <h2>{say!(live_page.nothing)}</h2>
            <p>{say!(live_page.nothing_means)}</p>
            <p class="empty-ways"><a class="button is-primary" href="/">{say!(live_page.send)}</a></p>
        </section>
    }
    .into_any()
}

/// The choice of an order.
#[component]
fn SortChoice(table: LiveTable) -> impl IntoView {
    let language = Language::expect();
    let name = move |order| match order {
        Order::Path => td_string!(language.get(), live_page.by_name),
        Order::Slowest => td_string!(language.get(), live_page.by_speed),
        Order::Largest => td_string!(language.get(), live_page.by_size),
        Order::Left => td_string!(language.get(), live_page.by_left),
    };
    let option = move |order: Order| {
        view! { <option value=order.word()>{move || name(order)}</option> }
    };
    let choose = move |event: ev::Event| {
        if let Some(order) = Order::of_word(&event_target_value(&event)) {
            table.sort(order);
        }
    };
    view! {
        <label class="live-order">
            <span>{say!(live_page.sort)}</span>
            <select on:change=choose>{Order::ALL.into_iter().map(option).collect_view()}</select>
        </label>
    }
    .into_any()
}

/// Some of the rows. Those that nobody sees are not on the page, but for their height.
#[component]
fn Portion(
    /// Which, in their order.
    number: usize,
    /// All uploads, in their order.
    order: Memo<Vec<FileId>>,
    /// The table that they are from.
    table: LiveTable,
) -> impl IntoView {
    let first = number * PORTION;
    let ids = Memo::new(move |_| {
        order.with(|all| {
            all.iter()
                .skip(first)
                .take(PORTION)
                .copied()
                .collect::<Vec<_>>()
        })
    });
    // On the page at first, as the server rendered them.
    let near = RwSignal::new(true);
    let height = RwSignal::new(None);
    let place = NodeRef::<Div>::new();
    browser::watch_sight(place, near, height);
    let shown = move || if near.get() { ids.get() } else { Vec::new() };
    let space = move || {
        let known = height
            .get()
            .unwrap_or_else(|| (ids.with(Vec::len) * ROW_HEIGHT) as f64);
        (!near.get()).then(|| format!("{known}px"))
    };
    view! {
        <div class="upload-portion" role="presentation" node_ref=place style:block-size=space>
            <For each=shown key=|id| *id let:id>
                <LiveRow
                    table=table.clone()
                    id
                    place=Signal::derive(move || {
                        first + ids.with(|ids| ids.iter().position(|other| *other == id)).unwrap_or_default() + 1
                    })
                    of=Signal::derive(move || order.with(Vec::len))
                />
            </For>
        </div>
    }
    .into_any()
}
