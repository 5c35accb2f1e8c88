//! Makes the path that a sender gives safe to be a path below the folder of files.
//!
//! The invariant: whatever goes in, [`safe`] returns one to [`MAX_DEPTH`] parts
//! joined by `/`, none of them empty, `.` or `..`, none longer than a file system
//! takes, none that a person could be deceived by or that Windows could not hold;
//! and what is safe stays as it is.

use unicode_normalization::UnicodeNormalization;

use crate::protocol::manifest::MAX_PATH;
pub use crate::protocol::name::MAX_PART;
use crate::protocol::name::{is_forbidden, is_reserved, is_unseen, trim_end};

/// How many parts a path has at most, the file's name included.
pub const MAX_DEPTH: usize = 64;

/// Folders together are at most this long, so that any name fits below them.
const MAX_FOLDERS: usize = MAX_PATH - MAX_PART - 1;

/// The longest extension, dot included, that survives when a name is cut.
const MAX_EXTENSION: usize = 32;

/// What a file is called whose name has nothing usable in it.
const UNNAMED: &str = "unnamed";

/// Makes a path safe.
///
/// Folders that are too many or too long together are left out, those next to the
/// file first.
pub fn safe(path: &str) -> String {
    let mut parts: Vec<String> = clean(path).split(['/', '\\']).filter_map(part).collect();
    let name = parts.pop().unwrap_or_else(|| UNNAMED.into());
    let mut result = String::with_capacity(path.len());
    for folder in parts.iter().take(MAX_DEPTH - 1) {
        if result.len() + folder.len() + 1 > MAX_FOLDERS {
            break;
        }
        result.push_str(folder);
        result.push('/');
    }
    result + &name
}

/// Makes the name of a file safe, `/` and `\` in it included. `None` if nothing
/// usable is in it.
pub fn safe_name(name: &str) -> Option<String> {
    part(&clean(name).replace(['/', '\\'], "_"))
}

/// Whether a path is one that [`safe`] gives.
pub fn is_safe(path: &str) -> bool {
    safe(path) == path
}

/// The next path to try where `taken`, which is `path` or a folder of it, cannot be
/// used: `a.txt`, `a (2).txt`, `a (3).txt` and so on. From 100 on the numbers grow
/// faster, so that a free one is found soon among any number of equal names.
pub fn alternative(path: &str, taken: &str) -> String {
    let (head, tail) = match path.strip_prefix(taken) {
        Some(rest) if rest.starts_with('/') => (taken, rest),
        _ => (path, ""),
    };
    let (folder, part) = split_folder(head);
    let (stem, extension) = match tail {
        "" => split_extension(part),
        _ => (part, ""),
    };
    let (stem, number) = split_number(stem);
    let next = match number {
        ..100 => number + 1,
        _ => number.saturating_add(number / 10),
    };
    let suffix = format!(" ({next}){extension}");
    let stem = cut(stem, MAX_PART - suffix.len()).trim_end();
    safe(&format!("{folder}{stem}{suffix}{tail}"))
}

/// Splits a path into its folder, with the `/` at its end, and its last part.
pub fn split_folder(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

/// Takes out what is not seen.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c)).nfc().collect()
}

/// Makes one part safe; `None` if nothing is left of it, as of `.` and `..`.
fn part(part: &str) -> Option<String> {
    let mut part = part.replace(is_forbidden, "_");
    part.truncate(trim_end(&part).len());
    let mut part = part.trim_start().to_owned();
    if part.is_empty() {
        return None;
    }
    if is_reserved(&part) {
        part.insert(0, '_');
    }
    if part.len() > MAX_PART {
        let (stem, extension) = split_extension(&part);
        part = format!("{}{extension}", cut(stem, MAX_PART - extension.len()));
        part.truncate(trim_end(&part).len());
    }
    Some(part)
}

/// Splits off the extension with its dot, `.tar.gz` as one. A name that only begins
/// with a dot has none, and neither has one that is too long to be meant so.
fn split_extension(part: &str) -> (&str, &str) {
    let Some(dot) = part.rfind('.').filter(|&dot| dot > 0) else {
        return (part, "");
    };
    let dot = match part[..dot].strip_suffix(".tar") {
        Some(stem) if !stem.is_empty() => stem.len(),
        _ => dot,
    };
    if part.len() - dot > MAX_EXTENSION {
        return (part, "");
    }
    part.split_at(dot)
}

/// Splits off the number of an alternative; 1 if there is none.
fn split_number(stem: &str) -> (&str, u64) {
    let numbered = stem
        .strip_suffix(')')
        .and_then(|stem| stem.rsplit_once(" ("))
        .filter(|(stem, _)| !stem.is_empty());
    match numbered.map(|(stem, number)| (stem, number.parse())) {
        Some((stem, Ok(number @ 2..))) => (stem, number),
        _ => (stem, 1),
    }
}

