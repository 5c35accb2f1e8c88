//! What a client says of a file before it sends it, and what a server demands.

use serde::{Deserialize, Serialize};

use super::trouble::Trouble;

/// The longest path in a manifest, in bytes.
pub const MAX_PATH: usize = 4096;

/// The longest file that can be described, in bytes: 8 PiB, to which a browser counts
/// exactly.
pub const MAX_SIZE: u64 = 1 << 53;

/// The longest media type in a manifest, in bytes.
pub const MAX_MEDIA_TYPE: usize = 127;

/// A file as its sender describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The path within the dropped folder, `/` between its parts, the file's own
    /// name last. As the sender's system has it: the server makes it safe.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// Last modification, in milliseconds since 1970, where it is known.
    pub modified: Option<i64>,
    /// The media type as the browser guesses it; empty if it does not.
    pub media_type: String,
}

impl Manifest {
    /// The file's own name: the last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The longest file that is sent without waiting for the server's answer to `Open`, in
/// bytes: it fits in one frame and is a single block, so nothing of it can be there.
pub const SMALL: u64 = 64 * 1024;

/// How many small files take the place of one large one.
const SMALL_PER_PLACE: u32 = 16;

/// What a server accepts: LiveView's upload options. Checked early by the client,
/// to say it before a byte is sent, and enforced by the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Extensions (`.pdf`) and media types (`image/*`, `text/plain`); empty: any.
    pub accept: Vec<String>,
    /// How many files one client may have in its queue at once.
    pub max_entries: Option<u32>,
    /// The longest file, in bytes.
    pub max_file_size: Option<u64>,
    /// The sum of all files that one client may send at once, in bytes.
    pub max_total_size: Option<u64>,
    /// How many uploads of one client move at the same time; sixteen that are [`SMALL`]
    /// count as one.
    pub max_concurrency: u32,
    /// Whether sending begins at once, or when a person says so.
    pub auto_upload: bool,
    /// How long an open upload may stay silent before the server lets it go, in
    /// milliseconds.
    pub chunk_timeout: u64,
    /// Whether folders are taken, with their paths.
    pub directories: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            accept: Vec::new(),
            max_entries: None,
            max_file_size: None,
            max_total_size: None,
            max_concurrency: 4,
            auto_upload: true,
            chunk_timeout: 60_000,
            directories: true,
        }
    }
}

impl Limits {
    /// How much moves at the same time at most, as [`Limits::weight`] counts it.
    pub fn room(&self) -> u32 {
        self.max_concurrency.max(1).saturating_mul(SMALL_PER_PLACE)
    }

    /// How much of that an upload of so many bytes takes.
    pub fn weight(size: u64) -> u32 {
        if size > SMALL { SMALL_PER_PLACE } else { 1 }
    }

    /// How many uploads of one client can move at the same time.
    pub fn most_streams(&self) -> usize {
        self.room() as usize
    }

    /// Checks one file by itself; the first rule that it breaks is the error.
    pub fn check(&self, manifest: &Manifest) -> Result<(), Trouble> {
        let name = manifest.name();
        if name.is_empty() || manifest.path.len() > MAX_PATH {
            return Err(Trouble::BadName);
        }
        if manifest.media_type.len() > MAX_MEDIA_TYPE {
            return Err(Trouble::BadName);
        }
        if !self.directories && manifest.path.contains('/') {
            return Err(Trouble::NoFolders);
        }
        let limit = self.max_file_size.unwrap_or(MAX_SIZE).min(MAX_SIZE);
        if manifest.size > limit {
            return Err(Trouble::TooLarge { limit });
        }
        if !self.accept.is_empty() && !self.accept.iter().any(|rule| accepts(rule, manifest)) {
            return Err(Trouble::NotAccepted {
                accept: self.accept.join(", "),
            });
        }
        Ok(())
    }

    /// Whether there is a limit on a queue as a whole.
    pub fn bounds_queue(&self) -> bool {
        self.max_entries.is_some() || self.max_total_size.is_some()
    }

    /// Checks a queue of `entries` files of together `total` bytes.
    pub fn check_queue(&self, entries: u64, total: u64) -> Result<(), Trouble> {
        if let Some(limit) = self.max_entries
            && entries > u64::from(limit)
        {
            return Err(Trouble::TooMany { limit });
        }
        if let Some(limit) = self.max_total_size
            && total > limit
        {
            return Err(Trouble::TotalTooLarge { limit });
        }
        Ok(())
    }
}

/// Whether a rule of [`Limits::accept`] admits the file. Rules are those of HTML's
/// `accept`: an extension with its dot, a media type, or a media type's first half
/// with `/*`; case does not matter.
fn accepts(rule: &str, manifest: &Manifest) -> bool {
    let rule = rule.trim().to_ascii_lowercase();
    let media_type = manifest.media_type.to_ascii_lowercase();
    if rule.starts_with('.') {
        manifest.name().to_ascii_lowercase().ends_with(&rule)
    } else if let Some(family) = rule.strip_suffix("/*") {
        media_type.split('/').next() == Some(family)
    } else {
        media_type == rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: u64, media_type: &str) -> Manifest {
        Manifest {
            path: path.into(),
            size,
            modified: None,
            media_type: media_type.into(),
        }
    }

    #[test]
    fn each_rule_is_named_by_its_trouble() {
        let limits = Limits {
            accept: vec![".PDF".into(), "image/*".into()],
            max_entries: Some(2),
            max_file_size: Some(10),
            max_total_size: Some(15),
            directories: false,
            ..Limits::default()
        };
        assert_eq!(limits.check(&file("a.pdf", 10, "")), Ok(()));
        assert_eq!(limits.check(&file("a", 10, "image/png")), Ok(()));
        assert_eq!(
            limits.check(&file("a.pdf", 11, "")),
            Err(Trouble::TooLarge { limit: 10 })
        );
        assert_eq!(
            limits.check(&file("d/a.pdf", 1, "")),
            Err(Trouble::NoFolders)
        );
        assert_eq!(limits.check(&file("", 1, "")), Err(Trouble::BadName));
        assert!(matches!(
            limits.check(&file("pdf", 1, "text/plain")),
            Err(Trouble::NotAccepted { .. })
        ));
        assert_eq!(limits.check_queue(2, 15), Ok(()));
        assert_eq!(limits.check_queue(3, 0), Err(Trouble::TooMany { limit: 2 }));
        assert_eq!(
            limits.check_queue(1, 16),
            Err(Trouble::TotalTooLarge { limit: 15 })
        );
    }
}
