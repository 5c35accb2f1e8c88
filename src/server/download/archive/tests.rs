#![allow(clippy::unwrap_used)]

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;

use futures::TryStreamExt;
use http::Request;
use tower::ServiceExt;

use super::super::tests::House;
use super::*;
use crate::api::MAX_CHOSEN;
use crate::registry::Registry;
use crate::storage::Storage;
use crate::verify::Root;

fn query(ids: &[FileId]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| format!("ids%5B%5D={id}")).collect();
    format!("/files.zip?{}", ids.join("&"))
}

/// Has another program test an archive, and say what it holds: CRCs and lengths by name.
fn inspect(archive: &Path) -> String {
    let tested = Command::new("unzip")
        .arg("-tq")
        .arg(archive)
        .output()
        .unwrap();
    assert!(tested.status.success(), "{tested:?}");
    const LIST: &str = "import sys, zipfile, hashlib
with zipfile.ZipFile(sys.argv[1]) as archive:
    for entry in archive.infolist():
        digest = hashlib.sha256(archive.read(entry)).hexdigest()[:8] if entry.file_size < 1 << 20 else '-'
        print(entry.filename, entry.file_size, entry.compress_type, digest, entry.date_time[0] > 2000)";
    let list = Command::new("python3")
        .args(["-c", LIST])
        .arg(archive)
        .output()
        .unwrap();
    assert!(list.status.success(), "{list:?}");
    String::from_utf8(list.stdout).unwrap()
}

#[tokio::test]
async fn an_archive_has_every_file_as_it_was_sent_under_its_path() {
    let house = House::empty().await;
    let ids = [
        house.store(4, "旅行/照片/海.txt", "海".as_bytes()).await,
        house.store(3, "a/same.txt", b"one").await,
        house.store(2, "b/same.txt", b"another").await,
        house.store(1, "empty", b"").await,
        house.store(5, "not asked for", b"x").await,
    ];
    let answer = house.ask("GET", &query(&ids[..4]), &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/zip");
    let length = answer.header(header::CONTENT_LENGTH);
    assert_eq!(length, answer.body.len().to_string());
    let disposition = answer.header(header::CONTENT_DISPOSITION);
    assert!(disposition.starts_with("attachment; filename=\"files.zip\""));
    let path = house.dir.path().join("a.zip");
    std::fs::write(&path, &answer.body).unwrap();
    // By `sha256sum`.
    let expected = "a/same.txt 3 0 7692c3ad True
b/same.txt 7 0 ae448ac8 True
empty 0 0 e3b0c442 True
旅行/照片/海.txt 3 0 0ac6d519 True
";
    assert_eq!(inspect(&path), expected);

    let head = house.ask("HEAD", &query(&ids[..4]), &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.headers, answer.headers);
}

#[tokio::test]
async fn an_archive_is_called_like_what_is_in_it() {
    let house = House::empty().await;
    let ids = [
        house.store(1, "d/a.txt", b"").await,
        house.store(2, "d/e/b.txt", b"").await,
        house.store(3, "c", b"").await,
    ];
    for (ids, name) in [
        (&ids[..1], "a.txt.zip"),
        (&ids[..2], "d.zip"),
        (&ids[..], "files.zip"),
    ] {
        let answer = house.ask("GET", &query(ids), &[]).await;
        let disposition = answer.header(header::CONTENT_DISPOSITION);
        let expected = format!("attachment; filename=\"{name}\"");
        assert!(disposition.starts_with(&expected), "{disposition}");
    }
}

#[tokio::test]
async fn nothing_or_too_much_is_refused() {
    let house = House::empty().await;
    let id = house.store(1, "a", b"a").await;
    assert_eq!(house.ask("GET", "/files.zip", &[]).await.status, 400);
    assert_eq!(house.ask("GET", "/files.zip?ids=x", &[]).await.status, 404);
    let many = (0..=u128::from(MAX_CHOSEN)).map(|n| FileId::from_bytes(n.to_be_bytes()));
    let many: Vec<_> = many.collect();
    assert_eq!(house.ask("GET", &query(&many), &[]).await.status, 400);
    assert_eq!(house.ask("GET", &query(&[id, id]), &[]).await.status, 200);
    std::fs::write(house.dir.path().join("files/a"), "changed").unwrap();
    assert_eq!(house.ask("GET", &query(&[id]), &[]).await.status, 500);
}

#[tokio::test]
async fn a_file_that_goes_away_meanwhile_breaks_the_archive_off() {
    static LARGE: [u8; 4 << 20] = [7; 4 << 20];
    let house = House::empty().await;
    let ids = [
        house.store(1, "a", &LARGE).await,
        house.store(2, "b", b"b").await,
        house.store(3, "c", b"c").await,
    ];
    let begin = async || {
        let request = Request::get(query(&ids)).body(Body::empty()).unwrap();
        let answer = house.router.clone().oneshot(request).await.unwrap();
        let mut body = answer.into_body().into_data_stream();
        body.next().await.unwrap().unwrap();
        body
    };
    let whole = async |body: axum::body::BodyDataStream| body.try_collect::<Vec<Bytes>>().await;
    // A new name alone changes nothing.
    let body = begin().await;
    house.registry.rename(ids[1], "d").await.unwrap();
    house.storage.rename("b", "d").await.unwrap();
    whole(body).await.unwrap();

    let body = begin().await;
    house.storage.set_aside("d", ids[1]).await.unwrap();
    assert!(whole(body).await.is_err());
    house.storage.bring_back(ids[1], "d").await.unwrap();

    let body = begin().await;
    std::fs::write(house.dir.path().join("files/c"), "").unwrap();
    assert!(whole(body).await.is_err());
}

/// Writes an archive whose files are full of holes, and keeps the holes.
#[tokio::test]
async fn a_file_beyond_four_gigabytes_and_what_comes_after_it() {
    const LARGE: u64 = (1 << 32) + 5;
    let house = House::empty().await;
    let writer = house.begin(1, "large.bin", LARGE).await;
    let ids = [
        house.seal(1, "large.bin", writer, Root([0; 32])).await,
        house.store(2, "zz after.txt", b"after").await,
    ];
    let request = Request::get(query(&ids)).body(Body::empty()).unwrap();
    let answer = house.router.clone().oneshot(request).await.unwrap();
    let length = answer.headers()[header::CONTENT_LENGTH].to_str().unwrap();
    let length: u64 = length.parse().unwrap();
    let path = house.dir.path().join("large.zip");
    let mut file = std::fs::File::create_new(&path).unwrap();
    let mut body = answer.into_body().into_data_stream();
    while let Some(piece) = body.next().await {
        let piece = piece.unwrap();
        if piece.iter().all(|byte| *byte == 0) {
            file.seek(SeekFrom::Current(piece.len() as i64)).unwrap();
        } else {
            file.write_all(&piece).unwrap();
        }
    }
    assert_eq!(file.metadata().unwrap().len(), length);
    // Its end names it as one with large sizes.
    let mut end = Vec::new();
    let mut file = std::fs::File::open(&path).unwrap();
    file.seek(SeekFrom::End(-300)).unwrap();
    file.read_to_end(&mut end).unwrap();
    assert!(end.windows(4).any(|four| four == b"PK\x06\x06"));
    let list = inspect(&path);
    let (first, second) = list.split_once('\n').unwrap();
    assert_eq!(first, format!("large.bin {LARGE} 0 - True"));
    assert!(second.starts_with("zz after.txt 5 0 "), "{second}");
}
