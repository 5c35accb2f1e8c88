//! The values of options. Each has one way to be written, the same in a flag, in an
//! environment variable and in a file, and one sentence that says which.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// Something that can be written in an option.
pub trait Value: Sized {
    /// What is allowed, to stand after "expected".
    const EXPECTED: &str;

    /// Reads it; `None` if the text is not one.
    fn read(text: &str) -> Option<Self>;
}

/// The text of an option is not what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} does not fit: expected {expected}")]
pub struct BadValue {
    text: String,
    expected: &'static str,
}

/// A value together with the text it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<T> {
    /// What it means.
    pub value: T,
    text: String,
}

impl<T: Value> FromStr for Text<T> {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let value = T::read(text.trim()).ok_or(BadValue {
            text: text.to_owned(),
            expected: T::EXPECTED,
        })?;
        Ok(Self {
            value,
            text: text.to_owned(),
        })
    }
}

impl<T> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de, T: Value> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

/// Takes also what files write without quotes, and their lists.
struct TextVisitor<T>(PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<T>, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Text<T>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Text<T>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Text<T>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text<T>, A::Error> {
        let mut texts: Vec<String> = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        self.visit_str(&texts.join(","))
    }
}

/// A length in bytes, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// A span of time that is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A whole number from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u32);

/// A value, or no limit at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<T>(pub Option<T>);

/// Names, separated by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

/// Kinds of files, separated by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds(pub Vec<String>);

/// What is logged: a filter of tracing's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(pub String);

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A set of limits that fit together. They differ in numbers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Some files, a few megabytes each.
    Small,
    /// Few files of any length.
    Large,
    /// Thousands of files.
    Batch,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Small, Self::Large, Self::Batch];

    /// Its options, as a file has them.
    pub fn toml(self) -> &'static str {
        match self {
            Self::Small => {
                r#"
                max_entries = 100
                max_file_size = "100 MiB"
                max_total_size = "1 GiB"
                max_concurrency = 6
                chunk_timeout = "30s"
                "#
            }
            Self::Large => {
                r#"
                max_entries = "none"
                max_file_size = "none"
                max_total_size = "none"
                max_concurrency = 4
                chunk_timeout = "60s"
                "#
            }
            Self::Batch => {
                r#"
                max_entries = 100000
                max_file_size = "10 GiB"
                max_total_size = "1 TiB"
                max_concurrency = 16
                chunk_timeout = "60s"
                "#
            }
        }
    }
}

impl Value for SocketAddr {
    const EXPECTED: &str = "an IP address and a port, such as 127.0.0.1:3000 or [::1]:3000";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for bool {
    const EXPECTED: &str = "true or false";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for PathBuf {
    const EXPECTED: &str = "a path";

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }
}

impl Value for Size {
    const EXPECTED: &str = "a length in bytes, such as 500 MB, 64 MiB or 1048576";

    fn read(text: &str) -> Option<Self> {
        let ByteSize(bytes) = text.parse().ok()?;
        (bytes > 0).then_some(Self(bytes))
    }
}

impl Value for Span {
    const EXPECTED: &str = "a span of time, such as 500ms, 90s, 10min, 12h or 7days";

    fn read(text: &str) -> Option<Self> {
        let span = humantime::parse_duration(text).ok()?;
        (!span.is_zero()).then_some(Self(span))
    }
}

impl Value for Count {
    const EXPECTED: &str = "a whole number from 1";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|&count| count > 0).map(Self)
    }
}

macro_rules! limit {
    ($of:ty, $expected:literal) => {
        impl Value for Limit<$of> {
            const EXPECTED: &str = $expected;

            fn read(text: &str) -> Option<Self> {
                match text {
                    "none" => Some(Self(None)),
                    _ => <$of>::read(text).map(|value| Self(Some(value))),
                }
            }
        }
    };
}

limit!(Count, "a whole number from 1, or none");
limit!(Size, "a length in bytes, such as 500 MB or 20 GiB, or none");
limit!(Span, "a span of time, such as 12h or 7days, or none");

/// Splits a list at its commas.
fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',')
        .map(|item| item.trim().to_owned())
        .filter(|item| !item.is_empty())
}

impl Value for Names {
    const EXPECTED: &str = "host names without port, separated by commas, or * for any";

    fn read(text: &str) -> Option<Self> {
        let fits = |name: &String| name == "*" || !name.contains(['/', ' ', '*', '@', ':']);
        let names: Vec<_> = list(text).collect();
        names.iter().all(fits).then_some(Self(names))
    }
}

impl Value for Kinds {
    const EXPECTED: &str =
        "extensions (.pdf) and media types (image/*, text/plain), separated by commas";

    fn read(text: &str) -> Option<Self> {
        let fits = |kind: &String| match kind.strip_prefix('.') {
            Some(extension) => !extension.is_empty() && !extension.contains('/'),
            None => kind
                .split_once('/')
                .is_some_and(|(family, sub)| ![family, sub].contains(&"") && family != "*"),
        };
        let kinds: Vec<_> = list(text).collect();
        kinds.iter().all(fits).then_some(Self(kinds))
    }
}

impl Value for LogFilter {
    const EXPECTED: &str = "a level (error, warn, info, debug, trace), or levels by module, such as \
         info,longhaul=debug";

    fn read(text: &str) -> Option<Self> {
        tracing_subscriber::EnvFilter::try_new(text).ok()?;
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl Value for LogFormat {
    const EXPECTED: &str = "text or json";

    fn read(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Value for Preset {
    const EXPECTED: &str = "small, large or batch";

    fn read(text: &str) -> Option<Self> {
        match text {
            "small" => Some(Self::Small),
            "large" => Some(Self::Large),
            "batch" => Some(Self::Batch),
            _ => None,
        }
    }
}
