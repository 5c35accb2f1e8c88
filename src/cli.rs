//! The command line.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::native::command;
use crate::server::config;

/// Receives large files through a browser and does not lose them.
#[derive(Debug, Parser)]
#[command(name = "longhaul", version)]
pub struct Cli {
    /// What to do; `serve` where nothing is said.
    #[command(subcommand)]
    pub task: Option<Task>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Runs the server.
    ///
    /// Every option can be given as a flag, as an environment variable, and as a key
    /// in a TOML file, where its name has underscores: --max-file-size "20 GiB",
    /// LONGHAUL_MAX_FILE_SIZE="20 GiB", max_file_size = "20 GiB". Flags win over the
    /// environment, the environment wins over the file.
    Serve(Box<config::Options>),
    /// Sends files and folders to a server.
    ///
    /// Whatever interrupts it, the same command goes on from where it was. What is
    /// stored is told with its link and its BLAKE3, the digest that b3sum prints.
    #[command(after_help = command::EXIT_CODES)]
    Send(Box<command::Options>),
}

impl Cli {
    /// Reads the command line of this process. Ends it, with a message, if help was
    /// asked for or something is wrong.
    pub fn read() -> Self {
        let matches = Self::documented().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|e| e.exit())
    }

    /// The command line, with all there is to say about each option in its help.
    pub fn documented() -> clap::Command {
        Self::command().mut_subcommand("serve", config::documented)
    }
}
