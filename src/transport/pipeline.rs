//! The pipeline of a call: spend limit, credentials, pacing, attempt, retry, deadline.

use super::credentials::{Auth, RenewedTokens};
use super::failure::Target;
use super::limits::time_class;
use super::spend_limit::CountedCreate;
use super::{Scope, redact, response};
use crate::error::{Effect, Error, ErrorKind, Result, with_unit};
use crate::operation::{TimeClass, find_route, general_pace};
use crate::secret::Secret;
use http::StatusCode;
use http::header::AUTHORIZATION;
use reqwest::{Request, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{Instrument, field};

/// Clamps deadlines: `Instant + Duration::MAX` overflows.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Scope {
    /// Sends a prepared request for the generated client.
    ///
    /// The client cannot return an [`Error`]. On failure, this stores the error in the scope and returns an
    /// empty response; the client's `post` hook then stops the call.
    pub(crate) async fn execute(&self, request: Request, id: &str) -> Response {
        let request = Arc::new(request);
        match self.run(&request, id).await {
            Ok(response) => response,
            Err(error) => {
                self.state().error = Some(error);
                response::local_response(StatusCode::OK, request.url().clone(), Vec::new())
            }
        }
    }

    /// Runs the steps within the deadline of the call.
    pub(crate) async fn run(&self, request: &Arc<Request>, id: &str) -> Result<Response> {
        let started = Instant::now();
        let operation = self.operation_or_find(id);
        let pace = match operation {
            Some(operation) => operation.behaviour.pace,
            None => {
                let api = self.transport.profile.api;
                let parts = self.parts(None, request);
                let (route, _) = find_route(api, parts.method.as_str(), parts.path());
                let pace = route.and_then(|route| route.behaviour.pace);
                pace.or_else(|| general_pace(api))
            }
        };
        let target = Target {
            operation,
            method: request.method().clone(),
            pace,
        };
        let deadline = self
            .options
            .deadline
            .unwrap_or_else(|| self.transport.limits.deadline(target.operation));
        let far = started + FAR;
        let until = started.checked_add(deadline).unwrap_or(far);
        {
            let mut state = self.state();
            state.last_request = Some((request.clone(), target.operation));
            state.outcome.attempts = 0;
            state.until = Some(until);
        }
        let span = self.span(request, &target);
        // Before a login and a request to a shared budget.
        if deadline.is_zero() || self.attempt_limit(&target).is_zero() {
            return self.finish(Err(self.no_time()), &target, Duration::ZERO, &span);
        }
        let steps = self.steps(request, &target, until).instrument(span.clone());
        // A stream may begin after the deadline, which limits only the waits before its last attempt.
        let cutoff = if self.streams(&target) { far } else { until };
        let result = match timeout_at(cutoff, steps).await {
            Ok(result) => result,
            Err(_) => Err(self.deadline_error(deadline, &target)),
        };
        self.finish(result, &target, started.elapsed(), &span)
    }

    /// The steps of a call, in order.
    async fn steps(&self, request: &Request, target: &Target, until: Instant) -> Result<Response> {
        let mut counted = self.count_create(target)?;
        let mut waits = self.retry().waits();
        let mut is_token_replaced = false;
        let streams = self.streams(target);
        loop {
            // The clone shares the bytes of the body.
            let mut attempt = request.try_clone().ok_or_else(|| {
                Error::invalid_request("the request body is a stream and cannot be retried")
            })?;
            // The deadline of a stream ends only these steps, any other ends the whole call.
            let token = match streams {
                false => self.authorize(&mut attempt).await?,
                // Boxed, because it would enlarge the future of every call.
                true => match Box::pin(timeout_at(until, self.authorize(&mut attempt))).await {
                    Ok(token) => token?,
                    Err(_) => return Err(self.no_time()),
                },
            };
            self.transport.pacer.wait_turn(target.pace, until).await?;
            let limit = self.attempt_limit(target);
            let now = Instant::now();
            if now >= until {
                return Err(self.no_time());
            }
            self.begin_attempt(counted.as_mut());
            let body_until = now.checked_add(limit).unwrap_or(until).min(until);
            let result = self.attempt(attempt, target, limit, body_until).await;
            self.end_attempt(&result, counted.as_mut());
            if let (Some((tokens, generation)), Some(status)) = (token, status_of(&result)) {
                tokens.note_status(generation, status);
            }
            let mut error = match result {
                Ok(response) => return Ok(response),
                Err(error) => error.with_operation(target.operation),
            };
            // A request with a 401 had no effect, so creates are retried as well.
            if let (Some((tokens, generation)), Some(401)) = (token, error.status())
                && !is_token_replaced
            {
                is_token_replaced = true;
                match Box::pin(timeout_at(until, tokens.replace(self, generation))).await {
                    Ok(Ok(true)) => continue,
                    Ok(Ok(false)) | Err(_) => {}
                    Ok(Err(cause)) => {
                        error = error
                            .with_source(cause)
                            .with_advice("the token could not be renewed: see source()");
                    }
                }
            }
            if !error.may_retry(self.options.idempotent) {
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

    /// Whether the response is a stream, whose head may come as late as any other byte: dployr sends it with
    /// the first log line.
    pub(super) fn streams(&self, target: &Target) -> bool {
        !self.options.buffer_stream && time_class(target.operation) == TimeClass::Stream
    }

    /// Time limit of an attempt.
    fn attempt_limit(&self, target: &Target) -> Duration {
        if self.streams(target) {
            return self.transport.limits.idle;
        }
        let limit = self.options.attempt_timeout;
        limit.unwrap_or_else(|| self.transport.limits.attempt_timeout(target.operation))
    }

    /// One attempt: sends the request and reads the response. The body of a failure is read until
    /// `body_until`: without it, the error still has the status.
    async fn attempt(
        &self,
        request: Request,
        target: &Target,
        limit: Duration,
        body_until: Instant,
    ) -> Result<Response> {
        let exchange = async {
            let response = match self.send(request, target).await {
                Err(error) if error.kind() == ErrorKind::Connect => {
                    return Err(error.with_advice(self.transport.connect_advice));
                }
                sent => sent?,
            };
            response::receive(self, response, target, body_until).await
        };
        match timeout(limit, exchange).await {
            Ok(result) => result,
            // A silent stream is not retried: its reader decides.
            Err(_) => Err(target.timed_out(limit).with_permanent(self.streams(target))),
        }
    }

    /// Counts the call against `max_creates`.
    fn count_create(&self, target: &Target) -> Result<Option<CountedCreate<'_>>> {
        let guard = self.transport.spend.as_ref();
        let counted = guard.filter(|_| target.spends()).map(|guard| guard.count());
        counted.transpose()
    }

    /// Adds a renewed token, if the client uses them. Returns the tokens and this token's generation.
    async fn authorize(&self, attempt: &mut Request) -> Result<Option<(&RenewedTokens, u64)>> {
        let Auth::Renewed(tokens) = &self.transport.auth else {
            return Ok(None);
        };
        let token = tokens.current(self).await?;
        let secrets = &mut self.state().tokens;
        let credential = redact::credential_in(&AUTHORIZATION, &token.header);
        secrets.push(Secret::new(credential));
        secrets.extend(token.tokens.refresh);
        attempt.headers_mut().insert(AUTHORIZATION, token.header);
        Ok(Some((tokens, token.generation)))
    }

    fn begin_attempt(&self, counted: Option<&mut CountedCreate<'_>>) {
        let mut state = self.state();
        if let Some(create) = counted {
            create.mark_sent(state.effect() == Effect::None);
        }
        state.outcome.status = 0;
        state.outcome.headers.clear();
        state.outcome.attempts += 1;
        state.is_attempting = true;
    }

    fn end_attempt(&self, result: &Result<Response>, counted: Option<&mut CountedCreate<'_>>) {
        let mut state = self.state();
        state.is_attempting = false;
        let Err(error) = result else {
            return;
        };
        let effect = state.effect().max(error.effect());
        state.effect = Some(effect);
        if let (Some(create), Effect::None) = (counted, effect) {
            create.mark_waiting();
        }
    }

    pub(super) fn no_time(&self) -> Error {
        let error = Error::new(ErrorKind::Timeout, "no time is left to send the request");
        error.with_effect(self.state().effect())
    }

    /// The error for a deadline that passed during an attempt, or while the call waited for pacing, a
    /// token or the next attempt.
    fn deadline_error(&self, deadline: Duration, target: &Target) -> Error {
        let state = self.state();
        if state.is_attempting {
            return target.timed_out(deadline);
        }
        let deadline = with_unit(deadline);
        let message = match state.outcome.attempts {
            0 => format!("not sent within the deadline of {deadline}"),
            _ => format!("all attempts failed within the deadline of {deadline}"),
        };
        Error::new(ErrorKind::Timeout, message).with_effect(state.effect())
    }

    /// Records the outcome in state and span, and completes the error.
    fn finish(
        &self,
        result: Result<Response>,
        target: &Target,
        elapsed: Duration,
        span: &tracing::Span,
    ) -> Result<Response> {
        let (attempts, effect) = {
            let mut state = self.state();
            state.outcome.elapsed = elapsed;
            (state.outcome.attempts, state.effect())
        };
        if attempts > 1 {
            span.record("http.request.resend_count", attempts - 1);
        }
        if let Some(status) = status_of(&result) {
            span.record("http.response.status_code", status);
        }
        result.map_err(|error| {
            span.record("error.type", field::debug(error.kind()));
            let effect = error.effect().max(effect);
            let error = error
                .with_attempts(attempts, elapsed)
                .with_effect(effect)
                .with_operation(target.operation)
                .with_assumed_idempotent(self.options.idempotent);
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
            deploykit.platform = self.transport.profile.api,
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

fn status_of(result: &Result<Response>) -> Option<u16> {
    match result {
        Ok(response) => Some(response.status().as_u16()),
        Err(error) => error.status(),
    }
}