/// The longest beginning of at most `len` bytes that ends between two characters.
fn cut(text: &str, len: usize) -> &str {
    let mut len = len.min(text.len());
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    &text[..len]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_leads_out_of_the_folder() {
        assert_eq!(safe("../../etc/пример 例.txt"), "etc/пример 例.txt");
        assert_eq!(safe("/etc/passwd"), "etc/passwd");
        assert_eq!(safe("C:\\Windows\\system.ini"), "C_/Windows/system.ini");
        assert_eq!(safe("a/./b/../c"), "a/b/c");
        assert_eq!(safe(".. /. ./...\\x"), "x");
        assert_eq!(safe("a\0/..\0/b"), "a/b");
    }

    #[test]
    fn nothing_is_nameless() {
        for path in ["", "/", "..", "\u{202e}", " . ", "a/../"] {
            assert!(!safe(path).is_empty(), "{path:?}");
        }
        assert_eq!(safe("../.."), "unnamed");
        assert_eq!(safe_name(" .. "), None);
    }

    #[test]
    fn names_do_not_deceive() {
        assert_eq!(safe("gpj.\u{202e}exe"), "gpj.exe");
        assert_eq!(safe("line\nbreak\u{2028}.txt"), "linebreak.txt");
        // Both spellings of é are one name.
        assert_eq!(safe("e\u{301}.txt"), safe("é.txt"));
    }

    #[test]
    fn windows_could_hold_them() {
        assert_eq!(safe("con.txt"), "_con.txt");
        assert_eq!(safe("LPT1"), "_LPT1");
        assert_eq!(safe("com¹.log"), "_com¹.log");
        assert_eq!(safe("console"), "console");
        assert_eq!(safe("what? a \"name\". "), "what_ a _name_");
    }

    #[test]
    fn ordinary_names_stay() {
        for path in [
            "a.txt",
            ".bashrc",
            "..config",
            "Фото/2024 год/снимок.jpg",
            "संगीत/गाना.mp3",
            "👩‍👩‍👧/x",
            "a b (1).tar.gz",
        ] {
            assert_eq!(safe(path), path);
        }
        assert_eq!(safe_name("a/b\\c").as_deref(), Some("a_b_c"));
    }

    #[test]
    fn a_long_name_keeps_its_extension_and_whole_characters() {
        let name = safe(&format!("{}.jpeg", "例".repeat(200)));
        assert_eq!(name.len(), 3 * 83 + 5);
        assert!(name.ends_with("例.jpeg"));
        assert_eq!(safe(&"a".repeat(300)).len(), 255);
        assert_eq!(safe(&format!("a.{}", "b".repeat(300))).len(), 255);
    }

    #[test]
    fn a_deep_path_keeps_its_beginning_and_its_name() {
        let path = safe(&format!("{}name.txt", "d/".repeat(500)));
        assert_eq!(path.split('/').count(), MAX_DEPTH);
        assert!(path.starts_with("d/d/") && path.ends_with("/name.txt"));
        let path = safe(&format!("{}/name.txt", vec!["f".repeat(255); 40].join("/")));
        assert!(path.len() <= MAX_PATH && path.ends_with("/name.txt"));
    }

    #[test]
    fn alternatives_count_up() {
        let next = |path: &str| alternative(path, path);
        assert_eq!(next("a/b.txt"), "a/b (2).txt");
        assert_eq!(next("a/b (2).txt"), "a/b (3).txt");
        assert_eq!(next("b.tar.gz"), "b (2).tar.gz");
        assert_eq!(next("b (99)"), "b (100)");
        assert_eq!(next("b (100)"), "b (110)");
        assert_eq!(next("b (0)"), "b (0) (2)");
        assert_eq!(next("b (x)"), "b (x) (2)");
        assert_eq!(next(".profile"), ".profile (2)");
        let long = format!("{}.txt", "x".repeat(251));
        assert_eq!(next(&long), format!("{} (2).txt", "x".repeat(247)));
    }

    #[test]
    fn a_folder_has_alternatives_too() {
        assert_eq!(alternative("a.b/c/d.txt", "a.b"), "a.b (2)/c/d.txt");
        assert_eq!(alternative("a/c/d.txt", "a/c"), "a/c (2)/d.txt");
    }

    fn paths() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            ".{0,40}",
            r"[./\\ :*a-cé\u{301}\u{338}<=]{0,12}",
            Just("..".to_owned()),
            Just("/".to_owned()),
            Just("\\".to_owned()),
            Just("con".to_owned()),
            Just(" (99)".to_owned()),
            Just("例".repeat(100)),
            Just("f/".repeat(100)),
        ];
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
    }

    fn check(path: &str) -> Result<(), TestCaseError> {
        prop_assert!(path.len() <= MAX_PATH);
        let parts: Vec<_> = path.split('/').collect();
        prop_assert!(parts.len() <= MAX_DEPTH);
        for part in parts {
            prop_assert!(!part.is_empty() && part.len() <= MAX_PART, "{part:?}");
            prop_assert!(part != "." && part != ".." && !part.ends_with(['.', ' ']));
            let bad = part.contains(['\\', '\0', ':', '\u{202e}']) || is_reserved(part);
            prop_assert!(!bad);
        }
        let joined = std::path::Path::new("files").join(path);
        let inside = joined
            .components()
            .all(|c| matches!(c, std::path::Component::Normal(_)));
        prop_assert!(inside && joined.starts_with("files"), "{path:?}");
        prop_assert!(is_safe(path), "{path:?} becomes {:?}", safe(path));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_result_is_always_safe_and_stays(path in paths()) {
            check(&safe(&path))?;
            if let Some(name) = safe_name(&path) {
                prop_assert!(!name.contains('/'));
                check(&name)?;
            }
        }

        #[test]
        fn what_a_person_may_call_a_file_is_stored_so(name in paths()) {
            if let Ok(name) = crate::protocol::name::check(&name) {
                let composed: String = name.nfc().collect();
                prop_assume!(composed.len() <= MAX_PART);
                prop_assert_eq!(safe(name), composed);
            }
        }

        #[test]
        fn alternatives_are_safe_and_never_repeat(path in paths(), folder: bool) {
            let mut path = safe(&path);
            let mut seen = vec![path.clone()];
            for _ in 0..5 {
                let taken = match path.split_once('/') {
                    Some((first, _)) if folder => first.to_owned(),
                    _ => path.clone(),
                };
                path = alternative(&path, &taken);
                check(&path)?;
                prop_assert!(!seen.contains(&path), "{path:?} again");
                seen.push(path.clone());
            }
        }
    }
}
