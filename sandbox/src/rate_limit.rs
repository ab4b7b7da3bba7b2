//! Rate limits in windows aligned with the clock.

use std::time::Duration;

/// A rate limit in clock-aligned windows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RateLimit {
    /// Number of the current window since the Unix epoch.
    window: u64,
    used: u64,
    disabled: bool,
}

/// The result of charging one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimitOutcome {
    pub(crate) allowed: bool,
    pub(crate) remaining: u64,
    /// End of the window in Unix seconds.
    pub(crate) reset: u64,
}

impl RateLimit {
    /// With `limits` false, every request is allowed and none is counted.
    pub(crate) fn new(limits: bool) -> Self {
        Self {
            disabled: !limits,
            ..Self::default()
        }
    }

    /// Charges one request. The window is `seconds` long and allows `limit` requests.
    pub(crate) fn take(&mut self, now: Duration, seconds: u64, limit: u64) -> RateLimitOutcome {
        let window = now.as_secs() / seconds.max(1);
        if window != self.window {
            (self.window, self.used) = (window, 0);
        }
        let allowed = self.used < limit;
        if !self.disabled {
            self.used = self.used.saturating_add(1);
        }
        RateLimitOutcome {
            allowed,
            remaining: limit.saturating_sub(self.used),
            reset: (window + 1) * seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_aligned_with_the_clock() {
        let mut limit = RateLimit::new(true);
        let mut take = |seconds| {
            let taken = limit.take(Duration::from_secs(seconds), 60, 2);
            (taken.allowed, taken.remaining, taken.reset)
        };
        assert_eq!(take(119), (true, 1, 120));
        assert_eq!(take(119), (true, 0, 120));
        assert_eq!(take(119), (false, 0, 120));
        assert_eq!(take(120), (true, 1, 180));
    }
}
