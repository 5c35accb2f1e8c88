//! Files that arrived, as they go out of the real server: shown in place, several as one
//! archive, deleted and taken back.

use std::net::SocketAddr;

use leptos::server_fn::ServerFn;
use longhaul::api::{DeleteFiles, RestoreFiles};
use longhaul::protocol::id::FileId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::TestServer;

/// The head of an answer in small letters, and its body.
async fn ask(address: SocketAddr, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = answer.split_off(end.unwrap() + 4);
    (String::from_utf8(answer).unwrap().to_lowercase(), body)
}

async fn get(address: SocketAddr, path: &str) -> (String, Vec<u8>) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    ask(address, &request).await
}

/// Calls a server function as a form of a page does.
async fn call(address: SocketAddr, function: &str, form: &str) -> (String, Vec<u8>) {
    let request = format!(
        "POST {function} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    ask(address, &request).await
}

async fn store(server: &TestServer, path: &str, content: &[u8]) -> FileId {
    let mut client = server.client().await;
    let opened = client.open(path, content.len() as u64, None).await;
    client.finish(&opened, content).await;
    opened.id
}

#[tokio::test]
async fn only_a_pdf_may_be_framed_and_only_by_this_server() {
    let server = TestServer::start().await;
    for (name, frames) in [
        ("a.pdf", "sameorigin"),
        ("a.png", "deny"),
        ("a.txt", "deny"),
    ] {
        let id = store(&server, name, b"content").await;
        let (head, body) = get(server.address, &format!("/f/{id}/view")).await;
        assert_eq!(body, b"content");
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(
            head.contains(&format!("x-frame-options: {frames}\r\n")),
            "{head}"
        );
        let (head, _) = get(server.address, &format!("/f/{id}/content")).await;
        assert!(head.contains("x-frame-options: deny"), "{head}");
    }
}

#[tokio::test]
async fn an_archive_arrives_whole_or_is_seen_to_be_broken_off() {
    static LARGE: [u8; 3 << 20] = [5; 3 << 20];
    let server = TestServer::start_narrow().await;
    let (first, second) = (
        store(&server, "a", &LARGE).await,
        store(&server, "b", b"second").await,
    );
    let path = format!("/files.zip?ids={first}&ids={second}");
    let length = |head: &str| -> usize {
        let line = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        line.unwrap().parse().unwrap()
    };
    let (head, body) = get(server.address, &path).await;
    assert_eq!(body.len(), length(&head));
    assert!(body.ends_with(&[0, 0]) && body.windows(4).any(|four| four == b"PK\x05\x06"));

    // The second goes while the first is on its way.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut begin = vec![0; 4096];
    stream.read_exact(&mut begin).await.unwrap();
    let form = format!("ids%5B%5D={second}");
    let (head, _) = call(server.address, DeleteFiles::PATH, &form).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let mut rest = Vec::new();
    // However the system says it: the end of the archive never comes.
    _ = stream.read_to_end(&mut rest).await;
    assert!(!rest.windows(4).any(|four| four == b"PK\x05\x06"));
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_the_folder_and_comes_back() {
    let server = TestServer::start().await;
    let id = store(&server, "d/a.txt", b"mine").await;
    let link = format!("/f/{id}/content");
    let form = format!("ids%5B%5D={id}");
    let (head, _) = call(server.address, DeleteFiles::PATH, &form).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(!server.data.path().join("files/d").exists());
    assert!(
        get(server.address, &link)
            .await
            .0
            .starts_with("http/1.1 404")
    );
    let (head, body) = call(server.address, RestoreFiles::PATH, &form).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("d/a.txt"));
    assert_eq!(server.stored("d/a.txt"), b"mine");
    assert_eq!(get(server.address, &link).await.1, b"mine");
}
