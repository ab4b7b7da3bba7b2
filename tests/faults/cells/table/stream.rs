//! What only a stream meets.

use crate::cells::expected::{fails, succeeds};
use crate::cells::fault::{FOLLOW, Fault, fault, head, seconds};
use crate::support::Step;
use deploykit::ErrorKind::{Decode, Interrupted, Timeout};

const LINE: &[u8] = b"{\"message\":\"one\"}\n";
/// Every letter that is not ASCII comes in several pieces if the bytes come one by one.
const CUT_LETTERS: &str = "{\"message\":\"grün ⚠\"}\n";

pub fn faults() -> Vec<Fault> {
    let begins = || [Step::ReadAll, Step::Send(head("200 OK", &[]))];
    let line = || Step::Send(LINE.to_vec());
    let follows = move |name: &'static str, steps: Vec<Step>| {
        fault(name, move |_| {
            begins().into_iter().chain(steps.clone()).collect()
        })
    };
    vec![
        follows("a stream that falls silent", vec![line(), Step::Silence])
            .cell(FOLLOW, fails(Timeout).after(300)),
        follows("a stream that never says a word", vec![Step::Silence])
            .cell(FOLLOW, fails(Timeout).after(300)),
        follows(
            "a stream that outlives every limit but that on silence",
            vec![
                line(),
                Step::Wait(seconds(299)),
                line(),
                Step::Wait(seconds(299)),
                line(),
                Step::Wait(seconds(299)),
            ],
        )
        .cell(FOLLOW, succeeds().after(897)),
        follows(
            "a stream that comes a byte every ten seconds, letters cut in two",
            vec![Step::Dribble(CUT_LETTERS.as_bytes().to_vec(), seconds(10))],
        )
        .cell(FOLLOW, succeeds().after(10 * CUT_LETTERS.len() as u32)),
        follows(
            "a stream that is reset",
            vec![line(), Step::Wait(seconds(1)), Step::Reset],
        )
        .cell(FOLLOW, fails(Interrupted).after(1)),
        follows(
            "a stream with a line of 3 MiB",
            vec![line(), Step::Flood(3 << 20), line(), line()],
        )
        .cell(FOLLOW, fails(Decode)),
        follows(
            "a stream with a line of garbage",
            vec![line(), Step::Send(b"\xff\n".to_vec()), line()],
        )
        .cell(FOLLOW, fails(Decode)),
        follows(
            "a stream that ends within a line",
            vec![line(), Step::Send(b"{\"message\":\"tw".to_vec())],
        )
        .cell(FOLLOW, fails(Decode)),
    ]
}
