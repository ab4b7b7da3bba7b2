//! Watching many deployments with one list request per page.

use super::{Observation, Phase};
use crate::call::{Call, Running};
use crate::error::{Effect, Error, Result};
use crate::page::{Page, Pages};
use crate::wait::{Fault, Snapshot, fault, short_status};
use futures_core::Stream;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Pause between two rounds.
const INTERVAL: Duration = Duration::from_secs(5);
/// How many rounds in a row may fail.
const TOLERATED: u32 = 5;
/// How many unlisted deployments are looked up in a round.
const LOOKUPS: usize = 20;
/// How long a deployment that was never seen may be missing.
const GRACE: Duration = Duration::from_secs(10);

/// What a platform implements so that many deployments can be watched.
pub(crate) trait Fleet: Send + Sync + 'static {
    /// The list of all deployments.
    fn list(&self) -> Call<Page<Listed>>;

    /// Looks up a deployment that was not listed. `None` where the list is the only source.
    fn look(&self, id: &str) -> Option<Call<Snapshot<()>>>;
}

/// One deployment of the list.
#[derive(Debug)]
pub(crate) struct Listed {
    pub id: String,
    pub phase: Phase,
    /// The platform's own status.
    pub raw_status: String,
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
/// [`Wait`](crate::Wait).
#[must_use = "streams do nothing unless polled"]
pub struct Watcher {
    fleet: Box<dyn Fleet>,
    known: HashMap<Box<str>, Known>,
    /// Only the deployments in `known` are watched, and only until they end.
    fixed: bool,
    changes: VecDeque<Change>,
    state: State,
    interval: Duration,
    tolerate: u32,
    began: Option<Instant>,
    round: u32,
    /// Failed rounds in a row.
    faults: u32,
    requests: u64,
}

/// What is known about a deployment.
#[derive(Default)]
struct Known {
    /// Phase and raw status; `None` if it was never seen.
    last: Option<(Phase, Box<str>)>,
    /// The round in which it was last seen.
    round: u32,
}

struct Lookup {
    id: Box<str>,
    running: Running<Snapshot<()>>,
}

enum State {
    Pause(Option<Pin<Box<Sleep>>>),
    Listing(Box<Pages<Listed>>),
    /// Looks up deployments that were not listed: those that are left, and the one in flight.
    LookingUp(Vec<Box<str>>, Option<Lookup>),
    Ended,
}

impl Watcher {
    pub(crate) fn all(fleet: impl Fleet) -> Self {
        Self {
            fleet: Box::new(fleet),
            known: HashMap::new(),
            fixed: false,
            changes: VecDeque::new(),
            state: State::Pause(None),
            interval: INTERVAL,
            tolerate: TOLERATED,
            began: None,
            round: 0,
            faults: 0,
            requests: 0,
        }
    }

    pub(crate) fn of(fleet: impl Fleet, ids: impl IntoIterator<Item = Box<str>>) -> Self {
        Self {
            known: ids.into_iter().map(|id| (id, Known::default())).collect(),
            fixed: true,
            ..Self::all(fleet)
        }
    }

    /// Pause between two rounds. Default: 5 s. A round takes as long as the platform's rate limit makes
    /// its pages take.
    pub fn interval(mut self, pause: Duration) -> Self {
        self.interval = pause;
        self
    }

    /// How many rounds in a row may fail with a transient error; the next one ends the stream. Default: 5.
    pub fn tolerate(mut self, rounds: u32) -> Self {
        self.tolerate = rounds;
        self
    }

    /// The next change; `None` when nothing is left to watch, and after an error. Cancel-safe.
    ///
    /// # Errors
    /// Those of the list, as the last item: errors that another round would not change, such as
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated), and those of too many rounds in a row.
    pub async fn next(&mut self) -> Option<Result<Change>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The last known phase of a deployment; `None` if it was never seen, or is gone.
    pub fn phase(&self, id: &str) -> Option<Phase> {
        let (phase, _) = self.known.get(id)?.last.as_ref()?;
        Some(*phase)
    }

    /// Number of watched deployments.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no deployment is watched.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Number of rounds that were started.
    pub fn rounds(&self) -> u32 {
        self.round
    }

    /// Number of calls that were made: one per page, and one per lookup.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    fn elapsed(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }

    fn start_round(&mut self) {
        self.began.get_or_insert_with(Instant::now);
        self.round = self.round.saturating_add(1);
        self.state = State::Listing(Box::new(self.fleet.list().pages()));
    }

    fn pause(&mut self, retry_after: Option<Duration>) {
        let pause = self.interval.max(retry_after.unwrap_or_default());
        self.state = State::Pause(Some(Box::pin(sleep(pause))));
    }

