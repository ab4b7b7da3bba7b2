//! The default limits. Each is a named constant with its unit and its reason.

use crate::operation::{Operation, TimeClass};
use std::time::Duration;

/// To connect, TLS included: a healthy host on another continent takes well under a second.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// One attempt of an ordinary call.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);
/// One attempt of a call that works before it answers: Nexlayer's own command line waits as long for
/// a deployment to be accepted.
pub(crate) const SLOW_ATTEMPT: Duration = Duration::from_secs(120);
/// To ask an address whether anybody answers: an application that has just started may work on its
/// first request for seconds.
pub(crate) const PROBE: Duration = Duration::from_secs(10);
/// A whole call, waiting between attempts included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);
/// A whole call of an operation that works before it answers.
pub(crate) const SLOW_DEADLINE: Duration = Duration::from_secs(180);
/// A stream may be silent for so long: dployr asks its log store every 2 s, but says nothing while
/// there is nothing to say.
pub(crate) const IDLE: Duration = Duration::from_secs(300);
/// The body of a success, in bytes: the largest known replies, 2500 log lines, take under 2 MiB.
pub(crate) const REPLY_BYTES: usize = 16 << 20;
/// How much of a failure's body is read, in bytes.
pub(crate) const ERROR_BYTES: usize = 64 << 10;
/// How long the body of a failure may take: its status is known by then, and is what matters.
pub(crate) const ERROR_WAIT: Duration = Duration::from_secs(5);
/// How much of a body an error keeps to show, in bytes.
pub(crate) const EXCERPT_BYTES: usize = 2 << 10;

/// The limits of a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub attempt: Option<Duration>,
    pub deadline: Option<Duration>,
    pub idle: Duration,
    pub reply_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempt: None,
            deadline: None,
            idle: IDLE,
            reply_bytes: REPLY_BYTES,
        }
    }
}

impl Limits {
    /// How long one attempt may take.
    pub fn attempt(&self, operation: Option<&Operation>) -> Duration {
        self.attempt.unwrap_or(match time_class(operation) {
            TimeClass::Slow => SLOW_ATTEMPT,
            TimeClass::Unary | TimeClass::Stream => ATTEMPT,
        })
    }

    /// How long the whole call may take.
    pub fn deadline(&self, operation: Option<&Operation>) -> Duration {
        self.deadline.unwrap_or(match time_class(operation) {
            TimeClass::Slow => SLOW_DEADLINE,
            TimeClass::Unary | TimeClass::Stream => DEADLINE,
        })
    }
}

/// A request without a wrapper may be anything, so it gets the time that a slow one gets.
pub(crate) fn time_class(operation: Option<&Operation>) -> TimeClass {
    operation.map_or(TimeClass::Slow, |operation| operation.behaviour.time)
}
