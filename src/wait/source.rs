//! What a platform gives to be waited for: a way to look, and how often.

use crate::call::Call;
use crate::secret::Secret;
use crate::transport::redact;
use crate::watch::{Observation, Phase};
use std::time::Duration;

/// The longest status of a platform that is kept, in bytes.
const LONGEST_STATUS: usize = 200;
/// The most lines of a log that are kept.
const LOG_LINES: usize = 20;
/// The longest line that is kept, in bytes.
const LONGEST_LINE: usize = 500;
/// The longest reason of a platform that is kept, in bytes.
const LONGEST_REASON: usize = 2 << 10;

/// Something that can be waited for.
pub(crate) trait Source: Send + Sync + 'static {
    /// What a wait ends with.
    type Value: Send + 'static;

    /// What it is, with its platform and its id, which must be no secret: `edgegap deployment a1b2`.
    /// A cursor holds it, to be refused by another.
    fn subject(&self) -> String;

    /// The id of what exists, for the error of a wait that fails.
    fn id(&self) -> Option<String>;

    /// How often to look and how long, unless the caller says.
    fn schedule(&self) -> Schedule;

    /// Looks once. What is not there is [`NotFound`](crate::ErrorKind::NotFound) or
    /// [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved).
    fn look(&self) -> Call<Snapshot<Self::Value>>;

    /// The newest lines of its log, where the platform has one. The engine bounds them.
    fn log_tail(&self) -> Option<Call<Vec<String>>> {
        None
    }

    /// Whether what has ended may come back: a service that sleeps does, a deployment that was stopped
    /// does not.
    fn revives(&self) -> bool {
        false
    }
}

/// How often to look, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// The first interval.
    pub first: Duration,
    /// What intervals grow to.
    pub longest: Duration,
    /// How long in all.
    pub deadline: Duration,
    /// How long something that was never seen may be missing.
    pub grace: Duration,
}

impl Schedule {
    /// All in seconds. What was just made may be missing for 10 s.
    pub const fn seconds(first: u64, longest: u64, deadline: u64) -> Self {
        Self {
            first: Duration::from_secs(first),
            longest: Duration::from_secs(longest),
            deadline: Duration::from_secs(deadline),
            grace: Duration::from_secs(10),
        }
    }
}

/// What one look showed.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot<T> {
    pub phase: Phase,
    /// The platform's word for it.
    pub raw_status: String,
    /// What it says about why.
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

    /// The same with texts that can be shown: short, and without the secrets of the request.
    pub(crate) fn shown(mut self, secrets: &[Secret]) -> Self {
        self.raw_status = shown(&self.raw_status, secrets, LONGEST_STATUS);
        let reason = self.reason.take();
        self.reason = reason
            .map(|reason| shown(&reason, secrets, LONGEST_REASON))
            .filter(|reason| !reason.is_empty());
        self
    }

    pub fn observation(&self) -> Observation {
        let mut seen = Observation::new(self.phase, self.raw_status.as_str());
        seen.reason.clone_from(&self.reason);
        seen
    }
}

/// The last lines of a log that comes as one text.
pub(crate) fn last_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().rev().take(LOG_LINES).collect();
    lines.reverse();
    lines.into_iter().map(str::to_owned).collect()
}

/// The newest lines that are left of these, without secrets.
pub(super) fn bounded(log: Call<Vec<String>>) -> Call<Vec<String>> {
    log.map_with_secrets(|lines, secrets| {
        let surplus = lines.len().saturating_sub(LOG_LINES);
        let newest = lines.iter().skip(surplus);
        newest
            .map(|line| shown(line, secrets, LONGEST_LINE))
            .collect()
    })
}

/// A status out of a list, where no secret of a request is known.
pub(crate) fn short_status(status: &str) -> String {
    shown(status, &[], LONGEST_STATUS)
}

/// A text of the platform in one short line, without secrets.
pub(super) fn shown(text: &str, secrets: &[Secret], longest: usize) -> String {
    // A secret that is cut off in the middle would not be found.
    let text = redact::mask(&crate::secret::without_userinfo(text), secrets);
    crate::error::start_of(&crate::error::one_line(&text), longest).to_owned()
}

/// A source whose value is turned into another.
pub(super) struct Mapped<T, U> {
    pub inner: Box<dyn Source<Value = T>>,
    pub convert: fn(Snapshot<T>) -> Snapshot<U>,
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
}
