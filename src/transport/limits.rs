//! Default timeouts and size limits, with their reasons.

use crate::operation::{Operation, TimeClass};
use std::time::Duration;

/// Timeout for connecting, TLS included. A host on another continent usually needs less than a second.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// Timeout of an attempt.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);
/// Timeout of an attempt of a slow operation. Nexlayer's command-line tool has the same timeout for a
/// deploy.
pub(crate) const SLOW_ATTEMPT: Duration = Duration::from_secs(120);
/// Timeout of a probe. An application that has just started may need seconds for its first request.
pub(crate) const PROBE: Duration = Duration::from_secs(10);
/// Deadline of a call, retries and waits included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);
/// Deadline of a call of a slow operation.
pub(crate) const SLOW_DEADLINE: Duration = Duration::from_secs(180);
/// Timeout of a stream between two chunks. dployr sends nothing while there are no new log lines.
pub(crate) const IDLE: Duration = Duration::from_secs(300);
/// Largest body of a success, in bytes. The largest known one, 2500 log lines, is below 2 MiB.
pub(crate) const REPLY_BYTES: usize = 16 << 20;
/// Limit on the bytes that are read of the body of a failure.
pub(crate) const ERROR_BYTES: usize = 64 << 10;
/// Timeout for reading the body of a failure. It is short, because the status matters more.
pub(crate) const ERROR_WAIT: Duration = Duration::from_secs(5);
/// Size limit of the body excerpt in an error, in bytes.
pub(crate) const EXCERPT_BYTES: usize = 2 << 10;

/// The limits of a client. `None`: the default depends on the operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub attempt_timeout: Option<Duration>,
    pub deadline: Option<Duration>,
    pub idle: Duration,
    pub reply_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempt_timeout: None,
            deadline: None,
            idle: IDLE,
            reply_bytes: REPLY_BYTES,
        }
    }
}

impl Limits {
    /// Timeout of one attempt.
    pub fn attempt_timeout(&self, operation: Option<&Operation>) -> Duration {
        self.attempt_timeout.unwrap_or(match time_class(operation) {
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

/// Requests without a spec entry get the timeouts of slow operations.
pub(crate) fn time_class(operation: Option<&Operation>) -> TimeClass {
    operation.map_or(TimeClass::Slow, |operation| operation.behaviour.time)
}
