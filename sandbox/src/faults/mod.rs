//! Injected faults: which requests they apply to, and how they change the reply.

mod injected;
mod syntax;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;

use crate::platform::Platform;
use crate::reply::Reply;
use crate::spec::Operation;

pub(crate) use injected::FaultList;
pub use injected::InjectedFault;

/// A fault: the requests that fail, and the kind of failure.
///
/// ```
/// use std::time::Duration;
/// use deploykit_sandbox::{Fault, Platform};
///
/// // The platform processes the second create, but the reply is lost.
/// let lost = Fault::on("create_deployment").platform(Platform::Edgegap).nth(2).reset().after();
/// // The same in the text form of the command line.
/// assert_eq!(lost, "edgegap.create_deployment:2=reset,after".parse()?);
///
/// let busy = Fault::on_any().times(3).status(503).retry_after(1);
/// let slow = Fault::on("list_applications").platform(Platform::Nodion).delay(Duration::from_millis(500));
/// # Ok::<(), deploykit_sandbox::FaultError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    when: FaultBuilder,
    kind: Kind,
    /// Whether the platform processes the request.
    processed: bool,
}

/// Selects the requests that a fault applies to: all, unless restricted.
///
/// A method for the kind of failure, such as [`reset`](Self::reset), returns the [`Fault`]. Each fault counts
/// the matching requests, starting at its injection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "call a method for the kind of failure, such as `reset`, to get a `Fault`"]
pub struct FaultBuilder {
    operation: Option<String>,
    platform: Option<Platform>,
    first: u64,
    times: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Status {
        code: u16,
        /// Content type and body; `None` for the body of [`status_reply`].
        body: Option<(String, Vec<u8>)>,
        retry_after: Option<u64>,
    },
    Delay(Duration),
    Reset,
    Truncate(usize),
    Garbage,
    Dribble {
        interval: Duration,
        piece: usize,
    },
    Hang,
    DropWebhook,
}

/// The reply to a request, and how it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The reply, from the platform or the fault.
    pub reply: Reply,
    /// Delay before the reply is sent.
    pub delay: Duration,
    /// How the reply is sent.
    pub delivery: Delivery,
}

/// How a reply is sent.
///
/// [`State`](crate::State) only returns this value; the server and the in-process sandbox apply it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The reply is sent unchanged.
    Complete,
    /// A stream: the reply is sent as soon as it has a line.
    Silent,
    /// The connection is reset before the first byte.
    Reset,
    /// The connection ends after this many bytes of the body, fewer than `Content-Length`.
    Truncated(usize),
    /// The body is sent in pieces.
    Dribbled {
        /// Pause between two pieces.
        interval: Duration,
        /// Bytes per piece.
        piece: usize,
    },
    /// Nothing is sent; the connection stays open.
    NoReply,
}

/// Why a fault is rejected: its text is invalid, or it can never apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(pub(crate) String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for FaultError {}

impl Fault {
    /// Selects an operation by its `operationId`: `create_deployment`.
    ///
    /// Ids are unique per platform only; see [`FaultBuilder::platform`].
    pub fn on(operation: &str) -> FaultBuilder {
        FaultBuilder {
            operation: Some(operation.to_owned()),
            ..Self::on_any()
        }
    }

    /// Selects all requests, including unknown routes.
    pub fn on_any() -> FaultBuilder {
        FaultBuilder {
            operation: None,
            platform: None,
            first: 1,
            times: None,
        }
    }

    /// The platform does not process the request.
    ///
    /// Default for `status`, `garbage`, `reset` and `hang`. The other kinds need the platform's reply:
    /// [`Sandbox::inject`](crate::Sandbox::inject) rejects them with `before`.
    #[must_use]
    pub fn before(mut self) -> Self {
        self.processed = false;
        self
    }

