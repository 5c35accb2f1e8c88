//! `/files`: everything that arrived. All of it is links and forms, so it works
//! before the page has come to life, and without scripts.

use leptos::ev;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::chosen_bar::ChosenBar;
use super::engine::Engine;
use super::failure::Failure;
use super::file_kinds::FileKinds;
use super::file_query::{from_params, href, sorted_by};
use super::file_row::FileRow;
use super::file_search::FileSearch;
use super::icons::{Icon, Picture};
use super::language::{Language, count, say, td_string};
use super::numbers::grouped;
use super::selection::Selection;
use super::table_keys::{Key, key_of};
use super::title::PageTitle;
use super::undo::{RecentlyDeleted, UndoNotice};
use super::viewer::Viewer;
use super::words;
use crate::api::{
    ApiError, DeleteFiles, FilePage, FileQuery, PAGE_SIZE, RenameFile, RestoreFiles, SortBy,
    StoredFile, deleted_files, list_files,
};
use crate::port::RowState;
use crate::protocol::id::FileId;

/// The page.
#[component]
pub fn FilesPage() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let params = use_query_map();
    let query = Memo::new(move |_| from_params(&params.read()));
    let delete = ServerAction::<DeleteFiles>::new();
    let restore = ServerAction::<RestoreFiles>::new();
    let rename = ServerAction::<RenameFile>::new();
    // The lists are asked for again when they may have changed.
    let arrived = Memo::new(move |_| engine.totals().count(RowState::Stored));
    let deletions = move || (delete.version().get(), restore.version().get());
    let page = Resource::new(
        move || {
            (
                query.get(),
                deletions(),
                rename.version().get(),
                arrived.get(),
            )
        },
        |(query, ..)| list_files(query),
    );
    let deleted = Resource::new(deletions, |_| deleted_files());
    let shown = Signal::derive(move || page.get().and_then(Result::ok).unwrap_or_default());
    let files = Signal::derive(move || shown.get().files);
    let taken_back = Signal::derive(move || deleted.get().and_then(Result::ok).unwrap_or_default());
    let ids = Signal::derive(move || files.get().iter().map(|file| file.id).collect::<Vec<_>>());
    let selection = Selection::new(ids);
    // On another page of the list, nothing is chosen.
    Effect::new(move |before: Option<FileQuery>| {
        let now = query.get();
        if before.is_some_and(|before| before != now) {
            selection.set_all(false);
        }
        now
    });
    let showing = RwSignal::new(None::<FileId>);
    let refused = move || {
        let deleted = delete.value().get().and_then(Result::err);
        let restored = || restore.value().get().and_then(Result::err);
        let renamed = || rename.value().get().and_then(Result::err);
        deleted.or_else(restored).or_else(renamed)
    };
    view! {
        <PageTitle name=say!(files_page.title)/>
        <div class="page-head">
            <h1>{say!(files_page.title)}</h1>
            <FileSearch query/>
        </div>
        <FileKinds query/>
        <Show when=move || refused().is_some()>
            <div class="notice is-bad" role="alert">
                <Picture icon=Icon::Alert/>
                <p>
                    {move || refused().map(|error: ApiError| words::error(language.get(), &error))}
                </p>
            </div>
        </Show>
        <Transition fallback=|| view! { <p class="quiet">{say!(page.looking)}</p> }>
            {move || match page.get() {
                Some(Err(error)) => {
                    view! { <Failure what=say!(files_page.failed) error/> }.into_any()
                }
                Some(Ok(page)) if page.files.is_empty() => {
                    view! { <Nothing query=query.get()/> }.into_any()
                }
                _ => ().into_any(),
            }}
            <Table query files selection showing delete rename/>
            <Pages query page=shown/>
            <RecentlyDeleted files=taken_back restore/>
            <ChosenBar selection files delete/>
            <Viewer files showing/>
        </Transition>
        <UndoNotice delete restore/>
    }
    .into_any()
}

/// The files as a table.
#[component]
fn Table(
    #[prop(into)] query: Signal<FileQuery>,
    #[prop(into)] files: Signal<Vec<StoredFile>>,
    selection: Selection,
    showing: RwSignal<Option<FileId>>,
    delete: ServerAction<DeleteFiles>,
    rename: ServerAction<RenameFile>,
) -> impl IntoView {
    let on_key = move |event: ev::KeyboardEvent| {
        let Some(key) = key_of(&event) else {
            return;
        };
        let chosen = selection.ids();
        match key {
            Key::Go { next, choose } => {
                next.focus();
                if choose && let Some(id) = next.id() {
                    selection.set(id, true, true);
                }
            }
            Key::All => selection.set_all(true),
            Key::None if !chosen.is_empty() => selection.set_all(false),
            Key::Delete if !chosen.is_empty() => {
                delete.dispatch(DeleteFiles { ids: chosen });
            }
            Key::None | Key::Delete => return,
        }
        event.prevent_default();
    };
    view! {
        <table
            class="files"
            role="table"
            aria-label=say!(files_page.title)
            hidden=move || files.read().is_empty()
            on:keydown=on_key
        >
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col" class="file-check">
                        <CheckAll files selection/>
                    </th>
                    <Head query sort=SortBy::Path words=say!(files_page.name)/>
                    <Head query sort=SortBy::Size words=say!(files_page.size)/>
                    <Head query sort=SortBy::Stored words=say!(files_page.arrived)/>
                    <th role="columnheader" scope="col" class="file-digest">
                        <abbr title=say!(files_page.digest_is)>{say!(files_page.digest)}</abbr>
                    </th>
                    <th role="columnheader" scope="col" class="file-buttons">
                        <span class="visually-hidden">{say!(files_page.actions)}</span>
                    </th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                // By key: an open question stays with its file when the list changes.
                <For
                    each=move || files.get()
                    key=|file| (file.id, file.path.clone())
                    let:file
                >
                    <FileRow file selection showing delete rename/>
                </For>
            </tbody>
        </table>
    }
    .into_any()
}

