//! Many deployments for the price of a list.

use super::known::{Known, Turn};
use super::{Observation, Phase};
use crate::call::Call;
use crate::error::{Effect, Error, Result};
use crate::page::{Page, Pages};
use crate::wait::{Fault, Snapshot, fault, short_status};
use futures_core::Stream;
use std::collections::VecDeque;
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// The time between the end of one round and the beginning of the next.
const INTERVAL: Duration = Duration::from_secs(5);
/// How many rounds in a row may fail.
const TOLERATED: u32 = 5;
/// How many that are not listed are asked for one by one in a round.
const CONFIRMED: usize = 20;
/// How long something that was never seen may be missing.
const GRACE: Duration = Duration::from_secs(10);

/// What a platform gives so that many can be watched.
pub(crate) trait Fleet: Send + Sync + 'static {
    /// All that there are; page by page, if the platform has pages.
    fn list(&self) -> Call<Page<Listed>>;

    /// How one is that was not listed. `None` where the list is all that there is: what is not on it
    /// is gone.
    fn look(&self, id: &str) -> Option<Call<Snapshot<()>>>;
}

/// One of a list.
#[derive(Debug)]
pub(crate) struct Listed {
    pub id: String,
    pub phase: Phase,
    /// The platform's word for it.
    pub raw_status: String,
}

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The id on the platform.
    pub id: String,
    /// How far it was when it was last seen; `None` if this is the first time.
    pub before: Option<Phase>,
    /// How it is now; [`at`](Observation::at) counts from when the watching began. The reason is not
    /// in a list: ask for the deployment if you want it.
    pub now: Observation,
    /// Whether it is not there any more. Nothing more will be said of it.
    pub gone: bool,
}

/// Watches many deployments of one platform, and tells what changes.
///
/// A round is one list with all its pages, however many are watched; then it rests. What is new or
/// another than before is told as soon as its page is read, and nothing else is. The first round tells
/// how each is.
///
/// What a list leaves out may have moved from one page to another meanwhile. So it is asked for by
/// itself before it is called gone, at most 20 in a round. What was never seen yet may be missing for
/// 10 s.
///
/// It is a [`Stream`], and there is [`next`](Self::next) for those who need no more. With ids it ends
/// when all of them have ended; without, it does not end. A failure is an item and the last one; what
/// passes is survived, as by [`Wait`](crate::Wait). Dropped, it leaves nothing behind.
#[must_use = "nothing is asked before it is polled"]
pub struct Watcher {
    fleet: Box<dyn Fleet>,
    known: Known,
    news: VecDeque<Change>,
    doing: Doing,
    interval: Duration,
    tolerate: u32,
    began: Option<Instant>,
    round: u32,
    faults: u32,
    requests: u64,
}

type Looking = crate::call::Running<Snapshot<()>>;

enum Doing {
    Rest(Option<Pin<Box<Sleep>>>),
    Listing(Box<Pages<Listed>>),
    /// Those that were not listed, and the one that is asked for.
    Confirming(Vec<Box<str>>, Option<(Box<str>, Looking)>),
    Over,
}

impl Watcher {
    pub(crate) fn all(fleet: impl Fleet) -> Self {
        Self::new(fleet, Known::of_all())
    }

    pub(crate) fn of(fleet: impl Fleet, ids: impl IntoIterator<Item = Box<str>>) -> Self {
        Self::new(fleet, Known::of(ids))
    }

    fn new(fleet: impl Fleet, known: Known) -> Self {
        Self {
            fleet: Box::new(fleet),
            known,
            news: VecDeque::new(),
            doing: Doing::Rest(None),
            interval: INTERVAL,
            tolerate: TOLERATED,
            began: None,
            round: 0,
            faults: 0,
            requests: 0,
        }
    }

    /// How long it rests between two rounds. Default: 5 s. A round takes as long as the platform's
    /// rate makes its pages take.
    pub fn interval(mut self, rest: Duration) -> Self {
        self.interval = rest;
        self
    }

    /// How many rounds in a row may fail with what passes; the next one ends it with its error.
    /// Default: 5.
    pub fn tolerate(mut self, rounds: u32) -> Self {
        self.tolerate = rounds;
        self
    }

    /// The next change; `None` when there is nothing left to watch, and after a failure. The future
    /// may be dropped: nothing is lost.
    ///
    /// # Errors
    /// Those of the list, as the last item: [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and
    /// others that another round would not change, and those of too many rounds in a row.
    pub async fn next(&mut self) -> Option<Result<Change>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// How far one was when it was last heard of; `None` if it was never seen, or is gone.
    pub fn phase(&self, id: &str) -> Option<Phase> {
        self.known.phase(id)
    }

    /// How many are watched.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is watched.
    pub fn is_empty(&self) -> bool {
        self.known.len() == 0
    }

    /// How many rounds were begun.
    pub fn rounds(&self) -> u32 {
        self.round
    }

    /// How many calls were made: a page is one, and so is asking for one that was not listed.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    fn elapsed(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }

