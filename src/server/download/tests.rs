#![allow(clippy::unwrap_used)]

use http::{HeaderName, Request};
use proptest::prelude::*;
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;
use crate::protocol::id::{FileId, Token};
use crate::protocol::manifest::{Limits, Manifest};
use crate::registry::{Epoch, Registry, Sqlite};
use crate::server::hub::Hub;
use crate::server::metrics::Metrics;
use crate::storage::disk::Disk;
use crate::storage::{Opening, Storage, UploadWriter};

const ID: FileId = FileId::from_bytes([1; 16]);
const CONTENT: &[u8] = b"0123456789";

pub(super) struct House {
    pub dir: TempDir,
    pub registry: Arc<Sqlite>,
    pub storage: Arc<Disk>,
    pub router: Router,
    tag: String,
}

pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: HeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl House {
    /// A house with one file.
    async fn new(path: &str) -> Self {
        let house = Self::empty().await;
        house.store(1, path, CONTENT).await;
        house
    }

    pub async fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registry = Arc::new(Sqlite::open(dir.path()).unwrap());
        let storage = Arc::new(Disk::open(dir.path()).unwrap());
        let metrics = Arc::new(Metrics::new().unwrap());
        let hub = Hub::new(registry.clone(), storage.clone(), metrics).await;
        let hub = Arc::new(hub.unwrap());
        let limits = Limits::default();
        let desk = Desk::new(registry.clone(), storage.clone(), hub, limits);
        Self {
            dir,
            registry,
            storage,
            router: routes(Arc::new(desk)),
            tag: format!("\"{}\"", blake3::hash(CONTENT).to_hex()),
        }
    }

    /// Stores a file.
    pub async fn store(&self, n: u8, path: &str, content: &'static [u8]) -> FileId {
        let root = Root(*blake3::hash(content).as_bytes());
        let writer = self.begin(n, path, content.len() as u64).await;
        writer.write(0, vec![content.into()]).await.unwrap();
        self.seal(n, path, writer, root).await
    }

    pub async fn begin(&self, n: u8, path: &str, size: u64) -> Box<dyn UploadWriter> {
        let id = FileId::from_bytes([n; 16]);
        let manifest = Manifest {
            path: path.into(),
            size,
            modified: None,
            media_type: "text/html".into(),
        };
        let token = Token::from_bytes([n; 16]);
        let registry = &self.registry;
        registry.begin(id, &token, &manifest, path).await.unwrap();
        let writer = self.storage.open(id, size, Epoch(1), Opening::New).await;
        writer.unwrap()
    }

    pub async fn seal(
        &self,
        n: u8,
        path: &str,
        writer: Box<dyn UploadWriter>,
        root: Root,
    ) -> FileId {
        let id = FileId::from_bytes([n; 16]);
        writer.seal(path).await.unwrap();
        let registry = &self.registry;
        registry.finish(id, Epoch(1), path, root).await.unwrap();
        id
    }

    pub async fn ask(&self, method: &str, what: &str, headers: &[(HeaderName, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(what);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: axum::body::to_bytes(answer.into_body(), 1 << 20)
                .await
                .unwrap()
                .into(),
        }
    }

    async fn get(&self, headers: &[(HeaderName, &str)]) -> Answer {
        self.ask("GET", &format!("/f/{ID}/content"), headers).await
    }

    async fn range(&self, range: &str) -> Answer {
        self.get(&[(header::RANGE, range)]).await
    }
}

#[tokio::test]
async fn the_whole_file_with_all_that_keeps_it_harmless() {
    let house = House::new("d/page.html").await;
    let answer = house.get(&[]).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, CONTENT));
    assert_eq!(answer.header(header::CONTENT_LENGTH), "10");
    assert_eq!(answer.header(header::ETAG), house.tag);
    assert_eq!(answer.header(header::ACCEPT_RANGES), "bytes");
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/html");
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(
        answer.header(header::CONTENT_SECURITY_POLICY),
        "sandbox; default-src 'none'"
    );
    let disposition = answer.header(header::CONTENT_DISPOSITION);
    assert_eq!(
        disposition,
        "attachment; filename=\"page.html\"; filename*=UTF-8''page.html"
    );
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    assert_eq!(answer.header(policy), "same-origin");
}

#[tokio::test]
async fn head_says_the_same_without_the_bytes() {
    let house = House::new("a.bin").await;
    let whole = house.get(&[]).await;
    let path = format!("/f/{ID}/content");
    let head = house
        .ask("HEAD", &path, &[(header::RANGE, "bytes=0-1")])
        .await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.headers, whole.headers);
}

#[tokio::test]
async fn parts_of_it() {
    let house = House::new("a").await;
    for (range, content, bytes) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
        ("bytes=-50", "bytes 0-9/10", "0123456789"),
    ] {
        let answer = house.range(range).await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (206, bytes.as_bytes())
        );
        assert_eq!(answer.header(header::CONTENT_RANGE), content);
        assert_eq!(
            answer.header(header::CONTENT_LENGTH),
            bytes.len().to_string()
        );
    }
    let beyond = house.range("bytes=10-").await;
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header(header::CONTENT_RANGE), "bytes */10");
    for range in ["bytes=0-1,3-4", "bytes=x"] {
        assert_eq!(house.range(range).await.status, 200);
    }
}

