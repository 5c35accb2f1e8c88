//! Who is sent now, who waits, and who has failed.

use super::outgoing::{Outgoing, Phase};
use super::{Effect, Key, STEP, Sender, WRITTEN_AHEAD};
use crate::protocol::manifest::{Limits, Manifest};
use crate::protocol::message::ClientMessage;
use crate::protocol::recorder::What;
use crate::protocol::retry::Backoff;
use crate::protocol::trouble::{Class, Trouble};
use crate::protocol::{StreamId, Time};
use crate::verify::Proof;

impl Sender {
    pub(super) fn admit(&self, limits: &Limits, manifest: &Manifest) -> Result<(), Trouble> {
        limits.check(manifest)?;
        if !limits.bounds_queue() {
            return Ok(());
        }
        let (entries, total) = self.unfinished();
        limits.check_queue(entries + 1, total.saturating_add(manifest.size))
    }

    /// How many files are unfinished, and their bytes.
    fn unfinished(&self) -> (u64, u64) {
        let open = self.uploads.values().filter(|u| !u.is_over() && !u.ending);
        open.fold((0, 0), |(n, bytes), u| {
            (n + 1, bytes.saturating_add(u.manifest.size))
        })
    }

    pub(super) fn set(&mut self, key: Key, phase: Phase) {
        self.changed.insert(key);
        if phase != Phase::Paused {
            self.parked.remove(&key);
        }
        if let Some(upload) = self.uploads.get_mut(&key) {
            if let Some(recorder) = upload.recorded_mut() {
                match phase {
                    Phase::Paused | Phase::NeedsFile | Phase::Failed => recorder.rest(),
                    Phase::Queued => recorder.wake(),
                    _ => {}
                }
            }
            let place = upload.place(key, self.arranged);
            match upload.phase {
                Phase::Queued => {
                    self.queue.remove(&place);
                    self.ready.remove(&place);
                    self.ages.remove(&key);
                }
                Phase::Waiting(at) => _ = self.waiting.remove(&(at, key)),
                _ => {}
            }
            match phase {
                Phase::Queued => {
                    self.queue.insert(place);
                    self.ages.insert(key);
                    if upload.is_written_down() {
                        self.ready.insert(place);
                    }
                }
                Phase::Waiting(at) => _ = self.waiting.insert((at, key)),
                _ => {}
            }
            upload.phase = phase;
        }
    }

    /// The place at the end of the list.
    pub(super) fn last_place(&self) -> u64 {
        self.list.last_key_value().map_or(0, |(order, _)| *order) + STEP
    }

    /// Puts uploads into the list, all of them before another one or at the end. They keep
    /// the order among themselves that they have here.
    pub(super) fn put(&mut self, keys: &[Key], before: Option<Key>) {
        for key in keys {
            if let Some(upload) = self.uploads.get(key) {
                self.list.remove(&upload.order);
            }
        }
        let count = keys.len() as u64;
        let (mut first, mut step) = (self.last_place(), STEP);
        if let Some(end) = before.and_then(|key| self.uploads.get(&key)) {
            let end = end.order;
            let below = self.list.range(..end).next_back();
            let start = below.map_or(0, |(order, _)| *order);
            step = (end - start) / (count + 1);
            first = start + step;
        }
        if step == 0 {
            // There is no room between the two: all of them move apart.
            self.spread(keys, before);
        } else {
            for (key, n) in keys.iter().zip(0..) {
                self.place(*key, first + n * step);
            }
        }
        self.rearrange();
    }

    /// Gives every upload a new place, with these before that one.
    fn spread(&mut self, keys: &[Key], before: Option<Key>) {
        let others = std::mem::take(&mut self.list).into_values();
        let mut all: Vec<Key> = others.collect();
        let at = all.iter().position(|key| Some(*key) == before);
        let at = at.unwrap_or(all.len());
        all.splice(at..at, keys.iter().copied());
        for (key, n) in all.into_iter().zip(1..) {
            self.place(key, n * STEP);
        }
    }

    fn place(&mut self, key: Key, order: u64) {
        if let Some(upload) = self.uploads.get_mut(&key) {
            upload.order = order;
            self.list.insert(order, key);
            self.changed.insert(key);
            self.keep(key);
        }
    }

