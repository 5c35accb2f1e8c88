#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::api::{PAGE_SIZE, SortBy};
use crate::kind::Kind;
use crate::verify::{BLOCK, blocks};

const ROOT: Root = Root([9; 32]);

struct House {
    dir: TempDir,
    registry: Sqlite,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registry = Sqlite::open(dir.path()).unwrap();
        Self { dir, registry }
    }

    fn reopened(self) -> Self {
        let Self { dir, registry } = self;
        drop(registry);
        let registry = Sqlite::open(dir.path()).unwrap();
        Self { dir, registry }
    }

    async fn begin(&self, n: u8, path: &str, size: u64) -> Claim {
        let manifest = manifest(path, size);
        self.registry
            .begin(id(n), &token(n), &manifest, path)
            .await
            .unwrap()
    }

    async fn claim(&self, n: u8) -> Claim {
        match self.registry.find(&token(n)).await.unwrap() {
            Some(Found::Upload(id)) => self.registry.hold(id).await.unwrap(),
            other => unreachable!("{other:?}"),
        }
    }

    async fn store(&self, n: u8, path: &str, size: u64) -> StoredFile {
        self.begin(n, path, size).await;
        let registry = &self.registry;
        registry.finish(id(n), Epoch(1), path, ROOT).await.unwrap()
    }

    /// The paths that a query gives.
    async fn found(&self, query: FileQuery) -> Vec<String> {
        let page = self.registry.files(&query).await.unwrap();
        page.files.into_iter().map(|file| file.path).collect()
    }

    async fn search(&self, search: &str) -> Vec<String> {
        self.found(FileQuery {
            search: search.into(),
            kind: None,
            sort: SortBy::Path,
            descending: false,
            page: 0,
        })
        .await
    }
}

fn id(n: u8) -> FileId {
    FileId::from_bytes([n; 16])
}

fn token(n: u8) -> Token {
    Token::from_bytes([n; 16])
}

fn manifest(path: &str, size: u64) -> Manifest {
    Manifest {
        path: format!("../{path}"),
        size,
        modified: Some(-5),
        media_type: "text/plain".into(),
    }
}

fn block(index: u64) -> (u64, BlockHash) {
    (index, BlockHash([index as u8; 32]))
}

#[tokio::test]
async fn an_upload_is_what_was_said_of_it_also_after_a_restart() {
    let house = House::new();
    let begun = house.begin(1, "a/例.txt", 3 * BLOCK - 1).await;
    assert_eq!(begun.epoch, Epoch(1));
    assert_eq!(begun.upload.manifest, manifest("a/例.txt", 3 * BLOCK - 1));
    let record = [block(2), block(0)];
    house
        .registry
        .record(id(1), Epoch(1), &record)
        .await
        .unwrap();

    let house = house.reopened();
    let claim = house.claim(1).await;
    assert_eq!(claim.epoch, Epoch(2));
    assert_eq!(claim.blocks, [block(0), block(2)]);
    assert_eq!(claim.upload.durable, 2 * BLOCK - 1);
    assert!(claim.upload.touched >= begun.upload.started);
    let expected = Upload {
        durable: 2 * BLOCK - 1,
        touched: claim.upload.touched,
        ..begun.upload
    };
    assert_eq!(claim.upload, expected);
    assert_eq!(
        house.registry.upload(id(1)).await.unwrap(),
        Some(expected.clone())
    );
    assert_eq!(house.registry.uploads().await.unwrap(), [expected]);
}

#[tokio::test]
async fn what_is_durable_follows_from_the_blocks() {
    let house = House::new();
    for (n, size) in [(1, 0), (2, 1), (3, BLOCK), (4, BLOCK + 1), (5, 2 * BLOCK)] {
        house.begin(n, &format!("{n}"), size).await;
        let all: Vec<_> = (0..blocks(size)).map(block).collect();
        house.registry.record(id(n), Epoch(1), &all).await.unwrap();
        house.registry.record(id(n), Epoch(1), &all).await.unwrap();
        let upload = house.registry.upload(id(n)).await.unwrap().unwrap();
        assert_eq!(upload.durable, size);
    }
}

