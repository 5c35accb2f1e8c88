//! What a file may be called.
//!
//! A server makes any name safe, whatever it is given. A person who changes a name is told
//! what is wrong with it instead: what passes here is stored as it is.

use super::manifest::Manifest;

/// The longest part of a path in bytes, as file systems have it.
pub const MAX_PART: usize = 255;

/// Why a name cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// Nothing is left of it.
    Empty,
    /// It has a part of a path in it.
    Separator,
    /// It has a character that some system cannot keep, or that nobody would see.
    Character(char),
    /// Windows takes it for a device.
    Reserved,
    /// It is longer than [`MAX_PART`].
    TooLong,
}

/// Checks what a person calls a file, and gives the name without the space around it.
pub fn check(name: &str) -> Result<&str, BadName> {
    let name = trim_end(name).trim_start();
    if name.is_empty() {
        return Err(BadName::Empty);
    }
    if name.contains(['/', '\\']) {
        return Err(BadName::Separator);
    }
    if let Some(bad) = name.chars().find(|c| is_forbidden(*c) || is_unseen(*c)) {
        return Err(BadName::Character(bad));
    }
    if is_reserved(name) {
        return Err(BadName::Reserved);
    }
    if name.len() > MAX_PART {
        return Err(BadName::TooLong);
    }
    Ok(name)
}

impl Manifest {
    /// The path it has when its file is called `name`.
    pub fn renamed(&self, name: &str) -> String {
        match self.path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{name}"),
            None => name.to_owned(),
        }
    }
}

/// Whether Windows cannot have this character in a name.
pub fn is_forbidden(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')
}

/// Whether a character is not seen: control characters, line separators, and marks that
/// turn the direction of writing, with which `exe.txt` can pose as `txt.exe`.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Windows drops dots and spaces at the end of a name.
pub fn trim_end(part: &str) -> &str {
    part.trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

/// Whether Windows takes the name for a device, whatever its extension.
pub fn is_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    match stem.strip_prefix("COM").or(stem.strip_prefix("LPT")) {
        Some(port) => {
            let mut port = port.chars();
            matches!(
                (port.next(), port.next()),
                (Some('0'..='9' | '¹' | '²' | '³'), None)
            )
        }
        None => matches!(
            stem.as_str(),
            "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_name_is_said() {
        assert_eq!(check("  film (2).mkv "), Ok("film (2).mkv"));
        assert_eq!(check("пример 例.txt"), Ok("пример 例.txt"));
        assert_eq!(check(" .. "), Err(BadName::Empty));
        assert_eq!(check("a/b"), Err(BadName::Separator));
        assert_eq!(check("a\\b"), Err(BadName::Separator));
        assert_eq!(check("what?"), Err(BadName::Character('?')));
        assert_eq!(
            check("gpj\u{202e}.exe"),
            Err(BadName::Character('\u{202e}'))
        );
        assert_eq!(check("nul.txt"), Err(BadName::Reserved));
        assert_eq!(check(&"x".repeat(256)), Err(BadName::TooLong));
    }

    #[test]
    fn only_the_last_part_of_a_path_is_the_name() {
        let manifest = |path: &str| Manifest {
            path: path.into(),
            size: 0,
            modified: None,
            media_type: String::new(),
        };
        assert_eq!(manifest("a.txt").renamed("b.txt"), "b.txt");
        assert_eq!(manifest("x/y/a.txt").renamed("b.txt"), "x/y/b.txt");
    }
}
