//! One rate limit: a token bucket with a queue, and pauses when the platform's window is used up.

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

/// If the time between two calls is at most this long, calls are spread evenly, without a burst.
const NO_BURST_BELOW: Duration = Duration::from_millis(100);
/// From this many calls per window on, one call is left out as a margin for network jitter.
const MARGIN_FROM: u32 = 10;
/// Longest pause that response headers can cause: a wrong header must not stop a client for long.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// With a shared budget, the time between two calls is extended by 1/20.
const SHARED_MARGIN: u32 = 20;
/// A failure of the shared budget that takes longer is slow. After a faster one, such as a refused
/// connection, every call tries the budget again.
const SLOW: Duration = Duration::from_millis(50);
/// After a slow failure, the shared budget is not used for this multiple of the failure's duration, so that
/// calls spend at most a fifth of their time on it.
const PAUSE_FACTOR: u32 = 4;

/// The state of one rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaceState {
    /// Name of the bucket, as in [`Pace::bucket`](crate::operation::Pace).
    pub bucket: &'static str,
    /// Calls per [`window`](Self::window): of this process, or of all processes that share a budget.
    pub limit: u32,
    /// Time span that the limit applies to.
    pub window: Duration,
    /// Number of waiting calls.
    pub waiting: usize,
    /// Remaining pause after the platform reported that its window is used up.
    pub paused: Option<Duration>,
    /// Whether the last request to the shared budget succeeded; `None` before the first, and without a
    /// budget.
    pub shared: Option<bool>,
}

/// The parameters of a token bucket, chosen so that no window has more calls than the rate allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refill {
    /// Number of calls that can be sent at once.
    pub burst: NonZeroU32,
    /// Time after which one more call can be sent.
    pub refill: Duration,
}

impl Refill {
    /// The share of one of several processes.
    pub fn share_of(pace: Pace, processes: NonZeroU32) -> Self {
        let window = Duration::from_secs(u64::from(pace.seconds.max(1)));
        let count = calls_per_window(pace, processes);
        let burst = match window / count <= NO_BURST_BELOW {
            true => 1,
            false => count / 4,
        };
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        // Burst and refills of a window together must not exceed the count. High rates leave out one refill
        // as a margin for network jitter. Rounded up: otherwise one call too many would fit into a window.
        let refills = count - burst.get() + u32::from(count < MARGIN_FROM);
        let refill = window / refills + Duration::from_nanos(1);
        // A share of less than one call per window is one call in several windows.
        let min_refill = (window / pace.count.max(1)).saturating_mul(processes.get());
        Self {
            burst,
            refill: refill.max(min_refill),
        }
    }

    /// The whole rate, for a shared budget. Refills take longer than for one process, because network
    /// delays differ between processes.
    pub fn shared(pace: Pace) -> Self {
        let whole = Self::share_of(pace, NonZeroU32::MIN);
        Self {
            refill: whole.refill + whole.refill / SHARED_MARGIN,
            ..whole
        }
    }
}

/// The calls per window of one of several processes.
fn calls_per_window(pace: Pace, processes: NonZeroU32) -> u32 {
    (pace.count / processes).max(1)
}

/// One rate limit of an account.
///
/// Without a shared budget, a local bucket limits the calls. With a shared budget, the local bucket is used
/// only while the budget fails. Two rules then keep all processes together within the rate:
/// - The local bucket starts empty, because other processes may have used up the window.
/// - It stays in use for one window after the budget recovered, because the budget did not count the calls
///   of the outage.
pub(crate) struct Bucket {
    pace: Pace,
    limit: u32,
    window: Duration,
    /// Parameters of the local bucket.
    local: Refill,
    /// The bucket in requests to the shared budget.
    pub(super) shared: BudgetBucket,
    /// The queue of calls. Tokio's semaphore is fair, and dropped waiters leave it.
    queue: Semaphore,
    /// Each waiting call holds a clone, so the reference count is their number.
    waiting: Arc<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The local bucket, while it is in use.
    local: Option<LocalBucket>,
    /// End of the pause for a used-up window.
    paused_until: Option<Instant>,
    /// Until then, the failed shared budget is not used.
    budget_paused_until: Option<Instant>,
    /// Whether the last request to the shared budget succeeded.
    budget_ok: Option<bool>,
}

struct LocalBucket {
    /// When the bucket is full again. Each call adds one refill.
    full_at: Instant,
    /// When it goes out of use; set once the shared budget has recovered.
    ends_at: Option<Instant>,
}

impl Bucket {
    pub fn new(api: &'static str, pace: Pace, processes: NonZeroU32, is_shared: bool) -> Self {
        let mut local = Refill::share_of(pace, processes);
        let shared = Refill::shared(pace);
        let mut state = State::default();
        if is_shared {
            local.refill = local
                .refill
                .max(shared.refill.saturating_mul(processes.get()));
        } else {
            state.local = Some(LocalBucket {
                full_at: Instant::now(),
                ends_at: None,
            });
        }
        Self {
            pace,
            limit: match is_shared {
                true => pace.count,
                false => calls_per_window(pace, processes),
            },
            window: Duration::from_secs(u64::from(pace.seconds)),
            local,
            shared: BudgetBucket::new(api, pace.bucket, shared.burst.get(), shared.refill),
            queue: Semaphore::new(1),
            waiting: Arc::default(),
            state: Mutex::new(state),
        }
    }

