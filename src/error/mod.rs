//! The error type of all calls: kind, effect, and the platform's response.

mod display;

pub(crate) use display::{one_line, start_of, with_unit};

use crate::operation::Operation;
use crate::phase::Observation;
use http::Method;
use serde_json::Value;
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a token source, a token store or a shared budget.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call failed, and whether the platform acted.
///
/// `Display` is one line for the person on call: the operation with its ids, the status, the
/// platform's message, what may have happened, and the next step:
///
/// ```text
/// edgegap create_deployment: no response within 30 s; the deployment may exist: check deployments().find_created(tag, time)
/// nodion delete_domain a1 d2: 429 too many requests; nothing was done; retry after 12 s
/// ```
///
/// `Display` and `Debug` show no secrets. An error is one pointer wide.
///
/// ```
/// # fn handle(error: deploykit::Error) {
/// use deploykit::{Effect, ErrorKind};
/// match error.kind() {
///     ErrorKind::RateLimited => println!("retry in {:?}", error.retry_after()),
///     _ if error.effect() == Effect::Unknown => println!("check before you retry: {error}"),
///     _ => println!("{error}"),
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

#[derive(Default)]
struct Inner {
    kind: ErrorKind,
    operation: Option<&'static Operation>,
    request: Option<FailedRequest>,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    details: Option<Value>,
    request_id: Option<String>,
    resource_id: Option<String>,
    retry_after: Option<Duration>,
    attempts: u32,
    elapsed: Duration,
    effect: Effect,
    permanent: bool,
    assumed_idempotent: bool,
    body: Option<String>,
    advice: Option<&'static str>,
    records: Option<usize>,
    source: Option<BoxError>,
    wait: Option<Box<WaitReport>>,
}

/// The request that failed, as `Display` needs it.
pub(crate) struct FailedRequest {
    pub platform: &'static str,
    pub method: Method,
    /// Redacted.
    pub path: String,
    pub lookups: &'static [Lookup],
}

/// How to find out whether a create took effect when its response is missing.
pub struct Lookup {
    /// Id of the operation.
    pub operation: &'static str,
    /// Noun for the created resource.
    pub creates: &'static str,
    /// Instruction: `check deployments().find_created(tag, time)`.
    pub advice: &'static str,
}

/// What a wait saw before it failed.
#[derive(Default)]
struct WaitReport {
    timeline: Vec<Observation>,
    log_tail: Vec<String>,
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client's configuration is invalid: base URL, credentials, environment.
    Configuration,
    /// The request is invalid and was not sent.
    #[default]
    InvalidRequest,
    /// The credentials are missing, wrong or expired.
    Unauthenticated,
    /// The credentials do not permit this call.
    Forbidden,
    /// The resource does not exist.
    NotFound,
    /// The server has no such endpoint.
    NoSuchRoute,
    /// The request conflicts with an existing resource.
    Conflict,
    /// The resource to delete or stop is already gone.
    AlreadyRemoved,
    /// The platform rejected the request.
    Rejected,
    /// The account's plan does not include this, or its limit is reached.
    PlanLimit,
    /// Too many requests; see [`Error::retry_after`].
    RateLimited,
    /// A quota is used up; a short wait does not help.
    Quota,
    /// This client's limit `max_creates` is reached; nothing was sent.
    SpendLimit,
    /// The platform redirected the request. Redirects are not followed.
    Redirected,
    /// The server failed.
    Server,
    /// The platform, or a service that it depends on, is temporarily unavailable, or the server refused an
    /// HTTP/2 stream.
    Unavailable,
    /// The client could not connect; nothing was sent.
    Connect,
    /// No response within the timeout.
    Timeout,
    /// The connection broke after the request was sent.
    Interrupted,
    /// The response could not be decoded.
    Decode,
    /// A list does not end: a page repeats, or the server always reports a next page.
    Pagination,
    /// The server does not support this operation.
    Unsupported,
    /// The deployment that was waited for failed.
    WaitFailed,
    /// The deployment that was waited for was not ready before the deadline.
    WaitTimedOut,
    /// The deployment that was waited for does not exist, or no longer exists.
    Gone,
}

/// Whether the platform acted on a call that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing was done.
    None,
    /// The platform may have acted. Check before you retry a call that must not happen twice.
    #[default]
    Unknown,
    /// The platform acted although the call failed; see [`Error::resource_id`].
    Applied,
}

