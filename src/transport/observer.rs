//! Reports the end of every call to the caller's function, for metrics and audit logs.

use super::Scope;
use crate::error::{Error, Result};
use crate::operation::Operation;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The outcome of one call. It contains no secrets.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallReport<'a> {
    /// The platform: `edgegap`.
    pub platform: &'static str,
    /// The operation; `None` for a call without a wrapper.
    pub operation: Option<&'static Operation>,
    /// The HTTP status of the last attempt, if there was a response.
    pub status: Option<u16>,
    /// Number of attempts; 0 if the call failed before the first one.
    pub attempts: u32,
    /// Duration of the call.
    pub elapsed: Duration,
    /// How the call ended.
    pub end: CallEnd<'a>,
}

/// How a call ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallEnd<'a> {
    /// The call succeeded.
    Succeeded,
    /// The call failed with this error.
    Failed(&'a Error),
    /// The caller dropped the call before its end. Requests that were sent may have taken effect.
    Dropped,
}

/// The function that gets the reports.
pub(crate) type Observer = Arc<dyn Fn(&CallReport<'_>) + Send + Sync>;

/// Runs a call and reports its end, also if the future is dropped.
pub(crate) async fn observed<T>(
    observer: Observer,
    scope: Scope,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mut reporter = Reporter {
        observer,
        scope,
        started: Instant::now(),
        reported: false,
    };
    let result = call.await;
    reporter.report(match &result {
        Ok(_) => CallEnd::Succeeded,
        Err(error) => CallEnd::Failed(error),
    });
    result
}

/// RAII guard: reports a dropped call on drop.
struct Reporter {
    observer: Observer,
    scope: Scope,
    started: Instant,
    reported: bool,
}

impl Reporter {
    fn report(&mut self, end: CallEnd<'_>) {
        self.reported = true;
        let (last_status, attempts) = {
            let state = self.scope.state();
            (state.outcome.status, state.outcome.attempts)
        };
        let error_status = match &end {
            CallEnd::Failed(error) => error.status(),
            CallEnd::Succeeded | CallEnd::Dropped => None,
        };
        (self.observer)(&CallReport {
            platform: self.scope.transport.profile.api,
            operation: self.scope.operation,
            status: error_status.or((last_status != 0).then_some(last_status)),
            attempts,
            elapsed: self.started.elapsed(),
            end,
        });
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        // A second panic during unwinding would abort the process.
        if !self.reported && !std::thread::panicking() {
            self.report(CallEnd::Dropped);
        }
    }
}
