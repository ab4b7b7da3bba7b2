//! Retry policy: which failures are retried, and when.
//!
//! Three gates stand before a second attempt: the method, the operation's mark in the spec (or the
//! caller's word for it), and the class of the failure. What proves that nothing was done passes
//! the first two for every method.

use crate::error::{Effect, Error, ErrorKind};
use crate::operation::Operation;
use std::time::Duration;

/// Statuses of servers and proxies that are in trouble for the moment; 520 to 527 are Cloudflare's.
const PASSING: [u16; 14] = [
    408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527,
];

/// When a failed call is sent again.
///
/// A call is repeated only if that can help and cannot do harm:
///
/// 1. by the method: `GET` and `HEAD`; `PUT` and `DELETE` if the operation may be repeated; `POST`
///    and `PATCH` never;
/// 2. by the operation: its mark in the spec ([`Behaviour::idempotent`](crate::operation::Behaviour));
/// 3. by the failure: a time-out, a broken connection, 408, 500, 502, 503, 504, 520 to 527, or a 429
///    that says when to come back.
///
/// Of a call without a wrapper (`client.request(..)`) no spec says anything, so it does not pass the
/// second. [`Call::assume_idempotent`](crate::Call::assume_idempotent) opens the first two. A call for which
/// no connection could be made, and a 429 that says when to come back, is repeated whatever it is:
/// nothing was done. Neither is a 429 that says nothing, nor what another try would not change: a
/// certificate that does not fit, a platform whose 500 is a business answer.
///
/// Between attempts it waits as the platform asks (`Retry-After`, `X-RateLimit-Reset`), otherwise
/// for a random time below a bound that doubles with every attempt (full jitter). A wait above a
/// limit, the call's deadline included, is not begun: the error comes back at once and says how long
/// the platform asks to wait, see [`Error::retry_after`](crate::Error::retry_after).
///
/// ```
/// use deploykit::Retry;
/// use std::time::Duration;
/// let patient = Retry::default().max_retries(5).max_wait(Duration::from_secs(120));
/// let once = Retry::off();
/// # assert_ne!(patient, once);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    pub(crate) max_retries: u32,
    pub(crate) initial_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) max_wait: Duration,
    budget: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_retries: 2,
            initial_backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(8),
            max_wait: Duration::from_secs(30),
            budget: Duration::from_secs(60),
        }
    }
}

impl Retry {
    /// Every call is sent once.
    pub fn off() -> Self {
        Self::default().max_retries(0)
    }

    /// How often a call is sent again at most. Default: 2.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// The bound of the first random wait. Default: 500 ms.
    pub fn initial_backoff(mut self, bound: Duration) -> Self {
        self.initial_backoff = bound;
        self
    }

    /// What the bound of a random wait grows to at most. Default: 8 s.
    pub fn max_backoff(mut self, bound: Duration) -> Self {
        self.max_backoff = bound;
        self
    }

    /// How long a platform may ask to wait once. Default: 30 s.
    pub fn max_wait(mut self, limit: Duration) -> Self {
        self.max_wait = limit;
        self
    }

    /// How long a call waits between its attempts in all. Default: 60 s.
    pub fn budget(mut self, limit: Duration) -> Self {
        self.budget = limit;
        self
    }

    /// The waits of one call.
    pub(crate) fn waits(&self) -> Waits<'_> {
        Waits {
            policy: self,
            retries: 0,
            bound: self.initial_backoff.min(self.max_backoff),
            left: self.budget,
        }
    }
}

/// The waits of one call, one after the other.
pub(crate) struct Waits<'a> {
    policy: &'a Retry,
    retries: u32,
    /// The bound of the next random wait.
    bound: Duration,
    /// What is left of the budget.
    left: Duration,
}

impl Waits<'_> {
    /// How long to wait before the next attempt; `None` if there is none. `remaining` is what the
    /// deadline leaves.
    pub fn next(&mut self, asked: Option<Duration>, remaining: Duration) -> Option<Duration> {
        let asked = asked.unwrap_or_default();
        if self.retries >= self.policy.max_retries || asked > self.policy.max_wait {
            return None;
        }
        // On top of what was asked for, too: everybody who was refused was told the same moment.
        let wait = asked.saturating_add(self.bound.mul_f64(fastrand::f64()));
        if wait >= remaining {
            return None;
        }
        self.left = self.left.checked_sub(wait)?;
        self.retries += 1;
        self.bound = self.bound.saturating_mul(2).min(self.policy.max_backoff);
        Some(wait)
    }
}

