//! Requests and recorded requests, without sockets.

use std::time::Duration;

use http::header::{HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::faults::Fault;
use crate::platform::Platform;
use crate::spec::Violation;

/// Percent-encodes everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An HTTP request. `Debug` redacts credentials and body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The percent-encoded path, without the query.
    pub path: String,
    /// The decoded query pairs, in order.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    ///
    /// `target` is a path with an optional query. An invalid method becomes `GET`.
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.parse().unwrap_or_default(),
            path: path.to_owned(),
            query: parse_query(query),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header; an invalid one is ignored.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        append(&mut self.headers, name, value);
        self
    }

    /// Sets the body and adds its `Content-Type`.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with_header("content-type", content_type)
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn with_json(self, body: &Value) -> Self {
        self.with_body("application/json", body.to_string())
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        text_of(&self.headers, name)
    }

    /// The first value of a query parameter.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first value of a query parameter; an empty one counts as absent.
    pub(crate) fn non_empty_query(&self, name: &str) -> Option<&str> {
        self.query_value(name).filter(|value| !value.is_empty())
    }

    /// The media type in lower case, without parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        self.header("content-type").map(media_type)
    }

    /// The body as a JSON object.
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, JsonObjectError> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(JsonObjectError::NotAnObject),
            Err(_) => Err(JsonObjectError::NotJson),
        }
    }

    /// Like [`json_object`](Self::json_object), and requires `Content-Type: application/json`.
    pub(crate) fn typed_json_object(&self) -> Result<Map<String, Value>, JsonObjectError> {
        if self.media_type().as_deref() != Some("application/json") {
            return Err(JsonObjectError::ContentType);
        }
        self.json_object()
    }

    /// Converts to the `http` crate's type, credentials included.
    ///
    /// # Errors
    ///
    /// If the path is not a valid URI, which cannot happen for received requests.
    pub fn to_http(&self) -> http::Result<http::Request<Vec<u8>>> {
        let mut target = self.path.clone();
        for (at, (name, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            target.extend(utf8_percent_encode(name, ENCODED));
            target.push('=');
            target.extend(utf8_percent_encode(value, ENCODED));
        }
        let mut request = http::Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = target.parse()?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }

    /// Converts from the `http` crate's type.
    pub(crate) fn from_http<B>(request: http::Request<B>) -> (Self, B) {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query();
        let target = target.map_or("/", |target| target.as_str());
        let mut read = Self::new(parts.method.as_str(), target);
        read.headers = parts.headers;
        // In-process clients send no `Host` header.
        if let Some(authority) = parts.uri.authority()
            && read.header(HOST.as_str()).is_none()
        {
            append(&mut read.headers, HOST.as_str(), authority.as_str());
        }
        (read, body)
    }
}

/// Why a body is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonObjectError {
    ContentType,
    NotJson,
    NotAnObject,
}

impl JsonObjectError {
    pub(crate) fn message(self) -> &'static str {
        match self {
            JsonObjectError::ContentType => "Content-Type must be application/json",
            JsonObjectError::NotJson => "the body is not valid JSON",
            JsonObjectError::NotAnObject => "the body must be a JSON object",
        }
    }
}

/// A received request with its outcome; dereferences to [`Request`].
///
/// `Debug` and `Display` redact credentials.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// Sequence number over all platforms, from 1.
    pub number: u64,
    /// When the platform responded, on the platforms' clock, since the Unix epoch.
    pub at: Duration,
    /// The platform it was sent to.
    pub platform: Platform,
    /// The request, credentials included.
    pub request: Request,
    /// The status of the reply, even if the client never got it.
    ///
    /// 503 if a fault prevented both processing and a reply.
    pub status: u16,
    /// Why the platform refused the request, if the reply is an error: its message, or the name of its status.
    pub refusal: Option<String>,
    /// Its `operationId` in the platform's spec.
    pub operation: Option<&'static str>,
    /// Violations of the spec in the request. Some platforms accept more than their spec allows.
    pub request_violations: Vec<Violation>,
    /// Violations of the spec in the reply: bugs of the sandbox.
    pub reply_violations: Vec<Violation>,
    /// The fault that was applied.
    pub fault: Option<Fault>,
}

impl std::ops::Deref for RecordedRequest {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}

/// A string field; an empty one counts as absent.
pub(crate) fn text_field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = object.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

/// The fields of a `json!` object.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The media type of a `Content-Type`, in lower case, without parameters.
pub(crate) fn media_type(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or(content_type);
    essence.trim().to_ascii_lowercase()
}

/// The decoded segments of a path.
///
/// A trailing slash adds an empty segment, so that the path matches no route.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').map(decode)
}

/// Percent-decodes; broken escapes stay unchanged, as on common servers.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| {
            (
                decode(&key.replace('+', " ")),
                decode(&value.replace('+', " ")),
            )
        })
        .collect()
}

pub(crate) fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}

pub(crate) fn append(headers: &mut HeaderMap, name: &str, value: &str) {
    let value = HeaderValue::from_bytes(value.as_bytes());
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_is_split_and_decoded() {
        let request = Request::new("GET", "/v1/a%20b/c%2Fd/?x=1%3D2&y=a+b&z&bad=%zz");
        assert_eq!(request.path, "/v1/a%20b/c%2Fd/");
        let decoded: Vec<String> = segments(&request.path).collect();
        assert_eq!(decoded, ["v1", "a b", "c/d", ""]);
        for (name, value) in [("x", "1=2"), ("y", "a b"), ("z", ""), ("bad", "%zz")] {
            assert_eq!(request.query_value(name), Some(value));
        }
    }

    #[test]
    fn media_type_has_no_parameters() {
        let request = Request::new("POST", "/").with_body("Application/JSON; charset=utf-8", "[]");
        assert_eq!(request.media_type().as_deref(), Some("application/json"));
        assert_eq!(
            request.typed_json_object(),
            Err(JsonObjectError::NotAnObject)
        );
    }
}
