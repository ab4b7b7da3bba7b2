//! Fallbacks: equivalent calls where the server lacks a documented endpoint.

use super::{Client, Deployment};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::dployr::Op;
use crate::transport::Scope;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use std::ops::Deref;
use tokio::time::Instant;

/// The route that a documented call took.
///
/// The documented call is always sent first. The client falls back only if the server answers in plain
/// text that it has no such route, or refuses to read one deployment as the open-source control plane
/// refuses all of them. No other failure leads to a fallback.
///
/// `without_fallbacks` on the builder turns all fallbacks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Via {
    /// The documented call.
    Documented,
    /// The list of deployments was read, page by page. Nothing is changed.
    Listing,
    /// All variables of the service were read and written back with the change.
    ///
    /// It is **not atomic**: a concurrent change is undone. It **redeploys the service**, which
    /// interrupts it and, for one from git, builds it. Secret variables and the health check are sent
    /// along, so they stay; a service without a health check has `/` afterwards.
    Rewrite,
    /// The service was stopped and then started. Both are queued; if the start is refused, the service
    /// stays stopped.
    StopAndStart,
}

impl Via {
    /// Whether it is a fallback.
    pub fn is_fallback(self) -> bool {
        self != Self::Documented
    }
}

/// The value of a documented call and the route that the call took. Dereferences to the value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Routed<T> {
    /// The value.
    pub value: T,
    /// The route that the call took.
    pub via: Via,
}

impl<T> Routed<T> {
    pub(super) fn by(via: Via, value: T) -> Self {
        Self { value, via }
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Routed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Client {
    /// A call that makes several requests.
    pub(super) fn in_steps<T, F, R>(&self, op: Op, run: F) -> Call<T>
    where
        T: Send + 'static,
        F: FnOnce(Steps) -> R + Send + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        let falls_back = self.falls_back();
        Call::new(self.scope_of(op), move |scope| {
            run(Steps {
                until: Instant::now().checked_add(scope.deadline()),
                scope,
                falls_back,
            })
        })
    }
}

/// The requests of one call: its options apply to each, and its deadline to all of them.
pub(super) struct Steps {
    scope: Scope,
    until: Option<Instant>,
    falls_back: bool,
}

impl Steps {
    /// Makes a request.
    pub async fn run<T: Send + 'static>(&self, call: Call<T>) -> Result<T> {
        let mut scope = self.scope.clone();
        if let Some(until) = self.until {
            let left = until.saturating_duration_since(Instant::now());
            scope.options.deadline = Some(left);
        }
        call.within(&scope).await
    }

    /// Makes a documented request; `None` if the server lacks the endpoint and the client falls back.
    pub async fn documented<T: Send + 'static>(&self, call: Call<T>) -> Result<Option<T>> {
        match self.run(call).await {
            Err(error) if self.falls_back && self.lacks_route(&error) => Ok(None),
            result => result.map(Some),
        }
    }

    /// An error that is found here, before anything was changed.
    pub fn error(&self, kind: ErrorKind, why: &str) -> Error {
        let outcome = self.scope.outcome();
        Error::new(kind, why)
            .with_effect(Effect::None)
            .with_operation(self.scope.operation)
            .with_attempts(outcome.attempts, outcome.elapsed)
    }

    /// Whether the server lacks the route: the control plane answers 404 in plain text then.
    pub fn lacks_route(&self, error: &Error) -> bool {
        let outcome = self.scope.outcome();
        let media = outcome.headers.get(CONTENT_TYPE);
        let media = media.and_then(|media| media.to_str().ok());
        error.kind() == ErrorKind::NoSuchRoute
            && error.status() == Some(404)
            && media.is_some_and(|media| media.starts_with("text/plain"))
    }

    /// The first deployment that fits, from all pages of the list.
    pub async fn deployment(
        &self,
        client: &Client,
        fits: impl Fn(&Deployment) -> bool,
    ) -> Result<Option<Deployment>> {
        let mut before = None;
        for number in 1_u32.. {
            let list = client.deployments().page(number).page_size(100).list();
            let page = self.run(list).await?;
            let first = page.items.first().map(|deployment| deployment.id.clone());
            let more = page.has_next;
            if let Some(found) = page.into_iter().find(&fits) {
                return Ok(Some(found));
            }
            if !more || first.is_none() {
                break;
            }
            if first == before {
                let why = "the list of deployments gives the same page again";
                return Err(self.error(ErrorKind::Decode, why));
            }
            before = first;
        }
        Ok(None)
    }
}
