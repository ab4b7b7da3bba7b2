//! What Nodion's failures mean.

use crate::error::ErrorKind;
use crate::transport::platform::{Classified, Failure};
use serde_json::Value;

/// Two shapes: `{"errors": [sentence, ...]}` for a 400, `{"status": 404, "error": "Not Found"}` for
/// an unknown id; and possibly nothing. The status is HTTP's: in other replies `status` is a word.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let mut classified = Classified::from_status(failure.status);
    let Some(json) = failure.json else {
        // The platform itself answers in JSON: a page or a text means another server or path.
        if failure.status == 404 && !failure.text.trim().is_empty() {
            return classified
                .kind(ErrorKind::NoSuchRoute)
                .advice("check the base URL");
        }
        return classified;
    };
    let sentences: Vec<&str> = match json.get("errors") {
        Some(Value::Array(errors)) => errors.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(error)) => vec![error],
        _ => Vec::new(),
    };
    if !sentences.is_empty() {
        classified.message = Some(sentences.join("; "));
        classified.details = json.get("errors").cloned();
    } else {
        classified.message = ["error", "message"]
            .iter()
            .find_map(|key| json.get(key)?.as_str())
            .map(str::to_owned);
    }
    match failure.status {
        401 => classified.advice("check NODION_TOKEN"),
        403 => {
            classified.advice("the key may lack the scope for this, or belong to another project")
        }
        _ => classified,
    }
}
