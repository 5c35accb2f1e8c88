#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::{Request, Response};
use leptos::prelude::provide_context;
use leptos::server_fn::ServerFn;
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;
use crate::api::{DeleteFiles, ListFiles, RenameFile, ViewFile};
use crate::protocol::id::Token;
use crate::protocol::live::LiveState;
use crate::protocol::manifest::Manifest;
use crate::registry::{Epoch, Sqlite};
use crate::server::metrics::{End, Metrics};
use crate::storage::Opening;
use crate::storage::disk::Disk;
use crate::verify::Root;

struct House {
    dir: TempDir,
    registry: Arc<Sqlite>,
    storage: Arc<Disk>,
    desk: Arc<Desk>,
}

fn id(n: u8) -> FileId {
    FileId::from_bytes([n; 16])
}

impl House {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registry = Arc::new(Sqlite::open(dir.path()).unwrap());
        let storage = Arc::new(Disk::open(dir.path()).unwrap());
        let metrics = Arc::new(Metrics::new().unwrap());
        let hub = Hub::new(registry.clone(), storage.clone(), metrics).await;
        let hub = Arc::new(hub.unwrap());
        let limits = Limits::default();
        let desk = Arc::new(Desk::new(registry.clone(), storage.clone(), hub, limits));
        Self {
            dir,
            registry,
            storage,
            desk,
        }
    }

    async fn begin(&self, n: u8, path: &str) {
        let manifest = Manifest {
            path: path.into(),
            size: 3,
            modified: None,
            media_type: String::new(),
        };
        let token = Token::from_bytes([n; 16]);
        let begun = self.registry.begin(id(n), &token, &manifest, path).await;
        self.desk.hub.enter(&begun.unwrap().upload);
    }

    async fn store(&self, n: u8, path: &str) {
        self.begin(n, path).await;
        let writer = self.storage.open(id(n), 3, Epoch(1), Opening::New).await;
        writer.unwrap().seal(path).await.unwrap();
        let root = Root([0; 32]);
        self.registry
            .finish(id(n), Epoch(1), path, root)
            .await
            .unwrap();
        self.desk.hub.ended(id(n), End::Stored);
    }

    fn on_disk(&self, path: &str) -> bool {
        self.dir.path().join("files").join(path).exists()
    }

    /// Calls a server function as a page does.
    async fn call<F: ServerFn>(&self, form: &str, accept: &str) -> Response<Body> {
        let desk = Arc::clone(&self.desk);
        let handler = move |request: Request<Body>| {
            let desk = Arc::clone(&desk);
            let context = move || provide_context(Arc::clone(&desk));
            leptos_axum::handle_server_fns_with_context(context, request)
        };
        let request = Request::post(F::PATH)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, accept)
            .header(header::REFERER, "/files")
            .body(Body::from(form.to_owned()))
            .unwrap();
        let router = Router::new().fallback(any(handler));
        router.oneshot(request).await.unwrap()
    }
}