/// The box that chooses all files of the page, or none.
#[component]
fn CheckAll(files: Signal<Vec<StoredFile>>, selection: Selection) -> impl IntoView {
    let chosen = Memo::new(move |_| selection.ids().len());
    let some = move || chosen.get() > 0;
    let all = move || some() && chosen.get() == files.read().len();
    view! {
        <label class="check needs-script">
            <input
                type="checkbox"
                aria-label=say!(files_page.choose_all)
                autocomplete="off"
                prop:checked=all
                prop:indeterminate=move || some() && !all()
                on:change=move |event| selection.set_all(event_target_checked(&event))
            />
        </label>
    }
    .into_any()
}

/// The head of a column that the list can be sorted by.
#[component]
fn Head(query: Signal<FileQuery>, sort: SortBy, words: Signal<&'static str>) -> impl IntoView {
    let sorted = move || query.read().sort == sort;
    let direction = move || {
        sorted().then(|| {
            if query.read().descending {
                "descending"
            } else {
                "ascending"
            }
        })
    };
    view! {
        <th role="columnheader" scope="col" aria-sort=direction>
            <a class="sort" href=move || href(&sorted_by(&query.read(), sort))>
                {words}
                <span class="sort-sign" class:is-shown=sorted>
                    <Picture icon=Signal::derive(move || {
                        if query.read().descending { Icon::Down } else { Icon::Up }
                    })/>
                </span>
            </a>
        </th>
    }
    .into_any()
}

/// How many there are, and the ways to the other pages.
#[component]
fn Pages(
    #[prop(into)] query: Signal<FileQuery>,
    #[prop(into)] page: Signal<FilePage>,
) -> impl IntoView {
    let language = Language::expect();
    let total = move || page.read().total;
    let last = move || total().saturating_sub(1) / u64::from(PAGE_SIZE);
    let at = move |page: u32| {
        href(&FileQuery {
            page,
            ..query.get()
        })
    };
    let current = move || query.read().page;
    let before = move || current() > 0;
    let after = move || u64::from(current()) < last();
    view! {
        <nav class="pages" aria-label=say!(files_page.pages) hidden=move || total() == 0>
            <p>{move || count!(language.get(), total(), files_page.count)}</p>
            <div class="pages-ways" hidden=move || !before() && !after()>
                <a
                    class="button small"
                    class:is-off=move || !before()
                    href=move || before().then(|| at(current().saturating_sub(1)))
                    rel="prev"
                >
                    {say!(files_page.previous)}
                </a>
                <span>
                    {move || {
                        let locale = language.get();
                        let page = grouped(locale, u64::from(current()) + 1);
                        let pages = grouped(locale, last() + 1);
                        td_string!(locale, files_page.page_of, page, pages)
                    }}
                </span>
                <a
                    class="button small"
                    class:is-off=move || !after()
                    href=move || after().then(|| at(current().saturating_add(1)))
                    rel="next"
                >
                    {say!(files_page.next)}
                </a>
            </div>
        </nav>
    }
    .into_any()
}

/// What is shown instead of an empty table.
#[component]
fn Nothing(query: FileQuery) -> impl IntoView {
    if query.search.is_empty() && query.kind.is_none() && query.page == 0 {
        view! {
            <section class="empty">
                <div class="empty-sign"><Picture icon=Icon::Archive/></div>
                <h2>{say!(files_page.nothing)}</h2>
                <p>{say!(files_page.nothing_means)}</p>
                <p class="empty-ways">
                    <a class="button is-primary" href="/">{say!(files_page.send)}</a>
                </p>
            </section>
        }
        .into_any()
    } else {
        let search = query.search;
        view! {
            <section class="empty">
                <div class="empty-sign"><Picture icon=Icon::Search/></div>
                <h2>{say!(files_page.no_match)}</h2>
                <p hidden=search.is_empty()>
                    {say!(files_page.no_match_before)}
                    <bdi>{search.clone()}</bdi>
                    {say!(files_page.no_match_after)}
                </p>
                <p class="empty-ways">
                    <a class="button" href="/files">{say!(files_page.show_all)}</a>
                </p>
            </section>
        }
        .into_any()
    }
}
