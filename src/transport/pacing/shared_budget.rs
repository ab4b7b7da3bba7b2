//! `SharedBudget`: a rate budget that several processes share, and the fallback while it fails.

use super::bucket::Bucket;
use crate::error::{BoxError, Effect, Error, ErrorKind, Result, with_unit};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Timeout for a request to the budget.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A rate budget that several processes share, so that all of them together stay within a platform's
/// rates. The feature `redis` has an implementation.
///
/// Implementations must be atomic: two processes must not both get the last slot.
pub trait SharedBudget: Send + Sync + 'static {
    /// Takes one slot of the bucket, or returns how long to wait before the next request. The budget may
    /// reserve a slot for this process until then.
    ///
    /// A client sends one request per bucket at a time. The future may be dropped at any point. The
    /// timeout is 2 s. After a failure that took more than 50 ms, the budget is not used for four times
    /// as long.
    ///
    /// # Errors
    /// If the budget is unavailable. The [`Fallback`] then applies. The message is logged and shown, so it
    /// must not contain a secret.
    fn take(
        &self,
        bucket: &BudgetBucket,
    ) -> impl Future<Output = Result<BudgetReply, BoxError>> + Send;
}

/// The bucket of a request to a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetBucket {
    /// The platform: `edgegap`.
    pub platform: &'static str,
    /// Name of the bucket: `deploy`.
    pub name: &'static str,
    /// Number of slots of a full bucket.
    pub burst: u32,
    /// Time after which one slot is refilled.
    pub refill: Duration,
}

impl BudgetBucket {
    /// A bucket, for tests of your own budget.
    pub fn new(platform: &'static str, name: &'static str, burst: u32, refill: Duration) -> Self {
        Self {
            platform,
            name,
            burst,
            refill,
        }
    }
}

/// The response of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetReply {
    /// A slot was taken.
    Taken,
    /// No slot is free; try again after this time.
    Wait(Duration),
}

/// Behaviour of calls while the shared budget fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// Calls use a local rate.
    ///
    /// If [`Pacing::one_of`](super::Pacing::one_of) is set to the number of processes, all of them together
    /// stay within the rate, also in the windows in which the budget fails and recovers. This does not hold
    /// if the budget is available for some of the processes.
    Local,
    /// Calls fail with [`ErrorKind::RateLimited`] and send nothing.
    Refuse,
}

type Taking<'a> = Pin<Box<dyn Future<Output = Result<BudgetReply, BoxError>> + Send + 'a>>;

/// Object-safe [`SharedBudget`].
trait Erased: Send + Sync {
    fn take<'a>(&'a self, bucket: &'a BudgetBucket) -> Taking<'a>;
}

impl<B: SharedBudget> Erased for B {
    fn take<'a>(&'a self, bucket: &'a BudgetBucket) -> Taking<'a> {
        Box::pin(SharedBudget::take(self, bucket))
    }
}

#[derive(Clone)]
pub(super) struct Shared {
    budget: Arc<dyn Erased>,
    fallback: Fallback,
}

impl Shared {
    pub fn new(budget: impl SharedBudget, fallback: Fallback) -> Self {
        Self {
            budget: Arc::new(budget),
            fallback,
        }
    }

    /// Takes a slot. Returns how long to wait before the next request; zero if the slot was taken.
    pub async fn take(&self, bucket: &Bucket) -> Result<Duration> {
        let error = match self.request(bucket).await {
            Ok(BudgetReply::Taken) => return Ok(Duration::ZERO),
            Ok(BudgetReply::Wait(wait)) => return Ok(wait.max(Duration::from_millis(1))),
            Err(error) => error,
        };
        match self.fallback {
            Fallback::Local => Ok(bucket.fall_back()),
            Fallback::Refuse => {
                let message = format!("the shared rate budget failed: {error}");
                let pause = Some(bucket.budget_pause()).filter(|pause| !pause.is_zero());
                Err(Error::new(ErrorKind::RateLimited, message)
                    .with_effect(Effect::None)
                    .with_retry_after(pause)
                    .with_source(error))
            }
        }
    }

