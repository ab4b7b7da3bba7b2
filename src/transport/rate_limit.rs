//! Rate-limit headers: parses `Retry-After` and `X-RateLimit-*`, and decides how long to wait after a
//! response.

use crate::time::parse_http_date;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A smaller `X-RateLimit-Reset` is not a time, but the number of seconds until the next window.
const FIRST_TIME: u64 = 1_000_000_000;

/// Longer waits are invalid: milliseconds instead of seconds, or a clock that was never set. The longest
/// window of a platform is a month.
const MAX_WAIT: Duration = Duration::from_secs(366 * 86_400);

/// A platform's rate limit, from the `X-RateLimit-*` headers of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests per window.
    pub limit: Option<u64>,
    /// Requests left in this window.
    pub remaining: Option<u64>,
    /// Start of the next window, in seconds since 1970; below 1,000,000,000 in seconds from now.
    pub reset: Option<u64>,
}

impl RateLimit {
    /// `None` if the response has none of the headers.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let number = |name| header_text(headers, name)?.parse().ok();
        let limit = Self {
            limit: number("x-ratelimit-limit"),
            remaining: number("x-ratelimit-remaining"),
            reset: number("x-ratelimit-reset"),
        };
        (limit != Self::default()).then_some(limit)
    }
}

/// The wait that a response requests: `Retry-After`, or on a 429 the end of the window.
pub(super) fn wait_asked_for(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let asked = retry_after(headers);
    if asked.is_some() {
        return asked;
    }
    // A used-up quota of dployr is a 429 with requests left. The next window would not help.
    if status != 429 || remaining(headers).is_some_and(|left| left > 0) {
        return None;
    }
    until_reset(headers)
}

/// How long all calls must pause, if a response reports that the window is used up.
pub(super) fn window_used_up(status: u16, headers: &HeaderMap) -> Option<Duration> {
    match status {
        429 => wait_asked_for(status, headers),
        _ => until_reset(headers).filter(|_| remaining(headers) == Some(0)),
    }
}

fn remaining(headers: &HeaderMap) -> Option<u64> {
    RateLimit::of(headers)?.remaining
}

fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let seconds = RateLimit::of(headers)?.reset?;
    if seconds < FIRST_TIME {
        return valid_wait(Duration::from_secs(seconds));
    }
    let reset = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    wait_until(reset, headers)
}

/// The wait that `Retry-After` requests: seconds, also with a fraction, or a date. An invalid value counts as missing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = header_text(headers, RETRY_AFTER.as_str())?;
    match value.parse() {
        Ok(seconds) => valid_wait(Duration::try_from_secs_f64(seconds).ok()?),
        Err(_) => wait_until(parse_http_date(value)?, headers),
    }
}

/// The wait until a time, by the server's clock if the response has a `Date`: the local clock may differ by
/// minutes.
fn wait_until(time: SystemTime, headers: &HeaderMap) -> Option<Duration> {
    let now = header_text(headers, DATE.as_str())
        .and_then(parse_http_date)
        .unwrap_or_else(SystemTime::now);
    valid_wait(time.duration_since(now).unwrap_or_default())
}

fn valid_wait(wait: Duration) -> Option<Duration> {
    (wait <= MAX_WAIT).then_some(wait)
}

/// The value of a header without surrounding white space, if it is ASCII.
pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const DATE_VALUE: &str = "Wed, 21 Oct 2015 07:28:00 GMT";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_date_is_measured_by_the_servers_clock() {
        let found = headers(&[
            ("date", DATE_VALUE),
            ("retry-after", "Wed, 21 Oct 2015 07:28:42 GMT"),
        ]);
        assert_eq!(wait_asked_for(503, &found), Some(Duration::from_secs(42)));
        let found = headers(&[("date", DATE_VALUE), ("x-ratelimit-reset", "1445412490")]);
        assert_eq!(wait_asked_for(429, &found), Some(Duration::from_secs(10)));
        assert_eq!(
            wait_asked_for(503, &found),
            None,
            "the window counts on a 429 only"
        );
    }

    #[test]
    fn without_a_date_the_local_clock_is_used() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let reset = (now.as_secs() + 50).to_string();
        let wait = wait_asked_for(429, &headers(&[("x-ratelimit-reset", &reset)])).unwrap();
        assert!((40..=50).contains(&wait.as_secs()), "{wait:?}");
    }

    #[test]
    fn small_resets_and_fractions_are_seconds() {
        for (name, value, millis) in [
            ("x-ratelimit-reset", "30", 30_000),
            ("x-ratelimit-reset", "0", 0),
            ("retry-after", "1.5", 1_500),
        ] {
            let found = headers(&[("date", DATE_VALUE), (name, value)]);
            let wait = Some(Duration::from_millis(millis));
            assert_eq!(wait_asked_for(429, &found), wait, "{name}: {value}");
        }
    }

    #[test]
    fn invalid_values_count_as_missing() {
        for (name, value) in [
            ("retry-after", "18446744073709551615"),
            ("retry-after", "1445412490000"),
            ("retry-after", "-1"),
            ("retry-after", "inf"),
            ("retry-after", "NaN"),
            ("retry-after", ""),
            ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"),
            ("x-ratelimit-reset", "1445412490000"),
            ("x-ratelimit-reset", "18446744073709551615"),
        ] {
            let found = headers(&[("date", DATE_VALUE), (name, value)]);
            assert_eq!(wait_asked_for(429, &found), None, "{name}: {value}");
        }
        let found = headers(&[
            ("date", DATE_VALUE),
            ("retry-after", "1445412490000"),
            ("x-ratelimit-reset", "1445412490"),
        ]);
        assert_eq!(wait_asked_for(429, &found), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_window_without_remaining_requests_is_used_up() {
        let full = [("date", DATE_VALUE), ("x-ratelimit-reset", "1445412490")];
        for (status, left, pause) in [
            (200, "0", Some(10)),
            (200, "1", None),
            (200, "", None),
            (429, "0", Some(10)),
            (429, "7", None),
        ] {
            let mut pairs = full.to_vec();
            pairs.push(("x-ratelimit-remaining", left));
            let found = window_used_up(status, &headers(&pairs)).map(|pause| pause.as_secs());
            assert_eq!(found, pause, "{status} {left:?}");
        }
        let seconds = headers(&[("retry-after", "3")]);
        assert_eq!(window_used_up(429, &seconds), Some(Duration::from_secs(3)));
        assert_eq!(
            window_used_up(503, &seconds),
            None,
            "a failing server, not a used-up window"
        );
    }
}
