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
        <PageTitle name="Files"/>
        <div class="page-head">
            <h1>"Files"</h1>
            <FileSearch query/>
        </div>
        <Show when=move || refused().is_some()>
            <div class="notice is-bad" role="alert">
                <Picture icon=Icon::Alert/>
                <p>{move || refused().map(|error: ApiError| error.to_string())}</p>
            </div>
        </Show>
        <Transition fallback=|| view! { <p class="quiet">"Looking…"</p> }>
            {move || match page.get() {
                Some(Err(error)) => {
                    view! { <Failure what="The list of files" error/> }.into_any()
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
        <table class="files" role="table" aria-label="Files" hidden=move || files.read().is_empty()>
            <thead role="rowgroup">
                <tr role="row">
                    <Head query sort=SortBy::Path words="Name"/>
                    <Head query sort=SortBy::Size words="Size"/>
                    <Head query sort=SortBy::Stored words="Arrived"/>
                    <th role="columnheader" scope="col">
                        <abbr title="BLAKE3, the same that b3sum prints">"Digest"</abbr>
                    </th>
                    <th role="columnheader" scope="col">
                        <span class="visually-hidden">"What to do"</span>
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
fn Head(query: Signal<FileQuery>, sort: SortBy, words: &'static str) -> impl IntoView {
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
        <nav class="pages" aria-label="Pages of the list" hidden=move || total() == 0>
            <p>{move || words::count(total(), "file", "files")}</p>
            <div class="pages-ways" hidden=move || !before() && !after()>
                <a
                    class="button small"
                    class:is-off=move || !before()
                    href=move || before().then(|| at(current().saturating_sub(1)))
                    rel="prev"
                >
                    "Previous"
                </a>
                <span>{move || format!("Page {} of {}", current() + 1, last() + 1)}</span>
                <a
                    class="button small"
                    class:is-off=move || !after()
                    href=move || after().then(|| at(current().saturating_add(1)))
                    rel="next"
                >
                    "Next"
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
                <h2>"Nothing has arrived yet"</h2>
                <p>"Files appear here once they are complete and verified, never before."</p>
                <p class="empty-ways"><a class="button is-primary" href="/">"Send files"</a></p>
            </section>
        }
        .into_any()
    } else {
        view! {
            <section class="empty">
                <div class="empty-sign"><Picture icon=Icon::Search/></div>
                <h2>"No file matches"</h2>
                <p>"Nothing on this page has “" <bdi>{query.search}</bdi> "” in its name."</p>
                <p class="empty-ways"><a class="button" href="/files">"Show all files"</a></p>
            </section>
        }
        .into_any()
    }
}
