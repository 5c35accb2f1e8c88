//! The name of a file, which may be longer than its place and in any script.

use leptos::prelude::*;

/// A name that, where room is short, gives up its middle and keeps its end.
#[component]
pub fn FileName(
    /// The file's own name.
    name: String,
) -> impl IntoView {
    let cut = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 10 => dot,
        _ => name.len(),
    };
    let (stem, end) = name.split_at(cut);
    view! {
        <bdi class="file-name">
            // Two boxes would be read out as two words.
            <span class="visually-hidden">{name.clone()}</span>
            <span class="file-stem" aria-hidden="true">{stem.to_owned()}</span>
            <span class="file-end" aria-hidden="true">{end.to_owned()}</span>
        </bdi>
    }
}
