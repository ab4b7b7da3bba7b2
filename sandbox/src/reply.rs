//! Replies, without sockets.

use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::request::{append, text_of};
use crate::time::http_date;

/// The result of a handler. The error is a reply that ends the handler early.
pub(crate) type HandlerResult = Result<Reply, Reply>;

/// A platform's reply.
///
/// `Debug` redacts the body and headers; [`text_body`](Self::text_body) returns the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A reply with any body.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut reply = Self::empty(status);
        reply.body = body.into();
        reply.with_header(CONTENT_TYPE.as_str(), content_type)
    }

    /// A reply without a body. An invalid status becomes 500.
    pub fn empty(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header; an invalid one is ignored.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl ToString) -> Self {
        append(&mut self.headers, name, &value.to_string());
        self
    }

    /// Adds the server's time, as every server does.
    pub(crate) fn with_date(self, now: Duration) -> Self {
        self.with_header(DATE.as_str(), http_date(now))
    }

    /// Whether this is a stream without a line, whose head is not sent yet.
    pub(crate) fn is_silent_stream(&self) -> bool {
        self.body.is_empty() && self.header("content-type") == Some("application/x-ndjson")
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        text_of(&self.headers, name)
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    pub fn text_body(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or null if it is not JSON.
    pub fn json_body(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The message and details of an error reply, or the name of its status.
    pub(crate) fn refusal(&self) -> Option<String> {
        if self.status.as_u16() < 400 {
            return None;
        }
        let body = self.json_body();
        // The forms of the four platforms.
        let mut messages = ["/error/message", "/error", "/message", "/errors/0"].into_iter();
        let message = messages.find_map(|pointer| body.pointer(pointer)?.as_str());
        let mut details = ["/error/details", "/details"].into_iter();
        let details = details.find_map(|pointer| body.pointer(pointer));
        let details = details.filter(|details| **details != json!({}));
        let is_text = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/plain"));
        Some(match (message, details) {
            (Some(message), Some(details)) => format!("{message} {details}"),
            (Some(message), None) => message.to_owned(),
            _ if is_text && !self.body.is_empty() => self.text_body(),
            _ => self
                .status
                .canonical_reason()
                .unwrap_or_default()
                .to_owned(),
        })
    }

    /// Converts to the `http` crate's type.
    pub(crate) fn into_http<B: From<Vec<u8>>>(self) -> http::Response<B> {
        let mut response = http::Response::new(B::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
