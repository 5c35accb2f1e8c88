//! The search field of `/files`: a plain GET form that, once the page has come to
//! life, searches while one types.

use std::time::Duration;

use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::components::Form;

use super::file_query::{order, word};
use super::icons::{Icon, Picture};
use super::language::{Language, say, td_string};
use crate::api::FileQuery;
use crate::kind::Kind;

/// The field.
#[component]
pub fn FileSearch(
    /// What is shown now.
    #[prop(into)]
    query: Signal<FileQuery>,
) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let submit = move || {
        if let Some(form) = input.get_untracked().and_then(|input| input.form()) {
            _ = form.request_submit();
        }
    };
    let submit_soon = debounce(Duration::from_millis(200), move |_| submit());
    // Going back changes the words, but not under the fingers of who is typing. What was
    // typed before the page came to life is searched for when it does.
    Effect::new(move |alive: Option<bool>| {
        let search = query.get().search;
        let Some(input) = input.get() else {
            return false;
        };
        let typing = document()
            .active_element()
            .is_some_and(|active| active.is_same_node(Some(&input)));
        if input.value() != search {
            if alive != Some(true) {
                submit();
            } else if !typing {
                input.set_value(&search);
            }
        }
        true
    });
    let search = td_string!(untrack(|| Language::expect().get()), file_search.search);
    let search = format!("<button class=\"button small\">{search}</button>");
    view! {
        <Form method="GET" action="/files" replace=true noscroll=true attr:class="search" attr:role="search">
            <Picture icon=Icon::Search/>
            <input
                type="search"
                name="q"
                class="search-field"
                aria-label=say!(file_search.label)
                placeholder=say!(file_search.label)
                autocomplete="off"
                value=query.get_untracked().search
                node_ref=input
                on:input=submit_soon
            />
            // Empty means any, as if it were not there.
            <input
                type="hidden"
                name="kind"
                value=move || query.get().kind.map_or("", Kind::word)
            />
            <input type="hidden" name="sort" value=move || word(query.get().sort)/>
            <input type="hidden" name="order" value=move || order(query.get().descending)/>
            <noscript inner_html=search></noscript>
        </Form>
    }
    .into_any()
}
