//! What a page and the engine that uploads for it say to each other.
//!
//! The engine may live in the page, in a worker, or in a worker that several pages
//! share; between them there is always a message port, and these are its messages.
//! `File` objects travel beside a message, in the order in which it names them.
//!
//! A page attaches, and is told everything; it detaches when it is put away, and is
//! told nothing. An engine may end at any time and another take its place: a page that
//! finds itself attached to another one offers it the files that it gave the last.

use serde::{Deserialize, Serialize};

use crate::protocol::id::FileId;
use crate::protocol::live::{LiveUpload, Pulse, Topic};
use crate::protocol::manifest::{Limits, Manifest};
use crate::protocol::recorder::Flight;
pub use crate::protocol::sender::{Key, Note, Row, RowState};

/// Some uploads, or all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// These.
    These(Vec<Key>),
    /// Every upload to which the command applies.
    All,
}

impl From<Key> for Which {
    fn from(key: Key) -> Self {
        Self::These(vec![key])
    }
}

/// Names an engine among all that ever ran in this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineId(pub u64);

/// A file that was picked, under a name that stays the same wherever it is handed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// The name, by chance.
    pub tag: Tag,
    /// What is said of it.
    pub manifest: Manifest,
    /// Whether it was picked for an upload that was there already.
    pub again: bool,
}

/// Names a picked file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag(pub u64);

/// Where a page found its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a worker that all tabs share and that outlives them.
    Shared,
    /// In a worker of the page.
    Worker,
    /// In the page itself.
    Page,
}

impl Place {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::Shared, Self::Worker, Self::Page];

    /// The word in `data-engine`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Worker => "worker",
            Self::Page => "page",
        }
    }
}

/// What a page asks of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// The page is there. Answered by [`Report::Attached`].
    Attach {
        /// Which of its visits this is.
        visit: Visit,
        /// Names the page's lock of life, if it has one: when that is free, it is gone.
        life: Option<u64>,
        /// What it watches.
        topics: Vec<Topic>,
    },
    /// The page was put away; it may come back or not.
    Detach,
    /// Files are likely to come soon: it connects already, so that they need not wait for that.
    Expect,
    /// Takes files into the queue: a `File`, and a handle or `null`, beside it each.
    /// Answered by [`Report::Added`].
    Add(Vec<Given>),
    /// The same for files that were given to an earlier engine, which may have sent them.
    Offer(Vec<Given>),
    /// Gives an upload the file that it needs; the `File`, and a handle or `null`,
    /// are beside it. Answered by [`Report::Added`].
    Provide(Key, Given),
    /// Starts uploads that wait because `auto_upload` is off, and resumes paused ones.
    Resume(Which),
    /// Pauses; what is durable stays on the server.
    Pause(Which),
    /// Tries again what failed or waits.
    Retry(Which),
    /// Ends uploads, and deletes what is on the server of unfinished ones.
    Cancel(Which),
    /// Calls a file something else, as long as nothing of it was sent.
    Rename(Key, String),
    /// Puts uploads elsewhere in the list, before another one or at its end; from then on
    /// they are sent in the order of the list.
    Arrange(Vec<Key>, Option<Key>),
    /// What the server will probably accept, as it said to the page: it counts until the
    /// server says it to the engine.
    Limits(Limits),
    /// Takes finished uploads off the list.
    Clear,
    /// Begins to watch.
    Watch(Topic),
    /// Ends the watch.
    Unwatch(Topic),
    /// Begins to look at how an upload goes: [`Report::Flight`] comes now and then, until the
    /// page looks away or is put away.
    Look(Key),
    /// Looks away.
    LookAway(Key),
    /// What the page sees of the world.
    World(World),
    /// Connects again at once, also after a refusal.
    Reconnect,
}

/// What a page sees of the world, as far as the connection is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum World {
    /// The page became visible.
    Visible,
    /// The browser has a network again.
    Online,
    /// The browser has no network.
    Offline,
}

/// What a page hears.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Told {
    /// There may be another engine now: the page shall attach to it.
    Here {
        /// Names the lock of life of the place where the page found it.
        life: u64,
    },
    /// A newer version of the page, in another tab, took the uploads over.
    Outdated,
    /// What an engine reports to the page on this visit. It may come late, after another
    /// engine took over; then the page has attached anew, and does not listen to it.
    Report(Visit, Report),
}

/// Counts how often a page attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit(pub u32);

impl Visit {
    /// The one after this.
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What the engine tells its pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// Everything that there is to know, to a page that attached.
    Attached {
        /// Who reports.
        engine: EngineId,
        /// All uploads that there are.
        keys: Vec<Key>,
        /// The first rows; the others follow.
        rows: Vec<Row>,
        /// The state of the connection.
        link: Link,
        /// What the server accepts, if that is known.
        limits: Option<Limits>,
    },
    /// Which uploads the given files belong to; those that nobody needs, to none.
    Added(Vec<(Tag, Option<Key>)>),
    /// Rows that are new or changed, whole, and rows that are gone.
    Rows {
        /// New or changed.
        changed: Vec<Row>,
        /// Gone from the list.
        removed: Vec<Key>,
    },
    /// The state of the connection changed.
    Connection(Link),
    /// What the server accepts.
    Limits(Limits),
    /// Everything about a topic that is watched.
    Snapshot(Topic, Vec<LiveUpload>),
    /// What changed about a topic that is watched: changed uploads, and gone ones.
    Changed(Topic, Vec<LiveUpload>, Vec<FileId>),
    /// What went through the server, to whoever watches [`Topic::Live`].
    Pulse(Pulse),
    /// How an upload went up to now, to a page that looks at it.
    Flight(Key, Box<Flight>),
}

/// The connection as a page shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// There is nothing to be connected for.
    #[default]
    Idle,
    /// It is being opened.
    Connecting,
    /// It is open.
    Open,
    /// It broke; the next try comes in so many milliseconds.
    Waiting {
        /// Milliseconds from the moment of this report.
        retry_in: u64,
    },
    /// The browser has no network.
    Offline,
    /// A newer version of the page, in another tab, took the uploads over.
    Outdated,
    /// The server refused it with this close code; it stays closed until a person
    /// asks for it.
    Closed {
        /// The code of [`crate::protocol::close::CloseCode`].
        code: u16,
    },
}

impl Link {
    /// The word in `data-connection`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Waiting { .. } => "waiting",
            Self::Offline => "offline",
            Self::Outdated => "outdated",
            Self::Closed { .. } => "closed",
        }
    }
}
