//! What a platform implements to be waited for.

use crate::call::Call;
use crate::phase::{Observation, Phase};
use crate::secret::Secret;
use crate::transport::mask::Mask;
use std::time::Duration;

/// Longest status that is kept, in bytes.
const LONGEST_STATUS: usize = 200;
/// Longest reason that is kept, in bytes.
const LONGEST_REASON: usize = 2 << 10;
/// Most log lines that are kept.
const LOG_LINES: usize = 20;
/// Longest log line that is kept, in bytes.
const LONGEST_LINE: usize = 500;

/// A resource that can be waited for.
pub(crate) trait Source: Send + Sync + 'static {
    /// The value that a wait returns.
    type Value: Send + 'static;

    /// Platform, kind and id, without secrets: `edgegap deployment a1b2`.
    fn subject(&self) -> String;

    /// The id of the resource, for the error of a failed wait.
    fn id(&self) -> Option<String>;

    /// The default poll intervals and deadline.
    fn schedule(&self) -> Schedule;

    /// Polls once. A missing resource is [`NotFound`](crate::ErrorKind::NotFound) or
    /// [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved).
    fn look(&self) -> Call<Snapshot<Self::Value>>;

    /// The newest lines of its log, where the platform has one. The engine bounds them.
    fn log_tail(&self) -> Option<Call<Vec<String>>> {
        None
    }

    /// Whether the resource may come back after it ended: a sleeping service does, a stopped deployment
    /// does not.
    fn revives(&self) -> bool {
        false
    }

    /// The value of a wait whose target includes a missing resource.
    fn absent(&self) -> Option<Self::Value> {
        None
    }
}

/// Poll intervals and deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// The first interval.
    pub first: Duration,
    /// The interval that they grow to.
    pub longest: Duration,
    /// Time limit of the whole wait.
    pub deadline: Duration,
    /// How long a resource that was never seen may be missing.
    pub grace: Duration,
}

impl Schedule {
    /// All in seconds; a grace of 10 s.
    pub const fn seconds(first: u64, longest: u64, deadline: u64) -> Self {
        Self {
            first: Duration::from_secs(first),
            longest: Duration::from_secs(longest),
            deadline: Duration::from_secs(deadline),
            grace: Duration::from_secs(10),
        }
    }
}

/// The result of one poll.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot<T> {
    pub phase: Phase,
    /// The platform's own status.
    pub raw_status: String,
    /// The platform's reason for it.
    pub reason: Option<String>,
    /// The record itself.
    pub value: T,
}

impl<T> Snapshot<T> {
    pub fn new(phase: Phase, raw_status: impl Into<String>, value: T) -> Self {
        Self {
            phase,
            raw_status: raw_status.into(),
            reason: None,
            value,
        }
    }

    pub fn reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// Shortens status and reason, and redacts the secrets of the request in them.
    pub fn redacted(mut self, secrets: &[Secret]) -> Self {
        self.raw_status = shorten(&self.raw_status, secrets, LONGEST_STATUS);
        let reason = self.reason.take();
        self.reason = reason
            .map(|reason| shorten(&reason, secrets, LONGEST_REASON))
            .filter(|reason| !reason.is_empty());
        self
    }

    pub fn observation(&self) -> Observation {
        Observation::new(self.phase, self.raw_status.as_str()).reason(self.reason.clone())
    }

    pub(super) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Snapshot<U> {
        Snapshot {
            phase: self.phase,
            raw_status: self.raw_status,
            reason: self.reason,
            value: convert(self.value),
        }
    }
}

/// The last lines of a log that arrives as one text.
pub(crate) fn last_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().rev().take(LOG_LINES).collect();
    lines.reverse();
    lines.into_iter().map(str::to_owned).collect()
}

/// The newest lines, shortened and redacted.
pub(super) fn bounded(log: Call<Vec<String>>) -> Call<Vec<String>> {
    log.map_with_secrets(|lines, secrets| {
        let surplus = lines.len().saturating_sub(LOG_LINES);
        let newest = lines.iter().skip(surplus);
        newest
            .map(|line| shorten(line, secrets, LONGEST_LINE))
            .collect()
    })
}

/// Shortens a status from a list, whose request contains no secrets.
pub(crate) fn short_status(status: &str) -> String {
    shorten(status, &[], LONGEST_STATUS)
}

/// A platform's text as one short line, redacted.
fn shorten(text: &str, secrets: &[Secret], longest: usize) -> String {
    // Redact first: a secret cut in half would not be found.
    let text = Mask::of(secrets).text(text);
    crate::error::start_of(&crate::error::one_line(&text), longest).to_owned()
}

/// A source with converted values.
pub(super) struct Mapped<T, U> {
    pub inner: Box<dyn Source<Value = T>>,
    pub convert: fn(Snapshot<T>) -> Snapshot<U>,
    pub absent: Option<fn() -> U>,
}

impl<T: Send + 'static, U: Send + 'static> Source for Mapped<T, U> {
    type Value = U;

    fn subject(&self) -> String {
        self.inner.subject()
    }

    fn id(&self) -> Option<String> {
        self.inner.id()
    }

    fn schedule(&self) -> Schedule {
        self.inner.schedule()
    }

    fn look(&self) -> Call<Snapshot<U>> {
        self.inner.look().map(self.convert)
    }

    fn log_tail(&self) -> Option<Call<Vec<String>>> {
        self.inner.log_tail()
    }

    fn revives(&self) -> bool {
        self.inner.revives()
    }

    fn absent(&self) -> Option<U> {
        self.absent.map(|absent| absent())
    }
}
