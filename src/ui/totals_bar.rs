//! All uploads of this page together: how far, how fast, how long, and what can be
//! done with all at once.

use leptos::html::Button;
use leptos::prelude::*;

use super::bar::Bar;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::question::Question;
use super::rows::Totals;
use super::words;
use crate::port::{Command, RowState, Which};
use crate::units::Bytes;

/// The bar above the list.
#[component]
pub fn TotalsBar() -> impl IntoView {
    let engine = Engine::expect();
    let totals = Memo::new(move |_| engine.totals());
    let asking = RwSignal::new(false);
    let unfinished = move || totals.get().unfinished();
    let count = move |state| totals.get().count(state);
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    let resumable = move || {
        let waiting = if auto() { 0 } else { count(RowState::Queued) };
        count(RowState::Paused) + waiting
    };
    let pausable = move || {
        let waiting = if auto() { 0 } else { count(RowState::Queued) };
        totals.get().moving() - waiting
    };
    let finished = move || count(RowState::Stored) + count(RowState::Failed);
    let cancel = move |_| {
        if totals.get_untracked().unfinished_durable > 0 {
            asking.set(true);
        } else {
            engine.command(Command::Cancel(Which::All));
        }
    };
    let opener = NodeRef::<Button>::new();
    let question = move || {
        let count = words::count(u64::from(unfinished()), "upload", "uploads");
        format!("Cancel {count}? What the server already has of unfinished files is deleted.")
    };
    view! {
        <section class="totals" aria-label="All uploads">
            <p class="totals-figure" aria-hidden="true">
                {move || totals.get().percent()} <span>"%"</span>
            </p>
            <div class="totals-main">
                <div class="totals-words">
                    <p class="totals-headline">{move || headline(&totals.get())}</p>
                    <p class="totals-facts">
                        <span>
                            {move || {
                                let totals = totals.get();
                                format!("{} of {} stored", Bytes(totals.durable), Bytes(totals.size))
                            }}
                        </span>
                        <span hidden=move || totals.get().rate == 0>
                            {move || words::rate(totals.get().rate)}
                        </span>
                        <span hidden=move || totals.get().left.is_none()>
                            {move || totals.get().left.map(words::left)}
                        </span>
                    </p>
                </div>
                <Bar
                    label="All uploads"
                    size=Signal::derive(move || totals.get().size)
                    received=Signal::derive(move || totals.get().received)
                    durable=Signal::derive(move || totals.get().durable)
                    done=Signal::derive(move || unfinished() == 0)
                />
            </div>
            <div class="totals-buttons">
                <AllButton
                    words=Signal::derive(move || if auto() { "Resume all" } else { "Start all" })
                    icon=Icon::Play
                    shown=Signal::derive(move || resumable() > 0)
                    command=Command::Resume(Which::All)
                />
                <AllButton
                    words="Pause all"
                    icon=Icon::Pause
                    shown=Signal::derive(move || pausable() > 0)
                    command=Command::Pause(Which::All)
                />
                <AllButton
                    words="Retry"
                    icon=Icon::Retry
                    shown=Signal::derive(move || {
                        count(RowState::Failed) + count(RowState::Waiting) > 0
                    })
                    command=Command::Retry(Which::All)
                />
                <button
                    type="button"
                    class="button"
                    node_ref=opener
                    hidden=move || unfinished() == 0
                    on:click=cancel
                >
                    <Picture icon=Icon::Close/>
                    "Cancel all"
                </button>
                <AllButton
                    words="Clear finished"
                    icon=Icon::Check
                    shown=Signal::derive(move || finished() > 0)
                    command=Command::Clear
                />
            </div>
            <Show when=move || asking.get() && (unfinished() > 0)>
                <Question
                    label="Cancel all uploads?"
                    text=Signal::derive(question)
                    yes="Cancel all"
                    no="Keep going"
                    opener
                    answer=move |yes| {
                        asking.set(false);
                        if yes {
                            engine.command(Command::Cancel(Which::All));
                        }
                    }
                />
            </Show>
        </section>
    }
    .into_any()
}

/// What happens to all of them, in a few words.
fn headline(totals: &Totals) -> String {
    let files = words::count(u64::from(totals.files()), "file", "files");
    let stored = totals.count(RowState::Stored);
    let failed = totals.count(RowState::Failed);
    if totals.unfinished() > 0 {
        return match totals.files() {
            1 => "Sending 1 file".to_owned(),
            _ => format!("{stored} of {files} done"),
        };
    }
    match failed {
        0 => format!("{files} stored and verified"),
        _ => format!("{stored} of {files} stored, {failed} not sent"),
    }
}

/// A button for everything.
#[component]
fn AllButton(
    #[prop(into)] words: Signal<&'static str>,
    icon: Icon,
    #[prop(into)] shown: Signal<bool>,
    command: Command,
) -> impl IntoView {
    let engine = Engine::expect();
    view! {
        <button
            type="button"
            class="button"
            hidden=move || !shown.get()
            on:click=move |_| engine.command(command.clone())
        >
            <Picture icon/>
            {move || words.get()}
        </button>
    }
    .into_any()
}