    /// Lets uploads go in the order of the list from now on.
    fn rearrange(&mut self) {
        self.arranged = true;
        let queued = |(_, upload): &(&Key, &Outgoing)| upload.phase == Phase::Queued;
        let queued = || self.uploads.iter().filter(queued);
        self.queue = queued().map(|(key, u)| u.place(*key, true)).collect();
        let ready = queued().filter(|(_, u)| u.is_written_down());
        self.ready = ready.map(|(key, u)| u.place(*key, true)).collect();
        // Who is the next now may not be among those that are written down.
        self.write_next();
        self.fill();
    }

    /// Lets an upload wait for its turn, or for its file.
    pub(super) fn requeue(&mut self, key: Key) {
        self.changed.insert(key);
        if let Some(upload) = self.uploads.get_mut(&key) {
            upload.detach();
            if upload.ending && !upload.asked {
                return self.remove(key);
            }
            if matches!(upload.phase, Phase::Failed) && upload.trouble.is_some() && !upload.ending {
                return;
            }
            if upload.phase == Phase::Held && !upload.started && !upload.ending {
                return;
            }
            let ready = upload.source || upload.ending;
            self.set(
                key,
                if ready {
                    Phase::Queued
                } else {
                    Phase::NeedsFile
                },
            );
            self.fill();
        }
    }

    /// Has the next uploads written down, many at once, when few are.
    fn write_ahead(&mut self) {
        if self.ready.len() + self.writing.len() <= WRITTEN_AHEAD / 2 {
            self.write_next();
        }
    }

    fn write_next(&mut self) {
        let next = self.queue.iter().map(|(.., key)| *key);
        for key in next.take(WRITTEN_AHEAD).chain(self.ages.first().copied()) {
            if let Some(upload) = self.uploads.get_mut(&key)
                && !upload.is_noted()
            {
                upload.keep(key, &mut self.effects);
                self.writing.insert(key);
            }
        }
    }

    /// Opens streams for uploads that wait, as many as the server takes.
    pub(super) fn fill(&mut self) {
        self.write_ahead();
        let Some(limits) = self.limits.as_ref().filter(|_| self.window.is_some()) else {
            return;
        };
        let room = limits.room();
        let alone = limits.max_concurrency <= 1;
        loop {
            // One place goes by age, so that large files do not starve; the others go by
            // size, so that small ones do not wait. Where a person arranged them, they go
            // as they were put.
            let aged = self
                .streams
                .values()
                .any(|k| self.uploads.get(k).is_some_and(|u| u.by_age));
            let mut keys = self.ready.iter().map(|(.., key)| *key);
            let next = if aged || alone || self.arranged {
                keys.next()
            } else {
                keys.min()
            };
            let Some(key) = next else {
                return;
            };
            let weight = |key: &Key| Some(Limits::weight(self.uploads.get(key)?.manifest.size));
            let taken: u32 = self.streams.values().filter_map(weight).sum();
            if taken + weight(&key).unwrap_or_default() > room {
                return;
            }
            let stream = StreamId(self.next_stream);
            self.next_stream += 1;
            self.set(key, Phase::Opening(stream));
            self.streams.insert(stream, key);
            let verify = self.would_verify(key);
            if let Some(upload) = self.uploads.get_mut(&key) {
                upload.by_age = !aged;
                self.outbox.push_back(ClientMessage::Open {
                    stream,
                    manifest: upload.manifest.clone(),
                    token: upload.token,
                    begun: upload.id.is_some(),
                    verify,
                });
                if upload.ending {
                    self.outbox.push_back(ClientMessage::Cancel { stream });
                }
                let eager = !upload.ending && upload.is_eager();
                upload.asked = true;
                if eager {
                    upload.begin(stream);
                    self.conclude(key);
                }
            }
        }
    }

