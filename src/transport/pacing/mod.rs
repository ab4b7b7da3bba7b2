//! Keeping to the rates that platforms allow.
//!
//! A rate belongs to an account, not to a client: all clients of this process with the same
//! platform, address and token share their buckets, and a fleet of processes may share a
//! [`SharedBudget`] on top.

mod bucket;
#[cfg(feature = "redis")]
mod redis_budget;
mod shared_budget;

pub use bucket::PaceState;
#[cfg(feature = "redis")]
pub use redis_budget::RedisBudget;
pub use shared_budget::{BudgetBucket, BudgetReply, Fallback, SharedBudget};

use crate::error::Result;
use crate::operation::{OPERATIONS, Operation};
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

/// How a client keeps to a platform's rate limits.
///
/// By default it keeps to the documented rates ([`Behaviour::pace`](crate::operation::Behaviour)): a
/// call that would be too much waits for its turn, first come, first served. The first in line is
/// refused at once if its turn comes after its deadline; those behind it when they are first or their
/// deadline is there. In no window does it send more than the platform allows.
/// Where the platform says by its headers that a window is used up, everybody waits for the next.
/// Where no rate is documented nothing waits.
///
/// Clients of this process share a rate if platform, address, token and this setting are the same.
/// Those whose tokens are renewed share it by the address alone, as their tokens change.
///
/// ```
/// # fn example<P: deploykit::Platform>(builder: deploykit::ClientBuilder<P>) -> deploykit::ClientBuilder<P> {
/// use deploykit::pacing::Pacing;
/// // Four processes work with one token: each takes a quarter.
/// builder.pacing(Pacing::documented().one_of(4))
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Pacing {
    off: bool,
    /// Number of processes that share the account; `None` for one.
    members: Option<NonZeroU32>,
    shared: Option<Shared>,
}

impl Pacing {
    /// Keeps to the documented rates.
    pub fn documented() -> Self {
        Self::default()
    }

    /// Keeps to none: for a server without limits. A 429 that says when to come back is still obeyed.
    pub fn off() -> Self {
        Self {
            off: true,
            ..Self::default()
        }
    }

    /// Takes this part of the rates, because so many processes share the account. 0 is as 1.
    pub fn one_of(mut self, members: u32) -> Self {
        self.members = NonZeroU32::new(members);
        self
    }

    /// Asks a budget that other processes share before every call.
    ///
    /// `otherwise` says what happens when the budget does not answer. Only then does
    /// [`one_of`](Self::one_of) count: as long as it answers, a process that is alone at work gets the
    /// whole rate.
    pub fn shared(mut self, budget: impl SharedBudget, otherwise: Fallback) -> Self {
        self.shared = Some(Shared::new(budget, otherwise));
        self
    }
}

impl fmt::Debug for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacing")
            .field("off", &self.off)
            .field("one_of", &self.members)
            .field("shared", &self.shared.is_some())
            .finish()
    }
}

/// The buckets of one account.
type Buckets = HashMap<&'static str, Bucket>;

/// Which buckets are the same: platform, address, a hash of the token, the part that is taken,
/// whether a fleet shares them.
type Account = (&'static str, String, u64, NonZeroU32, bool);

/// The buckets in use. They go when the last client that uses them goes.
static IN_USE: LazyLock<Mutex<HashMap<Account, Weak<Buckets>>>> = LazyLock::new(Mutex::default);
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The pacing of one client.
#[derive(Clone)]
pub(crate) struct Pacer {
    pub pacing: Pacing,
    buckets: Arc<Buckets>,
}

impl Pacer {
    /// The pacing for an account. Tokens that are renewed change, so all clients that renew theirs at
    /// one address share its buckets: rather too careful than not.
    pub fn new(pacing: &Pacing, api: &'static str, base_url: &str, auth: &Auth) -> Self {
        let token = HASHER.hash_one(match auth {
            Auth::Header(_, value) => Some(value.as_bytes()),
            Auth::Renewed(_) | Auth::None => None,
        });
        let members = pacing.members.unwrap_or(NonZeroU32::MIN);
        let fleet = pacing.shared.is_some();
        let buckets = match pacing.off {
            true => Arc::default(),
            false => in_use((api, base_url.to_owned(), token, members, fleet)),
        };
        Self {
            pacing: pacing.clone(),
            buckets,
        }
    }

    /// Waits until the operation may be sent.
    pub async fn turn(&self, operation: Option<&'static Operation>, until: Instant) -> Result<()> {
        match self.bucket(operation) {
            Some(bucket) => bucket.turn(self.pacing.shared.as_ref(), until).await,
            None => Ok(()),
        }
    }

    /// Learns from a reply that a window is used up.
    pub fn learn(&self, operation: Option<&'static Operation>, status: u16, headers: &HeaderMap) {
        if let Some(bucket) = self.bucket(operation) {
            bucket.learn(status, headers);
        }
    }

    /// How the buckets stand, by name.
    pub fn state(&self) -> Vec<PaceState> {
        let mut states: Vec<_> = self.buckets.values().map(Bucket::pace_state).collect();
        states.sort_by_key(|state| state.bucket);
        states
    }

    fn bucket(&self, operation: Option<&'static Operation>) -> Option<&Bucket> {
        self.buckets.get(operation?.behaviour.pace?.bucket)
    }
}

fn in_use(account: Account) -> Arc<Buckets> {
    let mut all = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(buckets) = all.get(&account).and_then(Weak::upgrade) {
        return buckets;
    }
    all.retain(|_, buckets| buckets.strong_count() > 0);
    let (api, _, _, members, fleet) = account;
    let paces = OPERATIONS
        .iter()
        .filter(|operation| operation.api == api)
        .filter_map(|operation| operation.behaviour.pace);
    let buckets: Buckets = paces
        .map(|pace| (pace.bucket, Bucket::new(api, pace, members, fleet)))
        .collect();
    let buckets = Arc::new(buckets);
    all.insert(account, Arc::downgrade(&buckets));
    buckets
}

#[cfg(all(test, feature = "edgegap"))]
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
    fn an_account_shares_its_buckets_and_no_other_does() {
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
        let part = paced(&Pacing::documented().one_of(2), "https://pace.example", "a");
        assert!(!Arc::ptr_eq(&first.buckets, &part.buckets));
    }

    #[test]
    fn buckets_go_with_their_last_client() {
        let first = pacer("https://gone.example", "a");
        let weak = Arc::downgrade(&first.buckets);
        drop(first);
        assert!(weak.upgrade().is_none());
    }
}
