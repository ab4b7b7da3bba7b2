//! One error for everything that can go wrong, with answers to the questions a caller has.

mod display;

pub(crate) use display::{one_line, start_of};

use crate::operation::Operation;
use crate::phase::Observation;
use serde_json::Value;
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error, as a token source, a token store or a shared budget returns it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call failed, and what that means.
///
/// It is one pointer in size. `Display` is one line: what was called, the status, the platform's
/// words, and what to do next where that is known. Neither `Display` nor `Debug` shows a secret.
///
/// ```
/// # fn handle(error: deploykit::Error) {
/// use deploykit::{Effect, ErrorKind};
/// match error.kind() {
///     ErrorKind::RateLimited => println!("again in {:?}", error.retry_after()),
///     _ if error.effect() == Effect::Unknown => println!("look before you repeat it: {error}"),
///     _ => println!("{error}"),
/// }
/// # }
/// ```
pub struct Error(pub(crate) Box<Inner>);

/// What is known of a failure.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub kind: ErrorKind,
    pub operation: Option<&'static Operation>,
    pub status: Option<u16>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub details: Option<Value>,
    pub request_id: Option<String>,
    pub resource_id: Option<String>,
    pub retry_after: Option<Duration>,
    pub attempts: u32,
    pub elapsed: Duration,
    pub effect: Effect,
    /// Another try would fare no better.
    pub lasting: bool,
    /// The caller's word that the call may be repeated.
    pub assumed_idempotent: bool,
    pub body: Option<String>,
    pub advice: Option<&'static str>,
    /// How many records of a list had come before, for a call that wanted all.
    pub records: Option<usize>,
    pub source: Option<BoxError>,
    pub wait: Option<Box<WaitReport>>,
}

/// What a wait saw before it failed; filled by [`wait`](crate::watch::Wait).
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitReport {
    pub timeline: Vec<Observation>,
    pub log_tail: Vec<String>,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client was set up wrongly: base URL, credentials, environment.
    Configuration,
    /// The request is wrong and was refused here, before anything was sent.
    #[default]
    InvalidRequest,
    /// The credentials are missing, wrong or expired.
    Unauthenticated,
    /// The credentials do not allow this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The server has no such endpoint.
    NoSuchRoute,
    /// It clashes with something that exists.
    Conflict,
    /// What was to be removed or stopped is gone already.
    AlreadyRemoved,
    /// The platform refuses this request.
    Rejected,
    /// The account's plan does not include this, or its limit is reached.
    PlanLimit,
    /// Too many requests; see [`Error::retry_after`].
    RateLimited,
    /// A limit that waiting a little does not lift.
    Quota,
    /// This client's own limit on creates, `max_creates`: nothing was sent.
    SpendLimit,
    /// The platform answers from another address; nothing was followed.
    Redirected,
    /// The platform failed.
    Server,
    /// The platform, or a part that is needed, cannot be reached by it now.
    Unavailable,
    /// No connection could be made: nothing was sent.
    Connect,
    /// No answer within the time limit.
    Timeout,
    /// The connection broke after the request was sent, or within the reply.
    Interrupted,
    /// The reply could not be understood.
    Decode,
    /// A list does not come to an end: a page repeats, or the server always says that more follow.
    Pagination,
    /// This server does not offer it.
    Unsupported,
    /// A deployment that was waited for came to a bad end.
    WaitFailed,
    /// A deployment that was waited for was not ready in time.
    WaitTimedOut,
    /// A deployment that was waited for is not there, or not any more.
    Gone,
}

/// Whether the platform possibly acted on a call that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing was done.
    None,
    /// It cannot be told: look before you repeat a call that must not happen twice.
    #[default]
    Unknown,
    /// Something was done all the same; see [`Error::resource_id`].
    Applied,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = one_line(&message.into());
        Self(Box::new(Inner {
            kind,
            message: (!message.is_empty()).then_some(message),
            ..Inner::default()
        }))
    }

    /// A request that is refused before it is sent.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message).with_effect(Effect::None)
    }

    /// A client that cannot be built.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message).with_effect(Effect::None)
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the platform possibly acted.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The HTTP status, if there was a reply.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The platform's own code for the failure: `permission.forbidden`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The platform's words, or ours for a failure that never reached it. One line of at most 64 KiB, of which
    /// `Display` shows 1 KiB.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// What else the platform says about it, with secrets that are known left out.
    pub fn details(&self) -> Option<&Value> {
        self.0.details.as_ref()
    }

    /// The id that the server gave to this HTTP request, if it gives one.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What exists in spite of the failure and may need to be cleaned up: the `request_id` of the
    /// deployment in Edgegap's 422.
    pub fn resource_id(&self) -> Option<&str> {
        self.0.resource_id.as_deref()
    }

    /// How long the platform asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often sending the request was tried, repetitions included; 0 if it was refused here.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took in all, waiting between attempts included.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The operation that failed; `None` for a failure outside of one.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// The beginning of the reply's body, at most 2 KiB, with secrets that are known left out.
    pub fn body_excerpt(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// What a failed wait saw: each change of phase or status, with its time since the wait began.
    /// At most 64, the first one and the latest. Empty for other errors.
    pub fn timeline(&self) -> &[Observation] {
        self.0.wait.as_ref().map_or(&[], |report| &report.timeline)
    }

    /// The platform's last known status of the deployment that was waited for: `Status.ERROR`.
    pub fn raw_status(&self) -> Option<&str> {
        let known = self.timeline().iter().rev();
        let mut words = known.map(|seen| seen.raw_status.as_str());
        words.find(|word| !word.is_empty())
    }

    /// The platform's reason for that status.
    pub fn reason(&self) -> Option<&str> {
        self.timeline().last()?.reason.as_deref()
    }

    /// The last lines of the deployment's log, where the platform has one: at most 20 of at most 500
    /// bytes. Known secrets are redacted; others that the program wrote are not.
    pub fn log_tail(&self) -> &[String] {
        self.0.wait.as_ref().map_or(&[], |report| &report.log_tail)
    }

    pub(crate) fn with_effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }

    pub(crate) fn with_operation(mut self, operation: Option<&'static Operation>) -> Self {
        self.0.operation = self.0.operation.or(operation);
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_advice(mut self, advice: &'static str) -> Self {
        self.0.advice = Some(advice);
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Rewrites every text that may come from a server, and then shortens the body.
    pub(crate) fn rewritten(
        mut self,
        text: impl Fn(&str) -> String,
        json: impl Fn(&mut Value),
        longest_body: usize,
    ) -> Self {
        let inner = &mut *self.0;
        let texts = [
            &mut inner.message,
            &mut inner.code,
            &mut inner.request_id,
            &mut inner.resource_id,
            &mut inner.body,
        ];
        for found in texts.into_iter().flatten() {
            *found = text(found);
        }
        if let Some(details) = &mut inner.details {
            json(details);
        }
        if let Some(body) = &mut inner.body {
            body.truncate(start_of(body, longest_body).len());
        }
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &inner.kind)
            .field("effect", &inner.effect)
            .field("display", &self.to_string());
        if inner.attempts > 0 {
            debug
                .field("attempts", &inner.attempts)
                .field("elapsed", &inner.elapsed);
        }
        if let Some(source) = &inner.source {
            debug.field("source", source);
        }
        debug.finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
