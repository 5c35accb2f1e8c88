//! What outlives the page: in IndexedDB, a record of each unfinished upload, with the
//! handle of its file where the browser gave one.
//!
//! Changes are written many at once, and not as a request for each of them: how, the
//! [`ledger`](crate::ledger) knows. Without IndexedDB, in a private window for one, uploads
//! work all the same; they are only not continued after a reload.

use std::cell::RefCell;
use std::collections::BTreeSet;

use futures::future::{OptionFuture, join};
use idb::builder::{DatabaseBuilder, ObjectStoreBuilder};
use idb::{Database, Factory, ObjectStore, Query, Transaction, TransactionMode, TransactionResult};
use js_sys::{Array, Date, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::ledger::{Changes, Entry, EntryId, Ledger, Note, Reading};
use crate::port::Tag;
use crate::protocol::id::FileId;
use crate::protocol::sender::Record;

/// A database of its own: one that an engine of an earlier version has open could not change
/// its shape before that engine is gone.
const NAME: &str = "longhaul-log";
const VERSION: u32 = 1;
/// What earlier versions kept. By proof, uploads go on without it.
const OLDER: &str = "longhaul";
/// The entries of the log, under numbers that the database counts.
const STORE: &str = "log-v1";

/// The journal of this browser.
#[derive(Debug)]
pub struct Journal {
    database: Database,
    ledger: RefCell<Ledger>,
}

impl Journal {
    /// Opens it.
    pub async fn open() -> Result<Self, idb::Error> {
        let log = ObjectStoreBuilder::new(STORE).auto_increment(true);
        let builder = DatabaseBuilder::new(NAME).version(VERSION);
        let database = builder.add_object_store(log).build().await?;
        // It goes as soon as nobody has it open; nobody waits for that.
        _ = Factory::new()?.delete(OLDER);
        Ok(Self {
            database,
            ledger: RefCell::default(),
        })
    }

    /// Everything in it, in the order of the list, to go on with: what says nothing any more
    /// is removed.
    pub async fn load(&self) -> Result<Vec<(Record, JsValue)>, idb::Error> {
        let (transaction, store) = self.begin(TransactionMode::ReadWrite)?;
        let reading = read(&store).await?;
        for id in reading.spent {
            store.delete(Query::Key(key(id)))?;
        }
        done(transaction.commit()?.await)?;
        self.ledger.replace(reading.ledger);
        Ok(reading.uploads)
    }

    /// The handle that was kept of the file of an upload.
    pub async fn handle(
        &self,
        path: &str,
        id: Option<FileId>,
    ) -> Result<Option<JsValue>, idb::Error> {
        let (_, store) = self.begin(TransactionMode::ReadOnly)?;
        let mut uploads = read(&store).await?.uploads.into_iter();
        let found = uploads.find(|(record, handle)| {
            let same = record.id.is_none() || record.id == id;
            same && record.manifest.path == path && handle.is_object()
        });
        Ok(found.map(|(_, handle)| handle))
    }

    /// Makes changes; all of them are made when this returns, or none.
    pub async fn write(&self, changes: &Changes<JsValue>) -> Result<(), idb::Error> {
        let (transaction, store) = self.begin(TransactionMode::ReadWrite)?;
        let mut sheet = None;
        for entry in changes.entries(now()) {
            let Some(value) = encode(&entry) else {
                continue;
            };
            let added = store.add(&value, None)?;
            if let Entry::Sheet(_) = entry {
                sheet = Some(added.into_future());
            }
        }
        let spent = self.ledger.borrow().spent(changes);
        for id in spent {
            // What comes of it is what comes of the transaction.
            store.delete(Query::Key(key(id)))?;
        }
        let transaction = transaction.commit()?.into_future();
        let (sheet, outcome) = join(OptionFuture::from(sheet), transaction).await;
        done(outcome)?;
        let sheet = sheet.transpose()?.as_ref().and_then(entry_id);
        self.ledger.borrow_mut().made(changes, sheet);
        Ok(())
    }

    /// The files that were stored or cancelled lately.
    pub async fn ended(&self) -> Result<BTreeSet<Tag>, idb::Error> {
        let (_, store) = self.begin(TransactionMode::ReadOnly)?;
        Ok(read(&store).await?.ended)
    }

    /// Waits for all that was begun before.
    pub async fn settle(&self) -> Result<(), idb::Error> {
        // Transactions that write come one after the other.
        let (transaction, store) = self.begin(TransactionMode::ReadWrite)?;
        store.count(None)?.await?;
        done(transaction.commit()?.await)
    }

    fn begin(&self, mode: TransactionMode) -> Result<(Transaction, ObjectStore), idb::Error> {
        let transaction = self.database.transaction(&[STORE], mode)?;
        let store = transaction.object_store(STORE)?;
        Ok((transaction, store))
    }
}

impl Drop for Journal {
    /// Lets go of the database, which a newer version could not open before; what was begun
    /// is done first.
    fn drop(&mut self) {
        self.database.close();
    }
}

async fn read(store: &ObjectStore) -> Result<Reading<JsValue>, idb::Error> {
    let (keys, values) = (store.get_all_keys(None, None)?, store.get_all(None, None)?);
    let (keys, values) = join(keys.into_future(), values.into_future()).await;
    let entries = keys?.into_iter().zip(values?);
    let log = entries.filter_map(|(key, value)| Some((entry_id(&key)?, decode(&value))));
    Ok(Ledger::read(log.collect(), now()))
}

/// A transaction that was given up fails as well.
fn done(outcome: Result<TransactionResult, idb::Error>) -> Result<(), idb::Error> {
    match outcome? {
        TransactionResult::Committed => Ok(()),
        TransactionResult::Aborted => Err(idb::Error::TransactionCommitError(JsValue::NULL)),
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    Date::now() as u64
}

fn key(id: EntryId) -> JsValue {
    (id.0 as f64).into()
}

fn entry_id(key: &JsValue) -> Option<EntryId> {
    Some(EntryId(key.as_f64()? as u64))
}

/// A sheet has handles beside it, one for each of its uploads or `null`; a note has none.
fn encode(entry: &Entry<JsValue>) -> Option<JsValue> {
    let (bytes, handles) = match entry {
        Entry::Sheet(uploads) => {
            let records: Vec<&Record> = uploads.iter().map(|(record, _)| record).collect();
            let handles: Array = uploads.iter().map(|(_, handle)| handle).collect();
            (postcard::to_allocvec(&records), handles.into())
        }
        Entry::Note(note) => (postcard::to_allocvec(note), JsValue::NULL),
    };
    let bytes = Uint8Array::from(bytes.ok()?.as_slice());
    Some(Array::of2(&bytes, &handles).into())
}

fn decode(value: &JsValue) -> Option<Entry<JsValue>> {
    let parts = Array::from(value);
    let bytes = Uint8Array::new(&parts.get(0)).to_vec();
    match parts.get(1).dyn_into::<Array>() {
        Ok(handles) => {
            let records: Vec<Record> = postcard::from_bytes(&bytes).ok()?;
            let uploads = records.into_iter().zip(handles.iter());
            Some(Entry::Sheet(uploads.collect()))
        }
        Err(_) => Some(Entry::Note(postcard::from_bytes::<Note>(&bytes).ok()?)),
    }
}
