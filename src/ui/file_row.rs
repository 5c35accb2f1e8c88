//! One file that arrived, in the list of all.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::ask::Ask;
use super::copy::CopyButton;
use super::file_name::FileName;
use super::icons::{Icon, Picture};
use super::moment::Moment;
use super::rows::split;
use crate::api::{DeleteFile, RenameFile, StoredFile};
use crate::units::Bytes;

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
    let name = file.name().to_owned();
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
            <td role="cell" class="file-size">{Bytes(file.size).to_string()}</td>
            <td role="cell" class="file-when"><Moment millis=file.stored/></td>
            <td role="cell" class="file-digest">
                <code title=digest.clone()>{short}"…"</code>
                <CopyButton text=digest label=format!("Copy the digest of {name}")/>
            </td>
            <td role="cell" class="file-buttons">
                <a
                    class="button icon-button"
                    href=format!("/f/{id}/content")
                    download=name.clone()
                    rel="external"
                    aria-label=format!("Download {name}")
                    title=format!("Download {name}")
                >
                    <Picture icon=Icon::Download/>
                </a>
                <Ask label=format!("Rename {name}") icon=Icon::Pencil>
                    <RenameForm rename id=renamed.0 name=renamed.1/>
                </Ask>
                <Ask label=format!("Delete {name}") icon=Icon::Trash>
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
                <span>"New name"</span>
                <input type="text" name="name" value=name required autocomplete="off"/>
            </label>
            <button type="submit" class="button is-primary">"Rename"</button>
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
                "Delete " <bdi>"“" {name} "”"</bdi> "? It is gone for good."
            </p>
            <button type="submit" class="button is-danger">"Delete"</button>
        </ActionForm>
    }
    .into_any()
}