/// Declares methods that set one field.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($field:ident: $type:ty);)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(mut self, $field: impl Into<$type>) -> Self {
            self.0.$field = $field.into();
            self
        }
    )*};
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

    /// An invalid request, which is not sent.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message).with_effect(Effect::None)
    }

    /// Puts `prefix: ` before the message.
    pub(crate) fn prefixed(mut self, prefix: &str) -> Self {
        let message = self.message().unwrap_or_default();
        self.0.message = Some(format!("{prefix}: {message}"));
        self
    }

    /// An invalid configuration of a client.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message).with_effect(Effect::None)
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the platform acted.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The HTTP status, if there was a response.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The platform's error code: `permission.forbidden`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The platform's message, or this crate's if there was no response.
    ///
    /// One line of at most 64 KiB; `Display` shows the first 1 KiB.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Further details from the platform, with known secrets redacted.
    pub fn details(&self) -> Option<&Value> {
        self.0.details.as_ref()
    }

    /// The server's id for this HTTP request, if it sent one.
    pub fn http_request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// A resource that exists although the call failed, and may have to be deleted.
    ///
    /// For example, the deployment in Edgegap's 422, or the deployment that a wait gave up on. For a dployr
    /// deployment without a known id, this is its name.
    pub fn resource_id(&self) -> Option<&str> {
        self.0.resource_id.as_deref()
    }

    /// The wait before a retry that the platform requests.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Number of attempts of the failed request, retries included; 0 if it was not sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Duration of the call, waits between attempts included.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The operation that failed; `None` outside of an operation.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// The start of the response body, at most 2 KiB, with known secrets redacted.
    pub fn body_excerpt(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// Changes of phase or status that a failed wait observed, with their times.
    ///
    /// At most 64: the first one and the latest. Empty for other errors.
    pub fn timeline(&self) -> &[Observation] {
        self.0.wait.as_ref().map_or(&[], |report| &report.timeline)
    }

    /// The last known status of the deployment that was waited for: `Status.ERROR`.
    pub fn raw_status(&self) -> Option<&str> {
        let latest_first = self.timeline().iter().rev();
        let mut statuses = latest_first.map(|seen| seen.raw_status.as_str());
        statuses.find(|status| !status.is_empty())
    }

    /// The platform's reason for that status.
    pub fn reason(&self) -> Option<&str> {
        self.timeline().last()?.reason.as_deref()
    }

    /// The last lines of the deployment's log after a failed wait.
    ///
    /// At most 20 lines of at most 500 bytes. Known secrets are redacted; other secrets that the
    /// program logged are not.
    pub fn log_tail(&self) -> &[String] {
        self.0.wait.as_ref().map_or(&[], |report| &report.log_tail)
    }

    /// Whether a retry would fail as well, although the kind is usually transient.
    pub(crate) fn is_permanent(&self) -> bool {
        self.0.permanent
    }

    /// Whether the caller declared the call idempotent.
    pub(crate) fn is_assumed_idempotent(&self) -> bool {
        self.0.assumed_idempotent
    }

    setters! {
        with_effect(effect: Effect);
        with_request(request: Option<FailedRequest>);
        with_status(status: Option<u16>);
        with_code(code: Option<String>);
        with_details(details: Option<Value>);
        with_request_id(request_id: Option<String>);
        with_resource_id(resource_id: Option<String>);
        with_retry_after(retry_after: Option<Duration>);
        with_permanent(permanent: bool);
        with_assumed_idempotent(assumed_idempotent: bool);
        /// Sets the next step, as an instruction.
        with_advice(advice: Option<&'static str>);
        /// Sets the number of records of a list that were read before the failure.
        with_records(records: Option<usize>);
    }

    /// Sets the operation unless there is one.
    pub(crate) fn with_operation(mut self, operation: Option<&'static Operation>) -> Self {
        self.0.operation = self.0.operation.or(operation);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
    }

    pub(crate) fn with_body(mut self, body: String) -> Self {
        self.0.body = (!body.is_empty()).then_some(body);
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_timeline(mut self, timeline: Vec<Observation>) -> Self {
        self.0.wait.get_or_insert_default().timeline = timeline;
        self
    }

    pub(crate) fn with_log_tail(mut self, lines: Vec<String>) -> Self {
        self.0.wait.get_or_insert_default().log_tail = lines;
        self
    }

    /// Rewrites every text that may come from a server, to redact it, then truncates the body.
    pub(crate) fn rewritten(
        mut self,
        text: impl Fn(&str) -> String,
        json: impl Fn(&mut Value),
        max_body: usize,
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
            body.truncate(start_of(body, max_body).len());
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
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
