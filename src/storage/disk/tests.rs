#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use futures::TryStreamExt;
use tempfile::TempDir;

use super::*;

const ID: FileId = FileId::from_bytes([7; 16]);

struct House {
    dir: TempDir,
    disk: Disk,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::open(&dir.path().join("data")).unwrap();
        Self { dir, disk }
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join("data").join(path)
    }

    async fn open(&self, epoch: u64) -> Box<dyn UploadWriter> {
        let opening = match epoch {
            1 => Opening::New,
            _ => Opening::Resumed,
        };
        self.disk.open(ID, 10, Epoch(epoch), opening).await.unwrap()
    }

    /// Stores a file of ten bytes, all `byte`.
    async fn store(&self, path: &str, byte: u8) -> Result<(), StorageError> {
        let id = FileId::from_bytes([byte; 16]);
        let writer = self.disk.open(id, 10, Epoch(1), Opening::New).await?;
        writer.write(0, vec![Bytes::from(vec![byte; 10])]).await?;
        writer.sync().await?;
        writer.seal(path).await
    }

    async fn content(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        let pieces: Vec<Bytes> = self.disk.read(path, range).await?.try_collect().await?;
        Ok(pieces.concat())
    }

    fn leftovers(&self) -> usize {
        std::fs::read_dir(self.at("parts")).unwrap().count()
    }
}

fn taken<T>(result: Result<T, StorageError>) -> String {
    match result {
        Err(StorageError::Exists { taken }) => taken,
        other => unreachable!("{:?}", other.err()),
    }
}

fn is_superseded(result: Result<(), StorageError>) -> bool {
    matches!(result, Err(StorageError::Superseded))
}

#[tokio::test]
async fn pieces_at_any_offset_become_a_file_under_its_own_name() {
    let house = House::new();
    let writer = house.open(1).await;
    let pieces = vec![Bytes::from_static(b"fg"), Bytes::from_static(b"hij")];
    writer.write(5, pieces).await.unwrap();
    writer
        .write(0, vec![Bytes::from_static(b"abcde")])
        .await
        .unwrap();
    writer.sync().await.unwrap();
    let path = "etc/пример 例.txt";
    assert!(!house.at("files/etc").exists());
    writer.seal(path).await.unwrap();
    assert_eq!(
        std::fs::read(house.at("files").join(path)).unwrap(),
        b"abcdefghij"
    );
    assert_eq!(house.leftovers(), 0);
    assert_eq!(house.disk.0.leases.count(), 0);
    assert_eq!(house.disk.len(path).await.unwrap(), Some(10));
    assert_eq!(house.disk.confirm(path).await.unwrap(), Some(10));
    assert_eq!(house.content(path, 3..8).await.unwrap(), b"defgh");
}

#[tokio::test]
async fn a_part_is_sparse_and_nobody_elses_business() {
    let house = House::new();
    let size = 1 << 40;
    let disk = &house.disk;
    let writer = disk.open(ID, size, Epoch(1), Opening::New).await.unwrap();
    writer
        .write(size - 4, vec![Bytes::from_static(b"tail")])
        .await
        .unwrap();
    writer.sync().await.unwrap();
    let part = house.at("parts").join(part_name(ID)).metadata().unwrap();
    assert_eq!(part.len(), size);
    assert!(part.blocks() * 512 < 1 << 20);
    let mode = house.at("parts").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(disk.parts().await.unwrap(), [ID]);
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let house = House::new();
    let disk = &house.disk;
    let writer = disk.open(ID, 0, Epoch(1), Opening::New).await.unwrap();
    writer.seal("empty").await.unwrap();
    assert_eq!(disk.len("empty").await.unwrap(), Some(0));
    assert_eq!(house.content("empty", 0..0).await.unwrap(), b"");
}

#[tokio::test]
async fn nothing_is_ever_replaced() {
    let house = House::new();
    house.store("a.txt", 1).await.unwrap();
    assert_eq!(taken(house.store("a.txt", 2).await), "a.txt");
    // The part is still there for another name.
    let writer = house
        .disk
        .open(FileId::from_bytes([2; 16]), 10, Epoch(2), Opening::Resumed)
        .await
        .unwrap();
    writer.seal("a (2).txt").await.unwrap();
    assert_eq!(house.content("a.txt", 0..10).await.unwrap(), [1; 10]);
    assert_eq!(house.content("a (2).txt", 0..10).await.unwrap(), [2; 10]);
    assert_eq!(
        taken(house.disk.rename("a.txt", "a (2).txt").await),
        "a (2).txt"
    );
}

