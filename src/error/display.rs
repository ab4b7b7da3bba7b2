//! `Display` of an error: one line that the person on call can act on.

use super::{Effect, Error, ErrorKind, Inner, Lookup};
use crate::operation::path_ids;
use http::Method;
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// Size limit of the message, in bytes: a platform may send an HTML page.
const MAX_MESSAGE: usize = 1 << 10;
/// Size limit of a code or resource id, in bytes.
const MAX_NAME: usize = 200;
/// Size limit of the details, in bytes.
const MAX_DETAILS: usize = 300;
/// Size limit of an id from the path, in bytes.
const MAX_PATH_ID: usize = 64;

impl fmt::Display for Error {
    /// Operation and ids, status, message, effect, next step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write_subject(f, inner)?;
        if let Some(status) = inner.status {
            write!(f, "{status} ")?;
        }
        match &inner.message {
            Some(message) => f.write_str(start_of(message, MAX_MESSAGE))?,
            None => write!(f, "{}", inner.kind)?,
        }
        if let Some(code) = &inner.code {
            write!(f, " [{}]", shortened(code, MAX_NAME))?;
        }
        // An array repeats the message (Nodion) or lists the findings of a validation (Nexlayer).
        if let Some(details @ Value::Object(_)) = &inner.details {
            write!(f, " {}", shortened(&details.to_string(), MAX_DETAILS))?;
        }
        if inner.attempts > 1 {
            let unit = match inner.kind {
                ErrorKind::WaitFailed | ErrorKind::WaitTimedOut | ErrorKind::Gone => "polls",
                _ => "attempts",
            };
            let elapsed = inner.elapsed.as_secs_f64();
            write!(f, " ({} {unit} in {elapsed:.1} s)", inner.attempts)?;
        }
        if let Some(records) = inner.records {
            write!(f, " (after {records} records)")?;
        }
        write_effect(f, inner)?;
        if let Some(advice) = inner.advice {
            write!(f, "; {advice}")?;
        }
        if let Some(wait) = inner.retry_after {
            // Rounded up: an earlier retry would be rejected again.
            let seconds = wait.as_nanos().div_ceil(1_000_000_000);
            write!(f, "; retry after {seconds} s")?;
        }
        Ok(())
    }
}

/// Writes the operation with the ids in its path: `edgegap get_deployment a69f8e3e0555: `.
fn write_subject(f: &mut fmt::Formatter<'_>, inner: &Inner) -> fmt::Result {
    match (inner.operation, &inner.request) {
        (Some(operation), request) => {
            write!(f, "{} {}", operation.api, operation.id)?;
            let path = request.as_ref().map_or("", |request| &request.path);
            for id in path_ids(operation.path, path) {
                write!(f, " {}", shortened(&id, MAX_PATH_ID))?;
            }
            f.write_str(": ")
        }
        (None, Some(request)) => {
            let path = shortened(&request.path, MAX_NAME);
            write!(f, "{} {} {path}: ", request.platform, request.method)
        }
        (None, None) => Ok(()),
    }
}

/// Writes the effect, for calls that change something.
fn write_effect(f: &mut fmt::Formatter<'_>, inner: &Inner) -> fmt::Result {
    let resource = inner.resource_id.as_deref();
    let resource = resource.map(|id| shortened(id, MAX_NAME));
    if !changes_something(inner) {
        // A wait that saw the resource may leave it behind.
        let was_seen = inner
            .wait
            .as_ref()
            .is_some_and(|wait| !wait.timeline.is_empty());
        return match resource.filter(|_| was_seen) {
            Some(id) => write!(
                f,
                "; {id} may still exist and cost money: stop or delete it unless you need it"
            ),
            None => Ok(()),
        };
    }
    match (inner.effect, created(inner), resource) {
        (Effect::None, ..) if inner.attempts == 0 || inner.kind == ErrorKind::Connect => {
            f.write_str("; nothing was sent")
        }
        (Effect::None, Some((noun, _)), Some(id)) => {
            write!(f, "; {noun} {id} was created and stopped")
        }
        (Effect::None, ..) => f.write_str("; nothing was done"),
        (Effect::Applied, Some((noun, _)), Some(id)) => {
            write!(f, "; {noun} {id} was created and may cost money")
        }
        (Effect::Applied, Some((noun, advice)), None) => {
            write!(f, "; the {noun} was created: {advice}")
        }
        (Effect::Unknown, Some((noun, advice)), _) => {
            write!(f, "; the {noun} may exist: {advice}")
        }
        (Effect::Applied, None, _) if inner.kind == ErrorKind::Decode => {
            f.write_str("; the change was made")
        }
        (Effect::Applied, None, _) => f.write_str("; part of the change was made"),
        (Effect::Unknown, None, _) => {
            let advice = match is_idempotent(inner) {
                true => "a retry is safe",
                false => "check before you retry",
            };
            write!(f, "; the change may have been made: {advice}")
        }
    }
}

