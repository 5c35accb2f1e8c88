//! A file that arrived: what is in it, all that is known of it, and the proof.

use leptos::prelude::*;

use super::ask::Ask;
use super::browser;
use super::copy::CopyButton;
use super::digest::{DigestFacts, check_line};
use super::file_row::{DeleteForm, RenameForm};
use super::icons::{Icon, Picture};
use super::language::{Language, about, count, say, td_string};
use super::moment::Moment;
use super::numbers::bytes;
use super::qr::PhoneCode;
use super::rows::split;
use super::stage::Stage;
use super::title::PageTitle;
use super::undo::RestoreForm;
use crate::api::{DeleteFiles, DeletedFile, RenameFile, RestoreFiles, StoredFile};

/// The content, the download, the facts, and how to check it.
#[component]
pub fn Stored(
    /// The file.
    file: StoredFile,
    /// Deletes files.
    delete: ServerAction<DeleteFiles>,
    /// Renames files.
    rename: ServerAction<RenameFile>,
) -> impl IntoView {
    let language = Language::expect();
    let (folder, name) = split(&file.path);
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let digest = file.digest.to_string();
    let line = check_line(&digest, &name);
    // Below a thousand, both would say the same.
    let exact = move || {
        let exact = count!(language.get(), file.size, stored_file.bytes);
        (file.size >= 1000).then(|| view! { <span class="quiet exact">{exact}</span> })
    };
    let size = move || bytes(language.get(), file.size);
    let copy_link = about(name.as_str(), |locale, name| {
        td_string!(locale, copy.link, name)
    });
    let renaming = about(name.as_str(), |locale, name| {
        td_string!(locale, file_row.rename, name)
    });
    let media_type = file.media_type.clone();
    let id = file.id.to_string();
    let (renamed, named) = (id.clone(), name.clone());
    let link = format!("/f/{id}");
    let address = Signal::derive({
        let link = link.clone();
        move || browser::address(&link)
    });
    view! {
        <PageTitle name=Signal::stored(name.clone())/>
        <article class="file-page" data-state="stored">
            <p class="file-page-folder">{folder}</p>
            <h1><bdi>{name.clone()}</bdi></h1>
            <p class="file-page-seal">
                <Picture icon=Icon::Proof/>
                {say!(stored_file.seal)}
            </p>
            <div class="file-page-ways">
                <a
                    class="button is-primary is-large"
                    href=format!("{link}/content")
                    download=name.clone()
                    rel="external"
                >
                    <Picture icon=Icon::Download/>
                    {move || td_string!(language.get(), stored_file.download, size = size())}
                </a>
                <CopyButton
                    text=address
                    label=copy_link
                    icon=Icon::Link
                    words=say!(stored_file.copy_link)
                />
                <Ask label=renaming icon=Icon::Pencil words=say!(file_row.rename_it)>
                    <RenameForm rename id=renamed name=named/>
                </Ask>
                <DeleteForm delete id name=name.clone() words=say!(file_row.delete_it)/>
                <a class="button" href=format!("{link}/receipt") rel="external">
                    {say!(stored_file.receipt)}
                </a>
                <PhoneCode id=file.id name=name.clone()/>
            </div>
            <Stage file=file.clone()/>
            <dl class="sheet">
                <div>
                    <dt>{say!(stored_file.size)}</dt>
                    <dd>{size} {exact}</dd>
                </div>
                <div hidden=media_type.is_empty()>
                    <dt>{say!(stored_file.media_type)}</dt>
                    <dd>{media_type.clone()}</dd>
                </div>
                <div>
                    <dt>{say!(stored_file.began)}</dt>
                    <dd><Moment millis=file.started/></dd>
                </div>
                <div>
                    <dt>{say!(stored_file.arrived)}</dt>
                    <dd><Moment millis=file.stored/></dd>
                </div>
            </dl>
            <section class="sheet-digest">
                <DigestFacts digest line name/>
            </section>
        </article>
    }
    .into_any()
}

/// A file that was deleted and can still be taken back.
#[component]
pub fn Deleted(
    /// The file.
    deleted: DeletedFile,
    /// Takes files back.
    restore: ServerAction<RestoreFiles>,
) -> impl IntoView {
    let name = deleted.file.name().to_owned();
    let folder = split(&deleted.file.path).0.to_owned();
    view! {
        <PageTitle name=Signal::stored(name.clone())/>
        <article class="file-page" data-state="deleted">
            <p class="file-page-folder">{folder}</p>
            <h1><bdi>{name}</bdi></h1>
            <p class="quiet">
                {say!(stored_file.deleted)} " "
                {say!(undo.until)} " " <Moment millis=deleted.until()/>
            </p>
            <div class="file-page-ways">
                <RestoreForm restore file=deleted.file/>
                <a class="button" href="/files">{say!(files_page.show_all)}</a>
            </div>
        </article>
    }
    .into_any()
}