#[tokio::test]
async fn a_file_in_the_place_of_a_folder_is_named() {
    let house = House::new();
    house.store("a/b", 1).await.unwrap();
    assert_eq!(taken(house.store("a/b/c/d", 2).await), "a/b");
    // And a folder in the place of a file.
    assert_eq!(taken(house.store("a", 2).await), "a");
}

#[tokio::test]
async fn what_is_not_a_safe_path_is_refused() {
    let house = House::new();
    house.store("a", 1).await.unwrap();
    for path in ["../x", "/x", "", "a/../x", "x\0", "a//b"] {
        let sealed = house.store(path, 2).await;
        assert!(matches!(sealed, Err(StorageError::UnsafePath)), "{path:?}");
        let renamed = house.disk.rename("a", path).await;
        assert!(matches!(renamed, Err(StorageError::UnsafePath)), "{path:?}");
        let read = house.disk.len(path).await;
        assert!(matches!(read, Err(StorageError::UnsafePath)), "{path:?}");
    }
}

#[tokio::test]
async fn no_link_leads_outside() {
    let house = House::new();
    let outside = house.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "secret").unwrap();
    symlink(&outside, house.at("files/link")).unwrap();
    symlink(outside.join("secret"), house.at("files/file")).unwrap();

    assert_eq!(taken(house.store("link/new", 1).await), "link");
    assert_eq!(taken(house.store("file", 1).await), "file");
    for path in ["link/secret", "file"] {
        let read = house.content(path, 0..6).await;
        assert!(matches!(read, Err(StorageError::Missing)), "{path}");
        assert_eq!(house.disk.len(path).await.unwrap(), None);
        let renamed = house.disk.rename(path, "mine").await;
        assert!(matches!(renamed, Err(StorageError::Missing)), "{path}");
    }
    let taken = house.disk.set_aside("link/secret", ID).await;
    assert!(matches!(taken, Err(StorageError::Missing)));
    assert!(outside.join("secret").exists());
    assert!(!outside.join("new").exists());
}

#[tokio::test]
async fn many_who_want_something_durable_share_a_flush() {
    let house = House::new();
    let names: Vec<String> = (1..=40).map(|n| format!("folder/{n}")).collect();
    let stores = (1..)
        .zip(&names)
        .map(|(byte, name)| house.store(name, byte));
    futures::future::try_join_all(stores).await.unwrap();
    for (byte, name) in (1..).zip(&names) {
        assert_eq!(house.content(name, 0..10).await.unwrap(), [byte; 10]);
    }
    let flushes = house.disk.0.flusher.flushes();
    assert!((1..20).contains(&flushes), "{flushes} for eighty syncs");
}

