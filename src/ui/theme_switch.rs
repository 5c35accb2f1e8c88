//! The choice of the theme.

use leptos::prelude::*;

use super::choices::{Choice, Offer};
use super::icons::Icon;
use super::language::say;
use super::theme::{COOKIE, PageTheme, Theme};

/// The field in the header.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = PageTheme::expect();
    let offer = |theme: Theme| Offer {
        value: theme.word(),
        words: match theme {
            Theme::System => say!(theme.system),
            Theme::Light => say!(theme.light),
            Theme::Dark => say!(theme.dark),
        },
        lang: None,
    };
    let icon = Signal::derive(move || match theme.get() {
        Theme::System => Icon::Contrast,
        Theme::Light => Icon::Sun,
        Theme::Dark => Icon::Moon,
    });
    view! {
        <Choice
            name=COOKIE
            label=say!(theme.label)
            icon
            offers=Theme::ALL.into_iter().map(offer).collect()
            chosen=Signal::derive(move || theme.get().word())
            choose=move |word: String| {
                if let Ok(chosen) = word.parse() {
                    theme.choose(chosen);
                }
            }
        />
    }
    .into_any()
}
