//! What a program is told about every call: for metrics and audit, beside the `tracing` span.

use super::Scope;
use crate::error::{Error, Result};
use crate::operation::Operation;
use std::fmt;
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

/// Whom to tell.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&CallReport<'_>) + Send + Sync>);

impl Observer {
    pub fn new(tell: impl Fn(&CallReport<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Runs a call and tells how it ended, also when it is dropped.
    pub async fn watch<T>(self, scope: Scope, call: impl Future<Output = Result<T>>) -> Result<T> {
        let mut watched = Watched {
            observer: self,
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
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
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
        let of_error = match &end {
            CallEnd::Failed(error) => error.status(),
            CallEnd::Succeeded | CallEnd::Dropped => None,
        };
        let of_reply = Some(self.scope.outcome().status).filter(|status| *status != 0);
        (self.observer.0)(&CallReport {
            platform: self.scope.transport().profile.api,
            operation: self.scope.operation(),
            status: of_error.or(of_reply),
            attempts: self.scope.attempts(),
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
