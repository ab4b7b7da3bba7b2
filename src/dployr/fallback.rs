//! Documented calls that a server lacks, made in another way.

use super::{Client, Deployment};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::transport::Scope;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use std::ops::Deref;
use tokio::time::Instant;

/// Which way a documented call took.
///
/// The call goes out as it is documented, first and always. Another way is taken only if the server
/// says in plain text that it has no such route, or refuses to read one deployment as the
/// open-source control plane refuses all of them. Servers that have the route are never asked twice,
/// and no other failure leads here.
///
/// A client whose builder was told `without_fallbacks` takes no other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Via {
    /// As it is documented.
    Documented,
    /// By reading the list of deployments, page by page. Nothing is changed by it.
    Listing,
    /// By reading all variables of the service and writing them back with the change.
    ///
    /// It is **not atomic**: what somebody else sets in between is undone. It **deploys the service
    /// anew**, which interrupts it and, for one from git, builds it. Secret variables and the health
    /// check are sent along, so that they stay; a service without a health check has `/` afterwards.
    Rewrite,
    /// By stopping the service and then starting it. Both are queued, and if the start is refused
    /// the service stays stopped.
    StopAndStart,
}

impl Via {
    /// Whether it is not the documented way.
    pub fn is_fallback(self) -> bool {
        self != Self::Documented
    }
}

/// What a documented call gave, and which way it took. It stands for its value wherever a reference
/// to that is wanted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Routed<T> {
    /// The value.
    pub value: T,
    /// Which way was taken.
    pub via: Via,
}

impl<T> Routed<T> {
    pub(super) fn documented(value: T) -> Self {
        Self::by(Via::Documented, value)
    }

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

/// The requests of one call: its options hold for each, and its deadline for all of them.
pub(super) struct Steps {
    scope: Scope,
    until: Option<Instant>,
}

impl Steps {
    pub(super) fn of(scope: Scope) -> Self {
        let deadline = scope.deadline();
        Self {
            until: Instant::now().checked_add(deadline),
            scope,
        }
    }

    /// The next request.
    pub(super) async fn run<T: Send + 'static>(&self, call: Call<T>) -> Result<T> {
        let mut scope = self.scope.clone();
        if let Some(until) = self.until {
            let left = until.saturating_duration_since(Instant::now());
            scope.options_mut().deadline = Some(left);
        }
        call.within(&scope).await
    }

    /// Something that is seen here and was not said by the server, before anything was changed.
    pub(super) fn error(&self, kind: ErrorKind, why: &str) -> Error {
        let outcome = self.scope.outcome();
        Error::new(kind, why)
            .with_effect(Effect::None)
            .with_operation(self.scope.operation())
            .with_attempts(outcome.attempts, outcome.elapsed)
    }

    /// Whether the server has no such route, in the words of the control plane: 404 in plain text.
    /// Whatever else answers 404 is no reason to do something else.
    pub(super) fn lacks_route(&self, error: &Error) -> bool {
        let outcome = self.scope.outcome();
        let media = outcome.headers.get(CONTENT_TYPE);
        let media = media.and_then(|media| media.to_str().ok());
        error.kind() == ErrorKind::NoSuchRoute
            && error.status() == Some(404)
            && media.is_some_and(|media| media.starts_with("text/plain"))
    }

    /// The first deployment that fits, of all pages of the list.
    pub(super) async fn deployment(
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

/// Whether it is the refusal of the control plane that takes the id of a deployment for that of a
/// cluster. A caller who may not read the cluster is refused in the same words, and then again by
/// the list.
pub(super) fn is_misread_id(error: &Error) -> bool {
    error.status() == Some(403) && error.code() == Some("permission.viewer_role_required")
}
