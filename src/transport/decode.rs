//! Errors for response bodies that cannot be decoded: JSON path and reason.

use super::failure::Target;
use super::limits::ERROR_BYTES;
use super::response::request_id;
use super::{Scope, redact};
use crate::drift;
use crate::error::{Effect, Error, ErrorKind, start_of};
use crate::lenient::{self, reason_without_value};
use crate::operation::Operation;
use http::HeaderMap;
use progenitor_client::ResponseValue;
use serde::de::DeserializeOwned;
use serde_json::Value;

impl Scope {
    /// Decodes a success body for the generated client. The response to a change is kept as far as it can
    /// be read, because the change has happened.
    pub(crate) async fn decode<T: DeserializeOwned>(
        &self,
        response: reqwest::Response,
        id: &str,
    ) -> Result<ResponseValue<T>, progenitor_client::Error<()>> {
        use progenitor_client::Error::{InvalidResponsePayload, ResponseBodyError};
        let status = response.status();
        let bytes = response.bytes().await.map_err(ResponseBodyError)?;
        let operation = self.operation_or_find(id);
        let loose = !operation.is_some_and(Operation::is_read_only);
        match drift::reported(operation, || lenient::from_slice(&bytes, loose)) {
            Ok(value) => Ok(ResponseValue::new(value, status, HeaderMap::new())),
            Err(error) => Err(InvalidResponsePayload(bytes, error)),
        }
    }

    /// The error for a success body that cannot be decoded. It shows the JSON path, the reason, and the
    /// keys and types of the body, but no values.
    pub(crate) fn decode_error(
        &self,
        bytes: &[u8],
        error: &serde_json::Error,
        target: &Target,
    ) -> Error {
        let json = value_of_short(bytes);
        // Some platforms report a failure with a success status. Only operations of the spec are known to
        // use that format.
        if let (Some(json), Some(_)) = (&json, target.operation)
            && let Some(failed) = (self.transport.profile.failed_success)(json)
        {
            let id = request_id(&self.state().outcome.headers);
            return failed.into_error(target.effect()).with_request_id(id);
        }
        // JSON with a 201 or 202 comes from the platform, which then acted. Other bodies may come from a
        // proxy.
        let effect = match &json {
            _ if target.reads_only() => Effect::None,
            Some(Value::Object(_) | Value::Array(_))
                if matches!(self.state().outcome.status, 201 | 202) =>
            {
                Effect::Applied
            }
            _ => Effect::Unknown,
        };
        let excerpt = match json {
            // HTML comes from a proxy and helps to identify it. Any other text may be a token.
            Some(Value::String(text)) if text.trim_start().starts_with('<') => text,
            Some(Value::String(text)) => format!("text of {} bytes", text.len()),
            Some(json) => redact::shape(&json).to_string(),
            None => format!("{} bytes: not JSON, or too long to show", bytes.len()),
        };
        let message = format!(
            "cannot decode the response at {}",
            reason_without_value(error)
        );
        Error::new(ErrorKind::Decode, message)
            .with_effect(effect)
            // Longer than an excerpt: it is redacted first, then truncated to `EXCERPT_BYTES`.
            .with_body(start_of(&excerpt, ERROR_BYTES).to_owned())
    }
}

/// The JSON value of a text, unless the text is long: its value would need many times its memory.
pub(crate) fn value_of_short(text: &[u8]) -> Option<Value> {
    is_short(text).then(|| serde_json::from_slice(text).ok())?
}

/// Decodes one of many records, leniently unless it is long.
pub(crate) fn decode_record<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    match is_short(text) {
        true => lenient::from_slice(text, false),
        false => serde_json::from_slice(text),
    }
}

fn is_short(text: &[u8]) -> bool {
    text.len() <= ERROR_BYTES
}
