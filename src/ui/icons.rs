//! Icons: one component, drawn with strokes of the text's colour. They say nothing
//! by themselves; what they stand for is said beside them or by their button.

use leptos::prelude::*;

/// Which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// An arrow out of a tray.
    Upload,
    /// An arrow into a tray.
    Download,
    /// A folder.
    Folder,
    /// A sheet.
    File,
    /// A sheet with lines.
    Text,
    /// Angle brackets.
    Code,
    /// A landscape in a frame.
    Image,
    /// A frame with a triangle.
    Video,
    /// A note.
    Audio,
    /// A box.
    Archive,
    /// Two bars.
    Pause,
    /// A triangle.
    Play,
    /// An arrow in a circle.
    Retry,
    /// A cross.
    Close,
    /// A bin.
    Trash,
    /// A tick.
    Check,
    /// Two sheets.
    Copy,
    /// A pencil.
    Pencil,
    /// A magnifying glass.
    Search,
    /// An arrow out of a frame.
    Open,
    /// A triangle with a mark.
    Alert,
    /// A pulse.
    Pulse,
    /// An arrow up.
    Up,
    /// An arrow down.
    Down,
    /// A shield with a tick.
    Proof,
    /// A camera.
    Camera,
    /// A sheet with a corner of its own.
    Pdf,
    /// A grid.
    Sheet,
    /// Six dots to take hold of.
    Grip,
    /// Three dots.
    More,
    /// An arrow to a line above.
    Top,
    /// An arrow to a line below.
    End,
    /// An angle that points down.
    Chevron,
    /// A globe.
    Language,
    /// A hook to the left.
    Left,
    /// A hook to the right.
    Right,
    /// Two links of a chain.
    Link,
    /// An arrow that turns back.
    Undo,
    /// A bell.
    Bell,
    /// A disc, half of it dark.
    Contrast,
    /// A sun.
    Sun,
    /// A moon.
    Moon,
    /// A phone.
    Phone,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Upload => {
                "M12 15V4m0 0L7.5 8.5M12 4l4.5 4.5M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3"
            }
            Self::Download => {
                "M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3"
            }
            Self::Folder => {
                "M3.5 7a2 2 0 0 1 2-2h3.6a2 2 0 0 1 1.5.7L12 7.3h6.5a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z"
            }
            Self::File => "M13.5 3.5H7a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V9zm0 0V9H19",
            Self::Text => {
                "M13.5 3.5H7a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V9zm0 0V9H19M8.5 13h7m-7 3.5h4.5"
            }
            Self::Code => "m8.5 8-4 4 4 4m7-8 4 4-4 4m-2-10-3 12",
            Self::Image => {
                "M5.5 4.5h13a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM4 17l4.6-4.6a1.5 1.5 0 0 1 2.1 0L17 19m-3-3 1.9-1.9a1.5 1.5 0 0 1 2.1 0l2.5 2.4M15.5 9h.01"
            }
            Self::Video => {
                "M5.5 5h13a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2zm4.5 4.2v5.6l4.8-2.8z"
            }
            Self::Audio => {
                "M9 17.5V6l10-2v11.5M9 17.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zm10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z"
            }
            Self::Archive => {
                "M4.5 9v9a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2V9M4 4.5h16a.5.5 0 0 1 .5.5v3.5a.5.5 0 0 1-.5.5H4a.5.5 0 0 1-.5-.5V5a.5.5 0 0 1 .5-.5zM10 13h4"
            }
            Self::Pause => "M8.5 6v12m7-12v12",
            Self::Play => {
                "M8 5.8v12.4a.6.6 0 0 0 .9.5l9.6-6.2a.6.6 0 0 0 0-1L8.9 5.300a.6.6 0 0 0-.9.5z"
            }
            Self::Retry => "M19.5 12a7.5 7.5 0 1 1-2.3-5.400L19.5 8.800M19.5 4v4.800h-4.8",
            Self::Close => "m6.5 6.5 11 11m0-11-11 11",
            Self::Trash => {
                "M4.5 7h15M9.5 7V5a1 1 0 0 1 1-1h3a1 1 0 0 1 1 1v2m-8 0 .7 11.200a2 2 0 0 0 2 1.800h5.600a2 2 0 0 0 2-1.800L17.5 7M10.3 11v5m3.4-5v5"
            }
            Self::Check => "m5 12.5 4.5 4.500L19 7.5",
            Self::Copy => {
                "M10.5 9h7a1.5 1.5 0 0 1 1.5 1.500v8a1.5 1.5 0 0 1-1.5 1.500h-7A1.5 1.5 0 0 1 9 18.500v-8A1.5 1.5 0 0 1 10.5 9zM15 9V6a1.5 1.5 0 0 0-1.5-1.500h-7A1.5 1.5 0 0 0 5 6v8a1.5 1.5 0 0 0 1.5 1.500H9"
            }
            Self::Pencil => {
                "m14.5 6.5 3 3M5 19l.8-3.900a1 1 0 0 1 .3-.5L15.6 5.100a1.6 1.6 0 0 1 2.3 0l1 1a1.6 1.6 0 0 1 0 2.300L9.4 17.900a1 1 0 0 1-.5.3z"
            }
            Self::Search => "m19.5 19.5-4-4m2-4.500a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0z",
            Self::Open => {
                "M13.5 5H19v5.500M19 5l-8.5 8.500M17.5 14v3.500a1.5 1.5 0 0 1-1.5 1.500H6.500A1.5 1.5 0 0 1 5 17.500V8a1.5 1.5 0 0 1 1.5-1.500H10"
            }
            Self::Alert => {
                "M12 9.500v4m0 3h.01M10.6 4.8 3.2 17.500A1.6 1.6 0 0 0 4.6 20h14.800a1.6 1.6 0 0 0 1.4-2.500L13.4 4.800a1.6 1.6 0 0 0-2.8 0z"
            }
            Self::Pulse => "M3.5 12.500h4l3-7.5 4 14 2.5-6.500h3.5",
            Self::Up => "M12 18.500v-13m0 0L6.5 11M12 5.500l5.5 5.5",
            Self::Down => "M12 5.500v13m0 0 5.5-5.500M12 18.5 6.5 13",
            Self::Left => "m14.5 5.5-6.5 6.500 6.5 6.500",
            Self::Right => "m9.500 5.5 6.500 6.500-6.500 6.500",
            Self::Link => {
                "M10.2 13.8a3.800 3.800 0 0 0 5.400 0l3.300-3.300a3.800 3.800 0 0 0-5.400-5.400l-1.100 1.100M13.8 10.2a3.800 3.800 0 0 0-5.400 0l-3.300 3.300a3.800 3.800 0 0 0 5.400 5.400l1.100-1.100"
            }
            Self::Undo => "M8.500 5 4.500 9l4 4M4.500 9h9.500a5 5 0 0 1 0 10h-3.500",
            Self::Contrast => {
                "M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0zM12 3.5v17M15 5v14M18 8v8"
            }
            Self::Sun => {
                "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM12 3v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4"
            }
            Self::Moon => "M19.5 14.5A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z",
            Self::Bell => {
                "M12 4a5 5 0 0 0-5 5c0 5-2 6-2 7h14c0-1-2-2-2-7a5 5 0 0 0-5-5zM10 19.5a2.3 2.3 0 0 0 4 0"
            }
            Self::Proof => {
                "M12 3.5 5 6v5.500c0 4.2 2.9 7.6 7 9 4.1-1.4 7-4.8 7-9V6zM9 12l2.2 2.200L15.2 10"
            }
            Self::Language => {
                "M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0zM3.5 12h17M12 3.5c5 5 5 12 0 17-5-5-5-12 0-17z"
            }
            Self::Camera => {
                "M5 7.5h2.300a1 1 0 0 0 .8-.4l1.100-1.500a1 1 0 0 1 .8-.4h4a1 1 0 0 1 .8.4l1.100 1.500a1 1 0 0 0 .8.4H19a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9.500a2 2 0 0 1 2-2zm10.2 5.500a3.200 3.200 0 1 1-6.400 0 3.200 3.200 0 0 1 6.400 0z"
            }
            Self::Pdf => {
                "M13.5 3.5H7a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V9zm0 0V9H19M8.500 17.500c2.500-1 4.500-4 4.300-6-.2-1.300-1.600-1-1.400.3.3 2 2.300 4 4.300 3.800"
            }
            Self::Sheet => {
                "M13.5 3.5H7a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V9zm0 0V9H19M8.500 12.500h7v5h-7zm0 2.500h7m-3.500-2.500v5"
            }
            Self::Grip => "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
            Self::More => "M5.500 12h.01M12 12h.01M18.500 12h.01",
            Self::Top => "M12 20V9m0 0-4.500 4.500M12 9l4.500 4.500M5 4.500h14",
            Self::End => "M12 4v11m0 0 4.500-4.500M12 15l-4.500-4.500M5 19.500h14",
            Self::Chevron => "m7 10 5 5 5-5",
            Self::Phone => {
                "M8.5 3.5h7a2 2 0 0 1 2 2v13a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-13a2 2 0 0 1 2-2zM11 17.5h2"
            }
        }
    }

    /// The picture for a file of this type or, where that says nothing, of this name.
    pub fn of_file(media_type: &str, name: &str) -> Self {
        match media_type.split('/').next() {
            Some("image") => return Self::Image,
            Some("video") => return Self::Video,
            Some("audio") => return Self::Audio,
            _ if media_type == "application/pdf" => return Self::Pdf,
            _ => {}
        }
        let extension = name
            .rsplit_once('.')
            .map(|(_, extension)| extension.to_ascii_lowercase())
            .unwrap_or_default();
        match extension.as_str() {
            "zip" | "tar" | "gz" | "tgz" | "xz" | "zst" | "bz2" | "7z" | "rar" | "iso" | "dmg"
            | "jar" | "deb" | "rpm" => Self::Archive,
            "png" | "jpg" | "jpeg" | "gif" | "webp" | "avif" | "heic" | "tif" | "tiff" | "svg"
            | "raw" | "dng" => Self::Image,
            "mp4" | "mkv" | "mov" | "avi" | "webm" | "m4v" => Self::Video,
            "mp3" | "wav" | "flac" | "ogg" | "m4a" | "aac" | "opus" => Self::Audio,
            "rs" | "js" | "ts" | "py" | "c" | "h" | "cpp" | "go" | "java" | "html" | "css"
            | "json" | "toml" | "yaml" | "yml" | "xml" | "sh" | "sql" => Self::Code,
            "pdf" => Self::Pdf,
            "csv" | "xls" | "xlsx" | "ods" | "tsv" => Self::Sheet,
            "txt" | "md" | "doc" | "docx" | "odt" | "rtf" | "log" | "ppt" | "pptx" => Self::Text,
            _ => Self::File,
        }
    }
}

/// Draws an icon.
#[component]
pub fn Picture(
    /// Which one.
    #[prop(into)]
    icon: Signal<Icon>,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=move || icon.get().path()></path>
        </svg>
    }
}

/// The sign of the house: a long line that arrives.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path class="mark-way" d="M3 17.500h18"></path>
            <path class="mark-arrow" d="M12 14V4m0 0L7 9m5-5 5 5"></path>
            <path class="mark-done" d="M3 17.500h11"></path>
        </svg>
    }
}
