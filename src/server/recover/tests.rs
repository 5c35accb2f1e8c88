#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::protocol::id::Token;
use crate::protocol::manifest::Manifest;
use crate::registry::{Epoch, Found, Sqlite};
use crate::storage::disk::Disk;
use crate::storage::{Opening, UploadWriter};
use crate::verify::{BLOCK, Root, block};

const WEEK: Option<Duration> = Some(Duration::from_secs(7 * 86_400));

/// A server's data, before and after it was killed.
struct House {
    dir: TempDir,
    registry: Sqlite,
    storage: Disk,
}

fn id(n: u8) -> FileId {
    FileId::from_bytes([n; 16])
}

fn token(n: u8) -> Token {
    Token::from_bytes([n; 16])
}

fn content(n: u8, size: u64) -> bytes::Bytes {
    vec![n; size as usize].into()
}

impl House {
    fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    fn at(dir: TempDir) -> Self {
        Self {
            registry: Sqlite::open(dir.path()).unwrap(),
            storage: Disk::open(dir.path()).unwrap(),
            dir,
        }
    }

    /// The next run of the server, and what it found.
    async fn restarted(self) -> (Self, Summary) {
        let Self {
            dir,
            registry,
            storage,
        } = self;
        drop((registry, storage));
        let house = Self::at(dir);
        let summary = recover(&house.registry, &house.storage, WEEK)
            .await
            .unwrap();
        // And once more: there is nothing left to bring together.
        let again = recover(&house.registry, &house.storage, WEEK)
            .await
            .unwrap();
        let quiet = Summary {
            kept: summary.kept,
            durable: summary.durable,
            ..Summary::default()
        };
        assert_eq!(again, quiet);
        (house, summary)
    }

    async fn begin(&self, n: u8, path: &str, size: u64) -> Box<dyn UploadWriter> {
        let manifest = Manifest {
            path: path.into(),
            size,
            modified: None,
            media_type: String::new(),
        };
        self.registry
            .begin(id(n), &token(n), &manifest, path)
            .await
            .unwrap();
        self.storage
            .open(id(n), size, Epoch(1), Opening::New)
            .await
            .unwrap()
    }

    /// An upload of which all blocks are durable.
    async fn complete(&self, n: u8, path: &str, size: u64) -> Box<dyn UploadWriter> {
        let writer = self.begin(n, path, size).await;
        let bytes = content(n, size);
        writer.write(0, vec![bytes.clone()]).await.unwrap();
        writer.sync().await.unwrap();
        let hashes: Vec<_> = (0u64..)
            .zip(bytes.chunks(BLOCK as usize))
            .map(|(index, bytes)| (index, block::hash(index, size, bytes)))
            .collect();
        self.registry
            .record(id(n), Epoch(1), &hashes)
            .await
            .unwrap();
        writer
    }

    /// A file that was stored.
    async fn store(&self, n: u8, path: &str) {
        let writer = self.complete(n, path, 9).await;
        self.sealing(n, path).await;
        writer.seal(path).await.unwrap();
        let root = Root(*blake3::hash(&content(n, 9)).as_bytes());
        self.registry
            .finish(id(n), Epoch(1), path, root)
            .await
            .unwrap();
    }

