//! The poll loop of a wait: when to poll, how to react to a poll, and the final error.

use super::observations::{Snapshot, Timeline, bounded};
use super::policy::{Fault, Verdict, fault, judge};
use super::{Progress, Schedule, Settings, Wait};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::phase::{Observation, Phase};
use crate::transport::retry::Retry;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// The last poll is sent this long before the deadline, or a tenth of the deadline if that is less,
/// to leave time for the response.
const LAST_POLL: Duration = Duration::from_secs(2);
/// Time limit for reading the log, which is optional.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

/// A running wait.
pub(super) struct PollLoop<T> {
    poll: super::Poll<T>,
    absent: Option<fn() -> T>,
    settings: Settings,
    /// The interval after the next poll.
    interval: Duration,
    longest: Duration,
    began: Instant,
    polls: u32,
    /// Failed polls in a row.
    faults: u32,
    timeline: Timeline,
    /// Error of the last poll.
    fault: Option<Error>,
}

impl<T: Send + 'static> PollLoop<T> {
    pub fn new(wait: Wait<T>) -> Self {
        let Schedule { first, longest, .. } = wait.settings.schedule;
        let first = first.max(LEAST_INTERVAL);
        Self {
            poll: wait.poll,
            absent: wait.absent,
            settings: wait.settings,
            interval: first,
            longest: longest.max(first),
            began: Instant::now(),
            polls: 0,
            faults: 0,
            timeline: Timeline::default(),
            fault: None,
        }
    }

    pub async fn run(mut self) -> Result<T> {
        if self.settings.target == Phase::Unknown {
            let why = "a wait cannot have the target `unknown`";
            return Err(Error::invalid_request(why));
        }
        // The first poll is sent at once.
        loop {
            if let Some(end) = self.poll().await {
                return end;
            }
            match self.pause() {
                Some(pause) => sleep(pause).await,
                None => return Err(self.timed_out().await),
            }
        }
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn left(&self) -> Duration {
        let deadline = self.settings.schedule.deadline;
        deadline.saturating_sub(self.elapsed())
    }

    /// Time limit of a poll. A deadline of zero still allows one.
    fn limit(&self) -> Duration {
        let left = self.left();
        if left.is_zero() { LAST_POLL } else { left }
    }

    /// How long to the next poll; `None` if that is too late.
    fn pause(&mut self) -> Option<Duration> {
        let room = LAST_POLL.min(self.settings.schedule.deadline / 10);
        let left = self.left().saturating_sub(room);
        let retry_after = self.retry_after().unwrap_or_default();
        if left.is_zero() || retry_after > left {
            return None;
        }
        let mut interval = self.interval;
        self.interval = (interval.saturating_mul(3) / 2).min(self.longest);
        if self.settings.jitter {
            interval = interval.mul_f64(0.5 + fastrand::f64() / 2.0);
        }
        Some(interval.max(retry_after).min(left))
    }

    fn retry_after(&self) -> Option<Duration> {
        self.fault.as_ref().and_then(Error::retry_after)
    }

    /// Polls once; `None` if the wait goes on.
    async fn poll(&mut self) -> Option<Result<T>> {
        // The next poll is the retry, and the caller is told of each.
        let call = (self.poll)().retry(Retry::off());
        let call = call.map_with_secrets(Snapshot::redacted);
        let limit = self.limit();
        let polled = timeout(limit, call.into_future()).await;
        self.polls = self.polls.saturating_add(1);
        match polled {
            Ok(Ok(snapshot)) => self.seen(snapshot).await,
            Ok(Err(error)) => self.failed(error),
            Err(_) => Some(Err(self.timed_out().await)),
        }
    }

    async fn seen(&mut self, Snapshot { seen, value }: Snapshot<T>) -> Option<Result<T>> {
        self.faults = 0;
        self.fault = None;
        let phase = seen.phase;
        self.report(Some(seen));
        match judge(self.settings.target, phase, self.settings.revives) {
            Verdict::Going => None,
            Verdict::Reached => Some(Ok(value)),
            Verdict::BadEnd => {
                let error = self.error(ErrorKind::WaitFailed, self.words("is"));
                let limit = self.limit();
                Some(Err(self.with_log(error, limit).await))
            }
        }
    }

    fn failed(&mut self, error: Error) -> Option<Result<T>> {
        match fault(&error) {
            Fault::Final => return Some(Err(self.complete(error))),
            Fault::Missing => {
                let known = self.timeline.last().is_some();
                let grace = self.settings.schedule.grace;
                if self.absent.is_some() || known || self.elapsed() >= grace {
                    self.report(Some(Observation::new(Phase::Ended, "")));
                    let absent = self.absent.map(|absent| absent());
                    return Some(absent.ok_or_else(|| self.gone(known, error)));
                }
            }
            // Local pacing says nothing about the platform.
            Fault::NotSent => {}
            Fault::Passing => {
                self.faults = self.faults.saturating_add(1);
                if self.faults > self.settings.tolerate {
                    return Some(Err(self.complete(error)));
                }
            }
        }
        tracing::debug!(error.type = ?error.kind(), faults = self.faults, "a poll failed");
        self.fault = Some(error);
        self.report(None);
        None
    }

    /// Records an observation, or a failed poll if `None`, and calls the hooks.
    fn report(&mut self, seen: Option<Observation>) {
        let elapsed = self.elapsed();
        let changed = seen.is_some_and(|seen| self.timeline.add(seen, elapsed));
        let last = self.timeline.last();
        let progress = Progress {
            phase: self.timeline.phase(),
            raw_status: last.map_or_else(String::new, |last| last.raw_status.clone()),
            reason: last.and_then(|last| last.reason.clone()),
            changed,
            polls: self.polls,
            elapsed,
            faults: self.faults,
            fault: self.fault.as_ref().map(Error::kind),
        };
        for hook in &mut self.settings.hooks {
            hook(&progress);
        }
    }

    async fn timed_out(&mut self) -> Error {
        let deadline = self.settings.schedule.deadline;
        let target = self.settings.target;
        let missed = format!("was not {target} within {deadline:?}");
        let words = match self.timeline.last() {
            Some(_) => self.words(&format!("{missed}, it is")),
            None => format!("{} {missed}, and was not seen", self.settings.subject()),
        };
        let mut error = self.error(ErrorKind::WaitTimedOut, words);
        error = error.with_retry_after(self.retry_after());
        if let Some(fault) = self.fault.take() {
            error = error.with_source(fault);
        }
        let left = self.left();
        self.with_log(error, left).await
    }

    /// The resource does not exist, so the error has no resource id.
    fn gone(&self, known: bool, error: Error) -> Error {
        let subject = self.settings.subject();
        let words = match known {
            true => format!("{subject} is not there any more"),
            false => format!("{subject} is not there"),
        };
        let gone = Error::new(ErrorKind::Gone, words).with_source(error);
        self.with_timeline(gone.with_attempts(self.polls, self.elapsed()))
    }

    fn error(&self, kind: ErrorKind, words: String) -> Error {
        let error = Error::new(kind, words).with_attempts(self.polls, self.elapsed());
        self.complete(error)
    }

    /// Subject, status and reason in words.
    fn words(&self, verb: &str) -> String {
        let subject = self.settings.subject();
        let Some(last) = self.timeline.last() else {
            return subject;
        };
        let status = match last.raw_status.as_str() {
            "" => last.phase.as_str(),
            word => word,
        };
        match &last.reason {
            Some(reason) => format!("{subject} {verb} {status}: {reason}"),
            None => format!("{subject} {verb} {status}"),
        }
    }

    /// Names the resource, which still exists and may cost money.
    fn complete(&self, error: Error) -> Error {
        let mut error = self.with_timeline(error);
        error.0.resource_id = self.settings.id.clone();
        error
    }

    fn with_timeline(&self, mut error: Error) -> Error {
        // A wait only reads.
        error.0.effect = Effect::None;
        let report = error.0.wait.get_or_insert_default();
        report.timeline = self.timeline.to_vec();
        error
    }

    /// Adds the end of the log if it can be read in time.
    async fn with_log(&mut self, mut error: Error, limit: Duration) -> Error {
        let limit = LOG_TIMEOUT.min(limit);
        let Some(log) = self.settings.log.as_ref().filter(|_| !limit.is_zero()) else {
            return error;
        };
        let call = bounded(log().retry(Retry::off()));
        if let Ok(Ok(log_tail)) = timeout(limit, call.into_future()).await {
            error.0.wait.get_or_insert_default().log_tail = log_tail;
        }
        error
    }
}
