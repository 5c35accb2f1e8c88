//! What `longhaul serve` is told to do.
//!
//! The invariant: a [`Config`] fits together. Whatever is not allowed, misspelt or
//! contradictory was refused before, by a sentence that names it.

mod layers;
mod options;
mod site;
mod value;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use leptos::config::LeptosOptions;

pub use self::layers::ConfigError;
pub use self::options::{Options, documented};
pub use self::site::Site;
use self::value::{Limit, Text, Value};
pub use self::value::{LogFormat, Preset};
use super::guard::Hosts;
use crate::protocol::manifest::Limits;

/// The least memory with which uploads move at all.
const LEAST_MEMORY: u64 = 1024 * 1024;

/// The configuration of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Names by which this server may be addressed, besides localhost and addresses;
    /// `*` for any.
    pub hosts: Vec<String>,
    /// The folder in which everything is kept.
    pub data: PathBuf,
    /// The built page.
    pub site: Site,
    /// How many bytes of data may be in memory, of all connections together.
    pub memory: u64,
    /// When an unfinished upload that nobody continues is deleted; `None`: never.
    pub expire_after: Option<Duration>,
    /// How long a stop waits for what is in flight.
    pub shutdown: Duration,
    /// What is logged, as a filter of tracing's.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Which numbers the limits have where they were not given.
    pub preset: Preset,
    /// What is accepted.
    pub limits: Limits,
}

impl Config {
    /// The configuration of this process, whose command line gave `flags`.
    pub fn load(flags: &Options) -> Result<Self, ConfigError> {
        let environment = std::env::vars_os().map(|(name, value)| {
            let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
            (text(name), text(value))
        });
        let environment: Vec<_> = environment.collect();
        let dir = std::env::current_dir().unwrap_or_default();
        Self::from_layers(
            flags,
            &environment,
            &dir,
            std::env::current_exe().ok().as_deref(),
        )
    }

    /// The same, of a process with this environment, working directory and program.
    fn from_layers(
        flags: &Options,
        environment: &[(String, String)],
        dir: &Path,
        exe: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let variable = |name: &str| {
            let found = environment.iter().find(|(found, _)| found == name);
            found.map(|(_, value)| value.as_str())
        };
        let leptos = Leptos {
            site_addr: variable("LEPTOS_SITE_ADDR"),
            site_root: variable("LEPTOS_SITE_ROOT"),
        };
        let options = layers::merge(flags, environment.iter().cloned(), leptos.site_addr, dir)?;
        Self::resolve(options, &leptos, dir, exe)
    }

    fn resolve(
        options: Options,
        leptos: &Leptos<'_>,
        dir: &Path,
        exe: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let listen: SocketAddr = needed(options.listen, "listen")?;
        if !listen.ip().to_canonical().is_loopback() && !needed(options.open, "open")? {
            return Err(ConfigError::Unfit(format!(
                "listening on {listen} lets everyone who can reach this machine upload, read \
                 and delete files, for there is no sign-in yet. If that is what you want, add \
                 --open (LONGHAUL_OPEN=true). If not, listen on 127.0.0.1:{}.",
                listen.port()
            )));
        }
        let memory = needed(options.memory, "memory")?.0;
        if memory < LEAST_MEMORY {
            return Err(ConfigError::Unfit(format!(
                "memory is {memory} bytes, with which nothing moves: expected 1 MiB at least"
            )));
        }
        let site_root = options.site_root.map(|text| text.value);
        let site_root = site_root.or(leptos.site_root.map(PathBuf::from));
        Ok(Self {
            listen,
            hosts: needed(options.hosts, "hosts")?.0,
            data: dir.join(needed(options.data, "data")?),
            site: Site::find(site_root.as_deref(), exe, dir),
            memory,
            expire_after: limit(options.expire_after, "expire_after")?.map(|span| span.0),
            shutdown: needed(options.shutdown, "shutdown")?.0,
            log: needed(options.log, "log")?.0,
            log_format: needed(options.log_format, "log_format")?,
            preset: needed(options.preset, "preset")?,
            limits: Limits {
                accept: needed(options.accept, "accept")?.0,
                max_entries: limit(options.max_entries, "max_entries")?.map(|count| count.0),
                max_file_size: limit(options.max_file_size, "max_file_size")?.map(|size| size.0),
                max_total_size: limit(options.max_total_size, "max_total_size")?.map(|size| size.0),
                max_concurrency: needed(options.max_concurrency, "max_concurrency")?.0,
                auto_upload: needed(options.auto_upload, "auto_upload")?,
                chunk_timeout: millis(needed(options.chunk_timeout, "chunk_timeout")?.0),
                directories: needed(options.directories, "directories")?,
            },
        })
    }

    /// The hosts that a request may name.
    pub fn allowed_hosts(&self) -> Hosts {
        let any = self.hosts.iter().any(|name| name == "*");
        Hosts::new(self.hosts.iter().cloned(), any)
    }

    /// What Leptos wants to know.
    pub fn leptos_options(&self) -> LeptosOptions {
        let mut options = self.site.leptos_options(|name| std::env::var(name).ok());
        options.site_addr = self.listen;
        options
    }
}

/// What cargo-leptos says to a program that it starts.
struct Leptos<'a> {
    site_addr: Option<&'a str>,
    site_root: Option<&'a str>,
}

fn needed<T: Value>(option: Option<Text<T>>, key: &str) -> Result<T, ConfigError> {
    option
        .map(|text| text.value)
        .ok_or_else(|| ConfigError::Unfit(format!("{key} is needed: {}", T::EXPECTED)))
}

fn limit<T>(option: Option<Text<Limit<T>>>, key: &str) -> Result<Option<T>, ConfigError>
where
    Limit<T>: Value,
{
    Ok(needed(option, key)?.0)
}

fn millis(span: Duration) -> u64 {
    span.as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
