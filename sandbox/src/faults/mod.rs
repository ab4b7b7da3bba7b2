//! What goes wrong on purpose: which call it meets, and what becomes of the answer.

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

/// Something that goes wrong with some of the calls.
///
/// ```
/// use std::time::Duration;
/// use deploykit_sandbox::{Fault, Platform};
///
/// // The second creation is acted upon, and its answer is lost.
/// let lost = Fault::on("create_deployment").platform(Platform::Edgegap).nth(2).reset().after();
/// // The same from text, as the program takes it.
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
    /// Whether the platform did what it was asked for.
    acted: bool,
}

/// Which calls a fault meets: all of them, until it is told otherwise. What is to happen to them makes it a [`Fault`].
///
/// Every fault counts for itself, from the moment at which it is injected, the calls that are of its operation and its
/// platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what is to go wrong is not said yet"]
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
        /// Content type and body, if they are not those of the platform.
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

/// What a request came to: what the platform said, and how that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// What the platform, or a fault in its place, says.
    pub reply: Reply,
    /// How much later than usual it arrives.
    pub delay: Duration,
    /// How it arrives.
    pub delivery: Delivery,
}

/// How a reply arrives. The state machine only says so; the server does it on the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// As it should.
    Complete,
    /// Not at all: the connection is reset before the first byte.
    Reset,
    /// Up to so many bytes of the body, and fewer than the headers promise; then the connection ends.
    Truncated(usize),
    /// The body in pieces.
    Dribbled {
        /// Between two pieces.
        interval: Duration,
        /// The bytes of a piece.
        piece: usize,
    },
    /// Not at all: the connection stays open and silent.
    NoReply,
}

/// Why a fault is none: its text cannot be read, or it could never meet a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(pub(crate) String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for FaultError {}

impl Fault {
    /// On calls of an operation, by its id in the spec: `create_deployment`. Ids are unique on one platform only; see
    /// [`FaultBuilder::platform`].
    pub fn on(operation: &str) -> FaultBuilder {
        FaultBuilder {
            operation: Some(operation.to_owned()),
            ..Self::on_any()
        }
    }

    /// On any call, one to an unknown route included.
    pub fn on_any() -> FaultBuilder {
        FaultBuilder {
            operation: None,
            platform: None,
            first: 1,
            times: None,
        }
    }

    /// The platform does nothing: the fault comes first. The default for a status, garbage, a reset and a hang; the
    /// others need the platform's own answer, and [`Sandbox::inject`](crate::Sandbox::inject) refuses them so.
    #[must_use]
    pub fn before(mut self) -> Self {
        self.acted = false;
        self
    }

    /// The platform does what it was asked for, and the caller does not learn of it. The default for a truncated, late
    /// or dribbled answer.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.acted = true;
        self
    }

    /// Adds `Retry-After` in seconds to a status. On another kind of fault it does nothing.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Kind::Status { retry_after, .. } = &mut self.kind {
            *retry_after = Some(seconds);
        }
        self
    }

    /// The kinds that an answer of the platform's is needed for.
    fn needs_answer(&self) -> bool {
        matches!(
            self.kind,
            Kind::Delay(_) | Kind::Truncate(_) | Kind::Dribble { .. }
        )
    }

    pub(crate) fn acts(&self) -> bool {
        self.acted
    }

    fn is_for_webhooks(&self) -> bool {
        self.kind == Kind::DropWebhook
    }

    /// What becomes of a call that this fault meets. `own` is what the platform answered, if it acted.
    pub(crate) fn outcome(
        &self,
        own: Option<Reply>,
        platform: Platform,
        operation: Option<&Operation>,
    ) -> Outcome {
        // Stands for what nobody receives.
        let lost = || {
            let message = format!("no answer: {}", self.kind);
            Reply::json(503, &json!({ "message": message }))
        };
        let mut outcome = Outcome::complete(own.unwrap_or_else(lost));
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
                            <body><h1>It is not JSON.</h1></body></html>\n";
                outcome.reply = Reply::new(200, "text/html; charset=utf-8", page);
            }
            Kind::Delay(late) => outcome.delay = *late,
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