    async fn sealing(&self, n: u8, path: &str) {
        self.registry
            .sealing(id(n), Epoch(1), Some(path))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_is_durable_is_kept_and_the_rest_is_not_counted() {
    let house = House::new();
    let writer = house.begin(1, "a", 3 * BLOCK).await;
    writer.write(0, vec![content(1, 2 * BLOCK)]).await.unwrap();
    writer.sync().await.unwrap();
    let hash = block::hash(0, 3 * BLOCK, &content(1, BLOCK));
    house
        .registry
        .record(id(1), Epoch(1), &[(0, hash)])
        .await
        .unwrap();
    drop(writer);

    let (house, summary) = house.restarted().await;
    let expected = Summary {
        kept: 1,
        durable: BLOCK,
        ..Summary::default()
    };
    assert_eq!(summary, expected);
    let claim = house.registry.hold(id(1)).await.unwrap();
    assert_eq!(claim.blocks, [(0, hash)]);
}

#[tokio::test]
async fn killed_after_the_rename_is_stored() {
    for size in [0, 5, BLOCK, 2 * BLOCK + 1] {
        let house = House::new();
        let writer = house.complete(1, "d/a", size).await;
        house.sealing(1, "d/a").await;
        writer.seal("d/a").await.unwrap();
        drop(writer);

        let (house, summary) = house.restarted().await;
        assert_eq!(summary.stored, 1);
        let file = match house.registry.find(&token(1)).await.unwrap() {
            Some(Found::Stored(file)) => file,
            other => unreachable!("{other:?}"),
        };
        assert_eq!((file.path.as_str(), file.size), ("d/a", size));
        assert_eq!(file.digest.0, *blake3::hash(&content(1, size)).as_bytes());
    }
}

#[tokio::test]
async fn killed_before_the_rename_goes_on() {
    let house = House::new();
    drop(house.complete(1, "a", 5).await);
    house.sealing(1, "a").await;
    let (house, summary) = house.restarted().await;
    assert_eq!((summary.kept, summary.durable), (1, 5));
    let upload = house.registry.upload(id(1)).await.unwrap().unwrap();
    assert_eq!(upload.sealing, None);
}

#[tokio::test]
async fn killed_when_the_name_was_taken_goes_on_and_takes_nothing() {
    let house = House::new();
    std::fs::write(house.dir.path().join("files/a"), "other").unwrap();
    drop(house.complete(1, "a", 5).await);
    house.sealing(1, "a").await;
    let (house, summary) = house.restarted().await;
    assert_eq!((summary.kept, summary.stored), (1, 0));
    assert_eq!(
        std::fs::read(house.dir.path().join("files/a")).unwrap(),
        b"other"
    );
}

#[tokio::test]
async fn an_upload_of_which_nothing_is_durable_is_over() {
    let house = House::new();
    let writer = house.begin(1, "a", 2 * BLOCK).await;
    writer.write(0, vec![content(1, BLOCK)]).await.unwrap();
    drop(writer);
    let (house, summary) = house.restarted().await;
    assert_eq!((summary.kept, summary.ended), (0, 1));
    assert_eq!(house.registry.find(&token(1)).await.unwrap(), None);
    assert!(house.storage.parts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_part_without_an_upload_is_deleted() {
    let house = House::new();
    drop(house.begin(1, "a", 5).await);
    house.registry.end(id(1), None).await.unwrap();
    let (house, summary) = house.restarted().await;
    assert_eq!(summary.discarded, 1);
    assert!(house.storage.parts().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_upload_without_a_part_is_over() {
    let house = House::new();
    drop(house.complete(1, "a", 5).await);
    drop(house.complete(2, "b", 5).await);
    house.sealing(2, "b").await;
    house.storage.discard(id(1)).await.unwrap();
    house.storage.discard(id(2)).await.unwrap();
    // Somebody else's file, of another length.
    std::fs::write(house.dir.path().join("files/b"), "x").unwrap();
    let (house, summary) = house.restarted().await;
    assert_eq!(summary.ended, 2);
    assert_eq!(house.registry.find(&token(1)).await.unwrap(), None);
    assert_eq!(house.registry.find(&token(2)).await.unwrap(), None);
}

#[tokio::test]
async fn an_upload_that_is_not_complete_is_never_stored() {
    let house = House::new();
    let writer = house.begin(1, "a", 2 * BLOCK).await;
    house.sealing(1, "a").await;
    writer.seal("a").await.unwrap();
    drop(writer);
    let (house, summary) = house.restarted().await;
    assert_eq!((summary.stored, summary.ended), (0, 1));
    assert_eq!(house.registry.file(id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_move_is_completed_wherever_it_was_interrupted() {
    let house = House::new();
    for (n, path) in [(1, "a"), (2, "b"), (3, "c")] {
        house.store(n, path).await;
    }
    for (n, to) in [(1, "d/a"), (2, "d/b"), (3, "d/c")] {
        house.registry.moving(id(n), Some(to)).await.unwrap();
    }
    house.storage.rename("b", "d/b").await.unwrap();
    std::fs::write(house.dir.path().join("files/d/c"), "in the way").unwrap();

    let (house, summary) = house.restarted().await;
    assert_eq!(summary.moved, 3);
    for (n, path) in [(1, "d/a"), (2, "d/b"), (3, "c")] {
        let file = house.registry.file(id(n)).await.unwrap().unwrap();
        assert_eq!(file.path, path);
        assert_eq!(house.storage.len(path).await.unwrap(), Some(9));
    }
    assert!(house.registry.moves().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_deletion_is_completed_wherever_it_was_interrupted() {
    let house = House::new();
    for (n, path) in [(1, "d/a"), (2, "d/b"), (3, "c")] {
        house.store(n, path).await;
        house.registry.leaving(id(n), true).await.unwrap();
    }
    house.storage.set_aside("d/b", id(2)).await.unwrap();
    // Somebody else took it away.
    std::fs::remove_file(house.dir.path().join("files/c")).unwrap();

    let (house, summary) = house.restarted().await;
    assert_eq!((summary.deleted, summary.gone), (3, 0));
    assert!(!house.dir.path().join("files/d").exists());
    let mut kept: Vec<_> = house.registry.deleted().await.unwrap();
    kept.sort_by(|a, b| a.file.path.cmp(&b.file.path));
    let paths: Vec<_> = kept.iter().map(|kept| kept.file.path.as_str()).collect();
    assert_eq!(paths, ["d/a", "d/b"]);
    for n in [1, 2, 3] {
        assert_eq!(house.registry.file(id(n)).await.unwrap(), None);
    }
    // And it can be taken back.
    house.storage.bring_back(id(1), "d/a").await.unwrap();
    assert_eq!(house.storage.len("d/a").await.unwrap(), Some(9));
}

#[tokio::test]
async fn a_return_is_completed_wherever_it_was_interrupted() {
    let house = House::new();
    for (n, path) in [(1, "a"), (2, "b"), (3, "c")] {
        house.store(n, path).await;
        house.storage.set_aside(path, id(n)).await.unwrap();
        house.registry.put_aside(id(n)).await.unwrap();
        house.registry.returning(id(n), Some(path)).await.unwrap();
    }
    house.storage.bring_back(id(2), "b").await.unwrap();
    std::fs::write(house.dir.path().join("files/c"), "in the way").unwrap();

    let (house, summary) = house.restarted().await;
    assert_eq!(summary.deleted, 3);
    for (n, path) in [(1, "a"), (2, "b")] {
        let file = house.registry.file(id(n)).await.unwrap().unwrap();
        assert_eq!(file.path, path);
        assert_eq!(house.storage.len(path).await.unwrap(), Some(9));
    }
    // The third is still deleted, and can still be taken back under another name.
    let left = house.registry.deleted().await.unwrap();
    assert_eq!(left.len(), 1);
    house.registry.returning(id(3), Some("e")).await.unwrap();
    house.storage.bring_back(id(3), "e").await.unwrap();
}

#[tokio::test]
async fn what_belongs_to_nothing_is_destroyed_and_what_is_gone_forgotten() {
    let house = House::new();
    for (n, path) in [(1, "a"), (2, "b")] {
        house.store(n, path).await;
        house.storage.set_aside(path, id(n)).await.unwrap();
        house.registry.put_aside(id(n)).await.unwrap();
    }
    house.registry.forget(id(1)).await.unwrap();
    house.storage.destroy(id(2)).await.unwrap();
    let (house, summary) = house.restarted().await;
    assert_eq!((summary.deleted, summary.gone), (0, 1));
    assert!(house.storage.aside().await.unwrap().is_empty());
    assert!(house.registry.deleted().await.unwrap().is_empty());
}

#[tokio::test]
async fn deleted_files_are_gone_after_their_time_unless_they_are_about_to_return() {
    let house = House::new();
    let (registry, storage) = (&house.registry, &house.storage);
    for (n, path) in [(1, "a"), (2, "b")] {
        house.store(n, path).await;
        storage.set_aside(path, id(n)).await.unwrap();
        registry.put_aside(id(n)).await.unwrap();
    }
    registry.returning(id(2), Some("b")).await.unwrap();
    assert_eq!(purge(registry, storage, KEPT).await.unwrap(), 0);
    assert_eq!(purge(registry, storage, Duration::ZERO).await.unwrap(), 1);
    assert_eq!(storage.aside().await.unwrap(), [id(2)]);
    registry.bring_back(id(2), "b").await.unwrap();
    storage.bring_back(id(2), "b").await.unwrap();
    assert_eq!(purge(registry, storage, Duration::ZERO).await.unwrap(), 0);
    assert_eq!(storage.len("b").await.unwrap(), Some(9));
}

#[tokio::test]
async fn what_nobody_continues_expires_unless_it_is_held() {
    let house = House::new();
    for n in [1, 2, 3] {
        drop(house.complete(n, &format!("{n}"), 5).await);
    }
    let (registry, storage) = (&house.registry, &house.storage);
    let none = expire(registry, storage, WEEK, |_| false).await.unwrap();
    assert!(none.is_empty());
    let never = expire(registry, storage, None, |_| false).await.unwrap();
    assert!(never.is_empty());

    tokio::time::sleep(Duration::from_millis(20)).await;
    let short = Some(Duration::from_millis(10));
    let ended = expire(registry, storage, short, |id| id == self::id(2))
        .await
        .unwrap();
    assert_eq!(ended, [id(1), id(3)]);
    assert_eq!(storage.parts().await.unwrap(), [id(2)]);
    let summary = recover(registry, storage, short).await.unwrap();
    assert_eq!((summary.kept, summary.ended), (0, 1));
    assert!(storage.parts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_newer_holder_completes_what_an_older_one_stored() {
    let house = House::new();
    let old = house.complete(1, "a", 5).await;
    house.sealing(1, "a").await;
    let claim = house.registry.hold(id(1)).await.unwrap();
    old.seal("a").await.unwrap();
    let opened = house
        .storage
        .open(id(1), 5, claim.epoch, Opening::Resumed)
        .await;
    assert!(matches!(opened.err(), Some(StorageError::Missing)));
    let file = settle(&house.registry, &house.storage, &claim)
        .await
        .unwrap();
    let file = Arc::new(file.unwrap());
    // The older one learns the same, though late.
    let late = house
        .registry
        .finish(id(1), Epoch(1), "a", file.digest)
        .await;
    assert_eq!(late.unwrap(), *file);
}

#[tokio::test]
async fn an_older_holder_that_comes_late_learns_what_became_of_it() {
    let house = House::new();
    house.complete(1, "a", 5).await;
    let older = house.registry.hold(id(1)).await.unwrap();
    let newer = house.registry.hold(id(1)).await.unwrap();
    let late = settle(&house.registry, &house.storage, &older).await;
    assert!(late.is_err(), "it is not the older one's to end");
    let root = Root(*blake3::hash(&content(1, 5)).as_bytes());
    let stored = house.registry.finish(id(1), newer.epoch, "a", root);
    let stored = stored.await.unwrap();
    let late = settle(&house.registry, &house.storage, &older).await;
    assert_eq!(late.unwrap(), Some(stored));
}
