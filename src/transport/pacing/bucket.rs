//! The calls that share one rate.

use super::shared_budget::{BudgetBucket, Shared};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Pace;
use crate::transport::rate_limit::window_used_up;
use http::HeaderMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
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
/// For how long a budget that was slow to fail is left alone, by the time that it took: calls then
/// spend at most a fifth of their time on asking it.
const REST: u32 = 4;
/// One that fails faster, as when nobody listens there, is asked by every call, so that it is used
/// again as soon as it is back.
const SLOW: Duration = Duration::from_millis(50);

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

/// The calls of one account that share a rate.
///
/// A process that works alone keeps to its own pace. One of a fleet asks the shared budget instead, and
/// keeps to its own pace only while the budget does not answer. No window of the whole fleet has more
/// calls than the rate allows then either:
/// - the own pace begins with nothing to give at once, as the others may have used up the last window;
/// - it stays in force for one window after the budget is back, which knows nothing of the calls that
///   went without it.
pub(crate) struct Bucket {
    pace: Pace,
    limit: u32,
    window: Duration,
    /// The pace of this process alone.
    own: Shape,
    /// What a shared budget is asked for.
    pub(super) fleet: BudgetBucket,
    /// Whose turn it is: tokio's semaphore serves in the order of asking, and a waiter that is dropped
    /// leaves the queue.
    queue: Semaphore,
    /// Each call that waits holds a clone.
    waiting: Arc<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The own pace, while it is in force.
    own: Option<OwnPace>,
    /// Until when the platform accepts nothing.
    paused_until: Option<Instant>,
    /// Until when a budget that was slow to fail is left alone.
    rests_until: Option<Instant>,
    /// Whether the shared budget answered when it was last asked.
    answered: Option<bool>,
}

struct OwnPace {
    /// When there will be as many calls as can be sent at once.
    full: Instant,
    /// When it ends, once the shared budget is back.
    ends: Option<Instant>,
}

impl Bucket {
    pub fn new(api: &'static str, pace: Pace, members: NonZeroU32, in_fleet: bool) -> Self {
        let mut own = Shape::of(pace, members);
        let fleet = Shape::of_fleet(pace);
        let mut state = State::default();
        if in_fleet {
            own.refill = own.refill.max(fleet.refill.saturating_mul(members.get()));
        } else {
            let full = Instant::now();
            state.own = Some(OwnPace { full, ends: None });
        }
        Self {
            pace,
            limit: match in_fleet {
                true => pace.count,
                false => part_of(pace, members),
            },
            window: Duration::from_secs(u64::from(pace.seconds)),
            own,
            fleet: BudgetBucket::new(api, pace.bucket, fleet.burst.get(), fleet.refill),
            queue: Semaphore::new(1),
            waiting: Arc::default(),
            state: Mutex::new(state),
        }
    }

    /// Waits for a turn, first come, first served. In a fleet only the first in line asks the budget.
    pub async fn turn(&self, shared: Option<&Shared>, until: Instant) -> Result<()> {
        let _waiting = self.waiting.clone();
        // Never closed.
        let _first = self.queue.acquire().await;
        loop {
            let mut wait = self.wait_time();
            if let (Some(shared), true) = (shared, wait.is_zero()) {
                wait = shared.take(self).await?;
            }
            if wait.is_zero() {
                self.sent();
                return Ok(());
            }
            if wait >= until.duration_since(Instant::now()) {
                let pace = self.pace;
                let message =
                    format!("the rate limit of {pace} leaves no room before the deadline");
                return Err(Error::new(ErrorKind::RateLimited, message)
                    .with_effect(Effect::None)
                    .with_retry_after(Some(wait)));
            }
            // A timer has milliseconds: one that is rounded to nothing would be a busy loop.
            sleep(wait.max(Duration::from_millis(1))).await;
        }
    }

    /// How long a pause or the own pace still lasts.
    fn wait_time(&self) -> Duration {
        let state = self.state();
        let paced = state.own.as_ref().map(|own| {
            let at_once = self.own.refill * (self.own.burst.get() - 1);
            left_of(own.full).saturating_sub(at_once)
        });
        let paused = state.paused_until.map(left_of);
        paced.max(paused).unwrap_or_default()
    }

