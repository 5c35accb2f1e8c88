//! Two devices, of which one at a time is connected: what one left, the other continues
//! if it has the same file, and nothing of different files is ever mixed.

use super::*;
use crate::protocol::sender::Note;

const SIZE: u64 = 6 * BLOCK;

/// A device, while the other one is connected.
#[derive(Debug)]
struct Device {
    sender: Sender,
    files: BTreeMap<Key, Vec<u8>>,
}

impl Device {
    fn new() -> Self {
        Self {
            sender: Sender::new(Key(0), [2; 32]),
            files: BTreeMap::new(),
        }
    }
}

impl World {
    /// The device that is connected leaves, and the other one comes.
    fn switch(&mut self, other: &mut Device) {
        self.disconnect();
        self.reads.clear();
        std::mem::swap(&mut self.sender, &mut other.sender);
        std::mem::swap(&mut self.files, &mut other.files);
        self.connect();
    }

    fn until(&mut self, done: impl Fn(&Row) -> bool) {
        while !self.rows().iter().any(&done) {
            self.step();
        }
    }

    fn durable(&self, part: usize) -> u64 {
        self.parts[part].durable.len() as u64 * BLOCK
    }
}

/// A world in which a device left when half of its file had come.
fn left() -> (World, Device) {
    let mut world = World::new();
    let mut other = Device::new();
    world.add("a", content(SIZE, 1));
    world.connect();
    world.until(|row| row.received >= SIZE / 2);
    world.switch(&mut other);
    assert!((SIZE / 4..SIZE).contains(&world.durable(0)));
    (world, other)
}

#[test]
fn another_device_sends_only_what_is_not_there() {
    let (mut world, mut first) = left();
    let (sent, durable) = (world.sent, world.durable(0));
    world.add("a", content(SIZE, 1));
    world.until(|row| row.state == RowState::Verifying);
    assert_eq!(world.sent, sent);
    world.run();
    world.check_stored();
    assert_eq!(world.rows()[0].note, Some(Note::Continued));
    assert_eq!(world.parts.len(), 1);
    assert_eq!(world.sent - sent, SIZE - durable);

    // The first one hears of it, and sends nothing without being asked to.
    let sent = world.sent;
    world.switch(&mut first);
    world.run();
    assert_eq!(world.rows()[0].trouble, Some(Trouble::Elsewhere));
    assert_eq!(world.sent, sent);
    for key in world.sender.keys() {
        world.sender.retry(key);
    }
    world.run();
    world.check_stored();
}

#[test]
fn they_continue_each_other_again_and_again() {
    let (mut world, mut other) = left();
    world.add("a", content(SIZE, 1));
    for blocks in 4..6 {
        world.until(|row| row.received >= blocks * BLOCK);
        world.switch(&mut other);
    }
    world.run();
    world.check_stored();
    assert_eq!(world.rows()[0].note, Some(Note::Continued));
    assert_eq!(world.parts.len(), 1);
    assert!(
        world.sent <= SIZE + 4 * 2 * BLOCK,
        "{} were sent",
        world.sent
    );
}

#[test]
fn another_file_begins_its_own() {
    let (mut world, mut first) = left();
    let (bytes, durable) = (world.parts[0].bytes.clone(), world.parts[0].durable.clone());
    let mut changed = content(SIZE, 1);
    changed[BLOCK as usize + 7] ^= 1;
    world.add("a", changed);
    world.add("b", content(SIZE, 1));
    world.add("a", content(SIZE + 1, 1));
    world.run();
    world.check_stored();
    assert!(world.rows().iter().all(|row| row.note.is_none()));
    assert_eq!(world.parts[0].bytes, bytes);
    assert_eq!(world.parts[0].durable, durable);

    world.switch(&mut first);
    world.run();
    world.check_stored();
    assert_eq!(world.rows()[0].note, Some(Note::Continued));
    assert_eq!(world.parts.len(), 4);
}

#[test]
fn whoever_is_proving_can_pause_and_cancel_and_takes_nothing_from_the_other() {
    let (mut world, mut first) = left();
    let durable = world.parts[0].durable.clone();
    let cancelled = world.add("a", content(SIZE, 1));
    world.until(|row| row.state == RowState::Verifying);
    world.sender.cancel(cancelled);
    world.run();
    world.files.remove(&cancelled);
    assert_eq!(world.states(), []);

    let paused = world.add("a", content(SIZE, 1));
    world.until(|row| row.state == RowState::Verifying);
    world.sender.pause(paused);
    world.run();
    assert_eq!(world.states(), [RowState::Paused]);
    assert!(!world.sender.interest());
    assert_eq!(world.parts.len(), 1);
    assert_eq!(world.parts[0].durable, durable);
    assert_eq!(world.receiver.as_ref().map(Receiver::open_streams), Some(0));

    world.switch(&mut first);
    world.run();
    world.check_stored();
    assert_eq!(world.parts.len(), 1);
}

#[test]
fn the_same_file_twice_in_one_list_is_sent_twice() {
    let mut world = World::new();
    world.add("a", content(SIZE, 1));
    world.connect();
    world.until(|row| row.received >= SIZE / 2);
    for key in world.sender.keys() {
        world.sender.pause(key);
    }
    world.run();
    assert_eq!(world.states(), [RowState::Paused]);
    world.add("a", content(SIZE, 1));
    world.run();
    for key in world.sender.keys() {
        world.sender.resume(key);
    }
    world.run();
    world.check_stored();
    assert_eq!(world.parts.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_two_devices_do_each_file_arrives_as_it_is(
        size in 2 * BLOCK..4 * BLOCK,
        change in prop::option::of(0..4 * BLOCK),
        troubles in prop::collection::vec((1usize..150, 0u8..6), 0..12),
    ) {
        let mut world = World::new();
        let mut other = Device::new();
        world.add("a", content(size, 1));
        world.connect();
        world.until(|row| row.received > size / 2);
        world.switch(&mut other);
        let mut changed = content(size, 1);
        if let Some(at) = change {
            changed[(at % size) as usize] ^= 1;
        }
        world.add("a", changed.clone());
        for (steps, trouble) in troubles {
            for _ in 0..steps {
                world.step();
            }
            match trouble {
                0 => world.disconnect(),
                1 => world.connect(),
                2 => world.damage += 1,
                3 => {
                    for key in world.sender.keys() {
                        world.sender.cancel(key);
                    }
                    world.files.clear();
                    world.reads.clear();
                    let key = world.sender.add(manifest("a", &changed));
                    world.files.insert(key, changed.clone());
                }
                _ => world.switch(&mut other),
            }
        }
        world.damage = 0;
        for _ in 0..2 {
            world.switch(&mut other);
            world.run();
            for row in world.rows() {
                prop_assert!(matches!(row.trouble, None | Some(Trouble::Elsewhere)));
                world.sender.retry(row.key);
            }
            world.run();
            world.check_stored();
        }
    }
}
