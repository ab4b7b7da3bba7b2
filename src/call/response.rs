//! `Response`: a value with status, headers and statistics.

use crate::transport::mask::Mask;
use crate::transport::rate_limit::RateLimit;
use crate::transport::response::request_id;
use crate::transport::{Scope, redact};
use http::HeaderMap;
use http::header::SET_COOKIE;
use std::time::Duration;

/// A value with status, headers and statistics of its response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response<T> {
    /// The value.
    pub value: T,
    /// The HTTP status: `202`. 0 for a followed log whose response has not begun.
    pub status: u16,
    /// The headers, without cookies.
    pub headers: ResponseHeaders,
    /// The server's id for this HTTP request, if it sent one.
    pub request_id: Option<String>,
    /// The platform's rate limit, if the response has its headers.
    pub rate_limit: Option<RateLimit>,
    /// Number of attempts of the request, retries included. For a call of several requests: of the last.
    pub attempts: u32,
    /// Duration of that request.
    pub elapsed: Duration,
}

/// Response headers. `Debug` redacts all values except those of known harmless headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeaders(pub(crate) HeaderMap);

impl ResponseHeaders {
    /// The value of a header, if it exists and is ASCII. Names are case-insensitive.
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
        // `Debug` redacts sensitive values.
        for (name, value) in &mut headers {
            if !redact::is_harmless_response_header(name) {
                value.set_sensitive(true);
            }
        }
        Self {
            value,
            status: outcome.status,
            // A server may repeat an id that the caller sent as a secret header.
            request_id: request_id(&headers).map(|id| Mask::of(&scope.secrets()).text(&id)),
            rate_limit: RateLimit::of(&headers),
            attempts: outcome.attempts,
            elapsed: outcome.elapsed,
            headers: ResponseHeaders(headers),
        }
    }
}
