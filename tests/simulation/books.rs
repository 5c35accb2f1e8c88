//! A virtual registry, with the rules of `registry::sqlite`: every change is durable when
//! its call returns.

use std::collections::BTreeMap;

use longhaul::api::StoredFile;
use longhaul::protocol::id::{FileId, Token};
use longhaul::protocol::manifest::Manifest;
use longhaul::registry::{Claim, Epoch, Found, RegistryError, Upload};
use longhaul::verify::{BlockHash, Root, block_len};

#[derive(Debug, Default)]
pub struct Books {
    uploads: BTreeMap<FileId, Entry>,
    files: BTreeMap<FileId, (Token, StoredFile)>,
    /// The tokens that stood for an upload before somebody else took it up.
    replaced: BTreeMap<Token, FileId>,
    pub full: bool,
}

#[derive(Debug)]
pub struct Entry {
    pub token: Token,
    pub epoch: Epoch,
    pub manifest: Manifest,
    path: String,
    sealing: Option<String>,
    pub blocks: BTreeMap<u64, BlockHash>,
}

impl Entry {
    pub fn durable(&self) -> u64 {
        let lens = self.blocks.keys();
        lens.map(|block| block_len(*block, self.manifest.size))
            .sum()
    }
}

impl Books {
    pub fn begin(
        &mut self,
        id: FileId,
        token: Token,
        manifest: &Manifest,
        path: &str,
    ) -> Result<Claim, RegistryError> {
        self.room()?;
        if matches!(self.find(token), Some(Found::Upload(_) | Found::Stored(_))) {
            return Err(RegistryError::Taken);
        }
        let entry = Entry {
            token,
            epoch: Epoch(1),
            manifest: manifest.clone(),
            path: path.to_owned(),
            sealing: None,
            blocks: BTreeMap::new(),
        };
        self.uploads.insert(id, entry);
        self.claim(id)
    }

    fn room(&self) -> Result<(), RegistryError> {
        if self.full {
            return Err(RegistryError::Full);
        }
        Ok(())
    }

    pub fn claim(&self, id: FileId) -> Result<Claim, RegistryError> {
        let entry = self.uploads.get(&id).ok_or(RegistryError::Unknown)?;
        Ok(Claim {
            upload: upload(id, entry),
            epoch: entry.epoch,
            blocks: entry.blocks.iter().map(|(b, h)| (*b, *h)).collect(),
        })
    }

    pub fn find(&self, token: Token) -> Option<Found> {
        let upload = self.uploads.iter().find(|(_, e)| e.token == token);
        let file = self.files.values().find(|(t, _)| *t == token);
        let replaced = self.replaced.get(&token);
        upload
            .map(|(id, _)| Found::Upload(*id))
            .or_else(|| file.map(|(_, file)| Found::Stored(file.clone())))
            .or_else(|| replaced.map(|id| Found::Replaced(*id)))
    }

    pub fn hold(&mut self, id: FileId) -> Result<Claim, RegistryError> {
        self.room()?;
        let entry = self.uploads.get_mut(&id).ok_or(RegistryError::Unknown)?;
        entry.epoch.0 += 1;
        self.claim(id)
    }

    fn held(&mut self, id: FileId, epoch: Epoch) -> Result<&mut Entry, RegistryError> {
        self.room()?;
        match self.uploads.get_mut(&id) {
            Some(entry) if entry.epoch == epoch => Ok(entry),
            Some(_) => Err(RegistryError::Superseded),
            None => Err(RegistryError::Unknown),
        }
    }

    pub fn record(
        &mut self,
        id: FileId,
        epoch: Epoch,
        blocks: &[(u64, BlockHash)],
    ) -> Result<(), RegistryError> {
        self.held(id, epoch)?.blocks.extend(blocks.iter().copied());
        Ok(())
    }

    pub fn sealing(
        &mut self,
        id: FileId,
        epoch: Epoch,
        path: Option<&str>,
    ) -> Result<(), RegistryError> {
        self.held(id, epoch)?;
        if path.is_some_and(|path| !self.is_free(id, path)) {
            return Err(RegistryError::Taken);
        }
        self.held(id, epoch)?.sealing = path.map(str::to_owned);
        Ok(())
    }

    fn is_free(&self, id: FileId, path: &str) -> bool {
        let file = self
            .files
            .iter()
            .any(|(i, (_, f))| *i != id && f.path == path);
        let wanted = |(i, e): (&FileId, &Entry)| *i != id && e.sealing.as_deref() == Some(path);
        !file && !self.uploads.iter().any(wanted)
    }

    pub fn finish(
        &mut self,
        id: FileId,
        epoch: Epoch,
        path: &str,
        root: Root,
    ) -> Result<StoredFile, RegistryError> {
        match self.held(id, epoch) {
            Ok(_) => {}
            Err(RegistryError::Unknown) => {
                return self.file(id).cloned().ok_or(RegistryError::Unknown);
            }
            Err(error) => return Err(error),
        }
        if !self.is_free(id, path) {
            return Err(RegistryError::Taken);
        }
        let entry = self.uploads.remove(&id).ok_or(RegistryError::Unknown)?;
        let file = StoredFile {
            id,
            path: path.to_owned(),
            size: entry.manifest.size,
            media_type: entry.manifest.media_type,
            digest: root,
            started: 0,
            stored: 0,
        };
        self.files.insert(id, (entry.token, file.clone()));
        Ok(file)
    }

    pub fn end(&mut self, id: FileId, holder: Option<Epoch>) -> Result<bool, RegistryError> {
        if let Some(epoch) = holder {
            self.held(id, epoch)?;
        }
        let ended = self.uploads.remove(&id).is_some();
        if ended {
            self.replaced.retain(|_, of| *of != id);
        }
        Ok(ended)
    }

    pub fn alike(&self, path: &str, size: u64) -> Vec<FileId> {
        let same = |entry: &Entry| {
            entry.path == path && entry.manifest.size == size && !entry.blocks.is_empty()
        };
        let alike = self.uploads.iter().filter(|(_, entry)| same(entry));
        let mut alike: Vec<_> = alike.map(|(id, entry)| (entry.blocks.len(), *id)).collect();
        alike.sort_unstable_by(|a, b| b.cmp(a));
        alike.into_iter().map(|(_, id)| id).collect()
    }

    pub fn adopt(
        &mut self,
        id: FileId,
        epoch: Epoch,
        token: Token,
    ) -> Result<Claim, RegistryError> {
        let entry = self.held(id, epoch)?;
        let before = std::mem::replace(&mut entry.token, token);
        self.replaced.insert(before, id);
        self.hold(id)
    }

    pub fn upload(&self, id: FileId) -> Option<&Entry> {
        self.uploads.get(&id)
    }

    pub fn uploads(&self) -> Vec<Upload> {
        let uploads = self.uploads.iter();
        uploads.map(|(id, entry)| upload(*id, entry)).collect()
    }

    pub fn file(&self, id: FileId) -> Option<&StoredFile> {
        self.files.get(&id).map(|(_, file)| file)
    }

    pub fn files(&self) -> impl Iterator<Item = &StoredFile> {
        self.files.values().map(|(_, file)| file)
    }
}

fn upload(id: FileId, entry: &Entry) -> Upload {
    Upload {
        id,
        manifest: entry.manifest.clone(),
        path: entry.path.clone(),
        started: 0,
        touched: 0,
        durable: entry.durable(),
        sealing: entry.sealing.clone(),
    }
}
