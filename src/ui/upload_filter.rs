//! Finds uploads in a long list: by name and path, and by what happens to them.

use leptos::ev;
use leptos::html::Input;
use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, count, say, td_string};
use super::list::List;
use super::listing::Kind;
use super::numbers::grouped;
use super::rows::Totals;
use crate::port::RowState;

/// From how many uploads on there is something to find.
const MANY: usize = 8;

/// The field and the kinds.
#[component]
pub fn UploadFilter() -> impl IntoView {
    let engine = Engine::expect();
    let list = List::expect();
    let shown = Memo::new(move |_| engine.len() >= MANY || list.query.read().is_narrow());
    view! {
        <Show when=move || shown.get()>
            <Fields/>
        </Show>
    }
    .into_any()
}

#[component]
fn Fields() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let list = List::expect();
    let input = NodeRef::<Input>::new();
    let search = move || {
        let written = input.get_untracked().map(|input| input.value());
        let folded = browser::fold(&written.unwrap_or_default());
        let words: Vec<String> = folded.split_whitespace().map(str::to_owned).collect();
        if list.query.read_untracked().words != words {
            list.query.update(|query| query.words = words);
        }
    };
    // What is shown again without being searched for is not in the field any more.
    Effect::new(move |_| {
        let nothing = list.query.read().words.is_empty();
        if let Some(input) = input.get().filter(|_| nothing)
            && !input.value().trim().is_empty()
        {
            input.set_value("");
        }
    });
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && list.query.read_untracked().is_narrow() {
            event.prevent_default();
            list.show_all();
        }
    };
    let found = move || {
        let narrow = list.query.read().is_narrow();
        narrow.then(|| {
            let of = grouped(language.get(), engine.len() as u64);
            count!(
                language.get(),
                list.matched.get() as u32,
                upload_filter.found,
                of = &of
            )
        })
    };
    view! {
        <form
            class="filter"
            role="search"
            aria-label=say!(upload_filter.label)
            on:submit=move |event| event.prevent_default()
            on:keydown=on_key
        >
            <div class="search">
                <Picture icon=Icon::Search/>
                <input
                    type="search"
                    class="search-field"
                    aria-label=say!(upload_filter.search)
                    placeholder=say!(upload_filter.search)
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    node_ref=input
                    on:input=move |_| search()
                />
            </div>
            <div class="kinds" role="group" aria-label=say!(upload_filter.kinds)>
                {Kind::ALL.map(|kind| view! { <KindButton kind/> })}
            </div>
            <p class="visually-hidden" role="status">{found}</p>
        </form>
    }
    .into_any()
}

/// One kind, and how many there are of it.
#[component]
fn KindButton(kind: Kind) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let list = List::expect();
    let chosen = Memo::new(move |_| list.query.read().kind == kind);
    let number = Memo::new(move |_| how_many(kind, &engine.totals()));
    // Those that should not be there are there only when they are.
    let rare = matches!(kind, Kind::Failed | Kind::NeedsFile);
    view! {
        <button
            type="button"
            class="kind"
            data-kind=word(kind)
            aria-pressed=move || chosen.get().to_string()
            hidden=move || rare && number.get() == 0 && !chosen.get()
            on:click=move |_| list.query.update(|query| query.kind = kind)
        >
            {move || name(language.get(), kind)}
            " "
            <span class="kind-count">{move || grouped(language.get(), number.get().into())}</span>
        </button>
    }
    .into_any()
}

fn how_many(kind: Kind, totals: &Totals) -> u32 {
    let count = |state| totals.count(state);
    match kind {
        Kind::All => totals.files(),
        Kind::Sending => count(RowState::Sending) + count(RowState::Verifying),
        Kind::Waiting => {
            count(RowState::Queued) + count(RowState::Paused) + count(RowState::Waiting)
        }
        Kind::Stored => count(RowState::Stored),
        Kind::Failed => count(RowState::Failed),
        Kind::NeedsFile => count(RowState::NeedsFile),
    }
}

fn name(locale: Locale, kind: Kind) -> &'static str {
    match kind {
        Kind::All => td_string!(locale, upload_filter.all),
        Kind::Sending => td_string!(locale, upload_filter.sending),
        Kind::Waiting => td_string!(locale, upload_filter.waiting),
        Kind::Stored => td_string!(locale, upload_filter.stored),
        Kind::Failed => td_string!(locale, upload_filter.failed),
        Kind::NeedsFile => td_string!(locale, upload_filter.needs_file),
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::All => "all",
        Kind::Sending => "sending",
        Kind::Waiting => "waiting",
        Kind::Stored => "stored",
        Kind::Failed => "failed",
        Kind::NeedsFile => "needs-file",
    }
}