/// Whether the call may change something on the platform. False for failures outside of a call.
fn changes_something(inner: &Inner) -> bool {
    match (inner.operation, &inner.request) {
        (Some(operation), _) => !operation.is_read_only(),
        // Without a spec entry, a GET may have side effects.
        (None, Some(request)) => {
            let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
            !reads.contains(&request.method) || inner.effect != Effect::None
        }
        (None, None) => false,
    }
}

fn is_idempotent(inner: &Inner) -> bool {
    let marked = inner
        .operation
        .is_some_and(|operation| operation.behaviour.idempotent);
    marked || inner.assumed_idempotent
}

/// For a create: the noun of the created resource, and how to look for it.
fn created(inner: &Inner) -> Option<(String, &'static str)> {
    let operation = inner.operation?;
    let lookups = inner.request.as_ref().map_or(&[][..], |sent| sent.lookups);
    let is_for = |lookup: &&Lookup| lookup.operation == operation.id;
    if let Some(lookup) = lookups.iter().find(is_for) {
        return Some((lookup.creates.to_owned(), lookup.advice));
    }
    let noun = operation.id.strip_prefix("create_")?.replace('_', " ");
    Some(match is_idempotent(inner) {
        true => (noun, "a retry is safe"),
        false => (noun, "look for it before you create it again"),
    })
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configuration => "invalid configuration",
            Self::InvalidRequest => "invalid request",
            Self::Unauthenticated => "not authenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::NoSuchRoute => "no such endpoint",
            Self::Conflict => "conflict",
            Self::AlreadyRemoved => "already removed",
            Self::Rejected => "rejected",
            Self::PlanLimit => "not included in the plan",
            Self::RateLimited => "too many requests",
            Self::Quota => "quota used up",
            Self::SpendLimit => "max_creates is used up",
            Self::Redirected => "redirected",
            Self::Server => "server error",
            Self::Unavailable => "unavailable",
            Self::Connect => "cannot connect",
            Self::Timeout => "timeout",
            Self::Interrupted => "the connection broke",
            Self::Decode => "the response cannot be decoded",
            Self::Pagination => "the list does not end",
            Self::Unsupported => "not supported by this server",
            Self::WaitFailed => "the deployment failed",
            Self::WaitTimedOut => "the deployment was not ready in time",
            Self::Gone => "the deployment no longer exists",
        })
    }
}

/// A duration for a message: `30 s`, `1.5 s`, `250 ms`.
pub(crate) fn with_unit(duration: Duration) -> String {
    match (duration.as_secs(), duration.subsec_millis()) {
        (0, 1..) => format!("{} ms", duration.as_millis()),
        (seconds, 0) => format!("{seconds} s"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

/// Converts to one line, and truncates it with `…` if it exceeds the limit in bytes.
fn shortened(text: &str, limit: usize) -> String {
    let line = one_line(text);
    match start_of(&line, limit) {
        start if start.len() < line.len() => format!("{start}…"),
        _ => line,
    }
}

/// Replaces whitespace and control characters with single spaces.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// At most the first `limit` bytes, cut at a character boundary.
pub(crate) fn start_of(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line() {
        let error = Error::new(ErrorKind::Server, "first\nsecond\r\n\tthird").with_status(500);
        assert_eq!(error.to_string(), "500 first second third");
    }

    #[test]
    fn display_is_bounded_and_the_message_is_kept() {
        let long = "ü".repeat(100_000);
        let error = Error::new(ErrorKind::Rejected, long.as_str())
            .with_code(Some(long.clone()))
            .with_resource_id(Some(long.clone()));
        assert!(error.to_string().len() < 8 << 10);
        assert_eq!(error.message(), Some(long.as_str()));
    }

    #[test]
    fn the_kind_replaces_a_missing_message() {
        let error = Error::new(ErrorKind::NotFound, "").with_status(404);
        assert_eq!(error.to_string(), "404 not found");
    }

    #[test]
    fn ids_come_from_the_path_on_one_short_line() {
        let template = "/v1/applications/{application_id}/domains/{domain_id}";
        let long = "x".repeat(300);
        let shown = |template, path| {
            let ids = path_ids(template, path).into_iter();
            ids.map(|id| shortened(&id, MAX_PATH_ID))
                .collect::<Vec<_>>()
        };
        for (path, ids) in [
            ("/v1/applications/a1/domains/d%202", vec!["a1", "d 2"]),
            ("/base/v1/applications/a1/domains/d2", vec!["a1", "d2"]),
            (
                "/v1/applications/%0Aa%1B/domains/%FF",
                vec!["a", "\u{fffd}"],
            ),
            ("", vec![]),
        ] {
            assert_eq!(shown(template, path), ids, "{path}");
        }
        let ids = shown("/{id}", &format!("/{long}"));
        assert_eq!(ids, [format!("{}…", "x".repeat(64))]);
    }

    #[test]
    fn durations_have_units() {
        for (millis, words) in [
            (0, "0 s"),
            (250, "250 ms"),
            (1_500, "1.5 s"),
            (30_000, "30 s"),
        ] {
            assert_eq!(with_unit(Duration::from_millis(millis)), words);
        }
    }
}
