//! Parses `Retry-After`: seconds, also with a fraction, or a date.

use crate::time::parse_http_date;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// Longer waits are invalid: milliseconds instead of seconds, or a clock that was never set. The longest
/// window of a platform is a month.
const MAX_WAIT: Duration = Duration::from_secs(366 * 86_400);

/// The wait that `Retry-After` requests. An invalid value counts as missing.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = header_text(headers, RETRY_AFTER.as_str())?;
    match value.parse() {
        Ok(seconds) => valid_wait(Duration::try_from_secs_f64(seconds).ok()?),
        Err(_) => wait_until(parse_http_date(value)?, headers),
    }
}

/// The wait until a time, by the server's clock if the response has a `Date`: the local clock may differ by
/// minutes.
pub(super) fn wait_until(time: SystemTime, headers: &HeaderMap) -> Option<Duration> {
    let now = header_text(headers, DATE.as_str())
        .and_then(parse_http_date)
        .unwrap_or_else(SystemTime::now);
    valid_wait(time.duration_since(now).unwrap_or_default())
}

pub(super) fn valid_wait(wait: Duration) -> Option<Duration> {
    (wait <= MAX_WAIT).then_some(wait)
}

/// The value of a header without surrounding white space, if it is ASCII.
pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}
