//! One request to one reply, within the limits of an attempt.

use super::limits::time_class;
use super::profile::{effect_of, reads_only};
use super::reply::{self, Body};
use super::wire::{LocalReply, Wire};
use super::{Outcome, Scope};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::{Operation, TimeClass};
use crate::secret::Concealed;
use http::Method;
use reqwest::{Request, Response};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// The status of the reply that stands for a failure that the generated client must not interpret.
/// Real servers do not send it, and the error that explains it is kept beside it.
const STANDS_FOR_AN_ERROR: u16 = 599;

impl Scope {
    /// Sends a prepared request. What goes wrong is kept in the scope, where [`reply::finish`] finds
    /// it; the generated client gets a reply in every case.
    pub(crate) async fn execute(&self, request: Request, id: &str) -> Response {
        let operation = self.operation_or(id);
        let scope = self.clone();
        let run = async move { scope.run(request, operation).await };
        // The request is written by now, and what follows may be logged.
        match Concealed(Box::pin(run)).await {
            Ok(response) => response,
            Err(error) => {
                let status = error.status().unwrap_or(STANDS_FOR_AN_ERROR);
                self.trace().error = Some(error);
                local(status)
            }
        }
    }

    /// One attempt.
    pub(crate) async fn attempt(
        &self,
        request: Request,
        operation: Option<&'static Operation>,
    ) -> Result<Response> {
        let limit = self
            .options
            .attempt
            .unwrap_or_else(|| self.transport().limits.attempt(operation));
        let method = request.method().clone();
        let exchange = async {
            let response = self.send(request, operation).await?;
            self.receive(response, operation, &method).await
        };
        match timeout(limit, exchange).await {
            Ok(result) => result,
            Err(_) => Err(timed_out("an attempt", limit, operation, &method)),
        }
    }

    async fn send(
        &self,
        request: Request,
        operation: Option<&'static Operation>,
    ) -> Result<Response> {
        match &self.transport().wire {
            Wire::Network => self.send_out(request, operation).await,
            #[cfg(feature = "testing")]
            Wire::Function(answer) => {
                let sent = std::sync::Arc::new(self.sent(operation, &request));
                let reaction = answer.answer(&sent)?;
                reaction.play(operation, &sent.method).await
            }
        }
    }

    async fn send_out(
        &self,
        request: Request,
        operation: Option<&'static Operation>,
    ) -> Result<Response> {
        let method = request.method().clone();
        let sent = self.transport().http.execute(request).await;
        sent.map_err(|error| {
            let error = reply::network_error(error, operation, &method);
            if self.transport().own_http && error.kind() == ErrorKind::Connect {
                // It may be the target of a redirect that was followed, after the platform did what
                // it was asked.
                let effect = effect_of_broken_success(operation, &method);
                return error.with_effect(effect);
            }
            error
        })
    }

    /// Reads a reply whole, unless it is a stream, and turns what is not a success into an error.
    async fn receive(
        &self,
        response: Response,
        operation: Option<&'static Operation>,
        method: &Method,
    ) -> Result<Response> {
        let status = response.status();
        let headers = response.headers().clone();
        self.trace().outcome = Some(Outcome {
            status: status.as_u16(),
            headers: headers.clone(),
            ..Outcome::default()
        });
        self.transport()
            .pacer
            .learn(operation, status.as_u16(), &headers);
        if !status.is_success() {
            let body = reply::read_start(response).await;
            let effect = effect_of(operation, method, status.as_u16());
            return Err(self.failure(operation, status.as_u16(), &headers, &body, effect));
        }
        if time_class(operation) == TimeClass::Stream {
            return Ok(response);
        }
        let limit = self.transport().limits.reply_bytes;
        let bytes = match reply::read_all(response, limit).await {
            Ok(bytes) => bytes,
            Err(error) => {
                return Err(error
                    .with_status(status.as_u16())
                    .with_effect(effect_of_broken_success(operation, method)));
            }
        };
        let body = self
            .normal_form(bytes, operation, method, &headers)
            .map_err(|error| error.with_status(status.as_u16()))?;
        let mut local = LocalReply::new(body);
        *local.status_mut() = status;
        *local.headers_mut() = headers;
        Ok(local.into())
    }

