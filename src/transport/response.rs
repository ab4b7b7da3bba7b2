//! Reads responses: bodies up to a limit, converted to JSON for the generated client; request ids.

use super::Scope;
use super::failure::Target;
use super::limits::{ERROR_BYTES, ERROR_WAIT, time_class};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::TimeClass;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use reqwest::{Response, ResponseBuilderExt};
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

/// A declared `Content-Length` reserves at most this much memory, in bytes.
const MAX_RESERVED: u64 = 1 << 20;
/// Longest request id, in bytes.
const MAX_REQUEST_ID: usize = 200;

/// Reads a response, except the body of a stream, and maps failures to errors.
pub(super) async fn receive(
    scope: &Scope,
    mut response: Response,
    target: &Target,
    body_until: Instant,
) -> Result<Response> {
    let status = response.status();
    let length = response.content_length();
    let headers = std::mem::take(response.headers_mut());
    let pacer = &scope.transport.pacer;
    pacer.note_response(target.pace, status.as_u16(), &headers);
    // Set before the body is read, because the call may be dropped meanwhile.
    scope.state().outcome.status = status.as_u16();
    let streams = time_class(target.operation) == TimeClass::Stream;
    let result = if !status.is_success() {
        let body = read_start(response, body_until).await;
        Err(scope.failure(target, status.as_u16(), &headers, &body))
    } else if scope.streams(target) {
        Ok(response)
    } else {
        let url = response.url().clone();
        let limit = scope.transport.limits.reply_bytes;
        let body = read_all(response, length, limit).await;
        body.map_err(|error| error.with_effect(target.effect()))
            .map(|bytes| match streams {
                true => bytes,
                false => as_json(bytes, &headers),
            })
            .map(|body| local_response(status, url, body))
            .map_err(|error| error.with_status(status.as_u16()))
    };
    scope.state().outcome.headers = headers;
    result
}

/// A response with this body and without headers, which are kept in the scope.
pub(super) fn local_response(
    status: http::StatusCode,
    url: reqwest::Url,
    body: Vec<u8>,
) -> Response {
    let response = http::Response::builder().status(status).url(url).body(body);
    // Never an error: status and URL are valid.
    response.unwrap_or_default().into()
}

/// Reads a body of at most `limit` bytes.
async fn read_all(mut response: Response, length: Option<u64>, limit: usize) -> Result<Vec<u8>> {
    let reserved = length.unwrap_or(0).min(MAX_RESERVED) as usize;
    let mut body = Vec::with_capacity(reserved.min(limit));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                return Err(Error::new(
                    ErrorKind::Decode,
                    format!("the response is larger than {limit} bytes"),
                )
                .with_advice("if that is expected, raise max_reply_bytes"));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => {
                return Err(Error::new(
                    ErrorKind::Interrupted,
                    "the connection broke before the end of the response",
                )
                .with_source(error.without_url()));
            }
        }
    }
}

/// Reads the start of the body of a failure. Errors are ignored, because the status matters more.
async fn read_start(mut response: Response, until: Instant) -> Vec<u8> {
    let mut body = Vec::new();
    let until = until.min(Instant::now() + ERROR_WAIT);
    while body.len() < ERROR_BYTES {
        match timeout_at(until, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        }
    }
    body.truncate(ERROR_BYTES);
    body
}

/// The body of a success as JSON. Text becomes a JSON string, and an empty body `null`: Nexlayer sends
/// bare text where it documents a JSON string, and proxies send HTML.
fn as_json(mut bytes: Vec<u8>, headers: &HeaderMap) -> Vec<u8> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return b"null".to_vec();
    }
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    if is_json || serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() {
        return bytes;
    }
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Value::String(text).to_string().into_bytes()
}

/// The server's id for this HTTP request. An overlong id is ignored instead of truncated: the mask would not
/// find a truncated secret in it.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "request-id", "cf-ray"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
        .filter(|id| id.len() <= MAX_REQUEST_ID)
        .map(str::to_owned)
}
