//! Files that another app shared with this one, over the share sheet of a phone. The service
//! worker (`public/sw.js`) keeps each of them in a database until its upload has ended, so
//! that it is found again without asking anybody, after a restart of the browser as well.
//!
//! They wait there until a page takes them. A file that was taken belongs to the engine,
//! whichever runs: it has one name for good, so that to offer it twice does no harm.

use idb::builder::{DatabaseBuilder, ObjectStoreBuilder};
use idb::{Database, Query, TransactionMode};
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

use super::engine::describe;
use super::source::Source;
use crate::port::{Given, Tag};

const NAME: &str = "longhaul-shared";
const VERSION: u32 = 1;
/// The files by their names.
const FILES: &str = "files";
/// The names of those that were taken.
const TAKEN: &str = "taken";
/// The field of a handle that names a file of this database.
const FIELD: &str = "shared";

/// The files that were shared.
pub struct Shared(Database);

impl Drop for Shared {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Shared {
    /// Opens the database.
    pub async fn open() -> Result<Self, idb::Error> {
        let builder = DatabaseBuilder::new(NAME).version(VERSION);
        let stores = builder
            .add_object_store(ObjectStoreBuilder::new(FILES))
            .add_object_store(ObjectStoreBuilder::new(TAKEN));
        Ok(Self(stores.build().await?))
    }

    /// Those that nobody took yet.
    pub async fn waiting(&self) -> Result<Vec<Source>, idb::Error> {
        self.all(false).await
    }

    /// Those that were taken and whose uploads have not ended.
    pub async fn taken(&self) -> Result<Vec<Source>, idb::Error> {
        self.all(true).await
    }

    async fn all(&self, taken: bool) -> Result<Vec<Source>, idb::Error> {
        let transaction = self
            .0
            .transaction(&[FILES, TAKEN], TransactionMode::ReadOnly)?;
        let files = transaction.object_store(FILES)?;
        let theirs = transaction
            .object_store(TAKEN)?
            .get_all_keys(None, None)?
            .await?;
        let keys = files.get_all_keys(None, None)?.await?;
        let files = files.get_all(None, None)?.await?;
        let both = keys.into_iter().zip(files);
        let wanted = both.filter(|(key, _)| theirs.contains(key) == taken);
        Ok(wanted
            .filter_map(|(key, file)| source(&key, file.dyn_into().ok()?))
            .collect())
    }

    /// Takes files.
    pub async fn take(&self, tags: &[Tag]) -> Result<(), idb::Error> {
        let transaction = self.0.transaction(&[TAKEN], TransactionMode::ReadWrite)?;
        let taken = transaction.object_store(TAKEN)?;
        for tag in tags {
            taken.put(&JsValue::TRUE, Some(&key(*tag)))?;
        }
        transaction.commit()?.await?;
        Ok(())
    }

    /// Forgets files for good.
    pub async fn forget(&self, tags: &[Tag]) -> Result<(), idb::Error> {
        let mode = TransactionMode::ReadWrite;
        let transaction = self.0.transaction(&[FILES, TAKEN], mode)?;
        for name in [FILES, TAKEN] {
            let store = transaction.object_store(name)?;
            for tag in tags {
                store.delete(Query::Key(key(*tag)))?;
            }
        }
        transaction.commit()?.await?;
        Ok(())
    }

    /// A file that is still there.
    pub async fn file(&self, tag: Tag) -> Result<Option<File>, idb::Error> {
        let transaction = self.0.transaction(&[FILES], TransactionMode::ReadOnly)?;
        let files = transaction.object_store(FILES)?;
        let file = files.get(Query::Key(key(tag)))?.await?;
        Ok(file.and_then(|file| file.dyn_into().ok()))
    }
}

/// The file behind a handle, if that is one of this database.
pub async fn file_of(handle: &JsValue) -> Option<File> {
    let tag = tag_of(handle)?;
    Shared::open().await.ok()?.file(tag).await.ok()?
}

/// Forgets those of these files that are of this database: their uploads have ended.
pub async fn ended(sources: &[Source]) {
    let tags: Vec<Tag> = sources.iter().filter_map(|it| tag_of(&it.handle)).collect();
    if !tags.is_empty()
        && let Ok(shared) = Shared::open().await
    {
        // What is left is offered again, and known to have ended.
        _ = shared.forget(&tags).await;
    }
}

/// The name of the file behind a handle, if that is one of this database.
pub fn tag_of(handle: &JsValue) -> Option<Tag> {
    if !handle.is_object() {
        return None;
    }
    name(&Reflect::get(handle, &FIELD.into()).ok()?)
}

/// A file, with a handle as the journal keeps it.
fn source(key: &JsValue, file: File) -> Option<Source> {
    let handle = Object::new();
    Reflect::set(&handle, &FIELD.into(), key).ok()?;
    Some(Source {
        given: Given {
            tag: name(key)?,
            manifest: describe(&file),
            again: false,
        },
        file,
        handle: handle.into(),
    })
}

fn name(key: &JsValue) -> Option<Tag> {
    u64::from_str_radix(&key.as_string()?, 16).ok().map(Tag)
}

fn key(tag: Tag) -> JsValue {
    format!("{:x}", tag.0).into()
}
