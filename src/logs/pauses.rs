//! How long to wait before the next connection, or before the next look.

use crate::transport::retry::Retry;
use std::time::Duration;

/// No pause has a smaller bound: a policy without a back-off must not make a busy loop of a server
/// that ends every reply at once.
const LEAST: Duration = Duration::from_millis(100);

/// Pauses that grow: each is a random part of a bound that doubles.
#[derive(Clone, Debug)]
pub(crate) struct Pauses {
    first: Duration,
    most: Duration,
    next: Duration,
    /// The part of the bound that is not left to chance.
    fixed: f64,
}

impl Pauses {
    /// Those of the policy, with full jitter: after an outage nobody comes back at the same time.
    pub fn of(retry: &Retry) -> Self {
        let (first, most) = retry.bounds();
        Self::new(first, most, 0.0)
    }

    /// Pauses between looks at something that is well: a quarter of each is left to chance.
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

    /// The next one is the first again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_grow_to_the_largest_and_begin_again() {
        let seconds = Duration::from_secs;
        let mut pauses = Pauses::between(seconds(2), seconds(10));
        for bound in [2, 4, 8, 10, 10].map(seconds) {
            let pause = pauses.next();
            assert!(
                pause <= bound && pause >= bound.mul_f64(0.75),
                "{pause:?} of {bound:?}"
            );
        }
        pauses.reset();
        assert!(pauses.next() <= seconds(2));
    }

    #[test]
    fn a_policy_without_a_back_off_is_no_busy_loop() {
        let none = Retry::default()
            .initial_backoff(Duration::ZERO)
            .max_backoff(Duration::ZERO);
        let mut pauses = Pauses::of(&none);
        let all: Duration = (0..1000).map(|_| pauses.next()).sum();
        assert!(all > Duration::from_secs(20), "{all:?}");
    }
}
