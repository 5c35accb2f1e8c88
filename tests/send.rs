//! The native client against a real server: what arrives, what it says, and how it goes
//! on after each interruption.

use std::cell::Cell;
use std::fs::{self, File};
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::support::link::Link;
use crate::support::process::{Sending, serve};
use crate::support::{TestServer, content};
use longhaul::native::event::Failure;
use longhaul::native::journal::Journal;
use longhaul::native::source::Fault;
use longhaul::native::{End, Event, Outcome, Plan, send, walk};
use longhaul::protocol::live::{LiveState, Wish};
use longhaul::protocol::manifest::Limits;
use longhaul::protocol::sender::{Note, Row, RowState};
use longhaul::protocol::trouble::Trouble;
use longhaul::verify::BLOCK;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc};

/// Folders of one test: what is sent, and the journal.
struct Place {
    source: TempDir,
    state: TempDir,
}

impl Place {
    fn new() -> Self {
        let [source, state] = [(); 2].map(|()| TempDir::new().unwrap());
        Self { source, state }
    }

    fn write(&self, path: &str, content: &[u8]) {
        let file = self.source.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    /// A plan to send these.
    fn plan(&self, server: SocketAddr, paths: &[&str]) -> Plan {
        let paths = paths.iter().map(|path| self.source.path().join(path));
        Plan {
            server: format!("http://{server}").parse().unwrap(),
            sources: walk::find(&paths.collect::<Vec<_>>())
                .unwrap()
                .sources
                .into(),
            journal: Some(Journal::open_at(&self.state.path().join("longhaul")).unwrap()),
            give_up_after: None,
        }
    }

    fn journal(&self) -> usize {
        let journal = Journal::open_at(&self.state.path().join("longhaul"));
        journal.unwrap().count().unwrap()
    }
}

/// Runs a plan to its end.
async fn run(plan: Plan) -> (Outcome, Vec<Event>) {
    run_until(plan, pending()).await
}

async fn run_until(plan: Plan, stop: impl Future<Output = ()>) -> (Outcome, Vec<Event>) {
    let mut events = Vec::new();
    let outcome = send(plan, stop, |event| events.push(event)).await;
    (outcome, events)
}

/// Runs a plan until an event that `last` takes; then it is asked to stop, and what it
/// says after that gets through.
async fn run_to(plan: Plan, link: &Link, last: impl Fn(&Event) -> bool) -> (Outcome, Vec<Event>) {
    let (seen, mut events) = (Notify::new(), Vec::new());
    let report = |event| {
        if last(&event) {
            seen.notify_one();
            link.allow(16 * BLOCK);
        }
        events.push(event);
    };
    let outcome = send(plan, seen.notified(), report).await;
    (outcome, events)
}

fn finished(stored: usize) -> Outcome {
    Outcome {
        end: End::Finished,
        stored,
        failed: 0,
        left: 0,
    }
}

fn notes(events: &[Event]) -> Vec<Note> {
    let note = |event: &Event| match event {
        Event::Progress(_, row) => row.note,
        _ => None,
    };
    let mut notes: Vec<_> = events.iter().filter_map(note).collect();
    notes.dedup();
    notes
}

fn failures(events: &[Event]) -> Vec<&Failure> {
    let mut failures = Vec::new();
    for event in events {
        if let Event::Failed(_, failure) = event {
            failures.push(failure);
        }
    }
    failures
}

fn parts(server: &TestServer) -> usize {
    fs::read_dir(server.data.path().join("parts"))
        .unwrap()
        .count()
}

fn durable(event: &Event, bytes: u64) -> bool {
    matches!(event, Event::Progress(_, row) if row.durable >= bytes)
}

#[tokio::test]
async fn files_and_folders_arrive_with_their_digests_and_leave_no_journal() {
    let server = TestServer::start().await;
    let place = Place::new();
    let film = content(5 * BLOCK + 7, 1);
    place.write("film.mkv", &film);
    place.write("photos/2024/a.jpg", b"a");
    place.write("photos/empty", b"");
    let plan = place.plan(server.address, &["film.mkv", "photos"]);
    let (outcome, events) = run(plan.clone()).await;
    assert_eq!(outcome, finished(3));
    assert_eq!(server.stored("film.mkv"), film);
    assert_eq!(server.stored("photos/2024/a.jpg"), b"a");
    assert_eq!(server.stored("photos/empty"), b"");
    for event in events {
        if let Event::Stored(index, stored) = event {
            let source = &plan.sources[index];
            let bytes = fs::read(&source.file).unwrap();
            assert_eq!(stored.digest.0, *blake3::hash(&bytes).as_bytes());
            assert_eq!(stored.path, source.path);
        }
    }
    assert_eq!(place.journal(), 0);
}

#[tokio::test]
async fn what_was_stopped_goes_on_and_nothing_durable_is_sent_twice() {
    let server = TestServer::start().await;
    let place = Place::new();
    let film = content(40 * BLOCK, 2);
    place.write("film.mkv", &film);
    let link = Link::to(server.address, 4 * BLOCK + BLOCK / 2);
    let plan = place.plan(link.address, &["film.mkv"]);
    let moved =
        |event: &Event| matches!(event, Event::Progress(_, row) if row.received > 4 * BLOCK);
    let (outcome, events) = run_to(plan.clone(), &link, moved).await;
    let stopped = Outcome {
        end: End::Stopped,
        left: 1,
        ..finished(0)
    };
    assert_eq!(outcome, stopped);
    assert_eq!(place.journal(), 1);
    // What was received at the stop was made durable before the connection was closed.
    let Some(Event::Progress(_, row)) = events.last() else {
        panic!("nothing was said of the pause");
    };
    assert!(row.durable >= 4 * BLOCK);

    let before = link.carried();
    link.allow(u64::MAX / 2);
    let (outcome, events) = run(plan).await;
    assert_eq!(outcome, finished(1));
    assert_eq!(notes(&events), [Note::Continued]);
    assert_eq!(server.stored("film.mkv"), film);
    let carried = link.carried() - before;
    assert!(
        carried < 40 * BLOCK - row.durable + BLOCK / 8,
        "{carried} bytes were sent where {} were durable",
        row.durable
    );
    assert_eq!((place.journal(), parts(&server)), (0, 0));
}

#[tokio::test]
async fn somebody_elsewhere_pauses_it_and_lets_it_go_on() {
    let server = TestServer::start().await;
    let place = Place::new();
    let film = content(40 * BLOCK, 7);
    place.write("film.mkv", &film);
    let link = Link::to(server.address, 4 * BLOCK);
    let plan = place.plan(link.address, &["film.mkv"]);
    let (rows, mut seen) = mpsc::unbounded_channel();
    let hub = server.server.hub.clone();
    let person = async {
        let mut becomes = async |state: RowState| loop {
            let row: Row = seen.recv().await.unwrap();
            if let (Some(id), true) = (row.id, row.state == state) {
                break (id, row);
            }
        };
        let (id, _) = becomes(RowState::Sending).await;
        // What is on its way gets through, and behind it that it pauses.
        link.allow(16 * BLOCK);
        hub.ask(id, Wish::Pause).await.unwrap();
        let (_, row) = becomes(RowState::Paused).await;
        assert_eq!(row.note, Some(Note::PausedElsewhere));
        assert!(row.durable < row.size);
        link.allow(u64::MAX / 2);
        let mut changes = hub.changes();
        while hub.upload(id).map(|upload| upload.state) != Some(LiveState::Paused) {
            changes.changed().await.unwrap();
        }
        hub.ask(id, Wish::Resume).await.unwrap();
    };
    let report = |event| {
        if let Event::Progress(_, row) = event {
            // Whoever has seen enough does not listen.
            let _ = rows.send(row);
        }
    };
    let (outcome, ()) = tokio::join!(send(plan, pending(), report), person);
    assert_eq!(outcome, finished(1));
    assert_eq!(server.stored("film.mkv"), film);
    assert_eq!((place.journal(), parts(&server)), (0, 0));
}

#[tokio::test]
async fn a_run_that_is_repeated_sends_nothing_twice_that_is_stored() {
    let server = TestServer::start().await;
    let place = Place::new();
    for name in ["a", "b", "c"] {
        place.write(&format!("folder/{name}"), name.as_bytes());
    }
    place.write("folder/large", &content(40 * BLOCK, 4));
    let link = Link::to(server.address, 3 * BLOCK);
    let plan = place.plan(link.address, &["folder"]);
    let stored = Cell::new(0);
    let three = |event: &Event| {
        stored.set(stored.get() + usize::from(matches!(event, Event::Stored(..))));
        stored.get() == 3
    };
    let (outcome, _) = run_to(plan.clone(), &link, three).await;
    assert_eq!((outcome.stored, outcome.left), (3, 1));
    assert_eq!(place.journal(), 4);

    link.allow(u64::MAX / 2);
    let (outcome, _) = run(plan).await;
    assert_eq!(outcome, finished(4));
    let files = fs::read_dir(server.data.path().join("files/folder")).unwrap();
    assert_eq!(files.count(), 4);
    assert_eq!(place.journal(), 0);
}

#[tokio::test]
async fn a_file_that_became_another_begins_anew_and_its_old_part_is_deleted() {
    let server = TestServer::start().await;
    let place = Place::new();
    place.write("a", &content(40 * BLOCK, 5));
    let link = Link::to(server.address, 3 * BLOCK);
    let plan = place.plan(link.address, &["a"]);
    run_to(plan, &link, |event| durable(event, BLOCK)).await;
    assert_eq!(parts(&server), 1);

    let other = content(4 * BLOCK, 6);
    place.write("a", &other);
    link.allow(u64::MAX / 2);
    let (outcome, events) = run(place.plan(link.address, &["a"])).await;
    assert_eq!((outcome, notes(&events)), (finished(1), vec![]));
    assert_eq!(server.stored("a"), other);
    assert_eq!(parts(&server), 0);
}

#[tokio::test]
async fn other_contents_behind_the_same_stamp_are_never_mixed_in() {
    let server = TestServer::start().await;
    let place = Place::new();
    let mut bytes = content(40 * BLOCK, 7);
    place.write("a", &bytes);
    let file = place.source.path().join("a");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let link = Link::to(server.address, 3 * BLOCK);
    let plan = place.plan(link.address, &["a"]);
    run_to(plan.clone(), &link, |event| durable(event, BLOCK)).await;

    bytes[7] ^= 1;
    fs::write(&file, &bytes).unwrap();
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    link.allow(u64::MAX / 2);
    let (outcome, _) = run(plan).await;
    assert_eq!(outcome, finished(1));
    assert_eq!(server.stored("a"), bytes);
    assert_eq!(parts(&server), 0);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_fails_and_the_others_arrive() {
    let server = TestServer::start().await;
    let place = Place::new();
    place.write("log", &content(40 * BLOCK, 8));
    place.write("film", &content(40 * BLOCK, 9));
    let link = Link::to(server.address, BLOCK);
    let plan = place.plan(link.address, &["log", "film"]);
    let log = place.source.path().join("log");
    let mut events = Vec::new();
    let report = |event| {
        if durable(&event, 0) && link.carried() < 2 * BLOCK {
            let file = File::options().append(true).open(&log).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            link.allow(u64::MAX / 2);
        }
        events.push(event);
    };
    let outcome = send(plan, pending(), report).await;
    assert_eq!((outcome.stored, outcome.failed), (1, 1));
    assert!(matches!(
        failures(&events)[..],
        [Failure::Fault(Fault::Changed)]
    ));
    assert_eq!(server.stored("film"), content(40 * BLOCK, 9));
}

#[tokio::test]
async fn no_two_runs_send_the_same_file() {
    let server = TestServer::start().await;
    let place = Place::new();
    place.write("a", &content(4 * BLOCK, 10));
    let link = Link::to(server.address, BLOCK);
    let plan = place.plan(link.address, &["a"]);
    let (moving, done) = (Notify::new(), Notify::new());
    let first = send(plan.clone(), done.notified(), |event| {
        if matches!(event, Event::Progress(..)) {
            moving.notify_one();
        }
    });
    let second = async {
        moving.notified().await;
        link.allow(BLOCK);
        let (outcome, events) = run(plan.clone()).await;
        assert!(matches!(failures(&events)[..], [Failure::Busy]));
        assert_eq!((outcome.end, outcome.failed), (End::Finished, 1));
        link.allow(u64::MAX / 2);
    };
    let (outcome, ()) = tokio::join!(first, second);
    assert_eq!(outcome, finished(1));
}

#[tokio::test]
async fn the_limits_of_a_server_are_kept_and_what_they_refuse_is_said() {
    let limits = Limits {
        max_entries: Some(2),
        max_total_size: Some(3 * BLOCK),
        max_file_size: Some(2 * BLOCK),
        auto_upload: false,
        ..Limits::default()
    };
    let server = TestServer::start_with(limits).await;
    let place = Place::new();
    for index in 0..7 {
        place.write(&format!("f/{index}"), &content(2 * BLOCK, index));
    }
    place.write("f/large", &content(2 * BLOCK + 1, 8));
    let (outcome, events) = run(place.plan(server.address, &["f"])).await;
    assert_eq!((outcome.stored, outcome.failed), (7, 1));
    let [failure] = failures(&events)[..] else {
        panic!("not one failure: {events:?}");
    };
    assert!(matches!(
        failure,
        Failure::Trouble(Trouble::TooLarge { .. })
    ));
    assert_eq!(
        failure.to_string(),
        "This file is too large: at most 2.10 MB each."
    );
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_tried_until_it_is_given_up() {
    let place = Place::new();
    place.write("a", b"a");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let mut plan = place.plan(address, &["a"]);
    plan.give_up_after = Some(Duration::from_millis(300));
    let (outcome, events) = run(plan).await;
    assert_eq!((outcome.end, outcome.left), (End::GaveUp, 1));
    let why = events.iter().find_map(|event| match event {
        Event::Link(longhaul::native::event::Link::Waiting { why, .. }) => Some(why.as_str()),
        _ => None,
    });
    assert!(why.unwrap().starts_with("Connection refused"));
}

#[tokio::test]
async fn a_server_that_always_fails_is_given_up_though_it_answers() {
    let server = TestServer::start().await;
    let place = Place::new();
    place.write("a", &content(2 * BLOCK, 11));
    // Nothing can be stored where there is no folder.
    let files = server.data.path().join("files");
    fs::remove_dir(&files).unwrap();
    fs::write(&files, b"").unwrap();
    let mut plan = place.plan(server.address, &["a"]);
    plan.give_up_after = Some(Duration::from_secs(3));
    let (outcome, events) = run_until(plan, tokio::time::sleep(Duration::from_secs(12))).await;
    assert_eq!((outcome.end, outcome.left), (End::GaveUp, 1));
    assert!(events.iter().any(|event| durable(event, 2 * BLOCK)));
}

#[tokio::test]
async fn what_is_no_server_of_ours_is_said_at_once() {
    let place = Place::new();
    place.write("a", b"a");
    let app = axum::Router::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let (outcome, _) = run(place.plan(address, &["a"])).await;
    let End::Refused(why) = outcome.end else {
        panic!("not refused");
    };
    assert!(why.contains("404 Not Found"), "{why}");
}

#[tokio::test]
async fn nothing_to_send_is_an_end_too() {
    let server = TestServer::start().await;
    let place = Place::new();
    fs::create_dir(place.source.path().join("empty")).unwrap();
    let (outcome, _) = run(place.plan(server.address, &["empty"])).await;
    assert_eq!(outcome, finished(0));
}

#[tokio::test]
async fn where_there_is_no_journal_files_arrive_all_the_same() {
    let server = TestServer::start().await;
    let place = Place::new();
    place.write("a", b"a");
    let plan = place.plan(server.address, &["a"]);
    fs::remove_dir_all(place.state.path().join("longhaul/uploads-v2")).unwrap();
    let (outcome, events) = run(plan).await;
    assert_eq!(outcome, finished(1));
    let told = |event: &&Event| matches!(event, Event::NoJournal(_));
    assert_eq!(events.iter().filter(told).count(), 1);
}

#[test]
fn the_program_survives_its_own_end_and_says_how_it_went() {
    let data = TempDir::new().unwrap();
    let (mut server, address) = serve(data.path(), 0);
    let place = Place::new();
    place.write("f/small", b"small");
    place.write("f/large", &content(40 * BLOCK, 1));
    let link = Link::to(address, 8 * BLOCK + BLOCK / 2);
    let folder = place.source.path().join("f");
    let start = || Sending::start(link.address, place.state.path(), &[&folder], &[]);

    // Killed once the server has some of it.
    let sending = start();
    sending.until("progress", |e| e["durable"].as_u64() >= Some(8 * BLOCK));
    drop(sending);
    link.cut();

    // Interrupted by a person: what the server has is made durable first.
    link.allow(4 * BLOCK);
    let sending = start();
    let went_on = sending.until("progress", |e| e["note"] == "continued");
    assert!(went_on["durable"].as_u64() >= Some(8 * BLOCK));
    sending.until("progress", |e| e["received"].as_u64() > Some(11 * BLOCK));
    sending.0.signal("-INT");
    link.allow(16 * BLOCK);
    let (events, code) = sending.finish();
    let [.., paused, end] = &events[..] else {
        panic!("it said nothing");
    };
    assert!(paused["durable"].as_u64() >= Some(11 * BLOCK), "{paused}");
    assert_eq!((code, &end["end"]), (Some(130), &"interrupted".into()));
    assert_eq!((&end["stored"], &end["left"]), (&1.into(), &1.into()));
    link.cut();

    // The server crashes meanwhile.
    let sending = start();
    sending.until("progress", |e| e["note"] == "continued");
    server.kill();
    sending.until("connection", |e| e["state"] == "waiting");
    let (mut server, _) = serve(data.path(), address.port());
    link.allow(u64::MAX / 2);
    let (events, code) = sending.finish();
    assert_eq!(
        (code, &events.last().unwrap()["end"]),
        (Some(0), &"finished".into())
    );
    for name in ["small", "large"] {
        let stored = data.path().join("files/f").join(name);
        assert_eq!(
            fs::read(stored).unwrap(),
            fs::read(folder.join(name)).unwrap()
        );
    }
    let stored = |e: &&Value| e["event"] == "stored" && e["path"] == "f/large";
    let stored = events.iter().find(stored).unwrap();
    let digest = blake3::hash(&content(40 * BLOCK, 1)).to_hex();
    assert_eq!(stored["digest"], digest.as_str());
    let page = format!(
        "http://{}/f/{}",
        link.address,
        stored["id"].as_str().unwrap()
    );
    assert_eq!(stored["link"], page);
    assert_eq!(place.journal(), 0);
    server.signal("-TERM");
    assert_eq!(server.code(), Some(0));
}

#[test]
fn each_way_to_fail_has_its_exit_code() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("longhaul.toml"), "max_file_size = '10 B'").unwrap();
    let (_server, address) = serve(data.path(), 0);
    let place = Place::new();
    place.write("small", b"small");
    place.write("large", b"larger than ten bytes");
    let [small, large, missing] =
        ["small", "large", "missing"].map(|n| place.source.path().join(n));
    let state = place.state.path();

    let (events, code) = Sending::start(address, state, &[&small, &large], &[]).finish();
    assert_eq!(code, Some(1));
    let failed = events.iter().find(|e| e["event"] == "failed").unwrap();
    assert_eq!(
        (&failed["path"], &failed["reason"]),
        (&"large".into(), &"too-large".into())
    );
    assert_eq!(fs::read(data.path().join("files/small")).unwrap(), b"small");

    let (events, code) = Sending::start(address, state, &[&small, &missing], &[]).finish();
    assert_eq!((events.len(), code), (0, Some(2)));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let options = ["--give-up-after", "200ms"];
    let (events, code) = Sending::start(nobody, state, &[&small], &options).finish();
    assert_eq!(
        (code, &events.last().unwrap()["end"]),
        (Some(3), &"gave-up".into())
    );
}
