//! Whatever is read again and wherever it is cut: the readings together are the log.

use super::*;
use crate::logs::LogCursor;
use proptest::collection::vec;
use proptest::prelude::*;

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

fn read(log: &[(i64, u64)], overlap: i64, cuts: &[Cut]) -> Vec<(i64, u64)> {
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
    fn the_readings_are_the_log(log in logs(), cuts in cuts(), overlap in prop_oneof![Just(0), 0..10_i64]) {
        prop_assert_eq!(read(&log, overlap, &cuts), log);
    }
}
