//! One rate limit: a token bucket with a queue, and pauses for used-up windows.

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

/// At most this long between two calls: they are spread evenly, without a burst.
const EVEN_BELOW: Duration = Duration::from_millis(100);
/// From this rate on, a window is filled with one call less, as margin for network jitter.
const MARGIN_FROM: u32 = 10;
/// Longest pause that response headers can cause: a wrong header must not stop a client for long.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// With a shared budget, the time between two calls is extended by this fraction (1/20).
const FLEET_MARGIN: u32 = 20;
/// After a slow failure the shared budget is not used for this multiple of the failure's duration, so
/// that calls spend at most a fifth of their time on it.
const PAUSE_FACTOR: u32 = 4;
/// After a faster failure, such as a refused connection, every call tries the budget again.
const SLOW: Duration = Duration::from_millis(50);

/// The state of one rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaceState {
    /// Name of the bucket, as in [`Pace::bucket`](crate::operation::Pace).
    pub bucket: &'static str,
    /// Calls per [`window`](Self::window): of this process, or of all that share a budget.
    pub limit: u32,
    /// Length of the window.
    pub window: Duration,
    /// Number of waiting calls.
    pub waiting: usize,
    /// Remaining pause after the platform reported a used-up window.
    pub paused: Option<Duration>,
    /// Whether the last request to the shared budget succeeded; `None` before the first, and without a
    /// budget.
    pub shared: Option<bool>,
}

/// A rate as burst and refill interval, such that burst and refills of a window do not exceed the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refill {
    /// Calls that can be sent at once.
    pub burst: NonZeroU32,
    /// Time until one more call can be sent.
    pub refill: Duration,
}

impl Refill {
    pub fn of(pace: Pace, members: NonZeroU32) -> Self {
        let window = Duration::from_secs(u64::from(pace.seconds.max(1)));
        let count = part_of(pace, members);
        let even = window / count;
        let burst = if even <= EVEN_BELOW { 1 } else { count / 4 };
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        // The burst and the refills of a window must not exceed the count. One interval is left as a
        // margin for network jitter, unless it is a large part of the rate. Rounded up, as otherwise one
        // call too many fits into a window.
        let room = u32::from(count < MARGIN_FROM);
        let refill = window / (count - burst.get() + room) + Duration::from_nanos(1);
        // A share of less than one call per window is one call in several windows.
        let least = (window / pace.count.max(1)).saturating_mul(members.get());
        Self {
            burst,
            refill: refill.max(least),
        }
    }

    /// The whole rate, for a shared budget. Calls of different processes have different network delays,
    /// so the interval is extended: 50 ms per second.
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

/// One rate limit of an account.
///
/// Without a shared budget, a local bucket limits the calls. With a shared budget, the local bucket is
/// used only while the budget fails, in a way that all processes together stay within the rate:
/// - it starts without a burst, because other processes may have used up the window;
/// - it stays in use for one window after the budget recovered, because the budget did not count the
///   calls in between.
pub(crate) struct Bucket {
    pace: Pace,
    limit: u32,
    window: Duration,
    /// The rate of this process.
    local: Refill,
    /// The bucket of the shared budget.
    pub(super) fleet: BudgetBucket,
    /// The queue: tokio's semaphore is fair, and dropped waiters leave it.
    queue: Semaphore,
    /// Counts the waiting calls: each holds a clone.
    waiting: Arc<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The local bucket, while it is in use.
    local: Option<LocalBucket>,
    /// End of the pause for a used-up window.
    paused_until: Option<Instant>,
    /// Until when the failed shared budget is not used.
    budget_paused_until: Option<Instant>,
    /// Whether the last request to the shared budget succeeded.
    answered: Option<bool>,
}

struct LocalBucket {
    /// When the bucket is full.
    full: Instant,
    /// When it goes out of use, once the shared budget has recovered.
    ends: Option<Instant>,
}

impl Bucket {
    pub fn new(api: &'static str, pace: Pace, members: NonZeroU32, in_fleet: bool) -> Self {
        let mut local = Refill::of(pace, members);
        let fleet = Refill::of_fleet(pace);
        let mut state = State::default();
        if in_fleet {
            local.refill = local.refill.max(fleet.refill.saturating_mul(members.get()));
        } else {
            let full = Instant::now();
            state.local = Some(LocalBucket { full, ends: None });
        }
        Self {
            pace,
            limit: match in_fleet {
                true => pace.count,
                false => part_of(pace, members),
            },
            window: Duration::from_secs(u64::from(pace.seconds)),
            local,
            fleet: BudgetBucket::new(api, pace.bucket, fleet.burst.get(), fleet.refill),
            queue: Semaphore::new(1),
            waiting: Arc::default(),
            state: Mutex::new(state),
        }
    }

