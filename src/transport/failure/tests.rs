//! Runs a platform's `classify` on a table of failures.

use super::{Classified, Failure};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

/// What `classify` makes of this status and body.
pub fn classified(
    classify: fn(&Failure<'_>) -> Classified,
    status: u16,
    content_type: &'static str,
    body: &str,
) -> Classified {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let json = serde_json::from_str(body).ok();
    classify(&Failure {
        operation: None,
        status,
        headers: &headers,
        text: body,
        json: json.as_ref(),
    })
}