#[tokio::test]
async fn only_the_newest_holder_may_change_anything() {
    let house = House::new();
    let registry = &house.registry;
    house.begin(1, "a", BLOCK).await;
    let newest = house.claim(1).await.epoch;
    let old = Epoch(1);
    for result in [
        registry.record(id(1), old, &[block(0)]).await,
        registry.sealing(id(1), old, Some("a")).await,
        registry.finish(id(1), old, "a", ROOT).await.map(|_| ()),
        registry.end(id(1), Some(old)).await.map(|_| ()),
    ] {
        assert!(matches!(result, Err(RegistryError::Superseded)));
    }
    registry.record(id(1), newest, &[block(0)]).await.unwrap();
    let server = registry.hold(id(1)).await.unwrap();
    assert_eq!(server.epoch, Epoch(3));
    let late = registry.record(id(1), newest, &[block(0)]).await;
    assert!(matches!(late, Err(RegistryError::Superseded)));
    let unknown = registry.hold(id(2)).await;
    assert!(matches!(unknown, Err(RegistryError::Unknown)));
}

#[tokio::test]
async fn a_token_stands_for_the_upload_and_then_for_the_file() {
    let house = House::new();
    house.begin(1, "a.txt", 5).await;
    assert_eq!(house.registry.find(&token(2)).await.unwrap(), None);
    let epoch = house.claim(1).await.epoch;
    let registry = &house.registry;
    registry
        .sealing(id(1), epoch, Some("a (2).txt"))
        .await
        .unwrap();
    let file = registry
        .finish(id(1), epoch, "a (2).txt", ROOT)
        .await
        .unwrap();
    assert_eq!(
        (file.name(), file.size, file.digest),
        ("a (2).txt", 5, ROOT)
    );
    assert_eq!(file.media_type, "text/plain");

    let house = house.reopened();
    let registry = &house.registry;
    let claimed = registry.find(&token(1)).await.unwrap();
    assert_eq!(claimed, Some(Found::Stored(file.clone())));
    assert_eq!(registry.file(id(1)).await.unwrap(), Some(file.clone()));
    assert_eq!(registry.upload(id(1)).await.unwrap(), None);
    // Whoever missed it may ask again.
    let again = registry.finish(id(1), Epoch(1), "x", ROOT).await.unwrap();
    assert_eq!(again, file);
}

