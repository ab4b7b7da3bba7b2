//! Errors for failure responses, and whether the platform acted.

use super::Scope;
use super::limits::EXCERPT_BYTES;
use super::mask::Mask;
use super::rate_limit::{header_text, wait_asked_for};
use super::response::request_id;
use crate::error::{Effect, Error, ErrorKind, with_unit};
use crate::operation::{Operation, Pace};
use http::{HeaderMap, Method, header};
use serde_json::Value;
use std::time::Duration;

/// Operation and method of a request, which decide whether it may change something.
pub(crate) struct Target {
    /// `None` for a request without a spec entry.
    pub operation: Option<&'static Operation>,
    pub method: Method,
    /// The rate limit that applies.
    pub pace: Option<Pace>,
}

impl Target {
    /// A request that only reads and has no spec entry, such as a probe.
    pub const READ: Self = Self {
        operation: None,
        method: Method::HEAD,
        pace: None,
    };

    /// Whether the request only reads. Without a spec entry, a `GET` may have side effects: on dployr, asking
    /// for the status of a service wakes it.
    pub fn reads_only(&self) -> bool {
        match self.operation {
            Some(operation) => operation.is_read_only(),
            None => matches!(self.method, Method::HEAD | Method::OPTIONS),
        }
    }

    /// Whether the request counts against `max_creates`.
    pub fn spends(&self) -> bool {
        match self.operation {
            Some(operation) => operation.behaviour.spends,
            None => self.method == Method::POST,
        }
    }

    /// The effect if no response arrived.
    pub fn effect(&self) -> Effect {
        match self.reads_only() {
            true => Effect::None,
            false => Effect::Unknown,
        }
    }

    /// The effect of a request with a failure status: none for 4xx, unknown for 5xx, 408 and redirects,
    /// unless the spec says that the platform acted.
    pub fn effect_of(&self, status: u16) -> Effect {
        let applied_on = self
            .operation
            .map_or(&[][..], |operation| operation.behaviour.applied_on);
        match status {
            status if applied_on.contains(&status) => Effect::Applied,
            400..=407 | 409..=499 => Effect::None,
            _ => self.effect(),
        }
    }

    pub fn timed_out(&self, limit: Duration) -> Error {
        let message = format!("no response within {}", with_unit(limit));
        Error::new(ErrorKind::Timeout, message).with_effect(self.effect())
    }
}

/// A failure response, as input of a platform's `classify`.
pub struct Failure<'a> {
    pub operation: Option<&'static Operation>,
    pub status: u16,
    pub headers: &'a HeaderMap,
    /// The body as text, at most 64 KiB.
    pub text: &'a str,
    /// The body, if it is JSON.
    pub json: Option<&'a Value>,
}

impl Failure<'_> {
    /// Whether the content type is plain text.
    pub fn is_plain_text(&self) -> bool {
        let content_type = header_text(self.headers, header::CONTENT_TYPE.as_str());
        content_type.is_some_and(|value| value.starts_with("text/plain"))
    }
}

/// The result of a platform's `classify`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classified {
    pub kind: ErrorKind,
    pub code: Option<String>,
    pub message: Option<String>,
    pub details: Option<Value>,
    pub resource_id: Option<String>,
    /// `None`: the effect follows from the status and the spec.
    pub effect: Option<Effect>,
    pub advice: Option<&'static str>,
}

impl Classified {
    /// The kind that follows from the status alone.
    pub fn from_status(status: u16) -> Self {
        let kind = match status {
            300..=399 => ErrorKind::Redirected,
            401 => ErrorKind::Unauthenticated,
            402 => ErrorKind::PlanLimit,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            405 => ErrorKind::NoSuchRoute,
            408 | 504 => ErrorKind::Timeout,
            409 => ErrorKind::Conflict,
            410 => ErrorKind::AlreadyRemoved,
            429 => ErrorKind::RateLimited,
            501 => ErrorKind::Unsupported,
            502 | 503 => ErrorKind::Unavailable,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Rejected,
        };
        Self {
            kind,
            ..Self::default()
        }
    }

    pub fn kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    pub fn advice(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    pub fn into_error(self, effect: Effect) -> Error {
        Error::new(self.kind, self.message.unwrap_or_default())
            .with_code(self.code)
            .with_details(self.details)
            .with_resource_id(self.resource_id)
            .with_effect(self.effect.unwrap_or(effect))
            .with_advice(self.advice)
    }
}

impl Scope {
    /// The error for a failure response, not yet redacted.
    pub(super) fn failure(
        &self,
        target: &Target,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Error {
        let text = String::from_utf8_lossy(body);
        let json: Option<Value> = serde_json::from_str(&text).ok();
        let mut classified = (self.transport.profile.classify)(&Failure {
            operation: target.operation,
            status,
            headers,
            text: &text,
            json: json.as_ref(),
        });
        // A body of plain text is the server's message. An HTML page is not.
        if classified.message.is_none() {
            let plain = match &json {
                Some(json) => json.as_str(),
                None => Some(&*text),
            };
            let plain = plain.filter(|plain| !plain.trim_start().starts_with('<'));
            classified.message = plain.map(str::to_owned);
        }
        if classified.kind == ErrorKind::Redirected {
            if let Some(origin) = redirect_origin(headers) {
                classified = classified.message(format!("redirected to {origin}"));
            }
            classified = classified.advice("redirects are not followed: check the base URL");
        }
        classified
            .into_error(target.effect_of(status))
            .with_status(status)
            .with_retry_after(wait_asked_for(status, headers))
            .with_request_id(request_id(headers))
            .with_body(text.into_owned())
    }

    /// Adds the failed request, and redacts its secrets in all text that may come from the server.
    pub(crate) fn redacted(&self, error: Error) -> Error {
        let (last, secrets) = self.last_request();
        // The entry of `OPERATIONS`.
        let entry = |operation: Option<&'static Operation>| operation.map(std::ptr::from_ref);
        let error = match last {
            Some((operation, request)) if entry(operation) == entry(error.operation()) => {
                error.with_request(request)
            }
            _ => error,
        };
        let mask = Mask::of(&secrets);
        error.rewritten(
            |text| mask.text(text),
            |json| mask.json(json),
            EXCERPT_BYTES,
        )
    }

    /// Adds status, attempts and operation to an error that occurred after the response, and redacts it.
    pub(crate) fn complete(&self, error: Error) -> Error {
        let (outcome, effect) = {
            let state = self.state();
            (state.outcome.clone(), state.effect())
        };
        let error = match outcome.status {
            0 => error,
            status => error.with_status(status),
        };
        // An earlier attempt may have had an effect.
        let effect = error.effect().max(effect);
        let error = error
            .with_effect(effect)
            .with_attempts(outcome.attempts, outcome.elapsed)
            .with_operation(self.operation);
        self.redacted(error)
    }
}

/// Scheme, host and port of a redirect's target. Its path and query may contain a token.
fn redirect_origin(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    let url = reqwest::Url::parse(location).ok()?;
    Some(url.origin().ascii_serialization())
}

#[cfg(test)]
pub(crate) use tests::classified;

#[cfg(test)]
mod tests {
    //! Helper for the tests of the platforms' `classify`.

    use super::{Classified, Failure};
    use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    /// The result of `classify` for this status and body.
    pub fn classified(
        classify: fn(&Failure<'_>) -> Classified,
        status: u16,
        content_type: &'static str,
        body: &str,
    ) -> Classified {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let json = serde_json::from_str(body).ok();
        classify(&Failure {
            operation: None,
            status,
            headers: &headers,
            text: body,
            json: json.as_ref(),
        })
    }
}
