#![allow(clippy::unwrap_used)]

use clap::{Args, FromArgMatches, Parser};
use tempfile::TempDir;

use super::*;
use crate::cli::{Cli, Task};

/// Where a server would start: flags, environment and a file.
struct Place {
    dir: TempDir,
    environment: Vec<(String, String)>,
    flags: Vec<&'static str>,
}

impl Place {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            environment: vec![("PATH".into(), "/bin".into())],
            flags: Vec::new(),
        }
    }

    fn file(self, text: &str) -> Self {
        std::fs::write(self.dir.path().join("longhaul.toml"), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn flags(mut self, flags: &[&'static str]) -> Self {
        self.flags = [&["longhaul", "serve"], flags].concat();
        self
    }

    fn load(&self) -> Result<Config, String> {
        let flags = match self.flags.as_slice() {
            [] => Options::default(),
            flags => match Cli::try_parse_from(flags).map_err(|e| e.to_string())?.task {
                Some(Task::Serve(options)) => *options,
                _ => unreachable!(),
            },
        };
        Config::from_layers(&flags, &self.environment, self.dir.path(), None)
            .map_err(|e| e.to_string())
    }

    fn refused(&self) -> String {
        self.load().unwrap_err()
    }
}

#[test]
fn nothing_said_is_a_server_on_this_machine() {
    let place = Place::new();
    let config = place.load().unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.data, place.dir.path().join("data"));
    assert_eq!(config.memory, 24 * 1024 * 1024);
    assert_eq!(config.expire_after, Some(Duration::from_secs(7 * 86_400)));
    assert_eq!(config.shutdown, Duration::from_secs(10));
    assert_eq!(config.log_format, LogFormat::Text);
    // The limits of the library are those of the program.
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let place = Place::new().file("memory = '5 MiB'\nshutdown = '5s'\nmax_concurrency = 5");
    assert_eq!(place.load().unwrap().memory, 5 << 20);
    let place = place
        .variable("LONGHAUL_MEMORY", "6 MiB")
        .variable("LONGHAUL_SHUTDOWN", "6s");
    assert_eq!(place.load().unwrap().memory, 6 << 20);
    let config = place.flags(&["--memory", "7 MiB"]).load().unwrap();
    assert_eq!(config.memory, 7 << 20);
    assert_eq!(config.shutdown, Duration::from_secs(6));
    assert_eq!(config.limits.max_concurrency, 5);
}

#[test]
fn every_option_can_be_given_in_every_place() {
    let values = [
        ("listen", "127.0.0.1:4000"),
        ("open", "true"),
        ("hosts", "a.example, b.example"),
        ("data", "somewhere"),
        ("site_root", "site"),
        ("memory", "8 MiB"),
        ("expire_after", "none"),
        ("shutdown", "1min"),
        ("log", "warn,longhaul=debug"),
        ("log_format", "json"),
        ("preset", "batch"),
        ("accept", ".pdf, image/*"),
        ("max_entries", "12"),
        ("max_file_size", "20 GiB"),
        ("max_total_size", "none"),
        ("max_concurrency", "3"),
        ("auto_upload", "false"),
        ("chunk_timeout", "500ms"),
        ("directories", "false"),
    ];
    let known = Options::augment_args(clap::Command::new("x"));
    let known = known.get_arguments().filter(|arg| arg.get_id() != "config");
    assert_eq!(known.count(), values.len());

    let mut by_flag = Place::new();
    let mut by_variable = Place::new();
    let mut file = String::new();
    let mut flags = vec!["longhaul".to_owned()];
    for (key, value) in values {
        by_variable = by_variable.variable(&layers::variable(key), value);
        file.push_str(&format!("{key} = {value:?}\n"));
        flags.push(format!("--{}={value}", key.replace('_', "-")));
    }
    let parsed = Options::augment_args(clap::Command::new("longhaul")).get_matches_from(flags);
    let flags = Options::from_arg_matches(&parsed).unwrap();
    by_flag.environment.clear();
    let load = |flags: &Options, place: &Place| {
        let dir = Path::new("/srv");
        if place.dir.path().join("longhaul.toml").exists() {
            let named = Options {
                config: Some(place.dir.path().join("longhaul.toml")),
                ..flags.clone()
            };
            return Config::from_layers(&named, &place.environment, dir, None).unwrap();
        }
        Config::from_layers(flags, &place.environment, dir, None).unwrap()
    };
    let config = load(&flags, &by_flag);
    assert_eq!(config, load(&Options::default(), &by_variable));
    assert_eq!(config, load(&Options::default(), &Place::new().file(&file)));

    assert_eq!(config.hosts, ["a.example", "b.example"]);
    assert_eq!(config.data, Path::new("/srv/somewhere"));
    assert_eq!(config.expire_after, None);
    assert_eq!(config.preset, Preset::Batch);
    let limits = Limits {
        accept: vec![".pdf".into(), "image/*".into()],
        max_entries: Some(12),
        max_file_size: Some(20 << 30),
        max_total_size: None,
        max_concurrency: 3,
        auto_upload: false,
        chunk_timeout: 500,
        directories: false,
    };
    assert_eq!(config.limits, limits);
}

#[test]
fn a_file_may_write_numbers_and_lists_as_such() {
    let place = Place::new().file(
        "open = true\nmemory = 2097152\nmax_entries = 7\naccept = ['.pdf', 'text/plain']\nhosts = []",
    );
    let config = place.load().unwrap();
    assert_eq!(config.memory, 2 << 20);
    assert_eq!(config.limits.max_entries, Some(7));
    assert_eq!(config.limits.accept, [".pdf", "text/plain"]);
}

#[test]
fn a_preset_gives_the_numbers_that_are_not_given() {
    let place = Place::new().variable("LONGHAUL_PRESET", "small");
    let config = place.file("max_concurrency = 2").load().unwrap();
    assert_eq!(config.limits.max_file_size, Some(100 << 20));
    assert_eq!(config.limits.max_concurrency, 2);
    for preset in Preset::ALL {
        let name = format!("{preset:?}").to_lowercase();
        let config = Place::new()
            .variable("LONGHAUL_PRESET", &name)
            .load()
            .unwrap();
        // They differ in numbers only.
        let limits = Limits::default();
        assert_eq!(config.preset, preset);
        assert_eq!(config.limits.accept, limits.accept);
        assert_eq!(config.limits.auto_upload, limits.auto_upload);
        assert_eq!(config.limits.directories, limits.directories);
    }
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_with_what_there_is() {
    let error = Place::new().file("max_fil_size = 1").refused();
    assert!(error.contains("longhaul.toml"), "{error}");
    assert!(error.contains("\"max_fil_size\""), "{error}");
    assert!(error.contains("max_file_size"), "{error}");

    let error = Place::new().variable("LONGHAUL_MEMROY", "1").refused();
    assert!(error.contains("the environment"), "{error}");
    assert!(error.contains("\"LONGHAUL_MEMROY\""), "{error}");
    assert!(error.contains("LONGHAUL_MEMORY"), "{error}");

    let error = Place::new().flags(&["--memroy", "1"]).refused();
    assert!(
        error.contains("--memroy") && error.contains("--memory"),
        "{error}"
    );
}

#[test]
fn a_bad_value_is_named_with_its_place_and_with_what_is_allowed() {
    let error = Place::new().file("memory = '12 parsecs'").refused();
    for part in ["memory in ", "longhaul.toml", "\"12 parsecs\"", "64 MiB"] {
        assert!(error.contains(part), "{error}");
    }
    let place = Place::new().variable("LONGHAUL_EXPIRE_AFTER", "soon");
    let error = place.refused();
    for part in [
        "LONGHAUL_EXPIRE_AFTER in the environment",
        "\"soon\"",
        "7days, or none",
    ] {
        assert!(error.contains(part), "{error}");
    }
    // Also where a flag covers it.
    let error = place.flags(&["--expire-after", "1h"]).refused();
    assert!(error.contains("\"soon\""), "{error}");
    let error = Place::new().flags(&["--listen", "everywhere"]).refused();
    assert!(
        error.contains("--listen") && error.contains("[::1]:3000"),
        "{error}"
    );

    for (key, value) in [
        ("open", "yes"),
        ("open", "1"),
        ("hosts", "http://a.example/"),
        ("data", ""),
        ("memory", "0"),
        ("memory", "-1"),
        ("shutdown", "10"),
        ("shutdown", "0s"),
        ("log", "longhaul=loud"),
        ("log_format", "xml"),
        ("preset", "huge"),
        ("accept", "pdf"),
        ("accept", "*/*"),
        ("max_entries", "0"),
        ("max_file_size", "2.5 cubits"),
        ("max_concurrency", "none"),
        ("chunk_timeout", "never"),
    ] {
        let error = Place::new()
            .variable(&layers::variable(key), value)
            .refused();
        assert!(error.contains(&layers::variable(key)), "{key}: {error}");
        assert!(error.contains("expected"), "{key}: {error}");
    }
}

#[test]
fn a_file_that_is_named_must_be_there_and_be_toml() {
    let error = Place::new().flags(&["--config", "none.toml"]).refused();
    assert!(error.contains("none.toml"), "{error}");
    let error = Place::new()
        .variable("LONGHAUL_CONFIG", "none.toml")
        .refused();
    assert!(error.contains("none.toml"), "{error}");
    let error = Place::new().file("memory = ").refused();
    assert!(error.contains("longhaul.toml cannot be read"), "{error}");
    let error = Place::new().file("config = 'other.toml'").refused();
    assert!(error.contains("no option"), "{error}");
}

#[test]
fn listening_for_others_has_to_be_said_out_loud() {
    for address in ["0.0.0.0:3000", "[::]:80", "192.168.1.2:3000"] {
        let place = Place::new().variable("LONGHAUL_LISTEN", address);
        let error = place.refused();
        assert!(
            error.contains(address) && error.contains("--open"),
            "{error}"
        );
        assert!(place.flags(&["--open"]).load().is_ok());
    }
    for address in [
        "127.0.0.1:0",
        "[::1]:3000",
        "127.8.8.8:1",
        "[::ffff:127.0.0.1]:1",
    ] {
        let place = Place::new().variable("LONGHAUL_LISTEN", address);
        assert!(place.load().is_ok(), "{address}");
    }
}

#[test]
fn too_little_memory_is_refused() {
    let error = Place::new().flags(&["--memory", "100 kB"]).refused();
    assert!(error.contains("1 MiB at least"), "{error}");
}

#[test]
fn what_cargo_leptos_wants_counts_where_nobody_says_otherwise() {
    let place = Place::new()
        .variable("LEPTOS_SITE_ADDR", "127.0.0.1:3456")
        .variable("LEPTOS_SITE_ROOT", "target/site");
    let config = place.load().unwrap();
    assert_eq!(config.listen.port(), 3456);
    assert_eq!(config.site.root, place.dir.path().join("target/site"));
    let place = place.file("listen = '127.0.0.1:1'");
    assert_eq!(place.load().unwrap().listen.port(), 1);
}

#[test]
fn without_a_task_the_program_serves() {
    assert!(Cli::try_parse_from(["longhaul"]).unwrap().task.is_none());
}

#[test]
fn help_tells_the_variable_the_default_and_the_unit_of_each_option() {
    Cli::documented().debug_assert();
    let mut command = Cli::documented();
    let serve = command.find_subcommand_mut("serve").unwrap();
    let help = serve.render_long_help().to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "[env: LONGHAUL_MAX_FILE_SIZE]",
        "[default: 127.0.0.1:3000]",
        "[default: 24 MiB]",
        "[default: 7days]",
        "[default: false]",
        "[default: by preset; small: 6; large: 4; batch: 16]",
        "[default: empty]",
        "[default: by preset; small: 100 MiB; large: none; batch: 10 GiB]",
        "LONGHAUL_MAX_FILE_SIZE=\"20 GiB\"",
    ] {
        assert!(help.contains(part), "{part:?} is not in\n{help}");
    }
}
