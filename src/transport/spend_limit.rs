//! A limit on what may be spent, for loops and agents that run wild.

use crate::error::{Effect, Error, ErrorKind, in_words};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// At most so many creates in any span of this length. Exact, and local: it protects an account,
/// where pacing protects a platform.
pub(crate) struct SpendGuard {
    most: usize,
    span: Duration,
    creates: Mutex<Creates>,
}

#[derive(Default)]
struct Creates {
    next: u64,
    /// When each create of the last span was sent; `None` while it waits for its turn, a token or
    /// another attempt.
    counted: BTreeMap<u64, Option<Instant>>,
}

impl Creates {
    fn add(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.counted.insert(number, None);
        number
    }
}

impl SpendGuard {
    pub fn new(most: u32, span: Duration) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            span,
            creates: Mutex::default(),
        }
    }

    /// Counts a create, or refuses it.
    pub fn count(&self) -> Result<Spent<'_>, Error> {
        let now = Instant::now();
        let left = |at: Instant| self.span.saturating_sub(now.duration_since(at));
        let mut creates = self.creates();
        creates
            .counted
            .retain(|_, sent| sent.is_none_or(|at| !left(at).is_zero()));
        if creates.counted.len() < self.most {
            let number = creates.add();
            return Ok(Spent {
                guard: self,
                number,
            });
        }
        let oldest = creates.counted.values().flatten().min();
        Err(Error::new(
            ErrorKind::SpendLimit,
            format!(
                "the limit of {} creates in {} is used up",
                self.most,
                in_words(self.span)
            ),
        )
        .with_effect(Effect::None)
        .with_retry_after(oldest.copied().map(left))
        .with_advice("if that many are expected, raise max_creates"))
    }

    fn creates(&self) -> MutexGuard<'_, Creates> {
        self.creates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A create that was counted. One that is dropped stays counted if it was sent: it may have happened.
#[must_use]
pub(crate) struct Spent<'a> {
    guard: &'a SpendGuard,
    number: u64,
}

impl Spent<'_> {
    /// It is sent now: the span begins with that, however long it waited before. If an earlier
    /// attempt may have created something, that stays counted beside this one.
    pub fn goes_out(&mut self, nothing_was_done: bool) {
        let mut creates = self.guard.creates();
        if !nothing_was_done {
            self.number = creates.add();
        }
        creates.counted.insert(self.number, Some(Instant::now()));
    }

    /// Nothing was created by it so far: it waits again.
    pub fn take_back(&mut self) {
        self.guard.creates().counted.insert(self.number, None);
    }
}

impl Drop for Spent<'_> {
    fn drop(&mut self) {
        let mut creates = self.guard.creates();
        if creates.counted.get(&self.number) == Some(&None) {
            creates.counted.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn sent(guard: &SpendGuard) -> Result<Spent<'_>, Error> {
        guard.count().map(|mut spent| {
            spent.goes_out(true);
            spent
        })
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_in_any_span() {
        let guard = SpendGuard::new(3, seconds(60));
        let mut allowed: Vec<Instant> = Vec::new();
        for _ in 0..600 {
            if sent(&guard).is_ok() {
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
        assert!(sent(&guard).is_ok());
        tokio::time::advance(seconds(20)).await;
        let error = guard.count().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::SpendLimit);
        assert_eq!(error.effect(), Effect::None);
        assert_eq!(error.retry_after(), Some(seconds(40)));
        let endless = SpendGuard::new(1, Duration::MAX);
        assert!(sent(&endless).is_ok());
        let error = endless.count().err().unwrap();
        assert_eq!(error.retry_after(), Some(Duration::MAX));
    }

    #[tokio::test(start_paused = true)]
    async fn what_did_not_happen_does_not_count() {
        let guard = SpendGuard::new(1, seconds(60));
        sent(&guard).unwrap().take_back();
        drop(guard.count().unwrap());
        drop(sent(&guard).unwrap());
        assert!(guard.count().is_err(), "what was sent may have happened");
        assert!(SpendGuard::new(0, seconds(1)).count().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_counts_and_its_span_begins_when_it_is_sent() {
        let guard = SpendGuard::new(1, seconds(60));
        let mut waits = guard.count().unwrap();
        tokio::time::advance(seconds(90)).await;
        let error = guard.count().err().unwrap();
        assert_eq!(error.retry_after(), None, "nobody knows when it is sent");
        waits.goes_out(true);
        tokio::time::advance(seconds(59)).await;
        assert!(guard.count().is_err());
        tokio::time::advance(seconds(1)).await;
        assert!(guard.count().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_may_have_created_something_stays_beside_the_next() {
        for (nothing_was_done, room) in [(true, true), (false, false)] {
            let guard = SpendGuard::new(2, seconds(60));
            let mut spent = sent(&guard).unwrap();
            spent.goes_out(nothing_was_done);
            assert_eq!(guard.count().is_ok(), room);
        }
    }
}
