//! A connection whose other end is silently gone: the server notices, lets its upload
//! go, and gives everything back. What the client does is in `protocol::connection`.

use std::time::{Duration, Instant};

use crate::support::{TestServer, content};
use longhaul::protocol::close::CloseCode;
use longhaul::verify::BLOCK;

#[tokio::test]
async fn a_silent_client_is_noticed_within_fifteen_seconds() {
    let server = TestServer::start().await;
    let bytes = content(2 * BLOCK, 1);
    let mut silent = server.client().await;
    let opened = silent.open("a.bin", 2 * BLOCK, None).await;
    silent.block(opened.stream, &bytes, 0).await;
    silent.durable(opened.stream, BLOCK).await;

    // From here on it neither says anything nor answers pings.
    let began = Instant::now();
    let mut changes = server.server.hub.changes();
    while server.server.hub.held() > 0 {
        changes.changed().await.unwrap();
    }
    let noticed = began.elapsed();
    assert!(noticed <= Duration::from_secs(15), "{noticed:?}");
    assert!(noticed >= Duration::from_secs(10), "{noticed:?}");
    server.quiet(Duration::from_secs(4)).await;
    server.nothing_left();

    let mut other = server.client().await;
    let token = Some(opened.token);
    let resumed = other.open("a.bin", 2 * BLOCK, token).await;
    assert!(resumed.have.contains(0));
    other.finish(&resumed, &bytes).await;
    assert_eq!(server.stored("a.bin"), bytes);

    // Had it only slept, it would read why.
    let (code, reason) = silent.close_frame().await;
    assert_eq!(Some(code), CloseCode::HeartbeatLost.code());
    assert_eq!(reason, CloseCode::HeartbeatLost.reason());
}
