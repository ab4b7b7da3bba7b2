//! Prepares requests: adds `User-Agent`, `Accept`, credentials, and the caller's headers and query.

use super::Scope;
use super::credentials::Auth;
use super::redact::{JSON, is_json};
use crate::error::{Error, Result};
use crate::operation::{Operation, TimeClass};
use crate::secret::REDACTED;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue};
use reqwest::Request;
use serde_json::Value;

/// The `User-Agent` of every request.
pub(crate) const AGENT: &str = concat!("deploykit/", env!("CARGO_PKG_VERSION"));
/// The generated clients send it, but no platform uses it.
const API_VERSION: HeaderName = HeaderName::from_static("api-version");

/// A header that a caller added, checked by [`extra_header`].
pub(crate) type ExtraHeader = (HeaderName, HeaderValue);

/// Headers that a caller cannot add, because this crate or the HTTP library sets them.
const RESERVED_HEADERS: [&str; 14] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Scope {
    /// Adds headers, credentials and the caller's options to a request.
    ///
    /// # Errors
    /// The reason why the request must not be sent: the call is a preview, or a direct caller of the
    /// generated client did not use `with_secrets`, so the request may contain `<redacted>`.
    pub(crate) fn prepare(&self, request: &mut Request, id: &str) -> Result<(), &'static str> {
        if !crate::secret::is_exposing() {
            return Err(
                "wrap the call in deploykit::raw::with_secrets: its secrets are redacted otherwise",
            );
        }
        crate::secret::conceal_secrets();
        let operation = self.operation_or_find(id);
        let headers = request.headers_mut();
        headers.remove(API_VERSION);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, accept(operation));
        }
        if let Some(content_type) = operation.and_then(text_content_type) {
            headers.insert(CONTENT_TYPE, content_type);
        }
        let transport = &self.transport;
        for (name, value) in transport.headers.iter().chain(&self.options.headers) {
            headers.insert(name.clone(), value.clone());
        }
        let preview_only = self.state().preview_only;
        match &transport.auth {
            Auth::Header(name, value) => drop(headers.insert(name.clone(), value.clone())),
            // The pipeline adds the token before each attempt.
            Auth::Renewed(_) if preview_only => {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(REDACTED));
            }
            Auth::Renewed(_) | Auth::None => {}
        }
        if let Some(json) = &self.options.json {
            headers.insert(CONTENT_TYPE, JSON);
            *request.body_mut() = Some(json.to_string().into());
        }
        if !self.options.body_fields.is_empty() {
            set_fields(request, &self.options.body_fields)?;
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
}

/// Sets fields in the JSON body of a request.
fn set_fields(request: &mut Request, fields: &[(String, Value)]) -> Result<(), &'static str> {
    let body = request.body().and_then(reqwest::Body::as_bytes);
    match serde_json::from_slice(body.unwrap_or_default()) {
        Ok(Value::Object(mut map)) if is_json(request.headers()) => {
            map.extend(fields.iter().cloned());
            *request.body_mut() = Some(Value::Object(map).to_string().into());
            Ok(())
        }
        _ => Err("its body is not a JSON object, so body_field cannot set a field of it"),
    }
}

fn accept(operation: Option<&Operation>) -> HeaderValue {
    match operation.map(|operation| operation.behaviour.time) {
        Some(TimeClass::Stream) => {
            HeaderValue::from_static("application/x-ndjson, application/json")
        }
        _ => JSON,
    }
}

/// The content type of a text body in the spec. The generated client always sends `text/plain`.
fn text_content_type(operation: &Operation) -> Option<HeaderValue> {
    let content_type = operation.content_type?;
    content_type
        .starts_with("text/")
        .then(|| HeaderValue::from_static(content_type))
}

/// Checks a header that a caller adds.
pub(crate) fn extra_header(name: &str, value: &str) -> Result<ExtraHeader> {
    let refused = |reason: &str| Error::invalid_request(format!("the header {name:?} {reason}"));
    let parsed: HeaderName = name.parse().map_err(|_| refused("is not a header name"))?;
    if RESERVED_HEADERS.contains(&parsed.as_str()) {
        return Err(refused("is set by the client"));
    }
    let mut value = HeaderValue::from_str(value).map_err(|_| refused("has an invalid value"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// Checks the name of a query parameter that a caller adds.
pub(crate) fn extra_query(scope: &Scope, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid_request("a query parameter has no name"));
    }
    if scope.transport.profile.secret_query.contains(&name) {
        return Err(Error::invalid_request(format!(
            "the query parameter {name:?} carries a credential: set it on the client"
        )));
    }
    Ok(())
}