    /// Waits in line for a turn. Only the first in line uses the shared budget.
    pub async fn wait_turn(&self, shared: Option<&Shared>, until: Instant) -> Result<()> {
        let _waiting = self.waiting.clone();
        // The semaphore is never closed.
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
            // Timers have millisecond resolution: zero would be a busy loop.
            sleep(wait.max(Duration::from_millis(1))).await;
        }
    }

    /// Remaining wait for a pause and the local bucket.
    fn wait_time(&self) -> Duration {
        let state = self.state();
        let paced = state.local.as_ref().map(|local| {
            let at_once = self.local.refill * (self.local.burst.get() - 1);
            left_of(local.full).saturating_sub(at_once)
        });
        let paused = state.paused_until.map(left_of);
        paced.max(paused).unwrap_or_default()
    }

    /// Counts a call.
    fn sent(&self) {
        if let Some(local) = &mut self.state().local {
            local.full = local.full.max(Instant::now()) + self.local.refill;
        }
    }

    /// Pauses if a response reports a used-up window.
    pub fn note_response(&self, status: u16, headers: &HeaderMap) {
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

    /// How long the failed shared budget is not used.
    pub(super) fn budget_pause(&self) -> Duration {
        self.state()
            .budget_paused_until
            .map(left_of)
            .unwrap_or_default()
    }

    /// Notes a failure of the shared budget and its duration. Returns whether the previous request did
    /// not fail.
    pub(super) fn budget_failed(&self, took: Duration) -> bool {
        let mut state = self.state();
        let pause = took.saturating_mul(PAUSE_FACTOR);
        state.budget_paused_until = (took > SLOW).then(|| Instant::now() + pause);
        if let Some(local) = &mut state.local {
            local.ends = None;
        }
        state.answered.replace(false) != Some(false)
    }

    /// Notes a success of the shared budget. Returns whether the previous request failed.
    pub(super) fn budget_answered(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        state.budget_paused_until = None;
        if let Some(local) = &mut state.local
            && *local.ends.get_or_insert(now + self.window) <= now
        {
            state.local = None;
        }
        state.answered.replace(true) == Some(false)
    }

    /// Uses the local bucket, empty at first, and returns how long to wait.
    pub(super) fn fall_back(&self) -> Duration {
        let full = Instant::now() + self.local.refill * self.local.burst.get();
        let local = LocalBucket { full, ends: None };
        self.state().local.get_or_insert(local);
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
            bucket.wait_turn(None, far()).await.unwrap();
            sent.push(Instant::now());
        }
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn every_window_stays_within_the_rate_and_uses_most_of_it() {
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
            // A share of less than one call per window takes several windows.
            let share = f64::from(count) / f64::from(members.get());
            let least = window.as_secs_f64() * 4.0 * (most as f64 / share).max(1.0);
            assert!(took < least * 1.7, "{count}/{seconds}s: {took} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_sent_in_order() {
        let bucket = Arc::new(Bucket::new("test", pace(2, 1), alone(), false));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for index in 0..50 {
            let (bucket, order) = (bucket.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                bucket.wait_turn(None, far()).await.unwrap();
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
    async fn a_dropped_call_uses_no_slot() {
        let bucket = Bucket::new("test", pace(1, 10), alone(), false);
        bucket.wait_turn(None, far()).await.unwrap();
        let started = Instant::now();
        for _ in 0..20 {
            let dropped =
                tokio::time::timeout(Duration::from_millis(100), bucket.wait_turn(None, far()))
                    .await;
            assert!(dropped.is_err());
        }
        assert_eq!(bucket.pace_state().waiting, 0);
        bucket.wait_turn(None, far()).await.unwrap();
        assert!(started.elapsed() <= Duration::from_millis(10_002));
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_window_pauses_all_calls_for_a_limited_time() {
        let bucket = Bucket::new("test", pace(100, 60), alone(), false);
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", 7.into());
        bucket.note_response(429, &headers);
        assert_eq!(bucket.pace_state().paused, Some(Duration::from_secs(7)));
        let started = Instant::now();
        bucket.wait_turn(None, far()).await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 7);
        assert_eq!(bucket.pace_state().paused, None);

        headers.insert("retry-after", 86_400.into());
        bucket.note_response(429, &headers);
        assert_eq!(bucket.pace_state().paused, Some(LONGEST_PAUSE));
    }
}
