//! Probes: a `GET` to an address that is not the platform's, such as the site of an application.
//!
//! A probe has no credentials, cookies, or headers and query of the caller. Redirects are not followed,
//! and only the status of the response is read.

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
    /// The status of a `GET`; `None` if there is no response in time. The address must not contain a
    /// secret, because it is shown.
    ///
    /// A probe does not count as an attempt and is not retried.
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
            by_hand: &[],
            probe: true,
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
        let limit = self.options.attempt.map_or(PROBE, |own| own.min(PROBE));
        let asked = timeout(limit, self.ask(&parts))
            .instrument(span.clone())
            .await;
        let error = match asked {
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
            // Also a certificate that is not valid yet.
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        }
    }

    async fn ask(&self, parts: &RequestParts<'_>) -> Result<u16> {
        if let Some(network) = &self.transport.fake_network {
            let reply = network.answer(parts)?.play(&Target::READ).await?;
            return Ok(reply.status().as_u16());
        }
        let mut request = Request::new(Method::GET, parts.url.clone());
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        // The caller's own client may add credentials and follow redirects.
        let http = match self.transport.own_http {
            true => Connections::default().client(&self.transport.base_url, true)?,
            false => self.transport.http.clone(),
        };
        let sent = http.execute(request).await;
        // Drops the body unread, and the connection with it.
        sent.map(|response| response.status().as_u16())
            .map_err(|error| network_error(error, &Target::READ))
    }
}
