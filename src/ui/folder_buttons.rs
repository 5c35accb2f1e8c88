//! What can be done with a folder of uploads: with all of its files at once.

use leptos::prelude::*;

use super::engine::Engine;
use super::language::{Language, count, say, td_string};
use super::list::List;
use super::listing::Item;
use super::queue::FolderId;
use super::row_buttons::{First, RowButtons};
use super::rows::Totals;
use super::upload_menu::UploadMenu;
use crate::port::{Command, RowState, Which};

/// The buttons, and the question before something is lost.
#[component]
pub fn FolderButtons(
    /// The folder.
    folder: FolderId,
    /// Its name.
    name: Signal<String>,
    /// Its files added up.
    totals: Memo<Totals>,
    /// Whether some of them wait.
    waits: Memo<bool>,
) -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let list = List::expect();
    let item = Item::Folder(folder);
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let unfinished = Memo::new(move |_| totals.read().unfinished());
    let files = move || engine.queue(|queue| queue.files_of(folder));
    // What is stored or failed is no longer under way.
    let under_way = move |key: &_| {
        let state = engine.queue(|queue| queue.state(*key));
        !matches!(state, Some(RowState::Stored | RowState::Failed) | None)
    };
    view! {
        <RowButtons
            class="folder-buttons"
            first=Memo::new(move |_| First::together(&totals.read(), auto()))
            name
            which=move || Which::These(files())
            last=Signal::derive(move || {
                td_string!(language.get(), upload_buttons.cancel, name = name.get())
            })
            ends=Signal::derive(move || unfinished.get() > 0)
            loses=Signal::derive(move || totals.read().unfinished_durable > 0)
            question=Signal::derive(move || {
                count!(language.get(), unfinished.get(), totals_bar.cancel_count)
            })
            yes=say!(upload_buttons.yes_these)
            no=say!(totals_bar.keep_going)
            end=move || {
                let all = files();
                let keys: Vec<_> = all.iter().copied().filter(under_way).collect();
                if keys.len() == all.len() {
                    list.leave(item, "cancel");
                }
                engine.command(Command::Cancel(Which::These(keys)));
            }
        >
            <Show when=move || waits.get()>
                <UploadMenu item name/>
            </Show>
        </RowButtons>
    }
    .into_any()
}
