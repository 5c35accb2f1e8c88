//! What a person wants done with uploads.

use std::collections::BTreeSet;

use super::outgoing::{Outgoing, Phase};
use super::{Key, Note, Record, Sender};
use crate::protocol::id::FileId;
use crate::protocol::live::Wish;
use crate::protocol::manifest::Manifest;
use crate::protocol::message::ClientMessage;
use crate::protocol::name;
use crate::protocol::recorder::What;
use crate::protocol::trouble::Trouble;

impl Sender {
    /// Takes a file into the queue.
    pub fn add(&mut self, manifest: Manifest) -> Key {
        let key = Key(self.next_key);
        self.next_key += 1;
        let order = self.last_place();
        let mut upload = Outgoing::new(manifest, order, self.token(key), true);
        if let Some(limits) = &self.limits {
            match self.admit(limits, &upload.manifest) {
                Ok(()) if limits.auto_upload => {}
                Ok(()) => upload.phase = Phase::Held,
                Err(trouble) => {
                    upload.trouble = Some(trouble);
                    upload.phase = Phase::Failed;
                }
            }
        }
        self.uploads.insert(key, upload);
        self.list.insert(order, key);
        self.requeue(key);
        key
    }

    /// Takes up an upload that the journal kept; its file is to be provided.
    pub fn restore(&mut self, record: Record) -> Key {
        let key = Key(self.next_key);
        self.next_key += 1;
        let order = self.last_place();
        let mut upload = Outgoing::new(record.manifest, order, record.token, false);
        upload.id = record.id;
        upload.reached(record.durable);
        upload.restored();
        // The server may know it, also where it has not said so.
        (upload.asked, upload.begun) = (true, true);
        upload.started = true;
        upload.phase = if record.paused {
            Phase::Paused
        } else {
            Phase::NeedsFile
        };
        self.uploads.insert(key, upload);
        self.list.insert(order, key);
        self.changed.insert(key);
        key
    }

    /// A handle of its file is kept: the browser can be asked for the file with it.
    pub fn remember_handle(&mut self, key: Key) {
        if let Some(upload) = self.uploads.get_mut(&key) {
            upload.handle = true;
            self.changed.insert(key);
        }
    }

    /// What a journal should keep of an upload.
    pub fn record(&self, key: Key) -> Option<Record> {
        let upload = self.uploads.get(&key)?;
        Some(Record {
            manifest: upload.manifest.clone(),
            token: upload.token,
            id: upload.id,
            paused: upload.phase == Phase::Paused,
            durable: upload.durable(),
            order: upload.order,
        })
    }

    /// Gives an upload its file, picked again. Whether it is taken: an upload that has its
    /// file keeps it. One of another length is refused at once, one of other contents when
    /// it was compared.
    pub fn provide(&mut self, key: Key, manifest: Manifest) -> bool {
        let wanting = |u: &&mut Outgoing| !u.source && !u.ending;
        let Some(upload) = self.uploads.get_mut(&key).filter(wanting) else {
            return false;
        };
        self.changed.insert(key);
        if upload.manifest.size != manifest.size {
            upload.trouble = Some(Trouble::Different);
            return false;
        }
        upload.provide(manifest);
        if upload.phase == Phase::NeedsFile {
            self.requeue(key);
        }
        true
    }

    /// The uploads that need their file.
    pub fn needs_file(&self) -> impl Iterator<Item = (Key, &Manifest)> {
        let needy = self
            .uploads
            .iter()
            .filter(|(_, u)| !u.source && !u.is_over() && !u.ending);
        needy.map(|(key, u)| (*key, &u.manifest))
    }

    /// What is said of the file of an upload.
    pub fn manifest(&self, key: Key) -> Option<&Manifest> {
        self.uploads.get(&key).map(|u| &u.manifest)
    }

    /// Starts what is held, and nothing that is paused.
    pub fn start(&mut self, key: Key) {
        if let Some(upload) = self.uploads.get_mut(&key)
            && upload.phase == Phase::Held
        {
            upload.started = true;
            self.requeue(key);
            self.keep(key);
        }
    }

