//! `/live`: everything that moves on this server now, whoever sends it.

use leptos::prelude::*;

use super::engine::Engine;
use super::failure::Failure;
use super::icons::{Icon, Picture};
use super::language::{Language, count, say};
use super::live_row::LiveRow;
use super::numbers::{of_stored, rate};
use super::table::LiveTable;
use super::title::PageTitle;
use crate::api::live_uploads;
use crate::protocol::live::{LiveState, LiveUpload, Topic};

/// The page.
#[component]
pub fn LivePage() -> impl IntoView {
    let uploads = Resource::new(|| (), |()| live_uploads());
    view! {
        <PageTitle name=say!(live_page.title)/>
        <Suspense fallback=|| view! { <p class="quiet">{say!(page.looking)}</p> }>
            {move || Suspend::new(async move {
                match uploads.await {
                    Ok(uploads) => view! { <Watched uploads/> }.into_any(),
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

/// The table: first what the server rendered, then what the connection says.
#[component]
fn Watched(uploads: Vec<LiveUpload>) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let table = LiveTable::new(uploads);
    engine.watch(Topic::Live, table.clone());
    let all = {
        let table = table.clone();
        Memo::new(move |_| Sum::of(&table.all()))
    };
    let order = {
        let table = table.clone();
        move || table.order()
    };
    view! {
        <div class="page-head">
            <h1>{say!(live_page.title)}</h1>
            <p class="page-facts">
                <span>{move || count!(language.get(), all.get().moving, live_page.moving)}</span>
                <span hidden=move || all.get().rate == 0>{move || rate(language.get(), all.get().rate)}</span>
                <span hidden=move || all.get().rows == 0>
                    {move || {
                        let all = all.get();
                        of_stored(language.get(), all.durable, all.size)
                    }}
                </span>
            </p>
        </div>
        <ul class="upload-list is-live" role="list" aria-label=say!(live_page.label) hidden=move || all.get().rows == 0>
            <For each=order key=|id| *id let:id>
                <LiveRow table=table.clone() id/>
            </For>
        </ul>
        <section class="empty" hidden=move || all.get().rows != 0>
            <div class="empty-sign"><Picture icon=Icon::Pulse/></div>
            <h2>{say!(live_page.nothing)}</h2>
            <p>{say!(live_page.nothing_means)}</p>
            <p class="empty-ways"><a class="button is-primary" href="/">{say!(live_page.send)}</a></p>
        </section>
    }
    .into_any()
}

/// All rows together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    moving: u64,
    rate: u64,
    size: u64,
    durable: u64,
}

impl Sum {
    fn of(uploads: &[LiveUpload]) -> Self {
        uploads.iter().fold(Self::default(), |sum, upload| Self {
            rows: sum.rows + 1,
            moving: sum.moving + u64::from(upload.state == LiveState::Receiving),
            rate: sum.rate.saturating_add(upload.rate),
            size: sum.size.saturating_add(upload.size),
            durable: sum.durable.saturating_add(upload.durable),
        })
    }
}
