//! Parses `Retry-After`: seconds, or a date.

use crate::time::parse_http_date;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// Longer waits are mistakes: milliseconds instead of seconds, or a clock that was never set. No
/// platform has a window of more than a month.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// The wait that `Retry-After` asks for. An invalid value counts as missing.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER.as_str())?;
    match value.parse() {
        Ok(seconds) => valid(Duration::from_secs(seconds)),
        Err(_) => until(parse_http_date(value)?, headers),
    }
}

/// The wait until a time. Measured by the server's clock if the response has a `Date`: the two
/// clocks may differ by minutes.
pub(super) fn until(time: SystemTime, headers: &HeaderMap) -> Option<Duration> {
    let now = text(headers, DATE.as_str())
        .and_then(parse_http_date)
        .unwrap_or_else(SystemTime::now);
    valid(time.duration_since(now).unwrap_or_default())
}

fn valid(wait: Duration) -> Option<Duration> {
    (wait <= LONGEST).then_some(wait)
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}
