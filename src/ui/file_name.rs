//! The name of a file, which may be longer than its place and in any script.
//!
//! To the eye it is two boxes, so that it can give up its middle and keep its end.
//! Two boxes would be read out, and copied, as two words: so both are only seen, and
//! the whole name lies over them, unseen. It is what a link around it is called.

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
    let (stem, end) = (stem.to_owned(), end.to_owned());
    view! {
        <bdi class="file-name">
            <span class="file-whole">{name}</span>
            <span class="file-stem" aria-hidden="true">{stem}</span>
            <span class="file-end" aria-hidden="true">{end}</span>
        </bdi>
    }
}
