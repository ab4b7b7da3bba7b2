//! Asking an address that is not the platform's whether anybody answers there.
//!
//! Nothing of this client goes along: no credentials, no headers or query of a caller, no cookies. No
//! redirect is followed, and of the reply nothing is read but its status.

use super::failure::Target;
use super::http_client::Connections;
use super::limits::PROBE;
use super::prepare::AGENT;
use super::send::network_error;
use super::wire::Wire;
use super::{Outcome, Scope};
use crate::error::{Error, ErrorKind, Result};
use crate::preview::{CANONICAL_VERSION, PreviewBody, RequestPreview};
use http::Method;
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use reqwest::{Request, Url};
use tokio::time::timeout;
use tracing::{Instrument, field};

impl Scope {
    /// The status with which an address answers a `GET`; `None` if it does not answer in time. The
    /// address must hold no secret: it is shown.
    ///
    /// It counts as no attempt of the call, and is never sent again by itself.
    pub(crate) async fn probe(&self, url: &Url) -> Result<Option<u16>> {
        if self.is_preview() {
            self.state().preview = Some(self.preview_of(url));
            return Err(Error::invalid_request("the request was not sent"));
        }
        let span = tracing::info_span!(
            "deploykit.probe",
            otel.name = "GET",
            otel.kind = "client",
            deploykit.platform = self.transport().profile.api,
            http.request.method = "GET",
            server.address = url.host_str().unwrap_or_default(),
            server.port = url.port_or_known_default(),
            http.response.status_code = field::Empty,
            error.type = field::Empty,
        );
        let limit = self.options.attempt.map_or(PROBE, |own| own.min(PROBE));
        let asked = timeout(limit, self.ask(url)).instrument(span.clone()).await;
        let error = match asked {
            Ok(Ok(status)) => {
                span.record("http.response.status_code", status);
                self.state().outcome = Outcome {
                    status,
                    ..Outcome::default()
                };
                return Ok(Some(status));
            }
            Ok(Err(error)) => error,
            Err(_) => Error::new(ErrorKind::Timeout, "no answer in time"),
        };
        span.record("error.type", field::debug(error.kind()));
        match error.kind() {
            // A certificate that does not fit yet among them.
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        }
    }

    async fn ask(&self, url: &Url) -> Result<u16> {
        match &self.transport().wire {
            Wire::Network => self.ask_there(url).await,
            #[cfg(feature = "testing")]
            Wire::Function(answer) => {
                let sent = self.sent_to(url);
                let reaction = answer.answer(&sent)?;
                let reply = reaction.play(&Target::READ).await?;
                Ok(reply.status().as_u16())
            }
        }
    }

    async fn ask_there(&self, url: &Url) -> Result<u16> {
        let mut request = Request::new(Method::GET, url.clone());
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        // A client of the caller's own may add credentials to everything, and follow redirects.
        let http = if self.transport().own_http {
            Connections::default().client(&self.transport().base_url, true)?
        } else {
            self.transport().http.clone()
        };
        let sent = http.execute(request).await;
        // The body is dropped unread, and with it the connection.
        sent.map(|response| response.status().as_u16())
            .map_err(|error| network_error(error, &Target::READ))
    }

    fn preview_of(&self, url: &Url) -> RequestPreview {
        RequestPreview {
            version: CANONICAL_VERSION,
            api: self.transport().profile.api,
            operation: None,
            method: Method::GET.to_string(),
            base_url: url.origin().ascii_serialization(),
            path: url.path().to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: PreviewBody::None,
        }
    }
}
