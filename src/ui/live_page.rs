//! `/live`: everything that moves on this server now, whoever sends it.

use leptos::prelude::*;

use super::engine::Engine;
use super::failure::Failure;
use super::icons::{Icon, Picture};
use super::live_row::LiveRow;
use super::table::LiveTable;
use super::title::PageTitle;
use super::words;
use crate::api::live_uploads;
use crate::protocol::live::{LiveState, LiveUpload, Topic};
use crate::units::Bytes;

/// The page.
#[component]
pub fn LivePage() -> impl IntoView {
    let uploads = Resource::new(|| (), |()| live_uploads());
    view! {
        <PageTitle name="Live"/>
        <Suspense fallback=|| view! { <p class="quiet">"Looking…"</p> }>
            {move || Suspend::new(async move {
                match uploads.await {
                    Ok(uploads) => view! { <Watched uploads/> }.into_any(),
                    Err(error) => {
                        view! {
                            <div class="page-head"><h1>"Live"</h1></div>
                            <Failure what="What is moving now" error/>
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
            <h1>"Live"</h1>
            <p class="page-facts">
                <span>{move || words::count(all.get().moving, "upload moving", "uploads moving")}</span>
                <span hidden=move || all.get().rate == 0>{move || words::rate(all.get().rate)}</span>
                <span hidden=move || all.get().rows == 0>
                    {move || {
                        let all = all.get();
                        format!("{} of {} stored", Bytes(all.durable), Bytes(all.size))
                    }}
                </span>
            </p>
        </div>
        <ul class="upload-list is-live" role="list" aria-label="Live uploads" hidden=move || all.get().rows == 0>
            <For each=order key=|id| *id let:id>
                <LiveRow table=table.clone() id/>
            </For>
        </ul>
        <section class="empty" hidden=move || all.get().rows != 0>
            <div class="empty-sign"><Picture icon=Icon::Pulse/></div>
            <h2>"Nothing is moving"</h2>
            <p>"Uploads appear here the moment they begin, from any browser. This page follows by itself."</p>
            <p class="empty-ways"><a class="button is-primary" href="/">"Send files"</a></p>
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
