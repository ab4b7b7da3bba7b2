//! One budget for a fleet of processes.

use super::bucket::{Bucket, Shape};
use super::outage::Outage;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Pace;
use std::fmt;
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
    /// When it cannot tell; then the [`Fallback`] decides.
    fn take(
        &self,
        bucket: &BudgetBucket,
    ) -> impl Future<Output = Result<BudgetReply, BudgetError>> + Send;
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

/// Why a budget cannot tell. The words are logged and shown: they must not hold a secret.
#[derive(Debug)]
pub struct BudgetError(Box<dyn std::error::Error + Send + Sync>);

impl BudgetError {
    /// Wraps the cause, or a text.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the shared budget does not answer: {}", self.0)
    }
}

impl std::error::Error for BudgetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
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

type Answer<'a> = Pin<Box<dyn Future<Output = Result<BudgetReply, BudgetError>> + Send + 'a>>;

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

    /// Waits for a slot that no other process takes.
    pub async fn turn(
        &self,
        api: &'static str,
        pace: Pace,
        bucket: &Bucket,
        until: Instant,
    ) -> Result<()> {
        let shape = Shape::of_fleet(pace);
        let asked = BudgetBucket {
            platform: api,
            name: pace.bucket,
            burst: shape.burst.get(),
            refill: shape.refill,
        };
        let outage = &bucket.outage;
        loop {
            let wait = bucket.pause().or_else(|| outage.own_wait());
            if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
                bucket.wait(wait, until).await?;
                continue;
            }
            let error = match self.ask(&asked, outage).await {
                Ok(BudgetReply::Taken) => {
                    outage.sent();
                    return Ok(());
                }
                Ok(BudgetReply::Wait(wait)) => {
                    bucket.wait(wait, until).await?;
                    continue;
                }
                Err(error) => error,
            };
            if self.otherwise == Fallback::Local {
                outage.alone();
            }
            match self.otherwise {
                // The own pace may have begun just now, with nothing to give yet.
                Fallback::Local if outage.own_wait().is_some_and(|wait| wait.is_zero()) => {
                    outage.sent();
                    return Ok(());
                }
                Fallback::Local => {}
                Fallback::Refuse => {
                    return Err(Error::new(ErrorKind::RateLimited, error.to_string())
                        .with_effect(Effect::None)
                        .with_retry_after(outage.rest())
                        .with_source(error));
                }
            }
        }
    }

    /// Asks, unless the last time was in vain and long.
    async fn ask(&self, asked: &BudgetBucket, outage: &Outage) -> Result<BudgetReply, BudgetError> {
        if outage.rest().is_some() {
            return Err(BudgetError::new("it did not a moment ago"));
        }
        let started = Instant::now();
        let answer = match timeout(ANSWER, self.budget.take(asked)).await {
            Ok(answer) => answer,
            Err(_) => Err(BudgetError::new(format!("no answer in {ANSWER:?}"))),
        };
        // Said once, not with every call.
        match &answer {
            Ok(_) if outage.answered() => {
                tracing::info!(bucket = asked.name, "the shared budget answers again");
            }
            Ok(_) => {}
            Err(error) => {
                let alone = self.otherwise == Fallback::Local;
                if outage.failed(started.elapsed(), alone) {
                    tracing::warn!(%error, bucket = asked.name, alone, "no shared budget");
                }
            }
        }
        answer
    }
}
