//! The document shell and the routes.

use leptos::attr::custom::custom_attribute;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::ui::browser;
use crate::ui::drop_layer::DropLayer;
use crate::ui::engine::Engine;
use crate::ui::favicon::Favicon;
use crate::ui::file_page::FilePage;
use crate::ui::files_page::FilesPage;
use crate::ui::header::Header;
use crate::ui::language::{self, I18nLocaleTrait, Language, td_string};
use crate::ui::leave_guard::LeaveGuard;
use crate::ui::live_page::LivePage;
use crate::ui::not_found::NotFound;
use crate::ui::tell_me::Teller;
use crate::ui::theme::{self, PageTheme, Theme};
use crate::ui::took::LastTook;
use crate::ui::uploads_page::UploadsPage;
use crate::ui::wake::Wake;

/// The HTML document around the app, rendered by the server only.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::server::policy::apply(&options);
    let locale = language::requested();
    #[cfg(feature = "ssr")]
    crate::server::language::apply(locale);
    let theme = theme::requested();
    view! {
        <!DOCTYPE html>
        <html lang=locale.as_str() data-theme=theme.word()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content=theme.schemes()/>
                <meta
                    name="theme-color"
                    content=theme.around(Theme::Light)
                    {..custom_attribute("media", "(prefers-color-scheme: light)")}
                />
                <meta
                    name="theme-color"
                    content=theme.around(Theme::Dark)
                    {..custom_attribute("media", "(prefers-color-scheme: dark)")}
                />
                <meta
                    name="description"
                    content=td_string!(locale, document.description)
                />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <script nonce=use_nonce() inner_html=include_str!("ui/early.js")></script>
                <HashedStylesheet id="leptos" options=options.clone()/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body><App/></body>
        </html>
    }
}

/// The app: everything inside `<body>`. The engine is above the router, so that
/// uploads go on whatever page is shown.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Language::provide();
    PageTheme::provide();
    let engine = Engine::provide();
    LastTook::provide();
    // An effect runs in a browser only, and after the page was hydrated.
    Effect::new(move |_| browser::start(engine));
    // Pages are rendered whole: they are useful without scripts, and have the
    // status that belongs to what was found.
    let whole = SsrMode::Async;
    view! {
        <Router>
            <Header/>
            <main id="main" class="main" tabindex="-1">
                <Routes fallback=|| view! { <NotFound/> }>
                    <Route path=path!("/") view=UploadsPage ssr=whole.clone()/>
                    <Route path=path!("/files") view=FilesPage ssr=whole.clone()/>
                    <Route path=path!("/f/:id") view=FilePage ssr=whole.clone()/>
                    <Route path=path!("/live") view=LivePage ssr=whole/>
                </Routes>
            </main>
            <DropLayer/>
            <LeaveGuard/>
            <Wake/>
            <Favicon/>
            <Teller/>
        </Router>
    }
}
