//! Calls of endpoints without a wrapper: `client.request(..)`.

use super::{Call, Stop};
use crate::error::{Error, Result};
use crate::secret::expose_secrets;
use crate::transport::Scope;
use http::Method;
use progenitor_client::ResponseValue;
use reqwest::Request;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// A call of `path`, which is appended to the base URL.
pub(crate) fn request(scope: Scope, method: Method, path: &str) -> Call<Value> {
    let url = url_of(&scope, path);
    Call::new(scope, move |scope| async move {
        let mut request = Request::new(method, url?);
        scope.prepare(&mut request, "").map_err(|why| {
            // Previews do not get here.
            Error::invalid_request(format!("the request was not sent: {why}"))
        })?;
        let response = scope.run(&Arc::new(request), "").await?;
        let value: Result<ResponseValue<Value>, _> = ResponseValue::from_response(response).await;
        value
            .map(ResponseValue::into_inner)
            .map_err(|error| Stop::from(error).into_error(&scope))
    })
}

impl Call<Value> {
    /// Sets the JSON body of a request without a wrapper.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match expose_secrets(|| serde_json::to_value(body)) {
            Ok(body) => self.scope.options.json = Some(body),
            Err(error) => self.refuse(
                Error::invalid_request(format!("the body cannot be serialized as JSON: {error}"))
                    .with_source(error),
            ),
        }
        self
    }
}

fn url_of(scope: &Scope, path: &str) -> Result<reqwest::Url> {
    let refused = |why: &str| {
        Error::invalid_request(format!("the path {why}; it is appended to the base URL"))
    };
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(refused("must begin with one `/`"));
    }
    // A trailing space would be cut off: `.. ` would become `..`.
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
    reqwest::Url::parse(&format!("{}{path}", scope.transport.base_url))
        .map_err(|error| refused("is not valid").with_source(error))
}
