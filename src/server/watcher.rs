//! What a connection watches, and what it was told of it.
//!
//! A watcher is told the latest state, not every step to it: while its client does not
//! read, nothing is queued, and what differs then is sent when there is room again. Who
//! watches everything is also told what went through in each second, once it is over, and
//! who is connected; while nothing happens, nothing is said.

use std::collections::HashMap;
use std::time::Duration;

use axum_tws::Message;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::hub::Hub;
use super::socket;
use crate::protocol::MAX_CONTROL;
use crate::protocol::id::FileId;
use crate::protocol::live::{LiveUpload, PULSE, Second, Topic};
use crate::protocol::message::ServerMessage;

/// How often a client is told something at most.
const PACE: Duration = Duration::from_millis(200);
/// How often rates are looked at when nothing else changes.
const GLANCE: Duration = Duration::from_secs(1);

/// How many uploads one message says are gone.
const GONE: usize = 1024;

/// What a connection watches.
pub struct Watcher {
    /// What was told last of each topic; nothing before the snapshot.
    told: HashMap<Topic, Option<HashMap<FileId, LiveUpload>>>,
    /// What was told last of the pulse.
    beat: Option<Beat>,
    /// When to look again at the earliest.
    next: Instant,
    /// Whether something changed since the last look.
    stale: bool,
}

/// What was told of the pulse.
struct Beat {
    /// The first second that was not told.
    next: u64,
    /// How many of the last seconds, in a row, nothing went through.
    still: usize,
    /// Who was connected: sending, watching.
    clients: (u64, u64),
}

impl Default for Watcher {
    fn default() -> Self {
        Self {
            told: HashMap::new(),
            beat: None,
            next: Instant::now(),
            stale: false,
        }
    }
}

impl Watcher {
    /// Begins to watch.
    pub fn watch(&mut self, topic: Topic) {
        self.told.insert(topic, None);
        if topic == Topic::Live {
            self.beat = None;
        }
        self.next = Instant::now();
        self.stale = true;
    }

    /// Stops watching.
    pub fn unwatch(&mut self, topic: Topic) {
        self.told.remove(&topic);
    }

    /// Whether anything is watched.
    pub fn is_watching(&self) -> bool {
        !self.told.is_empty()
    }

    /// Whether nothing is known to have changed since the last look.
    pub fn is_fresh(&self) -> bool {
        !self.stale
    }

    /// Something changed.
    pub fn changed(&mut self) {
        self.stale = true;
    }

    /// When to look again.
    pub fn due(&self) -> Option<Instant> {
        let pause = if self.stale { Duration::ZERO } else { GLANCE };
        self.is_watching().then(|| self.next + pause)
    }

    /// If it is time, tells what differs from what was told, as far as there is room.
    pub fn look(&mut self, hub: &Hub, outbox: &mpsc::Sender<Message>) {
        let now = Instant::now();
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        self.next = now + PACE;
        self.stale = self
            .told
            .iter_mut()
            .any(|(topic, told)| !tell(*topic, told, hub, outbox));
        if self.told.contains_key(&Topic::Live) && !self.stale {
            self.stale = !tell_pulse(&mut self.beat, hub, outbox);
        }
    }
}

/// Tells what went through since it was told last; whether there was room for it.
fn tell_pulse(beat: &mut Option<Beat>, hub: &Hub, outbox: &mpsc::Sender<Message>) -> bool {
    let pulse = hub.pulse(beat.as_ref().map(|beat| beat.next));
    let clients = (pulse.sending, pulse.watching);
    let passed = |second: &&Second| **second == Second::default();
    let mut still = pulse.seconds.iter().rev().take_while(passed).count();
    let before = beat.as_ref().map_or(PULSE, |beat| beat.still);
    if still == pulse.seconds.len() {
        // Where all that a page can show is still, time passes without a word.
        let same = beat.as_ref().is_some_and(|beat| beat.clients == clients);
        if same && (still == 0 || before >= PULSE) {
            return true;
        }
        still += before;
    }
    let Ok(permit) = outbox.try_reserve() else {
        return false;
    };
    *beat = Some(Beat {
        next: pulse.from + pulse.seconds.len() as u64,
        still,
        clients,
    });
    permit.send(socket::outgoing(&ServerMessage::Pulse(pulse)));
    true
}

/// Tells what differs; whether there was room for all of it.
fn tell(
    topic: Topic,
    told: &mut Option<HashMap<FileId, LiveUpload>>,
    hub: &Hub,
    outbox: &mpsc::Sender<Message>,
) -> bool {
    let mut first = told.is_none();
    let known = told.get_or_insert_default();
    let (changed, gone) = hub.news(topic, known);
    let changed = pages(changed).into_iter().map(|page| (page, Vec::new()));
    let gone = gone.chunks(GONE).map(|page| (Vec::new(), page.to_vec()));
    for (uploads, gone) in changed.chain(gone) {
        if !first && uploads.is_empty() && gone.is_empty() {
            continue;
        }
        let Ok(permit) = outbox.try_reserve() else {
            if first {
                *told = None;
            }
            return false;
        };
        known.extend(uploads.iter().map(|u| (u.id, u.clone())));
        for id in &gone {
            known.remove(id);
        }
        let message = if std::mem::take(&mut first) {
            ServerMessage::Snapshot { topic, uploads }
        } else {
            ServerMessage::Changed {
                topic,
                uploads,
                gone,
            }
        };
        permit.send(socket::outgoing(&message));
    }
    true
}

/// Cuts a list into as many as fit into a control message each; at least one.
fn pages(uploads: Vec<LiveUpload>) -> Vec<Vec<LiveUpload>> {
    const ROOM: usize = MAX_CONTROL / 2;
    let mut pages = vec![Vec::new()];
    let mut filled = 0;
    for upload in uploads {
        let len = upload.path.len() + 64;
        if filled + len > ROOM {
            pages.push(Vec::new());
            filled = 0;
        }
        filled += len;
        if let Some(page) = pages.last_mut() {
            page.push(upload);
        }
    }
    pages
}
