//! When to look, what comes of it, and the error at the end.

use super::cursor::WaitCursor;
use super::policy::{Fault, Verdict, fault, judge};
use super::source::{Schedule, Snapshot, Source, bounded};
use super::timeline::Timeline;
use super::{Progress, check_target};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::transport::retry::Retry;
use crate::watch::{Observation, Phase, WaitReport};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep, timeout};

/// Nobody learns anything from asking more often.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// By what intervals grow.
const GROWTH: f64 = 1.5;
/// The last look is so long before the deadline, or a tenth of it, if that is less: an answer takes
/// its time.
const LAST_LOOK: Duration = Duration::from_secs(2);
/// How many polls in a row may fail.
const TOLERATED: u32 = 5;
/// How long the log may take, which is only an extra.
const LOG_WAIT: Duration = Duration::from_secs(5);

/// Whom to tell about a poll.
pub(super) type Hook = Box<dyn FnMut(&Progress) + Send>;

/// What the caller can set.
pub(super) struct Settings<T> {
    pub schedule: Schedule,
    pub target: Phase,
    pub jitter: bool,
    pub tolerate: u32,
    /// What a wait ends with when there is nothing, if that is what it waits for.
    absent: Option<fn() -> T>,
}

impl<T> Settings<T> {
    pub fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            target: Phase::Ready,
            jitter: true,
            tolerate: TOLERATED,
            absent: None,
        }
    }

    fn with<U>(self, target: Phase, absent: Option<fn() -> U>) -> Settings<U> {
        Settings {
            schedule: self.schedule,
            target,
            jitter: self.jitter,
            tolerate: self.tolerate,
            absent,
        }
    }

    pub fn until_gone(self) -> Settings<Option<T>> {
        self.with(Phase::Ended, Some(|| None))
    }

    pub fn observed(self) -> Settings<Observation> {
        let target = self.target;
        let absent = self.absent.is_some();
        let nothing: fn() -> Observation = || Observation::new(Phase::Ended, "");
        self.with(target, absent.then_some(nothing))
    }
}

/// What came of one step: a poll that can be told of, the end, or both.
pub(super) struct Step<T> {
    pub progress: Option<Progress>,
    pub end: Option<Result<T>>,
}

/// A wait that has begun.
pub(super) struct Engine<T> {
    source: Box<dyn Source<Value = T>>,
    settings: Settings<T>,
    hooks: Vec<Hook>,
    run: Run,
}

struct Run {
    /// Why it cannot begin.
    refused: Option<Error>,
    cursor: WaitCursor,
    /// What of the deadline was used before this process.
    before: Duration,
    /// When this process began; none before the first step.
    since: Option<Instant>,
    looked: bool,
    polls: u32,
    faults: u32,
    timeline: Timeline,
    /// What the last poll failed with.
    fault: Option<Error>,
}

