//! The poll loop of a wait: schedule, reaction to each poll, final error.

use super::observations::{Snapshot, Timeline, log_tail};
use super::policy::{PollFailure, Verdict};
use super::{Progress, Schedule, Settings, Wait};
use crate::error::{Effect, Error, ErrorKind, Result, with_unit};
use crate::phase::{Observation, Phase};
use crate::transport::retry::Retry;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// The last poll is sent this long before the deadline, or a tenth of the deadline if that is less,
/// to leave time for the response.
const LAST_POLL: Duration = Duration::from_secs(2);
/// Time limit for reading the log, which is optional.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

/// A running wait.
pub(super) struct PollLoop<T> {
    poll: super::Poll<T>,
    if_missing: Option<fn() -> T>,
    settings: Settings,
    /// The interval after the next poll.
    interval: Duration,
    max_interval: Duration,
    started: Instant,
    polls: u32,
    /// Failed polls in a row.
    failures: u32,
    timeline: Timeline,
    /// Error of the last poll.
    last_error: Option<Error>,
}

impl<T: Send + 'static> PollLoop<T> {
    pub fn new(wait: Wait<T>) -> Self {
        let Schedule { first, longest, .. } = wait.settings.schedule;
        let first = first.max(MIN_INTERVAL);
        Self {
            poll: wait.poll,
            if_missing: wait.if_missing,
            settings: wait.settings,
            interval: first,
            max_interval: longest.max(first),
            started: Instant::now(),
            polls: 0,
            failures: 0,
            timeline: Timeline::default(),
            last_error: None,
        }
    }

    pub async fn run(mut self) -> Result<T> {
        if self.settings.target == Phase::Unknown {
            let reason = "a wait cannot have the target `unknown`";
            return Err(Error::invalid_request(reason));
        }
        // The first poll is sent at once.
        loop {
            if let Some(outcome) = self.poll().await {
                return outcome;
            }
            match self.next_pause() {
                Some(pause) => sleep(pause).await,
                None => return Err(self.timed_out().await),
            }
        }
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn remaining(&self) -> Duration {
        let deadline = self.settings.schedule.deadline;
        deadline.saturating_sub(self.elapsed())
    }

    /// Time limit of a poll. A deadline of zero still allows one.
    fn poll_timeout(&self) -> Duration {
        let remaining = self.remaining();
        if remaining.is_zero() {
            LAST_POLL
        } else {
            remaining
        }
    }

    /// The pause before the next poll; `None` if that would be after the deadline.
    fn next_pause(&mut self) -> Option<Duration> {
        let reserve = LAST_POLL.min(self.settings.schedule.deadline / 10);
        let remaining = self.remaining().saturating_sub(reserve);
        let retry_after = self.retry_after().unwrap_or_default();
        if remaining.is_zero() || retry_after > remaining {
            return None;
        }
        let mut interval = self.interval;
        self.interval = (interval.saturating_mul(3) / 2).min(self.max_interval);
        if self.settings.jitter {
            interval = interval.mul_f64(0.5 + fastrand::f64() / 2.0);
        }
        Some(interval.max(retry_after).min(remaining))
    }

    fn retry_after(&self) -> Option<Duration> {
        self.last_error.as_ref().and_then(Error::retry_after)
    }

    /// Polls once; `None` if the wait continues.
    async fn poll(&mut self) -> Option<Result<T>> {
        // The next poll is the retry, and the progress callback reports each poll.
        let call = (self.poll)().retry(Retry::off());
        let call = call.map_with_secrets(Snapshot::redacted);
        let limit = self.poll_timeout();
        let result = timeout(limit, call.into_future()).await;
        self.polls = self.polls.saturating_add(1);
        match result {
            Ok(Ok(snapshot)) => self.on_snapshot(snapshot).await,
            Ok(Err(error)) => self.on_error(error),
            Err(_) => Some(Err(self.timed_out().await)),
        }
    }

    async fn on_snapshot(&mut self, snapshot: Snapshot<T>) -> Option<Result<T>> {
        self.failures = 0;
        self.last_error = None;
        let phase = snapshot.observation.phase;
        self.report(Some(snapshot.observation));
        match Verdict::of(self.settings.target, phase, self.settings.restartable) {
            Verdict::Pending => None,
            Verdict::Reached => Some(Ok(snapshot.value)),
            Verdict::Unreachable => {
                let error = self.error(ErrorKind::WaitFailed, self.state("is"));
                let limit = self.poll_timeout();
                Some(Err(self.with_log(error, limit).await))
            }
        }
    }

    fn on_error(&mut self, error: Error) -> Option<Result<T>> {
        match PollFailure::of(&error) {
            PollFailure::Permanent => return Some(Err(self.with_resource(error))),
            PollFailure::NotFound => {
                let existed = self.timeline.last().is_some();
                let grace = self.settings.schedule.grace;
                if self.if_missing.is_some() || existed || self.elapsed() >= grace {
                    self.report(Some(Observation::new(Phase::Ended, "")));
                    let value = self.if_missing.map(|value| value());
                    return Some(value.ok_or_else(|| self.gone(existed, error)));
                }
            }
            // Does not count: local pacing says nothing about the platform.
            PollFailure::NotSent => {}
            PollFailure::Transient => {
                self.failures = self.failures.saturating_add(1);
                if self.failures > self.settings.max_failures {
                    return Some(Err(self.with_resource(error)));
                }
            }
        }
        tracing::debug!(error.type = ?error.kind(), failures = self.failures, "a poll failed");
        self.last_error = Some(error);
        self.report(None);
        None
    }

    /// Records an observation, or a failed poll if `None`, and calls the hooks.
    fn report(&mut self, observation: Option<Observation>) {
        let elapsed = self.elapsed();
        let changed = observation.is_some_and(|new| self.timeline.add(new, elapsed));
        let last = self.timeline.last();
        let progress = Progress {
            phase: self.timeline.phase(),
            raw_status: last.map_or_else(String::new, |last| last.raw_status.clone()),
            reason: last.and_then(|last| last.reason.clone()),
            changed,
            polls: self.polls,
            elapsed,
            failures: self.failures,
            error: self.last_error.as_ref().map(Error::kind),
        };
        for hook in &mut self.settings.hooks {
            hook(&progress);
        }
    }

    async fn timed_out(&mut self) -> Error {
        let deadline = self.settings.schedule.deadline;
        let target = self.settings.target;
        let missed = format!("was not {target} within {}", with_unit(deadline));
        let message = match self.timeline.last() {
            Some(_) => self.state(&format!("{missed}; its status is")),
            None => format!("{} {missed}; it was never found", self.settings.subject()),
        };
        let mut error = self.error(ErrorKind::WaitTimedOut, message);
        error = error.with_retry_after(self.retry_after());
        if let Some(source) = self.last_error.take() {
            error = error.with_source(source);
        }
        let limit = self.remaining();
        self.with_log(error, limit).await
    }

    /// The error for a resource that does not exist, and therefore has no resource id.
    fn gone(&self, existed: bool, error: Error) -> Error {
        let subject = self.settings.subject();
        let message = match existed {
            true => format!("{subject} no longer exists"),
            false => format!("{subject} does not exist"),
        };
        let gone = Error::new(ErrorKind::Gone, message).with_source(error);
        self.with_timeline(gone.with_attempts(self.polls, self.elapsed()))
    }

    fn error(&self, kind: ErrorKind, message: String) -> Error {
        let error = Error::new(kind, message).with_attempts(self.polls, self.elapsed());
        self.with_resource(error)
    }

    /// Subject, verb, last status and reason: `edgegap deployment a1b2 is Status.ERROR: no room`.
    fn state(&self, verb: &str) -> String {
        let subject = self.settings.subject();
        let Some(last) = self.timeline.last() else {
            return subject;
        };
        let status = match last.raw_status.as_str() {
            "" => last.phase.as_str(),
            raw => raw,
        };
        match &last.reason {
            Some(reason) => format!("{subject} {verb} {status}: {reason}"),
            None => format!("{subject} {verb} {status}"),
        }
    }

    /// Adds the id of the resource, which may still exist and cost money.
    fn with_resource(&self, error: Error) -> Error {
        self.with_timeline(error)
            .with_resource_id(self.settings.id.clone())
    }

    fn with_timeline(&self, error: Error) -> Error {
        // A wait only reads.
        error
            .with_effect(Effect::None)
            .with_timeline(self.timeline.to_vec())
    }

    /// Adds the end of the log if it can be read in time.
    async fn with_log(&mut self, error: Error, limit: Duration) -> Error {
        let limit = LOG_TIMEOUT.min(limit);
        let Some(log) = self.settings.log.as_ref().filter(|_| !limit.is_zero()) else {
            return error;
        };
        let call = log_tail(log().retry(Retry::off()));
        match timeout(limit, call.into_future()).await {
            Ok(Ok(lines)) => error.with_log_tail(lines),
            _ => error,
        }
    }
}
