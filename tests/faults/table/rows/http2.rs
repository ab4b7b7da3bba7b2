//! HTTP/2 servers that refuse a request or break it off.

use crate::http2::Answer::{self, GoAwayAfter, GoAwayBefore, GoAwayThenReply, Reply, Reset};
use crate::table::expected::{ONE_BACKOFF, TWO_BACKOFFS, fails, succeeds};
use crate::table::fault::{Fault, Place};
use deploykit::ErrorKind::{Interrupted, Unavailable};
use h2::Reason;

pub fn faults() -> Vec<Fault> {
    // Every operation is retried, because the server has not processed the request.
    let refused = || fails(Unavailable).attempts(3).takes(TWO_BACKOFFS);
    let again = || succeeds().attempts(2).takes(ONE_BACKOFF);
    let mut all = vec![
        http2(&[Reset(Reason::REFUSED_STREAM)])
            .everywhere(refused())
            .on_one_connection(),
        http2(&[Reset(Reason::REFUSED_STREAM), Reply])
            .everywhere(again())
            .on_one_connection(),
        http2(&[GoAwayThenReply]).everywhere(succeeds()),
    ];
    for reason in [Reason::NO_ERROR, Reason::ENHANCE_YOUR_CALM] {
        all.extend([
            http2(&[GoAwayBefore(reason)]).everywhere(refused()),
            http2(&[GoAwayBefore(reason), Reply]).everywhere(again()),
            http2(&[GoAwayAfter(reason)]).transient(Interrupted),
        ]);
    }
    for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::NO_ERROR] {
        let reset = http2(&[Reset(reason)]).transient(Interrupted);
        all.push(reset.on_one_connection());
    }
    all
}

fn http2(answers: &[Answer]) -> Fault {
    let name = format!("HTTP/2: {answers:?}");
    Fault::at(name, Place::Http2(answers.to_vec()))
}
