//! The document's title, with the progress of everything in front while there is any.

use leptos::prelude::*;
use leptos_meta::Title;

use super::engine::Engine;

/// Names a page. Without a name it is the first page.
#[component]
pub fn PageTitle(
    /// What the page shows.
    #[prop(optional, into)]
    name: Signal<Option<String>>,
) -> impl IntoView {
    let engine = Engine::expect();
    let progress = Memo::new(move |_| {
        let totals = engine.totals();
        (totals.unfinished() > 0).then(|| totals.percent())
    });
    let text = move || {
        let mut parts = Vec::with_capacity(3);
        parts.extend(progress.get().map(|percent| format!("{percent}%")));
        parts.extend(name.get());
        parts.push("Longhaul".to_owned());
        parts.join(" · ")
    };
    view! { <Title text/> }
}
