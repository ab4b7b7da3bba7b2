//! The plain shapes of an exchange: a request goes in, a reply comes out, no sockets anywhere.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::contract::Problem;
use crate::fault::Fault;

/// One of the four platforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Nexlayer, apps from a manifest.
    Nexlayer,
    /// dployr, your own servers.
    Dployr,
    /// Nodion, apps from git or an image.
    Nodion,
    /// Edgegap, game servers near their players.
    Edgegap,
}

impl Platform {
    /// All four, in the order in which ports are given out.
    pub const ALL: [Platform; 4] = [
        Platform::Nexlayer,
        Platform::Dployr,
        Platform::Nodion,
        Platform::Edgegap,
    ];
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Platform::Nexlayer => "nexlayer",
            Platform::Dployr => "dployr",
            Platform::Nodion => "nodion",
            Platform::Edgegap => "edgegap",
        })
    }
}

/// A request as it came over the wire. Its `Debug` shows no credentials and no body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` and so on, in upper case.
    pub method: String,
    /// The path as sent, percent-encoding kept, without the query.
    pub path: String,
    /// The query, decoded, in the order in which it was sent.
    pub query: Vec<(String, String)>,
    /// The headers, in the order in which they were sent.
    pub headers: Vec<(String, String)>,
    /// The body, untouched.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body. `target` is a path with an optional query, as in a request line.
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: parse_query(query),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
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

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, |key| key.eq_ignore_ascii_case(name))
    }

    /// The first value of a query parameter.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        find(&self.query, |key| key == name)
    }

    /// The decoded segments of the path. A trailing slash leaves an empty last one, so that it matches no route.
    pub(crate) fn segments(&self) -> Vec<String> {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        path.split('/').map(decode_segment).collect()
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

/// What a platform answers. Its `Debug` shows no credentials and no body; [`text_body`](Self::text_body) does.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    /// A reply with any body.
    pub(crate) fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
        }
    }

    /// A reply with any text as body.
    pub fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self::empty(status)
            .with_header("content-type", content_type)
            .with_text(body)
    }

    /// A reply without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn with_text(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, |key| key.eq_ignore_ascii_case(name))
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    pub fn text_body(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or null if it is none.
    pub fn json_body(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A request that was answered, as the sandbox remembers it. Its `Debug` and `Display` show no credentials.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// Which request it was, counted over all platforms, from 1 on.
    pub number: u64,
    /// When it was answered, by the clock of the platforms, since the Unix epoch.
    pub at: Duration,
    /// Which platform was asked.
    pub platform: Platform,
    /// The method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The decoded query.
    pub query: Vec<(String, String)>,
    /// The headers, credentials included.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The status of the reply, or of the one that was lost. 503 if a fault kept the platform from acting and from
    /// answering.
    pub status: u16,
    /// The operation of the platform's spec that it was for, by its `operationId`.
    pub operation: Option<&'static str>,
    /// Where it breaks the spec. A platform that is known to take more took it all the same.
    pub request_problems: Vec<Problem>,
    /// Where the reply breaks the spec, which is a mistake of the sandbox.
    pub reply_problems: Vec<Problem>,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

impl Recorded {
    pub(crate) fn new(platform: Platform, request: &Request, status: u16, at: Duration) -> Self {
        Self {
            operation: None,
            request_problems: Vec::new(),
            reply_problems: Vec::new(),
            number: 0,
            at,
            fault: None,
            platform,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            status,
        }
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, |key| key.eq_ignore_ascii_case(name))
    }
}

/// A string field of a JSON object; an empty one counts as absent.
pub(crate) fn text_field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn find(pairs: &[(String, String)], matches: impl Fn(&str) -> bool) -> Option<&str> {
    pairs
        .iter()
        .find(|(key, _)| matches(key))
        .map(|(_, value)| value.as_str())
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true), decode(value, true))
        })
        .collect()
}

/// The media type of a content type, in lower case, without parameters.
pub(crate) fn media_type(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or(content_type);
    essence.trim().to_ascii_lowercase()
}

/// One segment of a path, decoded.
pub(crate) fn decode_segment(segment: &str) -> String {
    decode(segment, false)
}

/// Percent-decoding; a broken escape stays as it is, as servers do.
fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| Some(hex(*bytes.get(at + 1)?)? * 16 + hex(*bytes.get(at + 2)?)?))
            .flatten();
        match escaped {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(if plus_is_space && byte == b'+' {
                    b' '
                } else {
                    byte
                });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_is_split_and_decoded() {
        let request = Request::new("GET", "/v1/a%20b/c%2Fd/?x=1%3D2&y=a+b&z&bad=%zz");
        assert_eq!(request.path, "/v1/a%20b/c%2Fd/");
        assert_eq!(request.segments(), ["v1", "a b", "c/d", ""]);
        assert_eq!(request.query_value("x"), Some("1=2"));
        assert_eq!(request.query_value("y"), Some("a b"));
        assert_eq!(request.query_value("z"), Some(""));
        assert_eq!(request.query_value("bad"), Some("%zz"));
    }

    #[test]
    fn media_type_has_no_parameters() {
        let request = Request::new("POST", "/").with_body("Application/JSON; charset=utf-8", "[]");
        assert_eq!(request.media_type().as_deref(), Some("application/json"));
        assert_eq!(request.labelled_json_object(), Err(NotAnObject::OtherJson));
    }
}
