//! Sends one attempt: over the network, or to the fake network of a test.

use super::Scope;
use super::failure::Target;
use super::redact::RequestParts;
use crate::error::{Effect, Error, ErrorKind, Result};
use bytes::Bytes;
use futures_core::Stream;
use reqwest::{Body, Request, Response};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

const NO_CONNECTION: &str = "cannot connect";
/// A connection belongs to the tokio runtime that opened it.
const RUNTIME_ENDED: &str = "its tokio runtime has ended: build a client per runtime";
const BROKEN: &str = "the connection broke before the response";

impl Scope {
    /// Sends a request and returns the response, of which the body is not yet read.
    pub(super) async fn send(&self, request: Request, target: &Target) -> Result<Response> {
        if let Some(network) = &self.transport.fake_network {
            let response = network.answer(&self.parts(target.operation, &request))?;
            return response.play(target).await;
        }
        let sent = self.transport.http.execute(request).await;
        sent.map_err(|error| {
            let error = network_error(error, target);
            if self.transport.is_custom_http && error.kind() != ErrorKind::InvalidRequest {
                // A custom client may have followed a redirect after the platform acted.
                return error.with_effect(target.effect());
            }
            error
        })
    }
}

/// The error for a network failure.
pub(crate) fn network_error(error: reqwest::Error, target: &Target) -> Error {
    let host = error.url().and_then(|url| url.host_str());
    let cannot_connect = format!("{NO_CONNECTION} to {}", host.unwrap_or("the server"));
    // The URL may contain a session token.
    let error = error.without_url();
    let (kind, message, effect) = if error.is_builder() {
        let message = "cannot build the request";
        (ErrorKind::InvalidRequest, message, Effect::None)
    } else if error.is_connect() {
        (ErrorKind::Connect, &*cannot_connect, Effect::None)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, "no response in time", target.effect())
    } else if is_refusal(&error) {
        let message = "the server refused the request";
        (ErrorKind::Unavailable, message, Effect::None)
    } else {
        (ErrorKind::Interrupted, BROKEN, target.effect())
    };
    let cause = root_cause(&error).map(|cause| format!(": {cause}"));
    let message = format!("{message}{}", cause.unwrap_or_default());
    let advice = message.contains("runtime dropped").then_some(RUNTIME_ENDED);
    Error::new(kind, message)
        .with_effect(effect)
        .with_advice(advice)
        .with_permanent(is_tls(&error))
        .with_source(error)
}

/// Whether TLS failed. A retry does not help, because an invalid certificate stays invalid.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    #[cfg(feature = "rustls")]
    if error.is::<rustls::Error>() {
        return true;
    }
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        // `io::Error::source` skips the wrapped error.
        let wrapped = io
            .get_ref()
            .map(|wrapped| wrapped as &(dyn std::error::Error + 'static));
        return wrapped.is_some_and(is_tls);
    }
    error.source().is_some_and(is_tls)
}

/// Whether an HTTP/2 server reports that it has not processed the request: it refused the stream, or it
/// closes the connection and names an earlier stream as the last one. h2 reports a GOAWAY only to later
/// streams.
fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        let is_refused = error.reason() == Some(h2::Reason::REFUSED_STREAM);
        return error.is_remote() && (is_refused || error.is_go_away());
    }
    error.source().is_some_and(is_refusal)
}

/// The message of the innermost error: `Connection refused (os error 111)`.
fn root_cause(error: &dyn std::error::Error) -> Option<String> {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.last().map(ToString::to_string)
}

/// Replaces the network.
pub(crate) trait FakeNetwork: Send + Sync {
    /// The response or network failure for a request.
    ///
    /// # Errors
    /// If there is no response for this request. The call fails with this error.
    fn answer(&self, request: &RequestParts<'_>) -> Result<FakeResponse>;
}

/// Whether the response reaches the client, or how the network fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The whole response arrives.
    Whole,
    /// The connection breaks after the body.
    CutOff,
    /// Connecting fails.
    NoConnection,
    /// No response until the timeout.
    NoAnswer,
    /// The connection breaks before the response.
    Broken,
}

/// The result of a request: a response or a network failure, after a delay.
#[derive(Debug)]
pub(crate) struct FakeResponse {
    pub delay: Duration,
    pub delivery: Delivery,
    /// Not used if the network fails before the response.
    pub reply: http::Response<Vec<u8>>,
}

impl FakeResponse {
    /// Waits, then returns the response or the network failure.
    pub async fn play(self, target: &Target) -> Result<Response> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        match self.delivery {
            Delivery::Whole => Ok(self.reply.into()),
            Delivery::CutOff => Ok(self.reply.map(cut_off).into()),
            Delivery::NoAnswer => std::future::pending().await,
            Delivery::NoConnection => {
                let refused = io::ErrorKind::ConnectionRefused.into();
                Err(io_failure(ErrorKind::Connect, NO_CONNECTION, refused)
                    .with_effect(Effect::None))
            }
            Delivery::Broken => {
                let reset = io::ErrorKind::ConnectionReset.into();
                Err(io_failure(ErrorKind::Interrupted, BROKEN, reset).with_effect(target.effect()))
            }
        }
    }
}

fn io_failure(kind: ErrorKind, message: &str, cause: io::Error) -> Error {
    Error::new(kind, format!("{message}: {cause}")).with_source(cause)
}

/// A body that ends with a broken connection.
fn cut_off(body: Vec<u8>) -> Body {
    let broken = io::Error::from(io::ErrorKind::UnexpectedEof);
    Body::wrap_stream(Chunks(VecDeque::from([Ok(Bytes::from(body)), Err(broken)])))
}

/// A stream of these chunks.
struct Chunks(VecDeque<io::Result<Bytes>>);

impl Stream for Chunks {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front())
    }
}
