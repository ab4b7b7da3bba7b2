//! Watching many deployments of one platform.
//!
//! All platforms share the [`Phase`] of a deployment and the [`Observation`] of one. There is no common
//! interface of deployments: the same call made twice redeploys on Nexlayer and dployr, restarts on
//! Nodion, and starts a second server that costs money on Edgegap.
//!
//! [`Watcher`] watches many deployments of one platform with one list request for all of them. To wait
//! for several at once, use `futures::future::join_all`.

pub use crate::phase::{Observation, Phase};
pub use crate::wait::{Progress, Wait};

use crate::call::Call;
use crate::error::{Effect, Result};
use crate::page::Page;
use crate::wait::{Fault, fault, redacted};
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
/// How many rounds in a row may fail.
const TOLERATED: u32 = 5;
/// A platform that asks for a longer pause ends the stream, which would be silent for as long.
const LONGEST_PAUSE: Duration = Duration::from_secs(10 * 60);
/// How many unlisted deployments are looked up in a round.
const LOOKUPS: usize = 20;
/// How long a deployment that was never seen may be missing.
const GRACE: Duration = Duration::from_secs(10);

/// What a platform implements so that many deployments can be watched.
pub(crate) trait Fleet: Send + Sync + 'static {
    /// The list of all deployments, each with its id.
    fn list(&self) -> Call<Page<(String, Observation)>>;

    /// Looks up a deployment that was not listed. `None` where the list is the only source.
    fn look(&self, id: &str) -> Option<Call<Observation>>;
}

/// A deployment whose phase or status changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The id on the platform.
    pub id: String,
    /// The last known phase; `None` if the deployment is seen for the first time.
    pub before: Option<Phase>,
    /// The current state; [`at`](Observation::at) counts from the start of watching. Lists contain no
    /// reason: get the deployment for that.
    pub now: Observation,
    /// Whether the deployment no longer exists. It is not reported again.
    pub gone: bool,
}

/// Watches many deployments of one platform and yields what changes.
///
/// Each round reads one list with all its pages, however many deployments are watched, then pauses.
/// A change is yielded as soon as its page is read. The first round yields every deployment.
///
/// A deployment may be missing from the list because it moved to another page meanwhile. So it is looked
/// up before it is reported as gone, at most 20 in a round. One that was never seen may be missing for
/// 10 s.
///
/// A [`Stream`]; [`next`](Self::next) needs no further crate. With ids it ends when all of them have
/// ended; without, it does not end. An error is the last item; transient ones are tolerated as by
/// [`Wait`](crate::watch::Wait).
#[must_use = "streams do nothing unless polled"]
pub struct Watcher {
    /// `None` after the first poll.
    rounds: Option<Rounds>,
    /// The running rounds; `None` before the first poll and after the end.
    running: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    changes: Receiver<Result<Change>>,
}

/// The rounds of a watcher: an ordinary asynchronous function that sends what it finds.
struct Rounds {
    fleet: Box<dyn Fleet>,
    known: HashMap<String, Known>,
    /// Only the deployments in `known` are watched, and only until they end.
    fixed: bool,
    interval: Duration,
    tolerate: u32,
    began: Instant,
    round: u32,
    changes: Sender<Result<Change>>,
}

/// What is known about a deployment.
#[derive(Default)]
struct Known {
    /// Phase and raw status; `None` if it was never seen.
    last: Option<(Phase, String)>,
    /// The round in which it was last seen.
    round: u32,
}

impl Watcher {
    pub(crate) fn all(fleet: impl Fleet) -> Self {
        Self::new(fleet, HashMap::new(), false)
    }

    pub(crate) fn of(fleet: impl Fleet, ids: impl IntoIterator<Item = String>) -> Self {
        let known = ids.into_iter().map(|id| (id, Known::default()));
        Self::new(fleet, known.collect(), true)
    }

    fn new(fleet: impl Fleet, known: HashMap<String, Known>, fixed: bool) -> Self {
        // Room for one change; `Rounds::record` waits until it is taken.
        let (sender, changes) = channel(1);
        Self {
            rounds: Some(Rounds {
                fleet: Box::new(fleet),
                known,
                fixed,
                interval: INTERVAL,
                tolerate: TOLERATED,
                began: Instant::now(),
                round: 0,
                changes: sender,
            }),
            running: None,
            changes,
        }
    }

    /// Pause between two rounds. Default: 5 s. A round takes as long as the platform's rate limit makes
    /// its pages take. No effect after the first poll.
    pub fn interval(mut self, pause: Duration) -> Self {
        if let Some(rounds) = &mut self.rounds {
            rounds.interval = pause;
        }
        self
    }

