//! Prepared responses and network failures.

use super::examples::{self, Example, ExampleSelector};
use crate::error::{Error, Result};
use crate::transport::send::{Delivery, FakeResponse};
use std::time::Duration;

/// A prepared response, or a network failure.
///
/// ```
/// use deploykit::testing::CannedReply;
/// use std::time::Duration;
/// let slow = CannedReply::json(200, r#"{"ok": true}"#).delay(Duration::from_secs(5));
/// let lost = CannedReply::reset(); // the request arrives, the response does not
/// ```
///
/// To use a response of the real platform, save it in a file:
/// `CannedReply::json(200, include_str!("ready.json"))`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannedReply {
    status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    delay: Duration,
    delivery: Delivery,
}

impl CannedReply {
    /// A response with a JSON body, given as text.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, body).header("content-type", "application/json")
    }

    /// A stream with one JSON value per line, like a followed log.
    pub fn ndjson<I>(lines: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let lines = lines.into_iter().map(|line| format!("{}\n", line.as_ref()));
        let body: String = lines.collect();
        Self::new(200, body).header("content-type", "application/x-ndjson")
    }

    /// A response with any body and no headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            delay: Duration::ZERO,
            delivery: Delivery::Whole,
        }
    }

    /// An example of the spec: by name, or the first one with a status.
    ///
    /// ```
    /// # fn main() -> deploykit::Result<()> {
    /// # #[cfg(feature = "edgegap")] {
    /// use deploykit::testing::CannedReply;
    /// let seeking = CannedReply::example("edgegap get_deployment", "seeking")?;
    /// let no_room = CannedReply::example("edgegap create_deployment", 422)?;
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// The name of the platform can be omitted if only one platform has such an example.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) if there is no such operation or example (the
    /// error lists the existing ones), or if several platforms have one.
    pub fn example(operation: &str, selector: impl Into<ExampleSelector>) -> Result<Self> {
        let example = examples::find(operation, &selector.into())?;
        Ok(Self::from_example(example, example.body))
    }

    pub(super) fn from_example(example: &Example, body: impl Into<Vec<u8>>) -> Self {
        let reply = Self::new(example.status, body);
        match example.media {
            Some(media) => reply.header("content-type", media),
            None => reply,
        }
    }

    /// The connection is refused: [`Connect`](crate::ErrorKind::Connect) with
    /// [`Effect::None`](crate::Effect::None).
    pub fn connect_error() -> Self {
        Self::failing(Delivery::NoConnection)
    }

    /// No response before the client's timeout.
    ///
    /// The call fails with [`Timeout`](crate::ErrorKind::Timeout). With
    /// `#[tokio::test(start_paused = true)]`, the test does not wait.
    pub fn timeout() -> Self {
        Self::failing(Delivery::NoAnswer)
    }

    /// The connection breaks after the request and before the response:
    /// [`Interrupted`](crate::ErrorKind::Interrupted), for a create with
    /// [`Effect::Unknown`](crate::Effect::Unknown).
    pub fn reset() -> Self {
        Self::failing(Delivery::Broken)
    }

    fn failing(delivery: Delivery) -> Self {
        Self {
            delivery,
            ..Self::new(200, "")
        }
    }

    /// The connection breaks after this incomplete body:
    /// [`Interrupted`](crate::ErrorKind::Interrupted), for a create with
    /// [`Effect::Unknown`](crate::Effect::Unknown).
    pub fn truncated(mut self) -> Self {
        self.delivery = Delivery::CutOff;
        self
    }

    /// Delays the response, on tokio's clock.
    pub fn delay(mut self, time: Duration) -> Self {
        self.delay = time;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(super) fn into_fake_response(self) -> Result<FakeResponse> {
        let mut reply = http::Response::builder().status(self.status);
        for (name, value) in self.headers {
            reply = reply.header(name, value);
        }
        let reply = reply.body(self.body).map_err(|error| {
            Error::configuration("the canned reply has an invalid status or header")
                .with_source(error)
        })?;
        Ok(FakeResponse {
            delay: self.delay,
            delivery: self.delivery,
            reply,
        })
    }
}

impl From<http::Response<Vec<u8>>> for CannedReply {
    fn from(reply: http::Response<Vec<u8>>) -> Self {
        let (head, body) = reply.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        });
        Self {
            headers: headers.collect(),
            ..Self::new(head.status.as_u16(), body)
        }
    }
}
