//! A reply that a test prepared, or a failure of the network.

use super::examples::{self, Example, Which};
use crate::error::{Error, Result};
use crate::transport::local::{Outcome, Reaction};
use crate::transport::wire::LocalReply;
use std::time::Duration;

/// A reply that a test prepared, or a way in which the network fails in its place.
///
/// ```
/// use deploykit::testing::CannedReply;
/// use std::time::Duration;
/// let slow = CannedReply::json(200, r#"{"ok": true}"#).delay(Duration::from_secs(5));
/// let lost = CannedReply::reset(); // the request arrived, the reply did not
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannedReply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    after: Duration,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    CutOff,
    NoConnection,
    Silence,
    Broken,
}

impl CannedReply {
    /// A reply with a JSON body, given as text.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, body).header("content-type", "application/json")
    }

    /// A stream of JSON values, a line each: what operations that follow a log answer.
    pub fn ndjson<I>(lines: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let lines = lines.into_iter().map(|line| format!("{}\n", line.as_ref()));
        let body: String = lines.collect();
        Self::new(200, body).header("content-type", "application/x-ndjson")
    }

    /// A reply with any body and no headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            after: Duration::ZERO,
            end: End::Whole,
        }
    }

    /// An example of the spec: by its name, or the first one of a status.
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
    /// The platform in front is needed where several have such an example.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) when there is no such operation or no such
    /// example, with what there is; and when several platforms have one.
    pub fn example(operation: &str, which: impl Into<Which>) -> Result<Self> {
        match examples::pick_by_name(operation, &which.into())?.as_slice() {
            [(_, example)] => Ok(Self::of(example)),
            several => {
                let of = several
                    .iter()
                    .map(|(of, _)| format!("`{} {}`", of.api, of.id));
                let of: Vec<_> = of.collect();
                Err(Error::configuration(format!(
                    "several platforms have such an example: say {}",
                    of.join(" or ")
                )))
            }
        }
    }

    pub(crate) fn of(example: &Example) -> Self {
        let reply = Self::new(example.status, example.body);
        match example.media {
            Some(media) => reply.header("content-type", media),
            None => reply,
        }
    }

    /// No connection can be made, so nothing can have happened: `ErrorKind::Connect`, `Effect::None`.
    pub fn connect_error() -> Self {
        Self::failing(End::NoConnection)
    }

    /// The request arrives, and no answer comes: the client waits until its own limit,
    /// `ErrorKind::Timeout`. With `#[tokio::test(start_paused = true)]` that takes no time.
    pub fn timeout() -> Self {
        Self::failing(End::Silence)
    }

    /// The connection breaks after the request was sent and before there is a reply:
    /// `ErrorKind::Interrupted`, for a create `Effect::Unknown`.
    pub fn reset() -> Self {
        Self::failing(End::Broken)
    }

    fn failing(end: End) -> Self {
        Self {
            end,
            ..Self::new(200, "")
        }
    }

    /// The connection breaks within the reply, after status, headers and this much of the body:
    /// `ErrorKind::Interrupted`, for a create `Effect::Unknown`.
    pub fn truncated(mut self) -> Self {
        self.end = End::CutOff;
        self
    }

    /// Comes after this time, on tokio's clock: a test that pauses that does not wait.
    pub fn delay(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with its body changed, if that is JSON.
    pub(crate) fn with_json(mut self, change: impl FnOnce(&mut serde_json::Value)) -> Option<Self> {
        let mut body = serde_json::from_slice(&self.body).ok()?;
        change(&mut body);
        self.body = body.to_string().into_bytes();
        Some(self)
    }

    pub(crate) fn into_reaction(self) -> Result<Reaction> {
        let after = self.after;
        let outcome = match self.end {
            End::Whole => Outcome::Reply(self.into_local()?),
            End::CutOff => Outcome::CutOff(self.into_local()?),
            End::NoConnection => Outcome::NoConnection,
            End::Silence => Outcome::Silence,
            End::Broken => Outcome::Broken,
        };
        Ok(Reaction { after, outcome })
    }

    fn into_local(self) -> Result<LocalReply> {
        let mut reply = http::Response::builder().status(self.status);
        for (name, value) in self.headers {
            reply = reply.header(name, value);
        }
        reply.body(self.body).map_err(|error| {
            Error::configuration("the canned reply is not a valid one").with_source(error)
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
