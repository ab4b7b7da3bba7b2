//! Errors for response bodies that do not decode: JSON path and reason.

use super::failure::Target;
use super::limits::ERROR_BYTES;
use super::response::request_id;
use super::{Scope, redact};
use crate::error::{Effect, Error, ErrorKind, start_of};
use serde_json::{Deserializer, Value};
use std::fmt::Write as _;

/// Start of a JSON path. Messages of handwritten decoders may begin with one.
const ROOT: &str = "$";

impl Scope {
    /// The error for a success body that does not decode. It shows the JSON path, the reason, and the
    /// keys and types of the body, but no values.
    pub(crate) fn decode_error(
        &self,
        bytes: &[u8],
        error: &serde_json::Error,
        target: &Target,
    ) -> Error {
        let json: Option<Value> = serde_json::from_slice(bytes).ok();
        let failed = self.transport.profile.failed_success;
        // Only operations of the spec have the platform's failure format.
        let own = json.as_ref().filter(|_| target.operation.is_some());
        if let Some(failed) = own.and_then(failed) {
            let id = request_id(&self.state().outcome.headers);
            return failed.into_error(target.effect()).with_request_id(id);
        }
        // A 201 or 202 in JSON comes from the platform, which acted. Other bodies may come from a proxy.
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
            // HTML comes from a proxy and helps to find it; any other text may be a token.
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
            // Redacted before it is shortened to an excerpt.
            .with_body(start_of(&excerpt, ERROR_BYTES).to_owned())
    }
}

/// JSON path and reason: `$.data[1].id: found number, expected a string`.
pub(crate) fn path_and_reason(bytes: &[u8], error: &serde_json::Error) -> String {
    let why = reason_without_value(error);
    match why.starts_with(ROOT) {
        true => why,
        false => format!("{}: {why}", json_path(bytes, error)),
    }
}

/// serde's message without the value that it quotes, which may be a token.
pub(crate) fn reason_without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // The last occurrence: a quoted value may contain the same words.
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
    /// `None` until the value begins.
    Name(Option<String>),
}

/// The JSON path at which decoding stopped: `$.data[1].id`. serde_json reports the line and column
/// after an unexpected scalar, or before an unexpected list or object.
fn json_path(bytes: &[u8], error: &serde_json::Error) -> String {
    let before = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1));
    let start: usize = before.map(<[u8]>::len).sum();
    let end = (start + error.column()).min(bytes.len());
    let mut path: Vec<Step> = Vec::new();
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
            b'{' => path.push(Step::Name(None)),
            b'[' => path.push(Step::Index(0)),
            b'}' | b']' => drop(path.pop()),
            b':' => {
                if let Some(Step::Name(name)) = path.last_mut() {
                    *name = string.take();
                }
            }
            b',' => match path.last_mut() {
                Some(Step::Index(index)) => *index += 1,
                Some(Step::Name(name)) => *name = None,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    // For an unexpected or truncated list, the column is after its bracket.
    let (read, next) = (bytes[..end].trim_ascii_end(), bytes.get(end));
    if read.ends_with(b"[") && next != Some(&b'[') && is_about_a_list(error) {
        path.pop();
    }
    let mut place = ROOT.to_owned();
    for step in path {
        let _ = match step {
            Step::Index(index) => write!(place, "[{index}]"),
            Step::Name(Some(name)) => write!(place, ".{name}"),
            Step::Name(None) => Ok(()),
        };
    }
    place
}

fn is_about_a_list(error: &serde_json::Error) -> bool {
    error.is_eof() || error.to_string().starts_with("invalid type: sequence")
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
