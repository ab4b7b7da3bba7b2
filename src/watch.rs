//! Watching many deployments of one platform.
//!
//! A [`Watcher`] polls one list for all of them. To wait for several deployments, use
//! `futures::future::join_all` on their waits.
//!
//! All platforms share [`Phase`] and [`Observation`]. There is no common trait for deployments, because
//! their operations differ: a second `deploy` redeploys on Nexlayer and dployr, restarts on Nodion, and
//! starts a second server that costs money on Edgegap.

pub use crate::phase::{Observation, Phase};
pub use crate::wait::{Progress, Wait};

use crate::call::Call;
use crate::error::{Effect, Error, Result};
use crate::page::Page;
use crate::wait::{PollFailure, redacted};
use futures_core::Stream;
use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep};

/// Pause between two rounds.
const INTERVAL: Duration = Duration::from_secs(5);
/// How many rounds in a row may fail, by default.
const MAX_FAILURES: u32 = 5;
/// A longer `Retry-After` ends the stream with an error, instead of a long silence.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10 * 60);
/// Limit on lookups of unlisted deployments in a round.
const MAX_LOOKUPS: usize = 20;
/// How long a deployment may be missing at first.
const GRACE: Duration = Duration::from_secs(10);

/// The requests of a watcher, implemented by each platform.
pub(crate) trait WatchSource: Send + Sync + 'static {
    /// The list of all deployments, each with its id.
    fn list(&self) -> Call<Page<(String, Observation)>>;

    /// Looks up an unlisted deployment. `None` if the platform has only the list.
    fn lookup(&self, id: &str) -> Option<Call<Observation>>;
}

/// A deployment whose phase or status changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The platform's id of the deployment.
    pub id: String,
    /// The previous phase; `None` for the first observation of a deployment.
    pub before: Option<Phase>,
    /// The current state. [`at`](Observation::at) counts from the start of the watcher.
    ///
    /// It has no reason, because lists contain none: get the deployment to read it.
    pub now: Observation,
    /// Whether the deployment no longer exists. This is its last change.
    pub gone: bool,
}

/// Watches many deployments of one platform and yields their changes.
///
/// Each round reads all pages of one list, however many deployments are watched, and then pauses. A
/// change is yielded as soon as its page is read. The first round yields every deployment.
///
/// A deployment can be missing from the list because it moved to another page during the round.
/// Therefore it is looked up before it is reported as gone (at most 20 lookups in a round). A deployment
/// that was never listed may be missing for 10 s. A round fails with
/// [`Decode`](crate::ErrorKind::Decode) if a record of the list cannot be read, because it may be a watched
/// deployment.
///
/// A watcher of given ids ends when all of them have ended; a watcher of all deployments does not end.
/// An error is the last item. Transient errors are tolerated as by [`Wait`].
///
/// The watcher is a [`Stream`]; [`next`](Self::next) needs no further crate.
#[must_use = "streams do nothing unless polled"]
pub struct Watcher {
    /// `None` after the first poll.
    rounds: Option<Rounds>,
    /// The running rounds; `None` before the first poll and after the end.
    running: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    changes: Receiver<Result<Change>>,
}

/// The rounds of a watcher, as an async function that sends each change over a channel.
struct Rounds {
    source: Box<dyn WatchSource>,
    last_seen: HashMap<String, LastSeen>,
    /// Whether only the deployments in `last_seen` are watched, each until it ends.
    fixed: bool,
    /// The error of an invalid id.
    invalid_id: Option<Error>,
    interval: Duration,
    max_failures: u32,
    started: Instant,
    round: u32,
    changes: Sender<Result<Change>>,
}

/// The last observation of a deployment.
#[derive(Default)]
struct LastSeen {
    /// Phase and raw status; `None` before the first observation.
    status: Option<(Phase, String)>,
    /// The round of the last observation.
    round: u32,
}

impl Watcher {
    pub(crate) fn all(source: impl WatchSource) -> Self {
        Self::new(source, HashMap::new(), false)
    }

