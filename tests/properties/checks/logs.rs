//! Log lines, read as a stream and as a list.

use super::{TOKEN, assert_redacted, assert_sound, block_on, platforms, with_canaries};
use deploykit::dployr::LogOptions;
use deploykit::logs::LogStream;
use deploykit::testing::CannedReply;
use deploykit::{Effect, ErrorKind, Result};
use serde_json::Value;

pub fn check(data: &[u8]) {
    let body = with_canaries(data);
    let reply =
        CannedReply::new(200, body.as_slice()).header("content-type", "application/x-ndjson");
    platforms::with(|platforms| {
        platforms.answer(reply);
        let service = platforms.dployr.service("s");
        block_on(async {
            check_stream(&body, service.follow_logs(LogOptions::new()).await.unwrap()).await;
            for tail in [None, Some(0), Some(2)] {
                let options = LogOptions::new();
                let options = tail.map_or(options.clone(), |tail| options.tail(tail));
                check_list(&body, tail, service.logs(options).await);
            }
        });
    });
}

/// The expected result of reading a response body.
#[derive(Default)]
struct Expected {
    /// Messages that must be yielded, in this order.
    messages: Vec<String>,
    max_items: usize,
}

fn expected(body: &[u8]) -> Expected {
    let mut expected = Expected::default();
    for line in body.split(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            // A server that does not stream sends a JSON array of lines.
            Ok(Value::Array(items)) => {
                expected.max_items += items.len();
                expected.messages.extend(items.iter().filter_map(message));
            }
            Ok(value) => {
                expected.max_items += max_lines_in(&value).max(1);
                expected.messages.extend(message(&value));
            }
            Err(_) => expected.max_items += usize::from(!line.trim_ascii().is_empty()),
        }
    }
    expected
}

/// The maximum number of lines in a JSON value, which may be an envelope around a list.
fn max_lines_in(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.values().map(max_lines_in).max().unwrap_or(0),
        _ => 0,
    }
}

/// The message of a log line, if all its fields are known and valid.
fn message(value: &Value) -> Option<String> {
    let map = value.as_object()?;
    let known = map.iter().all(|(name, value)| match name.as_str() {
        "message" | "level" | "source" => value.is_string(),
        "timestamp" => value.is_i64(),
        _ => false,
    });
    let message = map.get("message")?.as_str()?;
    known.then(|| message.to_owned())
}

/// Reads a stream of these bytes to its end, and checks the lines.
pub async fn check_stream(body: &[u8], mut stream: LogStream) {
    let expected = expected(body);
    let mut missing = expected.messages.iter().peekable();
    let mut items = 0;
    while let Some(item) = stream.next().await {
        items += 1;
        match item {
            Ok(line) => {
                missing.next_if(|next| **next == line.message);
            }
            Err(error) => {
                assert_sound(&error);
                assert_redacted(&error, &[TOKEN]);
                assert_eq!(error.effect(), Effect::None, "{error}");
                let kinds = [ErrorKind::Decode, ErrorKind::Rejected];
                assert!(kinds.contains(&error.kind()), "{error}");
            }
        }
    }
    assert!(
        stream.next().await.is_none(),
        "the stream returns an item after its end"
    );
    assert!(
        items <= expected.max_items,
        "{items} items, at most {} expected",
        expected.max_items
    );
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

fn check_list(body: &[u8], tail: Option<u32>, result: Result<Vec<deploykit::logs::LogLine>>) {
    match result {
        Ok(lines) => {
            let max_lines = tail.map_or(usize::MAX, |tail| usize::try_from(tail).unwrap());
            assert!(lines.len() <= max_lines, "{} lines", lines.len());
            if tail.is_none() && lines.len() > 1 {
                // Each line starts with `{` or after a line break.
                let starts = body.iter().filter(|byte| b"\n{".contains(byte)).count();
                assert!(
                    lines.len() <= starts + 1,
                    "{} lines of {starts}",
                    lines.len()
                );
            }
        }
        Err(error) => {
            assert_sound(&error);
            assert_redacted(&error, &[TOKEN]);
            assert_eq!(error.effect(), Effect::None, "{error}");
            assert_eq!(error.status(), Some(200), "{error}");
        }
    }
}
