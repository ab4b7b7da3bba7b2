//! Waiting until a deployment reaches a phase.
//!
//! A platform defines one poll. The rest is shared: `poll_loop` decides when to poll and builds the
//! final error, `policy` interprets phases and failed polls.

mod observations;
mod policy;
mod poll_loop;

pub(crate) use observations::{Snapshot, redacted};
pub(crate) use policy::PollFailure;

use crate::call::Call;
use crate::error::{ErrorKind, Result};
use crate::phase::Phase;
use poll_loop::PollLoop;
use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

/// How many polls in a row may fail, by default.
const MAX_FAILURES: u32 = 5;

/// Waits until a deployment is ready, and returns its record.
///
/// Polls immediately, then at growing intervals with jitter, within the platform's rate limit. Sends
/// nothing before it is awaited or after it is dropped.
///
/// ```no_run
/// # async fn example(wait: impl Fn() -> deploykit::watch::Wait<String>) -> deploykit::Result<()> {
/// use deploykit::ErrorKind;
/// use std::time::Duration;
///
/// let wait = wait().deadline(Duration::from_secs(300));
/// match wait.on_change(|progress| println!("{} {}", progress.phase, progress.raw_status)).await {
///     Ok(ready) => println!("{ready}"),
///     Err(error) if error.kind() == ErrorKind::WaitFailed => {
///         println!("{error}");
///         for line in error.log_tail() {
///             println!("  {line}");
///         }
///     }
///     Err(error) => return Err(error),
/// }
/// # Ok(()) }
/// ```
///
/// An unknown status counts as in progress. Transient errors (5xx, a broken connection, a 429, a
/// response that cannot be decoded) are tolerated a few times in a row: see
/// [`max_failures`](Self::max_failures). The client's [`Retry`](crate::Retry) policy does not apply to
/// polls. The next poll respects the platform's `Retry-After`.
///
/// For several waits at once, use `futures::future::join_all(waits.map(IntoFuture::into_future))`.
///
/// # Errors
/// - [`WaitFailed`](ErrorKind::WaitFailed): the deployment failed or ended. See
///   [`Error::reason`](crate::Error::reason), [`Error::raw_status`](crate::Error::raw_status) and
///   [`Error::log_tail`](crate::Error::log_tail).
/// - [`WaitTimedOut`](ErrorKind::WaitTimedOut): the deadline passed. It may still become ready.
/// - [`Gone`](ErrorKind::Gone): the deployment no longer exists, or still does not exist after the
///   [`grace`](Self::grace) period.
/// - The error of a poll, if it is permanent ([`Unauthenticated`](ErrorKind::Unauthenticated),
///   [`Forbidden`](ErrorKind::Forbidden), ...) or if too many polls failed in a row.
///
/// [`Error::timeline`](crate::Error::timeline) lists the observed states. The
/// [effect](crate::Error::effect) is [`None`](crate::Effect::None), since a wait only reads.
/// [`Error::resource_id`](crate::Error::resource_id) is the deployment's id unless the deployment is
/// gone.
#[must_use = "a wait does nothing unless awaited"]
pub struct Wait<T> {
    /// Requests the state once. The error for a missing resource is [`NotFound`](ErrorKind::NotFound)
    /// or [`AlreadyRemoved`](ErrorKind::AlreadyRemoved).
    poll: Poll<T>,
    /// The result for a missing resource; without it, a missing resource is an error.
    if_missing: Option<fn() -> T>,
    settings: Settings,
}

type Poll<T> = Box<dyn Fn() -> Call<Snapshot<T>> + Send + Sync>;

struct Settings {
    /// Platform and kind: `edgegap deployment`.
    kind: &'static str,
    /// The id of the resource; `None` if it is invalid.
    id: Option<String>,
    schedule: Schedule,
    /// Reads the newest lines of the log.
    log: Option<Log>,
    /// Whether the resource may start again after it has ended, like a sleeping service.
    restartable: bool,
    target: Phase,
    jitter: bool,
    max_failures: u32,
    hooks: Vec<Hook>,
}

type Log = Box<dyn Fn() -> Call<Vec<String>> + Send + Sync>;

/// Progress callback.
type Hook = Box<dyn FnMut(&Progress) + Send>;

/// Poll intervals and deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// The first interval.
    first: Duration,
    /// Upper limit of the growing intervals.
    longest: Duration,
    /// Time limit of the whole wait.
    deadline: Duration,
    /// How long a resource may be missing at first.
    grace: Duration,
}

impl Schedule {
    /// A schedule in seconds, with a grace of 10 s.
    pub const fn seconds(first: u64, longest: u64, deadline: u64) -> Self {
        Self {
            first: Duration::from_secs(first),
            longest: Duration::from_secs(longest),
            deadline: Duration::from_secs(deadline),
            grace: Duration::from_secs(10),
        }
    }
}

