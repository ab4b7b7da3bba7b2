//! Errors for response bodies that cannot be decoded: JSON path and reason.

use super::failure::Target;
use super::limits::ERROR_BYTES;
use super::response::request_id;
use super::{Scope, redact};
use crate::error::{Effect, Error, ErrorKind, start_of};
use serde_json::{Deserializer, Value};
use std::fmt::Write as _;

/// Start of a JSON path. The message of a handwritten decoder may begin with such a path.
const ROOT: &str = "$";

impl Scope {
    /// The error for a success body that cannot be decoded. It shows the JSON path, the reason, and the
    /// keys and types of the body, but no values.
    pub(crate) fn decode_error(
        &self,
        bytes: &[u8],
        error: &serde_json::Error,
        target: &Target,
    ) -> Error {
        let json: Option<Value> = serde_json::from_slice(bytes).ok();
        // Some platforms report a failure with a success status. Only operations of the spec are known to
        // use that format.
        if let (Some(json), Some(_)) = (&json, target.operation)
            && let Some(failed) = (self.transport.profile.failed_success)(json)
        {
            let id = request_id(&self.state().outcome.headers);
            return failed.into_error(target.effect()).with_request_id(id);
        }
        // JSON with a 201 or 202 comes from the platform, which then acted. Other bodies may come from a
        // proxy.
        let effect = match &json {
            _ if target.reads_only() => Effect::None,
            Some(Value::Object(_) | Value::Array(_))
                if matches!(self.state().outcome.status, 201 | 202) =>
            {
                Effect::Applied
            }
            _ => Effect::Unknown,
        };
        let excerpt = match json {
            // HTML comes from a proxy and helps to identify it. Any other text may be a token.
            Some(Value::String(text)) if text.trim_start().starts_with('<') => text,
            Some(Value::String(text)) => format!("text of {} bytes", text.len()),
            Some(json) => redact::shape(&json).to_string(),
            None => format!("{} bytes that are not JSON", bytes.len()),
        };
        let message = format!(
            "cannot decode the response at {}",
            path_and_reason(bytes, error)
        );
        Error::new(ErrorKind::Decode, message)
            .with_effect(effect)
            // Longer than an excerpt: it is redacted first, then truncated to `EXCERPT_BYTES`.
            .with_body(start_of(&excerpt, ERROR_BYTES).to_owned())
    }
}

/// JSON path and reason: `$.data[1].id: found number, expected a string`.
pub(crate) fn path_and_reason(bytes: &[u8], error: &serde_json::Error) -> String {
    let reason = reason_without_value(error);
    match reason.starts_with(ROOT) {
        true => reason,
        false => format!("{}: {reason}", json_path(bytes, error)),
    }
}

/// serde's message, without the quoted value, which may be a token.
pub(crate) fn reason_without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // At the last occurrence, because a quoted value may contain the same words.
    let text = match text.rsplit_once(" at line ") {
        Some((text, _)) if error.line() > 0 => text,
        _ => &text,
    };
    let quoted = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix));
    match quoted {
        Some(rest) => {
            let found = rest.split([' ', '`', ',']).next().unwrap_or("a value");
            let expected = rest
                .rsplit_once(", expected ")
                .map_or("another", |(_, expected)| expected);
            format!("found {found}, expected {expected}")
        }
        None if text.starts_with("missing field")
            || text.starts_with(ROOT)
            || error.is_syntax()
            || error.is_eof() =>
        {
            text.to_owned()
        }
        None => "unexpected value".to_owned(),
    }
}

/// One step of a JSON path.
enum Step {
    Index(usize),
    /// A key of an object; `None` until its value begins.
    Key(Option<String>),
}

/// The JSON path at which decoding stopped: `$.data[1].id`.
///
/// Scans the JSON up to the line and column of the error. These are behind an unexpected scalar, and before
/// an unexpected list or object.
fn json_path(bytes: &[u8], error: &serde_json::Error) -> String {
    let lines_before = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1));
    let line_start: usize = lines_before.map(<[u8]>::len).sum();
    let end = (line_start + error.column()).min(bytes.len());
    let mut path: Vec<Step> = Vec::new();
    // The last string: a key if a colon follows.
    let mut string = None;
    let mut at = 0;
    while at < end {
        match bytes[at] {
            b'"' => {
                let mut strings = Deserializer::from_slice(&bytes[at..]).into_iter::<String>();
                string = strings.next().and_then(Result::ok);
                if string.is_none() {
                    break;
                }
                at += strings.byte_offset();
                continue;
            }
            b'{' => path.push(Step::Key(None)),
            b'[' => path.push(Step::Index(0)),
            b'}' | b']' => drop(path.pop()),
            b':' => {
                if let Some(Step::Key(key)) = path.last_mut() {
                    *key = string.take();
                }
            }
            b',' => match path.last_mut() {
                Some(Step::Index(index)) => *index += 1,
                Some(Step::Key(key)) => *key = None,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    // For an unexpected or truncated list, the column is after its bracket. The path ends at the list, not
    // at its first item.
    let (read, next) = (bytes[..end].trim_ascii_end(), bytes.get(end));
    let is_list = error.is_eof() || error.to_string().starts_with("invalid type: sequence");
    if read.ends_with(b"[") && next != Some(&b'[') && is_list {
        path.pop();
    }
    let mut place = ROOT.to_owned();
    for step in path {
        let _ = match step {
            Step::Index(index) => write!(place, "[{index}]"),
            Step::Key(Some(key)) => write!(place, ".{key}"),
            Step::Key(None) => Ok(()),
        };
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Record {
        id: String,
        count: u8,
        tags: Option<Vec<String>>,
        more: Option<BTreeMap<String, Record>>,
    }

    #[test]
    fn errors_have_a_json_path() {
        for (body, place) in [
            ("7", "$"),
            ("[]", "$"),
            (r#"[{"id": [7]}]"#, "$[0].id"),
            (
                r#"[{"id": "a", "count": 1, "tags": [[7]]}]"#,
                "$[0].tags[0]",
            ),
            (r#"[{"id": "a"}]"#, "$[0]"),
            (r#"[{"id": 7}]"#, "$[0].id"),
            (r#"[{"id": {"b": 1}}]"#, "$[0].id"),
            (r#"[{"id": "a", "count": 256}]"#, "$[0].count"),
            (
                "[\n  {\"id\": \"a\\\"{,\", \"count\": 1, \"tags\": [\"x\", 7]}]",
                "$[0].tags[1]",
            ),
            (
                r#"[{"id": "a", "count": 1, "more": {"b": {"id": "c"}}}]"#,
                "$[0].more.b",
            ),
            (r#"[{"id": "a", "cou"#, "$[0]"),
            (r#"[{"id": "a", "count": 1}"#, "$[0]"),
        ] {
            let error = serde_json::from_str::<(Record,)>(body).unwrap_err();
            assert_eq!(json_path(body.as_bytes(), &error), place, "{body}: {error}");
        }
    }
}
