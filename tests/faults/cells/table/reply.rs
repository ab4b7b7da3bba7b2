//! Replies that begin as a success.

use crate::cells::expected::{TWO_BACK_OFFS, fails, succeeds};
use crate::cells::fault::{
    CHANGES, DELETE, FOLLOW, Fault, LIST, QUICK_CHANGES, READS, START, Setting, fault, head, reply,
    seconds,
};
use crate::cells::operation::Kind;
use crate::support::Step;
use deploykit::ErrorKind::{Decode, Interrupted, Timeout};

const JSON: &str = "content-type: application/json";
/// `{"deployments":[]}`
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x49\x2d\xc8\xc9\xaf\xcc\x4d\xcd\x2b\x29\x56\xb2\x8a\x8e\xad\x05\x00\x4c\x06\xbf\x93\x12\x00\x00\x00";

pub fn faults() -> Vec<Fault> {
    vec![
        cut("closed after the head", |setting| {
            let head = head(setting.kind.status(), &["content-length: 50"]);
            vec![Step::ReadAll, Step::Send(head)]
        }),
        cut("a body cut in half", |setting| {
            let body = setting.kind.body();
            let length = format!("content-length: {}", body.len());
            let mut bytes = head(setting.kind.status(), &[&length]);
            bytes.extend_from_slice(&body.as_bytes()[..body.len() / 2]);
            vec![Step::ReadAll, Step::Send(bytes)]
        }),
        cut("a length that is too large", |setting| {
            let mut bytes = head(setting.kind.status(), &["content-length: 5000"]);
            bytes.extend_from_slice(setting.kind.body().as_bytes());
            vec![Step::ReadAll, Step::Send(bytes)]
        }),
        // A reset at once might overtake the reply.
        fault(
            "reset within the body, a second after its beginning",
            |setting| {
                let mut bytes = head(setting.kind.status(), &["content-length: 5000"]);
                bytes.extend_from_slice(b"{\"mess");
                vec![
                    Step::ReadAll,
                    Step::Send(bytes),
                    Step::Wait(seconds(1)),
                    Step::Reset,
                ]
            },
        )
        .cell(LIST, fails(Interrupted).tries(3).takes(3.0..=4.5))
        .cell(FOLLOW, fails(Interrupted).after(1))
        .cell(
            DELETE,
            fails(Interrupted).unknown().tries(3).takes(3.0..=4.5),
        )
        .cell(CHANGES, fails(Interrupted).unknown().after(1)),
        cut("a chunk whose length is no number", |setting| {
            let mut bytes = head(setting.kind.status(), &["transfer-encoding: chunked"]);
            bytes.extend_from_slice(b"2\r\n{ \r\nzz\r\n}\r\n0\r\n\r\n");
            vec![Step::ReadAll, Step::Send(bytes)]
        }),
        cut("chunks without a last one", |setting| {
            let mut bytes = head(setting.kind.status(), &["transfer-encoding: chunked"]);
            bytes.extend_from_slice(b"2\r\n{ \r\n");
            vec![Step::ReadAll, Step::Send(bytes)]
        }),
        fault("a length that is too small", |setting| {
            let mut bytes = head(setting.kind.status(), &[JSON, "content-length: 5"]);
            bytes.extend_from_slice(setting.kind.body().as_bytes());
            vec![Step::ReadAll, Step::Send(bytes)]
        })
        .final_and_unclear(Decode),
        fault("a body that comes a byte every five seconds", |setting| {
            let start = head(setting.kind.status(), &["content-length: 5000"]);
            let bytes = b" ".repeat(5000);
            vec![
                Step::ReadAll,
                Step::Send(start),
                Step::Dribble(bytes, seconds(5)),
            ]
        })
        .cell(LIST, fails(Timeout).tries(3).after(90))
        .cell(DELETE, fails(Timeout).unknown().tries(3).after(90))
        .cell(QUICK_CHANGES, fails(Timeout).unknown().after(30))
        .cell(START, fails(Timeout).unknown().after(120)),
        fault("a body of 100 MiB", |setting| {
            let length = format!("content-length: {}", 100 << 20);
            let start = head(setting.kind.status(), &[&length]);
            vec![Step::ReadAll, Step::Send(start), Step::Flood(100 << 20)]
        })
        .final_and_unclear(Decode),
        fault("a body of 100 MiB in one chunk", |setting| {
            let mut start = head(setting.kind.status(), &["transfer-encoding: chunked"]);
            start.extend_from_slice(b"6400000\r\n");
            vec![Step::ReadAll, Step::Send(start), Step::Flood(100 << 20)]
        })
        .cell(LIST, fails(Decode))
        .cell(DELETE, fails(Decode).unknown())
        .cell(CHANGES, fails(Decode).unknown()),
        garbled("bytes that are not UTF-8", b"{\"message\":\"\xff\xfe\"}"),
        garbled("a hundred thousand open brackets", &[b'['; 100_000]),
        garbled("gzip that nobody asked for", GZIP),
        garbled("bare text where JSON was promised", b"all is well"),
        garbled(
            "a page of HTML",
            b"<html><body>Welcome to nginx!</body></html>",
        ),
        garbled(
            "JSON cut off within its length",
            b"{\"deployments\":[{\"id\":",
        ),
        fault("gzip that nobody asked for, declared", |setting| {
            reply(
                setting.kind.status(),
                &[JSON, "content-encoding: gzip"],
                GZIP,
            )
        })
        .final_and_unclear(Decode),
        fault("a mark of the byte order before the body", |setting| {
            let body = format!("\u{feff}{}", setting.kind.body());
            reply(setting.kind.status(), &[setting.kind.media()], body)
        })
        .everywhere(succeeds()),
        empty("nothing where JSON was promised", |setting| {
            reply(setting.kind.status(), &[JSON], "")
        }),
        empty("null where JSON was promised", |setting| {
            reply(setting.kind.status(), &[JSON], "null")
        }),
        empty("204 without a body", |_| {
            vec![Step::ReadAll, Step::Send(head("204 No Content", &[]))]
        }),
        // In JSON a 201 or 202 is the platform's own word that it acted.
        fault("JSON of another kind", |setting| {
            reply(setting.kind.status(), &[JSON], r#"[{"odd":1}]"#)
        })
        .cell(READS, fails(Decode))
        .cell(DELETE, succeeds())
        // Nexlayer's replies are taken in any form: what a start did not say is missing from it.
        .cell(&[Kind::Start, Kind::Unreserve], succeeds())
        .cell(&[Kind::Deploy], fails(Decode).applied())
        .cell(
            &[Kind::Update, Kind::Redeploy, Kind::Login],
            fails(Decode).unknown(),
        ),
        fault("206 with a part", |setting| {
            reply("206 Partial Content", &[JSON], &setting.kind.body()[..9])
        })
        .cell(LIST, fails(Decode)),
    ]
}

/// A reply that breaks off. The stream has begun by then: its end is an error, and nothing is sent
/// again.
fn cut(
    name: &'static str,
    steps: impl Fn(&Setting<'_>) -> Vec<Step> + Send + Sync + 'static,
) -> Fault {
    fault(name, steps)
        .cell(LIST, fails(Interrupted).tries(3).takes(TWO_BACK_OFFS))
        .cell(FOLLOW, fails(Interrupted))
        .cell(
            DELETE,
            fails(Interrupted).unknown().tries(3).takes(TWO_BACK_OFFS),
        )
        .cell(CHANGES, fails(Interrupted).unknown())
}

/// A reply without contents. It is enough where nothing in a reply is needed: a log without lines,
/// an acknowledgement, a record of which every field may be missing.
fn empty(
    name: &'static str,
    steps: impl Fn(&Setting<'_>) -> Vec<Step> + Send + Sync + 'static,
) -> Fault {
    fault(name, steps)
        .cell(LIST, fails(Decode))
        .cell(FOLLOW, succeeds())
        .cell(DELETE, succeeds())
        .cell(&[Kind::Update, Kind::Unreserve], succeeds())
        .cell(
            &[Kind::Deploy, Kind::Redeploy, Kind::Start, Kind::Login],
            fails(Decode).unknown(),
        )
}

/// A body that is whole and means nothing.
fn garbled(name: &'static str, body: &'static [u8]) -> Fault {
    fault(name, move |setting| {
        reply(setting.kind.status(), &[JSON], body)
    })
    .final_and_unclear(Decode)
}