    /// Records the state of a deployment, and a change if it differs from the last one.
    fn record(&mut self, id: &str, mut now: Observation, gone: bool) {
        let mut before = None;
        match self.known.get_mut(id) {
            None if self.fixed => return,
            None => {}
            Some(known) => {
                known.round = self.round;
                if let Some((phase, raw_status)) = &known.last {
                    if !gone && *phase == now.phase && **raw_status == *now.raw_status {
                        return;
                    }
                    before = Some(*phase);
                }
            }
        }
        if gone || self.fixed && now.phase == Phase::Ended {
            self.known.remove(id);
        } else {
            let known = Known {
                last: Some((now.phase, now.raw_status.as_str().into())),
                round: self.round,
            };
            self.known.insert(id.into(), known);
        }
        now.at = self.elapsed();
        self.changes.push_back(Change {
            id: id.to_owned(),
            before,
            now,
            gone,
        });
    }

    fn record_listed(&mut self, listed: Listed) {
        let raw_status = short_status(&listed.raw_status);
        self.record(
            &listed.id,
            Observation::new(listed.phase, raw_status),
            false,
        );
    }

    /// Records that a deployment does not exist, unless it may still turn up.
    fn record_missing(&mut self, id: &str) {
        if self.phase(id).is_some() || self.elapsed() >= GRACE {
            self.record(id, Observation::new(Phase::Ended, ""), true);
        }
    }

    /// Deployments that were not listed in this round, those that are missing longest first.
    fn missing(&self) -> Vec<Box<str>> {
        let missing = self
            .known
            .iter()
            .filter(|(_, known)| known.round != self.round);
        let mut missing: Vec<_> = missing.map(|(id, known)| (known.round, id)).collect();
        missing.sort_unstable();
        missing.truncate(LOOKUPS);
        missing.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// Handles the result of a lookup; an error ends the stream.
    fn looked_up(&mut self, id: &str, looked: Result<Snapshot<()>>) -> Result<()> {
        match looked {
            Ok(snapshot) => {
                let now = snapshot.observation();
                // A deployment that has ended and is no longer listed will not come back.
                let gone = now.phase == Phase::Ended;
                self.record(id, now, gone);
                Ok(())
            }
            Err(error) if fault(&error) == Fault::Missing => {
                self.record_missing(id);
                Ok(())
            }
            Err(error) => self.failed(error),
        }
    }

    /// Ends the round after an error, or the stream if the error is returned.
    fn failed(&mut self, error: Error) -> Result<()> {
        match fault(&error) {
            Fault::NotSent => {}
            Fault::Passing if self.faults < self.tolerate => self.faults += 1,
            Fault::Passing | Fault::Missing | Fault::Final => return Err(error),
        }
        self.pause(error.retry_after());
        Ok(())
    }

    /// Takes the next step of a round; an error ends the stream.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.state {
            State::Ended => {}
            State::Pause(pause) => {
                if let Some(pause) = pause {
                    ready!(pause.as_mut().poll(context));
                }
                self.start_round();
            }
            State::Listing(pages) => {
                let page = ready!(Pin::new(&mut **pages).poll_next(context));
                self.requests += u64::from(page.is_some());
                match page {
                    Some(Ok(page)) => page
                        .into_iter()
                        .for_each(|listed| self.record_listed(listed)),
                    Some(Err(error)) => self.failed(error)?,
                    None => self.state = State::LookingUp(self.missing(), None),
                }
            }
            State::LookingUp(left, Some(Lookup { id, running })) => {
                let looked = ready!(Pin::new(running).poll(context));
                let (id, left) = (std::mem::take(id), std::mem::take(left));
                self.requests += 1;
                self.state = State::LookingUp(left, None);
                self.looked_up(&id, looked)?;
            }
            State::LookingUp(left, lookup @ None) => match left.pop() {
                Some(id) => match self.fleet.look(&id) {
                    Some(call) => {
                        let call = call.map_with_secrets(Snapshot::redacted);
                        let running = call.into_future();
                        *lookup = Some(Lookup { id, running });
                    }
                    None => self.record_missing(&id),
                },
                None => {
                    self.faults = 0;
                    self.pause(None);
                }
            },
        }
        Poll::Ready(Ok(()))
    }
}

impl Stream for Watcher {
    type Item = Result<Change>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let watcher = self.get_mut();
        loop {
            if let Some(change) = watcher.changes.pop_front() {
                return Poll::Ready(Some(Ok(change)));
            }
            let unwatched = watcher.fixed && watcher.known.is_empty();
            if unwatched || matches!(watcher.state, State::Ended) {
                watcher.state = State::Ended;
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(watcher.poll_step(context)) {
                watcher.state = State::Ended;
                return Poll::Ready(Some(Err(error.with_effect(Effect::None))));
            }
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("watched", &self.known.len())
            .field("rounds", &self.round)
            .finish_non_exhaustive()
    }
}
