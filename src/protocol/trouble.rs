//! What can go wrong with one upload: one enum, each case with its class and with
//! a sentence that says what happened and what to do.

use serde::{Deserialize, Serialize};

use crate::units::Bytes;

/// Why an upload does not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// The file is longer than the server takes.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// All files together are more than the server takes from one sender.
    TotalTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// More files than the server takes from one sender at once.
    TooMany {
        /// The limit.
        limit: u32,
    },
    /// The kind of file is not wanted.
    NotAccepted {
        /// What is, as the configuration says it.
        accept: String,
    },
    /// The server takes no folders.
    NoFolders,
    /// The name is empty or too long.
    BadName,
    /// The server's disk is full.
    DiskFull,
    /// The server could not write.
    Storage,
    /// The server has no room for another upload now.
    Busy,
    /// Nothing arrived for longer than [`super::manifest::Limits::chunk_timeout`].
    Silent,
    /// Another connection continues this upload.
    TakenOver,
    /// The source file was changed while it was read.
    Changed,
    /// The source file cannot be read any more.
    Vanished,
    /// The file picked to continue is not the one that was begun.
    Different,
    /// Bytes arrived damaged again and again.
    Corrupt,
    /// The upload was cancelled from somewhere else, or has expired.
    Ended,
    /// The server met a fault of its own.
    Internal,
    /// Somebody else proved to have the file and continues this upload, or has
    /// finished it.
    Elsewhere,
}

/// Who can do something about a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The client tries again by itself, soon.
    Retry,
    /// The server is in trouble: the client waits and then tries again.
    Wait,
    /// A person must do something.
    Act,
    /// This will not work; trying again changes nothing.
    Final,
}

impl Trouble {
    /// It as one word, for scripts and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::TotalTooLarge { .. } => "total-too-large",
            Self::TooMany { .. } => "too-many",
            Self::NotAccepted { .. } => "not-accepted",
            Self::NoFolders => "no-folders",
            Self::BadName => "bad-name",
            Self::DiskFull => "disk-full",
            Self::Storage => "storage",
            Self::Busy => "server-busy",
            Self::Silent => "silent",
            Self::TakenOver => "taken-over",
            Self::Elsewhere => "elsewhere",
            Self::Changed => "changed",
            Self::Vanished => "vanished",
            Self::Different => "different",
            Self::Corrupt => "corrupt",
            Self::Ended => "ended",
            Self::Internal => "internal",
        }
    }

    /// Who can do something about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Silent | Self::Internal => Class::Retry,
            Self::DiskFull | Self::Storage | Self::Busy => Class::Wait,
            Self::TakenOver
            | Self::Changed
            | Self::Vanished
            | Self::Different
            | Self::Corrupt
            | Self::Ended
            | Self::Elsewhere => Class::Act,
            Self::TooLarge { .. }
            | Self::TotalTooLarge { .. }
            | Self::TooMany { .. }
            | Self::NotAccepted { .. }
            | Self::NoFolders
            | Self::BadName => Class::Final,
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { limit } => {
                write!(f, "This file is too large: at most {} each.", Bytes(*limit))
            }
            Self::TotalTooLarge { limit } => {
                write!(f, "Together these files are too large: at most {} at once.", Bytes(*limit))
            }
            Self::TooMany { limit } => {
                write!(f, "Too many files: at most {limit} at once. Add it when others are done.")
            }
            Self::NotAccepted { accept } => {
                write!(f, "This kind of file is not taken here. Accepted: {accept}.")
            }
            Self::NoFolders => f.write_str("Folders are not taken here. Add the files one by one."),
            Self::BadName => f.write_str("This name is empty or too long. Rename the file."),
            Self::DiskFull => f.write_str(
                "The server’s disk is full. Nothing is lost; it goes on when there is room.",
            ),
            Self::Storage => f.write_str(
                "The server cannot write at the moment. Nothing is lost; it tries again.",
            ),
            Self::Busy => f.write_str("The server is busy. It goes on when there is room."),
            Self::Silent => f.write_str("Nothing arrived for a while. It tries again."),
            Self::TakenOver => f.write_str("This upload goes on in another window. Retry to continue it here."),
            Self::Changed => {
                f.write_str("The file was changed while it was being sent. Pick it again.")
            }
            Self::Vanished => f.write_str(
                "The file cannot be read any more: it was moved, changed or deleted. Pick it again.",
            ),
            Self::Different => f.write_str(
                "This is not the same file: its contents differ from what was already sent. \
                 Pick the original, or cancel and start anew.",
            ),
            Self::Corrupt => f.write_str(
                "The data arrived damaged several times. Check the network, then retry.",
            ),
            Self::Ended => f.write_str("This upload was ended elsewhere. Retry to start it anew."),
            Self::Internal => f.write_str("The server had a fault. It tries again."),
            Self::Elsewhere => f.write_str(
                "Another device has continued this upload. Retry to send it from here too.",
            ),
        }
    }
}