#[tokio::test]
async fn an_ended_upload_leaves_nothing() {
    let house = House::new();
    let registry = &house.registry;
    house.begin(1, "a", BLOCK).await;
    registry.record(id(1), Epoch(1), &[block(0)]).await.unwrap();
    assert!(registry.end(id(1), None).await.unwrap());
    assert!(!registry.end(id(1), None).await.unwrap());
    assert_eq!(registry.find(&token(1)).await.unwrap(), None);
    let late = registry.record(id(1), Epoch(1), &[block(1)]).await;
    assert!(matches!(late, Err(RegistryError::Unknown)));
    let left: u64 = registry
        .0
        .call(|db| Ok(db.query_row("SELECT COUNT(*) FROM blocks", [], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(left, 0);
}

fn is_taken<T>(result: Result<T, RegistryError>) -> bool {
    matches!(result, Err(RegistryError::Taken))
}

#[tokio::test]
async fn a_path_belongs_to_one_file_or_to_one_that_is_about_to_have_it() {
    let house = House::new();
    let registry = &house.registry;
    house.store(1, "a", 1).await;
    house.store(2, "b", 1).await;
    house.begin(3, "a", 1).await;
    house.begin(4, "a", 1).await;
    let sealing = async |n, path| registry.sealing(id(n), Epoch(1), path).await;

    assert!(is_taken(sealing(3, Some("a")).await));
    sealing(3, Some("c")).await.unwrap();
    sealing(3, Some("c")).await.unwrap();
    assert!(is_taken(sealing(4, Some("c")).await));
    assert!(is_taken(registry.moving(id(1), Some("c")).await));
    assert!(is_taken(registry.moving(id(1), Some("b")).await));
    sealing(3, None).await.unwrap();
    registry.moving(id(1), Some("c")).await.unwrap();
    assert!(is_taken(sealing(4, Some("c")).await));
    assert!(is_taken(registry.finish(id(4), Epoch(1), "c", ROOT).await));
    let moves = registry.moves().await.unwrap();
    assert_eq!(moves.len(), 1);
    assert_eq!((moves[0].0.path.as_str(), moves[0].1.as_str()), ("a", "c"));
    registry.rename(id(1), "c").await.unwrap();
    assert!(registry.moves().await.unwrap().is_empty());
    assert!(is_taken(registry.rename(id(1), "b").await));
    sealing(4, Some("a")).await.unwrap();

    assert_eq!(registry.file(id(1)).await.unwrap().unwrap().path, "c");
    assert!(registry.delete(id(1)).await.unwrap());
    assert!(!registry.delete(id(1)).await.unwrap());
    let gone = registry.rename(id(1), "d").await;
    assert!(matches!(gone, Err(RegistryError::Unknown)));
}

#[tokio::test]
async fn search_knows_neither_case_nor_wildcards_in_any_script() {
    let house = House::new();
    for (n, path) in [
        (1, "Документы/Отчёт 100%.PDF"),
        (2, "naïve_plan.txt"),
        (3, "ΟΔΟΣ.txt"),
        (4, "100 percent.txt"),
    ] {
        house.store(n, path, 1).await;
    }
    assert_eq!(house.search("ОТЧЁТ").await, ["Документы/Отчёт 100%.PDF"]);
    // The same letter in two pieces.
    assert_eq!(
        house.search("отче\u{308}т").await,
        ["Документы/Отчёт 100%.PDF"]
    );
    assert_eq!(house.search("NAI\u{308}VE").await, ["naïve_plan.txt"]);
    assert_eq!(house.search("100%").await, ["Документы/Отчёт 100%.PDF"]);
    assert_eq!(house.search("_").await, ["naïve_plan.txt"]);
    assert_eq!(house.search(".TXT").await.len(), 3);
    assert_eq!(house.search("").await.len(), 4);
    assert!(house.search("nothing' OR 1=1 --").await.is_empty());
}

#[tokio::test]
async fn pages_join_without_gap_or_repetition() {
    let house = House::new();
    let count = PAGE_SIZE as u8 + 7;
    for n in 0..count {
        // Many of equal size: the order among them must not change between pages.
        house
            .store(n, &format!("{:02}", count - n), u64::from(n) / 20)
            .await;
    }
    for (sort, descending) in [
        (SortBy::Size, true),
        (SortBy::Size, false),
        (SortBy::Stored, true),
        (SortBy::Path, false),
    ] {
        let mut seen = Vec::new();
        let mut sizes = Vec::new();
        for page in 0..3 {
            let query = FileQuery {
                search: String::new(),
                kind: None,
                sort,
                descending,
                page,
            };
            let page = house.registry.files(&query).await.unwrap();
            assert_eq!(page.total, u64::from(count));
            sizes.extend(page.files.iter().map(|file| file.size));
            seen.extend(page.files.into_iter().map(|file| file.path));
        }
        assert_eq!(seen.len(), usize::from(count));
        match sort {
            SortBy::Size if descending => assert!(sizes.is_sorted_by(|a, b| a >= b)),
            SortBy::Size => assert!(sizes.is_sorted()),
            SortBy::Path => assert!(seen.is_sorted()),
            SortBy::Stored => {}
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), usize::from(count));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_calls_at_once_the_bad_ones_fail_alone() {
    let house = House::new();
    for n in 0..40 {
        house.begin(n, &format!("{n}"), 1000 * BLOCK).await;
    }
    let registry = Arc::new(house.registry);
    let calls: Vec<_> = (0..80u8)
        .flat_map(|n| (0..5).map(move |index| (n, index)))
        .map(|(n, index)| {
            let registry = Arc::clone(&registry);
            tokio::spawn(async move {
                let result = registry.record(id(n), Epoch(1), &[block(index)]).await;
                assert_eq!(result.is_ok(), n < 40);
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    for upload in registry.uploads().await.unwrap() {
        assert_eq!(upload.durable, 5 * BLOCK);
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_half_done_stays() {
    let house = House::new();
    let registry = &house.registry;
    house.begin(1, "a", 1 << 40).await;
    let pages = |n: u32| {
        registry.0.call(move |db| {
            db.pragma_update_and_check(None, "max_page_count", n, |_| Ok(()))?;
            Ok(())
        })
    };
    pages(1).await.unwrap();
    let many: Vec<_> = (0..10_000).map(block).collect();
    let full = registry.record(id(1), Epoch(1), &many).await;
    assert!(matches!(full, Err(RegistryError::Full)), "{full:?}");
    pages(100_000).await.unwrap();
    assert_eq!(registry.upload(id(1)).await.unwrap().unwrap().durable, 0);
    registry.record(id(1), Epoch(1), &many).await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let house = House::new();
    let set = |db: &Connection| Ok(db.pragma_update(None, "user_version", 99)?);
    house.registry.0.call(set).await.unwrap();
    let House { dir, registry } = house;
    drop(registry);
    let error = Sqlite::open(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("version 99") && error.contains("newer Longhaul"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_of_an_older_version_gets_what_it_lacks() {
    let house = House::new();
    house.begin(1, "a", 2 * BLOCK).await;
    let file = house.store(2, "b", 1).await;
    let older = |db: &Connection| {
        Ok(db.execute_batch(
            "DROP INDEX uploads_alike; DROP TABLE replaced_tokens;
             DROP TABLE deleted; ALTER TABLE files DROP COLUMN leaving",
        )?)
    };
    house.registry.0.call(older).await.unwrap();
    let version = |db: &Connection| Ok(db.pragma_update(None, "user_version", 1)?);
    house.registry.0.call(version).await.unwrap();
    let house = house.reopened();
    let adopted = house.registry.adopt(id(1), Epoch(1), &token(2)).await;
    assert_eq!(adopted.unwrap().upload.path, "a");
    assert_eq!(house.registry.file(id(2)).await.unwrap(), Some(file));
    house.registry.leaving(id(2), true).await.unwrap();
    house.registry.put_aside(id(2)).await.unwrap();
}

#[tokio::test]
async fn files_are_narrowed_to_a_kind_by_what_their_names_say() {
    let house = House::new();
    for (n, path) in [(1, "d/A.PNG"), (2, "b.mkv"), (3, "c.png/c.zip"), (4, "e")] {
        house.store(n, path, 1).await;
    }
    let of = async |kind| {
        let query = FileQuery {
            kind: Some(kind),
            ..FileQuery::default()
        };
        let page = house.registry.files(&query).await.unwrap();
        assert_eq!(page.total, page.files.len() as u64);
        page.files
            .into_iter()
            .map(|file| file.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(Kind::Image).await, ["d/A.PNG"]);
    assert_eq!(of(Kind::Video).await, ["b.mkv"]);
    assert_eq!(of(Kind::Archive).await, ["c.png/c.zip"]);
    // All of them were sent as text.
    assert_eq!(of(Kind::Document).await, ["e"]);
    assert!(of(Kind::Audio).await.is_empty());
}

#[tokio::test]
async fn what_was_put_aside_is_nowhere_until_it_is_brought_back() {
    let house = House::new();
    let registry = &house.registry;
    let file = house.store(1, "a", 1).await;
    registry.leaving(id(1), true).await.unwrap();
    assert_eq!(
        registry.leavings().await.unwrap(),
        std::slice::from_ref(&file)
    );
    registry.leaving(id(1), false).await.unwrap();
    assert!(registry.leavings().await.unwrap().is_empty());
    registry.put_aside(id(1)).await.unwrap();
    let again = registry.put_aside(id(1)).await;
    assert!(matches!(again, Err(RegistryError::Unknown)));
    assert_eq!(registry.file(id(1)).await.unwrap(), None);
    assert_eq!(registry.find(&token(1)).await.unwrap(), None);
    let house = house.reopened();
    let registry = &house.registry;
    let deleted = registry.deleted().await.unwrap();
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0].file, file);

    // Its path is free; once it is about to come back under it, it is not.
    registry.returning(id(1), Some("a")).await.unwrap();
    assert!(!registry.forget(id(1)).await.unwrap());
    house.begin(2, "a", 1).await;
    assert!(is_taken(registry.sealing(id(2), Epoch(1), Some("a")).await));
    registry.returning(id(1), None).await.unwrap();
    registry.sealing(id(2), Epoch(1), Some("a")).await.unwrap();
    assert!(is_taken(registry.returning(id(1), Some("a")).await));
    registry.returning(id(1), Some("b")).await.unwrap();
    let returns = registry.returns().await.unwrap();
    assert_eq!(returns, [(file.clone(), "b".into())]);
    let back = registry.bring_back(id(1), "b").await.unwrap();
    assert_eq!((back.path.as_str(), back.digest), ("b", file.digest));
    assert_eq!(registry.bring_back(id(1), "b").await.unwrap(), back);
    assert!(registry.deleted().await.unwrap().is_empty());
    let found = registry.find(&token(1)).await.unwrap();
    assert_eq!(found, Some(Found::Stored(back)));
}

#[tokio::test]
async fn what_comes_back_leaves_its_token_to_who_began_anew_with_it() {
    let house = House::new();
    let registry = &house.registry;
    house.store(1, "a", 1).await;
    registry.put_aside(id(1)).await.unwrap();
    let manifest = manifest("a", 1);
    let begun = registry.begin(id(2), &token(1), &manifest, "a").await;
    begun.unwrap();
    registry.bring_back(id(1), "a").await.unwrap();
    let found = registry.find(&token(1)).await.unwrap();
    assert_eq!(found, Some(Found::Upload(id(2))));
    registry.put_aside(id(1)).await.unwrap();
    assert!(registry.forget(id(1)).await.unwrap());
    assert!(!registry.forget(id(1)).await.unwrap());
}

#[tokio::test]
async fn a_size_that_no_file_can_have_is_an_error() {
    let house = House::new();
    let manifest = manifest("a", u64::MAX);
    let begun = house.registry.begin(id(1), &token(1), &manifest, "a").await;
    assert!(matches!(begun, Err(RegistryError::Database(_))));
}

#[tokio::test]
async fn the_token_itself_is_nowhere_in_the_database() {
    let house = House::new();
    house.begin(1, "a", 1).await;
    let secret = Token::from_bytes(*b"0123456789abcdef");
    let manifest = manifest("b", 1);
    house
        .registry
        .begin(id(2), &secret, &manifest, "b")
        .await
        .unwrap();
    let House { dir, registry } = house;
    drop(registry);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|window| window == secret.as_bytes()));
    }
}

#[tokio::test]
async fn uploads_of_the_same_path_and_size_are_found_the_furthest_first() {
    let house = House::new();
    let registry = &house.registry;
    for (n, path, size, durable) in [
        (1, "a", 9 * BLOCK, 2),
        (2, "a", 9 * BLOCK, 0),
        (3, "a", 9 * BLOCK, 5),
        (4, "a", 8 * BLOCK, 3),
        (5, "b", 9 * BLOCK, 3),
    ] {
        house.begin(n, path, size).await;
        let blocks: Vec<_> = (0..durable).map(block).collect();
        let recorded = registry.record(id(n), Epoch(1), &blocks).await;
        recorded.unwrap();
    }
    let alike = registry.alike("a", 9 * BLOCK).await.unwrap();
    assert_eq!(alike, [id(3), id(1)]);
    registry.end(id(3), None).await.unwrap();
    assert_eq!(registry.alike("a", 9 * BLOCK).await.unwrap(), [id(1)]);
}

#[tokio::test]
async fn who_adopts_an_upload_gets_a_token_of_their_own() {
    let house = House::new();
    let registry = &house.registry;
    house.begin(1, "a", 3 * BLOCK).await;
    registry.record(id(1), Epoch(1), &[block(0)]).await.unwrap();
    let seen = registry.peek(id(1)).await.unwrap();
    assert_eq!((seen.epoch, &seen.blocks[..]), (Epoch(1), &[block(0)][..]));

    // Somebody took hold since.
    house.claim(1).await;
    let late = registry.adopt(id(1), seen.epoch, &token(2)).await;
    assert!(matches!(late, Err(RegistryError::Superseded)));
    assert_eq!(registry.find(&token(2)).await.unwrap(), None);
    let unknown = registry.adopt(id(9), Epoch(1), &token(2)).await;
    assert!(matches!(unknown, Err(RegistryError::Unknown)));

    let seen = registry.peek(id(1)).await.unwrap();
    let adopted = registry.adopt(id(1), seen.epoch, &token(2)).await.unwrap();
    assert_eq!(adopted.epoch, Epoch(3));
    assert_eq!(adopted.blocks, [block(0)]);
    let found = async |n| registry.find(&token(n)).await.unwrap();
    assert_eq!(found(2).await, Some(Found::Upload(id(1))));
    assert_eq!(found(1).await, Some(Found::Replaced(id(1))));

    registry.adopt(id(1), Epoch(3), &token(3)).await.unwrap();
    let file = registry.finish(id(1), Epoch(4), "a", ROOT).await.unwrap();
    assert_eq!(found(3).await, Some(Found::Stored(file)));
    for n in [1, 2] {
        assert_eq!(found(n).await, Some(Found::Replaced(id(1))));
    }
    // What becomes of another upload changes nothing; with the file it is over.
    assert!(!registry.end(id(1), None).await.unwrap());
    assert_eq!(found(1).await, Some(Found::Replaced(id(1))));
    registry.delete(id(1)).await.unwrap();
    assert_eq!(found(1).await, None);
    assert_eq!(found(3).await, None);

    house.begin(4, "a", 3 * BLOCK).await;
    registry.adopt(id(4), Epoch(1), &token(5)).await.unwrap();
    registry.end(id(4), None).await.unwrap();
    assert_eq!(found(4).await, None);
}
