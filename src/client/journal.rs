//! What outlives the page: in IndexedDB, one record for each unfinished upload, with
//! the handle of its file where the browser gave one.
//!
//! Changes are written many at once, since a transaction costs the same for one as for a
//! hundred. Without IndexedDB, in a private window for one, uploads work all the same;
//! they are only not continued after a reload.

use idb::builder::{DatabaseBuilder, ObjectStoreBuilder};
use idb::{Database, ObjectStore, Query, TransactionMode};
use js_sys::{Array, Date, Uint8Array};
use wasm_bindgen::JsValue;

use crate::port::Tag;
use crate::protocol::id::{FileId, Token};
use crate::protocol::sender::Record;

const NAME: &str = "longhaul";
/// A store of an earlier version is dropped: by proof, uploads go on without it.
const VERSION: u32 = 3;
/// Records by their tokens.
const STORE: &str = "uploads-v2";
/// The files that were stored or cancelled lately, and when: somebody who slept may still
/// offer them.
const ENDED: &str = "ended-v1";
/// How long somebody may have slept, in milliseconds.
const SLEEP: f64 = 7.0 * 24.0 * 3600.0 * 1000.0;

/// The journal of this browser.
#[derive(Debug)]
pub struct Journal(Database);

/// A change of the journal.
#[derive(Debug)]
pub enum Change {
    /// A record, in the place of an older one of the same upload, and the handle of its
    /// file.
    Keep(Record, JsValue),
    /// An upload is forgotten.
    Forget(Token),
    /// A file was stored or cancelled.
    End(Tag),
}

impl Journal {
    /// Opens it.
    pub async fn open() -> Result<Self, idb::Error> {
        let builder = DatabaseBuilder::new(NAME).version(VERSION);
        Ok(Self(
            builder
                .add_object_store(ObjectStoreBuilder::new(STORE))
                .add_object_store(ObjectStoreBuilder::new(ENDED))
                .build()
                .await?,
        ))
    }

    /// Everything in it, in the order of the list; what cannot be read is left out.
    pub async fn load(&self) -> Result<Vec<(Record, JsValue)>, idb::Error> {
        let transaction = self.0.transaction(&[STORE], TransactionMode::ReadOnly)?;
        let values = transaction
            .object_store(STORE)?
            .get_all(None, None)?
            .await?;
        let mut records: Vec<_> = values.iter().filter_map(decode).collect();
        records.sort_by_key(|(record, _)| record.order);
        Ok(records)
    }

    /// The handle that was kept of the file of an upload.
    pub async fn handle(
        &self,
        path: &str,
        id: Option<FileId>,
    ) -> Result<Option<JsValue>, idb::Error> {
        let mut records = self.load().await?.into_iter();
        let found = records.find(|(record, handle)| {
            let same = record.id.is_none() || record.id == id;
            same && record.manifest.path == path && handle.is_object()
        });
        Ok(found.map(|(_, handle)| handle))
    }

    /// Makes changes, in order; all of them are made when this returns, or none.
    pub async fn write(&self, changes: &[Change]) -> Result<(), idb::Error> {
        let mode = TransactionMode::ReadWrite;
        let transaction = self.0.transaction(&[STORE, ENDED], mode)?;
        let store = transaction.object_store(STORE)?;
        let ended = transaction.object_store(ENDED)?;
        for change in changes {
            // What comes of each is what comes of the transaction.
            match change {
                Change::Keep(record, handle) => keep(&store, record, handle)?,
                Change::Forget(token) => _ = store.delete(Query::Key(token_key(*token)))?,
                Change::End(tag) => _ = ended.put(&Date::now().into(), Some(&tag_key(*tag)))?,
            }
        }
        transaction.commit()?.await?;
        Ok(())
    }

    /// Forgets the files that ended so long ago that nobody offers them any more.
    pub async fn prune(&self) -> Result<(), idb::Error> {
        let transaction = self.0.transaction(&[ENDED], TransactionMode::ReadWrite)?;
        let store = transaction.object_store(ENDED)?;
        let keys = store.get_all_keys(None, None)?.await?;
        let times = store.get_all(None, None)?.await?;
        let now = Date::now();
        for (key, time) in keys.into_iter().zip(times) {
            if time.as_f64().is_none_or(|time| time + SLEEP < now) {
                store.delete(Query::Key(key))?.await?;
            }
        }
        transaction.commit()?.await?;
        Ok(())
    }

    /// Whether a file was stored or cancelled.
    pub async fn has_ended(&self, tag: Tag) -> Result<bool, idb::Error> {
        let transaction = self.0.transaction(&[ENDED], TransactionMode::ReadOnly)?;
        let found = transaction.object_store(ENDED)?;
        Ok(found.get(Query::Key(tag_key(tag)))?.await?.is_some())
    }

    /// Waits for all that was begun before.
    pub async fn settle(&self) -> Result<(), idb::Error> {
        // Transactions that write come one after the other.
        let transaction = self
            .0
            .transaction(&[STORE, ENDED], TransactionMode::ReadWrite)?;
        transaction.object_store(STORE)?.count(None)?.await?;
        transaction.commit()?.await?;
        Ok(())
    }
}

fn keep(store: &ObjectStore, record: &Record, handle: &JsValue) -> Result<(), idb::Error> {
    if let Ok(bytes) = postcard::to_allocvec(record) {
        let value = Array::of2(&Uint8Array::from(bytes.as_slice()), handle);
        store.put(&value, Some(&token_key(record.token)))?;
    }
    Ok(())
}

fn token_key(token: Token) -> JsValue {
    Uint8Array::from(token.as_bytes().as_slice()).into()
}

fn tag_key(tag: Tag) -> JsValue {
    JsValue::from_str(&format!("{:x}", tag.0))
}

fn decode(value: &JsValue) -> Option<(Record, JsValue)> {
    let parts = Array::from(value);
    let bytes = Uint8Array::new(&parts.get(0)).to_vec();
    Some((postcard::from_bytes(&bytes).ok()?, parts.get(1)))
}
