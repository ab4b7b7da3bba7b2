//! Sending an attempt, and what a failure of the network means.

use super::Scope;
use super::failure::Target;
use crate::error::{Effect, Error, ErrorKind, Result};
use reqwest::{Request, Response};

impl Scope {
    pub(super) async fn send(&self, request: Request, target: &Target) -> Result<Response> {
        if let Some(platform) = &self.transport.wire {
            let reaction = platform.answer(&self.parts(target.operation, &request))?;
            return reaction.play(target).await;
        }
        let sent = self.transport.http.execute(request).await;
        sent.map_err(|error| {
            let error = network_error(error, target);
            if self.transport.own_http && error.kind() == ErrorKind::Connect {
                // The caller's client may have followed a redirect after the platform acted.
                return error.with_effect(target.effect());
            }
            error
        })
    }
}

/// What a failure of the network means for a request.
pub(crate) fn network_error(error: reqwest::Error, target: &Target) -> Error {
    // The URL may hold a session token.
    let error = error.without_url();
    let (kind, message, effect) = if error.is_builder() {
        let message = "the request could not be built";
        (ErrorKind::InvalidRequest, message, Effect::None)
    } else if error.is_connect() {
        let message = "no connection could be made";
        (ErrorKind::Connect, message, Effect::None)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, "no answer in time", target.effect())
    } else {
        let message = "the connection broke before there was a reply";
        (ErrorKind::Interrupted, message, target.effect())
    };
    let cause = root_cause(&error).map(|cause| format!(": {cause}"));
    let message = format!("{message}{}", cause.unwrap_or_default());
    let lasting = is_tls(&error);
    let mut error = Error::new(kind, message)
        .with_effect(effect)
        .with_source(error);
    error.0.lasting = lasting;
    error
}

/// Whether the two ends cannot agree on TLS: a wrong certificate is still wrong a second later.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    #[cfg(feature = "rustls")]
    if error.is::<rustls::Error>() {
        return true;
    }
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        // Its source is the source of the wrapped error, which is skipped otherwise.
        let wrapped = io
            .get_ref()
            .map(|wrapped| wrapped as &(dyn std::error::Error + 'static));
        return wrapped.is_some_and(is_tls);
    }
    error.source().is_some_and(is_tls)
}

/// The innermost error: `Connection refused (os error 111)`.
fn root_cause(error: &dyn std::error::Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Some(cause.to_string())
}
