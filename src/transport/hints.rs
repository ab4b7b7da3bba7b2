//! What a reply says about when to come back.

use crate::time::parse_http_date;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a reply asks to wait: `Retry-After` in seconds or as a date; on a 429 also the end of
/// the window. What makes no sense is as if it were not there.
pub(crate) fn retry_after(status: u16, headers: &HeaderMap) -> Option<Duration> {
    if let Some(value) = text(headers, RETRY_AFTER.as_str()) {
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        if let Some(date) = parse_http_date(value) {
            return Some(from_now(date, headers));
        }
    }
    // dployr's quotas answer 429 with requests left: waiting for the window would not help.
    if status != 429 || remaining(headers).is_some_and(|left| left > 0) {
        return None;
    }
    reset(headers)
}

/// How long to send nothing, because the window of the rate limit is used up.
pub(crate) fn window_used_up(status: u16, headers: &HeaderMap) -> Option<Duration> {
    if status == 429 {
        return retry_after(status, headers);
    }
    (remaining(headers) == Some(0))
        .then(|| reset(headers))
        .flatten()
}

fn remaining(headers: &HeaderMap) -> Option<u64> {
    text(headers, "x-ratelimit-remaining")?.parse().ok()
}

/// The time to the end of the window, which is stated in seconds since 1970.
fn reset(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, "x-ratelimit-reset")?.parse::<u64>().ok()?;
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    Some(from_now(at, headers))
}

/// By the server's own clock if it states its time: the two may differ by minutes.
fn from_now(at: SystemTime, headers: &HeaderMap) -> Duration {
    let now = text(headers, DATE.as_str())
        .and_then(parse_http_date)
        .unwrap_or_else(SystemTime::now);
    at.duration_since(now).unwrap_or_default()
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
