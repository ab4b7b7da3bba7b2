//! Default timeouts and size limits, with their reasons.

use crate::operation::{Operation, TimeClass};
use std::time::Duration;

/// Connect timeout, TLS included: a healthy host on another continent needs less than a second.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// Timeout of an attempt.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);
/// Timeout of an attempt of a slow operation: Nexlayer's own command line waits as long for a
/// deployment to be accepted.
pub(crate) const SLOW_ATTEMPT: Duration = Duration::from_secs(120);
/// Timeout of a probe: an application that has just started may need seconds for its first request.
pub(crate) const PROBE: Duration = Duration::from_secs(10);
/// Deadline of a call, retries and waits included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);
/// Deadline of a call of a slow operation.
pub(crate) const SLOW_DEADLINE: Duration = Duration::from_secs(180);
/// How long a stream may send nothing: dployr sends nothing while there are no new lines.
pub(crate) const IDLE: Duration = Duration::from_secs(300);
/// Largest body of a success, in bytes: the largest known one, 2500 log lines, is below 2 MiB.
pub(crate) const REPLY_BYTES: usize = 16 << 20;
/// How much of the body of a failure is read, in bytes.
pub(crate) const ERROR_BYTES: usize = 64 << 10;
/// Timeout for the body of a failure: its status is known and matters more.
pub(crate) const ERROR_WAIT: Duration = Duration::from_secs(5);
/// How much of a body an error keeps, in bytes.
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
    /// Timeout of one attempt.
    pub fn attempt(&self, operation: Option<&Operation>) -> Duration {
        self.attempt.unwrap_or(match time_class(operation) {
            TimeClass::Slow => SLOW_ATTEMPT,
            TimeClass::Unary | TimeClass::Stream => ATTEMPT,
        })
    }

    /// Deadline of the call.
    pub fn deadline(&self, operation: Option<&Operation>) -> Duration {
        self.deadline.unwrap_or(match time_class(operation) {
            TimeClass::Slow => SLOW_DEADLINE,
            TimeClass::Unary | TimeClass::Stream => DEADLINE,
        })
    }
}

/// Requests without a wrapper get the timeouts of slow operations.
pub(crate) fn time_class(operation: Option<&Operation>) -> TimeClass {
    operation.map_or(TimeClass::Slow, |operation| operation.behaviour.time)
}
