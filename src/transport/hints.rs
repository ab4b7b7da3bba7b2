//! What a reply says about when to come back.

use crate::time::parse_http_date;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// No platform has a window of more than a month; a longer wait is a slip, such as milliseconds in the
/// place of seconds, or a clock that was never set.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// The most that counts as the id of a request, in bytes.
const LONGEST_REQUEST_ID: usize = 200;

/// How long a reply asks to wait: `Retry-After` in seconds or as a date; on a 429 also the end of
/// the window. What makes no sense is as if it were not there.
pub(crate) fn retry_after(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, RETRY_AFTER.as_str()).and_then(|value| match value.parse() {
        Ok(seconds) => sensible(Duration::from_secs(seconds)),
        Err(_) => from_now(parse_http_date(value)?, headers),
    });
    if asked.is_some() {
        return asked;
    }
    // dployr's quotas answer 429 with requests left: waiting for the window would not help.
    if status != 429 || remaining(headers).is_some_and(|left| left > 0) {
        return None;
    }
    reset(headers)
}

/// How long to send nothing, because the window of the rate limit is used up.
pub(crate) fn window_used_up(status: u16, headers: &HeaderMap) -> Option<Duration> {
    match status {
        429 => retry_after(status, headers),
        _ => reset(headers).filter(|_| remaining(headers) == Some(0)),
    }
}

/// A platform's rate limit, as the `X-RateLimit-*` headers of a reply state it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many requests a window has.
    pub limit: Option<u64>,
    /// How many are left in this one.
    pub remaining: Option<u64>,
    /// When the next one begins, in seconds since 1970.
    pub reset: Option<u64>,
}

impl RateLimit {
    /// `None` if no header states it.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let number = |name| text(headers, name)?.parse().ok();
        let stated = Self {
            limit: number("x-ratelimit-limit"),
            remaining: number("x-ratelimit-remaining"),
            reset: number("x-ratelimit-reset"),
        };
        (stated != Self::default()).then_some(stated)
    }
}

/// The id that a server gave to this HTTP request. One that is too long is ignored, not cut: a piece of
/// a secret would not be recognised as one.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "request-id", "cf-ray"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
        .filter(|id| id.len() <= LONGEST_REQUEST_ID)
        .map(str::to_owned)
}

fn remaining(headers: &HeaderMap) -> Option<u64> {
    RateLimit::of(headers)?.remaining
}

/// The time to the end of the window.
fn reset(headers: &HeaderMap) -> Option<Duration> {
    let seconds = RateLimit::of(headers)?.reset?;
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    from_now(at, headers)
}

/// By the server's own clock if it states its time: the two may differ by minutes.
fn from_now(at: SystemTime, headers: &HeaderMap) -> Option<Duration> {
    let now = text(headers, DATE.as_str())
        .and_then(parse_http_date)
        .unwrap_or_else(SystemTime::now);
    sensible(at.duration_since(now).unwrap_or_default())
}

fn sensible(wait: Duration) -> Option<Duration> {
    (wait <= LONGEST).then_some(wait)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
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
    fn a_date_is_read_by_the_servers_clock() {
        let found = headers(&[
            ("date", DATE_VALUE),
            ("retry-after", "Wed, 21 Oct 2015 07:28:42 GMT"),
        ]);
        assert_eq!(retry_after(503, &found), Some(Duration::from_secs(42)));
        let found = headers(&[("date", DATE_VALUE), ("x-ratelimit-reset", "1445412490")]);
        assert_eq!(retry_after(429, &found), Some(Duration::from_secs(10)));
        assert_eq!(retry_after(503, &found), None, "a window is for a 429");
    }

    #[test]
    fn without_a_date_the_local_clock_counts() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let reset = (now.as_secs() + 50).to_string();
        let wait = retry_after(429, &headers(&[("x-ratelimit-reset", &reset)])).unwrap();
        assert!((40..=50).contains(&wait.as_secs()), "{wait:?}");
    }

    #[test]
    fn what_makes_no_sense_is_as_if_it_were_not_there() {
        for (name, value) in [
            ("retry-after", "18446744073709551615"),
            ("retry-after", "1445412490000"),
            ("retry-after", "-1"),
            ("retry-after", ""),
            ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"),
            ("x-ratelimit-reset", "1445412490000"),
            ("x-ratelimit-reset", "18446744073709551615"),
        ] {
            let found = headers(&[("date", DATE_VALUE), (name, value)]);
            assert_eq!(retry_after(429, &found), None, "{name}: {value}");
        }
        let found = headers(&[
            ("date", DATE_VALUE),
            ("retry-after", "1445412490000"),
            ("x-ratelimit-reset", "1445412490"),
        ]);
        assert_eq!(retry_after(429, &found), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_window_is_used_up_when_the_platform_says_so() {
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
            "trouble, not a full window"
        );
    }
}
