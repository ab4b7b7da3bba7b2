//! One budget for a fleet of processes.

use super::bucket::{Bucket, Shape};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Pace;
use std::fmt;
use std::num::NonZeroU32;
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
    /// Takes one slot of the bucket now, or says how long to wait before asking again.
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

/// A budget's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetReply {
    /// A slot was taken.
    Taken,
    /// None is free; ask again after this time.
    Wait(Duration),
}

/// Why a budget cannot tell.
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
    /// as there are processes, all of them together still keep to the rate.
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
        // The whole rate: the part that one process takes is its own affair.
        let shape = Shape::of(pace, NonZeroU32::MIN);
        let asked = BudgetBucket {
            platform: api,
            name: pace.bucket,
            burst: shape.burst.get(),
            refill: shape.refill,
        };
        loop {
            let answer = match timeout(ANSWER, self.budget.take(&asked)).await {
                Ok(answer) => answer,
                Err(_) => Err(BudgetError::new(format!("no answer in {ANSWER:?}"))),
            };
            match (answer, self.otherwise) {
                (Ok(BudgetReply::Taken), _) => return Ok(()),
                (Ok(BudgetReply::Wait(wait)), _) => bucket.wait(wait, until).await?,
                (Err(error), Fallback::Local) => {
                    tracing::warn!(%error, bucket = pace.bucket, "pacing by this process alone");
                    return Ok(());
                }
                (Err(error), Fallback::Refuse) => {
                    return Err(Error::new(ErrorKind::RateLimited, error.to_string())
                        .with_effect(Effect::None)
                        .with_source(error));
                }
            }
        }
    }
}
