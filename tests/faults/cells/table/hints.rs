//! 429, with everything that a reply may say about when to come back. It refuses, so that nothing
//! was done and everything may be sent again, if the reply says when.

use crate::cells::expected::{TWO_BACK_OFFS, fails, succeeds};
use crate::cells::fault::{Fault, Setting, fault, reply, script, success};
use crate::cells::operation::Kind;
use crate::support::{Script, Step};
use deploykit::ErrorKind::RateLimited;

/// What the server's clock shows, so that its dates do not depend on ours.
const DATE: &str = "date: Wed, 21 Oct 2015 07:28:00 GMT";
const TWO_SECONDS_LATER: &str = "retry-after: Wed, 21 Oct 2015 07:28:02 GMT";
/// The same, in seconds since 1970.
const RESET: &str = "x-ratelimit-reset: 1445412482";

pub fn faults() -> Vec<Fault> {
    // Two waits of two seconds, each with jitter on top.
    let obeyed = || fails(RateLimited).tries(3).takes(4.0..=5.5).again_in(2);
    let at_once = || fails(RateLimited).tries(3).takes(TWO_BACK_OFFS).again_in(0);
    let told = |name, headers| limited(name, headers);
    vec![
        told("429 with Retry-After: 2", &["retry-after: 2"]).everywhere(obeyed()),
        told("429 with Retry-After: 0", &["retry-after: 0"]).everywhere(at_once()),
        told(
            "429 with a date two seconds ahead",
            &[DATE, TWO_SECONDS_LATER],
        )
        .everywhere(obeyed()),
        told(
            "429 with a date in the past",
            &[DATE, "retry-after: Wed, 21 Oct 2015 07:00:00 GMT"],
        )
        .everywhere(at_once()),
        told("429 with a reset in two seconds", &[DATE, RESET]).everywhere(obeyed()),
        told(
            "429 with a reset in two seconds and nothing remaining",
            &[DATE, RESET, "x-ratelimit-remaining: 0"],
        )
        .everywhere(obeyed()),
        told(
            "429 with a reset in the past",
            &[DATE, "x-ratelimit-reset: 1"],
        )
        .everywhere(at_once()),
        told(
            "429 with nonsense in Retry-After and a reset in two seconds",
            &[DATE, "retry-after: soon", RESET],
        )
        .everywhere(obeyed()),
        told(
            "429 with Retry-After: 31, above the cap",
            &["retry-after: 31"],
        )
        .everywhere(fails(RateLimited).again_in(31)),
        told(
            "429 with Retry-After: 4000000000",
            &["retry-after: 4000000000"],
        )
        // Over a century: a slip, and as if it were not there.
        .everywhere(fails(RateLimited)),
        told(
            "429 with a date a year ahead",
            &[DATE, "retry-after: Fri, 21 Oct 2016 07:28:00 GMT"],
        )
        .everywhere(fails(RateLimited).again_in(366 * 24 * 3600)),
        told(
            "429 with Retry-After: 29, which the second wait makes too much",
            &["retry-after: 29"],
        )
        .everywhere(fails(RateLimited).tries(3).takes(58.0..=59.5).again_in(29)),
        told(
            "429 with a reset in two seconds and requests remaining",
            &[DATE, RESET, "x-ratelimit-remaining: 9"],
        )
        // On dployr it is a quota; see `tests/replies`.
        .cell(
            &[Kind::List, Kind::Deploy, Kind::Redeploy, Kind::Start],
            fails(RateLimited),
        ),
        told("429 without a hint", &[]).everywhere(fails(RateLimited)),
        told("429 with Retry-After: -5", &["retry-after: -5"]).everywhere(fails(RateLimited)),
        told("429 with Retry-After: 1.5", &["retry-after: 1.5"]).everywhere(fails(RateLimited)),
        told("429 with Retry-After: NaN", &["retry-after: NaN"]).everywhere(fails(RateLimited)),
        told("429 with an empty Retry-After", &["retry-after:"]).everywhere(fails(RateLimited)),
        told(
            "429 with a Retry-After beyond every number",
            &["retry-after: 99999999999999999999999999"],
        )
        .everywhere(fails(RateLimited)),
        told(
            "429 with a Retry-After that is no text",
            &["retry-after: \u{fc}"],
        )
        .everywhere(fails(RateLimited)),
        told(
            "429 with nonsense in the reset",
            &[DATE, "x-ratelimit-reset: -1"],
        )
        .everywhere(fails(RateLimited)),
        script(
            "429 with Retry-After: 2, then an answer",
            |setting: &Setting<'_>| {
                Script::always(refusal(&["retry-after: 2"])).then(success(setting))
            },
        )
        .everywhere(succeeds().tries(2).takes(2.0..=2.5)),
    ]
}

fn limited(name: &'static str, headers: &'static [&'static str]) -> Fault {
    fault(name, |_| refusal(headers))
}

fn refusal(headers: &[&str]) -> Vec<Step> {
    reply("429 Too Many Requests", headers, "")
}
