//! Pacing: client-side rate limits.
//!
//! A rate limit applies to an account. All clients of this process with the same platform, base URL and
//! token therefore share their buckets. Several processes can share a [`SharedBudget`].

mod bucket;
#[cfg(feature = "redis")]
mod redis_budget;
mod shared_budget;

pub use bucket::PaceState;
#[cfg(feature = "redis")]
pub use redis_budget::RedisBudget;
pub use shared_budget::{BudgetBucket, BudgetReply, Fallback, SharedBudget};

use crate::error::Result;
use crate::operation::{OPERATIONS, Pace, general_pace};
use crate::transport::credentials::Auth;
use bucket::Bucket;
use http::HeaderMap;
use shared_budget::Shared;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use tokio::time::Instant;

/// Client-side rate limits.
///
/// By default a client stays within the documented rates
/// ([`Behaviour::pace`](crate::operation::Behaviour)) in every window: calls beyond the rate wait in a
/// queue. The first call in the queue fails at once if it cannot be sent before its deadline. If response
/// headers report that the window is used up, all calls wait for the next one. Methods of operations
/// without a documented rate do not wait.
///
/// A call without a wrapper (`client.request(..)`) counts against the rate of the operation with the same method
/// and path. If no operation has them, or if its rate is not documented, the call counts against a general rate
/// of the platform: 100 per minute on dployr, 60 per minute on Nexlayer, 10 per second on Edgegap and Nodion.
///
/// Clients of this process share a rate if platform, base URL, token and this setting are equal. Clients
/// with renewed tokens share it by platform and base URL alone.
///
/// ```
/// # fn example<P: deploykit::Platform>(builder: deploykit::ClientBuilder<P>) -> deploykit::ClientBuilder<P> {
/// use deploykit::pacing::Pacing;
/// // Four processes share one token: each uses a quarter of the rate.
/// builder.pacing(Pacing::documented().one_of(4))
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Pacing {
    off: bool,
    /// Number of processes that share the account; `None` for one.
    processes: Option<NonZeroU32>,
    shared: Option<Shared>,
}

impl Pacing {
    /// Stays within the documented rates.
    pub fn documented() -> Self {
        Self::default()
    }

    /// No limits, for a server without rate limits. Retries still obey `Retry-After`.
    pub fn off() -> Self {
        Self {
            off: true,
            ..Self::default()
        }
    }

    /// Divides the rates by the number of processes that share the account. 0 means 1.
    pub fn one_of(mut self, processes: u32) -> Self {
        self.processes = NonZeroU32::new(processes);
        self
    }

    /// Takes a slot from a budget that several processes share before each call.
    ///
    /// A single busy process can then use the whole rate.
    ///
    /// `fallback` applies while the budget fails. [`one_of`](Self::one_of) then sets the local rate, and has
    /// no effect otherwise.
    pub fn shared(mut self, budget: impl SharedBudget, fallback: Fallback) -> Self {
        self.shared = Some(Shared::new(budget, fallback));
        self
    }
}

impl fmt::Debug for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacing")
            .field("off", &self.off)
            .field("one_of", &self.processes)
            .field("shared", &self.shared.is_some())
            .finish()
    }
}

/// The buckets of one account, by name.
type Buckets = HashMap<&'static str, Bucket>;

/// The clients that share buckets: platform, base URL, hash of the token, number of processes, and whether
/// they use a shared budget.
type BucketsKey = (&'static str, String, u64, NonZeroU32, bool);

/// The buckets in use. Dropped with their last client.
static IN_USE: LazyLock<Mutex<HashMap<BucketsKey, Weak<Buckets>>>> = LazyLock::new(Mutex::default);
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The pacing of one client.
#[derive(Clone)]
pub(crate) struct Pacer {
    pub pacing: Pacing,
    buckets: Arc<Buckets>,
}

impl Pacer {
    /// The pacing for an account. Renewed tokens change, so all clients with renewed tokens and the same base
    /// URL share their buckets.
    pub fn new(pacing: &Pacing, api: &'static str, base_url: &str, auth: &Auth) -> Self {
        let token = HASHER.hash_one(match auth {
            Auth::Header(_, value) => Some(value.as_bytes()),
            Auth::Renewed(_) | Auth::None => None,
        });
        let processes = pacing.processes.unwrap_or(NonZeroU32::MIN);
        let is_shared = pacing.shared.is_some();
        let buckets = match pacing.off {
            true => Arc::default(),
            false => buckets((api, base_url.to_owned(), token, processes, is_shared)),
        };
        Self {
            pacing: pacing.clone(),
            buckets,
        }
    }

    /// Waits until a request with this rate may be sent.
    pub async fn wait_turn(&self, pace: Option<Pace>, until: Instant) -> Result<()> {
        match self.bucket(pace) {
            Some(bucket) => bucket.wait_turn(self.pacing.shared.as_ref(), until).await,
            None => Ok(()),
        }
    }

    /// Pauses the bucket if a response reports that the platform's window is used up.
    pub fn note_response(&self, pace: Option<Pace>, status: u16, headers: &HeaderMap) {
        if let Some(bucket) = self.bucket(pace) {
            bucket.note_response(status, headers);
        }
    }

    /// The state of the buckets, sorted by name.
    pub fn state(&self) -> Vec<PaceState> {
        let mut states: Vec<_> = self.buckets.values().map(Bucket::pace_state).collect();
        states.sort_by_key(|state| state.bucket);
        states
    }

    fn bucket(&self, pace: Option<Pace>) -> Option<&Bucket> {
        self.buckets.get(pace?.bucket)
    }
}

/// The buckets in use for this key, or new ones.
fn buckets(key: BucketsKey) -> Arc<Buckets> {
    let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(buckets) = in_use.get(&key).and_then(Weak::upgrade) {
        return buckets;
    }
    in_use.retain(|_, buckets| buckets.strong_count() > 0);
    let (api, _, _, processes, is_shared) = key;
    let paces = OPERATIONS
        .iter()
        .filter(|operation| operation.api == api)
        .filter_map(|operation| operation.behaviour.pace)
        .chain(general_pace(api));
    let buckets: Buckets = paces
        .map(|pace| (pace.bucket, Bucket::new(api, pace, processes, is_shared)))
        .collect();
    let buckets = Arc::new(buckets);
    in_use.insert(key, Arc::downgrade(&buckets));
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pacer(url: &str, token: &str) -> Pacer {
        paced(&Pacing::documented(), url, token)
    }

    fn paced(pacing: &Pacing, url: &str, token: &str) -> Pacer {
        let auth = Auth::token("token", &token.into()).unwrap();
        Pacer::new(pacing, "edgegap", url, &auth)
    }

    #[test]
    fn buckets_are_shared_within_an_account_only() {
        let first = pacer("https://pace.example", "a");
        assert!(Arc::ptr_eq(
            &first.buckets,
            &pacer("https://pace.example", "a").buckets
        ));
        for other in [
            pacer("https://pace.example", "b"),
            pacer("https://other.example", "a"),
        ] {
            assert!(!Arc::ptr_eq(&first.buckets, &other.buckets));
        }
        let share = paced(&Pacing::documented().one_of(2), "https://pace.example", "a");
        assert!(!Arc::ptr_eq(&first.buckets, &share.buckets));
    }

    #[test]
    fn buckets_are_dropped_with_their_last_client() {
        let first = pacer("https://gone.example", "a");
        let weak = Arc::downgrade(&first.buckets);
        drop(first);
        assert!(weak.upgrade().is_none());
    }
}