/// What the spec has for a status; where it has none, a body in the form of the platform's errors.
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
    /// On this platform only.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// The n-th call only, counted from 1.
    pub fn nth(mut self, n: u64) -> Self {
        self.first = n;
        self.times = Some(1);
        self
    }

    /// From the n-th call on, counted from 1.
    pub fn from(mut self, n: u64) -> Self {
        self.first = n;
        self
    }

    /// At most so many calls.
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Some(calls);
        self
    }

    /// The answer has this status, and the body that the spec shows for it; where the spec shows none, one in the form
    /// of the platform's errors.
    pub fn status(self, code: u16) -> Fault {
        let kind = Kind::Status {
            code,
            body: None,
            retry_after: None,
        };
        self.makes(kind)
    }

    /// The answer has this status and this body.
    pub fn status_with(self, code: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Fault {
        let kind = Kind::Status {
            code,
            body: Some((content_type.to_owned(), body.into())),
            retry_after: None,
        };
        self.makes(kind)
    }

    /// The platform's own answer comes so much later, by the clock of the sandbox: a driven clock has to be advanced.
    pub fn delay(self, late: Duration) -> Fault {
        self.makes(Kind::Delay(late))
    }

    /// The connection is reset (TCP RST) before the first byte of an answer. The platform does nothing; with
    /// [`Fault::after`] it acted, and the answer is lost.
    pub fn reset(self) -> Fault {
        self.makes(Kind::Reset)
    }

    /// The platform's own answer ends after so many bytes of its body, though `Content-Length` promises more.
    pub fn truncate(self, bytes: usize) -> Fault {
        self.makes(Kind::Truncate(bytes))
    }

    /// 200 with an HTML page, as if something else had answered.
    pub fn garbage(self) -> Fault {
        self.makes(Kind::Garbage)
    }

    /// The body of the platform's own answer comes in pieces of so many bytes, with a pause between two, by the clock
    /// of the sandbox.
    pub fn dribble(self, interval: Duration, piece: usize) -> Fault {
        self.makes(Kind::Dribble { interval, piece })
    }

    /// Nothing is ever answered, until the caller or the server ends.
    pub fn hang(self) -> Fault {
        self.makes(Kind::Hang)
    }

    /// The platform does not call an address of the user's. The calls that are counted are the platform's own, so that
    /// this takes no operation.
    pub fn drop_webhook(self) -> Fault {
        self.makes(Kind::DropWebhook)
    }

    fn makes(self, kind: Kind) -> Fault {
        let mut fault = Fault {
            when: self,
            kind,
            acted: false,
        };
        fault.acted = fault.needs_answer() || fault.is_for_webhooks();
        fault
    }

    fn last(&self) -> Option<u64> {
        let times = self.times?;
        Some(self.first.saturating_add(times).saturating_sub(1))
    }

    /// Whether the call is one of those that are counted.
    fn counts(&self, platform: Platform, operation: Option<&str>) -> bool {
        self.platform.is_none_or(|wanted| wanted == platform)
            && match &self.operation {
                None => true,
                Some(wanted) => operation == Some(wanted.as_str()),
            }
    }

    /// Whether the call of that number, from 1 on, is met.
    fn meets(&self, number: u64) -> bool {
        number >= self.first && self.last().is_none_or(|last| number <= last)
    }
}

impl Outcome {
    /// An answer that arrives as it should.
    pub(crate) fn complete(reply: Reply) -> Self {
        Self {
            reply,
            delay: Duration::ZERO,
            delivery: Delivery::Complete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    #[test]
    fn a_status_has_the_body_of_the_spec() {
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
    fn calls_are_counted_from_one() {
        let met = |when: FaultBuilder| -> Vec<u64> { (1..=6).filter(|&n| when.meets(n)).collect() };
        assert_eq!(met(Fault::on_any()), [1, 2, 3, 4, 5, 6]);
        assert_eq!(met(Fault::on_any().nth(2)), [2]);
        assert_eq!(met(Fault::on_any().from(5)), [5, 6]);
        assert_eq!(met(Fault::on_any().times(2)), [1, 2]);
        assert_eq!(met(Fault::on_any().from(3).times(2)), [3, 4]);
        assert_eq!(met(Fault::on_any().times(2).from(3)), [3, 4]);
        assert_eq!(
            met(Fault::on_any().from(u64::MAX).times(u64::MAX)),
            [0_u64; 0]
        );
    }

    #[test]
    fn an_operation_is_one_of_a_platform() {
        let when = Fault::on("list_deployments").platform(Platform::Nodion);
        assert!(when.counts(Platform::Nodion, Some("list_deployments")));
        assert!(!when.counts(Platform::Edgegap, Some("list_deployments")));
        assert!(!when.counts(Platform::Nodion, Some("create_deployment")));
        assert!(!when.counts(Platform::Nodion, None));
        assert!(Fault::on_any().counts(Platform::Nodion, None));
    }
}
