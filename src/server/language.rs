//! In which language a page is rendered: the one that its reader chose, or the one that the
//! browser asks for. And how to choose without scripts.

use axum::Form;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use serde::Deserialize;

use crate::ui::language::{COOKIE, I18nLocaleTrait, Locale, cookie};

/// The language of the request that is being answered, if there is one that has one.
pub fn requested() -> Option<Locale> {
    let request = use_context::<Parts>()?;
    chosen(&request.headers).or_else(|| accepted(&request.headers))
}

/// Says with the page that is being rendered which language it is in, and that another
/// reader of the same address may get another.
pub fn apply(locale: Locale) {
    let response = expect_context::<ResponseOptions>();
    let varies = HeaderValue::from_static("cookie, accept-language");
    response.append_header(header::VARY, varies);
    let language = HeaderValue::from_static(locale.as_str());
    response.insert_header(header::CONTENT_LANGUAGE, language);
}

/// What a person chose in this browser.
fn chosen(headers: &HeaderMap) -> Option<Locale> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .find_map(|(_, tag)| tag.parse().ok())
}

/// The first that we have of what the browser would like best.
fn accepted(headers: &HeaderMap) -> Option<Locale> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut wishes: Vec<(&str, f32)> = accepted
        .split(',')
        .filter_map(|wish| {
            let (tag, weight) = wish.split_once(';').unwrap_or((wish, "q=1"));
            let weight = weight.trim().strip_prefix("q=")?.parse().ok()?;
            Some((tag.trim(), weight))
        })
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    wishes.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    wishes.into_iter().find_map(|(tag, _)| nearest(tag))
}

/// The language that is called so or, of those that begin alike, the first: whoever reads
/// `zh-TW` would rather have `zh-CN` than English.
fn nearest(tag: &str) -> Option<Locale> {
    let kind = |tag: &str| tag.split('-').next().map(str::to_lowercase);
    let all = || Locale::get_all().iter().copied();
    all()
        .find(|locale| locale.as_str().eq_ignore_ascii_case(tag))
        .or_else(|| all().find(|locale| kind(locale.as_str()) == kind(tag)))
}

/// A person's choice, as the form in the header sends it where there are no scripts.
#[derive(Debug, Deserialize)]
pub struct Choice {
    language: String,
    /// The page where it was made.
    #[serde(default)]
    back: String,
}

/// Remembers the choice, and leads back to the page.
pub async fn choose(Form(choice): Form<Choice>) -> Response {
    let back = HeaderValue::from_str(within(&choice.back));
    let back = back.unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, back)]).into_response();
    if let Ok(locale) = choice.language.parse::<Locale>()
        && let Ok(cookie) = HeaderValue::from_str(&cookie(locale))
    {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
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

    fn asking(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_browsers_best_wish_that_can_be_met_is_met() {
        let of = |value| accepted(&asking(header::ACCEPT_LANGUAGE, value));
        assert_eq!(of("zh-CN,zh;q=0.9,en;q=0.8"), Some(Locale::zh_CN));
        assert_eq!(of("en;q=0.5, zh;q=0.7"), Some(Locale::zh_CN));
        assert_eq!(of("zh-Hant-TW"), Some(Locale::zh_CN));
        assert_eq!(of("de-DE,de;q=0.9,en-GB;q=0.8,zh;q=0.7"), Some(Locale::en));
        assert_eq!(of("zh;q=0,en"), Some(Locale::en));
        assert_eq!(of("*"), None);
        assert_eq!(of("zh;level=1;;, ,;q="), None);
    }

    #[test]
    fn a_choice_is_found_among_other_cookies() {
        let of = |value| chosen(&asking(header::COOKIE, value));
        assert_eq!(of("a=b; language=zh-CN; c=d"), Some(Locale::zh_CN));
        assert_eq!(of("my-language=zh-CN"), None);
        assert_eq!(of("language=xx"), None);
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
