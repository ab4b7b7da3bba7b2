//! A whole call: a token, a turn, an attempt; and again, if that can do no harm.

use super::credentials::{Auth, Held, Renewed};
use super::execute::timed_out;
use super::retry::may_repeat;
use super::spend::Spent;
use super::{Progress, Scope};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Operation;
use http::Method;
use reqwest::{Request, Response};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, field};

impl Scope {
    /// The whole call, within its deadline.
    pub(crate) async fn run(
        &self,
        request: Request,
        operation: Option<&'static Operation>,
    ) -> Result<Response> {
        let started = Instant::now();
        let method = request.method().clone();
        let span = self.span(&request, operation);
        let limit = self
            .options
            .deadline
            .unwrap_or_else(|| self.transport().limits.deadline(operation));
        // A limit beyond what the clock can count is as good as none that anybody lives to see.
        let far = Duration::from_secs(365 * 24 * 3600);
        let until = started.checked_add(limit).unwrap_or(started + far);
        let sent = self.guarded(request, operation, until);
        let result = match timeout_at(until, sent.instrument(span.clone())).await {
            Ok(result) => result,
            Err(_) => Err(self.cut_off(limit, operation, &method)),
        };
        let elapsed = started.elapsed();
        let Progress {
            attempts, effect, ..
        } = self.progress();
        if attempts > 1 {
            span.record("http.request.resend_count", attempts - 1);
        }
        match &result {
            Ok(response) => {
                span.record("http.response.status_code", response.status().as_u16());
            }
            Err(error) => {
                if let Some(status) = error.status() {
                    span.record("http.response.status_code", status);
                }
                span.record("error.type", field::debug(error.kind()));
            }
        }
        if let Some(outcome) = &mut self.trace().outcome {
            outcome.attempts = attempts;
            outcome.elapsed = elapsed;
        }
        result.map_err(|error| {
            let effect = error.effect().max(effect);
            error
                .with_attempts(attempts, elapsed)
                .with_effect(effect)
                .with_operation(operation)
                .assumed_idempotent(self.options.idempotent)
        })
    }

    /// Counts what spends, as long as it may have happened.
    async fn guarded(
        &self,
        request: Request,
        operation: Option<&'static Operation>,
        until: Instant,
    ) -> Result<Response> {
        let guard = self.transport().spend.as_ref();
        // Of a request without a wrapper nobody knows what it does.
        let spends = operation.map_or(*request.method() == Method::POST, |operation| {
            operation.behaviour.spends
        });
        let spent = guard.filter(|_| spends).map(|guard| guard.count());
        let mut spent = spent.transpose()?;
        let result = self
            .attempts(request, operation, until, spent.as_mut())
            .await;
        if let (Some(spent), Err(error)) = (spent, &result)
            && error.effect().max(self.progress().effect) == Effect::None
        {
            spent.give_back();
        }
        result
    }

    async fn attempts(
        &self,
        request: Request,
        operation: Option<&'static Operation>,
        until: Instant,
        mut spent: Option<&mut Spent<'_>>,
    ) -> Result<Response> {
        let policy = self.options.retry.as_ref();
        let mut waits = policy.unwrap_or(&self.transport().retry).waits();
        let mut renewed = false;
        loop {
            let mut attempt = copy_of(&request)?;
            let held = self.token().await?;
            if let Some((_, held)) = &held {
                self.authorize(&mut attempt, held)?;
            }
            self.transport().pacer.turn(operation, until).await?;
            if let Some(spent) = &mut spent {
                spent.goes_out(self.progress().effect == Effect::None);
            }
            self.begin_attempt();
            let result = self.attempt(attempt, operation).await;
            self.end_attempt(result.as_ref().err());
            if let Some(spent) = &mut spent
                && result.is_err()
                && self.progress().effect == Effect::None
            {
                spent.take_back();
            }
            let unauthenticated = matches!(&result, Err(error) if error.status() == Some(401));
            let error = match (result, &held) {
                (result, Some((tokens, held))) if !unauthenticated => {
                    if shows_that_it_was_taken(&result) {
                        tokens.accepted(held.generation);
                    }
                    match result {
                        Ok(response) => return Ok(response),
                        Err(error) => error,
                    }
                }
                (Ok(response), _) => return Ok(response),
                // A 401 did nothing, so a create may be repeated as well.
                (Err(error), Some((tokens, held))) if !renewed => {
                    renewed = true;
                    match tokens.instead_of(held.generation).await {
                        Ok(Some(_)) => continue,
                        Ok(None) => return Err(error),
                        Err(why) => {
                            return Err(error.with_source(why).with_advice(
                                "the token could not be renewed either: see source()",
                            ));
                        }
                    }
                }
                (Err(error), _) => error,
            };
            let error = error.with_operation(operation);
            if !may_repeat(&error, self.options.idempotent) {
                return Err(error);
            }
            let remaining = until.saturating_duration_since(Instant::now());
            let Some(wait) = waits.next(error.retry_after(), remaining) else {
                return Err(error);
            };
            tracing::debug!(
                error.type = ?error.kind(),
                http.response.status_code = error.status(),
                wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                "sending it again",
            );
            tokio::time::sleep(wait).await;
        }
    }

    /// The token of the next attempt, if this client's tokens are renewed.
    async fn token(&self) -> Result<Option<(&Renewed, Held)>> {
        match &self.transport().auth {
            Auth::Renewed(tokens) => Ok(Some((tokens, tokens.current().await?))),
            Auth::Fixed(_) | Auth::Cookie(_) | Auth::None => Ok(None),
        }
    }

    fn begin_attempt(&self) {
        let mut trace = self.trace();
        // What is left of the last one says nothing about this one.
        trace.outcome = None;
        trace.progress.attempts += 1;
        trace.progress.under_way = true;
    }

    fn end_attempt(&self, error: Option<&Error>) {
        let progress = &mut self.trace().progress;
        progress.under_way = false;
        if let Some(error) = error {
            progress.effect = progress.effect.max(error.effect());
        }
    }

    pub(super) fn progress(&self) -> Progress {
        self.trace().progress
    }

    /// The deadline came.
    fn cut_off(&self, limit: Duration, operation: Option<&Operation>, method: &Method) -> Error {
        let progress = self.progress();
        let error = timed_out("the call", limit, operation, method);
        if progress.under_way {
            return error;
        }
        // While it waited, for its turn or for a token.
        error.with_effect(progress.effect)
    }

    fn span(&self, request: &Request, operation: Option<&'static Operation>) -> tracing::Span {
        let url = request.url();
        let template = operation.map_or("", |operation| operation.path);
        tracing::info_span!(
            "deploykit.call",
            otel.name = %format_args!("{} {template}", request.method()),
            otel.kind = "client",
            deploykit.platform = self.transport().profile.api,
            deploykit.operation = operation.map_or("", |operation| operation.id),
            http.request.method = %request.method(),
            http.request.resend_count = field::Empty,
            server.address = url.host_str().unwrap_or_default(),
            server.port = url.port_or_known_default(),
            url.template = template,
            http.response.status_code = field::Empty,
            error.type = field::Empty,
        )
    }
}

/// Whether the platform got as far as to look at what the call wants.
fn shows_that_it_was_taken(result: &Result<Response>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => matches!(error.status(), Some(400 | 403 | 404 | 409 | 410 | 422)),
    }
}

/// The same request: the bytes of the body are shared, not read twice.
fn copy_of(request: &Request) -> Result<Request> {
    request
        .try_clone()
        .ok_or_else(|| Error::new(ErrorKind::InvalidRequest, "the body cannot be sent twice"))
}