    /// The platform processes the request; then its reply is replaced, lost, cut or delayed.
    ///
    /// Default for `truncate`, `delay` and `dribble`.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.processed = true;
        self
    }

    /// Adds `Retry-After`, in seconds, to a status. No effect on other kinds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Kind::Status { retry_after, .. } = &mut self.kind {
            *retry_after = Some(seconds);
        }
        self
    }

    /// Whether this kind needs the platform's reply.
    fn changes_reply(&self) -> bool {
        matches!(
            self.kind,
            Kind::Delay(_) | Kind::Truncate(_) | Kind::Dribble { .. }
        )
    }

    pub(crate) fn is_processed(&self) -> bool {
        self.processed
    }

    fn is_for_webhooks(&self) -> bool {
        self.kind == Kind::DropWebhook
    }

    /// Applies the fault to the platform's reply, which is `None` if the platform did not process the
    /// request.
    pub(crate) fn outcome(
        &self,
        platform_reply: Option<Reply>,
        platform: Platform,
        operation: Option<&Operation>,
    ) -> Outcome {
        // Only recorded: no client receives it.
        let placeholder = || {
            let message = format!("no reply: {}", self.kind);
            Reply::json(503, &json!({ "message": message }))
        };
        let mut outcome = Outcome::complete(platform_reply.unwrap_or_else(placeholder));
        match &self.kind {
            Kind::Status {
                code,
                body,
                retry_after,
            } => {
                outcome.reply = match body {
                    Some((content_type, body)) => Reply::new(*code, content_type, body.clone()),
                    None => status_reply(platform, operation, *code),
                };
                if let Some(seconds) = retry_after {
                    outcome.reply.headers.insert(RETRY_AFTER, (*seconds).into());
                }
            }
            Kind::Garbage => {
                let page = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\
                            <body><h1>This page is not JSON.</h1></body></html>\n";
                outcome.reply = Reply::new(200, "text/html; charset=utf-8", page);
            }
            Kind::Delay(delay) => outcome.delay = *delay,
            Kind::Reset => outcome.delivery = Delivery::Reset,
            Kind::Truncate(bytes) => outcome.delivery = Delivery::Truncated(*bytes),
            Kind::Dribble { interval, piece } => {
                outcome.delivery = Delivery::Dribbled {
                    interval: *interval,
                    piece: *piece,
                };
            }
            Kind::Hang => outcome.delivery = Delivery::NoReply,
            Kind::DropWebhook => {}
        }
        outcome
    }
}

/// The spec's example for the status, or an error body in the platform's format.
fn status_reply(platform: Platform, operation: Option<&Operation>, status: u16) -> Reply {
    if let Some(reply) = operation.and_then(|operation| operation.status_reply(status)) {
        return reply;
    }
    if matches!(status, 204 | 205 | 304) {
        return Reply::empty(status);
    }
    let known = StatusCode::from_u16(status).ok();
    let words = known.and_then(|status| status.canonical_reason());
    let words = words.unwrap_or("Unknown");
    let code = words.to_ascii_lowercase().replace([' ', '-'], "_");
    let body = match platform {
        Platform::Nexlayer => json!({ "error": words }),
        Platform::Dployr => {
            json!({ "error": { "code": code, "message": words, "details": {} } })
        }
        Platform::Nodion => json!({ "status": status, "error": words }),
        Platform::Edgegap => json!({ "message": words }),
    };
    Reply::json(status, &body)
}

impl FaultBuilder {
    /// Restricts the fault to one platform.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Applies to the n-th request only, counted from 1.
    pub fn nth(mut self, n: u64) -> Self {
        self.first = n;
        self.times = Some(1);
        self
    }

    /// Applies from the n-th request on, counted from 1.
    pub fn from(mut self, n: u64) -> Self {
        self.first = n;
        self
    }

