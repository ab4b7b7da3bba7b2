//! However a log is cut into readings, each line is yielded once.

use super::*;
use crate::logs::LogCursor;
use proptest::collection::vec;
use proptest::prelude::*;

/// Lines: time, and what they say.
type Log = Vec<(i64, u64)>;

/// Reads `log` in pieces: each reading begins where `begin` says and ends after so many new lines.
fn read(log: &Log, overlap: i64, cuts: &[usize], begin: impl Fn(&Dedupe) -> usize) -> Log {
    let mut dedupe = Dedupe::new(Place::default(), overlap);
    let mut seen = Log::new();
    for cut in cuts.iter().copied().chain([usize::MAX]) {
        let mut new = 0;
        for (at, identity) in log.iter().skip(begin(&dedupe)) {
            if new == cut {
                break;
            }
            if dedupe.takes(Some(*at), *identity, true) {
                seen.push((*at, *identity));
                new += 1;
            }
        }
        dedupe.read_anew();
    }
    seen
}

/// As a server does that knows `since`.
fn since(log: &Log) -> impl Fn(&Dedupe) -> usize {
    |dedupe| {
        let since = dedupe.place().since().unwrap_or(i64::MIN);
        log.iter()
            .position(|(at, _)| *at >= since)
            .unwrap_or(log.len())
    }
}

#[test]
fn lines_of_the_last_millisecond_are_dropped_by_hash_and_occurrences() {
    let log = vec![(1, 7), (2, 7), (2, 8), (2, 7), (2, 7), (3, 7)];
    for cut in 0..=log.len() {
        assert_eq!(read(&log, 0, &[cut], since(&log)), log, "cut after {cut}");
        assert_eq!(read(&log, 0, &[cut, 0, 1], |_| 0), log, "cut after {cut}");
    }
}

#[test]
fn a_millisecond_with_more_lines_than_are_remembered_is_counted() {
    let lines = u64::try_from(MOST_KNOWN).unwrap() + 50;
    let log: Log = (0..lines).map(|n| (5, n)).chain([(6, 1)]).collect();
    for cut in [MOST_KNOWN - 1, MOST_KNOWN, MOST_KNOWN + 1, MOST_KNOWN + 49] {
        assert_eq!(
            read(&log, 0, &[cut, 1], since(&log)),
            log,
            "cut after {cut}"
        );
        assert_eq!(
            read(&log, 9, &[cut, 1], since(&log)),
            log,
            "cut after {cut}"
        );
    }
}

#[test]
fn memory_is_bounded() {
    let mut dedupe = Dedupe::new(Place::default(), 1_000_000);
    for n in 0..10_000_u32 {
        assert!(dedupe.takes(Some(i64::from(n / 3)), u64::from(n), true));
        assert!(dedupe.place().given.len() <= MOST_KNOWN);
    }
    assert!(
        dedupe.place().floor > 3000,
        "it rises when there is no room"
    );
}

#[test]
fn a_late_line_is_yielded_within_the_overlap() {
    let mut dedupe = Dedupe::new(Place::default(), 10);
    assert!(dedupe.takes(Some(100), 1, true));
    dedupe.read_anew();
    assert!(dedupe.takes(Some(95), 2, true), "it was not there before");
    assert!(!dedupe.takes(Some(100), 1, true));
    dedupe.read_anew();
    assert!(!dedupe.takes(Some(95), 2, true));
    assert!(!dedupe.takes(Some(89), 3, true), "before what is known");
    assert!(dedupe.takes(Some(101), 4, true));
    assert!(dedupe.takes(Some(89), 3, true), "the repeats are over");
}

#[test]
fn a_line_without_a_time_belongs_to_the_one_before_it() {
    let mut dedupe = Dedupe::new(Place::default(), 0);
    for (at, identity) in [(Some(1), 1), (None, 9), (Some(2), 2), (None, 9)] {
        assert!(dedupe.takes(at, identity, true));
    }
    dedupe.read_anew();
    for (at, identity) in [(None, 8), (Some(1), 1), (None, 9), (Some(2), 2), (None, 9)] {
        assert!(!dedupe.takes(at, identity, true));
    }
    assert!(dedupe.takes(None, 9, true), "one more");
    assert!(dedupe.is_placed());

    let mut dedupe = Dedupe::new(Place::default(), 0);
    assert!(dedupe.is_placed());
    assert!(dedupe.takes(None, 1, true));
    assert!(!dedupe.is_placed());
}

