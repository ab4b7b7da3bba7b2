//! Parses log lines from JSON: one record per line, or an array of records.

use crate::dployr::failures;
use crate::error::{Effect, Error, ErrorKind};
use crate::lenient::{self, reason_without_value};
use crate::logs::{Item, LogLine, line_hash};
use crate::raw::dployr::types;
use serde_json::value::RawValue;
use std::fmt::Display;

/// The items of a whole response.
pub(super) fn items_of(body: &[u8]) -> Vec<Item> {
    // An array may contain line breaks.
    if let Some(records) = array(trimmed(body)) {
        let item = |(number, text)| item(text, format_args!("record {number}"));
        return (1..).zip(records).map(item).collect();
    }
    let lines = (1..).zip(body.split(|byte| *byte == b'\n'));
    lines
        .flat_map(|(number, line)| {
            let item = move |text| item(text, format_args!("line {number}"));
            content(line).into_iter().flat_map(records).map(item)
        })
        .collect()
}

/// The content of a line; `None` for a keep-alive line.
pub(super) fn content(line: &[u8]) -> Option<&[u8]> {
    let line = trimmed(line);
    let is_blank = matches!(line, b"" | b"null" | b"{}") || line.starts_with(b":");
    (!is_blank).then_some(line)
}

fn trimmed(text: &[u8]) -> &[u8] {
    // A byte order mark is allowed.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.trim_ascii()
}

/// The records in the content of a line: the items of an array, or the content itself.
pub(super) fn records(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let array = array(content);
    let single = array.is_none().then_some(content);
    array.unwrap_or_default().into_iter().chain(single)
}

/// The records of an array; `None` for anything else.
fn array(text: &[u8]) -> Option<Vec<&[u8]>> {
    // Checked first, because a failed parse costs as much as parsing a line.
    let is_array = text.starts_with(b"[");
    let records: Vec<&RawValue> = is_array.then(|| serde_json::from_slice(text).ok())??;
    let records = records.into_iter();
    Some(records.map(|record| record.get().as_bytes()).collect())
}

/// The item of a record. `place` is its position, for an error.
pub(super) fn item(text: &[u8], place: impl Display) -> Item {
    let line = lenient::from_slice::<types::LogLine>(text, false).map(LogLine::from);
    let line = line.map_err(|error| unreadable(text, &error, place));
    let timestamp = line.as_ref().ok().and_then(|line| line.timestamp.as_ref());
    Item {
        at: timestamp.and_then(|timestamp| timestamp.unix_millis()),
        hash: line_hash(text),
        line,
    }
}

impl From<types::LogLine> for LogLine {
    fn from(line: types::LogLine) -> Self {
        Self {
            timestamp: line.timestamp,
            level: line.level.map(|level| level.as_str().to_owned()),
            source: line.source.map(|source| source.as_str().to_owned()),
            service: line.service_id,
            deployment_id: line.deployment_id,
            ..Self::new(line.message)
        }
    }
}

fn unreadable(text: &[u8], error: &serde_json::Error, place: impl Display) -> Error {
    let value = serde_json::from_slice(text).ok();
    if let Some(failure) = value.as_ref().and_then(failures::failed_success) {
        return failure.into_error(Effect::None);
    }
    bad_line(match value {
        Some(_) => format!(
            "cannot decode {place} of the logs at {}",
            reason_without_value(error)
        ),
        None => format!("{place} of the logs is not JSON"),
    })
}

/// The item of a line that is longer than `limit` bytes.
pub(super) fn too_long(limit: usize) -> Item {
    let why = format!("a line of the logs is longer than {limit} bytes and was skipped");
    Item {
        at: None,
        hash: line_hash(b"a line that is too long"),
        line: Err(bad_line(why)),
    }
}

fn bad_line(why: String) -> Error {
    Error::new(ErrorKind::Decode, why).with_effect(Effect::None)
}
