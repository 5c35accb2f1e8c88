//! What a person chose for this browser is kept in cookies, so that a page is as they want
//! it from its first byte. And how to choose without scripts.

use std::str::FromStr;

use axum::Form;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use leptos::prelude::use_context;
use serde::Deserialize;

use crate::ui::{language, theme};

/// What the reader of the page that is being rendered chose under this name.
pub fn requested<T: FromStr>(name: &str) -> Option<T> {
    chosen(&use_context::<Parts>()?.headers, name)
}

/// What was chosen under this name, if we know it.
fn chosen<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .find_map(|(_, value)| value.parse().ok())
}

/// A person's choices, as the form in the header sends them where there are no scripts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choices {
    language: String,
    theme: String,
    /// The page where they were made.
    back: String,
}

/// Remembers the choices, and leads back to the page.
pub async fn remember(Form(choices): Form<Choices>) -> Response {
    let back = HeaderValue::from_str(within(&choices.back));
    let back = back.unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, back)]).into_response();
    let cookies = [
        choices.language.parse().ok().map(language::cookie),
        choices.theme.parse().ok().map(theme::cookie),
    ];
    for cookie in cookies.into_iter().flatten() {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// An address if it is a path of this server, else that of the first page: a browser takes
/// `//` and `/\` for the beginning of another host, and leaves out tabs before it looks.
fn within(address: &str) -> &str {
    let plain = address
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && address.starts_with('/') && !address.starts_with("//") {
        address
    } else {
        "/"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_found_among_other_cookies() {
        let of = |value: &'static str| {
            let cookie = (header::COOKIE, HeaderValue::from_static(value));
            chosen::<u8>(&HeaderMap::from_iter([cookie]), "number")
        };
        assert_eq!(of("a=b; number=7; c=d"), Some(7));
        assert_eq!(of("my-number=7"), None);
        assert_eq!(of("number=seven"), None);
    }

    #[test]
    fn the_way_back_stays_on_this_server() {
        for path in ["/", "/files?q=a%20b&page=2", "/f/AAAA", "/?next=//x"] {
            assert_eq!(within(path), path);
        }
        for elsewhere in [
            "",
            "files",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: a=b",
            "https://evil.example",
            "javascript:alert(1)",
            "/例",
        ] {
            assert_eq!(within(elsewhere), "/", "{elsewhere}");
        }
    }
}
