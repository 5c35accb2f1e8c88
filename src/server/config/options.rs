//! The options of `longhaul serve`, as they can be written in a flag, in an environment
//! variable or in a file.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::layers;
use super::value::{Count, Kinds, Limit, LogFilter, LogFormat, Names, Preset, Size, Span, Text};

/// Options of `longhaul serve`, those that were given.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// A TOML file with options; an error if it is not there
    /// [else: longhaul.toml in the working directory, if there is one]
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<Text<SocketAddr>>,

    /// Allows to listen on an address that others can reach. There is no sign-in:
    /// whoever reaches it can upload, read and delete
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Text<bool>>,

    /// Host names by which browsers may address this server, besides localhost and IP
    /// addresses; * for any, which lets pages of strangers pose as this server
    #[arg(long, value_name = "NAME,…")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Text<Names>>,

    /// Folder in which everything is kept: files under their names in `files`
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Text<PathBuf>>,

    /// Folder of the built page [else: found next to the program, or in target/site]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_root: Option<Text<PathBuf>>,

    /// Memory for data that has arrived and is not yet written, at least 1 MiB
    #[arg(long, value_name = "SIZE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Text<Size>>,

    /// When an unfinished upload that nobody continues is deleted, or none
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_after: Option<Text<Limit<Span>>>,

    /// How long a stop waits for what is in flight
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shutdown: Option<Text<Span>>,

    /// What is logged: a level, or levels by module (info,longhaul=debug)
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Text<LogFilter>>,

    /// How it is logged: text or json
    #[arg(long, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<Text<LogFormat>>,

    /// Numbers for the limits below, where they are not given: small, large or batch
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Text<Preset>>,

    /// Kinds of files that are taken: extensions (.pdf) and media types (image/*);
    /// empty for all
    #[arg(long, value_name = "KIND,…")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<Text<Kinds>>,

    /// How many files one sender may have in the queue at once, or none
    #[arg(long, value_name = "COUNT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_entries: Option<Text<Limit<Count>>>,

    /// The longest file, or none
    #[arg(long, value_name = "SIZE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_file_size: Option<Text<Limit<Size>>>,

    /// All files together that one sender may send at once, or none
    #[arg(long, value_name = "SIZE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total_size: Option<Text<Limit<Size>>>,

    /// How many files of one sender move at the same time
    #[arg(long, value_name = "COUNT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<Text<Count>>,

    /// Whether sending begins at once, or when the sender says so
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_upload: Option<Text<bool>>,

    /// How long an open upload may stay silent before it is set aside
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_timeout: Option<Text<Span>>,

    /// Whether folders are taken, with their paths
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directories: Option<Text<bool>>,
}

/// The command of `longhaul serve`, with the environment variable and the default of
/// each option in its help.
pub fn documented(serve: clap::Command) -> clap::Command {
    let defaults = layers::default_texts();
    serve.mut_args(|arg| {
        let key = arg.get_id().as_str().to_owned();
        if key == "help" {
            return arg;
        }
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let mut help = format!("{help} [env: {}]", layers::variable(&key));
        if let Some(default) = defaults.get(&key) {
            help.push_str(&format!(" [default: {default}]"));
        }
        arg.help(help)
    })
}
