//! One budget for a fleet of processes.

use super::bucket::Bucket;
use crate::error::{BoxError, Effect, Error, ErrorKind, Result, in_words};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A budget that answers later than this has failed: calls must not wait for a limit's sake longer
/// than for the platform.
const ANSWER: Duration = Duration::from_secs(2);

/// A budget that a fleet of processes shares, so that all of them together keep to a platform's
/// rates. Feature `redis` has one on a Redis server.
///
/// It must be atomic: two processes that ask at the same time must not both get the last slot.
pub trait SharedBudget: Send + Sync + 'static {
    /// Takes one slot of the bucket now, or says how long to wait before asking again. A budget may
    /// keep a slot for this process until then.
    ///
    /// Only one call of a client's bucket asks at a time. It may be dropped at any point, and an
    /// answer that takes longer than 2 s counts as none. After a failure that took noticeably long, the
    /// budget is not asked again for four times as long as that.
    ///
    /// # Errors
    /// When it cannot tell; then the [`Fallback`] decides. The message is logged and shown, so it must
    /// not contain a secret.
    fn take(
        &self,
        bucket: &BudgetBucket,
    ) -> impl Future<Output = Result<BudgetReply, BoxError>> + Send;
}

/// What a budget is asked for: one slot of a bucket that refills.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetBucket {
    /// The platform: `edgegap`.
    pub platform: &'static str,
    /// The bucket's name: `deploy`.
    pub name: &'static str,
    /// How many slots there are at once.
    pub burst: u32,
    /// How long until there is one more.
    pub refill: Duration,
}

impl BudgetBucket {
    /// A bucket to try a budget with.
    pub fn new(platform: &'static str, name: &'static str, burst: u32, refill: Duration) -> Self {
        Self {
            platform,
            name,
            burst,
            refill,
        }
    }
}

/// A budget's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetReply {
    /// A slot was taken.
    Taken,
    /// None is free; ask again after this time.
    Wait(Duration),
}

/// What happens to a call when the shared budget does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// It goes on at this process's own pace. With [`Pacing::one_of`](super::Pacing::one_of) as many
    /// as there are processes, all of them together still keep to the rate: in the windows in which
    /// the budget goes and comes back, too. (Not if the budget answers some of them and not others.)
    Local,
    /// It is refused with [`ErrorKind::RateLimited`], and nothing is sent.
    Refuse,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<BudgetReply, BoxError>> + Send + 'a>>;

/// [`SharedBudget`] as an object.
trait Erased: Send + Sync {
    fn take<'a>(&'a self, bucket: &'a BudgetBucket) -> Answer<'a>;
}

impl<B: SharedBudget> Erased for B {
    fn take<'a>(&'a self, bucket: &'a BudgetBucket) -> Answer<'a> {
        Box::pin(SharedBudget::take(self, bucket))
    }
}

#[derive(Clone)]
pub(super) struct Shared {
    budget: Arc<dyn Erased>,
    otherwise: Fallback,
}

impl Shared {
    pub fn new(budget: impl SharedBudget, otherwise: Fallback) -> Self {
        Self {
            budget: Arc::new(budget),
            otherwise,
        }
    }

    /// Takes a slot that no other process takes: returns how long to wait before asking again, and
    /// nothing if it was taken.
    pub async fn take(&self, bucket: &Bucket) -> Result<Duration> {
        let error = match self.ask(bucket).await {
            Ok(BudgetReply::Taken) => return Ok(Duration::ZERO),
            Ok(BudgetReply::Wait(wait)) => return Ok(wait.max(Duration::from_millis(1))),
            Err(error) => error,
        };
        match self.otherwise {
            Fallback::Local => Ok(bucket.go_alone()),
            Fallback::Refuse => {
                let message = format!("the shared rate budget does not answer: {error}");
                let rest = Some(bucket.budget_rests()).filter(|rest| !rest.is_zero());
                Err(Error::new(ErrorKind::RateLimited, message)
                    .with_effect(Effect::None)
                    .with_retry_after(rest)
                    .with_source(error))
            }
        }
    }

