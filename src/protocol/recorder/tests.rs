use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);
const LINK: Gauges = Gauges {
    window: 8 << 20,
    credit: 1 << 20,
    sockets: 1,
};

#[test]
fn a_minute_and_ten_hours_take_the_same_room() {
    for (seconds, step) in [(59, 250), (60, 500), (36_000, 256_000)] {
        let mut recorder = Recorder::default();
        for second in 0..=seconds {
            recorder.acknowledged(1000, true, Duration::from_secs(second));
        }
        let flight = recorder.flight(Duration::from_secs(seconds));
        assert_eq!((flight.lasted, flight.step), (seconds * 1000, step));
        assert!(flight.samples.len() <= SAMPLES);
        assert!(flight.samples.len() > SAMPLES / 2 - 2);
        assert_eq!(flight.mean(), (seconds + 1) * 1000 / seconds);
    }
}

#[test]
fn a_silence_while_bytes_are_on_their_way_is_a_stall() {
    let mut recorder = Recorder::default();
    recorder.acknowledged(0, false, MS);
    recorder.sent(500);
    recorder.handed(true, LINK, 1001 * MS);
    // Sending more is no answer.
    recorder.handed(true, LINK, 3001 * MS);
    assert_eq!(recorder.flight(4000 * MS).stalled, None);
    assert_eq!(recorder.flight(4001 * MS).stalled, Some(3000));
    recorder.acknowledged(500, false, 6001 * MS);
    // Where nothing is on its way, nothing is to be acknowledged.
    recorder.acknowledged(0, false, 60_001 * MS);
    let flight = recorder.flight(60_001 * MS);
    let what = What::Stalled { lasted: 5000 };
    assert_eq!(flight.marks, [Mark { at: 1000, what }]);
    assert_eq!((flight.totals.stalls, flight.totals.stalled), (1, 5000));
    assert_eq!(flight.stalled, None);
}

#[test]
fn a_lost_connection_has_its_code_and_how_long_it_took() {
    let mut recorder = Recorder::default();
    recorder.acknowledged(0, true, Time::ZERO);
    recorder.lost(CloseCode::HeartbeatLost, 2000 * MS);
    let away = |recorder: &Recorder| recorder.flight(9000 * MS).totals.away;
    assert_eq!(away(&recorder), 0);
    recorder.found(3, 5000 * MS);
    recorder.found(1, 6000 * MS);
    let what = What::Lost {
        code: 4005,
        back: Some(3000),
        tries: 3,
    };
    assert_eq!(recorder.flight(9000 * MS).marks, [Mark { at: 2000, what }]);
    assert_eq!(away(&recorder), 3000);
}

#[test]
fn the_clock_stands_still_while_it_rests() {
    let mut recorder = Recorder::default();
    recorder.acknowledged(10, true, 1000 * MS);
    recorder.acknowledged(10, true, 2000 * MS);
    recorder.note(What::Paused { elsewhere: true });
    recorder.rest();
    // The last that was under way.
    recorder.acknowledged(5, false, 2200 * MS);
    assert_eq!(recorder.flight(100_000 * MS).lasted, 1000);
    recorder.wake();
    recorder.mark(What::Resumed { elsewhere: false }, 100_000 * MS);
    recorder.acknowledged(10, false, 101_000 * MS);
    recorder.end(101_000 * MS);
    let flight = recorder.flight(200_000 * MS);
    assert_eq!((flight.lasted, flight.step), (2000, 250));
    assert_eq!(flight.totals.received, 35);
    let ats: Vec<u64> = flight.marks.iter().map(|mark| mark.at).collect();
    assert_eq!(ats, [1000, 1000, 2000]);
}

#[test]
fn a_sample_of_a_moment_has_no_mad_speed() {
    let mut recorder = Recorder::default();
    recorder.acknowledged(1000, false, Time::ZERO);
    let flight = recorder.flight(MS);
    assert_eq!(flight.speed(0), 4000);
    assert_eq!(flight.speed(1), 0);
    assert_eq!(Flight::default().mean(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Sent(u64),
    Handed(bool),
    Acknowledged(u64, bool),
    RoundTrip(u32),
    Damaged,
    Lost,
    Found,
    Rest,
    Wake,
    End,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..1 << 30).prop_map(Step::Sent),
        4 => any::<bool>().prop_map(Step::Handed),
        8 => (0u64..1 << 30, any::<bool>()).prop_map(|(n, o)| Step::Acknowledged(n, o)),
        2 => any::<u32>().prop_map(Step::RoundTrip),
        2 => Just(Step::Damaged),
        1 => Just(Step::Lost),
        1 => Just(Step::Found),
        1 => Just(Step::Rest),
        1 => Just(Step::Wake),
        1 => prop::bool::weighted(0.02).prop_map(|end| if end { Step::End } else { Step::Wake }),
    ]
}

proptest! {
    #[test]
    fn it_is_bounded_and_loses_no_byte(
        steps in prop::collection::vec((step(), 0u64..20_000_000), 0..400),
    ) {
        let mut recorder = Recorder::default();
        let mut now = Time::ZERO;
            for (step, micros) in steps {
            now += Duration::from_micros(micros);
            match step {
                Step::Sent(bytes) => recorder.sent(bytes),
                Step::Handed(outstanding) => recorder.handed(outstanding, LINK, now),
                Step::Acknowledged(bytes, outstanding) => {
                    recorder.acknowledged(bytes, outstanding, now);
                }
                Step::RoundTrip(took) => {
                    recorder.round_trip(Duration::from_micros(took.into()), now);
                }
                Step::Damaged => recorder.mark(What::Damaged { block: 1 }, now),
                Step::Lost => recorder.lost(CloseCode::Broken, now),
                Step::Found => recorder.found(1, now),
                Step::Rest => recorder.rest(),
                Step::Wake => recorder.wake(),
                Step::End => recorder.end(now),
            }
            let flight = recorder.flight(now);
            prop_assert!(recorder.samples.len() <= SAMPLES && recorder.samples.capacity() <= 2 * SAMPLES);
            prop_assert!(flight.samples.len() <= SAMPLES && flight.marks.len() <= MARKS);
            let received: u64 = flight.samples.iter().map(|sample| sample.received).sum();
            let sent: u64 = flight.samples.iter().map(|sample| sample.sent).sum();
            prop_assert_eq!(received, flight.totals.received);
            // What was sent before anything had a time, or after the end, has no place.
            if recorder.began.is_some() && !recorder.ended {
                prop_assert_eq!(sent, flight.totals.sent);
            }
            prop_assert!(flight.lasted <= millis(now));
            prop_assert!(flight.marks.iter().all(|mark| mark.at <= flight.lasted));
            prop_assert!(flight.totals.stalled <= millis(now));
            let kept = flight.marks.len() + flight.left_out as usize;
            let counted = flight.totals.damaged + flight.totals.lost + flight.totals.stalls;
            prop_assert!(kept >= counted as usize);
            prop_assert!(flight.samples.is_empty() == recorder.began.is_none());
            if !flight.samples.is_empty() {
                let covered = flight.step * flight.samples.len() as u64;
                prop_assert!(flight.lasted < covered && covered <= flight.lasted + flight.step);
            }
        }
    }
}