    /// Waits in the queue, then until the rate permits the call. Only the first call in the queue uses the
    /// shared budget.
    pub async fn wait_turn(&self, shared: Option<&Shared>, until: Instant) -> Result<()> {
        let _waiting = self.waiting.clone();
        // Never an error, because the semaphore is never closed.
        let _first = self.queue.acquire().await;
        loop {
            let mut wait = self.wait_time();
            if let (Some(shared), true) = (shared, wait.is_zero()) {
                wait = shared.take(self).await?;
            }
            if wait.is_zero() {
                self.count_call();
                return Ok(());
            }
            if wait >= until.duration_since(Instant::now()) {
                let pace = self.pace;
                let message =
                    format!("the rate limit of {pace} permits no call before the deadline");
                return Err(Error::new(ErrorKind::RateLimited, message)
                    .with_effect(Effect::None)
                    .with_retry_after(Some(wait)));
            }
            // Timers have a resolution of 1 ms. A shorter wait could become a busy loop.
            sleep(wait.max(Duration::from_millis(1))).await;
        }
    }

    /// Remaining wait for the local bucket and a pause.
    fn wait_time(&self) -> Duration {
        let state = self.state();
        let bucket = state.local.as_ref().map(|local| {
            // A slot is free while at most `burst - 1` refills are missing.
            let burst = self.local.refill * (self.local.burst.get() - 1);
            time_until(local.full_at).saturating_sub(burst)
        });
        let pause = state.paused_until.map(time_until);
        bucket.max(pause).unwrap_or_default()
    }

    /// Takes a slot of the local bucket.
    fn count_call(&self) {
        if let Some(local) = &mut self.state().local {
            local.full_at = local.full_at.max(Instant::now()) + self.local.refill;
        }
    }

    /// Pauses if a response reports that the platform's window is used up.
    pub fn note_response(&self, status: u16, headers: &HeaderMap) {
        if let Some(pause) = window_used_up(status, headers) {
            let until = Instant::now() + pause.min(MAX_PAUSE);
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
                .map(time_until)
                .filter(|left| !left.is_zero()),
            shared: state.budget_ok,
        }
    }

    /// Remaining time during which the failed shared budget is not used.
    pub(super) fn budget_pause(&self) -> Duration {
        self.state()
            .budget_paused_until
            .map(time_until)
            .unwrap_or_default()
    }

    /// Notes a failure of the shared budget. `took` is the duration of the request. Returns whether the
    /// previous request did not fail.
    pub(super) fn note_budget_failure(&self, took: Duration) -> bool {
        let mut state = self.state();
        let pause = took.saturating_mul(PAUSE_FACTOR);
        state.budget_paused_until = (took > SLOW).then(|| Instant::now() + pause);
        if let Some(local) = &mut state.local {
            local.ends_at = None;
        }
        state.budget_ok.replace(false) != Some(false)
    }

    /// Notes a success of the shared budget. Returns whether the previous request failed.
    pub(super) fn note_budget_success(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        state.budget_paused_until = None;
        if let Some(local) = &mut state.local
            && *local.ends_at.get_or_insert(now + self.window) <= now
        {
            state.local = None;
        }
        state.budget_ok.replace(true) == Some(false)
    }

    /// Uses the local bucket, which starts empty. Returns how long to wait.
    pub(super) fn fall_back(&self) -> Duration {
        let empty = LocalBucket {
            full_at: Instant::now() + self.local.refill * self.local.burst.get(),
            ends_at: None,
        };
        self.state().local.get_or_insert(empty);
        self.wait_time()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn time_until(until: Instant) -> Duration {
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

    const ONE_PROCESS: NonZeroU32 = NonZeroU32::MIN;

    /// Sends calls without a pause and returns when each was sent.
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
        for (count, seconds, processes) in [
            (40, 1, 1),
            (20, 1, 1),
            (10, 1, 1),
            (100, 60, 1),
            (1, 1, 1),
            (2, 60, 1),
            (40, 1, 3),
            (3, 1, 7),
        ] {
            let processes = NonZeroU32::new(processes).unwrap();
            let bucket = Bucket::new("test", pace(count, seconds), processes, false);
            let most = (count / processes).max(1) as usize;
            let window = Duration::from_secs(seconds.into());
            let sent = sent(&bucket, most * 5).await;
            for index in most..sent.len() {
                let span = sent[index] - sent[index - most];
                assert!(span >= window, "{count}/{seconds}s: {span:?}");
            }
            let took = (sent[sent.len() - 1] - sent[0]).as_secs_f64();
            // A share of less than one call per window takes several windows.
            let share = f64::from(count) / f64::from(processes.get());
            let least = window.as_secs_f64() * 4.0 * (most as f64 / share).max(1.0);
            assert!(took < least * 1.7, "{count}/{seconds}s: {took} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_sent_in_order() {
        let bucket = Arc::new(Bucket::new("test", pace(2, 1), ONE_PROCESS, false));
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
        let bucket = Bucket::new("test", pace(1, 10), ONE_PROCESS, false);
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
        let bucket = Bucket::new("test", pace(100, 60), ONE_PROCESS, false);
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
        assert_eq!(bucket.pace_state().paused, Some(MAX_PAUSE));
    }
}
