//! What can be done with the chosen files. It is a form to which the check boxes of the
//! list belong, so it works before the page has come to life, and without scripts.

use leptos::ev;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::browser;
use super::copy::CopyButton;
use super::icons::{Icon, Picture};
use super::language::{Language, count, say, td_string};
use super::numbers::bytes;
use super::selection::Selection;
use crate::api::{DeleteFiles, StoredFile};

/// The `id` of the form, to which a check box belongs by its attribute `form`.
pub const FORM: &str = "chosen";

/// The name of a check box in the form; its value is the file's id.
pub const FIELD: &str = "ids[]";

/// The bar. A style shows it as soon as a box is checked.
#[component]
pub fn ChosenBar(
    /// What is chosen.
    selection: Selection,
    /// The files that are shown.
    #[prop(into)]
    files: Signal<Vec<StoredFile>>,
    /// Deletes files.
    delete: ServerAction<DeleteFiles>,
) -> impl IntoView {
    let language = Language::expect();
    let ids = Memo::new(move |_| selection.ids());
    let some = move || !ids.read().is_empty();
    let summary = move || {
        let ids = ids.read();
        let files = files.read();
        let chosen = files.iter().filter(|file| ids.contains(&file.id));
        let size = chosen.map(|file| file.size).sum();
        let locale = language.get();
        let files = count!(locale, ids.len() as u64, files_page.count);
        td_string!(
            locale,
            chosen_bar.summary,
            files,
            size = bytes(locale, size)
        )
    };
    let links = Signal::derive(move || {
        let ids = ids.read();
        let links = ids.iter().map(|id| browser::address(&format!("/f/{id}")));
        links.collect::<Vec<_>>().join("\n")
    });
    // A form would leave the page, and ask whether to leave running uploads.
    let download = move |event: ev::MouseEvent| {
        event.prevent_default();
        let ids = ids.read_untracked();
        let ids: Vec<String> = ids.iter().map(|id| format!("ids={id}")).collect();
        browser::download(&format!("/files.zip?{}", ids.join("&")));
    };
    let delete_chosen = move |event: ev::MouseEvent| {
        event.prevent_default();
        let ids = ids.get_untracked();
        delete.dispatch(DeleteFiles { ids });
    };
    view! {
        <form
            id=FORM
            class="chosen"
            class:is-shown=some
            method="get"
            action="/files.zip"
            aria-label=say!(chosen_bar.label)
        >
            <p class="chosen-count">
                <span class="needs-script">{summary}</span>
            </p>
            <button type="submit" class="button is-primary" on:click=download>
                <Picture icon=Icon::Download/>
                {say!(chosen_bar.download)}
                <span class="chosen-more">{say!(chosen_bar.as_zip)}</span>
            </button>
            <CopyButton
                text=links
                label=Signal::derive(move || {
                    td_string!(language.get(), chosen_bar.copy_links_of).to_owned()
                })
                icon=Icon::Link
                words=say!(chosen_bar.copy_links)
            />
            <button
                type="submit"
                class="button"
                formmethod="post"
                formaction=DeleteFiles::url()
                on:click=delete_chosen
            >
                <Picture icon=Icon::Trash/>
                {say!(chosen_bar.delete)}
            </button>
            <button
                type="button"
                class="button icon-button needs-script"
                aria-label=say!(chosen_bar.none)
                title=say!(chosen_bar.none_key)
                on:click=move |_| selection.set_all(false)
            >
                <Picture icon=Icon::Close/>
            </button>
        </form>
    }
    .into_any()
}
