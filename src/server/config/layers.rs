//! Puts the layers on top of each other: defaults, preset, file, environment, flags.
//!
//! Each layer is also checked by itself, so that a mistake is named together with the
//! place where it was made, even where another layer covers it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::options::Options;
use super::value::{Preset, Text};

const DEFAULTS: &str = include_str!("defaults.toml");

/// How the environment variables of this program begin.
const PREFIX: &str = "LONGHAUL_";

/// The file that is read where none is named.
const FILE: &str = "longhaul.toml";

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key or an environment variable means nothing.
    #[error("{place} has {name:?}, which is no option. There are: {known}")]
    Unknown {
        /// Where it is.
        place: String,
        /// What it is called there.
        name: String,
        /// What there is instead.
        known: String,
    },
    /// A value does not fit.
    #[error("{name} in {place}: {reason}")]
    Bad {
        /// Where it is.
        place: String,
        /// What the option is called there.
        name: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The options do not fit together.
    #[error("{0}")]
    Unfit(String),
}

/// The environment variable of an option.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase())
}

/// The environment variables of this program.
struct Environment(Dict);

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.0.clone()))
    }
}

/// All options, from everywhere. `site_addr` is what cargo-leptos wants to listen on,
/// `dir` the working directory.
pub(super) fn merge(
    flags: &Options,
    environment: impl IntoIterator<Item = (String, String)>,
    site_addr: Option<&str>,
    dir: &Path,
) -> Result<Options, ConfigError> {
    let mut variables: Dict = environment
        .into_iter()
        .filter_map(|(name, value)| {
            let key = name.strip_prefix(PREFIX)?.to_lowercase();
            Some((key, Value::from(value)))
        })
        .collect();
    let named = match variables.remove("config") {
        Some(path) => path.into_string().map(PathBuf::from),
        None => None,
    };
    let mut given = Figment::new();
    if let Some(path) = file(flags.config.clone().or(named), dir)? {
        let place = path.display().to_string();
        let toml = Figment::from(Toml::file_exact(&path));
        check(&toml, &place, str::to_owned)?;
        given = given.merge(toml);
    }
    let environment = Figment::from(Environment(variables));
    check(&environment, "the environment", variable)?;
    let given = given.merge(environment).merge(Serialized::defaults(flags));

    let mut defaults = Figment::from(Toml::string(DEFAULTS));
    if let Some(addr) = site_addr {
        defaults = defaults.merge(Serialized::default("listen", addr));
    }
    let chosen = extract(&defaults.clone().merge(&given))?.preset;
    let preset = Toml::string(preset_toml(chosen));
    extract(&defaults.merge(preset).merge(given))
}

fn preset_toml(preset: Option<Text<Preset>>) -> &'static str {
    preset.map_or("", |preset| preset.value.toml())
}

/// The file to read, if there is one.
fn file(named: Option<PathBuf>, dir: &Path) -> Result<Option<PathBuf>, ConfigError> {
    let (path, needed) = match named {
        Some(path) => (dir.join(path), true),
        None => (dir.join(FILE), false),
    };
    match std::fs::File::open(&path) {
        Ok(_) => Ok(Some(path)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !needed => Ok(None),
        Err(e) => Err(ConfigError::File {
            path,
            reason: e.to_string(),
        }),
    }
}

/// Checks a layer by itself. `called` is what an option is called there.
fn check(layer: &Figment, place: &str, called: fn(&str) -> String) -> Result<(), ConfigError> {
    let Err(error) = layer.extract::<Options>() else {
        return Ok(());
    };
    let place = place.to_owned();
    Err(match error.kind {
        Kind::UnknownField(name, known) => ConfigError::Unknown {
            place,
            name: called(&name),
            known: known
                .iter()
                .map(|key| called(key))
                .collect::<Vec<_>>()
                .join(", "),
        },
        kind => match error.path.first() {
            Some(key) => ConfigError::Bad {
                place,
                name: called(key),
                reason: kind.to_string(),
            },
            None => ConfigError::File {
                path: place.into(),
                reason: kind.to_string(),
            },
        },
    })
}

fn extract(figment: &Figment) -> Result<Options, ConfigError> {
    figment
        .extract()
        .map_err(|e| ConfigError::Unfit(e.to_string()))
}

/// The defaults as a person would write them.
pub(super) fn default_texts() -> BTreeMap<String, String> {
    let texts = |toml: &str| -> BTreeMap<String, String> {
        let values: Dict = Figment::from(Toml::string(toml))
            .extract()
            .unwrap_or_default();
        let text = |value: Value| match value {
            Value::String(_, text) => text,
            Value::Bool(_, value) => value.to_string(),
            other => match other.to_i128() {
                Some(number) => number.to_string(),
                None => "empty".to_owned(),
            },
        };
        values.into_iter().map(|(key, v)| (key, text(v))).collect()
    };
    let mut defaults = texts(DEFAULTS);
    for preset in Preset::ALL {
        for (key, text) in texts(preset.toml()) {
            let name = format!("{preset:?}").to_lowercase();
            let entry = defaults
                .entry(key)
                .or_insert_with(|| "by preset".to_owned());
            entry.push_str(&format!("; {name}: {text}"));
        }
    }
    defaults
}
