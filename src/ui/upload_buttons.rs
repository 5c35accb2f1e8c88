//! What can be done with one upload of this page.

use leptos::prelude::*;

use super::browser;
use super::copy::CopyButton;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, say, td_string};
use super::list::List;
use super::listing::Item;
use super::numbers::bytes;
use super::row_buttons::{First, RowButtons};
use super::rows::RowHandle;
use super::upload_menu::UploadMenu;
use crate::port::{Command, RowState};
use crate::protocol::trouble::Trouble;

/// The buttons, and the question before something is lost.
#[component]
pub fn UploadButtons(
    /// The upload.
    upload: RowHandle,
    /// Its state.
    state: Memo<RowState>,
    /// What is wrong with it.
    trouble: Memo<Option<Trouble>>,
    /// The file's name.
    name: Memo<String>,
) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let list = List::expect();
    let named = move |label: fn(Locale, &str) -> String| {
        Signal::derive(move || label(language.get(), &name.read()))
    };
    let copy = named(|locale, name| td_string!(locale, copy.link, name));
    let open = named(|locale, name| td_string!(locale, upload_buttons.open, name));
    let key = upload.key();
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let first = Memo::new(move |_| First::of(state.get(), trouble.read().as_ref(), auto()));
    let cancel = named(|locale, name| td_string!(locale, upload_buttons.cancel, name));
    let remove = named(|locale, name| td_string!(locale, upload_buttons.remove, name));
    let id = upload.part(|row| row.id);
    let link = move || id.get().map(|id| format!("/f/{id}"));
    let durable = upload.part(|row| row.progress.durable);
    let fresh = upload.part(|row| row.fresh);
    let waits = Memo::new(move |_| state.get() == RowState::Queued);
    view! {
        <RowButtons
            class="upload-buttons"
            first
            name
            which=move || key.into()
            last=Signal::derive(move || match state.get() {
                RowState::Failed => remove.get(),
                _ => cancel.get(),
            })
            ends=Signal::derive(move || state.get() != RowState::Stored)
            loses=Signal::derive(move || durable.get() > 0 && state.get() != RowState::Failed)
            question=Signal::derive(move || {
                let locale = language.get();
                let stored = bytes(locale, durable.get());
                td_string!(locale, upload_buttons.question, stored)
            })
            yes=say!(upload_buttons.yes)
            no=say!(upload_buttons.no)
            // Whoever removes several goes on with the next.
            end=move || {
                list.leave(Item::Row(key), "cancel");
                engine.command(Command::Cancel(key.into()));
            }
        >
            <Show when=move || state.get() == RowState::Stored && id.get().is_some()>
                <CopyButton
                    text=Signal::derive(move || {
                        link().map(|link| browser::address(&link)).unwrap_or_default()
                    })
                    label=copy
                    icon=Icon::Link
                />
            </Show>
            <Show when=move || id.get().is_some()>
                <a
                    class="button icon-button"
                    data-control="open"
                    href=link
                    aria-label=open
                    title=open
                >
                    <Picture icon=Icon::Open/>
                </a>
            </Show>
            <Show when=move || fresh.get() && state.get() != RowState::Sending>
                <UploadMenu item=Item::Row(key) name fresh waits/>
            </Show>
        </RowButtons>
    }
    .into_any()
}
