//! What time it is on the other side.

use crate::time::parse_http_date;
use crate::transport::Scope;
use std::time::{SystemTime, UNIX_EPOCH};

/// When the last reply was sent, in milliseconds since 1970: by the server's clock if it told the
/// time, to the second, and by this machine's otherwise.
pub(crate) fn clock(scope: &Scope) -> i64 {
    let headers = scope.outcome().headers;
    let told = headers.get(http::header::DATE);
    let told = told
        .and_then(|date| date.to_str().ok())
        .and_then(parse_http_date);
    let now = told.unwrap_or_else(SystemTime::now);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX / 2)
}
