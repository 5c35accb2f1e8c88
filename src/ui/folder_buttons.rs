//! What can be done with a folder of uploads: with all of its files at once.

use leptos::html::Button;
use leptos::prelude::*;

use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, count, say, td_string};
use super::list::List;
use super::listing::Item;
use super::question::Question;
use super::queue::FolderId;
use super::rows::Totals;
use super::upload_buttons::First;
use super::upload_menu::UploadMenu;
use crate::port::{Command, RowState, Which};

/// The buttons, and the question before something is lost. They stay the same elements in
/// every state, as those of one upload.
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
    let first = Memo::new(move |_| First::together(&totals.read(), auto()));
    let act = move || first.get().label(language.get(), &name.read());
    let cancel_label = Signal::derive(move || {
        td_string!(language.get(), upload_buttons.cancel, name = name.get())
    });
    let unfinished = Memo::new(move |_| totals.read().unfinished());
    let asking = RwSignal::new(false);
    let opener = NodeRef::<Button>::new();
    let files = move || engine.queue(|queue| queue.files_of(folder));
    // What is stored or failed is no longer under way.
    let end = move || {
        let under_way = |key: &_| {
            let state = engine.queue(|queue| queue.state(*key));
            !matches!(state, Some(RowState::Stored | RowState::Failed) | None)
        };
        let keys: Vec<_> = files().into_iter().filter(under_way).collect();
        if keys.len() == files().len() {
            list.leave(item, "cancel");
        }
        engine.command(Command::Cancel(Which::These(keys)));
    };
    let cancel = move |_| {
        if totals.read_untracked().unfinished_durable > 0 {
            asking.set(true);
        } else {
            end();
        }
    };
    view! {
        <div class="folder-buttons">
            <Show when=move || waits.get()>
                <UploadMenu item name/>
            </Show>
            <button
                type="button"
                class="button icon-button"
                data-control="first"
                hidden=move || first.get() == First::Nothing
                aria-label=act
                title=act
                on:click=move |_| {
                    let which = Which::These(files());
                    if let Some(command) = first.get_untracked().command(which) {
                        engine.command(command);
                    }
                }
            >
                <Picture icon=Signal::derive(move || first.get().icon())/>
            </button>
            <button
                type="button"
                class="button icon-button"
                data-control="cancel"
                node_ref=opener
                hidden=move || unfinished.get() == 0
                aria-label=cancel_label
                title=cancel_label
                on:click=cancel
            >
                <Picture icon=Icon::Close/>
            </button>
        </div>
        <Show when=move || asking.get() && (unfinished.get() > 0)>
            <Question
                label=cancel_label
                text=Signal::derive(move || {
                    count!(language.get(), unfinished.get(), totals_bar.cancel_count)
                })
                yes=say!(upload_buttons.yes_these)
                no=say!(totals_bar.keep_going)
                opener
                answer=move |yes| {
                    asking.set(false);
                    if yes {
                        end();
                    }
                }
            />
        </Show>
    }
    .into_any()
}
