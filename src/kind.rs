//! What kind of file a name stands for, and which files can be shown in place.
//!
//! Both are fixed lists by the ending of a name: what can be shown, and as what, is never
//! up to whoever sent the file.

use serde::{Deserialize, Serialize};

/// What people look for when they look for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Pictures.
    Image,
    /// Moving ones.
    Video,
    /// Sound.
    Audio,
    /// What is read: text, code, offices' papers.
    Document,
    /// What holds other files.
    Archive,
    /// Anything else.
    Other,
}

impl Kind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Document,
        Self::Archive,
        Self::Other,
    ];

    /// The kind of a file of this name or path; where its ending says nothing, what its
    /// sender said of its media type decides.
    pub fn of(name: &str, media_type: &str) -> Self {
        let ending = ending(name);
        if let Some(view) = View::by_ending(&ending) {
            return match view.shown {
                Shown::Image => Self::Image,
                Shown::Video => Self::Video,
                Shown::Audio => Self::Audio,
                Shown::Text | Shown::Pdf => Self::Document,
            };
        }
        match ending.as_str() {
            "heic" | "heif" | "tif" | "tiff" | "raw" | "dng" | "cr2" | "cr3" | "nef" | "arw"
            | "orf" | "psd" | "xcf" | "ai" | "eps" | "jxl" => Self::Image,
            "avi" | "wmv" | "flv" | "mpg" | "mpeg" | "mts" | "m2ts" | "3gp" | "vob" => Self::Video,
            "aif" | "aiff" | "wma" | "mid" | "midi" | "amr" | "ape" | "caf" => Self::Audio,
            "doc" | "docx" | "odt" | "rtf" | "xls" | "xlsx" | "ods" | "ppt" | "pptx" | "odp"
            | "epub" | "mobi" | "pages" | "numbers" | "key" | "tex" | "ipynb" | "djvu" => {
                Self::Document
            }
            "zip" | "tar" | "gz" | "tgz" | "xz" | "txz" | "zst" | "bz2" | "tbz2" | "7z" | "rar"
            | "lz4" | "br" | "cab" | "iso" | "dmg" | "jar" | "deb" | "rpm" | "apk" => Self::Archive,
            _ => match media_type.split('/').next() {
                Some("image") => Self::Image,
                Some("video") => Self::Video,
                Some("audio") => Self::Audio,
                Some("text") => Self::Document,
                _ => Self::Other,
            },
        }
    }

    /// Its word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Archive => "archive",
            Self::Other => "other",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// How a file is shown in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As a picture. It may be SVG, which never runs as a picture.
    Image,
    /// By the browser's player.
    Video,
    /// By the browser's player, without a picture.
    Audio,
    /// As plain text, whatever it means.
    Text,
    /// By the browser's reader, where it has one.
    Pdf,
}

/// How a file is shown, and the media type with which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// What shows it.
    pub shown: Shown,
    /// Its media type. Never one that a browser would run.
    pub media_type: &'static str,
}

impl View {
    /// How a file of this name or path is shown; `None` if it is not.
    pub fn of(name: &str) -> Option<Self> {
        Self::by_ending(&ending(name))
    }

    fn by_ending(ending: &str) -> Option<Self> {
        let (shown, media_type) = match ending {
            "png" | "apng" => (Shown::Image, "image/png"),
            "jpg" | "jpeg" | "jfif" => (Shown::Image, "image/jpeg"),
            "gif" => (Shown::Image, "image/gif"),
            "webp" => (Shown::Image, "image/webp"),
            "avif" => (Shown::Image, "image/avif"),
            "bmp" => (Shown::Image, "image/bmp"),
            "ico" => (Shown::Image, "image/x-icon"),
            "svg" => (Shown::Image, SVG),
            "mp4" | "m4v" => (Shown::Video, "video/mp4"),
            "mov" => (Shown::Video, "video/quicktime"),
            "webm" => (Shown::Video, "video/webm"),
            "mkv" => (Shown::Video, "video/x-matroska"),
            "ogv" => (Shown::Video, "video/ogg"),
            "mp3" => (Shown::Audio, "audio/mpeg"),
            "m4a" => (Shown::Audio, "audio/mp4"),
            "aac" => (Shown::Audio, "audio/aac"),
            "ogg" | "oga" | "opus" => (Shown::Audio, "audio/ogg"),
            "wav" => (Shown::Audio, "audio/wav"),
            "flac" => (Shown::Audio, "audio/flac"),
            "weba" => (Shown::Audio, "audio/webm"),
            "pdf" => (Shown::Pdf, "application/pdf"),
            "txt" | "text" | "md" | "markdown" | "rst" | "adoc" | "org" | "csv" | "tsv" | "log"
            | "json" | "jsonl" | "ndjson" | "geojson" | "xml" | "html" | "htm" | "xhtml"
            | "css" | "scss" | "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "vue" | "svelte"
            | "rs" | "py" | "rb" | "php" | "c" | "h" | "cc" | "cpp" | "hpp" | "go" | "java"
            | "kt" | "swift" | "cs" | "lua" | "pl" | "r" | "jl" | "hs" | "ml" | "sh" | "bash"
            | "zsh" | "fish" | "ps1" | "bat" | "sql" | "toml" | "yaml" | "yml" | "ini" | "conf"
            | "cfg" | "env" | "properties" | "diff" | "patch" | "srt" | "vtt" | "ass" | "tex"
            | "bib" | "ics" | "vcf" | "eml" => (Shown::Text, "text/plain; charset=utf-8"),
            _ => return None,
        };
        Some(Self { shown, media_type })
    }

    /// Whether it could do more than be looked at, were it not shown as a picture.
    pub fn only_as_picture(self) -> bool {
        self.media_type == SVG
    }
}

const SVG: &str = "image/svg+xml";

/// The ending of a name or path in small letters, without its dot; empty if it has none.
fn ending(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 10 => ending.to_lowercase(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_and_the_sender_only_where_it_says_nothing() {
        assert_eq!(Kind::of("a/b/film.MKV", "text/plain"), Kind::Video);
        assert_eq!(Kind::of("a.tar.gz", ""), Kind::Archive);
        assert_eq!(Kind::of("notes.md", ""), Kind::Document);
        assert_eq!(Kind::of("scan", "image/png"), Kind::Image);
        assert_eq!(Kind::of("folder.zip/scan", ""), Kind::Other);
        assert_eq!(Kind::of(".png", ""), Kind::Other);
    }

    #[test]
    fn a_kind_is_found_by_its_word() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(Kind::from_word("Image"), None);
    }

    #[test]
    fn nothing_is_shown_as_something_that_runs() {
        let view = |name| View::of(name).map(|view| (view.shown, view.media_type));
        let text = Some((Shown::Text, "text/plain; charset=utf-8"));
        for name in ["a.html", "a.HTM", "a.xhtml", "a.xml", "a.js", "a.svg.html"] {
            assert_eq!(view(name), text, "{name}");
        }
        assert!(View::of("a.svg").is_some_and(View::only_as_picture));
        for name in [
            "a.exe",
            "a.swf",
            "a",
            "html",
            ".html",
            "a.html.zip",
            "a.wasm",
        ] {
            assert_eq!(view(name), None, "{name}");
        }
    }
}