#[tokio::test]
async fn a_link_shows_the_upload_and_then_the_file() {
    let house = House::new().await;
    let desk = &house.desk;
    assert_eq!(desk.view(id(1)).await, Err(ApiError::NotFound));
    house.begin(1, "a").await;
    assert!(matches!(desk.view(id(1)).await, Ok(FileView::Upload(_))));
    assert_eq!(desk.live().await.unwrap().uploads.len(), 1);
    desk.cancel(id(1)).await.unwrap();
    let just_ended = desk.live().await.unwrap().uploads;
    assert_eq!(just_ended[0].state, LiveState::Ended);
    house.store(2, "b").await;
    assert!(matches!(desk.view(id(2)).await, Ok(FileView::Stored(_))));
    assert_eq!(desk.files(FileQuery::default()).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_rename_stays_in_the_folder_and_is_safe() {
    let house = House::new().await;
    let desk = &house.desk;
    house.store(1, "d/a.txt").await;
    let file = desk.rename(id(1), "../b/c: d.txt".into()).await.unwrap();
    assert_eq!(file.path, "d/.._b_c_ d.txt");
    assert!(house.on_disk(&file.path) && !house.on_disk("d/a.txt"));
    assert_eq!(desk.file(id(1)).await.unwrap(), Some(file.clone()));
    let same = desk.rename(id(1), file.name().into()).await;
    assert_eq!(same, Ok(file));
    let nothing = desk.rename(id(1), "..".into()).await;
    assert!(matches!(nothing, Err(ApiError::NoName)));
    assert_eq!(
        desk.rename(id(9), "x".into()).await,
        Err(ApiError::NotFound)
    );
}

#[tokio::test]
async fn a_rename_replaces_nothing() {
    let house = House::new().await;
    let desk = &house.desk;
    house.store(1, "a").await;
    house.store(2, "b").await;
    std::fs::write(house.dir.path().join("files/unknown"), "mine").unwrap();
    for name in ["b", "unknown"] {
        assert_eq!(desk.rename(id(1), name.into()).await, Err(ApiError::Taken));
        assert!(house.on_disk("a"));
    }
    assert!(house.registry.moves().await.unwrap().is_empty());
    std::fs::remove_file(house.dir.path().join("files/a")).unwrap();
    assert_eq!(
        desk.rename(id(1), "c".into()).await,
        Err(ApiError::NotFound)
    );
}

#[tokio::test]
async fn deleted_is_gone_from_the_folder_and_from_the_list() {
    let house = House::new().await;
    let desk = &house.desk;
    house.store(1, "d/a").await;
    desk.delete(vec![id(1)]).await.unwrap();
    assert!(!house.on_disk("d"));
    assert_eq!(desk.delete(vec![id(1)]).await, Err(ApiError::NotFound));
    assert_eq!(desk.files(FileQuery::default()).await.unwrap().total, 0);
    assert!(matches!(desk.view(id(1)).await, Ok(FileView::Deleted(_))));
    // A record without its file can be deleted all the same; nothing is left of it.
    house.store(2, "b").await;
    std::fs::remove_file(house.dir.path().join("files/b")).unwrap();
    desk.delete(vec![id(2)]).await.unwrap();
    assert_eq!(desk.view(id(2)).await, Err(ApiError::NotFound));
    assert_eq!(desk.restore(vec![id(2)]).await, Err(ApiError::NotFound));
}

#[tokio::test]
async fn what_was_deleted_comes_back_as_it_was() {
    let house = House::new().await;
    let desk = &house.desk;
    house.store(1, "d/a").await;
    house.store(2, "b").await;
    let before = desk.files(FileQuery::default()).await.unwrap();
    // What somebody else deleted meanwhile does not stand in the way.
    let deleted = desk.delete(vec![id(2), id(1), id(9), id(1)]).await;
    assert_eq!(deleted.unwrap().len(), 2);
    let listed = desk.deleted().await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|deleted| deleted.until() > now()));
    let back = desk.restore(vec![id(1), id(2)]).await.unwrap();
    assert_eq!(back.len(), 2);
    assert!(house.on_disk("d/a") && house.on_disk("b"));
    assert_eq!(desk.files(FileQuery::default()).await.unwrap(), before);
    assert_eq!(desk.deleted().await, Ok(Vec::new()));
    assert_eq!(desk.restore(vec![id(1)]).await, Err(ApiError::NotFound));
}

#[tokio::test]
async fn what_comes_back_takes_no_name_from_another() {
    let house = House::new().await;
    let desk = &house.desk;
    for n in 1..=3 {
        house.store(n, "a.txt").await;
        desk.delete(vec![id(n)]).await.unwrap();
    }
    house.store(4, "a.txt").await;
    // One that nobody told us of.
    std::fs::write(house.dir.path().join("files/a (2).txt"), "mine").unwrap();
    let back = desk.restore(vec![id(1), id(2)]).await.unwrap();
    let paths: Vec<_> = back.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a (3).txt", "a (4).txt"]);
    // A folder that is a file by now.
    house.store(5, "d/b").await;
    desk.delete(vec![id(5)]).await.unwrap();
    house.store(6, "d").await;
    let back = desk.restore(vec![id(5)]).await.unwrap();
    assert_eq!(back[0].path, "d (2)/b");
    assert!(house.on_disk("d (2)/b"));
}

#[tokio::test]
async fn a_request_is_about_so_many_files_at_most() {
    let house = House::new().await;
    let many = vec![id(1); MAX_CHOSEN as usize + 1];
    let refused = house.desk.delete(many).await;
    assert_eq!(refused, Err(ApiError::TooManyChosen { limit: MAX_CHOSEN }));
    let nothing = house.desk.delete(Vec::new()).await;
    assert_eq!(nothing, Err(ApiError::NothingChosen));
}

