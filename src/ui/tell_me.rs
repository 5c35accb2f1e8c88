//! A notification when all is done. It is offered while something is sent that takes a
//! while, asked for only by a click, and shown only while no page of ours is in sight.

use leptos::html::P;
use leptos::prelude::*;

use super::browser;
use super::engine::Engine;
use super::icons::{Icon, Picture};
use super::language::{Language, Locale, count, say, td_string};
use super::numbers::grouped;
use super::rows::Totals;
use super::sight::in_sight;
use crate::port::RowState;

/// Whether a person lets the page show notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Nobody has asked.
    Open,
    /// Yes.
    Granted,
    /// No, or the browser has none.
    Denied,
}

/// From here on it is worth to be told, in milliseconds that are left.
const LONG: u64 = 10_000;

/// The offer.
#[component]
pub fn TellMe() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    // Before the page is alive nothing could come of a click.
    let permission = RwSignal::new(Permission::Denied);
    Effect::new(move |_| permission.set(browser::may_notify()));
    let answered = RwSignal::new(false);
    // Once it is there it stays, however the time that is left goes up and down.
    let shown = Memo::new(move |before: Option<&bool>| {
        let totals = engine.totals();
        let long = totals.left().is_some_and(|left| left > LONG) || before == Some(&true);
        let open = permission.get() == Permission::Open || answered.get();
        totals.moving() > 0 && long && open
    });
    let answer = NodeRef::<P>::new();
    Effect::new(move |_| {
        // In the place of the button that had the focus.
        if let Some(answer) = answer.get() {
            _ = answer.focus();
        }
    });
    let ask = move |_| {
        browser::ask_to_notify(move |said| {
            permission.set(said);
            answered.set(said != Permission::Open);
        });
    };
    view! {
        <Show when=move || shown.get()>
            <div class="tell-me">
                <Show
                    when=move || answered.get()
                    fallback=move || {
                        view! {
                            <button type="button" class="button small is-quiet" on:click=ask>
                                <Picture icon=Icon::Bell/>
                                <span class="visually-hidden-narrow">{say!(tell_me.offer)}</span>
                            </button>
                        }
                    }
                >
                    <p tabindex="-1" node_ref=answer>
                        {move || match permission.get() {
                            Permission::Granted => td_string!(language.get(), tell_me.yes),
                            _ => td_string!(language.get(), tell_me.no),
                        }}
                    </p>
                </Show>
            </div>
        </Show>
    }
    .into_any()
}

/// Tells; shows nothing on the page.
#[component]
pub fn Teller() -> impl IntoView {
    let engine = Engine::expect();
    let language = Language::expect();
    let seen = in_sight();
    Effect::new(move |before: Option<Totals>| {
        let now = engine.totals();
        if let Some(end) = before.and_then(|before| End::of(&before, &now))
            && !seen.get_untracked()
        {
            let (title, body) = end.words(untrack(|| language.get()));
            browser::notify(title, body);
        }
        now
    });
}

/// How it ended: nothing moves any more by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// So many files are stored.
    Stored(u32),
    /// Some of them want something of the person.
    NeedsYou { stored: u32, files: u32 },
}

impl End {
    /// What came of what was moving `before`. That a person stopped it is no news.
    fn of(before: &Totals, now: &Totals) -> Option<Self> {
        use RowState::{Failed, NeedsFile, Stored};
        let came = [Stored, Failed, NeedsFile];
        let news = came
            .into_iter()
            .any(|state| now.count(state) > before.count(state));
        if before.moving() == 0 || now.moving() > 0 || !news {
            return None;
        }
        let stored = now.count(Stored);
        Some(match now.count(Failed) + now.count(NeedsFile) {
            0 => Self::Stored(stored),
            _ => Self::NeedsYou {
                stored,
                files: now.files(),
            },
        })
    }

    /// The notification's title, and what is below it.
    fn words(self, locale: Locale) -> (String, &'static str) {
        match self {
            Self::Stored(stored) => (
                count!(locale, stored, tell_me.stored),
                td_string!(locale, tell_me.stored_means),
            ),
            Self::NeedsYou { stored, files } => {
                let stored = grouped(locale, u64::from(stored));
                (
                    count!(locale, files, tell_me.needs_you, stored = stored),
                    td_string!(locale, tell_me.needs_you_means),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::rows::tests::{of, row};

    fn totals(states: &[RowState]) -> Totals {
        let rows = states.iter().zip(0..);
        let rows: Vec<_> = rows
            .map(|(state, key)| row(key, "film.mkv", *state, (1, 0, 0)))
            .collect();
        of(&rows)
    }

    #[test]
    fn it_ends_when_nothing_moves_any_more() {
        use RowState::{Failed, NeedsFile, Paused, Sending, Stored, Waiting};
        let end = |before: &[RowState], now: &[RowState]| End::of(&totals(before), &totals(now));
        assert_eq!(
            end(&[Stored, Sending], &[Stored, Stored]),
            Some(End::Stored(2))
        );
        assert_eq!(
            end(&[Paused, Sending], &[Paused, Stored]),
            Some(End::Stored(1))
        );
        let needs_you = Some(End::NeedsYou {
            stored: 1,
            files: 2,
        });
        assert_eq!(end(&[Failed, Sending], &[Failed, Stored]), needs_you);
        assert_eq!(end(&[Stored, Sending], &[Stored, NeedsFile]), needs_you);
        for (before, now) in [
            (&[Sending, Sending][..], &[Sending, Stored][..]),
            (&[Sending, Sending], &[Waiting, Stored]),
            (&[Stored, Sending], &[Stored, Paused]),
            (&[Stored, Sending], &[Stored]),
            (&[Stored, Sending], &[]),
            (&[Stored, Stored], &[Stored, Stored, Stored]),
        ] {
            assert_eq!(end(before, now), None, "{before:?} {now:?}");
        }
    }
}
