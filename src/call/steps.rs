//! Calls that send several requests.

use super::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Operation;
use crate::transport::Scope;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The first and the longest pause between lookups of a create.
const LOOKUP_PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

/// A call that sends several requests: its options apply to each, its deadline to all together.
pub(crate) struct Steps {
    pub scope: Scope,
    until: Option<Instant>,
}

/// A call that sends several requests.
pub(crate) fn in_steps<T, F, R>(scope: Scope, run: F) -> Call<T>
where
    T: Send + 'static,
    F: FnOnce(Steps) -> R + Send + 'static,
    R: Future<Output = Result<T>> + Send + 'static,
{
    Call::new(scope, move |scope| {
        run(Steps {
            until: Instant::now().checked_add(scope.deadline()),
            scope,
        })
    })
}

impl Steps {
    /// Sends one request.
    pub async fn run<T: Send + 'static>(&self, call: Call<T>) -> Result<T> {
        let scope = self.scope_for(call.operation());
        call.within(&scope).await
    }

    /// Sends a create, to which `assume_idempotent` does not apply. A third of the time is left for later requests.
    pub async fn create<T: Send + 'static>(&self, call: Call<T>) -> Result<T> {
        let mut scope = self.scope_for(call.operation());
        scope.options.idempotent = false;
        scope.options.deadline = scope.options.deadline.map(|left| left / 3 * 2);
        call.within(&scope).await
    }

    fn scope_for(&self, operation: Option<&Operation>) -> Scope {
        let has_body = |operation: Option<&Operation>| {
            operation.is_some_and(|operation| operation.content_type.is_some())
        };
        let mut scope = self.scope.clone();
        if let Some(until) = self.until {
            let left = until.saturating_duration_since(Instant::now());
            scope.options.deadline = Some(left);
        }
        // A field of the body is for the requests that have one.
        if has_body(scope.operation) && !has_body(operation) {
            scope.options.body_fields.clear();
        }
        scope
    }

    /// Creates a resource unless it exists.
    ///
    /// If the outcome of the create is unknown, looks for the resource until it is found or the deadline has
    /// passed. Nothing is created twice, because a resource that is not found may still appear.
    pub async fn create_once<T: Send + 'static>(
        &self,
        find: impl Fn() -> Call<Option<T>>,
        create: Call<T>,
    ) -> Result<T> {
        if let Some(found) = self.run(find()).await? {
            return Ok(found);
        }
        let error = match self.create(create).await {
            Err(error) if error.effect() == Effect::Unknown => error,
            known => return known,
        };
        let [mut pause, longest] = LOOKUP_PAUSES;
        loop {
            // A lookup that fails shows nothing.
            if let Ok(Some(found)) = self.run(find()).await {
                return Ok(found);
            }
            let next = Instant::now() + pause;
            if self.until.is_some_and(|until| next >= until) {
                return Err(error);
            }
            sleep_until(next).await;
            pause = (pause * 3 / 2).min(longest);
        }
    }

    /// The error for an invalid argument, before the first request.
    pub fn refused(&self, error: Error) -> Error {
        self.scope.complete(error)
    }

    /// An error that the client detects before it changes anything.
    pub fn error(&self, kind: ErrorKind, why: &str) -> Error {
        let outcome = self.scope.outcome();
        Error::new(kind, why)
            .with_effect(Effect::None)
            .with_operation(self.scope.operation)
            .with_attempts(outcome.attempts, outcome.elapsed)
    }
}