    /// How many rounds in a row may fail with a transient error; the next one ends the stream. Default:
    /// 5. No effect after the first poll.
    pub fn tolerate(mut self, faults: u32) -> Self {
        if let Some(rounds) = &mut self.rounds {
            rounds.tolerate = faults;
        }
        self
    }

    /// The next change; `None` when nothing is left to watch, and after an error. Cancel-safe.
    ///
    /// # Errors
    /// Those of the list, as the last item: errors that another round would not change, such as
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated), those of too many rounds in a row, and one
    /// whose [`retry_after`](crate::Error::retry_after) is longer than 10 minutes.
    pub async fn next(&mut self) -> Option<Result<Change>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Rounds {
    async fn run(mut self) {
        self.began = Instant::now();
        if let Err(error) = self.watch().await {
            // A watcher only reads.
            let error = error.with_effect(Effect::None);
            let _ = self.changes.send(Err(error)).await;
        }
    }

    async fn watch(&mut self) -> Result<()> {
        let mut faults = 0;
        loop {
            let mut pause = self.interval;
            match self.round().await {
                Ok(()) => faults = 0,
                Err(error) => {
                    let asked = error.retry_after().unwrap_or_default();
                    match fault(&error) {
                        Fault::NotSent => {}
                        Fault::Passing if faults < self.tolerate && asked <= LONGEST_PAUSE => {
                            faults += 1;
                        }
                        Fault::Passing | Fault::Missing | Fault::Final => return Err(error),
                    }
                    pause = pause.max(asked);
                }
            }
            if self.is_done() {
                return Ok(());
            }
            sleep(pause).await;
        }
    }

    /// Reads the list, and looks up what is not on it.
    async fn round(&mut self) -> Result<()> {
        self.round = self.round.saturating_add(1);
        let mut pages = self.fleet.list().pages();
        while !self.is_done()
            && let Some(page) = pages.next().await
        {
            for (id, now) in page? {
                self.record(id, redacted(now, &[]), false).await;
            }
        }
        for id in self.missing() {
            let looked = match self.fleet.look(&id) {
                Some(call) => Some(call.map_with_secrets(redacted).await),
                None => None,
            };
            match looked {
                Some(Ok(now)) => {
                    // A deployment that has ended and is no longer listed will not come back.
                    let gone = now.phase == Phase::Ended;
                    self.record(id, now, gone).await;
                }
                Some(Err(error)) if fault(&error) != Fault::Missing => return Err(error),
                _ => self.record_missing(id).await,
            }
        }
        Ok(())
    }

    /// Whether nothing is left to watch.
    fn is_done(&self) -> bool {
        self.fixed && self.known.is_empty()
    }

    /// Deployments that were not listed in this round, those that are missing longest first.
    fn missing(&self) -> Vec<String> {
        let missing = self.known.iter();
        let missing = missing.filter(|(_, known)| known.round != self.round);
        let mut missing: Vec<_> = missing.map(|(id, known)| (known.round, id)).collect();
        missing.sort_unstable();
        missing.truncate(LOOKUPS);
        missing.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// Records that a deployment does not exist, unless it may still turn up.
    async fn record_missing(&mut self, id: String) {
        let was_seen = self
            .known
            .get(&id)
            .is_some_and(|known| known.last.is_some());
        if was_seen || self.began.elapsed() >= GRACE {
            let now = Observation::new(Phase::Ended, "");
            self.record(id, now, true).await;
        }
    }

    /// Records the state of a deployment, and sends a change if it differs from the last one.
    async fn record(&mut self, id: String, mut now: Observation, gone: bool) {
        let known = self.known.get_mut(&id);
        if known.is_none() && self.fixed {
            return;
        }
        let mut before = None;
        if let Some(known) = known {
            known.round = self.round;
            if let Some((phase, raw_status)) = &known.last {
                if !gone && *phase == now.phase && *raw_status == now.raw_status {
                    return;
                }
                before = Some(*phase);
            }
        }
        if gone || self.fixed && now.phase == Phase::Ended {
            self.known.remove(&id);
        } else {
            let known = Known {
                last: Some((now.phase, now.raw_status.clone())),
                round: self.round,
            };
            self.known.insert(id.clone(), known);
        }
        now.at = self.began.elapsed();
        let change = Change {
            id,
            before,
            now,
            gone,
        };
        // These fail only without a receiver, which is dropped together with the rounds.
        let _ = self.changes.send(Ok(change)).await;
        // There is room again when the change was taken. Nothing is requested before that.
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
            .field("began", &self.rounds.is_none())
            .field("ended", &(self.rounds.is_none() && self.running.is_none()))
            .finish_non_exhaustive()
    }
}