    /// Starts what is held, and goes on with what is paused.
    pub fn resume(&mut self, key: Key) {
        self.start(key);
        self.resume_from(key, false);
    }

    fn resume_from(&mut self, key: Key, elsewhere: bool) {
        if let Some(upload) = self.uploads.get_mut(&key)
            && upload.phase == Phase::Paused
        {
            upload.started = true;
            upload.note.take_if(|note| *note == Note::PausedElsewhere);
            if let Some(recorder) = upload.recorded_mut() {
                recorder.note(What::Resumed { elsewhere });
            }
            self.requeue(key);
            self.keep(key);
        }
    }

    /// Pauses; what is verified stays on the server.
    pub fn pause(&mut self, key: Key) {
        if self.halt(key) {
            self.paused(key, false);
        }
    }

    /// Pauses because the client is about to end, and not for a person; whether it was
    /// under way.
    pub fn halt(&mut self, key: Key) -> bool {
        let Some(upload) = self.uploads.get_mut(&key) else {
            return false;
        };
        if upload.is_over() || matches!(upload.phase, Phase::NeedsFile | Phase::Paused) {
            return false;
        }
        self.leave(key);
        self.set(key, Phase::Paused);
        self.keep(key);
        true
    }

    /// A person has paused it: whoever sees it elsewhere may let it go on.
    fn paused(&mut self, key: Key, elsewhere: bool) {
        let Some(upload) = self.uploads.get_mut(&key) else {
            return;
        };
        if let Some(recorder) = upload.recorded_mut() {
            recorder.note(What::Paused { elsewhere });
        }
        if upload.asked && self.window.is_some() {
            let token = upload.token;
            self.outbox.push_back(ClientMessage::Standby { token });
        }
    }

    /// Says on a new connection what is paused.
    pub(super) fn stand_by(&mut self) {
        let paused = |u: &&Outgoing| u.phase == Phase::Paused && u.asked && u.source;
        for upload in self.uploads.values().filter(paused) {
            let token = upload.token;
            self.outbox.push_back(ClientMessage::Standby { token });
        }
    }

    /// Somebody asks for something from elsewhere, which is done as if this client's own
    /// person wanted it.
    pub(super) fn asked(&mut self, id: FileId, wish: Wish) {
        let named = |(_, u): &(&Key, &Outgoing)| u.id == Some(id) && !u.ending;
        let Some(key) = self.uploads.iter().find(named).map(|(key, _)| *key) else {
            return;
        };
        match wish {
            Wish::Pause => {
                if self.halt(key) {
                    self.paused(key, true);
                    self.parked.insert(key);
                    if let Some(upload) = self.uploads.get_mut(&key) {
                        upload.note = Some(Note::PausedElsewhere);
                    }
                }
            }
            Wish::Resume => self.resume_from(key, true),
        }
    }

    /// Tries again what failed or waits.
    pub fn retry(&mut self, key: Key) {
        let Some(upload) = self.uploads.get_mut(&key) else {
            return;
        };
        if !matches!(upload.phase, Phase::Failed | Phase::Waiting(_)) {
            return;
        }
        upload.started = true;
        let failed = upload.phase == Phase::Failed;
        let verdict = match &self.limits {
            // Without a connection they may be others by now: the server will say.
            Some(limits) if failed && self.window.is_some() => {
                self.admit(limits, &self.uploads[&key].manifest)
            }
            _ => Ok(()),
        };
        if let Some(upload) = self.uploads.get_mut(&key) {
            upload.trouble = verdict.err();
            if upload.trouble.is_none() {
                self.requeue(key);
            }
        }
    }