#[test]
fn undecodable_lines_are_reported_once() {
    let mut dedupe = Dedupe::new(Place::default(), 0);
    assert!(dedupe.takes(Some(1), 1, true));
    assert!(dedupe.takes(None, 5, false));
    dedupe.read_anew();
    assert!(dedupe.takes(None, 6, false), "its place is not known");
    assert!(!dedupe.takes(Some(1), 1, true));
    assert!(!dedupe.takes(None, 5, false));
    assert_eq!(dedupe.count(), 1);
}

#[test]
fn a_millisecond_can_be_skipped() {
    let mut dedupe = Dedupe::new(Place::default(), 0);
    assert!(dedupe.takes(Some(5), 1, true));
    dedupe.skip_millisecond();
    dedupe.read_anew();
    assert_eq!(dedupe.place().since(), Some(6));
    assert!(!dedupe.takes(Some(5), 2, true));
    assert!(dedupe.takes(Some(6), 3, true));
}

#[derive(Clone, Debug)]
struct Cut {
    /// How many things of the reading come before it ends.
    after: usize,
    /// How many lines before the place the reading begins, as far as there are.
    early: usize,
    /// The place goes through a cursor.
    kept: bool,
}

fn cuts() -> impl Strategy<Value = Vec<Cut>> {
    let cut = (
        0..40_usize,
        prop_oneof![Just(0), 0..20_usize, Just(usize::MAX)],
        any::<bool>(),
    );
    vec(
        cut.prop_map(|(after, early, kept)| Cut { after, early, kept }),
        0..12,
    )
}

/// Few times and few texts, so that many are equal; some milliseconds hold more than is known.
fn logs() -> impl Strategy<Value = Vec<(i64, u64)>> {
    let lines = vec((0..3_i64, 0..3_u64), 0..60);
    let crowd = (Just(0_i64), 0..1000_u64);
    prop_oneof![
        4 => lines.boxed(),
        1 => vec(prop_oneof![8 => crowd, 1 => (1..2_i64, 0..3_u64)], 0..700).boxed(),
    ]
    .prop_map(|steps| {
        let mut at = 1_795_487_020_000;
        let line = steps.into_iter().map(|(step, text)| {
            at += step;
            (at, text)
        });
        line.collect()
    })
}

fn read_in_pieces(log: &[(i64, u64)], overlap: i64, cuts: &[Cut]) -> Vec<(i64, u64)> {
    let mut dedupe = Dedupe::new(Place::default(), overlap);
    let mut seen = Vec::new();
    let last = Cut {
        after: usize::MAX,
        early: 0,
        kept: false,
    };
    for cut in cuts.iter().chain([&last]) {
        let since = dedupe.place().since().unwrap_or(i64::MIN);
        let place = log.iter().position(|(at, _)| *at >= since);
        let begin = place.unwrap_or(log.len()).saturating_sub(cut.early);
        for (at, text) in log.iter().skip(begin).take(cut.after) {
            if dedupe.takes(Some(*at), *text, true) {
                seen.push((*at, *text));
            }
        }
        if cut.kept {
            let cursor = LogCursor::new("p", dedupe.place().clone());
            let text = serde_json::to_string(&cursor).unwrap();
            let cursor: LogCursor = serde_json::from_str(&text).unwrap();
            dedupe = Dedupe::new(cursor.place_on("p").unwrap(), overlap);
        } else {
            dedupe.read_anew();
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_readings_together_are_the_log(log in logs(), cuts in cuts(), overlap in prop_oneof![Just(0), 0..10_i64]) {
        prop_assert_eq!(read_in_pieces(&log, overlap, &cuts), log);
    }
}
