//! Each line is yielded once, however a log is split into readings.

use super::*;
use crate::logs::LogCursor;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;

/// Lines: time and hash.
type Log = Vec<(i64, u64)>;

/// Reads `log` in several readings. `begin` returns the first line of a reading; each reading ends after
/// the given number of new lines.
fn read(log: &Log, overlap: i64, cuts: &[usize], begin: impl Fn(&Dedupe) -> usize) -> Log {
    let mut dedupe = Dedupe::new(LogPosition::default(), overlap);
    let mut seen = Log::new();
    for cut in cuts.iter().copied().chain([usize::MAX]) {
        let mut new = 0;
        for (at, hash) in log.iter().skip(begin(&dedupe)) {
            if new == cut {
                break;
            }
            if dedupe.accept(Some(*at), *hash, true) {
                seen.push((*at, *hash));
                new += 1;
            }
        }
        dedupe.start_reading();
    }
    seen
}

/// Like a server that supports `since`.
fn since(log: &Log) -> impl Fn(&Dedupe) -> usize {
    |dedupe| {
        let since = dedupe.position().since().unwrap_or(i64::MIN);
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
fn lines_of_a_millisecond_beyond_the_limit_are_counted() {
    let lines = u64::try_from(MAX_LINES).unwrap() + 50;
    let log: Log = (0..lines).map(|n| (5, n)).chain([(6, 1)]).collect();
    for cut in [MAX_LINES - 1, MAX_LINES, MAX_LINES + 1, MAX_LINES + 49] {
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
    let mut dedupe = Dedupe::new(LogPosition::default(), 1_000_000);
    for n in 0..10_000_u32 {
        assert!(dedupe.accept(Some(i64::from(n / 3)), u64::from(n), true));
        assert!(dedupe.position().lines.len() <= MAX_LINES);
    }
    assert!(
        dedupe.position().floor > 3000,
        "the floor rises at the limit"
    );
}

#[test]
fn a_late_line_is_yielded_within_the_overlap() {
    let mut dedupe = Dedupe::new(LogPosition::default(), 10);
    assert!(dedupe.accept(Some(100), 1, true));
    dedupe.start_reading();
    assert!(dedupe.accept(Some(95), 2, true), "a late line");
    assert!(!dedupe.accept(Some(100), 1, true));
    dedupe.start_reading();
    assert!(!dedupe.accept(Some(95), 2, true));
    assert!(
        !dedupe.accept(Some(89), 3, true),
        "before the remembered lines"
    );
    assert!(dedupe.accept(Some(101), 4, true));
    assert!(dedupe.accept(Some(89), 3, true), "after the repeated lines");
}

#[test]
fn a_line_without_a_time_gets_the_time_of_the_line_before_it() {
    let mut dedupe = Dedupe::new(LogPosition::default(), 0);
    for (at, hash) in [(Some(1), 1), (None, 9), (Some(2), 2), (None, 9)] {
        assert!(dedupe.accept(at, hash, true));
    }
    dedupe.start_reading();
    for (at, hash) in [(None, 8), (Some(1), 1), (None, 9), (Some(2), 2), (None, 9)] {
        assert!(!dedupe.accept(at, hash, true));
    }
    assert!(dedupe.accept(None, 9, true), "one more");
    assert!(dedupe.has_position());

    let mut dedupe = Dedupe::new(LogPosition::default(), 0);
    assert!(dedupe.has_position());
    assert!(dedupe.accept(None, 1, true));
    assert!(!dedupe.has_position());
}

#[test]
fn undecodable_lines_are_reported_once() {
    let mut dedupe = Dedupe::new(LogPosition::default(), 0);
    assert!(dedupe.accept(Some(1), 1, true));
    assert!(dedupe.accept(None, 5, false));
    dedupe.start_reading();
    assert!(dedupe.accept(None, 6, false), "without a time before it");
    assert!(!dedupe.accept(Some(1), 1, true));
    assert!(!dedupe.accept(None, 5, false));
    assert_eq!(dedupe.count(), 1);
}

#[test]
fn a_millisecond_can_be_skipped() {
    let mut dedupe = Dedupe::new(LogPosition::default(), 0);
    assert!(dedupe.accept(Some(5), 1, true));
    dedupe.skip_millisecond();
    dedupe.start_reading();
    assert_eq!(dedupe.position().since(), Some(6));
    assert!(!dedupe.accept(Some(5), 2, true));
    assert!(dedupe.accept(Some(6), 3, true));
}

#[derive(Clone, Debug)]
struct Cut {
    /// Number of items in the reading.
    after: usize,
    /// How many lines before the position the reading starts.
    early: usize,
    /// Whether the position is serialized as a cursor.
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

/// Logs with many duplicate times and texts; some milliseconds have more lines than the limit.
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
    let mut dedupe = Dedupe::new(LogPosition::default(), overlap);
    let mut seen = Vec::new();
    let last = Cut {
        after: usize::MAX,
        early: 0,
        kept: false,
    };
    for cut in cuts.iter().chain([&last]) {
        let since = dedupe.position().since().unwrap_or(i64::MIN);
        let place = log.iter().position(|(at, _)| *at >= since);
        let begin = place.unwrap_or(log.len()).saturating_sub(cut.early);
        for (at, text) in log.iter().skip(begin).take(cut.after) {
            if dedupe.accept(Some(*at), *text, true) {
                seen.push((*at, *text));
            }
        }
        if cut.kept {
            let cursor = LogCursor::new("p", dedupe.position().clone());
            let text = serde_json::to_string(&cursor).unwrap();
            let cursor: LogCursor = serde_json::from_str(&text).unwrap();
            dedupe = Dedupe::new(cursor.position_on("p").unwrap(), overlap);
        } else {
            dedupe.start_reading();
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_readings_together_yield_the_log(log in logs(), cuts in cuts(), overlap in prop_oneof![Just(0), 0..10_i64]) {
        prop_assert_eq!(read_in_pieces(&log, overlap, &cuts), log);
    }
}

#[test]
fn line_hashes_never_change() {
    for (line, hash) in [
        ("", 0xce47_b308_3a21_3ee8),
        ("a", 0xb568_3f0c_912c_9f99),
        ("12345678", 0x1958_6fc2_456e_08fc),
        (
            r#"{"timestamp":1795487020229,"message":"grün"}"#,
            0xe38f_d153_ac47_851e,
        ),
    ] {
        let found = line_hash(line.as_bytes());
        assert_eq!(found, hash, "{line}: {found:#018x}");
    }
}

#[test]
fn similar_lines_have_different_hashes() {
    let lines =
        (0..10_000).map(|n| format!("{{\"timestamp\":1795487020229,\"message\":\"line {n}\"}}"));
    let zeros = (0..100).map(|n| "\0".repeat(n));
    let hashes: HashSet<u64> = lines
        .chain(zeros)
        .map(|line| line_hash(line.as_bytes()))
        .collect();
    assert_eq!(hashes.len(), 10_100);
}
