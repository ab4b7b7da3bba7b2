//! What the transport needs to know about a platform: constants and pure functions.

use crate::error::{Effect, Error, ErrorKind};
use crate::operation::Operation;
use crate::secret::Secret;
use http::HeaderMap;
use serde_json::Value;

/// Turns a success body into its canonical form, or finds that it is a failure after all.
pub(crate) type Normalise = fn(Value) -> Result<Value, Box<Classified>>;

/// A platform as the transport sees it.
pub struct Profile {
    pub api: &'static str,
    /// What stands in front of the token in `Authorization`: `Bearer`, `token`.
    pub scheme: &'static str,
    /// Where the platform is; `None` for one that everybody runs for themselves.
    pub base_url: Option<&'static str>,
    pub base_url_variable: &'static str,
    pub token_variable: &'static str,
    /// Query parameters that carry a credential, which the escape hatch refuses.
    pub secret_query: &'static [&'static str],
    /// Reads a failure.
    pub classify: fn(&Failure<'_>) -> Classified,
    /// Turns a success body into the one form that the spec's components describe, or finds that it
    /// is a failure after all.
    pub normalise: Option<Normalise>,
    /// Leaves the secrets out of a text body.
    pub redact_text: fn(&str) -> String,
    /// The secrets in a text body, so that a reply that repeats one can be masked.
    pub secrets_of_text: fn(&str) -> Vec<Secret>,
}

/// A reply that is not a success, as a platform's `classify` gets it.
pub struct Failure<'a> {
    #[allow(dead_code)] // Not every platform's rules depend on the operation.
    pub operation: Option<&'static Operation>,
    pub status: u16,
    pub headers: &'a HeaderMap,
    /// The body as text, at most 64 KiB.
    pub text: &'a str,
    /// The body as JSON, if it is.
    pub json: Option<&'a Value>,
}

impl Failure<'_> {
    /// Whether the reply is plain text, going by its content type.
    pub fn is_plain_text(&self) -> bool {
        self.headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("text/plain"))
    }
}

/// What a platform's `classify` makes of a failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Classified {
    pub kind: ErrorKind,
    pub code: Option<String>,
    pub message: Option<String>,
    pub details: Option<Value>,
    pub resource_id: Option<String>,
    /// `None` leaves it to the status and the spec.
    pub effect: Option<Effect>,
    pub advice: Option<&'static str>,
}

impl Classified {
    /// What the status alone says.
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
            code: None,
            message: None,
            details: None,
            resource_id: None,
            effect: None,
            advice: None,
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

    /// The error that it stands for.
    pub fn into_error(self, effect: Effect) -> Error {
        let mut error = Error::new(self.kind, self.message.unwrap_or_default())
            .with_code(self.code)
            .with_details(self.details)
            .with_resource_id(self.resource_id)
            .with_effect(self.effect.unwrap_or(effect));
        if let Some(advice) = self.advice {
            error = error.with_advice(advice);
        }
        error
    }
}

/// What may have been done, going by the status and what the spec says of the operation.
///
/// A plain read does nothing. A 4xx is a refusal. After a 5xx, and after a redirect of a call that
/// changes something, nobody can tell.
pub(crate) fn effect_of(
    operation: Option<&Operation>,
    method: &http::Method,
    status: u16,
) -> Effect {
    let applied =
        operation.is_some_and(|operation| operation.behaviour.applied_on.contains(&status));
    if applied {
        return Effect::Applied;
    }
    if reads_only(operation, method) {
        return Effect::None;
    }
    match status {
        408 => Effect::Unknown,
        400..=499 => Effect::None,
        _ => Effect::Unknown,
    }
}

/// Whether a call changes nothing on the server.
pub(crate) fn reads_only(operation: Option<&Operation>, method: &http::Method) -> bool {
    match operation {
        Some(operation) => operation.is_read_only(),
        // Without a wrapper nobody vouches for a GET (dployr's status wakes a service).
        None => method == http::Method::HEAD || method == http::Method::OPTIONS,
    }
}

/// Runs a platform's `classify` on a table of failures.
#[cfg(test)]
pub(crate) mod table {
    use super::{Classified, Failure};
    use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    /// What `classify` makes of this status and body.
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