    /// Asks, unless the last time was in vain and long.
    async fn ask(&self, bucket: &Bucket) -> Result<BudgetReply, BoxError> {
        if !bucket.budget_rests().is_zero() {
            return Err("it failed a moment ago".into());
        }
        let started = Instant::now();
        let answer = match timeout(ANSWER, self.budget.take(&bucket.fleet)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {}", in_words(ANSWER)).into()),
        };
        // Said once, not with every call.
        match &answer {
            Ok(_) if bucket.budget_answered() => {
                tracing::info!(
                    bucket = bucket.fleet.name,
                    "the shared budget answers again"
                );
            }
            Err(error) if bucket.budget_failed(started.elapsed()) => {
                let alone = self.otherwise == Fallback::Local;
                tracing::warn!(%error, bucket = bucket.fleet.name, alone, "no shared budget");
            }
            _ => {}
        }
        answer
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

    /// A budget in memory, that can go away.
    #[derive(Clone, Default)]
    struct Memory {
        full: Arc<Mutex<Option<Instant>>>,
        gone: Arc<Mutex<Option<Duration>>>,
        asked: Arc<Mutex<u32>>,
    }

    impl Memory {
        /// From now on it fails after this time; what it knew is lost.
        fn goes(&self, after: Duration) {
            *self.gone.lock().unwrap() = Some(after);
            *self.full.lock().unwrap() = None;
        }

        fn comes_back(&self) {
            *self.gone.lock().unwrap() = None;
        }
    }

    impl SharedBudget for Memory {
        async fn take(&self, bucket: &BudgetBucket) -> Result<BudgetReply, BoxError> {
            *self.asked.lock().unwrap() += 1;
            let gone = *self.gone.lock().unwrap();
            if let Some(after) = gone {
                sleep(after).await;
                return Err("gone".into());
            }
            let now = Instant::now();
            let mut full = self.full.lock().unwrap();
            let old = full.unwrap_or(now).max(now);
            let wait = (old - now).saturating_sub(bucket.refill * (bucket.burst - 1));
            if !wait.is_zero() {
                return Ok(BudgetReply::Wait(wait));
            }
            *full = Some(old + bucket.refill);
            Ok(BudgetReply::Taken)
        }
    }

    const EDGE: Pace = Pace {
        bucket: "deploy",
        count: 40,
        seconds: 1,
    };
    const MINUTE: Pace = Pace {
        bucket: "api",
        count: 100,
        seconds: 60,
    };

    fn part(pace: Pace, members: u32) -> Bucket {
        Bucket::new("test", pace, NonZeroU32::new(members).unwrap(), true)
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(100_000)
    }

    #[tokio::test(start_paused = true)]
    async fn one_at_work_gets_the_whole_rate_while_the_budget_answers() {
        let shared = Shared::new(Memory::default(), Fallback::Local);
        let bucket = part(EDGE, 4);
        let started = Instant::now();
        for _ in 0..80 {
            bucket.turn(Some(&shared), far()).await.unwrap();
        }
        assert!(started.elapsed() < Duration::from_millis(2_200));
        let state = bucket.pace_state();
        assert_eq!((state.limit, state.shared), (40, Some(true)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_of_the_fleet_is_too_full_when_the_budget_goes_and_comes_back() {
        for (pace, members) in [(EDGE, 4), (MINUTE, 4), (EDGE, 3), (MINUTE, 10)] {
            let window = Duration::from_secs(pace.seconds.into());
            let budget = Memory::default();
            let sent = Arc::new(Mutex::new(Vec::new()));
            let mut tasks = Vec::new();
            let busy = Arc::new(AtomicBool::new(false));
            let end = Instant::now() + window * 10;
            for _ in 0..members {
                let (budget, sent, busy) = (budget.clone(), sent.clone(), busy.clone());
                tasks.push(tokio::spawn(async move {
                    let shared = Shared::new(budget, Fallback::Local);
                    let bucket = part(pace, members);
                    while Instant::now() < end {
                        if !busy.load(Ordering::Relaxed) {
                            sleep(window / 100).await;
                        } else if bucket.turn(Some(&shared), end).await.is_ok() {
                            sent.lock().unwrap().push(Instant::now());
                        } else {
                            break;
                        }
                    }
                }));
            }
            // Both times that the budget changes, what could be saved up was: there, a whole burst of
            // it, and here, that of each process.
            for (tenths, there, at_work) in [
                (20, true, false),
                (3, true, true),
                (15, false, true),
                (20, false, false),
                (3, false, true),
                (39, true, true),
            ] {
                if there {
                    budget.comes_back();
                } else {
                    budget.goes(Duration::ZERO);
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
                assert!(span >= window, "{pace} of {members}: {span:?} at {index}");
            }
            assert!(
                sent.len() > most * 6 * 7 / 10,
                "{pace} of {members}: {}",
                sent.len()
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_answer_takes_a_fifth_of_the_time_at_most() {
        let budget = Memory::default();
        budget.goes(Duration::from_secs(3600));
        let shared = Shared::new(budget.clone(), Fallback::Local);
        let bucket = part(EDGE, 4);
        let until = Instant::now() + Duration::from_secs(60);
        let mut sent = 0;
        while bucket.turn(Some(&shared), until).await.is_ok() {
            sent += 1;
        }
        assert!(sent > 400, "{sent}");
        assert_eq!(*budget.asked.lock().unwrap(), 6);
        assert_eq!(bucket.pace_state().shared, Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_at_once_is_used_again_at_once() {
        let budget = Memory::default();
        budget.goes(Duration::from_millis(2));
        let shared = Shared::new(budget.clone(), Fallback::Refuse);
        let bucket = part(EDGE, 4);
        let refused = bucket.turn(Some(&shared), far()).await;
        let error = refused.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::RateLimited, Effect::None)
        );
        assert!(error.to_string().contains("gone"), "{error}");
        let refused = bucket.turn(Some(&shared), far()).await;
        assert!(refused.unwrap_err().to_string().contains("gone"));
        budget.comes_back();
        bucket.turn(Some(&shared), far()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_refuse_and_that_go_on_may_share_a_bucket() {
        let budget = Memory::default();
        budget.goes(Duration::from_secs(1));
        let refusing = Shared::new(budget.clone(), Fallback::Refuse);
        let going_on = Shared::new(budget, Fallback::Local);
        let bucket = part(EDGE, 4);
        let refused = bucket.turn(Some(&refusing), far()).await;
        assert!(refused.is_err());
        let started = Instant::now();
        bucket.turn(Some(&going_on), far()).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_while_the_budget_is_asked_leaves_the_line() {
        let budget = Memory::default();
        budget.goes(Duration::from_secs(1));
        let shared = Shared::new(budget.clone(), Fallback::Refuse);
        let bucket = part(EDGE, 1);
        let asking = bucket.turn(Some(&shared), far());
        let dropped = tokio::time::timeout(Duration::from_millis(10), asking).await;
        assert!(dropped.is_err());
        assert_eq!(bucket.pace_state().waiting, 0);
        budget.comes_back();
        bucket.turn(Some(&shared), far()).await.unwrap();
    }
}
