//! Failure statuses.

use crate::support::{Script, Step};
use crate::table::expected::{ONE_BACKOFF, TWO_BACKOFFS, fails, succeeds};
use crate::table::fault::{CHANGES, DELETE, Fault, READS, fault, reply, script, success};
use crate::table::operations::Kind;
use deploykit::ErrorKind::{
    Forbidden, Interrupted, NoSuchRoute, NotFound, RateLimited, Rejected, Server, Timeout,
    Unauthenticated, Unavailable, Unsupported,
};

const HTML: &str = "content-type: text/html";
const JSON: &str = "content-type: application/json";
const PAGE: &str = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>";
const BUSY: &str = "503 Service Unavailable";
const LIMITED: &str = "429 Too Many Requests";

pub fn faults() -> Vec<Fault> {
    let refused = [
        ("400 Bad Request", Rejected),
        ("401 Unauthorized", Unauthenticated),
    ];
    let transient = [
        ("408 Request Timeout", Timeout),
        ("500 Internal Server Error", Server),
        ("503 Service Unavailable", Unavailable),
        ("504 Gateway Timeout", Timeout),
    ];
    let permanent = [
        ("501 Not Implemented", Unsupported),
        ("505 HTTP Version Not Supported", Server),
        ("599 Odd", Server),
        ("999 Request Denied", Rejected),
    ];
    let mut all = with_a_body();
    all.extend(refused.map(|(status, kind)| empty(status).everywhere(fails(kind))));
    all.extend(transient.map(|(status, kind)| empty(status).transient(kind)));
    all.extend(permanent.map(|(status, kind)| empty(status).permanent(kind)));
    all.extend(one_after_another());
    all
}

fn with_a_body() -> Vec<Fault> {
    let page = |status: &'static str| {
        let name = format!("{status} with a page of HTML");
        fault(name, move |_| reply(status, &[HTML], PAGE))
    };
    let no_route = [Kind::Delete, Kind::Update, Kind::Deploy, Kind::Redeploy];
    vec![
        page("403 Forbidden").everywhere(fails(Forbidden)),
        page("404 Not Found")
            .cell(READS, fails(NoSuchRoute))
            .cell(&no_route, fails(NoSuchRoute))
            .cell(&[Kind::Login], fails(NoSuchRoute))
            .cell(&[Kind::Start, Kind::Unreserve], fails(NotFound)),
        page("502 Bad Gateway").transient(Unavailable),
        fault("422 with the id of a created deployment", |_| {
            let body = r#"{"request_id":"a69f8e3e0555","message":"no room"}"#;
            reply("422 Unprocessable Entity", &[JSON], body)
        })
        .cell(READS, fails(Rejected))
        .cell(DELETE, fails(Rejected))
        .cell(&[Kind::Deploy], fails(Rejected).applied()),
        fault("500 with a message of 30,000 characters", |_| {
            let words = "no good ".repeat(3_750);
            let body = format!(r#"{{"error":"{words}","message":"{words}"}}"#);
            reply("500 Internal Server Error", &[JSON], body)
        })
        .transient(Server),
        begun("500 Oops", 100 << 20, Step::Flood(100 << 20)).transient(Server),
        // The body of a failure has a timeout of 5 s.
        begun("500 Internal Server Error", 9, Step::Silence)
            .cell(READS, fails(Server).attempts(3).takes(15.0..=16.5))
            .cell(
                DELETE,
                fails(Server).unknown().attempts(3).takes(15.0..=16.5),
            )
            .cell(CHANGES, fails(Server).unknown().after(5)),
        begun("403 Forbidden", 9, Step::Silence).everywhere(fails(Forbidden).after(5)),
    ]
}

fn one_after_another() -> Vec<Fault> {
    let busy = |headers: &[&str]| reply(BUSY, headers, "");
    let reset = || vec![Step::ReadAll, Step::Reset];
    let two_waits = || {
        fails(Unavailable)
            .attempts(3)
            .takes(4.0..=5.5)
            .retry_after(2)
    };
    let thrice = || fails(Interrupted).attempts(3).takes(1.0..=2.5);
    let gone = || fails(NotFound).attempts(2).takes(ONE_BACKOFF);
    let limited = || fails(RateLimited).attempts(2).takes(ONE_BACKOFF);
    vec![
        fault("503 with Retry-After: 2", move |_| {
            busy(&["retry-after: 2"])
        })
        .cell(READS, two_waits())
        .cell(DELETE, two_waits().unknown())
        .cell(CHANGES, fails(Unavailable).unknown().retry_after(2)),
        fault("503 with Retry-After: 121, above the cap", move |_| {
            busy(&["retry-after: 121"])
        })
        .cell(READS, fails(Unavailable).retry_after(121))
        .cell(DELETE, fails(Unavailable).unknown().retry_after(121))
        .cell(CHANGES, fails(Unavailable).unknown().retry_after(121)),
        script("503 twice, then a success", move |setting| {
            Script::always(busy(&[]))
                .then(busy(&[]))
                .then(success(setting))
        })
        .cell(READS, succeeds().attempts(3).takes(TWO_BACKOFFS))
        .cell(DELETE, succeeds().attempts(3).takes(TWO_BACKOFFS))
        .cell(CHANGES, fails(Unavailable).unknown()),
        script(
            "503, then 404: the first attempt may have deleted it",
            move |_| {
                let gone = r#"{"error":"not found","code":"resource.missing_resource"}"#;
                Script::always(busy(&[])).then(reply("404 Not Found", &[JSON], gone))
            },
        )
        .cell(READS, gone())
        .cell(DELETE, gone().unknown())
        .cell(CHANGES, fails(Unavailable).unknown()),
        script(
            "429 with Retry-After: 1, then a broken connection",
            move |_| Script::always(reply(LIMITED, &["retry-after: 1"], "")).then(reset()),
        )
        .cell(READS, thrice())
        .cell(DELETE, thrice().unknown())
        .cell(
            CHANGES,
            fails(Interrupted).unknown().attempts(2).takes(1.0..=1.5),
        ),
        script(
            "a broken connection, then 429 without a wait time",
            move |_| Script::always(reset()).then(reply(LIMITED, &[], "")),
        )
        .cell(READS, limited())
        .cell(DELETE, limited().unknown())
        .cell(CHANGES, fails(Interrupted).unknown()),
    ]
}

/// A reply without a body.
fn empty(status: &'static str) -> Fault {
    fault(format!("{status} with an empty body"), move |_| {
        reply(status, &[], "")
    })
}

/// A reply with this `Content-Length` that continues with this step.
fn begun(status: &'static str, length: usize, then: Step) -> Fault {
    let start = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
    let steps = vec![Step::ReadAll, Step::Send(start.into_bytes()), then.clone()];
    fault(format!("{status}, then {then:?}"), move |_| steps.clone())
}