#[tokio::test]
async fn a_part_is_only_of_the_file_that_was_begun() {
    let house = House::new("a").await;
    let part = |condition: String| {
        let house = &house;
        async move {
            let range = (header::RANGE, "bytes=0-0");
            house
                .get(&[range, (header::IF_RANGE, &condition)])
                .await
                .status
        }
    };
    assert_eq!(part(house.tag.clone()).await, 206);
    assert_eq!(part("\"another\"".into()).await, 200);
    assert_eq!(part(format!("W/{}", house.tag)).await, 200);
    assert_eq!(part("Sat, 29 Oct 2044 19:43:31 GMT".into()).await, 200);
    assert_eq!(part("nonsense".into()).await, 200);
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let house = House::new("a").await;
    for known in [
        house.tag.clone(),
        format!("\"x\", {}", house.tag),
        "*".into(),
    ] {
        let answer = house.get(&[(header::IF_NONE_MATCH, &known)]).await;
        assert_eq!((answer.status, answer.body.len()), (304, 0));
        assert_eq!(answer.header(header::ETAG), house.tag);
    }
    let answer = house.get(&[(header::IF_NONE_MATCH, "\"x\"")]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_receipt_says_what_was_received() {
    let house = House::new("d/例.txt").await;
    let answer = house.ask("GET", &format!("/f/{ID}/receipt"), &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
    let text = String::from_utf8(answer.body).unwrap();
    for part in [
        format!("\"id\":\"{ID}\""),
        "\"name\":\"例.txt\"".into(),
        "\"path\":\"d/例.txt\"".into(),
        "\"size\":10".into(),
        "\"algorithm\":\"blake3\"".into(),
        format!("\"digest\":{}", house.tag),
        "\"stored_at\":\"20".into(),
    ] {
        assert!(text.contains(&part), "{part} is not in {text}");
    }
}

#[tokio::test]
async fn what_is_shown_is_of_our_type_and_in_a_sandbox() {
    let house = House::new("d/page.HTML").await;
    house.store(2, "clip.mp4", CONTENT).await;
    house.store(3, "paper.pdf", CONTENT).await;
    house.store(4, "drawing.svg", CONTENT).await;
    let view = async |n: u8, headers: &[(HeaderName, &str)]| {
        let id = FileId::from_bytes([n; 16]);
        house.ask("GET", &format!("/f/{id}/view"), headers).await
    };
    let text = view(1, &[]).await;
    assert_eq!((text.status, text.body.as_slice()), (200, CONTENT));
    assert_eq!(
        text.header(header::CONTENT_TYPE),
        "text/plain; charset=utf-8"
    );
    assert_eq!(text.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    let disposition = text.header(header::CONTENT_DISPOSITION);
    assert!(disposition.starts_with("inline; filename=\"page.HTML\""));
    for n in [1, 2, 4] {
        let policy = view(n, &[]).await;
        let policy = policy.header(header::CONTENT_SECURITY_POLICY).to_owned();
        assert!(
            policy.starts_with("sandbox; default-src 'none';"),
            "{policy}"
        );
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    }

    let film = view(2, &[(header::RANGE, "bytes=3-5")]).await;
    assert_eq!((film.status, film.body.as_slice()), (206, &b"345"[..]));
    assert_eq!(film.header(header::CONTENT_TYPE), "video/mp4");
    assert_eq!(film.header(header::X_FRAME_OPTIONS), "");
    // A PDF is framed by this server's own pages, and by no other.
    let pdf = view(3, &[]).await;
    assert_eq!(pdf.header(header::X_FRAME_OPTIONS), "SAMEORIGIN");
    let policy = pdf.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'self'"));
    // In a tab of its own it would be a document.
    let svg = view(4, &[]).await;
    assert_eq!(svg.header(header::CONTENT_TYPE), "image/svg+xml");
    let disposition = svg.header(header::CONTENT_DISPOSITION);
    assert!(disposition.starts_with("attachment"));
}

#[tokio::test]
async fn what_is_not_shown_is_refused_with_a_way_on() {
    let house = House::new("program.exe").await;
    let answer = house.ask("GET", &format!("/f/{ID}/view"), &[]).await;
    assert_eq!(answer.status, 415);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains(&format!("/f/{ID}/content")), "{text}");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_a_sentence() {
    let house = House::new("a").await;
    let other = FileId::from_bytes([2; 16]);
    for path in [
        format!("/f/{other}/content"),
        format!("/f/{other}/receipt"),
        format!("/f/{other}/view"),
        format!("/files.zip?ids={ID}&ids={other}"),
        "/f/..%2f..%2fetc%2fpasswd/content".into(),
    ] {
        let answer = house.ask("GET", &path, &[]).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.body, b"There is no such file or upload.\n");
    }
}

#[tokio::test]
async fn a_file_that_was_changed_on_the_disk_is_not_passed_off_as_the_one_that_arrived() {
    let house = House::new("a").await;
    let path = house.dir.path().join("files/a");
    std::fs::write(&path, "shorter").unwrap();
    assert_eq!(house.get(&[]).await.status, 500);
    std::fs::remove_file(path).unwrap();
    assert_eq!(house.get(&[]).await.status, 404);
}

#[test]
fn any_name_is_a_safe_header() {
    assert_eq!(
        disposition("attachment", "пример \"例\" 100%.txt"),
        "attachment; filename=\"______ ___ 100_.txt\"; filename*=UTF-8''\
         %D0%BF%D1%80%D0%B8%D0%BC%D0%B5%D1%80%20%22%E4%BE%8B%22%20100%25.txt"
    );
}

proptest! {
    #[test]
    fn a_name_never_breaks_out_of_its_header(name in ".*|[\"\\\\;%\r\n/a]*") {
        let value = disposition("attachment", &name);
        prop_assert!(HeaderValue::from_str(&value).is_ok());
        prop_assert_eq!(value.matches('"').count(), 2);
        prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
}

#[test]
fn times_are_written_as_such_whatever_they_are() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(rfc3339(-1), "1970-01-01T00:00:00.000Z");
    assert_eq!(rfc3339(i64::MAX), "9999-12-31T23:59:59.999Z");
}
