//! Replies that are whole and say no.

use crate::cells::expected::{ONE_BACK_OFF, TWO_BACK_OFFS, fails, succeeds};
use crate::cells::fault::{
    CHANGES, DELETE, Fault, QUICK_CHANGES, READS, START, fault, reply, script, success,
};
use crate::cells::operation::Kind;
use crate::support::{Script, Step};
use deploykit::ErrorKind::{
    Forbidden, Interrupted, NoSuchRoute, NotFound, RateLimited, Rejected, Server, Timeout,
    Unauthenticated, Unavailable, Unsupported,
};

const HTML: &str = "content-type: text/html";
const PAGE: &str = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>";

pub fn faults() -> Vec<Fault> {
    vec![
        empty("400 without a word", "400 Bad Request").refusing(Rejected),
        empty("401 without a word", "401 Unauthorized").refusing(Unauthenticated),
        fault("403 with a page of HTML", |_| {
            reply("403 Forbidden", &[HTML], PAGE)
        })
        .refusing(Forbidden),
        fault("404 with a page of HTML", |_| {
            reply("404 Not Found", &[HTML], PAGE)
        })
        .cell(
            &[Kind::List, Kind::Follow, Kind::Delete, Kind::Update],
            fails(NoSuchRoute),
        )
        .cell(
            &[Kind::Deploy, Kind::Redeploy, Kind::Login],
            fails(NoSuchRoute),
        )
        .cell(&[Kind::Start, Kind::Unreserve], fails(NotFound)),
        empty("408", "408 Request Timeout").passing(Timeout),
        fault("422 with the id of what exists all the same", |_| {
            let body = r#"{"request_id":"a69f8e3e0555","message":"no room"}"#;
            reply(
                "422 Unprocessable Entity",
                &["content-type: application/json"],
                body,
            )
        })
        .cell(READS, fails(Rejected))
        .cell(DELETE, fails(Rejected))
        .cell(&[Kind::Deploy], fails(Rejected).applied()),
        empty("500 without a word", "500 Internal Server Error").passing(Server),
        fault("500 with a message of 30,000 characters", |_| {
            let words = "no good ".repeat(3_750);
            let body = format!(r#"{{"error":"{words}","message":"{words}"}}"#);
            reply(
                "500 Internal Server Error",
                &["content-type: application/json"],
                body,
            )
        })
        .passing(Server),
        fault("500 with a body of 100 MiB", |_| {
            flood("500 Internal Server Error")
        })
        .passing(Server),
        fault("500 whose body never ends", |_| {
            let start =
                b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 9\r\n\r\nno".to_vec();
            vec![Step::ReadAll, Step::Send(start), Step::Silence]
        })
        // The status is what matters: the body gets 5 s.
        .cell(READS, fails(Server).tries(3).takes(15.0..=16.5))
        .cell(DELETE, fails(Server).unknown().tries(3).takes(15.0..=16.5))
        .cell(QUICK_CHANGES, fails(Server).unknown().after(5))
        .cell(START, fails(Server).unknown().after(5)),
        fault("403 whose body never comes", |_| {
            let start = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\n".to_vec();
            vec![Step::ReadAll, Step::Send(start), Step::Silence]
        })
        .everywhere(fails(Forbidden).after(5)),
        empty("501", "501 Not Implemented").final_and_unclear(Unsupported),
        fault("502 with a page of HTML", |_| {
            reply("502 Bad Gateway", &[HTML], PAGE)
        })
        .passing(Unavailable),
        empty("503 without Retry-After", "503 Service Unavailable").passing(Unavailable),
        fault("503 with Retry-After: 2", |_| {
            reply("503 Service Unavailable", &["retry-after: 2"], "")
        })
        .cell(
            READS,
            fails(Unavailable).tries(3).takes(4.0..=5.5).again_in(2),
        )
        .cell(
            DELETE,
            fails(Unavailable)
                .unknown()
                .tries(3)
                .takes(4.0..=5.5)
                .again_in(2),
        )
        .cell(CHANGES, fails(Unavailable).unknown().again_in(2)),
        fault("503 with Retry-After: 31, above the cap", |_| {
            reply("503 Service Unavailable", &["retry-after: 31"], "")
        })
        .cell(READS, fails(Unavailable).again_in(31))
        .cell(DELETE, fails(Unavailable).unknown().again_in(31))
        .cell(CHANGES, fails(Unavailable).unknown().again_in(31)),
        empty("504", "504 Gateway Timeout").passing(Timeout),
        empty("505", "505 HTTP Version Not Supported").final_and_unclear(Server),
        empty("599", "599 Odd").final_and_unclear(Server),
        empty("a status that nobody knows: 999", "999 Request Denied").final_and_unclear(Rejected),
        script("503 twice, then an answer", |setting| {
            let busy = || reply("503 Service Unavailable", &[], "");
            Script::always(busy()).then(busy()).then(success(setting))
        })
        .cell(READS, succeeds().tries(3).takes(TWO_BACK_OFFS))
        .cell(DELETE, succeeds().tries(3).takes(TWO_BACK_OFFS))
        .cell(CHANGES, fails(Unavailable).unknown()),
        script("503, then 404: the first may have deleted it", |_| {
            let gone = r#"{"error":"not found","code":"resource.missing_resource"}"#;
            Script::always(reply("503 Service Unavailable", &[], "")).then(reply(
                "404 Not Found",
                &["content-type: application/json"],
                gone,
            ))
        })
        .cell(READS, fails(NotFound).tries(2).takes(ONE_BACK_OFF))
        .cell(
            DELETE,
            fails(NotFound).unknown().tries(2).takes(ONE_BACK_OFF),
        )
        .cell(CHANGES, fails(Unavailable).unknown()),
        script("429 with Retry-After: 1, then a broken connection", |_| {
            Script::always(reply("429 Too Many Requests", &["retry-after: 1"], ""))
                .then(vec![Step::ReadAll, Step::Reset])
        })
        .cell(READS, fails(Interrupted).tries(3).takes(1.0..=2.5))
        .cell(
            DELETE,
            fails(Interrupted).unknown().tries(3).takes(1.0..=2.5),
        )
        .cell(
            CHANGES,
            fails(Interrupted).unknown().tries(2).takes(1.0..=1.5),
        ),
        script("a broken connection, then 429 without a hint", |_| {
            Script::always(vec![Step::ReadAll, Step::Reset]).then(reply(
                "429 Too Many Requests",
                &[],
                "",
            ))
        })
        .cell(READS, fails(RateLimited).tries(2).takes(ONE_BACK_OFF))
        .cell(
            DELETE,
            fails(RateLimited).unknown().tries(2).takes(ONE_BACK_OFF),
        )
        .cell(CHANGES, fails(Interrupted).unknown()),
    ]
}

/// A reply without a body.
fn empty(name: &'static str, status: &'static str) -> Fault {
    fault(name, move |_| reply(status, &[], ""))
}

fn flood(status: &str) -> Vec<Step> {
    let start = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", 100 << 20);
    vec![
        Step::ReadAll,
        Step::Send(start.into_bytes()),
        Step::Flood(100 << 20),
    ]
}
