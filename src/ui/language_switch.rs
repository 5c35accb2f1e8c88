//! The choice of the language.

use leptos::prelude::*;

use super::choices::{Choice, Offer};
use super::icons::Icon;
use super::language::{COOKIE, I18nLocaleTrait, Language, Locale, say, td_string};

/// The field in the header.
#[component]
pub fn LanguageSwitch() -> impl IntoView {
    let language = Language::expect();
    // Each calls itself by its own name, for those who cannot read the page.
    let offer = |locale: &Locale| {
        let name = td_string!(*locale, language.name);
        Offer {
            value: locale.as_str(),
            words: Signal::derive(move || name),
            lang: Some(locale.as_str()),
        }
    };
    view! {
        <Choice
            name=COOKIE
            label=say!(language.label)
            icon=Icon::Language
            offers=Locale::get_all().iter().map(offer).collect()
            chosen=Signal::derive(move || language.get().as_str())
            choose=move |tag: String| {
                if let Ok(locale) = tag.parse() {
                    language.choose(locale);
                }
            }
        />
    }
    .into_any()
}
