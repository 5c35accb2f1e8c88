//! The header of every page: the name, the ways, the connection, and what a person chooses.

use leptos::prelude::*;
use leptos_router::components::A;

use super::choices::Choices;
use super::connection::Connection;
use super::engine::Engine;
use super::icons::Mark;
use super::language::{Language, Locale, say, td_string};

/// The header.
#[component]
pub fn Header() -> impl IntoView {
    // As text, because a browser that runs scripts does not parse what is inside.
    let plain = without_scripts(untrack(|| Language::expect().get()));
    view! {
        <a class="skip" href="#main" rel="external">{say!(header.skip)}</a>
        <header class="header">
            <div class="header-inner">
                <a class="brand" href="/" aria-label=say!(header.brand)>
                    <Mark/>
                    <span>"Longhaul"</span>
                </a>
                <nav class="nav" aria-label=say!(header.pages)>
                    <A href="/" exact=true>{say!(header.uploads)}</A>
                    <A href="/files">{say!(header.files)}</A>
                    <A href="/live">{say!(header.live)}</A>
                </nav>
                <Connection/>
                <Choices/>
            </div>
            <Progress/>
        </header>
        <noscript inner_html=plain></noscript>
    }
    .into_any()
}

/// How far all uploads are, on every page and wherever one has scrolled to: to the eye alone,
/// for the bar of all uploads says it to everybody.
#[component]
fn Progress() -> impl IntoView {
    let engine = Engine::expect();
    let length = Memo::new(move |_| {
        let totals = engine.totals();
        (totals.unfinished() > 0).then(|| format!("{}%", totals.percent()))
    });
    view! {
        <svg class="header-progress" aria-hidden="true" focusable="false">
            <rect class="bar-stored" height="100%" width=move || length.get().unwrap_or("0".into())></rect>
        </svg>
    }
    .into_any()
}

/// What a page says where JavaScript is off.
fn without_scripts(locale: Locale) -> String {
    let link = |path: &str, words: &str| format!("<a href=\"{path}\">{words}</a>");
    let means = td_string!(
        locale,
        header.without_scripts_means,
        files = link("/files", td_string!(locale, header.files)),
        live = link("/live", td_string!(locale, header.live))
    );
    format!(
        "<div class=\"notice is-quiet\"><div><p class=\"notice-title\">{}</p><p>{means}</p></div></div>",
        td_string!(locale, header.without_scripts)
    )
}
