//! The search field of `/files`: a plain GET form that, once the page has come to
//! life, searches while one types.

use std::time::Duration;

use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::components::Form;

use super::file_query::{order, word};
use super::icons::{Icon, Picture};
use crate::api::FileQuery;

/// The field.
#[component]
pub fn FileSearch(
    /// What is shown now.
    #[prop(into)]
    query: Signal<FileQuery>,
) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let submit = debounce(Duration::from_millis(200), move |_| {
        if let Some(form) = input.get_untracked().and_then(|input| input.form()) {
            _ = form.request_submit();
        }
    });
    // Going back changes the words, but not under the fingers of who is typing.
    Effect::new(move |_| {
        let search = query.get().search;
        if let Some(input) = input.get() {
            let typing = document()
                .active_element()
                .is_some_and(|active| active.is_same_node(Some(&input)));
            if !typing && input.value() != search {
                input.set_value(&search);
            }
        }
    });
    view! {
        <Form method="GET" action="/files" replace=true noscroll=true attr:class="search" attr:role="search">
            <Picture icon=Icon::Search/>
            <input
                type="search"
                name="q"
                class="search-field"
                aria-label="Search by name"
                placeholder="Search by name"
                autocomplete="off"
                value=query.get_untracked().search
                node_ref=input
                on:input=submit
            />
            <input type="hidden" name="sort" value=move || word(query.get().sort)/>
            <input type="hidden" name="order" value=move || order(query.get().descending)/>
            <noscript inner_html="<button class=\"button small\">Search</button>"></noscript>
        </Form>
    }
    .into_any()
}
