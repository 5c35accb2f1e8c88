//! One file that arrived, in the list of all.

use leptos::ev;
use leptos::form::ActionForm;
use leptos::html::Input;
use leptos::prelude::*;

use super::ask::Ask;
use super::browser;
use super::chosen_bar::{FIELD, FORM};
use super::copy::CopyButton;
use super::digest::{DigestFacts, check_line};
use super::file_name::FileName;
use super::icons::{Icon, Picture};
use super::language::{Language, about, say, td_string};
use super::moment::Moment;
use super::numbers::bytes;
use super::rows::split;
use super::selection::Selection;
use super::viewer::{is_for_link, opener};
use crate::api::{DeleteFiles, RenameFile, StoredFile};
use crate::kind::View;
use crate::protocol::id::FileId;

/// The row. It is a table's row everywhere; on a phone it looks like a card, and
/// the roles keep it a row for those who hear it.
#[component]
pub fn FileRow(
    /// The file.
    file: StoredFile,
    /// Which files are chosen.
    selection: Selection,
    /// Which file the viewer shows.
    showing: RwSignal<Option<FileId>>,
    /// Deletes files.
    delete: ServerAction<DeleteFiles>,
    /// Renames files.
    rename: ServerAction<RenameFile>,
) -> impl IntoView {
    let language = Language::expect();
    let name = file.name().to_owned();
    let copy = about(name.as_str(), |locale, name| {
        td_string!(locale, copy.digest, name)
    });
    let copy_link = about(name.as_str(), |locale, name| {
        td_string!(locale, copy.link, name)
    });
    let download = about(name.as_str(), |locale, name| {
        td_string!(locale, file_row.download, name)
    });
    let renaming = about(name.as_str(), |locale, name| {
        td_string!(locale, file_row.rename, name)
    });
    let digest_of = about(name.as_str(), |locale, name| {
        td_string!(locale, file_row.digest, name)
    });
    let folder = split(&file.path).0.to_owned();
    let digest = file.digest.to_string();
    let short: String = digest.chars().take(8).collect();
    let line = check_line(&digest, &name);
    // What the panels hold.
    let (of_digest, of_name) = (digest.clone(), name.clone());
    let (renamed, id_text) = (name.clone(), file.id.to_string());
    let (id, link) = (file.id, format!("/f/{}", file.id));
    let address = Signal::derive({
        let link = link.clone();
        move || browser::address(&link)
    });
    let leaving = move || {
        let input = delete.input().read();
        input.as_ref().is_some_and(|input| input.ids.contains(&id))
    };
    view! {
        <tr
            role="row"
            class="file"
            class:is-chosen=move || selection.has(id)
            class:is-leaving=leaving
            data-name=name.clone()
        >
            <td role="cell" class="file-check">
                <Check id name=name.clone() selection/>
            </td>
            <td role="cell" class="file-name-cell">
                <Tile file=file.clone() showing/>
                <div class="file-title">
                    <a class="file-link" href=link.clone() title=file.path.clone()>
                        <FileName name=name.clone()/>
                    </a>
                    <span class="file-folder">{folder}</span>
                </div>
            </td>
            <td role="cell" class="file-size">{move || bytes(language.get(), file.size)}</td>
            <td role="cell" class="file-when"><Moment millis=file.stored/></td>
            <td role="cell" class="file-digest">
                <Ask label=digest_of code=short>
                    <DigestFacts digest=of_digest line name=of_name/>
                </Ask>
                <CopyButton text=digest label=copy/>
            </td>
            <td role="cell" class="file-buttons">
                <a
                    class="button icon-button"
                    href=format!("{link}/content")
                    download=name.clone()
                    rel="external"
                    aria-label=download
                    title=download
                >
                    <Picture icon=Icon::Download/>
                </a>
                <CopyButton text=address label=copy_link icon=Icon::Link/>
                <Ask label=renaming icon=Icon::Pencil>
                    <RenameForm rename id=id_text name=renamed/>
                </Ask>
                <DeleteForm delete id=id.to_string() name=name.clone()/>
            </td>
        </tr>
    }
    .into_any()
}

/// The box that chooses the file. With Shift, all from the last one to this.
#[component]
fn Check(id: FileId, name: String, selection: Selection) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let label = about(name, |locale, name| {
        td_string!(locale, file_row.choose, name)
    });
    let on_click = move |event: ev::MouseEvent| {
        if let Some(input) = input.get_untracked() {
            selection.set(id, input.checked(), event.shift_key());
        }
    };
    view! {
        <label class="check">
            <input
                type="checkbox"
                form=FORM
                name=FIELD
                value=id.to_string()
                aria-label=label
                autocomplete="off"
                prop:checked=move || selection.has(id)
                node_ref=input
                on:click=on_click
            />
        </label>
    }
    .into_any()
}

/// The sign of the file's kind; where it can be shown, the way to see it.
#[component]
fn Tile(file: StoredFile, showing: RwSignal<Option<FileId>>) -> impl IntoView {
    let id = file.id;
    let icon = Icon::of_file(&file.media_type, file.name());
    if View::of(&file.path).is_none() {
        return view! { <span class="file-tile"><Picture icon/></span> }.into_any();
    }
    let label = about(file.name(), |locale, name| {
        td_string!(locale, file_row.look, name)
    });
    let on_click = move |event: ev::MouseEvent| {
        if !is_for_link(&event) {
            event.prevent_default();
            showing.set(Some(id));
        }
    };
    view! {
        <a
            id=opener(id)
            class="file-tile can-show"
            href=format!("/f/{id}")
            aria-label=label
            title=label
            on:click=on_click
        >
            <Picture icon/>
        </a>
    }
    .into_any()
}

/// Another name.
#[component]
pub fn RenameForm(
    /// Renames files.
    rename: ServerAction<RenameFile>,
    /// Which file.
    id: String,
    /// Its name now.
    name: String,
) -> impl IntoView {
    view! {
        <ActionForm action=rename>
            <input type="hidden" name="id" value=id/>
            <label class="field">
                <span>{say!(file_row.new_name)}</span>
                <input type="text" name="name" value=name required autocomplete="off"/>
            </label>
            <button type="submit" class="button is-primary">{say!(file_row.rename_it)}</button>
        </ActionForm>
    }
    .into_any()
}

/// The button that deletes a file. It asks nothing: what is deleted can be taken back.
#[component]
pub fn DeleteForm(
    /// Deletes files.
    delete: ServerAction<DeleteFiles>,
    /// Which file.
    id: String,
    /// Its name.
    name: String,
    /// The button's words, where there is room for them.
    #[prop(optional, into)]
    words: Option<Signal<&'static str>>,
) -> impl IntoView {
    let label = about(name, |locale, name| {
        td_string!(locale, file_row.delete, name)
    });
    view! {
        <ActionForm action=delete>
            <input type="hidden" name=FIELD value=id/>
            <button
                type="submit"
                class="button"
                class:icon-button=words.is_none()
                aria-label=label
                title=label
            >
                <Picture icon=Icon::Trash/>
                {words}
            </button>
        </ActionForm>
    }
    .into_any()
}
