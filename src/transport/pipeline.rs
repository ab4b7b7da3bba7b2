//! The pipeline: one request from the spend guard to a body that can be decoded.

use super::credentials::{Auth, Held, Renewed};
use super::failure::Target;
use super::spend::Spent;
use super::{Scope, reply};
use crate::error::{Effect, Error, Result};
use reqwest::{Request, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{Instrument, field};

/// Stands for a deadline that the clock cannot represent.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Scope {
    /// Sends a prepared request. A failure is left in the scope, where the generated client's `post`
    /// hook finds it; the response is empty then.
    pub(crate) async fn execute(&self, request: Request, id: &str) -> Response {
        match self.run(request, id).await {
            Ok(response) => response,
            Err(error) => {
                self.state().error = Some(error);
                http::Response::new("").into()
            }
        }
    }

    /// The whole call, within its deadline.
    async fn run(&self, request: Request, id: &str) -> Result<Response> {
        let started = Instant::now();
        let request = Arc::new(request);
        let target = Target {
            operation: self.operation_or(id),
            method: request.method().clone(),
        };
        self.state().sent = Some((request.clone(), target.operation));
        let span = self.span(&request, &target);
        let deadline = self
            .options()
            .deadline
            .unwrap_or_else(|| self.transport().limits.deadline(target.operation));
        let until = started.checked_add(deadline).unwrap_or(started + FAR);
        let steps = self
            .steps(&request, &target, until)
            .instrument(span.clone());
        let result = match timeout_at(until, steps).await {
            Ok(result) => result,
            Err(_) => Err(self.cut_off(deadline, &target)),
        };
        self.finish(result, &target, started.elapsed(), &span)
    }

    /// The steps of a call in their order.
    async fn steps(&self, request: &Request, target: &Target, until: Instant) -> Result<Response> {
        let mut spent = self.count_create(target)?;
        let mut waits = self.retry().waits();
        let mut renewed = false;
        loop {
            let mut attempt = copy_of(request)?;
            let token = self.authorize(&mut attempt).await?;
            self.transport().pacer.turn(target.operation, until).await?;
            self.begin_attempt(spent.as_mut());
            let result = self.attempt(attempt, target).await;
            self.end_attempt(&result, spent.as_mut());
            let error = match self.judge_token(result, token, &mut renewed).await {
                Judged::Response(response) => return Ok(response),
                Judged::Renewed => continue,
                Judged::Failed(error) => error.with_operation(target.operation),
            };
            if !error.may_repeat(self.options().idempotent) {
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
                "retrying",
            );
            tokio::time::sleep(wait).await;
        }
    }

    /// One attempt: send, read the response, and turn a failure into an error.
    async fn attempt(&self, request: Request, target: &Target) -> Result<Response> {
        let limit = self
            .options()
            .attempt
            .unwrap_or_else(|| self.transport().limits.attempt(target.operation));
        let exchange = async {
            let response = self.send(request, target).await?;
            reply::receive(self, response, target).await
        };
        match timeout(limit, exchange).await {
            Ok(result) => result,
            Err(_) => Err(target.timed_out("an attempt", limit)),
        }
    }

    /// Counts a call that spends against the client's limit.
    fn count_create(&self, target: &Target) -> Result<Option<Spent<'_>>> {
        let guard = self.transport().spend.as_ref();
        let counted = guard.filter(|_| target.spends()).map(|guard| guard.count());
        counted.transpose()
    }

    /// Adds the token to an attempt if this client's tokens are renewed.
    async fn authorize(&self, attempt: &mut Request) -> Result<Option<(&Renewed, u64)>> {
        let Auth::Renewed(tokens) = &self.transport().auth else {
            return Ok(None);
        };
        let held: Held = tokens.current().await?;
        super::prepare::insert_token(attempt, &held.header)
            .map_err(|error| Error::configuration("the token cannot be sent").with_source(error))?;
        let secrets = &mut self.state().tokens;
        secrets.push(super::prepare::bare(&held.header));
        secrets.extend(held.tokens.refresh.clone());
        Ok(Some((tokens, held.generation)))
    }

    /// Tells the source of tokens how its token fared, and renews it once after a 401: a 401 did
    /// nothing, so a create may be repeated as well.
    async fn judge_token(
        &self,
        result: Result<Response>,
        token: Option<(&Renewed, u64)>,
        renewed: &mut bool,
    ) -> Judged {
        let Some((tokens, generation)) = token else {
            return result.map_or_else(Judged::Failed, Judged::Response);
        };
        let error = match result {
            Ok(response) => {
                tokens.accepted(generation);
                return Judged::Response(response);
            }
            Err(error) => error,
        };
        match error.status() {
            Some(401) if !*renewed => *renewed = true,
            // The platform accepted the token before it refused the request.
            Some(400 | 403 | 404 | 409 | 410 | 422) => {
                tokens.accepted(generation);
                return Judged::Failed(error);
            }
            _ => return Judged::Failed(error),
        }
        match tokens.instead_of(generation).await {
            Ok(Some(_)) => Judged::Renewed,
            Ok(None) => Judged::Failed(error),
            Err(why) => Judged::Failed(
                error
                    .with_source(why)
                    .with_advice("the token could not be renewed either: see source()"),
            ),
        }
    }

    fn begin_attempt(&self, spent: Option<&mut Spent<'_>>) {
        let mut state = self.state();
        if let Some(spent) = spent {
            spent.goes_out(state.effect.unwrap_or(Effect::None) == Effect::None);
        }
        state.outcome = super::Outcome::default();
        state.attempts += 1;
        state.attempting = true;
    }

    fn end_attempt(&self, result: &Result<Response>, spent: Option<&mut Spent<'_>>) {
        let mut state = self.state();
        state.attempting = false;
        let Err(error) = result else {
            return;
        };
        let effect = state
            .effect
            .map_or(error.effect(), |effect| effect.max(error.effect()));
        state.effect = Some(effect);
        if let (Some(spent), Effect::None) = (spent, effect) {
            spent.take_back();
        }
    }

    /// The worst effect of the attempts that failed.
    pub(super) fn effect(&self) -> Effect {
        self.state().effect.unwrap_or(Effect::None)
    }

    pub(super) fn attempts(&self) -> u32 {
        self.state().attempts
    }

    /// The deadline passed: during an attempt, or while the call waited for its turn, a token or the
    /// next attempt.
    fn cut_off(&self, deadline: Duration, target: &Target) -> Error {
        let error = target.timed_out("the call", deadline);
        let state = self.state();
        match state.attempting {
            true => error,
            false => error.with_effect(state.effect.unwrap_or(Effect::None)),
        }
    }

    /// Records how the call ended, and redacts its error.
    fn finish(
        &self,
        result: Result<Response>,
        target: &Target,
        elapsed: Duration,
        span: &tracing::Span,
    ) -> Result<Response> {
        let (attempts, effect) = {
            let mut state = self.state();
            let attempts = state.attempts;
            state.outcome.attempts = attempts;
            state.outcome.elapsed = elapsed;
            (attempts, state.effect.unwrap_or(Effect::None))
        };
        if attempts > 1 {
            span.record("http.request.resend_count", attempts - 1);
        }
        let status = match &result {
            Ok(response) => Some(response.status().as_u16()),
            Err(error) => {
                span.record("error.type", field::debug(error.kind()));
                error.status()
            }
        };
        if let Some(status) = status {
            span.record("http.response.status_code", status);
        }
        result.map_err(|error| {
            let effect = error.effect().max(effect);
            let error = error
                .with_attempts(attempts, elapsed)
                .with_effect(effect)
                .with_operation(target.operation)
                .assumed_idempotent(self.options().idempotent);
            self.redacted(error)
        })
    }

    fn span(&self, request: &Request, target: &Target) -> tracing::Span {
        let url = request.url();
        let operation = target.operation;
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

/// What an attempt comes to, its token considered.
enum Judged {
    Response(Response),
    /// There is a new token: try again.
    Renewed,
    Failed(Error),
}

/// The same request: the bytes of the body are shared, not copied.
fn copy_of(request: &Request) -> Result<Request> {
    request
        .try_clone()
        .ok_or_else(|| Error::invalid_request("the body cannot be sent twice"))
}