#[tokio::test]
async fn an_older_writer_is_refused_everything() {
    let house = House::new();
    let old = house.open(1).await;
    old.write(0, vec![Bytes::from_static(b"0123456789")])
        .await
        .unwrap();
    let new = house.open(2).await;
    assert!(is_superseded(
        old.write(0, vec![Bytes::from_static(b"x")]).await
    ));
    assert!(is_superseded(old.sync().await));
    assert!(is_superseded(old.seal("x").await));
    assert!(is_superseded(old.abort().await));
    let late = house.disk.open(ID, 10, Epoch(1), Opening::Resumed).await;
    assert!(matches!(late.err(), Some(StorageError::Superseded)));

    new.write(9, vec![Bytes::from_static(b"!")]).await.unwrap();
    new.seal("x").await.unwrap();
    assert_eq!(house.content("x", 0..10).await.unwrap(), b"012345678!");
    assert!(is_superseded(
        new.write(0, vec![]).await.and(old.sync().await)
    ));
    // Nor does it begin what is over anew.
    let late = house.disk.open(ID, 10, Epoch(1), Opening::New).await;
    assert!(matches!(late.err(), Some(StorageError::Superseded)));
    assert_eq!(house.leftovers(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_of_an_older_writer_lands_after_a_newer_one_opened() {
    let house = House::new();
    for epoch in 1..40 {
        let old = house.open(2 * epoch - 1).await;
        let racing = tokio::spawn(async move {
            while old
                .write(0, vec![Bytes::from_static(b"old"); 3])
                .await
                .is_ok()
            {}
        });
        tokio::task::yield_now().await;
        let new = house.open(2 * epoch).await;
        new.write(0, vec![Bytes::from_static(b"newnewnew!")])
            .await
            .unwrap();
        racing.await.unwrap();
        let part = std::fs::read(house.at("parts").join(part_name(ID))).unwrap();
        assert_eq!(part, b"newnewnew!");
    }
}

#[tokio::test]
async fn what_is_discarded_is_gone_also_for_its_writer() {
    let house = House::new();
    let writer = house.open(1).await;
    house.disk.discard(ID).await.unwrap();
    house.disk.discard(ID).await.unwrap();
    assert_eq!(house.leftovers(), 0);
    assert!(is_superseded(
        writer.write(0, vec![Bytes::from_static(b"x")]).await
    ));
    assert!(is_superseded(writer.seal("x").await));
    let again = house.disk.open(ID, 10, Epoch(2), Opening::Resumed).await;
    assert!(matches!(again.err(), Some(StorageError::Missing)));

    let again = house.disk.open(ID, 10, Epoch(3), Opening::New).await;
    let writer = again.unwrap();
    writer.abort().await.unwrap();
    assert_eq!(house.leftovers(), 0);
    assert_eq!(house.disk.0.leases.count(), 0);
}

#[tokio::test]
async fn what_was_written_is_there_for_the_next_run() {
    let house = House::new();
    let writer = house.open(1).await;
    writer
        .write(0, vec![Bytes::from_static(b"01234")])
        .await
        .unwrap();
    writer.sync().await.unwrap();
    drop(writer);
    let House { dir, disk } = house;
    drop(disk);
    let disk = Disk::open(&dir.path().join("data")).unwrap();
    let house = House { dir, disk };
    assert_eq!(house.disk.parts().await.unwrap(), [ID]);
    let writer = house.open(2).await;
    writer
        .write(5, vec![Bytes::from_static(b"56789")])
        .await
        .unwrap();
    writer.seal("x").await.unwrap();
    assert_eq!(house.content("x", 0..10).await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn a_part_that_lost_bytes_is_not_resumed() {
    let house = House::new();
    drop(house.open(1).await);
    let part = house.at("parts").join(part_name(ID));
    std::fs::write(&part, "short").unwrap();
    let resumed = house.disk.open(ID, 10, Epoch(2), Opening::Resumed).await;
    assert!(matches!(resumed.err(), Some(StorageError::Missing)));
    // Where nothing counts on it, it gets its length again.
    let new = house.disk.open(ID, 10, Epoch(2), Opening::New).await;
    assert!(new.is_ok());
    assert_eq!(part.metadata().unwrap().len(), 10);
}

#[tokio::test]
async fn two_servers_cannot_use_one_folder() {
    let house = House::new();
    let second = Disk::open(&house.at("")).unwrap_err();
    assert!(second.to_string().contains("another Longhaul"), "{second}");
}

#[tokio::test]
async fn a_file_moves_between_folders_and_leaves_no_empty_ones() {
    let house = House::new();
    house.store("a/b/c.txt", 1).await.unwrap();
    house.store("a/other.txt", 2).await.unwrap();
    house.disk.rename("a/b/c.txt", "d/e/f.txt").await.unwrap();
    house.disk.rename("d/e/f.txt", "d/e/f.txt").await.unwrap();
    assert_eq!(house.content("d/e/f.txt", 0..10).await.unwrap(), [1; 10]);
    assert!(!house.at("files/a/b").exists());
    assert!(house.at("files/a").exists());
    let gone = house.disk.rename("a/b/c.txt", "x").await;
    assert!(matches!(gone, Err(StorageError::Missing)));
    let folder = house.disk.rename("d/e", "x").await;
    assert!(matches!(folder, Err(StorageError::Missing)));
}

#[tokio::test]
async fn what_is_put_aside_is_out_of_sight_and_comes_back_or_is_destroyed() {
    let house = House::new();
    house.store("d/e/f.txt", 1).await.unwrap();
    house.disk.set_aside("d/e/f.txt", ID).await.unwrap();
    assert!(!house.at("files/d").exists() && house.at("files").exists());
    assert_eq!(house.disk.aside().await.unwrap(), [ID]);
    let mode = house.at("deleted").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let again = house.disk.set_aside("d/e/f.txt", ID).await;
    assert!(matches!(again, Err(StorageError::Missing)));

    house.store("f.txt", 2).await.unwrap();
    assert_eq!(taken(house.disk.bring_back(ID, "f.txt").await), "f.txt");
    assert_eq!(taken(house.disk.bring_back(ID, "f.txt/a").await), "f.txt");
    house.disk.bring_back(ID, "d/g.txt").await.unwrap();
    assert_eq!(house.content("d/g.txt", 0..10).await.unwrap(), [1; 10]);
    let gone = house.disk.bring_back(ID, "x/y").await;
    assert!(matches!(gone, Err(StorageError::Missing)));
    assert!(!house.at("files/x").exists());

    house.disk.set_aside("d/g.txt", ID).await.unwrap();
    house.disk.destroy(ID).await.unwrap();
    house.disk.destroy(ID).await.unwrap();
    assert!(house.disk.aside().await.unwrap().is_empty());
    let folder = house.disk.set_aside("d", ID).await;
    assert!(matches!(folder, Err(StorageError::Missing)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_may_vanish_while_others_are_stored() {
    let house = Arc::new(House::new());
    let tasks: Vec<_> = (1..=8)
        .map(|n: u8| {
            let house = Arc::clone(&house);
            tokio::spawn(async move {
                for _ in 0..20 {
                    let path = format!("a/b/{n}");
                    house.store(&path, n).await?;
                    let id = FileId::from_bytes([n; 16]);
                    house.disk.set_aside(&path, id).await?;
                    house.disk.destroy(id).await?;
                }
                Ok::<_, StorageError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(!house.at("files/a").exists());
}

#[tokio::test]
async fn a_long_file_comes_in_pieces_and_a_short_one_says_so() {
    let house = House::new();
    let size = 3 * PIECE + 5;
    let content: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
    std::fs::write(house.at("files/long"), &content).unwrap();
    let range = 100..size - 1;
    let pieces: Vec<Bytes> = house
        .disk
        .read("long", range.clone())
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert!(pieces.len() >= 3 && pieces.iter().all(|piece| piece.len() as u64 <= PIECE));
    assert_eq!(
        pieces.concat(),
        content[range.start as usize..range.end as usize]
    );
    let short = house.content("long", 0..size + 1).await;
    assert!(matches!(short, Err(StorageError::Io { .. })));
}

#[test]
fn a_full_disk_is_told_from_other_faults() {
    let full = |errno: Errno| matches!(failed("write", "x")(errno), StorageError::Full);
    assert!(full(Errno::NOSPC) && full(Errno::DQUOT));
    assert!(!full(Errno::IO));
}

#[tokio::test]
async fn what_goes_past_the_page_cache_and_what_goes_through_it_is_one_file() {
    let house = House::new();
    let content: Vec<u8> = (0..3_000_123u32).map(|i| (i % 251) as u8).collect();
    let size = content.len() as u64;
    let opened = house.disk.open(ID, size, Epoch(1), Opening::New).await;
    let writer = opened.unwrap();
    // Pages and no pages, aligned and not, small and large, some of it twice, some at once.
    let ranges = [
        0..1_048_576,
        1_048_576..1_148_577,
        1_148_577..1_300_000,
        1_300_000..1_302_528,
        2_097_152..3_000_123,
        1_048_576..2_097_152,
    ];
    let pieces = |range: &Range<usize>| {
        let bytes = &content[range.clone()];
        bytes.chunks(70_001).map(Bytes::copy_from_slice).collect()
    };
    let writes = ranges[..5]
        .iter()
        .map(|range| writer.write(range.start as u64, pieces(range)));
    futures::future::try_join_all(writes).await.unwrap();
    let again = &ranges[5];
    writer
        .write(again.start as u64, pieces(again))
        .await
        .unwrap();
    writer.sync().await.unwrap();
    writer.seal("a").await.unwrap();
    assert!(house.content("a", 0..size).await.unwrap() == content);
}