    /// The body of a success in the one form that the generated client reads.
    fn normal_form(
        &self,
        bytes: Vec<u8>,
        operation: Option<&'static Operation>,
        method: &Method,
        headers: &http::HeaderMap,
    ) -> Result<Vec<u8>> {
        let value = match Body::read(bytes, headers) {
            Body::Json(bytes) if self.transport().profile.normalise.is_none() => return Ok(bytes),
            Body::Json(bytes) => match serde_json::from_slice(&bytes) {
                Ok(value) => value,
                // Not JSON after all: decoding says so, with the place.
                Err(_) => return Ok(bytes),
            },
            Body::Text(text) => Value::String(text),
            Body::Empty => Value::Null,
        };
        // The platform's forms are those of its operations: any other reply stays as it came.
        let normalise = self.transport().profile.normalise;
        let value = match normalise.filter(|_| operation.is_some()) {
            None => value,
            // A success status around a failure: the platform did look at the request.
            Some(normalise) => normalise(value).map_err(|classified| {
                classified
                    .into_error(effect_of_broken_success(operation, method))
                    .with_request_id(reply::request_id(headers))
            })?,
        };
        Ok(value.to_string().into_bytes())
    }
}

/// Whether something was done when the reply to a success could not be read.
pub(crate) fn effect_of_broken_success(operation: Option<&Operation>, method: &Method) -> Effect {
    if reads_only(operation, method) {
        Effect::None
    } else {
        Effect::Unknown
    }
}

pub(crate) fn timed_out(
    what: &str,
    limit: Duration,
    operation: Option<&Operation>,
    method: &Method,
) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("{what} took longer than {limit:?}"),
    )
    .with_effect(effect_of_broken_success(operation, method))
}

fn local(status: u16) -> Response {
    let mut reply = LocalReply::new(Vec::new());
    *reply.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    reply.into()
}

/// A call to an endpoint without a wrapper.
pub(crate) fn plain(scope: Scope, method: Method, path: &str) -> Call<Value> {
    let url = match url_of(&scope, path) {
        Ok(url) => url,
        Err(error) => return Call::refused(scope, error),
    };
    Call::new(scope, move |scope| async move {
        let mut request = Request::new(method.clone(), url);
        if scope.prepare(&mut request, "").is_err() {
            return Err(Error::invalid_request("the request was not sent"));
        }
        let response = scope.execute(request, "").await;
        if let Some(error) = scope.take_error() {
            return Err(error);
        }
        let bytes = response
            .bytes()
            .await
            .map_err(|error| reply::network_error(error, None, &method))?;
        let status = scope.outcome().unwrap_or_default().status;
        reply::decode(&bytes, None, &method, status, &scope.secrets())
            .map_err(|error| reply::complete(error, &scope))
    })
}

fn url_of(scope: &Scope, path: &str) -> Result<reqwest::Url> {
    let refused = |why: &str| {
        Error::invalid_request(format!("the path {why}; it is appended to the base URL"))
    };
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(refused("must begin with one `/`"));
    }
    // A space at the end would be cut off, and with it what makes a name of `.. `.
    if path.ends_with(' ') {
        return Err(refused("ends in a space"));
    }
    if path.contains(['?', '#', '\\']) || path.chars().any(char::is_control) {
        return Err(refused("contains one of ? # \\ or a control character"));
    }
    let leads_out = path.split('/').any(|segment| {
        matches!(
            segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
            "." | ".."
        )
    });
    if leads_out {
        return Err(refused("contains `.` or `..`"));
    }
    reqwest::Url::parse(&format!("{}{path}", scope.transport().base_url))
        .map_err(|error| refused("is not valid").with_source(error))
}
