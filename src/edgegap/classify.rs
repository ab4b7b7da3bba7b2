//! What Edgegap's failures mean.

use crate::error::ErrorKind;
use crate::transport::profile::{Classified, Failure};
use serde_json::Value;

/// Every failure is `{message, details?}`, or `{request_id, message}` for a 422.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let mut classified = Classified::from_status(failure.status);
    let Some(json) = failure.json else {
        return classified;
    };
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    classified.message = text("message");
    classified.details = json.get("details").filter(|details| !details.is_null()).cloned();
    classified.resource_id = text("request_id");
    match failure.status {
        422 if classified.resource_id.is_some() => classified.kind(ErrorKind::Rejected).advice(
            "the deployment exists in an error state: stop it, or wait until the platform removes it",
        ),
        401 => classified.advice("check EDGEGAP_TOKEN; it is one token per organisation"),
        _ => classified,
    }
}
