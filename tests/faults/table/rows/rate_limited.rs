//! 429 with every form of `Retry-After`. A request that got a 429 had no effect, so every operation is
//! retried if the response has a wait time.

use crate::support::{Script, Step};
use crate::table::expected::{TWO_BACKOFFS, fails, succeeds};
use crate::table::fault::{Fault, fault, reply, script, success};
use crate::table::operations::Kind;
use deploykit::ErrorKind::RateLimited;

/// The server's clock. Dates in other headers are relative to it.
const DATE: &str = "date: Wed, 21 Oct 2015 07:28:00 GMT";
const IN_TWO_SECONDS: &str = "retry-after: Wed, 21 Oct 2015 07:28:02 GMT";
const PAST: &str = "retry-after: Wed, 21 Oct 2015 07:00:00 GMT";
const NEXT_YEAR: &str = "retry-after: Fri, 21 Oct 2016 07:28:00 GMT";
/// Two seconds ahead, in seconds since 1970.
const RESET: &str = "x-ratelimit-reset: 1445412482";
const NONE_LEFT: &str = "x-ratelimit-remaining: 0";
const YEAR: u64 = 366 * 24 * 3600;
/// Over a century. Ignored.
const TOO_LONG: &str = "retry-after: 4000000000";
/// Overflows `u64`. Ignored.
const OVERFLOW: &str = "retry-after: 99999999999999999999999999";

const OBEYED: &[&[&str]] = &[
    &["retry-after: 2"],
    &["retry-after: 2.0"],
    &[DATE, "x-ratelimit-reset: 2"],
    &[DATE, IN_TWO_SECONDS],
    &[DATE, RESET],
    &[DATE, RESET, NONE_LEFT],
    &[DATE, "retry-after: soon", RESET],
];
const AT_ONCE: &[&[&str]] = &[
    &["retry-after: 0"],
    &[DATE, PAST],
    &[DATE, "x-ratelimit-reset: 1000000001"],
];
const NO_WAIT_TIME: &[&[&str]] = &[
    &[],
    &[TOO_LONG],
    &[OVERFLOW],
    &["retry-after: -5"],
    &["retry-after: NaN"],
    &["retry-after:"],
    &["retry-after: \u{fc}"],
    &[DATE, "x-ratelimit-reset: -1"],
];

pub fn faults() -> Vec<Fault> {
    let refused = fails(RateLimited);
    // Each wait is longer than requested, because jitter is added.
    let thrice = |seconds| refused.clone().attempts(3).takes(seconds);
    // The call does not wait for longer than `max_wait`, which is 120 s by default.
    let capped = refused.clone().retry_after(121);
    let year = refused.clone().retry_after(YEAR);
    let twice_29 = thrice(58.0..=59.5).retry_after(29);
    let rows: [(&'static [&'static [&'static str]], _); 6] = [
        (OBEYED, thrice(4.0..=5.5).retry_after(2)),
        (AT_ONCE, thrice(TWO_BACKOFFS).retry_after(0)),
        (NO_WAIT_TIME, refused.clone()),
        (&[&["retry-after: 121"]], capped),
        (&[&[DATE, NEXT_YEAR]], year),
        (&[&["retry-after: 29"]], twice_29),
    ];
    let mut faults = Vec::new();
    for (header_lists, expected) in rows {
        faults.extend(header_lists.iter().map(|headers| {
            let name = format!("429 with {}", headers.join(", "));
            fault(name, move |_| refusal(headers)).everywhere(expected.clone())
        }));
    }
    // On dployr this is a quota; see `tests/replies/dployr/account.rs`.
    let others = [Kind::List, Kind::Deploy, Kind::Redeploy, Kind::Start];
    let some_left = fault("429 with a reset and requests remaining", |_| {
        refusal(&[DATE, RESET, "x-ratelimit-remaining: 9"])
    });
    faults.push(some_left.cell(&others, refused));
    let then_good = script("429 with retry-after: 2, then a success", |setting| {
        Script::always(refusal(&["retry-after: 2"])).then(success(setting))
    });
    faults.push(then_good.everywhere(succeeds().attempts(2).takes(2.0..=2.5)));
    faults
}

fn refusal(headers: &[&str]) -> Vec<Step> {
    reply("429 Too Many Requests", headers, "")
}
