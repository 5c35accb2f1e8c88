//! The theme of the page: what the system says, or what a person chose.
//!
//! The server renders `data-theme` with the document, so nothing flashes; the tokens follow
//! it by `color-scheme`.

use std::str::FromStr;

use leptos::prelude::*;

use super::browser;

/// The cookie that remembers what a person chose.
pub const COOKIE: &str = "theme";

/// A theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// The one of the system, whichever that is now.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Nobody has such a theme.
#[derive(Clone, Copy, Debug)]
pub struct NoTheme;

impl FromStr for Theme {
    type Err = NoTheme;

    fn from_str(word: &str) -> Result<Self, NoTheme> {
        let mut all = Self::ALL.into_iter();
        all.find(|theme| theme.word() == word).ok_or(NoTheme)
    }
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in `data-theme`.
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What browsers draw themselves, as the document's `color-scheme` says it.
    pub fn schemes(self) -> &'static str {
        match self {
            Self::System => "light dark",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The colour around the page where the `system` is light or dark: `--ground` in
    /// `style/tokens.css`.
    pub fn around(self, system: Self) -> &'static str {
        match (self, system) {
            (Self::Dark, _) | (Self::System, Self::Dark) => "#101413",
            _ => "#fbfbf9",
        }
    }
}

/// The theme of the page, as a signal.
#[derive(Clone, Copy, Debug)]
pub struct PageTheme(RwSignal<Theme>);

impl PageTheme {
    /// Begins with the theme of the request, and gives it to all components.
    pub fn provide() -> Self {
        let theme = Self(RwSignal::new(requested()));
        provide_context(theme);
        theme
    }

    /// The one of this page.
    pub fn expect() -> Self {
        // Beside a page nobody sees it, as when the routes are listed.
        use_context().unwrap_or_else(|| Self(RwSignal::new(Theme::default())))
    }

    /// Which it is now; tracked.
    pub fn get(self) -> Theme {
        self.0.try_get().unwrap_or_default()
    }

    /// Turns the page to another theme, which stays until another is chosen.
    pub fn choose(self, theme: Theme) {
        if self.0.try_get_untracked().is_some_and(|now| now != theme) {
            browser::set_cookie(&cookie(theme));
            browser::set_theme(theme);
            self.0.set(theme);
        }
    }
}

/// The theme that was chosen; in a browser, the one that the server answered in.
pub fn requested() -> Theme {
    #[cfg(feature = "ssr")]
    let theme = crate::server::choices::requested(COOKIE);
    #[cfg(not(feature = "ssr"))]
    let theme = browser::theme().and_then(|word| word.parse().ok());
    theme.unwrap_or_default()
}

/// The cookie, as a server sets it and as a page does: for a year, on all pages.
pub fn cookie(theme: Theme) -> String {
    let word = theme.word();
    format!("{COOKIE}={word}; Path=/; Max-Age=31536000; SameSite=Lax")
}
