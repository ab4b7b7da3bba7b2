//! Retry policy: which failures are retried, and when.
//!
//! A retry needs a transient failure, and a call that may be repeated: its method and operation are
//! idempotent, the caller set `assume_idempotent`, or the failed attempt had no effect.

use crate::error::{Effect, Error, ErrorKind};
use crate::operation::Operation;
use std::time::Duration;

/// Statuses of transient failures. Cloudflare sends 520 to 527.
const TRANSIENT: [u16; 14] = [
    408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527,
];

/// The retry policy: which failures are retried, and when.
///
/// A call is retried if all three conditions hold:
///
/// 1. Method: `GET`, `HEAD`, `PUT` or `DELETE`.
/// 2. Operation: marked as idempotent in the spec
///    ([`Behaviour::idempotent`](crate::operation::Behaviour)). A call without a wrapper
///    (`client.request(..)`) never is.
/// 3. Failure: timeout, broken connection, refused HTTP/2 stream, 408, 500, 502, 503, 504, 520 to 527, or a
///    429 with `Retry-After` or `X-RateLimit-Reset`.
///
/// [`Call::assume_idempotent`](crate::Call::assume_idempotent) replaces the first two. Connect errors,
/// refused HTTP/2 streams and a 429 with a wait time need only the third, because they had no effect. A
/// stream is refused by RST_STREAM with REFUSED_STREAM, or by GOAWAY with the id of an earlier stream. Never
/// retried: a 429 without a wait time, invalid certificates, and statuses that the spec marks as final.
///
/// The wait before a retry is the time that the platform requests, plus jitter; otherwise exponential
/// backoff with full jitter. If the wait would exceed a limit or the deadline, the call fails at once; see
/// [`Error::retry_after`](crate::Error::retry_after).
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
            max_wait: Duration::from_secs(120),
            budget: Duration::from_secs(120),
        }
    }
}

impl Retry {
    /// No retries.
    pub fn off() -> Self {
        Self::default().max_retries(0)
    }

    /// Maximum number of retries. Default: 2.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Upper bound of the first random wait. Default: 500 ms.
    pub fn initial_backoff(mut self, bound: Duration) -> Self {
        self.initial_backoff = bound;
        self
    }

    /// Upper bound of all random waits. Default: 8 s.
    pub fn max_backoff(mut self, bound: Duration) -> Self {
        self.max_backoff = bound;
        self
    }

    /// Longest wait that a platform may request. Default: 120 s, for rate-limit windows of a
    /// minute.
    pub fn max_wait(mut self, limit: Duration) -> Self {
        self.max_wait = limit;
        self
    }

    /// Longest sum of all waits of a call. Default: 120 s.
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

/// The waits of one call, in order.
pub(crate) struct Waits<'a> {
    policy: &'a Retry,
    retries: u32,
    /// Upper bound of the next random wait.
    bound: Duration,
    /// The rest of the budget.
    left: Duration,
}

impl Waits<'_> {
    /// The wait before the next attempt; `None` if there must be none. `remaining` is the time until the
    /// deadline.
    pub fn next(&mut self, asked: Option<Duration>, remaining: Duration) -> Option<Duration> {
        let asked = asked.unwrap_or_default();
        if self.retries >= self.policy.max_retries || asked > self.policy.max_wait {
            return None;
        }
        // With jitter on top of `Retry-After`, because all rejected clients got the same value.
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
    /// Whether a retry of this call is safe and may succeed, by the rules of [`Retry`](crate::Retry).
    ///
    /// The call has already used its own retries. Wait before you retry it, for
    /// [`retry_after`](Self::retry_after) if that is set.
    pub fn is_retryable(&self) -> bool {
        self.may_retry(self.is_assumed_idempotent())
    }

    /// Like [`is_retryable`](Self::is_retryable). `assumed` is whether the caller declared the call
    /// idempotent.
    pub(crate) fn may_retry(&self, assumed: bool) -> bool {
        if !self.is_transient() {
            return false;
        }
        // An HTTP/2 server that refuses a request sends no status.
        let is_refused = self.kind() == ErrorKind::Unavailable && self.status().is_none();
        let had_no_effect = self.effect() == Effect::None
            && (is_refused || matches!(self.kind(), ErrorKind::Connect | ErrorKind::RateLimited));
        let is_idempotent = assumed || self.operation().is_some_and(is_idempotent);
        had_no_effect || (is_idempotent && self.effect() != Effect::Applied)
    }

    /// Whether the next attempt may succeed.
    fn is_transient(&self) -> bool {
        if self.is_permanent() {
            return false;
        }
        if let Some(status) = self.status() {
            // A truncated response has a success status.
            let is_truncated = self.kind() == ErrorKind::Interrupted;
            let is_final = |operation: &Operation| operation.behaviour.final_on.contains(&status);
            if !(is_truncated || TRANSIENT.contains(&status))
                || self.operation().is_some_and(is_final)
            {
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

/// The first two conditions of [`Retry`]: method and operation.
fn is_idempotent(operation: &Operation) -> bool {
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
    fn backoff_doubles_up_to_its_maximum_with_full_jitter() {
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
            assert_eq!(waits.next(None, LONG), None, "no seventh retry");
        }
        for (index, bound) in [500, 1000, 2000, 2000, 2000, 2000].into_iter().enumerate() {
            let bound = Duration::from_millis(bound);
            assert!(longest[index] <= bound, "{longest:?}");
            assert!(longest[index] > bound.mul_f64(0.95), "{longest:?}");
            assert!(shortest[index] < bound.mul_f64(0.05), "{shortest:?}");
        }
    }

    #[test]
    fn a_wait_is_at_least_retry_after_and_within_the_limits() {
        let retry = Retry::default().max_retries(100);
        let wait = retry.waits().next(Some(seconds(7)), LONG).unwrap();
        assert!(wait >= seconds(7) && wait <= Duration::from_millis(7500));
        assert!(retry.waits().next(Some(seconds(119)), LONG).is_some());
        assert_eq!(retry.waits().next(Some(seconds(121)), LONG), None);
        assert_eq!(retry.waits().next(Some(Duration::MAX), LONG), None);
        assert_eq!(retry.waits().next(Some(seconds(7)), seconds(7)), None);

        let mut waits = retry.waits();
        assert!(waits.next(Some(seconds(50)), LONG).is_some());
        assert!(waits.next(Some(seconds(50)), LONG).is_some());
        assert_eq!(
            waits.next(Some(seconds(50)), LONG),
            None,
            "120 s for all waits"
        );
        assert_eq!(Retry::off().waits().next(None, LONG), None);
    }

    #[test]
    fn initial_backoff_may_be_zero_or_above_the_maximum() {
        let retry = Retry::default().initial_backoff(Duration::ZERO);
        assert_eq!(retry.waits().next(None, LONG), Some(Duration::ZERO));
        let retry = Retry::default()
            .initial_backoff(seconds(9))
            .max_backoff(seconds(1));
        assert!(retry.waits().next(None, LONG).unwrap() <= seconds(1));
    }
}