    fn tell(&mut self, id: &str, turn: Turn, gone: bool) {
        self.news.push_back(Change {
            id: id.to_owned(),
            before: turn.before,
            now: turn.now,
            gone,
        });
    }

    fn begin(&mut self) {
        self.began.get_or_insert_with(Instant::now);
        self.round = self.round.saturating_add(1);
        self.doing = Doing::Listing(Box::new(self.fleet.list().pages()));
    }

    fn rest(&mut self, asked: Option<Duration>) {
        let rest = self.interval.max(asked.unwrap_or_default());
        self.doing = Doing::Rest(Some(Box::pin(sleep(rest))));
    }

    fn read(&mut self, page: Page<Listed>) {
        let at = self.elapsed();
        for one in page.items {
            let Listed {
                id,
                phase,
                raw_status,
            } = one;
            // As short as one that is asked for by itself.
            let raw_status = short_status(&raw_status);
            if let Some(turn) = self.known.hear(&id, phase, &raw_status, self.round, at) {
                self.tell(&id, turn, false);
            }
        }
    }

    /// After the last page.
    fn confirm(&mut self) {
        let missing = self.known.missing(self.round, CONFIRMED);
        self.doing = Doing::Confirming(missing, None);
    }

    /// What came of asking for one that was not listed.
    fn confirmed(&mut self, id: &str, looked: Result<Snapshot<()>>) -> Option<Error> {
        let at = self.elapsed();
        match looked {
            Ok(seen) => {
                let seen = seen.observation();
                let turn = self
                    .known
                    .hear(id, seen.phase, &seen.raw_status, self.round, at);
                // What has ended and is listed no more will not come back.
                let gone = seen.phase == Phase::Ended;
                match turn {
                    Some(mut turn) => {
                        turn.now.reason = seen.reason;
                        if gone {
                            self.known.forget(id, at);
                        }
                        self.tell(id, turn, gone);
                    }
                    None if gone => self.lost(id),
                    None => {}
                }
                None
            }
            Err(error) => match fault(&error) {
                Fault::Missing if self.known.was_seen(id) || at >= GRACE => {
                    self.lost(id);
                    None
                }
                Fault::Final => Some(error),
                // The next round asks again.
                Fault::Missing => None,
                Fault::NotSent | Fault::Passing => self.failed(error),
            },
        }
    }

    fn lost(&mut self, id: &str) {
        let at = self.elapsed();
        let turn = self.known.forget(id, at);
        self.tell(id, turn, true);
    }

    /// What to do about a round that failed; an error ends it.
    fn failed(&mut self, error: Error) -> Option<Error> {
        match fault(&error) {
            Fault::NotSent => {}
            Fault::Passing if self.faults < self.tolerate => self.faults += 1,
            Fault::Passing | Fault::Missing | Fault::Final => return Some(error),
        }
        self.rest(error.retry_after());
        None
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<Change>>> {
        self.doing = Doing::Over;
        Poll::Ready(Some(Err(error.with_effect(Effect::None))))
    }
}

impl Stream for Watcher {
    type Item = Result<Change>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let watcher = self.get_mut();
        loop {
            if let Some(change) = watcher.news.pop_front() {
                return Poll::Ready(Some(Ok(change)));
            }
            if watcher.known.is_over() {
                watcher.doing = Doing::Over;
            }
            match &mut watcher.doing {
                Doing::Over => return Poll::Ready(None),
                Doing::Rest(rest) => {
                    if let Some(rest) = rest {
                        ready!(rest.as_mut().poll(context));
                    }
                    watcher.begin();
                }
                Doing::Listing(pages) => match ready!(Pin::new(&mut **pages).poll_next(context)) {
                    Some(Ok(page)) => {
                        watcher.requests += 1;
                        watcher.read(page);
                    }
                    Some(Err(error)) => {
                        watcher.requests += 1;
                        if let Some(error) = watcher.failed(error) {
                            return watcher.end(error);
                        }
                    }
                    None => watcher.confirm(),
                },
                Doing::Confirming(_, Some((id, looking))) => {
                    let looked = ready!(Pin::new(looking).poll(context));
                    let id = std::mem::take(id);
                    if let Doing::Confirming(_, asked) = &mut watcher.doing {
                        *asked = None;
                    }
                    watcher.requests += 1;
                    if let Some(error) = watcher.confirmed(&id, looked) {
                        return watcher.end(error);
                    }
                }
                Doing::Confirming(missing, asked) => match missing.pop() {
                    None => {
                        watcher.faults = 0;
                        watcher.rest(None);
                    }
                    Some(id) => match watcher.fleet.look(&id) {
                        Some(call) => {
                            let call = call.map_with_secrets(Snapshot::shown);
                            *asked = Some((id, call.into_future()));
                        }
                        None if watcher.known.was_seen(&id) || watcher.elapsed() >= GRACE => {
                            watcher.lost(&id);
                        }
                        None => {}
                    },
                },
            }
        }
    }
}

// Nothing in it is pinned in place.
impl Unpin for Watcher {}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("watched", &self.known.len())
            .field("rounds", &self.round)
            .finish_non_exhaustive()
    }
}
