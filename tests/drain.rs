//! SIGTERM to the real program in the middle of uploads: it says so to everybody, makes
//! what came durable, closes each connection in good form and exits within its deadline;
//! the next run goes on from there.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{Client, TestServer, content, some_client};
use longhaul::protocol::StreamId;
use longhaul::protocol::close::CloseCode;
use longhaul::protocol::id::Token;
use longhaul::protocol::live::Topic;
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::message::{ClientMessage, ServerMessage};
use longhaul::verify::BLOCK;
use tempfile::TempDir;

const CLIENTS: usize = 20;
const SIZE: u64 = 3 * BLOCK;
/// The default of `--shutdown`.
const DEADLINE: Duration = Duration::from_secs(10);

struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_longhaul"))
            .args([
                "serve",
                "--log",
                "warn",
                "--listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit('/').next().unwrap().parse().unwrap();
        Self { child, address }
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// How it exited.
    fn exit(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    async fn client(&self) -> Client {
        let mut client = Client::connect(self.address, &[]).await;
        client.hello(some_client(), 1).await;
        client
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has exited cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_server_that_is_asked_to_stop_loses_nothing_and_says_goodbye() {
    let data = TempDir::new().unwrap();
    let mut program = Program::start(data.path());
    let bytes = content(SIZE, 1);
    let mut clients = Vec::new();
    for nth in 0..CLIENTS {
        let mut client = program.client().await;
        let opened = client.open(&format!("{nth}.bin"), SIZE, None).await;
        client.block(opened.stream, &bytes, 0).await;
        clients.push((client, opened));
    }
    // One block of each has arrived; the next is on its way.
    for (client, opened) in &mut clients {
        let came = |m| matches!(m, ServerMessage::Ack { received, .. } if received >= BLOCK);
        client.until(|m| came(m).then_some(())).await;
        client.block(opened.stream, &bytes, 1).await;
    }
    let mut idle = program.client().await;
    let mut stalled = program.client().await;
    let topic = Topic::Live;
    stalled.say(ClientMessage::Watch { topic }).await;

    let asked = Instant::now();
    program.terminate();
    for (client, _) in &mut clients {
        let drain = |m| matches!(m, ServerMessage::Drain { .. });
        client.until(|m| drain(m).then_some(())).await;
        goodbye(client).await;
    }
    goodbye(&mut idle).await;
    assert_eq!(program.exit(), Some(0));
    let took = asked.elapsed();
    println!("{CLIENTS} uploads, one client that does not read: it exited after {took:?}");
    assert!(took < DEADLINE, "{took:?}");
    goodbye(&mut stalled).await;

    let mut program = Program::start(data.path());
    for (nth, (_, opened)) in clients.iter().enumerate() {
        let mut client = program.client().await;
        let path = format!("{nth}.bin");
        let resumed = client.open(&path, SIZE, Some(opened.token)).await;
        assert!(resumed.have.contains(0), "{nth}: what had come was lost");
        client.finish(&resumed, &bytes).await;
        let stored = std::fs::read(data.path().join("files").join(path)).unwrap();
        assert!(stored == bytes);
        client.close(1000, "done").await;
        client.end().await;
    }
    program.terminate();
    assert_eq!(program.exit(), Some(0));
}

#[tokio::test]
async fn a_client_that_is_behind_hears_the_announcement_too() {
    let limits = Limits {
        accept: vec!["x".repeat(2000)],
        ..Limits::default()
    };
    let server = TestServer::start_narrow_with(limits, |disk| Arc::new(disk)).await;
    let mut behind = Client::connect_narrow(server.address).await;
    behind.hello(some_client(), 1).await;
    // Each is answered with more than two thousand bytes, which are not read yet.
    for stream in 0..40 {
        let stream = StreamId(stream);
        behind.ask(stream, 1, Token::from_bytes([0; 16])).await;
    }
    // While another is answered so often, all of them have been taken up.
    let mut other = server.client().await;
    for _ in 0..100 {
        other.say(ClientMessage::Ping).await;
        other.just(ServerMessage::Pong).await;
    }
    server.server.shutdown.cancel();
    let mut failed = 0;
    behind
        .until(|message| match message {
            ServerMessage::Failed { .. } => {
                failed += 1;
                None
            }
            ServerMessage::Drain { .. } => Some(()),
            other => panic!("{other:?}"),
        })
        .await;
    goodbye(&mut behind).await;
    assert!(failed > 8, "it was not behind: {failed}");
}

/// Hears the close frame of a server that restarts.
async fn goodbye(client: &mut Client) {
    let (code, reason) = client.close_frame().await;
    assert_eq!(Some(code), CloseCode::Restart.code());
    assert_eq!(reason, CloseCode::Restart.reason());
    client.end().await;
}
