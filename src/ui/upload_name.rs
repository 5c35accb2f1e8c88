//! The name of an upload, and its folder in front. Until something of it was sent, it can be
//! changed in place.

use leptos::ev;
use leptos::html::Input;
use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::file_name::FileName;
use super::language::{Language, Locale, td_string};
use super::list::List;
use super::listing::Item;
use super::rows::RowHandle;
use crate::protocol::name::{self, BadName};

/// The name.
#[component]
pub fn UploadName(
    /// The upload.
    upload: RowHandle,
    /// The file's own name.
    name: Memo<String>,
) -> impl IntoView {
    let list = List::expect();
    let key = upload.key();
    let editing = Memo::new(move |_| list.editing.get() == Some(key));
    let folder = upload.now(|row| row.folder.clone()).unwrap_or_default();
    // The name of the whole folder is said in its own line.
    let top = folder.split_inclusive('/').next().unwrap_or_default();
    let (top, rest) = match folder.get(top.len()..) {
        Some("") | None => (format!("{folder}/"), String::new()),
        Some(rest) => (top.to_owned(), format!("{rest}/")),
    };
    let folder = (!folder.is_empty()).then(|| {
        view! {
            <span class="upload-folder">
                <span class="visually-hidden">{top}</span>
                {rest}
            </span>
        }
    });
    let path = upload.part(|row| row.path());
    view! {
        <p
            class="upload-name"
            title=move || path.get()
            hidden=move || editing.get()
            on:dblclick=move |_| _ = list.edit(Item::Row(key))
        >
            {folder}
            {move || view! { <FileName name=name.get()/> }}
        </p>
        <Show when=move || editing.get()>
            <NameField upload name/>
        </Show>
    }
    .into_any()
}

/// Asks for another name. Enter takes it, as leaving does if it can be taken; Escape leaves
/// everything as it is.
#[component]
fn NameField(upload: RowHandle, name: Memo<String>) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let list = List::expect();
    let key = upload.key();
    let input = NodeRef::<Input>::new();
    let bad = RwSignal::new(None::<BadName>);
    let old = name.get_untracked();
    let label = move || td_string!(language.get(), upload_name.label, name = name.get());
    let id = format!("name-{}", key.0);
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            browser::begin_to_write(&input);
        }
    });
    let check = move || {
        let written = input.get_untracked()?.value();
        let checked = name::check(&written).map(str::to_owned);
        bad.set(checked.as_ref().err().copied());
        checked.ok()
    };
    let end = move |name: Option<String>| {
        if let Some(name) = name.filter(|new| upload.now(|row| row.name != *new) == Some(true)) {
            engine.rename(key, name);
        }
        list.editing.set(None);
    };
    let back = move |name| {
        end(name);
        list.focus(Item::Row(key), "menu");
    };
    let on_key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        // What is being composed is not written yet.
        _ if event.is_composing() => {}
        "Enter" => {
            event.prevent_default();
            if let Some(name) = check() {
                back(Some(name));
            }
        }
        "Escape" => {
            event.stop_propagation();
            back(None);
        }
        _ => {}
    };
    view! {
        <div class="upload-rename">
            <input
                type="text"
                aria-label=label
                aria-invalid=move || bad.get().map(|_| "true")
                aria-describedby=id.clone()
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                enterkeyhint="done"
                value=old
                node_ref=input
                on:input=move |_| _ = check()
                on:keydown=on_key
                on:blur=move |_| if list.editing.get_untracked() == Some(key) { end(check()) }
            />
            <p id=id class="hint" class:is-bad=move || bad.get().is_some() role="status">
                {move || match bad.get() {
                    Some(bad) => why(language.get(), bad),
                    None => td_string!(language.get(), upload_name.hint).to_owned(),
                }}
            </p>
        </div>
    }
    .into_any()
}

/// Why a name cannot be given.
fn why(locale: Locale, bad: BadName) -> String {
    match bad {
        BadName::Empty => td_string!(locale, upload_name.empty).to_owned(),
        BadName::Separator => td_string!(locale, upload_name.separator).to_owned(),
        BadName::Character(c) if name::is_unseen(c) => {
            td_string!(locale, upload_name.unseen).to_owned()
        }
        BadName::Character(c) => td_string!(locale, upload_name.character, character = c),
        BadName::Reserved => td_string!(locale, upload_name.reserved).to_owned(),
        BadName::TooLong => td_string!(locale, upload_name.too_long).to_owned(),
    }
}
