//! The files of a list, one after another, over the page. It is a `<dialog>`: Escape
//! closes it, and what is under it cannot be reached meanwhile.

use leptos::ev;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{Element, HtmlElement};

use super::file_name::FileName;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, say, td_string};
use super::numbers::grouped;
use super::stage::Stage;
use crate::api::StoredFile;
use crate::kind::View;
use crate::protocol::id::FileId;

/// What a link that opens a file in the viewer has as its `id`: it has the focus after it.
pub fn opener(id: FileId) -> String {
    format!("show-{id}")
}

/// Whether a click on a link is meant for the link: with these keys it opens a tab.
pub fn is_for_link(event: &ev::MouseEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0
}

/// Shows one of `files`, and leads to the others that can be shown.
#[component]
pub fn Viewer(
    /// The list.
    #[prop(into)]
    files: Signal<Vec<StoredFile>>,
    /// Which of them is shown now.
    showing: RwSignal<Option<FileId>>,
) -> impl IntoView {
    let language = Language::expect();
    let dialog = NodeRef::<Dialog>::new();
    let all = Memo::new(move |_| {
        let mut files = files.get();
        files.retain(|file| View::of(&file.path).is_some());
        files
    });
    let at = Memo::new(move |_| {
        let id = showing.get()?;
        all.read().iter().position(|file| file.id == id)
    });
    let current = Memo::new(move |_| at.get().and_then(|at| all.read().get(at).cloned()));
    Effect::new(move |_| {
        let shown = current.read().is_some();
        if let Some(dialog) = dialog.get()
            && dialog.open() != shown
        {
            match shown {
                true => _ = dialog.show_modal(),
                false => dialog.close(),
            }
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let on_close = move |_| {
        if let Some(id) = showing.get_untracked() {
            showing.set(None);
            if let Some(link) = document().get_element_by_id(&opener(id))
                && let Some(link) = link.dyn_ref::<HtmlElement>()
            {
                _ = link.focus();
            }
        }
    };
    // Round and round, so that neither button ever goes away under the finger.
    let go = move |back: bool| {
        let files = all.read_untracked();
        if let Some(at) = at.get_untracked() {
            let count = files.len();
            let next = (at + if back { count - 1 } else { 1 }) % count;
            let id = files.get(next).map(|file| file.id);
            drop(files);
            showing.set(id);
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let target = event.target().and_then(|it| it.dyn_into::<Element>().ok());
        let player = target.and_then(|it| it.closest("video, audio").ok().flatten());
        if player.is_some() || event.alt_key() || event.ctrl_key() || event.meta_key() {
            return;
        }
        match event.key().as_str() {
            "ArrowLeft" => go(true),
            "ArrowRight" => go(false),
            _ => return,
        }
        event.prevent_default();
    };
    // Beside the content is the dialog itself, which fills the window.
    let on_click = move |event: ev::MouseEvent| {
        let beside = event
            .target()
            .and_then(|it| it.dyn_into::<Element>().ok())
            .is_some_and(|it| {
                it.class_list().contains("viewer-stage") || it.tag_name() == "DIALOG"
            });
        if beside {
            close();
        }
    };
    let several = move || all.read().len() > 1;
    let name = move || current.read().as_ref().map(|file| file.name().to_owned());
    let labelled = move |label: fn(Locale, &str) -> String| {
        move || label(language.get(), &name().unwrap_or_default())
    };
    let position = move || {
        let locale = language.get();
        let number = grouped(locale, at.get()? as u64 + 1);
        let all = grouped(locale, all.read().len() as u64);
        Some(td_string!(locale, viewer.position, number, all))
    };
    let link = move |what: &'static str| {
        move || {
            let current = current.read();
            current.as_ref().map(|file| format!("/f/{}{what}", file.id))
        }
    };
    let way = move |back: bool, icon, label: Signal<&'static str>, title: Signal<&'static str>| {
        view! {
            <button
                type="button"
                class="button icon-button viewer-way"
                class:is-next=!back
                aria-label=label
                title=title
                hidden=move || !several()
                on:click=move |_| go(back)
            >
                <Picture icon/>
            </button>
        }
    };
    view! {
        <dialog
            class="viewer"
            aria-labelledby="viewer-name"
            node_ref=dialog
            on:close=on_close
            on:keydown=on_key
            on:click=on_click
        >
            <div class="viewer-head">
                <h2 id="viewer-name" aria-live="polite">
                    {move || name().map(|name| view! { <FileName name/> })}
                </h2>
                <p class="viewer-position" hidden=move || !several()>{position}</p>
                <a
                    class="button icon-button"
                    href=link("/content")
                    download=name
                    rel="external"
                    aria-label=labelled(|locale, name| td_string!(locale, file_row.download, name))
                    title=say!(viewer.download)
                >
                    <Picture icon=Icon::Download/>
                </a>
                <a
                    class="button icon-button"
                    href=link("")
                    aria-label=labelled(|locale, name| td_string!(locale, viewer.page_of, name))
                    title=say!(viewer.page)
                >
                    <Picture icon=Icon::Open/>
                </a>
                <button
                    type="button"
                    class="button icon-button"
                    aria-label=say!(viewer.close)
                    title=say!(viewer.close)
                    on:click=move |_| close()
                >
                    <Picture icon=Icon::Close/>
                </button>
            </div>
            <div class="viewer-body">
                {way(true, Icon::Left, say!(viewer.previous), say!(viewer.previous_key))}
                <div class="viewer-stage">
                    {move || current.get().map(|file| view! { <Stage file/> })}
                </div>
                {way(false, Icon::Right, say!(viewer.next), say!(viewer.next_key))}
            </div>
        </dialog>
    }
    .into_any()
}
