//! The calls that share one rate.

use super::budget::Shared;
use super::outage::Outage;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Pace;
use crate::transport::hints;
use governor::clock::{Clock, Reference};
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use http::HeaderMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

/// Below this distance between two calls nobody minds that they are evenly spread.
const UNNOTICED: Duration = Duration::from_millis(100);
/// From so many calls in a window on, one fewer is hardly missed.
const ROOM_FROM: u32 = 10;
/// The longest pause that a header can bring about: one that is wrong must not stop a client for
/// good.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The part of the distance between two calls that is added for a fleet.
const FLEET_MARGIN: u32 = 20;

/// How one bucket of a client's account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaceState {
    /// The bucket, as in [`Pace::bucket`](crate::operation::Pace).
    pub bucket: &'static str,
    /// The most calls that are sent in any [`window`](Self::window): by this process, or by all that
    /// share a budget.
    pub limit: u32,
    /// The window.
    pub window: Duration,
    /// How many calls wait for their turn.
    pub waiting: usize,
    /// For how long nothing is sent because the platform said that its window is used up.
    pub paused: Option<Duration>,
    /// Whether the shared budget answered when it was last asked; `None` before that, and without
    /// one.
    pub shared: Option<bool>,
}

/// A rate as a bucket that refills: some calls at once, the rest evenly.
///
/// In no window are there more than the rate allows: those at once and those that are refilled
/// within the window are together as many as it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many at once.
    pub burst: NonZeroU32,
    /// How long until there is one more.
    pub refill: Duration,
}

impl Shape {
    pub fn of(pace: Pace, members: NonZeroU32) -> Self {
        let window = Duration::from_secs(u64::from(pace.seconds.max(1)));
        let count = part_of(pace, members);
        let even = window / count;
        let burst = if even <= UNNOTICED { 1 } else { count / 4 };
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        // A window begins with what there is at once; while it lasts, so many more are refilled. One
        // distance is left as room for what the way adds to one call and not to the next, unless it
        // is a large part of the rate. Rounded up: rounded down, one too many fits into a window.
        let room = u32::from(count < ROOM_FROM);
        let refill = window / (count - burst.get() + room) + Duration::from_nanos(1);
        // A part of less than one call in a window is one in several.
        let least = (window / pace.count.max(1)).saturating_mul(members.get());
        Self {
            burst,
            refill: refill.max(least),
        }
    }

    /// The whole rate, for a fleet. The calls of one process keep their distance on the way; those of
    /// several do not, as each has a way and a scheduler of its own. So they are a little further
    /// apart: in a window of 1 s, 50 ms of difference do no harm.
    pub fn of_fleet(pace: Pace) -> Self {
        let whole = Self::of(pace, NonZeroU32::MIN);
        Self {
            refill: whole.refill + whole.refill / FLEET_MARGIN,
            ..whole
        }
    }
}

fn part_of(pace: Pace, members: NonZeroU32) -> u32 {
    (pace.count / members).max(1)
}

pub(crate) struct Bucket {
    pace: Pace,
    limit: u32,
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock>,
    /// Whose turn it is: tokio's semaphore serves in the order of asking, and a waiter that is dropped
    /// leaves the queue.
    queue: Semaphore,
    waiting: AtomicUsize,
    paused_until: Mutex<Option<Instant>>,
    pub(super) outage: Outage,
}

impl Bucket {
    pub fn new(pace: Pace, members: NonZeroU32, fleet: bool) -> Self {
        let shape = Shape::of(pace, members);
        let whole = Shape::of_fleet(pace);
        let window = Duration::from_secs(u64::from(pace.seconds));
        // A period of nothing is the only one that is refused, and `Shape` has none.
        let quota = Quota::with_period(shape.refill)
            .unwrap_or(Quota::per_second(NonZeroU32::MIN))
            .allow_burst(shape.burst);
        Self {
            pace,
            limit: if fleet {
                pace.count
            } else {
                part_of(pace, members)
            },
            limiter: RateLimiter::direct_with_clock(quota, TokioClock::start()),
            queue: Semaphore::new(1),
            waiting: AtomicUsize::new(0),
            paused_until: Mutex::new(None),
            outage: Outage::new(shape, whole, members.get(), window),
        }
    }

    /// Waits for a turn at the pace of this process.
    pub async fn turn(&self, until: Instant) -> Result<()> {
        let _waiting = Waiting::count(&self.waiting);
        let _first = self.first_in_line().await?;
        loop {
            let pause = self.pause();
            let wait = match pause {
                Some(pause) => pause,
                None => match self.limiter.check() {
                    Ok(()) => return Ok(()),
                    Err(not_yet) => not_yet.wait_time_from(self.limiter.clock().now()),
                },
            };
            self.wait(wait, until).await?;
        }
    }

    /// Waits for a turn in a fleet. Only the first in line asks, so that in a process, too, first come
    /// is first served.
    pub async fn turn_in_fleet(
        &self,
        api: &'static str,
        shared: &Shared,
        until: Instant,
    ) -> Result<()> {
        let _waiting = Waiting::count(&self.waiting);
        let _first = self.first_in_line().await?;
        shared.turn(api, self.pace, self, until).await
    }

