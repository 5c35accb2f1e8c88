//! Troubles in the words of a terminal, where nothing can be clicked.

use std::io::Write;

use super::source::Fault;
use crate::protocol::trouble::Trouble;

/// What happened and what to do, for a person.
pub fn sentence(trouble: &Trouble) -> String {
    let text = match trouble {
        Trouble::TakenOver => "Its upload is being continued from somewhere else.",
        Trouble::Changed => "It was changed while it was being sent. Send it again when it rests.",
        Trouble::Vanished => "It cannot be read any more.",
        Trouble::Different => "Its contents are not those of which a part was sent before.",
        Trouble::Corrupt => {
            "Its data arrived damaged several times. Check the network, then send it again."
        }
        Trouble::Ended => "Its upload was ended on the server. Send it again to begin anew.",
        Trouble::TooMany { limit } => {
            return format!("The server takes at most {limit} files at once.");
        }
        Trouble::NoFolders => "The server takes no folders. Name the files one by one.",
        other => return other.to_string(),
    };
    text.to_owned()
}

/// Why a file could not be read, as one word for a script.
pub fn fault(fault: &Fault) -> &'static str {
    match fault {
        Fault::Changed => "changed",
        Fault::Unreadable(_) => "unreadable",
    }
}

/// Text from outside as a terminal may show it: nothing in it steers the terminal.
pub fn printable(text: &str) -> String {
    let safe = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(safe).collect()
}

/// Says on standard error why the program does not do what it was told.
pub fn complain(error: &dyn std::fmt::Display) {
    // Whoever closed it does not want to know.
    let _ = writeln!(std::io::stderr(), "longhaul: {error}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2J\n.txt"), "a\u{fffd}[2J\u{fffd}.txt");
    }
}
