//! What every request gets before it is sent, and what a preview shows of it.

use super::Scope;
use super::credentials::Auth;
use super::describe::{JSON, Parts};
use crate::operation::{Operation, TimeClass};
use crate::secret::{REDACTED, Secret};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue};
use reqwest::Request;

/// Sent with every request.
pub(crate) const AGENT: &str = concat!("deploykit/", env!("CARGO_PKG_VERSION"));
/// What the generator adds and no platform knows.
const API_VERSION: HeaderName = HeaderName::from_static("api-version");

impl Scope {
    /// Completes a request in place. An error means that it must not be sent: that a preview is all
    /// that was wanted, or that the request could not be completed.
    pub(crate) fn prepare(&self, request: &mut Request, id: &str) -> Result<(), &'static str> {
        if !crate::secret::is_exposing() {
            return Err(
                "secrets are not written out: call it through deploykit::raw::with_secrets",
            );
        }
        crate::secret::conceal_secrets();
        let operation = self.operation_or(id);
        let headers = request.headers_mut();
        headers.remove(API_VERSION);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, accepted(operation));
        }
        if let Some(content_type) = operation.and_then(text_body) {
            headers.insert(CONTENT_TYPE, content_type);
        }
        let transport = &self.transport;
        for (name, value) in transport.headers.iter().chain(&self.options.headers) {
            headers.insert(name.clone(), value.clone());
        }
        let preview_only = self.state().preview_only;
        match &transport.auth {
            Auth::Header(name, value) => drop(headers.insert(name.clone(), value.clone())),
            // The token is known only when it is sent.
            Auth::Renewed(_) if preview_only => {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(REDACTED));
            }
            Auth::Renewed(_) | Auth::None => {}
        }
        if let Some(json) = &self.options.json {
            headers.insert(CONTENT_TYPE, JSON);
            *request.body_mut() = Some(json.to_string().into());
        }
        for (name, value) in &self.options.query {
            request.url_mut().query_pairs_mut().append_pair(name, value);
        }
        if preview_only {
            let preview = self.parts(operation, request).describe();
            self.state().preview = Some(preview);
            return Err("preview");
        }
        Ok(())
    }

    pub(crate) fn parts<'a>(
        &'a self,
        operation: Option<&'static Operation>,
        request: &'a Request,
    ) -> Parts<'a> {
        Parts {
            profile: self.transport.profile,
            base_url: &self.transport.base_url,
            operation,
            method: request.method(),
            url: request.url(),
            headers: request.headers(),
            body: request.body().and_then(reqwest::Body::as_bytes),
            by_hand: &self.options.query,
            probe: false,
        }
    }

    /// The secrets of the request that was prepared last, which a response must not repeat.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let (sent, mut secrets) = {
            let state = self.state();
            (state.sent.clone(), state.tokens.clone())
        };
        if let Some((request, operation)) = sent {
            secrets.extend(self.parts(operation, &request).secrets());
        }
        secrets
    }
}

fn accepted(operation: Option<&Operation>) -> HeaderValue {
    match operation.map(|operation| operation.behaviour.time) {
        Some(TimeClass::Stream) => {
            HeaderValue::from_static("application/x-ndjson, application/json")
        }
        _ => JSON,
    }
}

/// The real type of a text body, which the generator knows only as plain text.
fn text_body(operation: &Operation) -> Option<HeaderValue> {
    let content_type = operation.content_type?;
    content_type
        .starts_with("text/")
        .then(|| HeaderValue::from_static(content_type))
}
