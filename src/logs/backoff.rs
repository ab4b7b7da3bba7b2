//! Growing pauses between connections, or between polls.

use crate::transport::retry::Retry;
use std::time::Duration;

/// Lower limit: a policy without backoff must not turn into a busy loop.
const LEAST: Duration = Duration::from_millis(100);

/// Pauses below a bound that doubles.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
    /// The part of each pause that is not random.
    fixed: f64,
}

impl Backoff {
    /// The backoff of a retry policy, with full jitter.
    pub fn of(retry: &Retry) -> Self {
        Self::new(retry.initial_backoff, retry.max_backoff, 0.0)
    }

    /// Pauses between successful polls; a quarter of each is random.
    pub fn between(first: Duration, most: Duration) -> Self {
        Self::new(first, most, 0.75)
    }

    fn new(first: Duration, most: Duration, fixed: f64) -> Self {
        let most = most.max(LEAST);
        let first = first.clamp(LEAST, most);
        Self {
            first,
            most,
            next: first,
            fixed,
        }
    }

    pub fn next(&mut self) -> Duration {
        let bound = self.next;
        self.next = bound.saturating_mul(2).min(self.most);
        bound.mul_f64(self.fixed + (1.0 - self.fixed) * fastrand::f64())
    }

    /// Starts again with the first pause.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
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