/// Progress of a wait after one poll.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The current phase; the last known one if this poll failed.
    pub phase: Phase,
    /// The platform's own status: `Status.DEPLOYING`. Empty if it reports none.
    pub raw_status: String,
    /// The platform's explanation of the status.
    pub reason: Option<String>,
    /// Whether phase or status changed.
    pub changed: bool,
    /// Number of polls so far.
    pub polls: u32,
    /// Time since the first poll was sent.
    pub elapsed: Duration,
    /// Number of failed polls in a row, including this one.
    pub failures: u32,
    /// The kind of error if this poll failed.
    pub error: Option<ErrorKind>,
}

impl Settings {
    /// Platform, kind and id: `edgegap deployment a1b2`.
    fn subject(&self) -> String {
        format!("{} {}", self.kind, self.id.as_deref().unwrap_or_default())
    }
}

impl<T: Send + 'static> Wait<T> {
    pub(crate) fn new<F>(
        kind: &'static str,
        id: Option<String>,
        schedule: Schedule,
        poll: F,
    ) -> Self
    where
        F: Fn() -> Call<Snapshot<T>> + Send + Sync + 'static,
    {
        Self {
            poll: Box::new(poll),
            if_missing: None,
            settings: Settings {
                kind,
                id,
                schedule,
                log: None,
                restartable: false,
                target: Phase::Ready,
                jitter: true,
                max_failures: MAX_FAILURES,
                hooks: Vec::new(),
            },
        }
    }

    /// Adds the newest lines of the log to the error, redacted and shortened.
    pub(crate) fn with_log<F>(mut self, log: F) -> Self
    where
        F: Fn() -> Call<Vec<String>> + Send + Sync + 'static,
    {
        self.settings.log = Some(Box::new(log));
        self
    }

    /// Continues after the resource has ended, because it may start again.
    pub(crate) fn restartable(mut self) -> Self {
        self.settings.restartable = true;
        self
    }

    /// Time limit of the whole wait.
    ///
    /// The method that returned this wait documents the default.
    ///
    /// The last poll is sent a little earlier (a tenth of the limit, at most 2 s), to leave time for the
    /// response. Even a limit of zero allows one poll.
    ///
    /// To continue a wait in another process, create the handle from its id and pass the remaining time:
    /// `client.deployment(id).wait().deadline(remaining)`.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.settings.schedule.deadline = limit;
        self
    }

    /// Time between two polls: the first interval and the longest one.
    ///
    /// Each interval is 1.5 times the previous one; the minimum is 100 ms. The method that returned this
    /// wait documents the default.
    pub fn interval(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.schedule.first = first;
        self.settings.schedule.longest = longest;
        self
    }

    /// Whether to shorten each interval by up to half at random. Default: true.
    ///
    /// Jitter keeps clients from polling at the same time.
    pub fn jitter(mut self, on: bool) -> Self {
        self.settings.jitter = on;
        self
    }

    /// How many polls in a row may fail with a transient error. Default: 5.
    ///
    /// The next failure ends the wait.
    pub fn max_failures(mut self, polls: u32) -> Self {
        self.settings.max_failures = polls;
        self
    }

    /// How long the deployment may be missing at first. Default: 10 s.
    ///
    /// A platform may list a new deployment late.
    pub fn grace(mut self, limit: Duration) -> Self {
        self.settings.schedule.grace = limit;
        self
    }

    /// Calls `hook` after each poll that shows a new phase or status.
    pub fn on_change(self, mut hook: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.on_progress(move |progress| {
            if progress.changed {
                hook(progress);
            }
        })
    }

    /// Calls `hook` after each poll, including failed ones.
    pub fn on_progress(mut self, hook: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.settings.hooks.push(Box::new(hook));
        self
    }

    /// Waits for another phase than [`Ready`](Phase::Ready).
    ///
    /// A later phase counts as well: a ready deployment has been [`InProgress`](Phase::InProgress).
    ///
    /// To wait until a deployment is deleted, use [`until_gone`](Self::until_gone).
    pub fn until(mut self, phase: Phase) -> Self {
        self.settings.target = phase;
        self
    }

    /// Waits until the deployment has ended or no longer exists, for use after a stop.
    ///
    /// Returns its record if it still exists. An unknown id counts as gone.
    pub fn until_gone(self) -> Wait<Option<T>> {
        let Self { poll, settings, .. } = self.until(Phase::Ended);
        Wait {
            poll: Box::new(move || poll().map(|snapshot| snapshot.map(Some))),
            if_missing: Some(|| None),
            settings,
        }
    }
}

impl<T: Send + 'static> IntoFuture for Wait<T> {
    type Output = Result<T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { PollLoop::new(self).run().await })
    }
}

impl<T: Send + 'static> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("subject", &self.settings.subject())
            .field("until", &self.settings.target)
            .field("deadline", &self.settings.schedule.deadline)
            .finish_non_exhaustive()
    }
}
