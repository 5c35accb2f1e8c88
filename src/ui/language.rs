//! The language of the page, and how its words are found.
//!
//! The server renders a page in the language that its reader chose, or that the browser
//! asks for; the page comes to life in the same one and can turn to another at any time.
//! What is said in a view is therefore always a function of the language.
//!
//! The words are in `locales/`, a file for each language, with a section for each file of
//! `ui`. What has nothing put into it is [`say!`]; the rest is [`td_string!`], and
//! [`count!`] where the sentence depends on a number.

use leptos::prelude::*;

use super::browser;

include!(concat!(env!("OUT_DIR"), "/i18n.rs"));

pub use i18n::{I18nLocaleTrait, Locale, td_string};

/// The cookie that remembers what a person chose.
pub const COOKIE: &str = "language";

/// The language of the page, as a signal.
#[derive(Clone, Copy, Debug)]
pub struct Language(RwSignal<Locale>);

impl Language {
    /// Begins with the language of the request, and gives it to all components.
    pub fn provide() -> Self {
        let language = Self(RwSignal::new(requested()));
        provide_context(language);
        Effect::new(move |_| browser::set_language(language.get().as_str()));
        language
    }

    /// The one of this page.
    pub fn expect() -> Self {
        // Beside a page there is nobody who reads, as when the routes are listed.
        use_context().unwrap_or_else(|| Self(RwSignal::new(Locale::default())))
    }

    /// Which it is now; tracked.
    pub fn get(self) -> Locale {
        // What outlives its page says it to nobody.
        self.0.try_get().unwrap_or_default()
    }

    /// Turns the page to another language, which stays until another is chosen.
    pub fn choose(self, locale: Locale) {
        if self.0.try_get_untracked().is_some_and(|now| now != locale) {
            browser::set_cookie(&cookie(locale));
            self.0.set(locale);
        }
    }
}

/// The language that the request asks for; in a browser, the one that the server answered in.
pub fn requested() -> Locale {
    #[cfg(feature = "ssr")]
    let locale = crate::server::language::requested();
    #[cfg(not(feature = "ssr"))]
    let locale = browser::language().and_then(|tag| tag.parse().ok());
    locale.unwrap_or_default()
}

/// The cookie, as a server sets it and as a page does: for a year, on all pages.
pub fn cookie(locale: Locale) -> String {
    format!(
        "{COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax",
        locale.as_str()
    )
}

/// See [`say!`].
pub fn words(words: fn(Locale) -> &'static str) -> Signal<&'static str> {
    let language = Language::expect();
    Signal::derive(move || words(language.get()))
}

/// A sentence about what has a name, as a signal.
pub fn about(name: impl Into<String>, words: fn(Locale, &str) -> String) -> Signal<String> {
    let (language, name) = (Language::expect(), name.into());
    Signal::derive(move || words(language.get(), &name))
}

/// Words with nothing put into them, as a signal: `say!(files_page.title)`. To be used where
/// a component is built; it is a text, the value of an attribute, or the property of a
/// component.
macro_rules! say {
    ($($key:ident).+) => {
        $crate::ui::language::words(|locale| {
            $crate::ui::language::td_string!(locale, $($key).+)
        })
    };
}
pub(crate) use say;

/// A sentence that depends on how many there are: `count!(locale, total, files_page.count)`
/// reads `files_page.count.one` or `.other`, and puts the number in for `count`.
macro_rules! count {
    ($locale:expr, $number:expr, $($key:ident).+ $(, $name:ident = $value:expr)*) => {{
        let (locale, number) = ($locale, u64::from($number));
        let count = $crate::ui::numbers::grouped(locale, number);
        if number == 1 {
            $crate::ui::language::td_string!(locale, $($key).+.one, count = &count $(, $name = $value)*)
        } else {
            $crate::ui::language::td_string!(locale, $($key).+.other, count = &count $(, $name = $value)*)
        }
    }};
}
pub(crate) use count;

#[cfg(all(test, feature = "ssr"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

    /// Every sentence of a language by its key, with what is put into it.
    fn sentences(locale: Locale) -> BTreeMap<String, BTreeSet<String>> {
        fn gather(path: &str, value: &Value, into: &mut BTreeMap<String, BTreeSet<String>>) {
            match value {
                Value::Object(section) => {
                    for (key, value) in section {
                        gather(&format!("{path}.{key}"), value, into);
                    }
                }
                value => {
                    let text = value.as_str().unwrap();
                    let holes = text.split("{{").skip(1);
                    let names = holes.map(|hole| hole.split("}}").next().unwrap().trim().into());
                    assert!(!text.is_empty(), "{path}");
                    into.insert(path.to_owned(), names.collect());
                }
            }
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/locales");
        let text = std::fs::read(format!("{folder}/{}.json", locale.as_str())).unwrap();
        let mut all = BTreeMap::new();
        gather("", &serde_json::from_slice(&text).unwrap(), &mut all);
        all
    }

    #[test]
    fn every_language_says_all_that_english_says() {
        let english = sentences(Locale::en);
        assert!(english.len() > 100);
        for locale in Locale::get_all() {
            assert_eq!(sentences(*locale), english, "{}", locale.as_str());
        }
    }

    #[test]
    fn every_language_has_twelve_months() {
        for locale in Locale::get_all() {
            let months = td_string!(*locale, moment.months);
            assert_eq!(months.split(' ').count(), 12, "{}", locale.as_str());
        }
    }
}
