//! Log lines out of JSON: one value per line, or a list in one of its forms.

use crate::dployr::{LogLine, failures, shapes};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Item, line_hash};
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Types of events that only keep the connection alive.
const HEARTBEATS: [&str; 4] = ["heartbeat", "ping", "keepalive", "keep-alive"];

/// The items of a whole reply.
pub(super) fn items_of(body: &[u8]) -> impl Iterator<Item = Item<LogLine>> + '_ {
    let whole = is_json(body);
    let lines: Vec<_> = match whole {
        true => vec![body],
        false => body.split(|byte| *byte == b'\n').collect(),
    };
    let lines = lines.into_iter().enumerate();
    lines.flat_map(move |(line, text)| {
        let records = records(text).into_iter().enumerate();
        records.map(move |(record, text)| match whole {
            true => item(&text, &format!("record {}", record + 1)),
            false => item(&text, &format!("line {}", line + 1)),
        })
    })
}

/// The JSON of each record in a line: none in a heartbeat, and many in a list. What is not JSON is one
/// record.
pub(super) fn records(line: &[u8]) -> Vec<Vec<u8>> {
    // Some writers begin with a byte order mark.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.trim_ascii();
    if matches!(line, b"" | b"null" | b"{}") || line.starts_with(b":") {
        return Vec::new();
    }
    let Ok(mut value) = serde_json::from_slice::<&RawValue>(line) else {
        return vec![line.to_vec()];
    };
    for names in [&["data"][..], &["items", "logs", "entries"]] {
        let object = serde_json::from_str::<BTreeMap<String, &RawValue>>(value.get());
        let object = object.unwrap_or_default();
        if object.contains_key("message") || is(&object, "success", |it| it == false) {
            break;
        }
        if ["type", "event", "kind"]
            .iter()
            .any(|name| is(&object, name, is_heartbeat))
        {
            return Vec::new();
        }
        if let Some(inner) = names.iter().find_map(|name| object.get(*name)) {
            value = inner;
        }
    }
    match serde_json::from_str::<Option<Vec<&RawValue>>>(value.get()) {
        Ok(list) => list.unwrap_or_default(),
        Err(_) => vec![value],
    }
    .into_iter()
    .map(|value| value.get().as_bytes().to_vec())
    .collect()
}

fn is(object: &BTreeMap<String, &RawValue>, name: &str, test: impl Fn(Value) -> bool) -> bool {
    let value = object
        .get(name)
        .and_then(|value| serde_json::from_str(value.get()).ok());
    value.is_some_and(test)
}

fn is_heartbeat(kind: Value) -> bool {
    kind.as_str().is_some_and(|kind| HEARTBEATS.contains(&kind))
}

/// The item of a record; `place` names it in an error.
pub(super) fn item(text: &[u8], place: &str) -> Item<LogLine> {
    match plain(text) {
        Some(item) => item,
        None => item_with(text, unusual(text, place)),
    }
}

/// The item of a line with a time in the documented spelling, as nearly all are.
pub(super) fn plain(text: &[u8]) -> Option<Item<LogLine>> {
    let line: LogLine = serde_json::from_slice(text).ok()?;
    line.timestamp.is_some().then(|| item_with(text, Ok(line)))
}

fn unusual(text: &[u8], place: &str) -> Result<LogLine> {
    let value: Value = serde_json::from_slice(text)
        .map_err(|_| bad_line(format!("{place} of the logs is not JSON")))?;
    if let Some(failure) = failures::failed_success(&value) {
        return Err(failure.into_error(Effect::None));
    }
    shapes::read(value, "$").map_err(|why| {
        let why = why.trim_start_matches("within ");
        bad_line(format!("{place} of the logs does not fit at {why}"))
    })
}

fn item_with(text: &[u8], line: Result<LogLine>) -> Item<LogLine> {
    let timestamp = line.as_ref().ok().and_then(|line| line.timestamp.as_ref());
    Item {
        at: timestamp.and_then(|timestamp| timestamp.unix_millis()),
        identity: line_hash(text.trim_ascii()),
        line,
    }
}

/// The item of a line that is longer than `limit` bytes.
pub(super) fn too_long(limit: usize) -> Item<LogLine> {
    let why = format!("a line of the logs is longer than {limit} bytes and was skipped");
    item_with(b"a line that is too long", Err(bad_line(why)))
}

pub(super) fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn bad_line(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Decode, why).with_effect(Effect::None)
}