    async fn first_in_line(&self) -> Result<SemaphorePermit<'_>> {
        // Never closed.
        let first = self.queue.acquire().await;
        first.map_err(|_| self.too_late(None))
    }

    /// Waits, unless the deadline comes first.
    pub async fn wait(&self, wait: Duration, until: Instant) -> Result<()> {
        let now = Instant::now();
        if wait >= until.duration_since(now) {
            return Err(self.too_late(Some(wait)));
        }
        // A timer has milliseconds: one that is rounded to nothing would be a busy loop.
        sleep(wait.max(Duration::from_millis(1))).await;
        Ok(())
    }

    fn too_late(&self, wait: Option<Duration>) -> Error {
        let pace = self.pace;
        Error::new(
            ErrorKind::RateLimited,
            format!("the rate of {pace} leaves no room before the deadline; nothing was sent"),
        )
        .with_effect(Effect::None)
        .with_retry_after(wait)
    }

    pub fn learn(&self, status: u16, headers: &HeaderMap) {
        if let Some(pause) = hints::window_used_up(status, headers) {
            let until = Instant::now() + pause.min(LONGEST_PAUSE);
            let mut paused = self.paused_until();
            *paused = (*paused).max(Some(until));
        }
    }

    pub fn state(&self) -> PaceState {
        PaceState {
            bucket: self.pace.bucket,
            limit: self.limit,
            window: Duration::from_secs(u64::from(self.pace.seconds)),
            waiting: self.waiting.load(Ordering::Relaxed),
            paused: self.pause(),
            shared: self.outage.last_answer(),
        }
    }

    pub(super) fn pause(&self) -> Option<Duration> {
        let mut paused = self.paused_until();
        let left = paused.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.filter(|left| !left.is_zero());
        if left.is_none() {
            *paused = None;
        }
        left
    }

    fn paused_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a waiter for as long as it waits, however that ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn count(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The runtime's clock, so that a paused one pauses pacing too.
#[derive(Clone)]
struct TokioClock {
    started: Instant,
}

impl TokioClock {
    fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.started.elapsed().into()
    }
}

impl fmt::Debug for TokioClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.now().duration_since(Nanos::from(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn pace(count: u32, seconds: u32) -> Pace {
        Pace {
            bucket: "test",
            count,
            seconds,
        }
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(100_000)
    }

    fn alone() -> NonZeroU32 {
        NonZeroU32::MIN
    }

    async fn sent(bucket: &Bucket, calls: usize) -> Vec<Instant> {
        let mut sent = Vec::new();
        for _ in 0..calls {
            bucket.turn(far()).await.unwrap();
            sent.push(Instant::now());
        }
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_rate_in_any_window_and_hardly_less() {
        for (count, seconds, members) in [
            (40, 1, 1),
            (20, 1, 1),
            (10, 1, 1),
            (100, 60, 1),
            (1, 1, 1),
            (2, 60, 1),
            (40, 1, 3),
            (3, 1, 7),
        ] {
            let members = NonZeroU32::new(members).unwrap();
            let bucket = Bucket::new(pace(count, seconds), members, false);
            let most = (count / members).max(1) as usize;
            let window = Duration::from_secs(seconds.into());
            let sent = sent(&bucket, most * 5).await;
            for index in most..sent.len() {
                let span = sent[index] - sent[index - most];
                assert!(span >= window, "{count}/{seconds}s: {span:?}");
            }
            let took = (sent[sent.len() - 1] - sent[0]).as_secs_f64();
            // A part of less than one call in a window takes several.
            let share = f64::from(count) / f64::from(members.get());
            let least = window.as_secs_f64() * 4.0 * (most as f64 / share).max(1.0);
            assert!(took < least * 1.7, "{count}/{seconds}s: {took} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn first_come_first_served() {
        let bucket = Arc::new(Bucket::new(pace(2, 1), alone(), false));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for index in 0..50 {
            let (bucket, order) = (bucket.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                bucket.turn(far()).await.unwrap();
                order.lock().unwrap().push(index);
            }));
            tokio::task::yield_now().await;
        }
        assert!(bucket.state().waiting >= 48, "{:?}", bucket.state());
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
        assert_eq!(bucket.state().waiting, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_no_slot() {
        let bucket = Bucket::new(pace(1, 10), alone(), false);
        bucket.turn(far()).await.unwrap();
        let started = Instant::now();
        for _ in 0..20 {
            let dropped =
                tokio::time::timeout(Duration::from_millis(100), bucket.turn(far())).await;
            assert!(dropped.is_err());
        }
        assert_eq!(bucket.state().waiting, 0);
        bucket.turn(far()).await.unwrap();
        assert!(started.elapsed() <= Duration::from_millis(10_002));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_after_the_deadline_is_refused_at_once() {
        let bucket = Bucket::new(pace(1, 60), alone(), false);
        bucket.turn(far()).await.unwrap();
        let started = Instant::now();
        let error = bucket
            .turn(started + Duration::from_secs(5))
            .await
            .err()
            .unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::RateLimited, Effect::None)
        );
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(60));
        assert!(error.is_retryable(), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_that_is_used_up_stops_everybody_but_not_for_good() {
        let bucket = Bucket::new(pace(100, 60), alone(), false);
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", 7.into());
        bucket.learn(429, &headers);
        assert_eq!(bucket.state().paused, Some(Duration::from_secs(7)));
        let started = Instant::now();
        bucket.turn(far()).await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 7);
        assert_eq!(bucket.state().paused, None);

        headers.insert("retry-after", 86_400.into());
        bucket.learn(429, &headers);
        assert_eq!(bucket.state().paused, Some(LONGEST_PAUSE));
    }
}
