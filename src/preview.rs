//! The canonical form of a request, for previews, snapshots and the recorder.
//!
//! It contains method, path, query, relevant headers and body, with secrets redacted. It omits parts that
//! vary between runs and versions, such as host and user agent.

use crate::operation::Operation;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Version of the canonical text.
///
/// Incremented by changes that alter snapshots; such a change is a breaking change.
pub const CANONICAL_VERSION: u32 = 1;

/// The exact request of a call, with secrets redacted.
///
/// `Display` writes the canonical text, for snapshots:
///
/// ```text
/// POST /v1/services/web/env
/// authorization: <redacted>
/// content-type: application/json
///
/// {
///   "key": "NODE_ENV",
///   "value": "<redacted>"
/// }
/// ```
///
/// The path is percent-encoded, the query is decoded and sorted, and JSON keys are sorted.
///
/// Redacted are:
///
/// - credentials and cookies;
/// - header and query values added by the caller;
/// - parts that the spec marks as secret or personal
///   ([`Behaviour::secrets`](crate::operation::Behaviour::secrets));
/// - user info, query and fragment of git and webhook URLs;
/// - the secrets of a Nexlayer manifest;
/// - every value in query and body of a request without a wrapper.
///
/// The name of a field, such as `password`, does not cause redaction.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RequestPreview {
    /// Version of the canonical form: [`CANONICAL_VERSION`].
    pub version: u32,
    /// The platform: `nexlayer`, `dployr`, `nodion` or `edgegap`.
    pub api: &'static str,
    /// The id of the operation in the spec; `None` for a request without a wrapper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'static str>,
    /// The HTTP method: `POST`.
    pub method: String,
    /// The base URL. Not part of the canonical text.
    #[serde(skip)]
    pub base_url: String,
    /// The percent-encoded path, without the base URL.
    pub path: String,
    /// The query, decoded and sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The headers, sorted, without `accept`, `content-length`, `host` and `user-agent`.
    pub headers: Vec<(String, String)>,
    /// The request body.
    #[serde(skip_serializing_if = "PreviewBody::is_none")]
    pub body: PreviewBody,
}

/// A request body in canonical form.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum PreviewBody {
    /// No body.
    None,
    /// JSON. The canonical text sorts its keys.
    Json(Value),
    /// Text: a YAML manifest, or the size of a body that cannot be parsed.
    Text(String),
}

impl PreviewBody {
    fn is_none(&self) -> bool {
        *self == Self::None
    }

    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Json(value) => Some(pretty(value)),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

impl RequestPreview {
    /// The operation; `None` for a request without a wrapper.
    pub fn operation(&self) -> Option<&'static Operation> {
        let id = self.operation?;
        crate::operation::find(self.api, id)
    }

    /// The request as a `curl` command for a POSIX shell, with secrets redacted.
    pub fn to_curl(&self) -> String {
        let mut url = format!("{}{}", self.base_url, self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            url.push_str(&format!("{separator}{}={}", encode(name), encode(value)));
        }
        let mut out = format!("curl -X {} {}", self.method, quote(&url));
        for (name, value) in &self.headers {
            out.push_str(&format!(" -H {}", quote(&format!("{name}: {value}"))));
        }
        let body = match &self.body {
            PreviewBody::None => None,
            PreviewBody::Json(value) => Some(sorted(value).to_string()),
            PreviewBody::Text(text) => Some(text.clone()),
        };
        if let Some(body) = body {
            out.push_str(&format!(" --data-binary {}", quote(&body)));
        }
        out
    }
}

impl fmt::Display for RequestPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        for (name, value) in &self.query {
            write!(f, "\n? {name} = {value}")?;
        }
        for (name, value) in &self.headers {
            write!(f, "\n{name}: {value}")?;
        }
        if let Some(body) = self.body.text() {
            write!(f, "\n\n{body}")?;
        }
        Ok(())
    }
}

/// Pretty-printed JSON with sorted keys, also if another crate enables `preserve_order`.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(&sorted(value)).unwrap_or_default()
}

pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries: BTreeMap<_, _> = map.iter().collect();
            let entries = entries.into_iter();
            entries
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect()
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn encode(text: &str) -> String {
    // The placeholder stays readable, since the user has to replace it.
    if text == crate::secret::REDACTED {
        return text.to_owned();
    }
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request() -> RequestPreview {
        RequestPreview {
            version: CANONICAL_VERSION,
            api: "dployr",
            operation: None,
            method: "POST".into(),
            base_url: "https://host.example".into(),
            path: "/v1/a%20b".into(),
            query: vec![("clusterId".into(), "it's & more".into())],
            headers: vec![("content-type".into(), "application/json".into())],
            body: PreviewBody::Json(json!({ "b": [1], "a": { "d": 1, "c": 2 } })),
        }
    }

    #[test]
    fn display_is_the_canonical_text() {
        assert_eq!(
            request().to_string(),
            "POST /v1/a%20b\n? clusterId = it's & more\ncontent-type: application/json\n\n{\n  \"a\": {\n    \"c\": 2,\n    \"d\": 1\n  },\n  \"b\": [\n    1\n  ]\n}"
        );
    }

    #[test]
    fn the_curl_command_is_quoted_for_a_shell() {
        assert_eq!(
            request().to_curl(),
            r#"curl -X POST 'https://host.example/v1/a%20b?clusterId=it%27s%20%26%20more' -H 'content-type: application/json' --data-binary '{"a":{"c":2,"d":1},"b":[1]}'"#
        );
        assert_eq!(quote("it's"), r"'it'\''s'");
    }
}
