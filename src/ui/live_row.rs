//! One upload that somebody sends, as a watcher sees it.

use leptos::prelude::*;

use super::bar::Bar;
use super::file_name::FileName;
use super::icons::{Icon, Picture};
use super::language::{Language, td_string};
use super::numbers::{bytes, of_stored};
use super::pace::Pace;
use super::remote::Remote;
use super::rows::{percent, split};
use super::table::LiveTable;
use super::words;
use crate::protocol::id::FileId;
use crate::protocol::live::{LiveState, LiveUpload};

/// The row.
#[component]
pub fn LiveRow(
    /// The table that it belongs to.
    table: LiveTable,
    /// Which row.
    id: FileId,
    /// Which it is in the list, from one.
    place: Signal<usize>,
    /// How many there are.
    of: Signal<usize>,
) -> impl IntoView {
    let upload = table.row(id)?;
    let sum = Memo::new(move |_| table.sum().slow);
    let first = upload.get_untracked();
    let (folder, name) = split(&first.path);
    let name = name.to_owned();
    let folder = (!folder.is_empty())
        .then(|| view! { <span class="upload-folder">{format!("{folder}/")}</span> });
    let upload = Signal::from(upload);
    let (label, named) = (name.clone(), name.clone());
    Some(
        view! {
            <div
                class="upload live"
                role="listitem"
                aria-posinset=move || place.get()
                aria-setsize=move || of.get()
                data-name=name.clone()
                data-state=move || live_word(upload.read().state)
            >
                <div class="thumbnail" aria-hidden="true">
                    <Picture icon=Icon::of_file("", &name)/>
                    <span class="thumbnail-mark"><Picture icon=Icon::Check/></span>
                </div>
                <div class="upload-main">
                    <div class="upload-head">
                        <p class="upload-name" title=first.path>
                            {folder}
                            <a class="file-link" href=format!("/f/{id}")>
                                <FileName name=name.clone()/>
                            </a>
                        </p>
                        <p class="upload-percent" aria-hidden="true">
                            {move || live_percent(&upload.read())} "%"
                        </p>
                    </div>
                    <LiveBar label upload/>
                    <LiveFacts upload slow=sum/>
                </div>
                <Remote upload name=named wide=false/>
            </div>
        }
        .into_any(),
    )
}

/// The bar of an upload that is watched.
#[component]
pub fn LiveBar(
    /// The file's name.
    label: String,
    /// The upload.
    upload: Signal<LiveUpload>,
) -> impl IntoView {
    view! {
        <Bar
            label
            size=Signal::derive(move || upload.read().size)
            received=Signal::derive(move || upload.read().received)
            durable=Signal::derive(move || upload.read().durable)
            done=Signal::derive(move || upload.read().state == LiveState::Stored)
        />
    }
    .into_any()
}

/// State, bytes, speed and time of an upload that is watched.
#[component]
pub fn LiveFacts(
    /// The upload.
    upload: Signal<LiveUpload>,
    /// Below how many bytes per second it is slow beside the others.
    #[prop(optional, into)]
    slow: Signal<u64>,
) -> impl IntoView {
    let language = Language::expect();
    let pace = move || {
        let upload = upload.read();
        match (upload.state, upload.rate) {
            (LiveState::Receiving, 0) => Some(td_string!(language.get(), live_page.still)),
            (LiveState::Receiving, rate) if rate < slow.get() => {
                Some(td_string!(language.get(), live_page.slow))
            }
            _ => None,
        }
    };
    let how_much = move || {
        let upload = upload.read();
        match upload.state {
            LiveState::Stored => bytes(language.get(), upload.size),
            _ => of_stored(language.get(), upload.durable, upload.size),
        }
    };
    let how_long = move || {
        let upload = upload.read();
        let coming = upload.size.saturating_sub(upload.durable);
        (upload.state == LiveState::Receiving)
            .then(|| coming.checked_div(upload.rate))
            .flatten()
            .map(|seconds| seconds.saturating_mul(1000))
    };
    view! {
        <p class="facts">
            <span class="state">
                {move || words::live_state(language.get(), upload.read().state)}
            </span>
            <span>{how_much}</span>
            <Pace
                rate=Signal::derive(move || upload.read().rate)
                left=Signal::derive(how_long)
            />
            <span class="live-slow" hidden=move || pace().is_none()>{pace}</span>
        </p>
    }
    .into_any()
}

/// The per cent of an upload that are durable.
pub fn live_percent(upload: &LiveUpload) -> u8 {
    percent(
        upload.durable,
        upload.size,
        upload.state == LiveState::Stored,
    )
}

/// The word in `data-state`, of the same kind as on the page of uploads.
pub fn live_word(state: LiveState) -> &'static str {
    match state {
        LiveState::Receiving => "receiving",
        LiveState::Paused => "paused",
        LiveState::Resting => "resting",
        LiveState::Stored => "stored",
        LiveState::Ended => "ended",
    }
}
