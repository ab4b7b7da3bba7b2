//! A value with the response around it.

use crate::transport::mask::Mask;
use crate::transport::rate_limit::RateLimit;
use crate::transport::response::request_id;
use crate::transport::{Scope, redact};
use http::HeaderMap;
use http::header::SET_COOKIE;
use std::time::Duration;

/// A value together with what the reply said beside it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response<T> {
    /// The value.
    pub value: T,
    /// The HTTP status: `202`.
    pub status: u16,
    /// All headers of the reply, without cookies.
    pub headers: ResponseHeaders,
    /// The id that the server gave to this HTTP request, if it gives one.
    pub request_id: Option<String>,
    /// What the platform says about its rate limit.
    pub rate_limit: Option<RateLimit>,
    /// How often sending the request was tried, repetitions included.
    pub attempts: u32,
    /// How long the call took.
    pub elapsed: Duration,
}

/// The headers of a reply. `Debug` shows the values of a few known, harmless ones only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeaders(pub(crate) HeaderMap);

impl ResponseHeaders {
    /// The value of a header, if it is there and readable; the name in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    /// All headers.
    pub fn as_map(&self) -> &HeaderMap {
        &self.0
    }
}

impl<T> Response<T> {
    pub(super) fn new(value: T, scope: &Scope) -> Self {
        let outcome = scope.outcome();
        let mut headers = outcome.headers;
        headers.remove(SET_COOKIE);
        // `Debug` does not show them.
        for (name, value) in &mut headers {
            if !redact::is_harmless_in_a_reply(name) {
                value.set_sensitive(true);
            }
        }
        Self {
            value,
            status: outcome.status,
            // A server may repeat an id that the caller sent, which counts as a secret.
            request_id: request_id(&headers).map(|id| Mask::of(&scope.secrets()).text(&id)),
            rate_limit: RateLimit::of(&headers),
            attempts: outcome.attempts,
            elapsed: outcome.elapsed,
            headers: ResponseHeaders(headers),
        }
    }
}
