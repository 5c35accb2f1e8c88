//! Where the built page is, and how its files are called.
//!
//! cargo-leptos tells the programs that it starts by environment variables. A program
//! that somebody else starts finds the page by itself: next to it, or beside its
//! folder as in `target/release/longhaul` and `target/site`.

use std::path::{Path, PathBuf};

use leptos::config::{Env, LeptosOptions};

const OUTPUT_NAME: &str = "longhaul";
const PKG_DIR: &str = "pkg";
const HASH_FILE: &str = "hash.txt";

/// The built page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The folder of its files.
    pub root: PathBuf,
    /// The file that says which hashes are in their names, if they have any.
    pub hashes: Option<PathBuf>,
}

impl Site {
    /// Finds the page. `given` is where it shall be, `exe` the program, and `dir` the
    /// working directory.
    pub fn find(given: Option<&Path>, exe: Option<&Path>, dir: &Path) -> Self {
        let beside = exe.and_then(Path::parent);
        let places = [
            beside.map(|folder| folder.join("site")),
            beside
                .and_then(Path::parent)
                .map(|folder| folder.join("site")),
        ];
        let root = match given {
            Some(root) => dir.join(root),
            None => places
                .into_iter()
                .flatten()
                .find(|root| root.join(PKG_DIR).is_dir())
                .unwrap_or_else(|| dir.join("target/site")),
        };
        // A hash file of another build names files that are not there.
        let hashes = [Some(root.as_path()), beside]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(HASH_FILE))
            .find(|file| names_a_file_in(file, &root.join(PKG_DIR)));
        Self { root, hashes }
    }

    /// What Leptos wants to know. `variable` gives the environment variables that
    /// cargo-leptos sets.
    pub fn leptos_options(&self, variable: impl Fn(&str) -> Option<String>) -> LeptosOptions {
        let env = match variable("LEPTOS_ENV").as_deref() {
            Some("DEV" | "dev" | "development") => Env::DEV,
            _ if variable("LEPTOS_WATCH").is_some() => Env::DEV,
            _ => Env::PROD,
        };
        let port = variable("LEPTOS_RELOAD_PORT").and_then(|port| port.parse().ok());
        let hashes = self.hashes.as_deref().unwrap_or(Path::new(HASH_FILE));
        LeptosOptions::builder()
            .output_name(OUTPUT_NAME)
            .site_root(self.root.to_string_lossy())
            .site_pkg_dir(PKG_DIR)
            .env(env)
            .reload_port(port.unwrap_or(3001))
            // Leptos looks next to the program, unless the path is absolute.
            .hash_file(hashes.to_string_lossy().into())
            .hash_files(self.hashes.is_some())
            .build()
    }
}

/// Whether the script that a hash file names is in the folder.
fn names_a_file_in(hashes: &Path, pkg: &Path) -> bool {
    let text = std::fs::read_to_string(hashes).unwrap_or_default();
    let hash = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("js:"));
    hash.is_some_and(|hash| {
        let script = format!("{OUTPUT_NAME}.{}.js", hash.trim());
        pkg.join(script).is_file()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn write(path: PathBuf, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn the_page_of_a_release_is_found_from_anywhere() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        write(target.join("site/pkg/longhaul.AbC.js"), "");
        write(
            target.join("release/hash.txt"),
            "js: AbC\nwasm: D\ncss: E\n",
        );
        let exe = target.join("release/longhaul");
        let site = Site::find(None, Some(&exe), Path::new("/elsewhere"));
        assert_eq!(site.root, target.join("site"));
        assert_eq!(site.hashes, Some(target.join("release/hash.txt")));
        let options = site.leptos_options(|_| None);
        assert!(options.hash_files && matches!(options.env, Env::PROD));
        assert_eq!(
            *options.hash_file,
            *target.join("release/hash.txt").to_string_lossy()
        );
    }

    #[test]
    fn a_hash_file_of_another_build_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        write(target.join("site/pkg/longhaul.js"), "");
        write(target.join("debug/hash.txt"), "js: old\n");
        let exe = target.join("debug/longhaul");
        let site = Site::find(None, Some(&exe), dir.path());
        assert_eq!(site.hashes, None);
    }

    #[test]
    fn the_folder_that_is_given_wins() {
        let dir = tempfile::tempdir().unwrap();
        let site = Site::find(Some(Path::new("mine")), None, dir.path());
        assert_eq!(site.root, dir.path().join("mine"));
        let site = Site::find(None, None, dir.path());
        assert_eq!(site.root, dir.path().join("target/site"));
    }

    #[test]
    fn under_cargo_leptos_watch_pages_reload() {
        let site = Site {
            root: "x".into(),
            hashes: None,
        };
        let options = site.leptos_options(|name| match name {
            "LEPTOS_WATCH" => Some("ON".into()),
            "LEPTOS_RELOAD_PORT" => Some("4001".into()),
            _ => None,
        });
        assert!(matches!(options.env, Env::DEV));
        assert_eq!(options.reload_port, 4001);
    }
}
