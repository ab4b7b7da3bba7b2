//! A limit on what may be spent, for loops and agents that run wild.

use crate::error::{Effect, Error, ErrorKind};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// At most so many creates in any span of this length. Exact, and local: it protects an account,
/// where pacing protects a platform.
pub(crate) struct SpendGuard {
    most: usize,
    span: Duration,
    /// When those of the last span were sent, oldest first.
    sent: Mutex<VecDeque<Instant>>,
}

impl SpendGuard {
    pub fn new(most: u32, span: Duration) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            span,
            sent: Mutex::default(),
        }
    }

    /// Counts a create, or refuses it.
    pub fn count(&self) -> Result<Spent<'_>, Error> {
        let now = Instant::now();
        let mut sent = self.sent();
        while sent
            .front()
            .is_some_and(|at| now.duration_since(*at) >= self.span)
        {
            sent.pop_front();
        }
        if sent.len() < self.most {
            sent.push_back(now);
            return Ok(Spent {
                guard: self,
                at: now,
            });
        }
        let free = sent.front().map(|at| (*at + self.span).duration_since(now));
        Err(Error::new(
            ErrorKind::SpendLimit,
            format!(
                "this client may create {} in {:?}, and has; nothing was sent",
                self.most, self.span
            ),
        )
        .with_effect(Effect::None)
        .with_retry_after(free)
        .with_advice("if that many are wanted, raise max_creates"))
    }

    fn sent(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A create that was counted. One that is dropped stays counted: it may have happened.
#[must_use]
pub(crate) struct Spent<'a> {
    guard: &'a SpendGuard,
    at: Instant,
}

impl Spent<'_> {
    /// Nothing was created after all.
    pub fn give_back(self) {
        let mut sent = self.guard.sent();
        if let Some(index) = sent.iter().position(|at| *at == self.at) {
            sent.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_in_any_span() {
        let guard = SpendGuard::new(3, seconds(60));
        let mut allowed: Vec<Instant> = Vec::new();
        for _ in 0..600 {
            if guard.count().is_ok() {
                allowed.push(Instant::now());
            }
            tokio::time::advance(seconds(1)).await;
        }
        assert_eq!(allowed.len(), 30);
        for window in allowed.windows(4) {
            assert!(window[3] - window[0] >= seconds(60), "{window:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_refusal_says_when_there_is_room_again() {
        let guard = SpendGuard::new(1, seconds(60));
        assert!(guard.count().is_ok());
        tokio::time::advance(seconds(20)).await;
        let error = guard.count().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::SpendLimit);
        assert_eq!(error.effect(), Effect::None);
        assert_eq!(error.retry_after(), Some(seconds(40)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_did_not_happen_does_not_count() {
        let guard = SpendGuard::new(1, seconds(60));
        guard.count().unwrap().give_back();
        drop(guard.count().unwrap());
        assert!(guard.count().is_err(), "a dropped one may have happened");
        assert!(SpendGuard::new(0, seconds(1)).count().is_err());
    }
}