    /// Whether an upload's file is to be compared with what the server has. Not where it
    /// is only opened to be cancelled; nor where that may be of another in this list,
    /// which will continue it itself.
    fn would_verify(&self, key: Key) -> bool {
        let Some(upload) = self.uploads.get(&key) else {
            return false;
        };
        let Manifest { path, size, .. } = &upload.manifest;
        let twin = |u: &Outgoing| {
            u.asked
                && u.phase != Phase::Stored
                && u.manifest.size == *size
                && u.manifest.path == *path
        };
        let begins = !upload.asked;
        let worth = || Proof::is_possible(*size) && !self.uploads.values().any(twin);
        !upload.ending && (!begins || worth())
    }

    /// Does something with the upload of a stream; a stream that is over is an
    /// ordinary case.
    pub(super) fn with(
        &mut self,
        stream: StreamId,
        now: Time,
        act: impl FnOnce(Key, &mut Outgoing, &mut Self) -> Result<(), Trouble>,
    ) {
        let Some(key) = self.streams.get(&stream).copied() else {
            return;
        };
        let Some(mut upload) = self.uploads.remove(&key) else {
            return;
        };
        let outcome = act(key, &mut upload, self);
        self.uploads.insert(key, upload);
        self.changed.insert(key);
        match outcome {
            Ok(()) => self.conclude(key),
            Err(trouble) => self.leave_failed(key, trouble, now),
        }
        // What a person cancelled while the server was finishing it.
        if self
            .uploads
            .get(&key)
            .is_some_and(|u| u.ending && u.is_over())
        {
            self.remove(key);
        }
    }

    /// Ends an upload's stream, if it has one; what is verified stays on the server.
    pub(super) fn leave(&mut self, key: Key) {
        if let Some(upload) = self.uploads.get_mut(&key) {
            if let Some(stream) = upload.stream() {
                self.streams.remove(&stream);
                self.leaving.insert(stream, key);
                self.outbox.push_back(ClientMessage::Pause { stream });
            }
            upload.detach();
        }
    }

    pub(super) fn leave_failed(&mut self, key: Key, trouble: Trouble, now: Time) {
        self.leave(key);
        self.fail(key, trouble, now, 0);
        self.fill();
    }

    /// The upload's stream is over because of a trouble.
    pub(super) fn fail(&mut self, key: Key, trouble: Trouble, now: Time, random: u64) {
        let Some(upload) = self.uploads.get_mut(&key) else {
            return;
        };
        upload.detach();
        if upload.ending {
            return self.remove(key);
        }
        let mark = match trouble.class() {
            Class::Retry | Class::Wait => What::Retried {
                trouble: trouble.clone(),
            },
            Class::Act | Class::Final => What::Failed {
                trouble: trouble.clone(),
            },
        };
        upload.recorder().mark(mark, now);
        let phase = match (trouble.class(), &trouble) {
            (Class::Retry, _) => {
                let delay = Backoff::CONNECTION.delay(upload.attempt, random);
                Phase::Waiting(now + delay)
            }
            (Class::Wait, _) => {
                Phase::Waiting(now + Backoff::TROUBLE.delay(upload.attempt, random))
            }
            (Class::Act, Trouble::Changed | Trouble::Vanished | Trouble::Different) => {
                upload.source = false;
                Phase::NeedsFile
            }
            (Class::Act, Trouble::Ended | Trouble::Elsewhere) => {
                upload.start_over();
                Phase::Failed
            }
            (Class::Act | Class::Final, _) => Phase::Failed,
        };
        if !upload.asked {
            upload.forget(key, &mut self.effects);
        }
        upload.attempt = upload.attempt.saturating_add(1);
        upload.trouble = Some(trouble);
        self.set(key, phase);
    }

    /// Has the journal keep what changed of an upload that it has.
    pub(super) fn keep(&mut self, key: Key) {
        if let Some(upload) = self.uploads.get_mut(&key).filter(|u| u.is_noted()) {
            upload.keep(key, &mut self.effects);
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.set(key, Phase::Failed);
        self.changed.remove(&key);
        if let Some(mut upload) = self.uploads.remove(&key) {
            self.list.remove(&upload.order);
            self.streams.retain(|_, k| *k != key);
            upload.forget(key, &mut self.effects);
            self.effects.push_back(Effect::Release(key));
        }
        self.fill();
    }
}
