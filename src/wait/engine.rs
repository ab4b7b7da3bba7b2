//! Polling: when to poll, what a poll means, and the error at the end.

use super::policy::{Fault, Verdict, fault, judge};
use super::source::{Schedule, Snapshot, Source, bounded};
use super::timeline::Timeline;
use super::{Hook, Progress, Settings};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::phase::{Observation, Phase};
use crate::transport::retry::Retry;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// Factor by which intervals grow.
const GROWTH: f64 = 1.5;
/// The last poll is sent this long before the deadline, or a tenth of the deadline if that is less,
/// to leave time for the response.
const LAST_POLL: Duration = Duration::from_secs(2);
/// Time limit for reading the log, which is optional.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

/// Result of one step: a poll to report, the end of the wait, or both.
pub(super) struct Step<T> {
    pub progress: Option<Progress>,
    pub end: Option<Result<T>>,
}

/// A running wait.
pub(super) struct Engine<T> {
    source: Box<dyn Source<Value = T>>,
    settings: Settings,
    hooks: Vec<Hook>,
    /// `None` before the first step.
    began: Option<Instant>,
    polls: u32,
    /// Failed polls in a row.
    faults: u32,
    timeline: Timeline,
    /// Error of the last poll.
    fault: Option<Error>,
}

impl<T: Send + 'static> Engine<T> {
    pub fn new(source: Box<dyn Source<Value = T>>, settings: Settings, hooks: Vec<Hook>) -> Self {
        Self {
            source,
            settings,
            hooks,
            began: None,
            polls: 0,
            faults: 0,
            timeline: Timeline::default(),
            fault: None,
        }
    }

    /// Waits until the next poll is due and sends it.
    pub async fn step(&mut self) -> Step<T> {
        if self.settings.target == Phase::Unknown {
            let why = "a wait cannot have the target `unknown`";
            return ended(Error::invalid_request(why));
        }
        // The first poll is sent at once.
        if self.began.is_some() {
            match self.pause() {
                Some(pause) => sleep(pause).await,
                None => return ended(self.timed_out().await),
            }
        }
        self.began.get_or_insert_with(Instant::now);
        self.poll().await
    }

    fn elapsed(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| began.elapsed())
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
    fn pause(&self) -> Option<Duration> {
        let room = LAST_POLL.min(self.settings.schedule.deadline / 10);
        let left = self.left().saturating_sub(room);
        let retry_after = self.retry_after().unwrap_or_default();
        if left.is_zero() || retry_after > left {
            return None;
        }
        Some(self.interval().max(retry_after).min(left))
    }

    fn retry_after(&self) -> Option<Duration> {
        self.fault.as_ref().and_then(Error::retry_after)
    }

    fn interval(&self) -> Duration {
        let Schedule { first, longest, .. } = self.settings.schedule;
        let longest = longest.max(first).max(LEAST_INTERVAL);
        let first = first.max(LEAST_INTERVAL);
        // Intervals reach the longest one well before 200 polls.
        let exponent = i32::try_from(self.polls.saturating_sub(1).min(200)).unwrap_or(200);
        let grown = (first.as_secs_f64() * GROWTH.powi(exponent)).min(longest.as_secs_f64());
        let part = match self.settings.jitter {
            true => 0.5 + fastrand::f64() / 2.0,
            false => 1.0,
        };
        Duration::try_from_secs_f64(grown * part).unwrap_or(longest)
    }

    async fn poll(&mut self) -> Step<T> {
        // The next poll is the retry, and the caller is told of each.
        let call = self.source.look().retry(Retry::off());
        let call = call.map_with_secrets(Snapshot::redacted);
        let limit = self.limit();
        let looked = timeout(limit, call.into_future()).await;
        self.polls = self.polls.saturating_add(1);
        match looked {
            Ok(Ok(snapshot)) => self.seen(snapshot).await,
            Ok(Err(error)) => self.failed(error),
            Err(_) => ended(self.timed_out().await),
        }
    }

    async fn seen(&mut self, snapshot: Snapshot<T>) -> Step<T> {
        self.faults = 0;
        self.fault = None;
        let progress = self.report(Some(snapshot.observation()));
        let revives = self.source.revives();
        let end = match judge(self.settings.target, snapshot.phase, revives) {
            Verdict::Going => None,
            Verdict::Reached => Some(Ok(snapshot.value)),
            Verdict::BadEnd => {
                let error = self.error(ErrorKind::WaitFailed, self.words("is"));
                let limit = self.limit();
                Some(Err(self.with_log(error, limit).await))
            }
        };
        Step {
            progress: Some(progress),
            end,
        }
    }

    fn failed(&mut self, error: Error) -> Step<T> {
        match fault(&error) {
            Fault::Final => return ended(self.complete(error)),
            Fault::Missing => {
                let known = self.timeline.last().is_some();
                let absent = self.source.absent();
                if absent.is_some() || known || self.elapsed() >= self.settings.schedule.grace {
                    let progress = self.report(Some(Observation::new(Phase::Ended, "")));
                    return Step {
                        progress: Some(progress),
                        end: Some(absent.ok_or_else(|| self.gone(known, error))),
                    };
                }
            }
            // Local pacing says nothing about the platform.
            Fault::NotSent => {}
            Fault::Passing => {
                self.faults = self.faults.saturating_add(1);
                if self.faults > self.settings.tolerate {
                    return ended(self.complete(error));
                }
            }
        }
        tracing::debug!(error.type = ?error.kind(), faults = self.faults, "a poll failed");
        self.fault = Some(error);
        Step {
            progress: Some(self.report(None)),
            end: None,
        }
    }

    /// Records an observation, or a failed poll if `None`, and calls the hooks.
    fn report(&mut self, seen: Option<Observation>) -> Progress {
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
        for hook in &mut self.hooks {
            hook(&progress);
        }
        progress
    }

    async fn timed_out(&mut self) -> Error {
        let deadline = self.settings.schedule.deadline;
        let target = self.settings.target;
        let missed = format!("was not {target} within {deadline:?}");
        let words = match self.timeline.last() {
            Some(_) => self.words(&format!("{missed}, it is")),
            None => format!("{} {missed}, and was not seen", self.source.subject()),
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
        let subject = self.source.subject();
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
        let subject = self.source.subject();
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
        error.0.resource_id = self.source.id();
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
        let Some(call) = self.source.log_tail().filter(|_| !limit.is_zero()) else {
            return error;
        };
        let call = bounded(call.retry(Retry::off()));
        match timeout(limit, call.into_future()).await {
            Ok(Ok(log_tail)) => error.0.wait.get_or_insert_default().log_tail = log_tail,
            Ok(Err(_)) | Err(_) => {}
        }
        error
    }
}

fn ended<T>(error: Error) -> Step<T> {
    Step {
        progress: None,
        end: Some(Err(error)),
    }
}
