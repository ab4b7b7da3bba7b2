//! Rate-limit headers in any form: `Retry-After`, `X-RateLimit-*`, `Date`.

use super::{assert_sound, block_on, platforms};
use deploykit::ErrorKind;
use deploykit::http::HeaderValue;
use deploykit::testing::CannedReply;
use std::time::Duration;

const NAMES: [&str; 6] = [
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "date",
    "x-request-id",
];
const STATUSES: [u16; 4] = [429, 503, 200, 500];
const OPERATIONS: [(&str, &str); 4] = [
    ("nodion", "list_deployments"),
    ("nodion", "create_deployment"),
    ("dployr", "create_deployment"),
    ("nexlayer", "extend_deployment"),
];

/// The first byte selects status and operation. Each line is a header value; an empty line omits it.
pub fn check(data: &[u8]) {
    let Some((choice, lines)) = data.split_first() else {
        return;
    };
    let choice = usize::from(*choice);
    let status = STATUSES[choice % STATUSES.len()];
    let (api, id) = OPERATIONS[choice / STATUSES.len() % OPERATIONS.len()];
    let mut operations = deploykit::operation::OPERATIONS.iter();
    let operation = operations.find(|op| op.api == api && op.id == id);
    let mut reply = CannedReply::json(status, r#"{"deployments": []}"#);
    let mut values = [""; NAMES.len()];
    let text = String::from_utf8_lossy(lines);
    for ((name, line), value) in NAMES.iter().zip(text.split('\n')).zip(&mut values) {
        // A client cannot receive a header with an invalid value.
        if !line.is_empty() && HeaderValue::from_str(line).is_ok() {
            reply = reply.header(*name, line);
            *value = line;
        }
    }
    let result = platforms::with(|platforms| {
        platforms.answer(reply);
        block_on(platforms.call(operation.unwrap(), "an-id", false))
    });
    let Err(error) = result else {
        assert_eq!(status, 200);
        return;
    };
    assert_sound(&error);
    assert_eq!(error.status(), Some(status), "{error}");
    if status == 200 {
        return;
    }
    // HTTP allows only this whitespace around a value.
    if let Ok(seconds) = values[0].trim_matches([' ', '\t']).parse::<u64>()
        && seconds <= 86_400
    {
        let expected = Some(Duration::from_secs(seconds));
        assert_eq!(error.retry_after(), expected, "{error}");
    }
    if status == 429 {
        let has_wait_time = error.retry_after().is_some();
        let quota = error.kind() == ErrorKind::Quota;
        assert!(quota || error.kind() == ErrorKind::RateLimited, "{error}");
        assert!(has_wait_time || !error.is_retryable(), "{error}");
    } else if values[0].is_empty() {
        // `x-ratelimit-reset` sets the wait time only for a 429.
        assert_eq!(error.retry_after(), None, "{error}");
    }
}
