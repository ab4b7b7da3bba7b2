//! What a process does while the budget of its fleet does not answer.

use super::bucket::Shape;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// For how long a budget that was slow to fail is left alone, by the time that it took: calls then
/// spend at most a fifth of their time on asking it.
const REST: u32 = 4;
/// One that fails faster, as when nobody listens there, is asked by every call, so that it is used
/// again as soon as it is back.
const SLOW: Duration = Duration::from_millis(50);

/// Whether the shared budget of a bucket answers, and the process's own pace while it does not.
///
/// No window of the whole fleet has more calls than the rate allows:
/// - the own pace begins with nothing to give at once, as the others may have used up the last
///   window;
/// - it stays in force for one window after the budget is back, which knows nothing of the calls
///   that went without it.
pub(super) struct Outage {
    shape: Shape,
    window: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answered: Option<bool>,
    rests_until: Option<Instant>,
    alone: Option<Alone>,
}

/// The own pace.
struct Alone {
    /// When there will be as much as can be at once.
    full: Instant,
    /// When the own pace ends, once the budget is back.
    ends: Option<Instant>,
}

impl Outage {
    /// `own` is the shape of one process's part, `whole` that of the fleet.
    pub fn new(own: Shape, whole: Shape, members: u32, window: Duration) -> Self {
        Self {
            shape: Shape {
                burst: own.burst,
                refill: own.refill.max(whole.refill.saturating_mul(members)),
            },
            window,
            state: Mutex::default(),
        }
    }

    /// How long the budget is left alone, if it is.
    pub fn rest(&self) -> Option<Duration> {
        let until = self.state().rests_until?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// The budget did not answer, which took so long. Whether this is news.
    pub fn failed(&self, took: Duration, goes_on_alone: bool) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        state.rests_until = (took > SLOW).then(|| now + took.saturating_mul(REST));
        if goes_on_alone {
            let full = now + self.shape.refill * self.shape.burst.get();
            let alone = state.alone.get_or_insert(Alone { full, ends: None });
            alone.ends = None;
        }
        state.answered.replace(false) != Some(false)
    }

    /// The budget answered. Whether this is news after a failure.
    pub fn answered(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        state.rests_until = None;
        if let Some(alone) = &mut state.alone
            && *alone.ends.get_or_insert(now + self.window) <= now
        {
            state.alone = None;
        }
        state.answered.replace(true) == Some(false)
    }

    /// Whether the budget answered when it was last asked.
    pub fn last_answer(&self) -> Option<bool> {
        self.state().answered
    }

    /// The own pace begins, if it has not. A client that refuses may have found the failure, where this
    /// one goes on.
    pub fn alone(&self) {
        let full = Instant::now() + self.shape.refill * self.shape.burst.get();
        let mut state = self.state();
        state.alone.get_or_insert(Alone { full, ends: None });
    }

    /// How long until the own pace has room; `None` while it is not in force.
    pub fn own_wait(&self) -> Option<Duration> {
        let state = self.state();
        let alone = state.alone.as_ref()?;
        let at_once = self.shape.refill * (self.shape.burst.get() - 1);
        let full_in = alone.full.saturating_duration_since(Instant::now());
        Some(full_in.saturating_sub(at_once))
    }

    /// Counts a call.
    pub fn sent(&self) {
        if let Some(alone) = &mut self.state().alone {
            alone.full = alone.full.max(Instant::now()) + self.shape.refill;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bucket::Bucket;
    use super::super::budget::{BudgetBucket, BudgetError, BudgetReply, Shared};
    use super::super::{Fallback, SharedBudget};
    use crate::error::{Effect, ErrorKind};
    use crate::operation::Pace;
    use std::num::NonZeroU32;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

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
        async fn take(&self, bucket: &BudgetBucket) -> Result<BudgetReply, BudgetError> {
            *self.asked.lock().unwrap() += 1;
            let gone = *self.gone.lock().unwrap();
            if let Some(after) = gone {
                sleep(after).await;
                return Err(BudgetError::new("gone"));
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
        Bucket::new(pace, NonZeroU32::new(members).unwrap(), true)
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
            bucket.turn_in_fleet("test", &shared, far()).await.unwrap();
        }
        assert!(started.elapsed() < Duration::from_millis(2_200));
        let state = bucket.state();
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
                        } else if bucket.turn_in_fleet("test", &shared, end).await.is_ok() {
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
        while bucket.turn_in_fleet("test", &shared, until).await.is_ok() {
            sent += 1;
        }
        assert!(sent > 400, "{sent}");
        assert_eq!(*budget.asked.lock().unwrap(), 6);
        assert_eq!(bucket.state().shared, Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_at_once_is_used_again_at_once() {
        let budget = Memory::default();
        budget.goes(Duration::from_millis(2));
        let shared = Shared::new(budget.clone(), Fallback::Refuse);
        let bucket = part(EDGE, 4);
        let refused = bucket.turn_in_fleet("test", &shared, far()).await;
        let error = refused.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::RateLimited, Effect::None)
        );
        assert!(error.to_string().contains("gone"), "{error}");
        let refused = bucket.turn_in_fleet("test", &shared, far()).await;
        assert!(refused.unwrap_err().to_string().contains("gone"));
        budget.comes_back();
        bucket.turn_in_fleet("test", &shared, far()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_refuse_and_that_go_on_may_share_a_bucket() {
        let budget = Memory::default();
        budget.goes(Duration::from_secs(1));
        let refusing = Shared::new(budget.clone(), Fallback::Refuse);
        let going_on = Shared::new(budget, Fallback::Local);
        let bucket = part(EDGE, 4);
        let refused = bucket.turn_in_fleet("test", &refusing, far()).await;
        assert!(refused.is_err());
        let started = Instant::now();
        bucket
            .turn_in_fleet("test", &going_on, far())
            .await
            .unwrap();
        assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_while_the_budget_is_asked_leaves_the_line() {
        let budget = Memory::default();
        budget.goes(Duration::from_secs(1));
        let shared = Shared::new(budget.clone(), Fallback::Refuse);
        let bucket = part(EDGE, 1);
        let asking = bucket.turn_in_fleet("test", &shared, far());
        let dropped = tokio::time::timeout(Duration::from_millis(10), asking).await;
        assert!(dropped.is_err());
        assert_eq!(bucket.state().waiting, 0);
        budget.comes_back();
        bucket.turn_in_fleet("test", &shared, far()).await.unwrap();
    }
}
