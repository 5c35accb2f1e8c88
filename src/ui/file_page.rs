//! `/f/{id}`: one file that arrived, or one upload on its way, under the same link.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::engine::Engine;
use super::failure::Failure;
use super::icons::{Icon, Picture};
use super::language::{Language, say, td_string};
use super::live_row::{LiveBar, LiveFacts, live_percent, live_word};
use super::not_found::NotFound;
use super::qr::PhoneCode;
use super::remote::Remote;
use super::rows::split;
use super::status::set_status;
use super::stored_file::{Deleted, Stored};
use super::table::LiveTable;
use super::title::PageTitle;
use super::words;
use crate::api::{ApiError, DeleteFiles, FileView, RenameFile, RestoreFiles, view_file};
use crate::protocol::id::FileId;
use crate::protocol::live::{LiveState, LiveUpload, Topic};

/// The page.
#[component]
pub fn FilePage() -> impl IntoView {
    let language = Language::expect();
    let params = use_params_map();
    let id = Memo::new(move |_| {
        let params = params.read();
        params
            .get_str("id")
            .and_then(|id| id.parse::<FileId>().ok())
    });
    let delete = ServerAction::<DeleteFiles>::new();
    let restore = ServerAction::<RestoreFiles>::new();
    let rename = ServerAction::<RenameFile>::new();
    let changes = move || {
        let deletions = (delete.version().get(), restore.version().get());
        (deletions, rename.version().get())
    };
    let refused = move || {
        let deleted = delete.value().get().and_then(Result::err);
        let restored = || restore.value().get().and_then(Result::err);
        let renamed = || rename.value().get().and_then(Result::err);
        deleted.or_else(restored).or_else(renamed)
    };
    let file = Resource::new(
        move || (id.get(), changes()),
        |(id, _)| async move {
            match id {
                Some(id) => view_file(id).await,
                None => Err(ApiError::NotFound),
            }
        },
    );
    let again = Callback::new(move |()| file.refetch());
    view! {
        <Show when=move || refused().is_some()>
            <div class="notice is-bad" role="alert">
                <Picture icon=Icon::Alert/>
                <p>{move || refused().map(|error| words::error(language.get(), &error))}</p>
            </div>
        </Show>
        <Transition fallback=|| view! { <p class="quiet">{say!(page.looking)}</p> }>
            {move || Suspend::new(async move {
                match file.await {
                    Ok(FileView::Stored(file)) => {
                        view! { <Stored file delete rename/> }.into_any()
                    }
                    Ok(FileView::Deleted(deleted)) => {
                        set_status(404);
                        view! { <Deleted deleted restore/> }.into_any()
                    }
                    Ok(FileView::Upload(upload)) => view! { <Coming upload again/> }.into_any(),
                    Err(ApiError::NotFound) => {
                        view! { <NotFound what=say!(file_page.no_such)/> }.into_any()
                    }
                    Err(error) => {
                        view! {
                            <PageTitle name=say!(file_page.title)/>
                            <Failure what=say!(file_page.failed) error/>
                        }
                        .into_any()
                    }
                }
            })}
        </Transition>
    }
    .into_any()
}

/// An upload on its way.
#[component]
fn Coming(
    upload: LiveUpload,
    /// Called when it has arrived.
    again: Callback<()>,
) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let id = upload.id;
    let (folder, name) = split(&upload.path);
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let table = LiveTable::new(vec![upload.clone()]);
    engine.watch(Topic::Upload(id), table.clone());
    let last = StoredValue::new(upload);
    // The last that was known of it stays, when it is gone from the table.
    let upload = Memo::new(move |_| match table.all().pop() {
        Some(upload) => {
            last.set_value(upload.clone());
            upload
        }
        None => LiveUpload {
            state: LiveState::Ended,
            rate: 0,
            ..last.get_value()
        },
    });
    let state = Memo::new(move |_| upload.read().state);
    // Stored or ended: the server knows what is behind the link now.
    Effect::new(move |before: Option<LiveState>| {
        let now = state.get();
        if before.is_some_and(|before| before != now) && now.is_over() {
            again.run(());
        }
        now
    });
    let title = {
        let name = name.clone();
        move || {
            let percent = live_percent(&upload.read());
            td_string!(language.get(), file_page.progress, percent, name = &name)
        }
    };
    view! {
        <PageTitle name=Signal::derive(title)/>
        <article class="file-page" data-state=move || live_word(state.get())>
            <p class="file-page-folder">{folder}</p>
            <h1><bdi>{name.clone()}</bdi></h1>
            <p class="file-page-figure" aria-hidden="true">
                {move || live_percent(&upload.read())} <span>"%"</span>
            </p>
            <LiveBar label=name.clone() upload=upload.into()/>
            <LiveFacts upload=upload.into()/>
            <p class="quiet">
                {move || match state.get() {
                    LiveState::Receiving => td_string!(language.get(), file_page.receiving),
                    LiveState::Paused => td_string!(language.get(), remote.paused),
                    LiveState::Resting => td_string!(language.get(), file_page.resting),
                    LiveState::Stored => td_string!(language.get(), file_page.stored),
                    LiveState::Ended => td_string!(language.get(), file_page.ended),
                }}
            </p>
            <div class="file-page-ways" hidden=move || state.get() == LiveState::Ended>
                <Remote upload name=name.clone() wide=true/>
                <PhoneCode id name/>
            </div>
        </article>
    }
    .into_any()
}
