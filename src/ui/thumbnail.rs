//! The picture of a file: what is in it where that can be seen, or one of its type.

use std::sync::Arc;

use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::rows::RowHandle;

/// The picture. It is made once its row is on the page.
#[component]
pub fn Thumbnail(
    /// The file's upload.
    upload: RowHandle,
) -> impl IntoView {
    let engine = Engine::expect();
    let icon = upload.part(|row| Icon::of_file(&row.media_type, &row.name));
    let shown = RwSignal::new(None::<Arc<str>>);
    Effect::new(move |_| browser::picture(engine, upload.key(), shown));
    view! {
        <div class="thumbnail" aria-hidden="true">
            {move || match shown.get() {
                Some(url) => view! {
                    <img
                        src=url.to_string()
                        alt=""
                        decoding="async"
                        // A file that only claims to be an image.
                        on:error=move |_| shown.set(None)
                    />
                }
                .into_any(),
                None => view! { <Picture icon/> }.into_any(),
            }}
            <span class="thumbnail-mark"><Picture icon=Icon::Check/></span>
        </div>
    }
    .into_any()
}
