//! The canonical form of a request, for previews, snapshots and the recorder.
//!
//! It holds method, path, query, the headers that matter and the body, and nothing that changes by
//! itself, such as host or user agent. Secrets are redacted when it is made.

use crate::operation::Operation;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The version of the canonical text. A change of the text that would alter snapshots raises it, and
/// is a breaking change of this crate.
pub const CANONICAL_VERSION: u32 = 1;

/// The exact request that a call sends, with its secrets redacted.
///
/// `Display` is the canonical text, for snapshots:
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
/// The path is encoded as it is sent, the query is decoded and sorted, JSON has sorted keys.
///
/// Redacted are: credentials and cookies; header and query values that the caller added; what the spec
/// marks as secret ([`Behaviour::secrets`](crate::operation::Behaviour::secrets)); user info, query and fragment of
/// git and webhook URLs; the secrets of a Nexlayer manifest; and every value in query and body of a
/// request that is not in the spec. Nothing is guessed from names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RequestPreview {
    /// The version of this form: [`CANONICAL_VERSION`].
    pub version: u32,
    /// The platform.
    pub api: &'static str,
    /// The id of the operation in the spec; `None` for a request without a wrapper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'static str>,
    /// `POST`
    pub method: String,
    /// The base URL, not part of the canonical text.
    #[serde(skip)]
    pub base_url: String,
    /// The path as it is sent, without the base URL.
    pub path: String,
    /// The query, decoded and sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The headers that matter, sorted.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(skip_serializing_if = "PreviewBody::is_none")]
    pub body: PreviewBody,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum PreviewBody {
    /// No body.
    None,
    /// JSON, keys sorted.
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
    /// The operation, if the request has a wrapper.
    pub fn operation(&self) -> Option<&'static Operation> {
        let id = self.operation?;
        crate::operation::find(self.api, id)
    }

    /// The request as a `curl` command for a POSIX shell, with `<redacted>` in the place of secrets.
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

/// Pretty JSON with sorted keys, whatever order the map type keeps.
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
    // The placeholder stays readable, since somebody has to replace it.
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
    fn the_canonical_text() {
        assert_eq!(
            request().to_string(),
            "POST /v1/a%20b\n? clusterId = it's & more\ncontent-type: application/json\n\n{\n  \"a\": {\n    \"c\": 2,\n    \"d\": 1\n  },\n  \"b\": [\n    1\n  ]\n}"
        );
    }

    #[test]
    fn the_curl_line_survives_a_shell() {
        assert_eq!(
            request().to_curl(),
            r#"curl -X POST 'https://host.example/v1/a%20b?clusterId=it%27s%20%26%20more' -H 'content-type: application/json' --data-binary '{"a":{"c":2,"d":1},"b":[1]}'"#
        );
        assert_eq!(quote("it's"), r"'it'\''s'");
    }
}
