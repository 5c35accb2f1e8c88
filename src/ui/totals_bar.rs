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
    // Where a person starts each upload, a queued one may wait for that.
    let startable = move || if auto() { 0 } else { count(RowState::Queued) };
    // One button, which stays the same element: whoever presses Pause by keyboard has
    // Resume under the same key.
    let first = Memo::new(move |_| {
        let totals = totals.get();
        if totals.moving() > startable() {
            First::Pause
        } else if startable() == 0 && totals.count(RowState::Paused) > 0 {
            First::Resume
        } else {
            First::Nothing
        }
    });
    let short = move || totals.get().fell_short();
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
                {move || {
                    if short() { count(RowState::Stored) } else { totals.get().percent().into() }
                }}
                <span>
                    {move || {
                        if short() { format!("/{}", totals.get().files()) } else { "%".to_owned() }
                    }}
                </span>
            </p>
            <div class="totals-main">
                <div class="totals-words">
                    <p class="totals-headline">{move || headline(&totals.get())}</p>
                    <p class="totals-facts">
                        <span>
                            {move || {
                                let totals = totals.get();
                                let durable = Bytes(totals.durable);
                                match totals.unfinished() {
                                    0 => format!("{durable} stored"),
                                    _ => format!("{durable} of {} stored", Bytes(totals.size)),
                                }
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
                // A full bar would look like success, and no more is coming.
                <div hidden=short>
                    <Bar
                        label="All uploads"
                        size=Signal::derive(move || totals.get().size)
                        received=Signal::derive(move || totals.get().received)
                        durable=Signal::derive(move || totals.get().durable)
                        done=Signal::derive(move || unfinished() == 0 && !short())
                    />
                </div>
            </div>
            <div class="totals-buttons">
                <AllButton
                    words="Start all"
                    icon=Icon::Play
                    shown=Signal::derive(move || startable() > 0)
                    command=Command::Resume(Which::All)
                />
                <AllButton
                    words=Signal::derive(move || first.get().words().0)
                    icon=Signal::derive(move || first.get().words().1)
                    shown=Signal::derive(move || first.get() != First::Nothing)
                    command=Signal::derive(move || first.get().command())
                />
                <AllButton
                    words="Retry all"
                    icon=Icon::Retry
                    shown=Signal::derive(move || totals.get().retryable > 0)
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
    let sending = totals.count(RowState::Sending) + totals.count(RowState::Verifying);
    match (totals.unfinished(), failed) {
        (0, 0) => format!("{files} stored and verified"),
        (0, _) if stored == 0 => format!("{files} not sent"),
        (_, 0) if totals.files() == 1 && sending == 1 => format!("Sending {files}"),
        (_, 0) => format!("{stored} of {files} stored"),
        _ => format!("{stored} of {files} stored, {failed} not sent"),
    }
}

/// What the first button does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Pause,
    Resume,
    Nothing,
}

impl First {
    fn words(self) -> (&'static str, Icon) {
        match self {
            Self::Pause => ("Pause all", Icon::Pause),
            Self::Resume | Self::Nothing => ("Resume all", Icon::Play),
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Pause => Command::Pause(Which::All),
            _ => Command::Resume(Which::All),
        }
    }
}

/// A button for everything.
#[component]
fn AllButton(
    #[prop(into)] words: Signal<&'static str>,
    #[prop(into)] icon: Signal<Icon>,
    #[prop(into)] shown: Signal<bool>,
    #[prop(into)] command: Signal<Command>,
) -> impl IntoView {
    let engine = Engine::expect();
    view! {
        <button
            type="button"
            class="button"
            hidden=move || !shown.get()
            on:click=move |_| engine.command(command.get_untracked())
        >
            <Picture icon/>
            {move || words.get()}
        </button>
    }
    .into_any()
}