    /// Applies to at most this many requests.
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Some(calls);
        self
    }

    /// Responds with a status.
    ///
    /// The body is the spec's example, or an error body in the platform's format.
    pub fn status(self, code: u16) -> Fault {
        let kind = Kind::Status {
            code,
            body: None,
            retry_after: None,
        };
        self.with_kind(kind)
    }

    /// Responds with this status and body.
    pub fn status_with(self, code: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Fault {
        let kind = Kind::Status {
            code,
            body: Some((content_type.to_owned(), body.into())),
            retry_after: None,
        };
        self.with_kind(kind)
    }

    /// Delays the platform's reply, on the sandbox's clock. A manual clock must be advanced.
    pub fn delay(self, delay: Duration) -> Fault {
        self.with_kind(Kind::Delay(delay))
    }

    /// Resets the connection (TCP RST) before the first byte of the reply.
    ///
    /// The platform does not process the request, unless [`Fault::after`] is set: then the reply is lost.
    pub fn reset(self) -> Fault {
        self.with_kind(Kind::Reset)
    }

    /// Closes the connection after this many bytes of the body, fewer than `Content-Length`.
    pub fn truncate(self, bytes: usize) -> Fault {
        self.with_kind(Kind::Truncate(bytes))
    }

    /// Responds with 200 and an HTML page, as a misconfigured proxy does.
    pub fn garbage(self) -> Fault {
        self.with_kind(Kind::Garbage)
    }

    /// Sends the body in pieces, with a pause before each, on the sandbox's clock.
    pub fn dribble(self, interval: Duration, piece: usize) -> Fault {
        self.with_kind(Kind::Dribble { interval, piece })
    }

    /// Never responds; the connection stays open until either side closes it.
    pub fn hang(self) -> Fault {
        self.with_kind(Kind::Hang)
    }

    /// Drops a webhook call.
    ///
    /// Such a fault counts webhook calls instead of requests, so it cannot have an operation.
    pub fn drop_webhook(self) -> Fault {
        self.with_kind(Kind::DropWebhook)
    }

    fn with_kind(self, kind: Kind) -> Fault {
        let mut fault = Fault {
            when: self,
            kind,
            processed: false,
        };
        fault.processed = fault.changes_reply() || fault.is_for_webhooks();
        fault
    }

    fn last(&self) -> Option<u64> {
        let times = self.times?;
        Some(self.first.saturating_add(times).saturating_sub(1))
    }

    /// Whether platform and operation of the request match.
    fn matches(&self, platform: Platform, operation: Option<&str>) -> bool {
        self.platform.is_none_or(|wanted| wanted == platform)
            && match &self.operation {
                None => true,
                Some(wanted) => operation == Some(wanted.as_str()),
            }
    }

    /// Whether the fault applies to its n-th matching request, counted from 1.
    fn applies_to(&self, number: u64) -> bool {
        number >= self.first && self.last().is_none_or(|last| number <= last)
    }
}

impl Outcome {
    /// A reply that is delivered unchanged.
    pub(crate) fn complete(reply: Reply) -> Self {
        let delivery = match reply.is_silent_stream() {
            true => Delivery::Silent,
            false => Delivery::Complete,
        };
        Self {
            reply,
            delay: Duration::ZERO,
            delivery,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    #[test]
    fn a_status_has_the_example_body_of_the_spec() {
        let create = Spec::of(Platform::Edgegap).operation("create_deployment");
        let reply = status_reply(Platform::Edgegap, create, 422);
        let (content_type, body) = create.unwrap().example(422).unwrap();
        assert_eq!(
            (reply.header("content-type"), reply.text_body()),
            (Some(content_type), body)
        );
        let reply = status_reply(Platform::Edgegap, create, 503);
        assert_eq!(
            reply.json_body(),
            json!({ "message": "Service Unavailable" })
        );
        assert_eq!(
            status_reply(Platform::Nexlayer, None, 204),
            Reply::empty(204)
        );
        let reply = status_reply(Platform::Dployr, None, 502);
        assert_eq!(reply.json_body()["error"]["code"], "bad_gateway");
    }

    #[test]
    fn requests_are_counted_from_one() {
        let applied =
            |when: FaultBuilder| -> Vec<u64> { (1..=6).filter(|&n| when.applies_to(n)).collect() };
        assert_eq!(applied(Fault::on_any()), [1, 2, 3, 4, 5, 6]);
        assert_eq!(applied(Fault::on_any().nth(2)), [2]);
        assert_eq!(applied(Fault::on_any().from(5)), [5, 6]);
        assert_eq!(applied(Fault::on_any().times(2)), [1, 2]);
        assert_eq!(applied(Fault::on_any().from(3).times(2)), [3, 4]);
        assert_eq!(applied(Fault::on_any().times(2).from(3)), [3, 4]);
        assert_eq!(
            applied(Fault::on_any().from(u64::MAX).times(u64::MAX)),
            [0_u64; 0]
        );
    }

    #[test]
    fn a_fault_matches_by_platform_and_operation() {
        let when = Fault::on("list_deployments").platform(Platform::Nodion);
        assert!(when.matches(Platform::Nodion, Some("list_deployments")));
        assert!(!when.matches(Platform::Edgegap, Some("list_deployments")));
        assert!(!when.matches(Platform::Nodion, Some("create_deployment")));
        assert!(!when.matches(Platform::Nodion, None));
        assert!(Fault::on_any().matches(Platform::Nodion, None));
    }
}