impl Error {
    /// Whether sending the same call again could help and could do no harm, by the rules of
    /// [`Retry`](crate::Retry) for this operation.
    ///
    /// This crate has tried as often as its policy allows by then. After a
    /// [`retry_after`](Self::retry_after) it may be worth while.
    pub fn is_retryable(&self) -> bool {
        self.may_repeat(self.is_assumed_idempotent())
    }

    /// The same, with the caller's word that the call is idempotent.
    pub(crate) fn may_repeat(&self, assumed: bool) -> bool {
        if !self.is_passing() {
            return false;
        }
        let proves_nothing_done =
            matches!(self.kind(), ErrorKind::Connect | ErrorKind::RateLimited);
        (proves_nothing_done && self.effect() == Effect::None)
            || (self.effect() != Effect::Applied
                && (assumed || self.operation().is_some_and(is_repeatable)))
    }

    /// Whether the failure may be gone at the next attempt.
    fn is_passing(&self) -> bool {
        if self.is_permanent() {
            return false;
        }
        let behaviour = self.operation().map(|operation| &operation.behaviour);
        if let Some(status) = self.status() {
            // A response that was cut off had a success status.
            let cut = self.kind() == ErrorKind::Interrupted;
            if !cut && !PASSING.contains(&status) {
                return false;
            }
            if behaviour.is_some_and(|behaviour| behaviour.final_on.contains(&status)) {
                return false;
            }
        }
        match self.kind() {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted => true,
            ErrorKind::Unavailable | ErrorKind::Server => true,
            ErrorKind::RateLimited => self.retry_after().is_some(),
            _ => false,
        }
    }
}

/// The first two gates: the method, and the operation's mark in the spec.
fn is_repeatable(operation: &Operation) -> bool {
    matches!(operation.method, "GET" | "HEAD" | "PUT" | "DELETE") && operation.behaviour.idempotent
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn bounds_double_up_to_the_largest_and_jitter_is_full() {
        let retry = Retry::default()
            .max_retries(6)
            .max_backoff(seconds(2))
            .budget(LONG);
        let mut longest = [Duration::ZERO; 6];
        let mut shortest = [LONG; 6];
        for _ in 0..2000 {
            let mut waits = retry.waits();
            for index in 0..6 {
                let wait = waits.next(None, LONG).unwrap();
                longest[index] = longest[index].max(wait);
                shortest[index] = shortest[index].min(wait);
            }
            assert_eq!(waits.next(None, LONG), None, "six retries are six");
        }
        for (index, bound) in [500, 1000, 2000, 2000, 2000, 2000].into_iter().enumerate() {
            let bound = Duration::from_millis(bound);
            assert!(longest[index] <= bound, "{longest:?}");
            assert!(longest[index] > bound.mul_f64(0.95), "{longest:?}");
            assert!(shortest[index] < bound.mul_f64(0.05), "{shortest:?}");
        }
    }

    #[test]
    fn what_the_platform_asks_for_is_the_least_and_limits_hold() {
        let retry = Retry::default().max_retries(100);
        let wait = retry.waits().next(Some(seconds(7)), LONG).unwrap();
        assert!(wait >= seconds(7) && wait <= Duration::from_millis(7500));
        assert!(retry.waits().next(Some(seconds(30)), LONG).is_some());
        assert_eq!(retry.waits().next(Some(seconds(31)), LONG), None);
        assert_eq!(retry.waits().next(Some(Duration::MAX), LONG), None);
        assert_eq!(retry.waits().next(Some(seconds(7)), seconds(7)), None);

        let mut waits = retry.waits();
        assert!(waits.next(Some(seconds(25)), LONG).is_some());
        assert!(waits.next(Some(seconds(25)), LONG).is_some());
        assert_eq!(
            waits.next(Some(seconds(25)), LONG),
            None,
            "60 s for all waits"
        );
        assert_eq!(Retry::off().waits().next(None, LONG), None);
    }

    #[test]
    fn a_bound_of_nothing_is_no_wait() {
        let retry = Retry::default().initial_backoff(Duration::ZERO);
        assert_eq!(retry.waits().next(None, LONG), Some(Duration::ZERO));
        let retry = Retry::default()
            .initial_backoff(seconds(9))
            .max_backoff(seconds(1));
        assert!(retry.waits().next(None, LONG).unwrap() <= seconds(1));
    }
}
