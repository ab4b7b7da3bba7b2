//! Numbers in a query, as JavaScript's `parseInt` reads them: what follows the digits is not looked at.

use std::time::Duration;

use crate::model::Request;
use crate::time::millis;

/// What stands at the beginning of a parameter, if that is a number.
pub(super) fn whole(request: &Request, name: &str) -> Option<i64> {
    let text = request.query_value(name)?.trim_start();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = text.find(|it: char| !it.is_ascii_digit());
    let digits = text.get(..end.unwrap_or(text.len()))?;
    if digits.is_empty() {
        return None;
    }
    let number = digits.parse().unwrap_or(i64::MAX);
    Some(if negative { -number } else { number })
}

/// One of a page. Zero is as none (dployr-io/dployr-base:src/types/responses.ts).
pub(super) fn of_page(request: &Request, name: &str, otherwise: usize) -> usize {
    match whole(request, name) {
        None | Some(0) => otherwise,
        Some(number) => usize::try_from(number).unwrap_or(1),
    }
}

/// The first and the last time, in milliseconds, and how many lines at most. A time of zero is as none, and so is a limit
/// below one (dployr-io/dployr-base:src/routes/logs.ts, and services.ts beside it).
pub(super) fn of_logs(request: &Request, back: Duration, now: Duration) -> (u64, u64, usize) {
    let time = |name: &str| {
        let number = whole(request, name).filter(|number| *number != 0)?;
        Some(u64::try_from(number).unwrap_or(0))
    };
    let since = time("since").unwrap_or_else(|| millis(now.saturating_sub(back)));
    let until = time("until").unwrap_or_else(|| millis(now));
    let limit = whole(request, "limit").filter(|limit| *limit >= 1);
    let limit = limit.unwrap_or(1_000).min(5_000);
    (since, until, usize::try_from(limit).unwrap_or(5_000))
}
