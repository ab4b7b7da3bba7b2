//! Faults of streams.

use crate::support::Step;
use crate::table::expected::{fails, succeeds};
use crate::table::fault::{FOLLOW, Fault, fault, head, seconds};
use deploykit::ErrorKind::{Decode, Interrupted, Timeout};

/// Contains letters of several bytes, which are split if bytes are sent one by one.
const MULTIBYTE_LINE: &str = "{\"message\":\"grün ⚠\"}\n";

pub fn faults() -> Vec<Fault> {
    let send = |text: &[u8]| Step::Send(text.to_vec());
    let line = || send(b"{\"message\":\"one\"}\n");
    let pause = || Step::Wait(seconds(299));
    let letters = Step::SendSlowly(MULTIBYTE_LINE.as_bytes().to_vec(), seconds(10));
    let cut_off = send(b"{\"message\":\"tw");
    let follows = |name: &str, steps: &[Step], expected| {
        let steps = [&[Step::ReadAll, Step::Send(head("200 OK", &[]))], steps].concat();
        fault(format!("a stream {name}"), move |_| steps.clone()).cell(FOLLOW, expected)
    };
    vec![
        follows(
            "that falls silent",
            &[line(), Step::Silence],
            fails(Timeout).after(300),
        ),
        follows(
            "that never sends a byte",
            &[Step::Silence],
            fails(Timeout).after(300),
        ),
        follows(
            "that is longer than every limit except the idle timeout",
            &[line(), pause(), line(), pause(), line(), pause()],
            succeeds().after(897),
        ),
        follows(
            "sent a byte every ten seconds, letters split",
            &[letters],
            succeeds().after(10 * MULTIBYTE_LINE.len() as u32),
        ),
        follows(
            "that is reset",
            &[line(), Step::Wait(seconds(1)), Step::Reset],
            fails(Interrupted).after(1),
        ),
        follows(
            "with a line of 3 MiB",
            &[line(), Step::Flood(3 << 20), line(), line()],
            fails(Decode),
        ),
        follows(
            "with a line of garbage",
            &[line(), send(b"\xff\n"), line()],
            fails(Decode),
        ),
        follows(
            "with an array of other values",
            &[line(), send(b"[0,0,0]\n"), line()],
            fails(Decode),
        ),
        follows(
            "with an array that does not end",
            &[line(), send(b"[{\"message\":\"two\"}\n"), line()],
            fails(Decode),
        ),
        follows(
            "that ends in the middle of a line",
            &[line(), cut_off],
            fails(Decode),
        ),
    ]
}