    /// Ends an upload, and deletes what the server has of it while it is unfinished.
    pub fn cancel(&mut self, key: Key) {
        let Some(upload) = self.uploads.get_mut(&key) else {
            return;
        };
        self.changed.remove(&key);
        self.removed.push(key);
        if let Some(stream) = upload.stream() {
            upload.ending = true;
            self.outbox.push_back(ClientMessage::Cancel { stream });
        } else if upload.asked && upload.phase != Phase::Stored {
            upload.ending = true;
            self.requeue(key);
        } else {
            self.remove(key);
        }
    }

    /// Takes an upload off the list; what the server has of it stays for later.
    pub fn dismiss(&mut self, key: Key) {
        self.leave(key);
        self.set(key, Phase::Failed);
        self.changed.remove(&key);
        if let Some(upload) = self.uploads.remove(&key) {
            self.list.remove(&upload.order);
            self.removed.push(key);
        }
        self.fill();
    }

    /// Calls the file of an upload something else, as long as nothing of it was sent. Names
    /// that [`name::check`] refuses change nothing.
    pub fn rename(&mut self, key: Key, name: &str) {
        let fresh = |u: &&mut Outgoing| u.is_fresh();
        let (Some(upload), Ok(name)) =
            (self.uploads.get_mut(&key).filter(fresh), name::check(name))
        else {
            return;
        };
        let path = upload.manifest.renamed(name);
        if path == upload.manifest.path {
            return;
        }
        self.changed.insert(key);
        self.ready.remove(&upload.place(key, self.arranged));
        upload.rename(path);
        if upload.is_noted() {
            self.writing.insert(key);
            self.keep(key);
        }
        self.judge_name(key);
    }

    /// Whether an upload is taken may be a matter of its name.
    fn judge_name(&mut self, key: Key) {
        let (Some(limits), Some(upload)) = (&self.limits, self.uploads.get(&key)) else {
            return;
        };
        let named = |it: &Trouble| matches!(it, Trouble::BadName | Trouble::NotAccepted { .. });
        let refused = upload.phase == Phase::Failed;
        let verdict = match refused {
            true if upload.trouble.as_ref().is_some_and(named) => {
                self.admit(limits, &upload.manifest)
            }
            true => return,
            false => limits.check(&upload.manifest),
        };
        let held = !limits.auto_upload && !upload.started;
        let Some(upload) = self.uploads.get_mut(&key) else {
            return;
        };
        match verdict {
            Err(trouble) => {
                upload.trouble = Some(trouble);
                upload.forget(key, &mut self.effects);
                self.set(key, Phase::Failed);
            }
            Ok(()) if refused => {
                upload.trouble = None;
                match held {
                    true => self.set(key, Phase::Held),
                    false => self.requeue(key),
                }
            }
            Ok(()) => {}
        }
    }

    /// Puts uploads elsewhere in the list, before another one or at its end, in the order in
    /// which they are there. From then on uploads are sent in the order of the list.
    pub fn arrange(&mut self, keys: &[Key], before: Option<Key>) {
        let mut wanted: BTreeSet<Key> = BTreeSet::new();
        wanted.extend(keys);
        let list = self.list.values().copied();
        let moved: Vec<Key> = list.filter(|key| wanted.contains(key)).collect();
        let target = before.is_none_or(|key| self.uploads.contains_key(&key));
        if target && !moved.is_empty() && !before.is_some_and(|key| moved.contains(&key)) {
            self.put(&moved, before);
        }
    }

    /// Takes what is stored off the list.
    pub fn clear(&mut self) {
        let stored = self
            .uploads
            .iter()
            .filter(|(_, u)| u.phase == Phase::Stored);
        for key in stored.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.removed.push(key);
            if let Some(upload) = self.uploads.remove(&key) {
                self.list.remove(&upload.order);
            }
        }
    }

    /// The keys of the uploads that are neither stored nor failed.
    pub fn unfinished_keys(&self) -> Vec<Key> {
        let open = self.uploads.iter().filter(|(_, u)| !u.is_over());
        open.map(|(key, _)| *key).collect()
    }

    /// The keys of all uploads, the ended ones too, in the order of the list.
    pub fn keys(&self) -> Vec<Key> {
        self.list.values().copied().collect()
    }
}