impl<T: Send + 'static> Engine<T> {
    pub fn new(
        source: Box<dyn Source<Value = T>>,
        settings: Settings<T>,
        hooks: Vec<Hook>,
        resumed: Option<WaitCursor>,
    ) -> Self {
        let subject = source.subject();
        let refused = check_target(settings.target)
            .and_then(|()| match &resumed {
                Some(cursor) => cursor.check(&subject),
                None => Ok(()),
            })
            .err();
        let before = resumed.as_ref().map_or(Duration::ZERO, |cursor| {
            // A clock that was set back must not give time away.
            let passed = SystemTime::now().duration_since(cursor.started_at());
            passed.unwrap_or_default().max(cursor.used())
        });
        let cursor = resumed.unwrap_or_else(|| WaitCursor::new(subject, SystemTime::now()));
        Self {
            source,
            settings,
            hooks,
            run: Run {
                refused,
                before,
                since: None,
                looked: false,
                polls: cursor.polls(),
                faults: 0,
                timeline: Timeline::of(&cursor),
                fault: None,
                cursor,
            },
        }
    }

    /// Waits for the next poll and sends it.
    pub async fn step(&mut self) -> Step<T> {
        if let Some(error) = self.run.refused.take() {
            return over(error);
        }
        self.run.since.get_or_insert_with(Instant::now);
        // The first look is at once, in every process.
        if self.run.looked {
            match self.pause() {
                Some(pause) => sleep(pause).await,
                None => return over(self.timed_out().await),
            }
        }
        self.run.looked = true;
        self.look().await
    }

    fn elapsed(&self) -> Duration {
        let here = self.run.since.map_or(Duration::ZERO, |at| at.elapsed());
        self.run.before.saturating_add(here)
    }

    fn left(&self) -> Duration {
        let deadline = self.settings.schedule.deadline;
        deadline.saturating_sub(self.elapsed())
    }

    /// How long a look may take. A wait whose deadline passed between two processes looks once more.
    fn limit(&self) -> Duration {
        let left = self.left();
        if left.is_zero() { LAST_LOOK } else { left }
    }

    /// How long until the next look; `None` if it would come too late.
    fn pause(&self) -> Option<Duration> {
        let room = LAST_LOOK.min(self.settings.schedule.deadline / 10);
        let left = self.left().saturating_sub(room);
        let asked = self.run.fault.as_ref().and_then(Error::retry_after);
        let asked = asked.unwrap_or_default();
        if left.is_zero() || asked > left {
            return None;
        }
        Some(self.interval().max(asked).min(left))
    }

    fn interval(&self) -> Duration {
        let Schedule { first, longest, .. } = self.settings.schedule;
        let longest = longest.max(first).max(LEAST_INTERVAL);
        let first = first.max(LEAST_INTERVAL);
        // Beyond this the largest is long reached.
        let exponent = i32::try_from(self.run.polls.saturating_sub(1).min(200)).unwrap_or(200);
        let grown = (first.as_secs_f64() * GROWTH.powi(exponent)).min(longest.as_secs_f64());
        let part = if self.settings.jitter {
            0.5 + fastrand::f64() / 2.0
        } else {
            1.0
        };
        Duration::try_from_secs_f64(grown * part).unwrap_or(longest)
    }

    async fn look(&mut self) -> Step<T> {
        let limit = self.limit();
        // Another poll is a better repetition, as it is told of.
        let call = self.source.look().retry(Retry::off());
        let call = call.map_with_secrets(Snapshot::shown);
        let looked = timeout(limit, call.into_future()).await;
        self.run.polls = self.run.polls.saturating_add(1);
        match looked {
            Ok(Ok(snapshot)) => self.seen(snapshot).await,
            Ok(Err(error)) => self.failed(error),
            Err(_) => over(self.timed_out().await),
        }
    }

    async fn seen(&mut self, snapshot: Snapshot<T>) -> Step<T> {
        self.run.faults = 0;
        self.run.fault = None;
        let progress = self.tell(Some(snapshot.observation()));
        let revives = self.source.revives();
        let end = match judge(self.settings.target, snapshot.phase, revives) {
            Verdict::Going => None,
            Verdict::Reached => Some(Ok(snapshot.value)),
            Verdict::BadEnd => Some(Err(self.bad_end().await)),
        };
        Step {
            progress: Some(progress),
            end,
        }
    }

    fn failed(&mut self, error: Error) -> Step<T> {
        let fault = fault(&error);
        let known = self.run.timeline.last().is_some();
        match fault {
            Fault::Final => return over(self.named(error)),
            Fault::Missing => {
                if let Some(absent) = self.settings.absent {
                    let progress = self.tell(Some(Observation::new(Phase::Ended, "")));
                    return Step {
                        progress: Some(progress),
                        end: Some(Ok(absent())),
                    };
                }
                if known || self.elapsed() >= self.settings.schedule.grace {
                    let progress = self.tell(Some(Observation::new(Phase::Ended, "")));
                    return Step {
                        progress: Some(progress),
                        end: Some(Err(self.gone(known, error))),
                    };
                }
            }
            // It is this client that is busy, not the platform that is in trouble.
            Fault::NotSent => {}
            Fault::Passing => {
                self.run.faults = self.run.faults.saturating_add(1);
                if self.run.faults > self.settings.tolerate {
                    return over(self.named(error));
                }
            }
        }
        tracing::debug!(error.type = ?error.kind(), faults = self.run.faults, "a poll failed");
        self.run.fault = Some(error);
        Step {
            progress: Some(self.tell(None)),
            end: None,
        }
    }

    /// Keeps what was seen, and tells whom it concerns; `None` after a poll that failed.
    fn tell(&mut self, seen: Option<Observation>) -> Progress {
        let elapsed = self.elapsed();
        let run = &mut self.run;
        let changed = seen.is_some_and(|seen| run.timeline.add(seen, elapsed));
        let last = run.timeline.last();
        let progress = Progress {
            phase: run.timeline.phase(),
            raw_status: last.map_or_else(String::new, |last| last.raw_status.clone()),
            reason: last.and_then(|last| last.reason.clone()),
            changed,
            polls: run.polls,
            elapsed,
            faults: run.faults,
            fault: run.fault.as_ref().map(Error::kind),
            cursor: run.cursor.moved(elapsed, run.polls, run.timeline.seen()),
        };
        for hook in &mut self.hooks {
            hook(&progress);
        }
        progress
    }

    async fn bad_end(&mut self) -> Error {
        let words = self.words("is");
        let error = self.error(ErrorKind::WaitFailed, words);
        let limit = self.limit();
        self.with_logs(error, limit).await
    }

    async fn timed_out(&mut self) -> Error {
        let deadline = self.settings.schedule.deadline;
        let target = self.settings.target;
        let missed = format!("was not {target} within {deadline:?}");
        let words = match self.run.timeline.last() {
            Some(_) => self.words(&format!("{missed}, it is")),
            None => format!("{} {missed}, and was not seen", self.source.subject()),
        };
        let asked = self.run.fault.as_ref().and_then(Error::retry_after);
        let mut error = self.error(ErrorKind::WaitTimedOut, words);
        error = error.with_retry_after(asked);
        if let Some(fault) = self.run.fault.take() {
            error = error.with_source(fault);
        }
        let left = self.left();
        self.with_logs(error, left).await
    }

    fn gone(&self, known: bool, error: Error) -> Error {
        let subject = self.source.subject();
        let words = match known {
            true => format!("{subject} is not there any more"),
            false => format!("{subject} is not there"),
        };
        self.complete(Error::new(ErrorKind::Gone, words).with_source(error))
            .with_attempts(self.run.polls, self.elapsed())
    }

    fn error(&self, kind: ErrorKind, words: String) -> Error {
        let error = Error::new(kind, words)
            .with_resource_id(self.source.id())
            .with_attempts(self.run.polls, self.elapsed());
        self.complete(error)
    }

    /// What is waited for, and how it is.
    fn words(&self, verb: &str) -> String {
        let subject = self.source.subject();
        let Some(last) = self.run.timeline.last() else {
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

    /// What ended a wait says nothing of what it waited for, which may go on and cost money.
    fn named(&self, error: Error) -> Error {
        let id = self.source.id();
        self.complete(error).with_resource_id(id)
    }

    /// A wait does nothing but read.
    fn complete(&self, error: Error) -> Error {
        error
            .with_effect(Effect::None)
            .with_wait_report(WaitReport {
                timeline: self.run.timeline.to_vec(),
                log_tail: Vec::new(),
            })
    }

    /// Asks once for the log. If there is none, the error says enough.
    async fn with_logs(&mut self, error: Error, limit: Duration) -> Error {
        let limit = LOG_WAIT.min(limit);
        let Some(call) = self.source.log_tail().filter(|_| !limit.is_zero()) else {
            return error;
        };
        let call = bounded(call.retry(Retry::off()));
        match timeout(limit, call.into_future()).await {
            Ok(Ok(log_tail)) => error.with_wait_report(WaitReport {
                timeline: self.run.timeline.to_vec(),
                log_tail,
            }),
            Ok(Err(_)) | Err(_) => error,
        }
    }
}

fn over<T>(error: Error) -> Step<T> {
    Step {
        progress: None,
        end: Some(Err(error)),
    }
}
