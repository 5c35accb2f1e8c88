//! The real program: `longhaul serve` and `longhaul send` as processes of their own,
//! which end with the test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PATIENCE;

const PROGRAM: &str = env!("CARGO_BIN_EXE_longhaul");

/// Nothing came in time.
#[derive(Debug)]
pub struct Silence;

/// A process, killed with `SIGKILL` when it is dropped.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|l| tell.send(l))
        });
        Self { child, lines }
    }

    /// The next line of its standard output; `None` once it has ended.
    pub fn line(&self) -> Option<String> {
        let line = self.line_within(PATIENCE);
        line.expect("the process is silent")
    }

    /// The same, if it comes so soon.
    pub fn line_within(&self, time: Duration) -> Result<Option<String>, Silence> {
        match self.lines.recv_timeout(time) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(Silence),
        }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; its exit code, where it had one.
    pub fn code(&mut self) -> Option<i32> {
        while self.line().is_some() {}
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a server on this port, or on any; it is ready when this returns.
pub fn serve(data: &Path, port: u16) -> (Process, SocketAddr) {
    serve_with(data, port, &[])
}

/// The same, with more options.
pub fn serve_with(data: &Path, port: u16, options: &[&str]) -> (Process, SocketAddr) {
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", "--log", "off", "--data"])
        .arg(data)
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .args(options)
        .current_dir(data);
    let server = Process::start(&mut command);
    let line = server.line().expect("the server did not start");
    let (_, address) = line.rsplit_once("http://").unwrap();
    let address = address.parse().unwrap();
    (server, address)
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))
}

/// `longhaul send --json`, as one line of its output after the other.
pub struct Sending(pub Process);

impl Sending {
    /// Sends `paths` to `server`, with its journal in `state`.
    pub fn start(server: SocketAddr, state: &Path, paths: &[&Path], options: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command
            .env("XDG_STATE_HOME", state)
            .args(["send", "--json", "--to", &format!("http://{server}")])
            .args(options)
            .args(paths);
        Self(Process::start(&mut command))
    }

    /// The next event; `None` at its end.
    pub fn event(&self) -> Option<Value> {
        self.0.line().map(|line| parse(&line))
    }

    /// The same, if it comes so soon.
    pub fn event_within(&self, time: Duration) -> Result<Option<Value>, Silence> {
        let line = self.0.line_within(time)?;
        Ok(line.map(|line| parse(&line)))
    }

    /// The first event of this kind that is as wanted.
    pub fn until(&self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no {kind} came in time");
            let event = self.event().unwrap_or_else(|| panic!("no {kind} came"));
            if event["event"] == kind && wanted(&event) {
                return event;
            }
        }
    }

    /// All events to its end, and its exit code.
    pub fn finish(mut self) -> (Vec<Value>, Option<i32>) {
        let events = std::iter::from_fn(|| self.event()).collect();
        let code = self.0.code();
        (events, code)
    }
}
