//! Properties that hold for every response and every input.
//!
//! Each module has a function `check`, which takes arbitrary bytes and panics if a property is violated.
//! The property tests and the fuzz targets use the same functions.

pub mod inputs;
pub mod logs;
pub mod manifests;
pub mod nexlayer_messages;
#[path = "../../support/operations/mod.rs"]
mod operations;
pub mod platforms;
pub mod rate_limit_headers;
pub mod replies;
pub mod webhooks;

use deploykit::{Effect, Error, ErrorKind};
use std::fmt::Write;
use std::time::Duration;

/// The token of every client.
pub const TOKEN: &str = "canary-token-5d1f7a";
/// The token of the Nexlayer session.
pub const SESSION: &str = "canary-session-4Qz7";
/// A password with characters that JSON escapes.
pub const PASSWORD: &str = r#"canary-pa"ss\word"#;
/// The value of a secret field.
pub const VALUE: &str = "canary-value ü 77";
/// An e-mail address.
pub const EMAIL: &str = "canary-email@a.example";
/// A secret that a response may contain as a number.
pub const NUMBER: &str = "7734419902";
/// The user info of a repository URL.
pub const USER: &str = "canary-user-9f";
/// A secret in the query of a webhook URL.
pub const QUERY: &str = "canary-query-e1";

const TEN_YEARS: Duration = Duration::from_secs(10 * 366 * 86_400);
/// Size limit of `Display`, in bytes.
const LONGEST_DISPLAY: usize = 8 << 10;
const LONGEST_EXCERPT: usize = 2 << 10;

/// Runs a future on a paused clock.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Replaces each byte from 1 to 8 with one of the secrets above. Text does not contain these bytes.
pub fn with_canaries(bytes: &[u8]) -> Vec<u8> {
    let escaped = serde_json::to_string(PASSWORD).unwrap();
    let canaries = [
        TOKEN,
        SESSION,
        PASSWORD,
        escaped.trim_matches('"'),
        VALUE,
        NUMBER,
        USER,
        QUERY,
    ];
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match canaries.get(usize::from(*byte).wrapping_sub(1)) {
            Some(canary) => out.extend_from_slice(canary.as_bytes()),
            None => out.push(*byte),
        }
    }
    out
}

/// Everything that an error prints or returns as text.
pub fn all_output(error: &Error) -> String {
    let (message, excerpt) = (error.message(), error.body_excerpt());
    let raw = format!(
        "{}\n{}",
        message.unwrap_or_default(),
        excerpt.unwrap_or_default()
    );
    let (code, id, details) = (error.code(), error.resource_id(), error.details());
    let mut text = format!("{error}\n{error:?}\n{code:?}\n{id:?}\n{details:?}\n{raw}\n{raw:?}");
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let _ = write!(text, "\n{inner}\n{inner:?}");
        source = inner.source();
    }
    text
}

/// Asserts the properties that hold for every error: sizes, one line, a consistent effect.
pub fn assert_sound(error: &Error) {
    let display = error.to_string();
    let start: String = display.chars().take(200).collect();
    let breaks = |c: char| c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c);
    assert!(!display.contains(breaks), "more than one line: {start:?}");
    let (length, debug) = (display.len(), format!("{error:?}").len());
    let excerpt = error.body_excerpt().map_or(0, str::len);
    let is_short = length < LONGEST_DISPLAY && debug < 4 * LONGEST_DISPLAY;
    let sizes = format!("Display {length}, Debug {debug}, excerpt {excerpt}");
    assert!(is_short && excerpt <= LONGEST_EXCERPT, "{sizes}: {start}");
    let wait = error.retry_after().unwrap_or_default();
    assert!(wait < TEN_YEARS, "retry_after is {wait:?}: {start}");
    assert!(
        error.http_request_id().map_or(0, str::len) <= 200,
        "{start}"
    );
    if error.is_retryable() {
        assert_ne!(error.effect(), Effect::Applied, "{start}");
    }
    if error.attempts() == 0 {
        assert_eq!(error.effect(), Effect::None, "{start}");
    }
    let redirected = error.status().is_some_and(|status| status / 100 == 3);
    assert!(
        redirected || error.kind() != ErrorKind::Redirected,
        "{start}"
    );
}

/// Asserts that no output of an error contains these secrets of the request.
pub fn assert_redacted(error: &Error, secrets: &[&str]) {
    let text = all_output(error);
    for secret in secrets {
        // `Debug` escapes strings.
        let escaped = format!("{secret:?}");
        assert!(
            !text.contains(secret) && !text.contains(escaped.trim_matches('"')),
            "{secret:?} is in {text}"
        );
    }
}

/// Bytes as text. Invalid UTF-8 is replaced.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
