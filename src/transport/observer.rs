//! What a program is told about every call: for metrics and audit, beside the `tracing` span.

use super::Scope;
use crate::error::{Error, Result};
use crate::operation::Operation;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What became of one call. It holds no secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallReport<'a> {
    /// The platform: `edgegap`.
    pub platform: &'static str,
    /// The operation; `None` for one without a wrapper.
    pub operation: Option<&'static Operation>,
    /// The HTTP status of the last attempt, if there was a reply.
    pub status: Option<u16>,
    /// How often sending the request was tried; 0 for a call that was refused here.
    pub attempts: u32,
    /// How long the call took in all.
    pub elapsed: Duration,
    /// How it ended.
    pub end: CallEnd<'a>,
}

/// How a call ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallEnd<'a> {
    /// With a value.
    Succeeded,
    /// With this error, as the caller gets it.
    Failed(&'a Error),
    /// The caller dropped it before it ended. What was sent by then may have been done.
    Dropped,
}

/// The function that is told.
pub(crate) type Observer = Arc<dyn Fn(&CallReport<'_>) + Send + Sync>;

/// Runs a call and tells how it ended, also when it is dropped.
pub(crate) async fn observed<T>(
    observer: Observer,
    scope: Scope,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mut watched = Watched {
        observer,
        scope,
        started: Instant::now(),
        told: false,
    };
    let result = call.await;
    watched.tell(match &result {
        Ok(_) => CallEnd::Succeeded,
        Err(error) => CallEnd::Failed(error),
    });
    result
}

struct Watched {
    observer: Observer,
    scope: Scope,
    started: Instant,
    told: bool,
}

impl Watched {
    fn tell(&mut self, end: CallEnd<'_>) {
        self.told = true;
        let (of_reply, attempts) = {
            let state = self.scope.state();
            (state.outcome.status, state.outcome.attempts)
        };
        let of_error = match &end {
            CallEnd::Failed(error) => error.status(),
            CallEnd::Succeeded | CallEnd::Dropped => None,
        };
        (self.observer)(&CallReport {
            platform: self.scope.transport.profile.api,
            operation: self.scope.operation,
            status: of_error.or((of_reply != 0).then_some(of_reply)),
            attempts,
            elapsed: self.started.elapsed(),
            end,
        });
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // A panic of the observer on top of another one would end the process.
        if !self.told && !std::thread::panicking() {
            self.tell(CallEnd::Dropped);
        }
    }
}
