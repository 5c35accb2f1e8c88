//! The header of every page: the name, the ways, and the connection.

use leptos::prelude::*;
use leptos_router::components::A;

use super::connection::Connection;
use super::icons::Mark;

/// The header.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the content"</a>
        <header class="header">
            <div class="header-inner">
                <a class="brand" href="/" aria-label="Longhaul, uploads">
                    <Mark/>
                    <span>"Longhaul"</span>
                </a>
                <nav class="nav" aria-label="Pages">
                    <A href="/" exact=true>"Uploads"</A>
                    <A href="/files">"Files"</A>
                    <A href="/live">"Live"</A>
                </nav>
                <Connection/>
            </div>
        </header>
        // As text, because a browser that runs scripts does not parse what is inside.
        <noscript inner_html=WITHOUT_SCRIPTS></noscript>
    }
    .into_any()
}

/// What a page says where JavaScript is off.
const WITHOUT_SCRIPTS: &str = "<div class=\"notice is-quiet\"><div>\
    <p class=\"notice-title\">JavaScript is off in this browser.</p>\
    <p>Sending files needs it: the page cuts a file into pieces, proves each of them, and \
    goes on after an interruption. Everything that has arrived is listed under \
    <a href=\"/files\">Files</a>, where you can search, download, rename and delete \
    without it; what is arriving now is under <a href=\"/live\">Live</a>.</p>\
    </div></div>";
