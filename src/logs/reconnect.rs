//! Reconnection policy of a log stream: whether it reconnects, and its backoff.

use crate::transport::retry::Retry;
use std::time::Duration;

/// Minimum pause, so that a policy without backoff does not become a busy loop.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// Whether a stream reconnects, and the pauses before that.
pub(crate) struct Reconnect {
    pub enabled: bool,
    /// Pauses after a failure.
    pub after_failure: Backoff,
    /// Pauses after a complete response.
    pub after_end: Backoff,
    /// A longer `Retry-After` ends the stream.
    pub max_retry_after: Duration,
}

impl Reconnect {
    /// Uses the backoff of a retry policy. Without retries, the stream does not reconnect.
    pub fn from_retry(retry: &Retry) -> Self {
        Self {
            enabled: retry.max_retries > 0,
            after_failure: Backoff::of(retry),
            after_end: Backoff::of(retry),
            max_retry_after: retry.max_wait,
        }
    }
}

/// Exponential backoff with jitter.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
    /// The part of each pause without jitter, from 0 to 1.
    fixed: f64,
}

impl Backoff {
    /// The backoff of a retry policy, with full jitter.
    pub fn of(retry: &Retry) -> Self {
        Self::new(retry.initial_backoff, retry.max_backoff, 0.0)
    }

    /// Pauses between successful polls, with up to a quarter of jitter.
    pub fn between(first: Duration, max: Duration) -> Self {
        Self::new(first, max, 0.75)
    }

    fn new(first: Duration, max: Duration, fixed: f64) -> Self {
        let max = max.max(MIN_PAUSE);
        let first = first.clamp(MIN_PAUSE, max);
        Self {
            first,
            max,
            next: first,
            fixed,
        }
    }

    pub fn next(&mut self) -> Duration {
        let bound = self.next;
        self.next = bound.saturating_mul(2).min(self.max);
        bound.mul_f64(self.fixed + (1.0 - self.fixed) * fastrand::f64())
    }

    /// Restarts with the first pause.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_maximum() {
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::between(seconds(2), seconds(10));
        for bound in [2, 4, 8, 10, 10].map(seconds) {
            let pause = backoff.next();
            assert!(pause <= bound, "{pause:?} of {bound:?}");
            assert!(pause >= bound.mul_f64(0.75), "{pause:?} of {bound:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= seconds(2));
    }

    #[test]
    fn a_policy_without_backoff_still_pauses() {
        let none = Retry::default()
            .initial_backoff(Duration::ZERO)
            .max_backoff(Duration::ZERO);
        let mut backoff = Backoff::of(&none);
        let all: Duration = (0..1000).map(|_| backoff.next()).sum();
        assert!(all > Duration::from_secs(20), "{all:?}");
    }
}
