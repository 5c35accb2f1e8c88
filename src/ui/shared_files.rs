//! What another app shared with this one, over the share sheet of a phone. An installed
//! page takes it at once. In a tab it asks, for there a page of somebody else could have sent
//! it.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::browser;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, count, say, td_string};
use super::numbers::grouped;
use crate::port::{Given, Tag};

/// How many of the files are named.
const NAMED: usize = 3;

/// Takes what was shared, or asks whether to take it, or says that it could not be taken.
#[component]
pub fn SharedFiles() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let query = use_query_map();
    // `/?shared` where something came, `/?shared=not` where it could not be taken.
    let shared = Memo::new(move |_| query.read().get("shared"));
    let failed = move || shared.get().is_some_and(|it| it == "not");
    let waiting = RwSignal::new(Vec::<Given>::new());
    let navigate = use_navigate();
    Effect::new(move |_| {
        if shared.get().is_none_or(|it| !it.is_empty()) {
            return;
        }
        browser::shared(move |files| match browser::is_installed() {
            true => browser::take_shared(engine, tags(&files)),
            false => waiting.set(files),
        });
        // A reload asks for nothing that was answered.
        let replace = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate("/", replace);
    });
    let answer = move |yes: bool| {
        let tags = tags(&waiting.try_update(std::mem::take).unwrap_or_default());
        match yes {
            true => browser::take_shared(engine, tags),
            false => browser::leave_shared(tags),
        }
    };
    view! {
        <Show when=failed>
            <div class="notice">
                <Picture icon=Icon::Alert/>
                <div>
                    <p class="notice-title">{say!(shared_files.failed)}</p>
                    <p>{say!(shared_files.failed_means)}</p>
                </div>
                <a class="button small" href="/">{say!(shared_files.all_right)}</a>
            </div>
        </Show>
        <Show when=move || waiting.with(|files| !files.is_empty())>
            <section class="notice" aria-labelledby="shared-title">
                <Picture icon=Icon::Upload/>
                <div role="status">
                    <p class="notice-title" id="shared-title">
                        {move || waiting.with(|files| headline(language.get(), files))}
                    </p>
                    <p>{move || waiting.with(|files| names(language.get(), files))}</p>
                </div>
                <div class="notice-ways">
                    <button type="button" class="button is-primary" on:click=move |_| answer(true)>
                        {say!(shared_files.send)}
                    </button>
                    <button type="button" class="button" on:click=move |_| answer(false)>
                        {say!(shared_files.discard)}
                    </button>
                </div>
            </section>
        </Show>
    }
    .into_any()
}

fn tags(files: &[Given]) -> Vec<Tag> {
    files.iter().map(|file| file.tag).collect()
}

fn headline(locale: Locale, files: &[Given]) -> String {
    count!(locale, files.len() as u64, shared_files.came)
}

fn names(locale: Locale, files: &[Given]) -> String {
    let paths = files.iter().map(|file| file.manifest.path.as_str());
    let mut names: Vec<_> = paths.take(NAMED).map(str::to_owned).collect();
    if let Some(more) = files.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let number = grouped(locale, more as u64);
        names.push(td_string!(locale, shared_files.more, number = number));
    }
    names.join(td_string!(locale, shared_files.comma))
}