    /// Sends a request to the budget, unless it is paused.
    async fn request(&self, bucket: &Bucket) -> Result<BudgetReply, BoxError> {
        if !bucket.budget_pause().is_zero() {
            return Err("paused after a slow failure".into());
        }
        let started = Instant::now();
        let reply = match timeout(TIMEOUT, self.budget.take(&bucket.shared)).await {
            Ok(reply) => reply,
            Err(_) => Err(format!("no response within {}", with_unit(TIMEOUT)).into()),
        };
        // Logs only the changes between failure and success.
        match &reply {
            Ok(_) if bucket.note_budget_success() => {
                tracing::info!(
                    bucket = bucket.shared.name,
                    "the shared rate budget recovered"
                );
            }
            Err(error) if bucket.note_budget_failure(started.elapsed()) => {
                tracing::warn!(%error, bucket = bucket.shared.name, fallback = ?self.fallback, "the shared rate budget failed");
            }
            _ => {}
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Pace;
    use std::num::NonZeroU32;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::time::sleep;

    /// A budget in memory that can fail.
    #[derive(Clone, Default)]
    struct Memory {
        full_at: Arc<Mutex<Option<Instant>>>,
        /// Requests fail after this time.
        fails_after: Arc<Mutex<Option<Duration>>>,
        requests: Arc<Mutex<u32>>,
    }

    impl Memory {
        /// Loses its state. From now on, each request fails after this time.
        fn fail(&self, after: Duration) {
            *self.fails_after.lock().unwrap() = Some(after);
            *self.full_at.lock().unwrap() = None;
        }

        fn recover(&self) {
            *self.fails_after.lock().unwrap() = None;
        }
    }

    impl SharedBudget for Memory {
        async fn take(&self, bucket: &BudgetBucket) -> Result<BudgetReply, BoxError> {
            *self.requests.lock().unwrap() += 1;
            let fails_after = *self.fails_after.lock().unwrap();
            if let Some(after) = fails_after {
                sleep(after).await;
                return Err("down".into());
            }
            let now = Instant::now();
            let mut full_at = self.full_at.lock().unwrap();
            let old = full_at.unwrap_or(now).max(now);
            let wait = (old - now).saturating_sub(bucket.refill * (bucket.burst - 1));
            if !wait.is_zero() {
                return Ok(BudgetReply::Wait(wait));
            }
            *full_at = Some(old + bucket.refill);
            Ok(BudgetReply::Taken)
        }
    }

    const SECOND: Pace = Pace {
        bucket: "deploy",
        count: 40,
        seconds: 1,
    };
    const MINUTE: Pace = Pace {
        bucket: "api",
        count: 100,
        seconds: 60,
    };

    /// A bucket of one of several processes with a shared budget.
    fn shared_bucket(pace: Pace, processes: u32) -> Bucket {
        Bucket::new("test", pace, NonZeroU32::new(processes).unwrap(), true)
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(100_000)
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_busy_process_gets_the_whole_rate() {
        let shared = Shared::new(Memory::default(), Fallback::Local);
        let bucket = shared_bucket(SECOND, 4);
        let started = Instant::now();
        for _ in 0..80 {
            bucket.wait_turn(Some(&shared), far()).await.unwrap();
        }
        assert!(started.elapsed() < Duration::from_millis(2_200));
        let state = bucket.pace_state();
        assert_eq!((state.limit, state.shared), (40, Some(true)));
    }

    #[tokio::test(start_paused = true)]
    async fn all_windows_stay_within_the_rate_while_the_budget_fails_and_recovers() {
        for (pace, processes) in [(SECOND, 4), (MINUTE, 4), (SECOND, 3), (MINUTE, 10)] {
            let window = Duration::from_secs(pace.seconds.into());
            let budget = Memory::default();
            let sent = Arc::new(Mutex::new(Vec::new()));
            let mut tasks = Vec::new();
            let busy = Arc::new(AtomicBool::new(false));
            let end = Instant::now() + window * 10;
            for _ in 0..processes {
                let (budget, sent, busy) = (budget.clone(), sent.clone(), busy.clone());
                tasks.push(tokio::spawn(async move {
                    let shared = Shared::new(budget, Fallback::Local);
                    let bucket = shared_bucket(pace, processes);
                    while Instant::now() < end {
                        if !busy.load(Ordering::Relaxed) {
                            sleep(window / 100).await;
                        } else if bucket.wait_turn(Some(&shared), end).await.is_ok() {
                            sent.lock().unwrap().push(Instant::now());
                        } else {
                            break;
                        }
                    }
                }));
            }
            // Before each change of the budget, the processes are idle until the burst is refilled.
            for (tenths, available, at_work) in [
                (20, true, false),
                (3, true, true),
                (15, false, true),
                (20, false, false),
                (3, false, true),
                (39, true, true),
            ] {
                if available {
                    budget.recover();
                } else {
                    budget.fail(Duration::ZERO);
                }
                busy.store(at_work, Ordering::Relaxed);
                sleep(window * tenths / 10).await;
            }
            for task in tasks {
                task.await.unwrap();
            }
            let sent = sent.lock().unwrap();
            let most = pace.count as usize;
            for index in most..sent.len() {
                let span = sent[index] - sent[index - most];
                assert!(span >= window, "{pace} of {processes}: {span:?} at {index}");
            }
            assert!(
                sent.len() > most * 6 * 7 / 10,
                "{pace} of {processes}: {}",
                sent.len()
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_budget_takes_at_most_a_fifth_of_the_time() {
        let budget = Memory::default();
        budget.fail(Duration::from_secs(3600));
        let shared = Shared::new(budget.clone(), Fallback::Local);
        let bucket = shared_bucket(SECOND, 4);
        let until = Instant::now() + Duration::from_secs(60);
        let mut sent = 0;
        while bucket.wait_turn(Some(&shared), until).await.is_ok() {
            sent += 1;
        }
        assert!(sent > 400, "{sent}");
        assert_eq!(*budget.requests.lock().unwrap(), 6);
        assert_eq!(bucket.pace_state().shared, Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_that_fails_fast_is_used_again_at_once() {
        let budget = Memory::default();
        budget.fail(Duration::from_millis(2));
        let shared = Shared::new(budget.clone(), Fallback::Refuse);
        let bucket = shared_bucket(SECOND, 4);
        let refused = bucket.wait_turn(Some(&shared), far()).await;
        let error = refused.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::RateLimited, Effect::None)
        );
        assert!(error.to_string().contains("down"), "{error}");
        let refused = bucket.wait_turn(Some(&shared), far()).await;
        assert!(refused.unwrap_err().to_string().contains("down"));
        budget.recover();
        bucket.wait_turn(Some(&shared), far()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn clients_with_different_fallbacks_may_share_a_bucket() {
        let budget = Memory::default();
        budget.fail(Duration::from_secs(1));
        let refusing = Shared::new(budget.clone(), Fallback::Refuse);
        let local = Shared::new(budget, Fallback::Local);
        let bucket = shared_bucket(SECOND, 4);
        let refused = bucket.wait_turn(Some(&refusing), far()).await;
        assert!(refused.is_err());
        let started = Instant::now();
        bucket.wait_turn(Some(&local), far()).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_dropped_during_a_budget_request_leaves_the_queue() {
        let budget = Memory::default();
        budget.fail(Duration::from_secs(1));
        let shared = Shared::new(budget.clone(), Fallback::Refuse);
        let bucket = shared_bucket(SECOND, 1);
        let asking = bucket.wait_turn(Some(&shared), far());
        let dropped = tokio::time::timeout(Duration::from_millis(10), asking).await;
        assert!(dropped.is_err());
        assert_eq!(bucket.pace_state().waiting, 0);
        budget.recover();
        bucket.wait_turn(Some(&shared), far()).await.unwrap();
    }
}
