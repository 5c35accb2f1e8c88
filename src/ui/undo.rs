//! Taking back: the notice that comes after a deletion and goes by itself, and the list of
//! all that can still be taken back, which works without scripts.

use std::time::Duration;

use leptos::form::ActionForm;
use leptos::html::{Button, Div};
use leptos::prelude::*;

use super::icons::{Icon, Picture};
use super::language::{Language, Locale, about, count, say, td_string};
use super::moment::Moment;
use super::numbers::{bytes, grouped};
use super::rows::split;
use crate::api::{DeleteFiles, DeletedFile, RestoreFiles, StoredFile};

/// How long the notice is shown.
const SHOWN: Duration = Duration::from_secs(30);

/// What was done last.
#[derive(Clone, PartialEq)]
enum Done {
    Deleted(Vec<StoredFile>),
    Back(Vec<StoredFile>),
}

impl Done {
    fn words(&self, locale: Locale) -> String {
        match self {
            Self::Deleted(files) => match files.as_slice() {
                [file] => td_string!(locale, undo.deleted_one, name = file.name()),
                files => count!(locale, files.len() as u64, undo.deleted),
            },
            Self::Back(files) => match files.as_slice() {
                [file] => td_string!(locale, undo.back_one, name = file.name()),
                files => count!(locale, files.len() as u64, undo.back),
            },
        }
    }
}

/// Says what was deleted or taken back, for a while, with the way to take it back.
#[component]
pub fn UndoNotice(
    /// Deletes files.
    delete: ServerAction<DeleteFiles>,
    /// Takes them back.
    restore: ServerAction<RestoreFiles>,
) -> impl IntoView {
    let language = Language::expect();
    let done = RwSignal::new(None::<Done>);
    let button = NodeRef::<Button>::new();
    let notice = NodeRef::<Div>::new();
    // Which of them is shown: an older one's time ends nothing.
    let round = StoredValue::new(0_u32);
    let say = move |what: Done| {
        done.set(Some(what));
        round.update_value(|round| *round += 1);
        hide_later(done, round, notice);
    };
    Effect::new(move |_| {
        if let Some(Ok(files)) = delete.value().get() {
            say(Done::Deleted(files));
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(files)) = restore.value().get() {
            say(Done::Back(files));
        }
    });
    // The button that deleted has gone with its file.
    Effect::new(move |_| match done.get() {
        Some(Done::Deleted(_)) => {
            if let Some(button) = button.get() {
                _ = button.focus();
            }
        }
        Some(Done::Back(_)) => {
            if let Some(notice) = notice.get_untracked() {
                _ = notice.focus();
            }
        }
        None => {}
    });
    let undo = move |_| {
        if let Some(Done::Deleted(files)) = done.get_untracked() {
            let ids = files.iter().map(|file| file.id).collect();
            restore.dispatch(RestoreFiles { ids });
        }
    };
    view! {
        <div class="undo" role="status" tabindex="-1" node_ref=notice>
            {move || done.get().map(|done| {
                let can_undo = matches!(done, Done::Deleted(_));
                view! {
                    <div class="undo-notice">
                        <p><bdi>{move || done.words(language.get())}</bdi></p>
                        {can_undo.then(|| view! {
                            <button
                                type="button"
                                class="button small"
                                node_ref=button
                                on:click=undo
                            >
                                <Picture icon=Icon::Undo/>
                                {say!(undo.undo)}
                            </button>
                        })}
                    </div>
                }
            })}
        </div>
    }
    .into_any()
}

/// Hides the notice when its time is over; not while it has the focus.
fn hide_later(done: RwSignal<Option<Done>>, round: StoredValue<u32>, notice: NodeRef<Div>) {
    let mine = round.get_value();
    set_timeout(
        move || {
            if round.try_get_value() != Some(mine) {
                return;
            }
            let focus = document().active_element();
            let inside = notice
                .get_untracked()
                .is_some_and(|notice| notice.contains(focus.as_deref()));
            match inside {
                true => hide_later(done, round, notice),
                false => done.set(None),
            }
        },
        SHOWN,
    );
}

/// All that was deleted and can still be taken back.
#[component]
pub fn RecentlyDeleted(
    /// The files, the latest first.
    #[prop(into)]
    files: Signal<Vec<DeletedFile>>,
    /// Takes files back.
    restore: ServerAction<RestoreFiles>,
) -> impl IntoView {
    let language = Language::expect();
    let title = move || {
        let locale = language.get();
        let count = grouped(locale, files.read().len() as u64);
        td_string!(locale, undo.recently_count, count)
    };
    view! {
        <details class="deleted" hidden=move || files.read().is_empty()>
            <summary>
                <Picture icon=Icon::Trash/>
                {title}
            </summary>
            <ul role="list" aria-label=say!(undo.recently)>
                <For each=move || files.get() key=|deleted| deleted.file.id let:deleted>
                    <DeletedRow deleted restore/>
                </For>
            </ul>
        </details>
    }
    .into_any()
}

#[component]
fn DeletedRow(deleted: DeletedFile, restore: ServerAction<RestoreFiles>) -> impl IntoView {
    let language = Language::expect();
    let until = deleted.until();
    let file = deleted.file;
    let (folder, name) = split(&file.path);
    let (folder, name) = (folder.to_owned(), name.to_owned());
    view! {
        <li data-name=name.clone()>
            <Picture icon=Icon::of_file(&file.media_type, &name)/>
            <div class="file-title">
                <bdi class="deleted-name">{name.clone()}</bdi>
                <span class="file-folder">{folder}</span>
            </div>
            <span class="deleted-size">{move || bytes(language.get(), file.size)}</span>
            <span class="deleted-until">{say!(undo.until)} " " <Moment millis=until/></span>
            <RestoreForm restore file/>
        </li>
    }
    .into_any()
}

/// The button that takes a file back.
#[component]
pub fn RestoreForm(
    /// Takes files back.
    restore: ServerAction<RestoreFiles>,
    /// The file.
    file: StoredFile,
) -> impl IntoView {
    let label = about(file.name(), |locale, name| {
        td_string!(locale, undo.take_back, name)
    });
    view! {
        <ActionForm action=restore>
            <input type="hidden" name="ids[]" value=file.id.to_string()/>
            <button type="submit" class="button small" aria-label=label>
                <Picture icon=Icon::Undo/>
                {say!(undo.take_it_back)}
            </button>
        </ActionForm>
    }
    .into_any()
}
