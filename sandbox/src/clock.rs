//! The platforms' clock: real time with an offset, or manual.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2026-11-24T02:24:00Z: the start of a manual clock, and of every rate-limit window.
const START: Duration = Duration::from_secs(1_795_487_040);
/// 9999-01-01, the maximum of every clock: the platforms write years with four digits.
pub(crate) const END: Duration = Duration::from_secs(253_370_764_800);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// Real time plus `ahead`.
    Real { ahead: Duration },
    /// Moves by `tick` with each request.
    Manual { now: Duration, tick: Duration },
}

impl Clock {
    pub(crate) fn real() -> Self {
        Clock::Real {
            ahead: Duration::ZERO,
        }
    }

    pub(crate) fn manual(tick: Duration) -> Self {
        Clock::Manual { now: START, tick }
    }

    /// Time since the Unix epoch.
    pub(crate) fn now(self) -> Duration {
        match self {
            Clock::Real { ahead } => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                now.unwrap_or_default().saturating_add(ahead).min(END)
            }
            Clock::Manual { now, .. } => now,
        }
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        let (Clock::Real { ahead: at } | Clock::Manual { now: at, .. }) = self;
        *at = at.saturating_add(by).min(END);
    }

    /// Moves a ticking clock for a new request. Returns the time of the request.
    pub(crate) fn tick(&mut self) -> Duration {
        if let Clock::Manual { tick, .. } = *self {
            self.advance(tick);
        }
        self.now()
    }

    /// Real time left until `at`; `None` on a manual clock.
    pub(crate) fn until(self, at: Duration) -> Option<Duration> {
        match self {
            Clock::Real { .. } => Some(at.saturating_sub(self.now())),
            Clock::Manual { .. } => None,
        }
    }

    pub(crate) fn is_manual(self) -> bool {
        matches!(self, Clock::Manual { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_advanced() {
        let mut clock = Clock::manual(Duration::ZERO);
        assert_eq!(clock.tick(), START);
        assert_eq!((clock.now(), START.as_secs() % 3_600), (START, 24 * 60));
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), START + Duration::from_secs(5));
        assert_eq!(clock.until(Duration::MAX), None);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), END);
    }

    #[test]
    fn a_ticking_clock_moves_with_each_request() {
        let mut clock = Clock::manual(Duration::from_millis(10));
        assert_eq!(clock.tick(), START + Duration::from_millis(10));
        assert_eq!(clock.now(), START + Duration::from_millis(10));
        assert_eq!(clock.tick(), START + Duration::from_millis(20));
    }

    #[test]
    fn a_real_clock_can_be_advanced() {
        let mut clock = Clock::real();
        let before = clock.now();
        clock.advance(Duration::from_secs(3_600));
        let now = clock.now();
        assert!(now >= before + Duration::from_secs(3_600));
        assert!(clock.until(now + Duration::from_secs(60)).unwrap() <= Duration::from_secs(60));
    }
}
