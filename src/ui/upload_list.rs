//! The list of this page's uploads.

use leptos::prelude::*;

use super::engine::Engine;
use super::upload_row::UploadRow;

/// How many rows are put on the page in one frame. More would hold the page up.
const PORTION: usize = 10;

/// The list.
#[component]
pub fn UploadList() -> impl IntoView {
    let engine = Engine::expect();
    let limit = RwSignal::new(PORTION);
    Effect::new(move |_| {
        let shown = limit.get();
        if shown < engine.len() {
            request_animation_frame(move || {
                limit.try_set(shown + PORTION);
            });
        }
    });
    let keys = move || {
        let mut keys = engine.order();
        keys.truncate(limit.get());
        keys
    };
    view! {
        <ul class="upload-list" role="list" aria-label="Uploads">
            <For each=keys key=|key| *key let:key>
                <UploadRow upload=engine.row(key)/>
            </For>
        </ul>
    }
    .into_any()
}
