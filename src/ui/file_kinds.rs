//! The kinds of files that `/files` can be narrowed to: links, so they work everywhere.

use leptos::prelude::*;

use super::file_query::{href, of_kind};
use super::language::{Language, Locale, say, td_string};
use crate::api::FileQuery;
use crate::kind::Kind;

/// The kinds, with the one that is shown marked.
#[component]
pub fn FileKinds(
    /// What is shown now.
    #[prop(into)]
    query: Signal<FileQuery>,
) -> impl IntoView {
    let language = Language::expect();
    let link = move |kind: Option<Kind>| {
        view! {
            <a
                class="kind"
                href=move || href(&of_kind(&query.read(), kind))
                aria-current=move || (query.read().kind == kind).then_some("true")
            >
                {move || words(language.get(), kind)}
            </a>
        }
    };
    view! {
        <nav class="kinds" aria-label=say!(file_kinds.label)>
            {link(None)}
            {Kind::ALL.map(|kind| link(Some(kind))).collect_view()}
        </nav>
    }
    .into_any()
}

fn words(locale: Locale, kind: Option<Kind>) -> &'static str {
    match kind {
        None => td_string!(locale, file_kinds.all),
        Some(Kind::Image) => td_string!(locale, file_kinds.images),
        Some(Kind::Video) => td_string!(locale, file_kinds.videos),
        Some(Kind::Audio) => td_string!(locale, file_kinds.audio),
        Some(Kind::Document) => td_string!(locale, file_kinds.documents),
        Some(Kind::Archive) => td_string!(locale, file_kinds.archives),
        Some(Kind::Other) => td_string!(locale, file_kinds.other),
    }
}
