//! What a person changes while uploads wait for their turn.

use super::*;
use crate::protocol::frame::Frame;

const NOW: Time = Duration::from_secs(1);

fn manifest(path: &str, size: u64) -> Manifest {
    Manifest {
        path: path.into(),
        size,
        modified: None,
        media_type: String::new(),
    }
}

/// A sender with small files of these sizes, which the journal has.
fn waiting(files: &[(&str, u64)]) -> (Sender, Vec<Key>) {
    let mut sender = Sender::new(Key(7), [1; 32]);
    let keys = files
        .iter()
        .map(|(path, size)| sender.add(manifest(path, *size)))
        .collect();
    keep(&mut sender);
    (sender, keys)
}

/// The journal keeps all that it was told to.
fn keep(sender: &mut Sender) {
    while let Some(effect) = sender.poll_effect() {
        if let Effect::Keep(key) = effect {
            sender.kept(key);
        }
    }
}

fn connect(sender: &mut Sender, limits: Limits) {
    sender.connected(limits, 1 << 20, Duration::ZERO, NOW);
}

/// Those that are opened now, in order.
fn opened(sender: &mut Sender) -> Vec<String> {
    let mut paths = Vec::new();
    while let Some(message) = sender.poll_transmit(1000, None) {
        if let Ok(Frame::Control(content)) = Frame::parse(message.into_owned().into())
            && let Ok(ClientMessage::Open { manifest, .. }) = ClientMessage::decode(&content)
        {
            paths.push(manifest.path);
        }
    }
    paths
}

fn one_place() -> Limits {
    Limits {
        max_concurrency: 1,
        ..Limits::default()
    }
}

fn shown(sender: &Sender) -> Vec<String> {
    sender.rows(NOW).into_iter().map(|row| row.path).collect()
}

#[test]
fn small_ones_go_first_until_a_person_arranges_them() {
    let files = [("a", 3000), ("b", 1000), ("c", 2000)];
    let (mut sender, _) = waiting(&files);
    connect(&mut sender, one_place());
    assert_eq!(opened(&mut sender), ["b", "c", "a"]);

    let (mut sender, keys) = waiting(&files);
    sender.arrange(&[keys[2]], Some(keys[0]));
    assert_eq!(shown(&sender), ["c", "a", "b"]);
    keep(&mut sender);
    connect(&mut sender, one_place());
    assert_eq!(opened(&mut sender), ["c", "a", "b"]);
}

#[test]
fn all_that_is_held_starts_in_the_order_of_the_list() {
    let (mut sender, keys) = waiting(&[("a", 1), ("b", 1), ("c", 1)]);
    let limits = Limits {
        auto_upload: false,
        ..one_place()
    };
    sender.arrange(&[keys[2]], Some(keys[0]));
    keep(&mut sender);
    connect(&mut sender, limits);
    assert_eq!(opened(&mut sender), [""; 0]);
    for key in sender.keys() {
        sender.resume(key);
        keep(&mut sender);
    }
    assert_eq!(opened(&mut sender), ["c", "a", "b"]);
}

#[test]
fn what_is_put_first_is_written_down_at_once() {
    let files: Vec<(String, u64)> = (0..500).map(|n| (format!("{n:03}"), n + 1)).collect();
    let files: Vec<(&str, u64)> = files.iter().map(|(path, n)| (path.as_str(), *n)).collect();
    let (mut sender, keys) = waiting(&files);
    sender.arrange(&keys[450..452], Some(keys[0]));
    keep(&mut sender);
    connect(&mut sender, one_place());
    assert_eq!(opened(&mut sender)[..3], ["450", "451", "000"]);
}

#[test]
fn uploads_are_put_anywhere_as_often_as_one_likes() {
    let (mut sender, keys) = waiting(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
    sender.arrange(&[keys[2]], Some(keys[1]));
    for round in 0..200 {
        // Each time half as much room is left between the two.
        let (moved, wanted) = match round % 2 {
            0 => (keys[3], ["a", "c", "d", "b"]),
            _ => (keys[2], ["a", "d", "c", "b"]),
        };
        sender.arrange(&[moved], Some(keys[1]));
        assert_eq!(shown(&sender), wanted.map(str::to_owned), "round {round}");
    }
    // Several keep their order, whatever order they are named in.
    sender.arrange(&[keys[2], keys[0], keys[2]], None);
    assert_eq!(shown(&sender), ["d", "b", "a", "c"]);
    // Before itself, or before what is gone, is nowhere.
    sender.arrange(&[keys[0]], Some(keys[0]));
    sender.arrange(&[keys[0]], Some(Key(1)));
    assert_eq!(shown(&sender), ["d", "b", "a", "c"]);
    sender.cancel(keys[1]);
    let added = sender.add(manifest("e", 1));
    sender.arrange(&[added], Some(keys[0]));
    assert_eq!(shown(&sender), ["d", "e", "a", "c"]);
}

#[test]
fn the_name_can_be_changed_until_something_was_sent() {
    let (mut sender, keys) = waiting(&[("trip/a.txt", 10)]);
    sender.rename(keys[0], "../b");
    sender.rename(keys[0], " b.txt ");
    assert_eq!(shown(&sender), ["trip/b.txt"]);
    connect(&mut sender, one_place());
    // Not before the journal knows it.
    assert_eq!(opened(&mut sender), [""; 0]);
    let record = sender.record(keys[0]);
    assert_eq!(
        record.map(|it| it.manifest.path).as_deref(),
        Some("trip/b.txt")
    );
    keep(&mut sender);
    assert_eq!(opened(&mut sender), ["trip/b.txt"]);
    assert!(!sender.rows(NOW)[0].fresh);
    sender.rename(keys[0], "c.txt");
    assert_eq!(shown(&sender), ["trip/b.txt"]);
}

#[test]
fn another_name_can_be_what_is_accepted_or_not() {
    let (mut sender, keys) = waiting(&[("a.txt", 10), ("b.exe", 10)]);
    let limits = Limits {
        accept: vec![".txt".into()],
        ..one_place()
    };
    let state = |sender: &Sender, n: usize| sender.row(keys[n], NOW).map(|row| row.state);
    sender.expect(limits.clone(), NOW);
    assert_eq!(state(&sender, 0), Some(RowState::Queued));
    assert_eq!(state(&sender, 1), Some(RowState::Failed));
    sender.rename(keys[0], "a.exe");
    sender.rename(keys[1], "b.txt");
    assert_eq!(state(&sender, 0), Some(RowState::Failed));
    assert_eq!(state(&sender, 1), Some(RowState::Queued));
    keep(&mut sender);
    connect(&mut sender, limits);
    assert_eq!(opened(&mut sender), ["b.txt"]);
}

#[test]
fn what_the_server_will_refuse_is_refused_before_there_is_a_connection() {
    let (mut sender, keys) = waiting(&[("early", 20)]);
    let small = Limits {
        max_file_size: Some(10),
        ..Limits::default()
    };
    sender.expect(small.clone(), NOW);
    let late = sender.add(manifest("late", 20));
    for key in [keys[0], late] {
        let trouble = sender.row(key, NOW).and_then(|row| row.trouble);
        assert_eq!(trouble, Some(Trouble::TooLarge { limit: 10 }));
    }
    assert!(!sender.interest(), "nothing needs a connection");
    // What the server itself said stays.
    connect(&mut sender, Limits::default());
    sender.expect(small, NOW);
    let key = sender.add(manifest("then", 20));
    assert_eq!(sender.row(key, NOW).and_then(|row| row.trouble), None);
}
