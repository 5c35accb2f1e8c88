//! `/files`: everything that arrived. All of it is links and forms, so it works
//! before the page has come to life, and without scripts.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::engine::Engine;
use super::failure::Failure;
use super::file_query::{from_params, href, sorted_by};
use super::file_row::FileRow;
use super::file_search::FileSearch;
use super::icons::{Icon, Picture};
use super::language::{Language, count, say, td_string};
use super::numbers::grouped;
use super::title::PageTitle;
use super::words;
use crate::api::{
    ApiError, DeleteFile, FilePage, FileQuery, PAGE_SIZE, RenameFile, SortBy, StoredFile,
    list_files,
};
use crate::port::RowState;

/// The page.
#[component]
pub fn FilesPage() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let params = use_query_map();
    let query = Memo::new(move |_| from_params(&params.read()));
    let delete = ServerAction::<DeleteFile>::new();
    let rename = ServerAction::<RenameFile>::new();
    // The list is asked for again when it may have changed.
    let arrived = Memo::new(move |_| engine.totals().count(RowState::Stored));
    let page = Resource::new(
        move || {
            let changes = (delete.version().get(), rename.version().get());
            (query.get(), changes, arrived.get())
        },
        |(query, ..)| list_files(query),
    );
    let shown = move || page.get().and_then(Result::ok).unwrap_or_default();
    let refused = move || {
        let deleted = delete.value().get().and_then(Result::err);
        deleted.or_else(|| rename.value().get().and_then(Result::err))
    };
    view! {
        <PageTitle name=say!(files_page.title)/>
        <div class="page-head">
            <h1>{say!(files_page.title)}</h1>
            <FileSearch query/>
        </div>
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
            <Table query files=Signal::derive(move || shown().files) delete rename/>
            <Pages query page=Signal::derive(shown)/>
        </Transition>
    }
    .into_any()
}

/// The files as a table.
#[component]
fn Table(
    #[prop(into)] query: Signal<FileQuery>,
    #[prop(into)] files: Signal<Vec<StoredFile>>,
    delete: ServerAction<DeleteFile>,
    rename: ServerAction<RenameFile>,
) -> impl IntoView {
    view! {
        <table class="files" role="table" aria-label=say!(files_page.title) hidden=move || files.read().is_empty()>
            <thead role="rowgroup">
                <tr role="row">
                    <Head query sort=SortBy::Path words=say!(files_page.name)/>
                    <Head query sort=SortBy::Size words=say!(files_page.size)/>
                    <Head query sort=SortBy::Stored words=say!(files_page.arrived)/>
                    <th role="columnheader" scope="col">
                        <abbr title=say!(files_page.digest_is)>{say!(files_page.digest)}</abbr>
                    </th>
                    <th role="columnheader" scope="col">
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
                    <FileRow file delete rename/>
                </For>
            </tbody>
        </table>
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
    if query.search.is_empty() && query.page == 0 {
        view! {
            <section class="empty">
                <div class="empty-sign"><Picture icon=Icon::Archive/></div>
                <h2>{say!(files_page.nothing)}</h2>
                <p>{say!(files_page.nothing_means)}</p>
                <p class="empty-ways"><a class="button is-primary" href="/">{say!(files_page.send)}</a></p>
            </section>
        }
        .into_any()
    } else {
        view! {
            <section class="empty">
                <div class="empty-sign"><Picture icon=Icon::Search/></div>
                <h2>{say!(files_page.no_match)}</h2>
                <p>
                    {say!(files_page.no_match_before)}
                    <bdi>{query.search}</bdi>
                    {say!(files_page.no_match_after)}
                </p>
                <p class="empty-ways"><a class="button" href="/files">{say!(files_page.show_all)}</a></p>
            </section>
        }
        .into_any()
    }
}
