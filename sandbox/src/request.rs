//! An exchange without sockets: a request goes in, a reply comes out.

use std::time::Duration;

use http::header::{HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::faults::Fault;
use crate::platform::Platform;
use crate::spec::Violation;

/// What is percent-encoded in a query: everything that RFC 3986 does not leave unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request as sent over the wire. Its `Debug` shows no credentials and no body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path as sent, percent-encoding kept, without the query.
    pub path: String,
    /// The decoded query, in the order in which it was sent.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, untouched.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body. `target` is a path with an optional query, as in a request line. A method
    /// that is no HTTP token becomes `GET`.
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

    /// Adds a header. One that HTTP does not allow is left out.
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

    /// The first value of a query parameter, if it is not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.query_value(name).filter(|value| !value.is_empty())
    }

    /// The media type of the body in lower case, without parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        self.header("content-type").map(media_type)
    }

    /// The body as a JSON object.
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, NotAnObject> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(NotAnObject::OtherJson),
            Err(_) => Err(NotAnObject::NotJson),
        }
    }

    /// The body as a JSON object that is also labelled as JSON.
    pub(crate) fn labelled_json_object(&self) -> Result<Map<String, Value>, NotAnObject> {
        if self.media_type().as_deref() != Some("application/json") {
            return Err(NotAnObject::OtherLabel);
        }
        self.json_object()
    }

    /// The same request in the types of the `http` crate, with everything that was sent: credentials included.
    ///
    /// # Errors
    /// When the path is no URI. What came over a socket is never that.
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

    /// Takes a request of the `http` crate.
    pub(crate) fn from_http<B>(request: http::Request<B>) -> (Self, B) {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query();
        let target = target.map_or("/", |target| target.as_str());
        let mut read = Self::new(parts.method.as_str(), target);
        read.headers = parts.headers;
        // A client that never opens a connection has no reason to write its host down.
        if let Some(authority) = parts.uri.authority()
            && read.header(HOST.as_str()).is_none()
        {
            append(&mut read.headers, HOST.as_str(), authority.as_str());
        }
        (read, body)
    }
}

/// Why a body is not the JSON object that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAnObject {
    OtherLabel,
    NotJson,
    OtherJson,
}

impl NotAnObject {
    pub(crate) fn words(self) -> &'static str {
        match self {
            NotAnObject::OtherLabel => "Content-Type must be application/json",
            NotAnObject::NotJson => "the body is not valid JSON",
            NotAnObject::OtherJson => "the body must be a JSON object",
        }
    }
}

/// A request that was answered, as the sandbox remembers it. It reads like the [`Request`] itself. Its `Debug` and
/// `Display` show no credentials.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// Its number, counted over all platforms, from 1 on.
    pub number: u64,
    /// When it was answered, by the clock of the platforms, since the Unix epoch.
    pub at: Duration,
    /// The platform that was asked.
    pub platform: Platform,
    /// What was sent, credentials included.
    pub request: Request,
    /// The status of the reply, or of the one that was lost. 503 if a fault kept the platform from acting and from
    /// answering.
    pub status: u16,
    /// The `operationId` of its operation in the platform's spec.
    pub operation: Option<&'static str>,
    /// Where it breaks the spec. A platform that is known to take more took it all the same.
    pub request_violations: Vec<Violation>,
    /// Where the reply breaks the spec, which is a mistake of the sandbox.
    pub reply_violations: Vec<Violation>,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

impl std::ops::Deref for RecordedRequest {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}

/// A string field of a JSON object; an empty one counts as absent.
pub(crate) fn text_field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = object.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

/// The fields of a JSON object that was written with `json!`.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The media type of a content type, in lower case, without parameters.
pub(crate) fn media_type(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or(content_type);
    essence.trim().to_ascii_lowercase()
}

/// The decoded segments of a path. A trailing slash leaves an empty last one, so that it matches no route.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').map(decode)
}

/// Percent-decoding; a broken escape stays as it is, as servers do.
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
        assert_eq!(request.labelled_json_object(), Err(NotAnObject::OtherJson));
    }
}
