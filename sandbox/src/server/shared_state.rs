//! State shared by listeners, the webhook sender and the `Sandbox`.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::request::RecordedRequest;
use crate::state::State;
use crate::webhooks::Webhook;

#[derive(Debug)]
pub(crate) struct SharedState {
    inner: Mutex<Inner>,
    /// Notified when a webhook may be due, or when the sandbox was dropped.
    webhook_due: Condvar,
    /// Notified when the clock was moved.
    clock_moved: Notify,
    /// Notified when a request was recorded.
    request_recorded: Notify,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) state: State,
    pub(crate) clock: Clock,
    /// Base URLs in the order of [`Platform::ALL`](crate::Platform::ALL).
    pub(crate) urls: [String; 4],
    ended: bool,
}

impl SharedState {
    pub(super) fn new(state: State, clock: Clock, urls: [String; 4]) -> Self {
        let inner = Inner {
            state,
            clock,
            urls,
            ended: false,
        };
        Self {
            inner: Mutex::new(inner),
            webhook_due: Condvar::new(),
            clock_moved: Notify::new(),
            request_recorded: Notify::new(),
        }
    }

    /// Ignores poisoning: only a test's own thread can panic here, and the state is consistent between
    /// requests.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the waiters after a request, which may also have moved the clock.
    pub(super) fn notify_request(&self) {
        self.webhook_due.notify_one();
        self.clock_moved.notify_waiters();
        self.request_recorded.notify_waiters();
    }

    pub(super) fn advance(&self, by: Duration) {
        self.lock().clock.advance(by);
        self.webhook_due.notify_one();
        self.clock_moved.notify_waiters();
    }

    /// Waits until the platforms' clock reaches `at`.
    pub(super) async fn sleep_until(&self, at: Duration) {
        loop {
            let mut moved = std::pin::pin!(self.clock_moved.notified());
            // Registers before the check, so that no notification is missed.
            moved.as_mut().enable();
            let clock = self.lock().clock;
            if clock.now() >= at {
                return;
            }
            match clock.until(at) {
                // The sleep ends the wait even if a test moved only tokio's clock.
                Some(left) => tokio::select! {
                    () = tokio::time::sleep(left) => return,
                    () = moved => {}
                },
                None => moved.await,
            }
        }
    }

    /// Returns the oldest recorded request that matches; waits until there is one.
    pub(super) async fn wait_for_request(
        &self,
        matches: impl Fn(&RecordedRequest) -> bool,
    ) -> RecordedRequest {
        // Number of the last request that was checked, so that each request is checked once.
        let mut last = 0;
        loop {
            let mut recorded = std::pin::pin!(self.request_recorded.notified());
            recorded.as_mut().enable();
            {
                let inner = self.lock();
                let requests = inner.state.recorded();
                let fresh = requests.partition_point(|request| request.number <= last);
                if let Some(found) = requests.range(fresh..).find(|one| matches(one)) {
                    return found.clone();
                }
                last = requests.back().map_or(last, |request| request.number);
            }
            recorded.await;
        }
    }

    /// Waits for due webhooks, at most until `until`. Returns `None` after the sandbox was dropped.
    pub(crate) fn next_webhooks(&self, until: Option<Instant>) -> Option<Vec<Webhook>> {
        let mut inner = self.lock();
        while !inner.ended {
            let now = inner.clock.now();
            let due = inner.state.take_due_webhooks(now);
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if !due.is_empty() || left.is_some_and(|left| left.is_zero()) {
                return Some(due);
            }
            let next = inner.state.next_webhook_at(now);
            let next = next.and_then(|at| inner.clock.until(at));
            inner = match next.into_iter().chain(left).min() {
                None => self
                    .webhook_due
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let woken = self.webhook_due.wait_timeout(inner, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        None
    }

    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.webhook_due.notify_one();
    }
}
