//! Maps status and body of a failure to an error.

use crate::error::ErrorKind;
use crate::transport::platform::{Classified, Failure};
use serde_json::Value;

/// Classifies a response with a failure status.
///
/// Bodies are `{"errors": ["message", …]}` for a 400, `{"status": 404, "error": "Not Found"}` for an
/// unknown id, or empty. `status` in the body is ignored.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let mut classified = Classified::from_status(failure.status);
    let Some(json) = failure.json else {
        // The platform responds in JSON. HTML or text comes from another server.
        if failure.status == 404 && !failure.text.trim().is_empty() {
            return classified
                .kind(ErrorKind::NoSuchRoute)
                .advice("check the base URL");
        }
        return classified;
    };
    let messages: Vec<&str> = match json.get("errors") {
        Some(Value::Array(errors)) => errors.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(error)) => vec![error],
        _ => Vec::new(),
    };
    if !messages.is_empty() {
        classified.message = Some(messages.join("; "));
        classified.details = json.get("errors").cloned();
    } else {
        classified.message = ["error", "message"]
            .iter()
            .find_map(|key| json.get(key)?.as_str())
            .map(str::to_owned);
    }
    match failure.status {
        401 => classified.advice("check NODION_TOKEN or NODION_API_TOKEN"),
        403 => classified.advice("the API key may lack the scope, or belong to another project"),
        _ => classified,
    }
}
