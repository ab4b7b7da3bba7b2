//! Faulty responses with a success status.

use crate::support::Step;
use crate::table::expected::{TWO_BACKOFFS, fails, succeeds};
use crate::table::fault::{
    CHANGES, DELETE, FOLLOW, Fault, LIST, READS, Setting, fault, head, reply, seconds,
};
use crate::table::operations::Kind;
use deploykit::ErrorKind::{Decode, Interrupted};

const JSON: &str = "content-type: application/json";
const ZIPPED: &str = "content-encoding: gzip";
const CHUNKED: &str = "transfer-encoding: chunked";
/// `{"deployments":[]}`
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x49\x2d\xc8\xc9\xaf\xcc\x4d\xcd\x2b\x29\x56\xb2\x8a\x8e\xad\x05\x00\x4c\x06\xbf\x93\x12\x00\x00\x00";

pub fn faults() -> Vec<Fault> {
    let late = || fails(Interrupted).attempts(3).takes(3.0..=4.5);
    vec![
        cut("closed after the head", |_| {
            ("content-length: 50".into(), "")
        }),
        cut("a body cut in half", |setting| {
            let body = setting.kind.body();
            (
                format!("content-length: {}", body.len()),
                &body[..body.len() / 2],
            )
        }),
        cut("a length that is too large", |setting| {
            ("content-length: 5000".into(), setting.kind.body())
        }),
        // An immediate reset might overtake the reply.
        fault(
            "reset within the body, a second after its beginning",
            |setting| {
                let mut steps = begun(setting, &["content-length: 5000"], "{\"mess");
                steps.extend([Step::Wait(seconds(1)), Step::Reset]);
                steps
            },
        )
        .cell(LIST, late())
        .cell(FOLLOW, fails(Interrupted).after(1))
        .cell(DELETE, late().unknown())
        .cell(CHANGES, fails(Interrupted).unknown().after(1)),
        cut("a chunk with an invalid length", |_| {
            (CHUNKED.into(), "2\r\n{ \r\nzz\r\n}\r\n0\r\n\r\n")
        }),
        cut("chunks without a final chunk", |_| {
            (CHUNKED.into(), "2\r\n{ \r\n")
        }),
        fault("a length that is too small", |setting| {
            begun(setting, &[JSON, "content-length: 5"], setting.kind.body())
        })
        .permanent(Decode),
        fault("a body sent a byte every five seconds", |setting| {
            let mut steps = begun(setting, &["content-length: 5000"], "");
            steps.push(Step::SendSlowly(b" ".repeat(5000), seconds(5)));
            steps
        })
        .too_slow(LIST),
        fault("a body of 100 MiB", |setting| {
            let length = format!("content-length: {}", 100 << 20);
            let mut steps = begun(setting, &[&length], "");
            steps.push(Step::Flood(100 << 20));
            steps
        })
        .permanent(Decode),
        fault("a body of 100 MiB in one chunk", |setting| {
            let mut steps = begun(setting, &[CHUNKED], "6400000\r\n");
            steps.push(Step::Flood(100 << 20));
            steps
        })
        .cell(LIST, fails(Decode))
        .cell(DELETE, fails(Decode).unknown())
        .cell(CHANGES, fails(Decode).unknown()),
        garbled(
            "bytes that are not UTF-8",
            &[JSON],
            b"{\"message\":\"\xff\xfe\"}",
        ),
        garbled(
            "a hundred thousand open brackets",
            &[JSON],
            &[b'['; 100_000],
        ),
        garbled("undeclared gzip that was not requested", &[JSON], GZIP),
        garbled("plain text instead of JSON", &[JSON], b"all is well"),
        garbled(
            "a page of HTML",
            &[JSON],
            b"<html><body>Welcome to nginx!</body></html>",
        ),
        garbled(
            "truncated JSON with a matching length",
            &[JSON],
            b"{\"deployments\":[{\"id\":",
        ),
        garbled(
            "declared gzip that was not requested",
            &[JSON, ZIPPED],
            GZIP,
        ),
        fault("a byte order mark before the body", |setting| {
            let body = format!("\u{feff}{}", setting.kind.body());
            reply(setting.kind.status(), &[setting.kind.media()], body)
        })
        .everywhere(succeeds()),
        fault("every member of the body twice", |setting| {
            let body = setting.kind.body();
            let members = body
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            let body = match members {
                Some(members) if !members.is_empty() => format!("{{{members},{members}}}"),
                _ => body.to_owned(),
            };
            reply(setting.kind.status(), &[setting.kind.media()], body)
        })
        .everywhere(succeeds()),
        empty("an empty body instead of JSON", |setting| {
            reply(setting.kind.status(), &[JSON], "")
        }),
        empty("null instead of an object", |setting| {
            reply(setting.kind.status(), &[JSON], "null")
        }),
        empty("204 without a body", |_| {
            vec![Step::ReadAll, Step::Send(head("204 No Content", &[]))]
        }),
        // A 201 or 202 with JSON means that the platform accepted the request.
        fault("JSON with an unexpected format", |setting| {
            reply(setting.kind.status(), &[JSON], r#"[{"odd":1}]"#)
        })
        .cell(READS, fails(Decode))
        .cell(DELETE, succeeds())
        // Every JSON value decodes as a reply of Nexlayer.
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

/// The head of a success, and the beginning of its body.
fn begun(setting: &Setting<'_>, headers: &[&str], body: &str) -> Vec<Step> {
    let mut bytes = head(setting.kind.status(), headers);
    bytes.extend_from_slice(body.as_bytes());
    vec![Step::ReadAll, Step::Send(bytes)]
}

/// A truncated response: a header and the start of the body. A stream has started by then and is not
/// retried.
fn cut(name: &str, begins: fn(&Setting<'_>) -> (String, &'static str)) -> Fault {
    let thrice = || fails(Interrupted).attempts(3).takes(TWO_BACKOFFS);
    fault(name, move |setting| {
        let (header, body) = begins(setting);
        begun(setting, &[&header], body)
    })
    .cell(LIST, thrice())
    .cell(FOLLOW, fails(Interrupted))
    .cell(DELETE, thrice().unknown())
    .cell(CHANGES, fails(Interrupted).unknown())
}

/// A response without content, which is valid if all fields of the response are optional.
fn empty(name: &str, steps: fn(&Setting<'_>) -> Vec<Step>) -> Fault {
    let all_optional = [Kind::Follow, Kind::Delete, Kind::Update, Kind::Unreserve];
    let some_required = [Kind::Deploy, Kind::Redeploy, Kind::Start, Kind::Login];
    fault(name, steps)
        .cell(LIST, fails(Decode))
        .cell(&all_optional, succeeds())
        .cell(&some_required, fails(Decode).unknown())
}

/// A complete body with an unknown format.
fn garbled(name: &str, headers: &'static [&'static str], body: &'static [u8]) -> Fault {
    fault(name, move |setting| {
        reply(setting.kind.status(), headers, body)
    })
    .permanent(Decode)
}