    /// Watches these ids. An invalid id ends the stream before the first request.
    pub(crate) fn of(source: impl WatchSource, ids: Result<Vec<String>>) -> Self {
        let (ids, invalid_id) = match ids {
            Ok(ids) => (ids, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let last_seen = ids.into_iter().map(|id| (id, LastSeen::default()));
        let mut watcher = Self::new(source, last_seen.collect(), true);
        if let Some(rounds) = &mut watcher.rounds {
            rounds.invalid_id = invalid_id;
        }
        watcher
    }

    fn new(source: impl WatchSource, last_seen: HashMap<String, LastSeen>, fixed: bool) -> Self {
        // Capacity for one change; `Rounds::record` waits until it is received.
        let (sender, changes) = channel(1);
        Self {
            rounds: Some(Rounds {
                source: Box::new(source),
                last_seen,
                fixed,
                invalid_id: None,
                interval: INTERVAL,
                max_failures: MAX_FAILURES,
                started: Instant::now(),
                round: 0,
                changes: sender,
            }),
            running: None,
            changes,
        }
    }

    /// Pause between two rounds. Default: 5 s. No effect after the first poll.
    ///
    /// The platform's rate limit determines how long a round takes.
    pub fn interval(mut self, pause: Duration) -> Self {
        if let Some(rounds) = &mut self.rounds {
            rounds.interval = pause;
        }
        self
    }

    /// How many rounds in a row may fail with a transient error. Default: 5.
    ///
    /// The next failure ends the stream. No effect after the first poll.
    pub fn max_failures(mut self, failed_rounds: u32) -> Self {
        if let Some(rounds) = &mut self.rounds {
            rounds.max_failures = failed_rounds;
        }
        self
    }

    /// The next change; `None` when all deployments have ended, and after an error.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    /// As the last item: a permanent error such as
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated), the error of a round after too many failed
    /// ones, or an error whose [`retry_after`](crate::Error::retry_after) is longer than 10 minutes.
    pub async fn next(&mut self) -> Option<Result<Change>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Rounds {
    async fn run(mut self) {
        self.started = Instant::now();
        if let Err(error) = self.watch().await {
            // A watcher only reads.
            let error = error.with_effect(Effect::None);
            let _ = self.changes.send(Err(error)).await;
        }
    }

    async fn watch(&mut self) -> Result<()> {
        if let Some(error) = self.invalid_id.take() {
            return Err(error);
        }
        let mut failures = 0;
        loop {
            let mut pause = self.interval;
            match self.round().await {
                Ok(()) => failures = 0,
                Err(error) => {
                    let retry_after = error.retry_after().unwrap_or_default();
                    let may_continue =
                        failures < self.max_failures && retry_after <= MAX_RETRY_AFTER;
                    match PollFailure::of(&error) {
                        PollFailure::NotSent => {}
                        PollFailure::Transient if may_continue => failures += 1,
                        PollFailure::Transient | PollFailure::NotFound | PollFailure::Permanent => {
                            return Err(error);
                        }
                    }
                    pause = pause.max(retry_after);
                }
            }
            if self.is_done() {
                return Ok(());
            }
            sleep(pause).await;
        }
    }

    /// Reads the list, and looks up deployments that are not on it.
    async fn round(&mut self) -> Result<()> {
        self.round = self.round.saturating_add(1);
        let mut pages = self.source.list().pages();
        while !self.is_done()
            && let Some(page) = pages.next().await
        {
            let page = page?;
            let complete = page.check_complete();
            complete.map_err(|error| error.with_operation(pages.operation))?;
            for (id, now) in page {
                self.record(id, redacted(now, &[]), false).await;
            }
        }
        for id in self.missing() {
            let found = match self.source.lookup(&id) {
                Some(call) => Some(call.map_with_secrets(redacted).await),
                None => None,
            };
            match found {
                Some(Ok(now)) => {
                    // A deployment that has ended and is no longer listed will not come back.
                    let gone = now.phase == Phase::Ended;
                    self.record(id, now, gone).await;
                }
                Some(Err(error)) if PollFailure::of(&error) != PollFailure::NotFound => {
                    return Err(error);
                }
                _ => self.record_missing(id).await,
            }
        }
        Ok(())
    }

    /// Whether nothing is left to watch.
    fn is_done(&self) -> bool {
        self.fixed && self.last_seen.is_empty()
    }

    /// Deployments that were not listed in this round, the longest missing ones first.
    fn missing(&self) -> Vec<String> {
        let missing = self.last_seen.iter();
        let missing = missing.filter(|(_, last)| last.round != self.round);
        let mut missing: Vec<_> = missing.map(|(id, last)| (last.round, id)).collect();
        missing.sort_unstable();
        missing.truncate(MAX_LOOKUPS);
        missing.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// Records that a deployment is gone, unless it is new and may still appear.
    async fn record_missing(&mut self, id: String) {
        let last = self.last_seen.get(&id);
        let was_seen = last.is_some_and(|last| last.status.is_some());
        if was_seen || self.started.elapsed() >= GRACE {
            let now = Observation::new(Phase::Ended, "");
            self.record(id, now, true).await;
        }
    }

    /// Records the state of a deployment, and sends a change if it differs from the last state.
    async fn record(&mut self, id: String, mut now: Observation, gone: bool) {
        let last = self.last_seen.get_mut(&id);
        if last.is_none() && self.fixed {
            return;
        }
        let mut before = None;
        if let Some(last) = last {
            last.round = self.round;
            if let Some((phase, raw_status)) = &last.status {
                if !gone && *phase == now.phase && *raw_status == now.raw_status {
                    return;
                }
                before = Some(*phase);
            }
        }
        if gone || self.fixed && now.phase == Phase::Ended {
            self.last_seen.remove(&id);
        } else {
            let last = LastSeen {
                status: Some((now.phase, now.raw_status.clone())),
                round: self.round,
            };
            self.last_seen.insert(id.clone(), last);
        }
        now.at = self.started.elapsed();
        let change = Change {
            id,
            before,
            now,
            gone,
        };
        // `send` and `reserve` never fail here: the receiver is dropped together with the rounds.
        let _ = self.changes.send(Ok(change)).await;
        // Waits until the change is received, so that no request is sent before that.
        let _ = self.changes.reserve().await;
    }
}

impl Stream for Watcher {
    type Item = Result<Change>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let watcher = self.get_mut();
        if let Some(rounds) = watcher.rounds.take() {
            watcher.running = Some(Box::pin(rounds.run()));
        }
        if let Some(running) = &mut watcher.running
            && running.as_mut().poll(context).is_ready()
        {
            watcher.running = None;
        }
        watcher.changes.poll_recv(context)
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("started", &self.rounds.is_none())
            .field("ended", &(self.rounds.is_none() && self.running.is_none()))
            .finish_non_exhaustive()
    }
}
