//! All uploads of this page together: how far, how fast, how long, and what can be
//! done with all at once.

use leptos::html::Button;
use leptos::prelude::*;

use super::bar::Bar;
use super::browser;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, count, say, td_string};
use super::numbers::{self, average, bytes, grouped, of_stored};
use super::pace::Pace;
use super::question::Question;
use super::row_buttons::First;
use super::rows::Totals;
use super::tell_me::TellMe;
use super::took::LastTook;
use crate::port::{Command, Link, RowState, Which};

/// The bar above the list.
#[component]
pub fn TotalsBar() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let totals = Memo::new(move |_| engine.totals());
    let took = LastTook::expect();
    let asking = RwSignal::new(false);
    let unfinished = move || totals.get().unfinished();
    let count = move |state| totals.get().count(state);
    let auto = move || engine.limits().is_none_or(|limits| limits.auto_upload);
    // Where a person starts each upload, a queued one may wait for that.
    let startable = move || if auto() { 0 } else { count(RowState::Queued) };
    // One button, which stays the same element: whoever presses Pause by keyboard has
    // Resume under the same key.
    let first = Memo::new(move |_| {
        let first = First::together(&totals.read(), auto());
        // What else there is has a button of its own.
        match first {
            First::Pause | First::Resume => first,
            First::Start | First::Retry | First::Nothing => First::Nothing,
        }
    });
    let first_words = move || match first.get() {
        First::Pause => td_string!(language.get(), totals_bar.pause_all),
        _ => td_string!(language.get(), totals_bar.resume_all),
    };
    let short = move || totals.get().fell_short();
    let finished = move || count(RowState::Stored) + count(RowState::Failed);
    let end = move || {
        engine.command(Command::Cancel(Which::All));
        browser::focus_picker();
    };
    let cancel = move |_| {
        if totals.get_untracked().unfinished_durable > 0 {
            asking.set(true);
        } else {
            end();
        }
    };
    let opener = NodeRef::<Button>::new();
    // Whoever looks only here is told as well that nothing is lost.
    let patience = move || {
        let waits = unfinished() > 0;
        let link = engine.link();
        let locale = language.get();
        match count(RowState::NeedsFile) {
            _ if waits && link.lost => Some(td_string!(locale, totals_bar.interrupted).to_owned()),
            _ if waits && link.link == Link::Offline => {
                Some(td_string!(locale, totals_bar.offline).to_owned())
            }
            0 => None,
            files => Some(count!(locale, files, totals_bar.needs_file)),
        }
    };
    let question = move || count!(language.get(), unfinished(), totals_bar.cancel_count);
    view! {
        <section class="totals" aria-label=say!(totals_bar.label)>
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
                    <p class="totals-headline">{move || headline(language.get(), &totals.get())}</p>
                    <p class="totals-facts">
                        <span>
                            {move || {
                                let totals = totals.get();
                                let locale = language.get();
                                match totals.unfinished() {
                                    0 => {
                                        let bytes = bytes(locale, totals.durable);
                                        td_string!(locale, numbers.stored, bytes)
                                    }
                                    _ => of_stored(locale, totals.durable, totals.size),
                                }
                            }}
                        </span>
                        <Pace
                            rate=Signal::derive(move || totals.get().rate)
                            left=Signal::derive(move || totals.get().left())
                        />
                        <Show when=move || took.get().is_some()>
                            <span>
                                {move || took.get().map(|it| numbers::took(language.get(), it.time))}
                            </span>
                            <span>
                                {move || took.get().map(|it| average(language.get(), it.rate))}
                            </span>
                        </Show>
                    </p>
                </div>
                <p class="totals-patience" hidden=move || patience().is_none()>{patience}</p>
                // A full bar would look like success, and no more is coming.
                <div hidden=short>
                    <Bar
                        label=say!(totals_bar.label)
                        size=Signal::derive(move || totals.get().size)
                        received=Signal::derive(move || totals.get().received)
                        durable=Signal::derive(move || totals.get().durable)
                        done=Signal::derive(move || unfinished() == 0 && !short())
                    />
                </div>
            </div>
            <div class="totals-buttons">
                <AllButton
                    words=say!(totals_bar.start_all)
                    icon=Icon::Play
                    shown=Signal::derive(move || startable() > 0)
                    command=Command::Resume(Which::All)
                />
                <AllButton
                    words=Signal::derive(first_words)
                    icon=Signal::derive(move || first.get().icon())
                    shown=Signal::derive(move || first.get() != First::Nothing)
                    command=Signal::derive(move || {
                        first.get().command(Which::All).unwrap_or(Command::Resume(Which::All))
                    })
                />
                <AllButton
                    words=say!(totals_bar.retry_all)
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
                    {say!(totals_bar.cancel_all)}
                </button>
                <button
                    type="button"
                    class="button"
                    hidden=move || finished() == 0
                    on:click=move |_| {
                        engine.command(Command::Clear);
                        browser::focus_picker();
                    }
                >
                    <Picture icon=Icon::Check/>
                    {say!(totals_bar.clear)}
                </button>
                <TellMe/>
            </div>
            <Question
                asking
                loses=Signal::derive(move || unfinished() > 0)
                label=say!(totals_bar.cancel_all_question)
                text=Signal::derive(question)
                yes=say!(totals_bar.cancel_all)
                no=say!(totals_bar.keep_going)
                opener
                end
            />
        </section>
    }
    .into_any()
}

/// What happens to all of them, in a few words.
fn headline(locale: Locale, totals: &Totals) -> String {
    let files = totals.files();
    let [stored, failed, sending, verifying] = [
        RowState::Stored,
        RowState::Failed,
        RowState::Sending,
        RowState::Verifying,
    ]
    .map(|state| totals.count(state));
    let shown = |number: u32| grouped(locale, u64::from(number));
    match (totals.unfinished(), failed) {
        (0, 0) => count!(locale, files, totals_bar.stored),
        (0, _) if stored == 0 => count!(locale, files, totals_bar.not_sent),
        (_, 0) if files == 1 && sending + verifying == 1 => {
            count!(locale, files, totals_bar.sending)
        }
        (_, 0) => count!(locale, files, totals_bar.of_stored, stored = shown(stored)),
        _ => count!(
            locale,
            files,
            totals_bar.of_stored_not_sent,
            stored = shown(stored),
            failed = shown(failed)
        ),
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
