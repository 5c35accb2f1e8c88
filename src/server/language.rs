//! In which language a page is rendered: the one that its reader chose, or the one that the
//! browser asks for.

use axum::http::{HeaderMap, HeaderValue, header, request::Parts};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;

use super::choices;
use crate::ui::language::{COOKIE, I18nLocaleTrait, Locale};

/// The language of the request that is being answered, if there is one that has one.
pub fn requested() -> Option<Locale> {
    choices::requested(COOKIE).or_else(|| accepted(&use_context::<Parts>()?.headers))
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
}