    /// Counts a call.
    fn sent(&self) {
        if let Some(own) = &mut self.state().own {
            own.full = own.full.max(Instant::now()) + self.own.refill;
        }
    }

    /// Learns from the headers of a response that the window is used up.
    pub fn learn(&self, status: u16, headers: &HeaderMap) {
        if let Some(pause) = window_used_up(status, headers) {
            let until = Instant::now() + pause.min(LONGEST_PAUSE);
            let paused = &mut self.state().paused_until;
            *paused = (*paused).max(Some(until));
        }
    }

    pub fn pace_state(&self) -> PaceState {
        let state = self.state();
        PaceState {
            bucket: self.pace.bucket,
            limit: self.limit,
            window: self.window,
            waiting: Arc::strong_count(&self.waiting) - 1,
            paused: state
                .paused_until
                .map(left_of)
                .filter(|left| !left.is_zero()),
            shared: state.answered,
        }
    }

    /// How long the shared budget is left alone.
    pub(super) fn budget_rests(&self) -> Duration {
        self.state().rests_until.map(left_of).unwrap_or_default()
    }

    /// The shared budget did not answer, which took so long. Returns whether this is news.
    pub(super) fn budget_failed(&self, took: Duration) -> bool {
        let mut state = self.state();
        let rest = took.saturating_mul(REST);
        state.rests_until = (took > SLOW).then(|| Instant::now() + rest);
        if let Some(own) = &mut state.own {
            own.ends = None;
        }
        state.answered.replace(false) != Some(false)
    }

    /// The shared budget answered. Returns whether this is news after a failure.
    pub(super) fn budget_answered(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        state.rests_until = None;
        if let Some(own) = &mut state.own
            && *own.ends.get_or_insert(now + self.window) <= now
        {
            state.own = None;
        }
        state.answered.replace(true) == Some(false)
    }

    /// Puts the own pace into force, if it is not, and returns how long to wait by it.
    pub(super) fn go_alone(&self) -> Duration {
        let full = Instant::now() + self.own.refill * self.own.burst.get();
        let own = OwnPace { full, ends: None };
        self.state().own.get_or_insert(own);
        self.wait_time()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn left_of(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            bucket.turn(None, far()).await.unwrap();
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
            let bucket = Bucket::new("test", pace(count, seconds), members, false);
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
        let bucket = Arc::new(Bucket::new("test", pace(2, 1), alone(), false));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for index in 0..50 {
            let (bucket, order) = (bucket.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                bucket.turn(None, far()).await.unwrap();
                order.lock().unwrap().push(index);
            }));
            tokio::task::yield_now().await;
        }
        assert!(
            bucket.pace_state().waiting >= 48,
            "{:?}",
            bucket.pace_state()
        );
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
        assert_eq!(bucket.pace_state().waiting, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_no_slot() {
        let bucket = Bucket::new("test", pace(1, 10), alone(), false);
        bucket.turn(None, far()).await.unwrap();
        let started = Instant::now();
        for _ in 0..20 {
            let dropped =
                tokio::time::timeout(Duration::from_millis(100), bucket.turn(None, far())).await;
            assert!(dropped.is_err());
        }
        assert_eq!(bucket.pace_state().waiting, 0);
        bucket.turn(None, far()).await.unwrap();
        assert!(started.elapsed() <= Duration::from_millis(10_002));
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_that_is_used_up_stops_everybody_but_not_for_good() {
        let bucket = Bucket::new("test", pace(100, 60), alone(), false);
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", 7.into());
        bucket.learn(429, &headers);
        assert_eq!(bucket.pace_state().paused, Some(Duration::from_secs(7)));
        let started = Instant::now();
        bucket.turn(None, far()).await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 7);
        assert_eq!(bucket.pace_state().paused, None);

        headers.insert("retry-after", 86_400.into());
        bucket.learn(429, &headers);
        assert_eq!(bucket.pace_state().paused, Some(LONGEST_PAUSE));
    }
}