#[tokio::test]
async fn a_text_is_shown_and_nothing_else_as_text() {
    let house = House::new().await;
    house.store(1, "page.html").await;
    let view = house.desk.text(id(1)).await.unwrap();
    assert_eq!((view.text.as_str(), view.more), ("\0\0\0", false));
    house.store(2, "program").await;
    assert_eq!(house.desk.text(id(2)).await, Err(ApiError::NoText));
    assert_eq!(house.desk.text(id(9)).await, Err(ApiError::NotFound));
}

#[test]
fn a_text_is_read_whatever_it_is() {
    assert_eq!(text("例".as_bytes()), "例");
    // Cut off in the middle of a letter.
    assert_eq!(text(&"a例".as_bytes()[..3]), "a");
    assert_eq!(text(b"\xEF\xBB\xBFa"), "a");
    assert_eq!(text(b"\xFF\xFEa\0\x8B\x4F"), "a例");
    assert_eq!(text(b"\xFE\xFF\0a\x4F\x8B\x4F"), "a例");
    assert_eq!(text(b"a\xC3b"), "a\u{fffd}b");
}

#[tokio::test]
async fn a_rename_and_a_deletion_at_once_leave_nothing_behind() {
    let house = House::new().await;
    for n in 0..30 {
        house.store(n, "a").await;
        let rename = house.desk.rename(id(n), "b".into());
        let delete = house.desk.delete(vec![id(n)]);
        let (_, deleted) = tokio::join!(rename, delete);
        deleted.unwrap();
        assert!(!house.on_disk("a") && !house.on_disk("b"));
    }
}

#[tokio::test]
async fn a_change_goes_on_when_whoever_asked_has_gone() {
    let house = House::new().await;
    house.store(1, "a").await;
    let mut rename = Box::pin(house.desk.rename(id(1), "b".into()));
    assert!(futures::poll!(rename.as_mut()).is_pending());
    drop(rename);
    // Changes happen one at a time: the next one waits for it.
    let next = house.desk.delete(vec![id(9)]).await;
    assert_eq!(next, Err(ApiError::NotFound));
    assert!(house.on_disk("b"));
    assert_eq!(house.desk.file(id(1)).await.unwrap().unwrap().path, "b");
}

#[tokio::test]
async fn a_cancelled_upload_is_gone() {
    let house = House::new().await;
    house.begin(1, "a").await;
    house.desk.cancel(id(1)).await.unwrap();
    assert_eq!(house.registry.upload(id(1)).await.unwrap(), None);
    assert_eq!(house.desk.cancel(id(9)).await, Err(ApiError::NotFound));
}

#[tokio::test]
async fn an_error_of_a_server_function_has_its_status() {
    let house = House::new().await;
    house.store(1, "a").await;
    house.store(2, "b").await;
    let status = async |answer: Response<Body>| {
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 16)
            .await
            .unwrap();
        (status, String::from_utf8_lossy(&body).into_owned())
    };
    let json = "application/json";
    let unknown = format!("id={}", id(9));
    let (code, body) = status(house.call::<ViewFile>(&unknown, json).await).await;
    assert_eq!((code, body.as_str()), (404, "\"NotFound\""));
    let taken = format!("id={}&name=b", id(1));
    let (code, _) = status(house.call::<RenameFile>(&taken, json).await).await;
    assert_eq!(code, 409);
    let (code, body) = status(house.call::<ViewFile>("id=nonsense", json).await).await;
    assert_eq!(code, 400, "{body}");
    let query = "query[search]=&query[sort]=Path&query[descending]=false&query[page]=0";
    let (code, body) = status(house.call::<ListFiles>(query, json).await).await;
    assert!(code == 200 && body.contains("\"total\":2"), "{code} {body}");
}

#[tokio::test]
async fn a_form_without_javascript_is_led_back_to_its_page() {
    let house = House::new().await;
    let form = format!("ids%5B%5D={}", id(9));
    let answer = house.call::<DeleteFiles>(&form, "text/html,*/*").await;
    assert_eq!(answer.status(), 302);
    assert!(answer.headers().contains_key(header::LOCATION));
}

#[tokio::test]
async fn a_form_with_check_boxes_deletes_what_is_checked() {
    let house = House::new().await;
    for n in 1..=3 {
        house.store(n, &n.to_string()).await;
    }
    let form = format!("ids%5B%5D={}&ids%5B%5D={}", id(1), id(3));
    let answer = house.call::<DeleteFiles>(&form, "text/html,*/*").await;
    assert_eq!(answer.status(), 302);
    assert!(!house.on_disk("1") && house.on_disk("2") && !house.on_disk("3"));
}
