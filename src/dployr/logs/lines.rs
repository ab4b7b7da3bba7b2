//! Parses log lines from JSON.

use crate::dployr::failures;
use crate::error::{Effect, Error, ErrorKind};
use crate::lenient::reason_without_value;
use crate::logs::{Item, LogLine, line_hash};
use crate::raw::dployr::types;
use crate::transport::decode::{decode_record, value_of_short};
use serde::de::IgnoredAny;
use std::fmt::Display;

/// Longest line, in bytes. Log stores cut lines at a much lower limit.
pub(super) const MAX_LINE: usize = 1 << 20;

/// The content of a line; `None` for a keep-alive line.
pub(super) fn content(line: &[u8]) -> Option<&[u8]> {
    let line = trimmed(line);
    let is_blank = matches!(line, b"" | b"null" | b"{}") || line.starts_with(b":");
    (!is_blank).then_some(line)
}

pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    // A byte order mark is allowed.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.trim_ascii()
}

/// The item of a record. `place` is its position, for an error.
pub(super) fn item(text: &[u8], place: impl Display) -> Item {
    if text.len() > MAX_LINE {
        return too_long();
    }
    let line = decode_record::<types::LogLine>(text).map(LogLine::from);
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
    let value = value_of_short(text);
    if let Some(failure) = value.as_ref().and_then(failures::failed_success) {
        return failure.into_error(Effect::None);
    }
    bad_line(match serde_json::from_slice::<IgnoredAny>(text) {
        Ok(_) => format!(
            "cannot decode {place} of the logs at {}",
            reason_without_value(error)
        ),
        Err(_) => format!("{place} of the logs is not JSON"),
    })
}

/// The item of a line that is longer than [`MAX_LINE`].
pub(super) fn too_long() -> Item {
    let why = format!("a line of the logs is longer than {MAX_LINE} bytes and was skipped");
    Item {
        at: None,
        hash: line_hash(b"a line that is too long"),
        line: Err(bad_line(why)),
    }
}

fn bad_line(why: String) -> Error {
    Error::new(ErrorKind::Decode, why).with_effect(Effect::None)
}
