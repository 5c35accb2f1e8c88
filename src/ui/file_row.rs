//! One file that arrived, in the list of all.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::ask::Ask;
use super::copy::CopyButton;
use super::file_name::FileName;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, say, td_string};
use super::moment::Moment;
use super::numbers::bytes;
use super::rows::split;
use crate::api::{DeleteFile, RenameFile, StoredFile};

/// The row. It is a table's row everywhere; on a phone it looks like a card, and
/// the roles keep it a row for those who hear it.
#[component]
pub fn FileRow(
    /// The file.
    file: StoredFile,
    /// Deletes files.
    delete: ServerAction<DeleteFile>,
    /// Renames files.
    rename: ServerAction<RenameFile>,
) -> impl IntoView {
    let language = Language::expect();
    let name = file.name().to_owned();
    let labelled = StoredValue::new(name.clone());
    let named = move |label: fn(Locale, &str) -> String| {
        Signal::derive(move || labelled.with_value(|name| label(language.get(), name)))
    };
    let copy = named(|locale, name| td_string!(locale, copy.digest, name));
    let download = named(|locale, name| td_string!(locale, file_row.download, name));
    let renaming = named(|locale, name| td_string!(locale, file_row.rename, name));
    let deleting = named(|locale, name| td_string!(locale, file_row.delete, name));
    let folder = split(&file.path).0.to_owned();
    let digest = file.digest.to_string();
    let short: String = digest.chars().take(8).collect();
    let id = file.id.to_string();
    let (renamed, deleted) = ((id.clone(), name.clone()), (id.clone(), name.clone()));
    view! {
        <tr role="row" class="file" data-name=name.clone()>
            <td role="cell" class="file-name-cell">
                <Picture icon=Icon::of_file(&file.media_type, &name)/>
                <div class="file-title">
                    <a class="file-link" href=format!("/f/{id}") title=file.path.clone()>
                        <FileName name=name.clone()/>
                    </a>
                    <span class="file-folder">{folder}</span>
                </div>
            </td>
            <td role="cell" class="file-size">{move || bytes(language.get(), file.size)}</td>
            <td role="cell" class="file-when"><Moment millis=file.stored/></td>
            <td role="cell" class="file-digest">
                <code title=digest.clone()>{short}"…"</code>
                <CopyButton text=digest label=copy/>
            </td>
            <td role="cell" class="file-buttons">
                <a
                    class="button icon-button"
                    href=format!("/f/{id}/content")
                    download=name.clone()
                    rel="external"
                    aria-label=download
                    title=download
                >
                    <Picture icon=Icon::Download/>
                </a>
                <Ask label=renaming icon=Icon::Pencil>
                    <RenameForm rename id=renamed.0 name=renamed.1/>
                </Ask>
                <Ask label=deleting icon=Icon::Trash>
                    <DeleteForm delete id=deleted.0 name=deleted.1/>
                </Ask>
            </td>
        </tr>
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

/// The question before a file is deleted.
#[component]
pub fn DeleteForm(
    /// Deletes files.
    delete: ServerAction<DeleteFile>,
    /// Which file.
    id: String,
    /// Its name.
    name: String,
) -> impl IntoView {
    view! {
        <ActionForm action=delete>
            <input type="hidden" name="id" value=id/>
            <p class="ask-words">
                {say!(file_row.delete_before)} <bdi>{name}</bdi> {say!(file_row.delete_after)}
            </p>
            <button type="submit" class="button is-danger">{say!(file_row.delete_it)}</button>
        </ActionForm>
    }
    .into_any()
}
