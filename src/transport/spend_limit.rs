//! `max_creates`: limits the calls that cost money, as a guard against runaway loops and agents.

use crate::error::{Effect, Error, ErrorKind, with_unit};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Permits at most `limit` creates in every time span of this length.
pub(crate) struct SpendGuard {
    limit: usize,
    span: Duration,
    creates: Mutex<Creates>,
}

#[derive(Default)]
struct Creates {
    next_id: u64,
    /// When each counted create was sent, by id. `None` while it waits for pacing, a token or the next
    /// attempt.
    sent_at: BTreeMap<u64, Option<Instant>>,
}

impl Creates {
    fn add(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.sent_at.insert(id, None);
        id
    }
}

impl SpendGuard {
    pub fn new(limit: u32, span: Duration) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            span,
            creates: Mutex::default(),
        }
    }

    /// Counts a create, or rejects it if the limit is reached.
    pub fn count(&self) -> Result<CountedCreate<'_>, Error> {
        let now = Instant::now();
        let remaining = |sent_at: Instant| self.span.saturating_sub(now.duration_since(sent_at));
        let mut creates = self.creates();
        creates
            .sent_at
            .retain(|_, at| at.is_none_or(|at| !remaining(at).is_zero()));
        if creates.sent_at.len() < self.limit {
            return Ok(CountedCreate {
                guard: self,
                id: creates.add(),
            });
        }
        let oldest = creates.sent_at.values().flatten().min();
        Err(Error::new(
            ErrorKind::SpendLimit,
            format!(
                "the limit of {} creates in {} is used up",
                self.limit,
                with_unit(self.span)
            ),
        )
        .with_effect(Effect::None)
        .with_retry_after(oldest.copied().map(remaining))
        .with_advice("if that many are expected, raise max_creates"))
    }

    fn creates(&self) -> MutexGuard<'_, Creates> {
        self.creates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A counted create. On drop it stays counted if it was sent, because it may have taken effect.
#[must_use]
pub(crate) struct CountedCreate<'a> {
    guard: &'a SpendGuard,
    id: u64,
}

impl CountedCreate<'_> {
    /// Notes that an attempt is sent now. If an earlier attempt may have created something, both count.
    pub fn mark_sent(&mut self, nothing_was_done: bool) {
        let mut creates = self.guard.creates();
        if !nothing_was_done {
            self.id = creates.add();
        }
        creates.sent_at.insert(self.id, Some(Instant::now()));
    }

    /// Notes that the attempt created nothing, and that the create waits for the next attempt.
    pub fn mark_waiting(&mut self) {
        self.guard.creates().sent_at.insert(self.id, None);
    }
}

impl Drop for CountedCreate<'_> {
    fn drop(&mut self) {
        let mut creates = self.guard.creates();
        if creates.sent_at.get(&self.id) == Some(&None) {
            creates.sent_at.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn sent(guard: &SpendGuard) -> Result<CountedCreate<'_>, Error> {
        guard.count().map(|mut spent| {
            spent.mark_sent(true);
            spent
        })
    }

    #[tokio::test(start_paused = true)]
    async fn no_time_span_exceeds_the_limit() {
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
    async fn the_error_has_a_retry_after() {
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
    async fn creates_without_effect_do_not_count() {
        let guard = SpendGuard::new(1, seconds(60));
        sent(&guard).unwrap().mark_waiting();
        drop(guard.count().unwrap());
        drop(sent(&guard).unwrap());
        assert!(
            guard.count().is_err(),
            "a sent create may have taken effect"
        );
        assert!(SpendGuard::new(0, seconds(1)).count().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_create_counts_and_its_span_starts_when_it_is_sent() {
        let guard = SpendGuard::new(1, seconds(60));
        let mut waits = guard.count().unwrap();
        tokio::time::advance(seconds(90)).await;
        let error = guard.count().err().unwrap();
        assert_eq!(error.retry_after(), None, "not sent yet");
        waits.mark_sent(true);
        tokio::time::advance(seconds(59)).await;
        assert!(guard.count().is_err());
        tokio::time::advance(seconds(1)).await;
        assert!(guard.count().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_with_unknown_effect_counts_beside_the_next() {
        for (nothing_was_done, room) in [(true, true), (false, false)] {
            let guard = SpendGuard::new(2, seconds(60));
            let mut spent = sent(&guard).unwrap();
            spent.mark_sent(nothing_was_done);
            assert_eq!(guard.count().is_ok(), room);
        }
    }
}
