//! Probe: a `GET` to a server other than the platform's, such as a deployed site.
//!
//! A probe sends no credentials or cookies, and neither headers nor query of the caller. It follows no
//! redirects and reads only the status of the response.

use super::Scope;
use super::failure::Target;
use super::headers::AGENT;
use super::http_client::Connections;
use super::limits::PROBE;
use super::redact::RequestParts;
use super::send::network_error;
use crate::error::{Error, ErrorKind, Result};
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};
use reqwest::{Request, Url};
use tokio::time::timeout;
use tracing::{Instrument, field};

impl Scope {
    /// Sends a `GET` and returns the status; `None` if the server cannot be reached or does not respond in
    /// time.
    ///
    /// A probe is not retried and does not count as an attempt. The URL must not contain a secret: previews
    /// and recordings show it.
    pub(crate) async fn probe(&self, url: &Url) -> Result<Option<u16>> {
        let base_url = url.origin().ascii_serialization();
        let parts = RequestParts {
            profile: self.transport.profile,
            base_url: &base_url,
            operation: None,
            method: &Method::GET,
            url,
            headers: &HeaderMap::new(),
            body: None,
            added_query: &[],
            added_fields: &[],
            is_probe: true,
        };
        if self.state().preview_only {
            self.state().preview = Some(parts.describe());
            return Err(Error::invalid_request("the request was not sent"));
        }
        let span = tracing::info_span!(
            "deploykit.probe",
            otel.name = "GET",
            otel.kind = "client",
            deploykit.platform = self.transport.profile.api,
            http.request.method = "GET",
            server.address = url.host_str().unwrap_or_default(),
            server.port = url.port_or_known_default(),
            http.response.status_code = field::Empty,
            error.type = field::Empty,
        );
        let limit = self
            .options
            .attempt_timeout
            .map_or(PROBE, |limit| limit.min(PROBE));
        let result = timeout(limit, self.send_probe(&parts))
            .instrument(span.clone())
            .await;
        let error = match result {
            Ok(Ok(status)) => {
                span.record("http.response.status_code", status);
                let outcome = &mut self.state().outcome;
                outcome.status = status;
                outcome.headers.clear();
                return Ok(Some(status));
            }
            Ok(Err(error)) => error,
            Err(_) => Error::new(ErrorKind::Timeout, "no response in time"),
        };
        span.record("error.type", field::debug(error.kind()));
        match error.kind() {
            ErrorKind::Configuration | ErrorKind::InvalidRequest => Err(error),
            _ => Ok(None),
        }
    }

    async fn send_probe(&self, parts: &RequestParts<'_>) -> Result<u16> {
        if let Some(network) = &self.transport.fake_network {
            let reply = network.answer(parts)?.play(&Target::READ).await?;
            return Ok(reply.status().as_u16());
        }
        let mut request = Request::new(Method::GET, parts.url.clone());
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        // A custom client may add credentials and follow redirects.
        let http = match self.transport.is_custom_http {
            true => Connections::default().client(&self.transport.base_url, true)?,
            false => self.transport.http.clone(),
        };
        let sent = http.execute(request).await;
        // Drops the body unread, which closes the connection.
        sent.map(|response| response.status().as_u16())
            .map_err(|error| network_error(error, &Target::READ))
    }
}
