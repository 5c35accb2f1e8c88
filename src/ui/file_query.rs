//! Which files `/files` shows, as its address says it:
//! `/files?q=film&kind=video&sort=size&order=asc&page=2`.

use leptos_router::params::ParamsMap;

use crate::api::{FileQuery, SortBy};
use crate::kind::Kind;

/// Reads the query of an address. What makes no sense is as if it were not there.
pub fn from_params(params: &ParamsMap) -> FileQuery {
    let sort = match params.get_str("sort") {
        Some("name") => SortBy::Path,
        Some("size") => SortBy::Size,
        _ => SortBy::Stored,
    };
    FileQuery {
        search: params.get("q").unwrap_or_default().trim().to_owned(),
        kind: params.get_str("kind").and_then(Kind::from_word),
        sort,
        descending: match params.get_str("order") {
            Some("asc") => false,
            Some("desc") => true,
            _ => descends(sort),
        },
        page: params
            .get_str("page")
            .and_then(|page| page.parse::<u32>().ok())
            .map_or(0, |page| page.saturating_sub(1)),
    }
}

/// The address of this list of files.
pub fn href(query: &FileQuery) -> String {
    let mut params = ParamsMap::new();
    if !query.search.is_empty() {
        params.insert("q", query.search.clone());
    }
    if let Some(kind) = query.kind {
        params.insert("kind", kind.word().to_owned());
    }
    if query.sort != SortBy::Stored {
        params.insert("sort", word(query.sort).to_owned());
    }
    if query.descending != descends(query.sort) {
        params.insert("order", order(query.descending).to_owned());
    }
    if query.page > 0 {
        params.insert("page", query.page.saturating_add(1).to_string());
    }
    format!("/files{}", params.to_query_string())
}

/// The list as it is after a click on the head of a column: from its first page,
/// and turned around if it was sorted so already.
pub fn sorted_by(query: &FileQuery, sort: SortBy) -> FileQuery {
    FileQuery {
        search: query.search.clone(),
        kind: query.kind,
        sort,
        descending: if query.sort == sort {
            !query.descending
        } else {
            descends(sort)
        },
        page: 0,
    }
}

/// The list with files of this kind only, from its first page; of any kind for `None`.
pub fn of_kind(query: &FileQuery, kind: Option<Kind>) -> FileQuery {
    FileQuery {
        kind,
        page: 0,
        ..query.clone()
    }
}

/// The word for a column in an address.
pub fn word(sort: SortBy) -> &'static str {
    match sort {
        SortBy::Stored => "stored",
        SortBy::Path => "name",
        SortBy::Size => "size",
    }
}

/// The word for a direction in an address.
pub fn order(descending: bool) -> &'static str {
    if descending { "desc" } else { "asc" }
}

/// Whether a column begins with the latest or largest.
fn descends(sort: SortBy) -> bool {
    sort != SortBy::Path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> FileQuery {
        from_params(&pairs.iter().map(|(k, v)| (*k, *v)).collect())
    }

    #[test]
    fn nothing_is_the_latest_first() {
        assert_eq!(read(&[]), FileQuery::default());
        assert_eq!(href(&FileQuery::default()), "/files");
    }

    #[test]
    fn nonsense_is_nothing() {
        let query = read(&[("sort", "x"), ("order", "y"), ("page", "-1"), ("kind", "z")]);
        assert_eq!(query, FileQuery::default());
        assert_eq!(read(&[("page", "0")]).page, 0);
    }

    #[test]
    fn a_second_click_turns_it_around() {
        let by_name = sorted_by(&FileQuery::default(), SortBy::Path);
        assert!(!by_name.descending);
        assert!(sorted_by(&by_name, SortBy::Path).descending);
        assert_eq!(read(&[("sort", "name")]), by_name);
    }

    #[test]
    fn a_kind_stays_whatever_it_is_sorted_by() {
        let films = of_kind(&read(&[("q", "a"), ("page", "3")]), Some(Kind::Video));
        assert_eq!(href(&films), "/files?q=a&kind=video");
        assert_eq!(read(&[("q", "a"), ("kind", "video")]), films);
        let largest = sorted_by(&films, SortBy::Size);
        assert_eq!((largest.kind, largest.search.as_str()), (films.kind, "a"));
    }
}
