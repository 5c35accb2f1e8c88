//! The life of a socket in examples, and in random orders of events.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What became of each socket that the connection asked for.
#[derive(Debug, Default)]
struct Sockets(BTreeMap<Generation, Socket>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Socket {
    Connecting,
    Open,
    Closing,
    Closed,
}

impl Sockets {
    fn carry_out(&mut self, connection: &mut Connection) {
        while let Some(effect) = connection.poll() {
            match effect {
                Effect::Open(g) => {
                    let live = |s: &Socket| matches!(s, Socket::Connecting | Socket::Open);
                    assert!(
                        !self.0.values().any(live),
                        "a second socket beside {self:?}"
                    );
                    assert_eq!(self.0.insert(g, Socket::Connecting), None);
                }
                Effect::Ping(g) => assert_eq!(self.0[&g], Socket::Open, "a ping too early"),
                Effect::Close(g, code) => {
                    assert!(code.code().is_some());
                    let socket = self.0.insert(g, Socket::Closing);
                    assert!(matches!(socket, Some(Socket::Connecting | Socket::Open)));
                }
                Effect::Forget(g) => {
                    self.0.insert(g, Socket::Closed);
                }
            }
        }
    }

    /// Tells what the world did to the socket before the connection hears of it.
    fn happen(&mut self, event: Event) -> bool {
        match event {
            Event::Opened(g) => match self.0.get_mut(&g) {
                Some(socket @ Socket::Connecting) => {
                    *socket = Socket::Open;
                    true
                }
                _ => false,
            },
            Event::Closed(g, _) => match self.0.get_mut(&g) {
                Some(Socket::Closed) | None => true,
                Some(socket) => {
                    *socket = Socket::Closed;
                    true
                }
            },
            Event::Welcomed(g, _)
            | Event::Heard(g)
            | Event::Drain(g, _)
            | Event::Fault(g)
            | Event::LaneLost(g) => self.0.get(&g) == Some(&Socket::Open),
            _ => true,
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let generation = (0u64..4).prop_map(Generation);
    let codes = prop::sample::select(vec![
        CloseCode::Broken,
        CloseCode::Restart,
        CloseCode::Superseded,
        CloseCode::Done,
    ]);
    prop_oneof![
        any::<bool>().prop_map(Event::Interest),
        generation.clone().prop_map(Event::Opened),
        generation
            .clone()
            .prop_map(|g| Event::Welcomed(g, HEARTBEAT)),
        generation.clone().prop_map(Event::Heard),
        generation
            .clone()
            .prop_map(|g| Event::Drain(g, Duration::from_secs(1))),
        generation.clone().prop_map(Event::Fault),
        generation.clone().prop_map(Event::LaneLost),
        (generation, codes).prop_map(|(g, c)| Event::Closed(g, c)),
        prop::sample::select(vec![
            Event::Hidden,
            Event::Shown,
            Event::Visible,
            Event::Online,
            Event::Offline,
            Event::Reconnect,
        ]),
        Just(Event::Tick),
        Just(Event::Tick),
    ]
}

/// Counts generations from the newest, so that short runs meet live sockets.
fn about(event: Event, newest: Generation) -> Event {
    let from = |g: Generation| Generation(newest.0.saturating_sub(g.0));
    match event {
        Event::Opened(g) => Event::Opened(from(g)),
        Event::Welcomed(g, d) => Event::Welcomed(from(g), d),
        Event::Heard(g) => Event::Heard(from(g)),
        Event::Drain(g, d) => Event::Drain(from(g), d),
        Event::Fault(g) => Event::Fault(from(g)),
        Event::LaneLost(g) => Event::LaneLost(from(g)),
        Event::Closed(g, c) => Event::Closed(from(g), c),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_happens_it_gets_connected_in_the_end(
        events in prop::collection::vec((event(), 0u64..6000, any::<u64>()), 0..60)
    ) {
        let mut connection = Connection::new(Generation(0), true);
        let mut sockets = Sockets::default();
        let mut now = Time::ZERO;
        for (event, wait, random) in events {
            now += Duration::from_millis(wait);
            let event = about(event, connection.generation());
            if !sockets.happen(event) {
                continue;
            }
            let before = (connection.state(), connection.generation());
            let stale = event.generation().is_some_and(|g| g != connection.generation());
            connection.handle(event, now, random);
            if stale {
                prop_assert_eq!(before, (connection.state(), connection.generation()));
                prop_assert_eq!(connection.poll(), None);
            }
            sockets.carry_out(&mut connection);
        }
        for event in [Event::Interest(true), Event::Shown, Event::Online, Event::Reconnect] {
            connection.handle(event, now, 0);
            sockets.carry_out(&mut connection);
        }
        for _ in 0..4 {
            if let State::Connecting { .. } = connection.state() {
                let event = Event::Opened(connection.generation());
                prop_assert!(sockets.happen(event));
                connection.handle(event, now, 0);
            }
            if let State::Open { .. } = connection.state() {
                return Ok(());
            }
            now = connection.timeout().unwrap_or(now);
            connection.handle(Event::Tick, now, 0);
            sockets.carry_out(&mut connection);
        }
        prop_assert!(false, "still {:?}", connection.state());
    }
}

fn open() -> (Connection, Time) {
    let mut connection = Connection::new(Generation(0), true);
    connection.handle(Event::Interest(true), Time::ZERO, 0);
    assert_eq!(connection.poll(), Some(Effect::Open(Generation(1))));
    connection.handle(Event::Opened(Generation(1)), Time::ZERO, 0);
    (connection, Time::ZERO)
}

#[test]
fn the_late_close_of_an_old_socket_leaves_the_new_one_alone() {
    let (mut connection, now) = open();
    connection.handle(Event::Hidden, now, 0);
    assert_eq!(
        connection.poll(),
        Some(Effect::Close(Generation(1), CloseCode::Away))
    );
    connection.handle(Event::Shown, now, 0);
    let now = now + CLOSE_DEADLINE;
    connection.handle(Event::Tick, now, 0);
    assert_eq!(connection.poll(), Some(Effect::Forget(Generation(1))));
    assert_eq!(connection.poll(), Some(Effect::Open(Generation(2))));
    connection.handle(Event::Opened(Generation(2)), now, 0);
    connection.handle(Event::Closed(Generation(1), CloseCode::Broken), now, 0);
    assert!(matches!(connection.state(), State::Open { .. }));
    assert_eq!(connection.poll(), None);
}

#[test]
fn a_connection_that_was_given_up_is_not_listened_to() {
    let (mut hidden, now) = open();
    assert!(hidden.is_open(Generation(1)));
    hidden.handle(Event::Hidden, now, 0);
    assert!(!hidden.is_open(Generation(1)), "it is closing");
    let (mut silent, now) = open();
    for _ in 0..2 {
        let due = silent.timeout().unwrap_or(now);
        silent.handle(Event::Tick, due, u64::MAX);
    }
    assert!(matches!(silent.state(), State::Waiting { .. }));
    assert_eq!(silent.generation(), Generation(1));
    assert!(!silent.is_open(Generation(1)), "it waits for the next");
}

#[test]
fn without_interest_it_is_closed_as_done_after_a_short_linger() {
    let (mut connection, now) = open();
    connection.handle(Event::Interest(false), now, 0);
    assert_eq!(connection.poll(), None);
    connection.handle(Event::Tick, now + LINGER, 0);
    assert_eq!(
        connection.poll(),
        Some(Effect::Close(Generation(1), CloseCode::Done))
    );
    connection.handle(
        Event::Closed(Generation(1), CloseCode::Done),
        now + LINGER,
        0,
    );
    assert_eq!(connection.state(), State::Idle);
}

#[test]
fn interest_that_returns_while_it_lingers_keeps_the_socket() {
    let (mut connection, now) = open();
    connection.handle(Event::Interest(false), now, 0);
    connection.handle(Event::Interest(true), now, 0);
    connection.handle(Event::Tick, now + LINGER, 0);
    assert_eq!(connection.poll(), None);
}

#[test]
fn an_unanswered_ping_ends_it_but_sleep_does_not() {
    let (mut connection, now) = open();
    let now = now + HEARTBEAT;
    connection.handle(Event::Tick, now, 0);
    assert_eq!(connection.poll(), Some(Effect::Ping(Generation(1))));
    let slept = now + Duration::from_secs(3600);
    connection.handle(Event::Tick, slept, 0);
    assert_eq!(connection.poll(), Some(Effect::Ping(Generation(1))));
    connection.handle(Event::Tick, slept + PONG_DEADLINE, 0);
    assert_eq!(
        connection.poll(),
        Some(Effect::Close(Generation(1), CloseCode::HeartbeatLost))
    );
    assert_eq!(connection.poll(), Some(Effect::Forget(Generation(1))));
    assert!(matches!(connection.state(), State::Waiting { .. }));
}

#[test]
fn a_refusal_lasts_until_a_person_asks() {
    let (mut connection, now) = open();
    connection.handle(Event::Closed(Generation(1), CloseCode::Superseded), now, 0);
    assert_eq!(connection.refused(), Some(CloseCode::Superseded));
    connection.handle(Event::Visible, now, 0);
    assert_eq!(connection.state(), State::Idle);
    connection.handle(Event::Reconnect, now, 0);
    assert!(matches!(connection.state(), State::Connecting { .. }));
}

#[test]
fn online_ends_a_backoff_at_once() {
    let (mut connection, now) = open();
    connection.handle(
        Event::Closed(Generation(1), CloseCode::Broken),
        now,
        u64::MAX,
    );
    assert!(matches!(connection.state(), State::Waiting { .. }));
    connection.handle(Event::Online, now, 0);
    assert!(matches!(connection.state(), State::Connecting { .. }));
}

#[test]
fn a_second_pageshow_changes_nothing() {
    let (mut connection, now) = open();
    connection.handle(Event::Shown, now, 0);
    assert_eq!(connection.poll(), Some(Effect::Ping(Generation(1))));
    connection.handle(Event::Shown, now, 0);
    assert_eq!(connection.poll(), None);
    connection.handle(Event::Hidden, now, 0);
    connection.handle(Event::Closed(Generation(1), CloseCode::Broken), now, 0);
    while connection.poll().is_some() {}
    connection.handle(Event::Shown, now, 0);
    assert_eq!(connection.poll(), Some(Effect::Open(Generation(2))));
    connection.handle(Event::Shown, now, 0);
    assert_eq!(connection.poll(), None);
    assert_eq!(connection.generation(), Generation(2));
}

#[test]
fn a_page_that_is_hidden_while_connecting_gives_that_up() {
    let mut connection = Connection::new(Generation(0), true);
    connection.handle(Event::Interest(true), Time::ZERO, 0);
    assert_eq!(connection.poll(), Some(Effect::Open(Generation(1))));
    connection.handle(Event::Hidden, Time::ZERO, 0);
    assert_eq!(
        connection.poll(),
        Some(Effect::Close(Generation(1), CloseCode::Away))
    );
    // It opened just before it was told to close.
    connection.handle(Event::Opened(Generation(1)), Time::ZERO, 0);
    assert!(matches!(connection.state(), State::Closing { .. }));
    connection.handle(
        Event::Closed(Generation(1), CloseCode::Broken),
        Time::ZERO,
        0,
    );
    assert_eq!(connection.poll(), Some(Effect::Forget(Generation(1))));
    connection.handle(Event::Tick, CONNECT_DEADLINE, 0);
    assert_eq!(connection.state(), State::Idle);
    connection.handle(Event::Shown, CONNECT_DEADLINE, 0);
    assert_eq!(connection.poll(), Some(Effect::Open(Generation(2))));
}

#[test]
fn a_drain_during_closing_is_kept_to() {
    let (mut connection, now) = open();
    connection.handle(Event::Interest(false), now, 0);
    let now = now + LINGER;
    connection.handle(Event::Tick, now, 0);
    assert!(matches!(connection.state(), State::Closing { .. }));
    connection.handle(Event::Interest(true), now, 0);
    let retry_after = Duration::from_millis(500);
    connection.handle(Event::Drain(Generation(1), retry_after), now, 0);
    connection.handle(Event::Closed(Generation(1), CloseCode::Restart), now, 0);
    let until = now + retry_after;
    assert_eq!(connection.state(), State::Waiting { until });
    connection.handle(Event::Tick, until, 0);
    assert!(matches!(connection.state(), State::Connecting { .. }));
}

#[test]
fn after_a_drain_clients_come_back_spread_out_and_not_before() {
    let retry_after = Duration::from_millis(500);
    let mut times: Vec<_> = (0..8)
        .map(|nth| {
            let (mut connection, now) = open();
            let random = u64::MAX / 8 * nth;
            connection.handle(Event::Drain(Generation(1), retry_after), now, random);
            connection.handle(
                Event::Closed(Generation(1), CloseCode::Restart),
                now,
                random,
            );
            connection.timeout().unwrap()
        })
        .collect();
    assert!(times.iter().all(|at| *at >= retry_after));
    times.dedup_by_key(|at| at.as_millis());
    assert_eq!(times.len(), 8);
}

#[test]
fn no_drain_keeps_a_client_away_for_long() {
    let (mut connection, now) = open();
    let ages = Duration::from_millis(u32::MAX.into());
    connection.handle(Event::Drain(Generation(1), ages), now, 0);
    connection.handle(Event::Closed(Generation(1), CloseCode::Restart), now, 0);
    assert_eq!(connection.timeout(), Some(LONGEST_DRAIN));
}

#[test]
fn a_heartbeat_lost_while_hidden_is_made_good_when_shown() {
    let (mut connection, now) = open();
    let now = now + HEARTBEAT;
    connection.handle(Event::Tick, now, 0);
    assert_eq!(connection.poll(), Some(Effect::Ping(Generation(1))));
    connection.handle(Event::Hidden, now, 0);
    assert_eq!(
        connection.poll(),
        Some(Effect::Close(Generation(1), CloseCode::Away))
    );
    // Neither the ping nor the close is answered, and it does not come back by itself.
    let now = now + PONG_DEADLINE;
    connection.handle(Event::Tick, now, 0);
    assert_eq!(connection.poll(), Some(Effect::Forget(Generation(1))));
    assert_eq!((connection.poll(), connection.timeout()), (None, None));
    connection.handle(Event::Shown, now, 0);
    assert_eq!(connection.poll(), Some(Effect::Open(Generation(2))));
}

/// Lets the client's own timers run with every tick `late`, until it gives up a socket
/// on which nothing is heard; how long that took.
fn silence(connection: &mut Connection, mut now: Time, late: Duration) -> Duration {
    let from = now;
    while connection.state() != State::Idle && !matches!(connection.state(), State::Waiting { .. })
    {
        now = connection.timeout().unwrap() + late;
        connection.handle(Event::Tick, now, 0);
    }
    now - from
}

#[test]
fn a_half_open_connection_is_noticed_within_fifteen_seconds() {
    for wish in [0, 1, 5, 10, 3600].map(Duration::from_secs) {
        let (mut connection, now) = open();
        connection.handle(Event::Welcomed(Generation(1), wish), now, 0);
        let took = silence(&mut connection, now, Duration::ZERO);
        assert!(took <= Duration::from_secs(15), "{took:?}");
        assert!(took >= PONG_DEADLINE);
    }
    assert_eq!(HEARTBEAT + PONG_DEADLINE, Duration::from_secs(13));
}

#[test]
fn a_timer_that_is_always_late_does_not_keep_a_dead_connection() {
    let (mut connection, now) = open();
    let minute = Duration::from_secs(60);
    let took = silence(&mut connection, now, minute);
    assert!(took <= 4 * minute, "{took:?}");
}

#[test]
fn what_the_browser_says_of_the_network_forbids_nothing() {
    let mut connection = Connection::new(Generation(0), false);
    connection.handle(Event::Interest(true), Time::ZERO, 0);
    assert_eq!(connection.poll(), Some(Effect::Open(Generation(1))));
    connection.handle(
        Event::Closed(Generation(1), CloseCode::Broken),
        Time::ZERO,
        0,
    );
    assert!(matches!(connection.state(), State::Waiting { .. }));
}
