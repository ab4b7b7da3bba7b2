//! `Display` of an error: one line that a person can act on.

use super::{Error, ErrorKind};
use std::fmt;

/// The most of a message in `Display`, in bytes: that is a line of a log, and the platform's words may
/// be a whole page.
const LONGEST_MESSAGE: usize = 1 << 10;
/// The most of a code or an id in `Display`, in bytes.
const LONGEST_NAME: usize = 200;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        if let Some(status) = inner.status {
            write!(f, "{status} ")?;
        }
        match &inner.message {
            Some(message) => f.write_str(start_of(message, LONGEST_MESSAGE))?,
            None => write!(f, "{}", inner.kind)?,
        }
        if let Some(code) = &inner.code {
            write!(f, " [{}]", start_of(&one_line(code), LONGEST_NAME))?;
        }
        if let Some(id) = &inner.resource_id {
            write!(f, " (exists: {})", start_of(&one_line(id), LONGEST_NAME))?;
        }
        if let Some(wait) = inner.retry_after {
            // Rounded up: who comes back earlier is refused again.
            write!(
                f,
                " (again in {} s)",
                wait.as_nanos().div_ceil(1_000_000_000)
            )?;
        }
        if inner.attempts > 1 {
            let elapsed = inner.elapsed.as_secs_f64();
            write!(f, " ({} attempts in {elapsed:.1} s)", inner.attempts)?;
        }
        if let Some(records) = inner.records {
            write!(f, " (after {records} records)")?;
        }
        if let Some(advice) = inner.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configuration => "the client is not set up",
            Self::InvalidRequest => "the request is not valid",
            Self::Unauthenticated => "not authenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::NoSuchRoute => "no such route",
            Self::Conflict => "conflict",
            Self::AlreadyRemoved => "already removed",
            Self::Rejected => "rejected",
            Self::PlanLimit => "not in the plan",
            Self::RateLimited => "too many requests",
            Self::Quota => "quota used up",
            Self::SpendLimit => "the limit on creates",
            Self::Redirected => "redirected",
            Self::Server => "the platform failed",
            Self::Unavailable => "unavailable",
            Self::Connect => "no connection",
            Self::Timeout => "timed out",
            Self::Interrupted => "interrupted",
            Self::Decode => "the reply could not be understood",
            Self::Pagination => "the list does not end",
            Self::Unsupported => "not supported",
            Self::WaitFailed => "the deployment failed",
            Self::WaitTimedOut => "the deployment was not ready in time",
            Self::Gone => "the deployment is gone",
        })
    }
}

/// Line breaks and other control characters out, so that a log line stays one line.
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

/// The first `limit` bytes, cut between characters.
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
    fn it_is_one_line() {
        let error = Error::new(ErrorKind::Server, "first\nsecond\r\n\tthird").with_status(500);
        assert_eq!(error.to_string(), "500 first second third");
    }

    #[test]
    fn it_is_a_short_line() {
        let long = "ü".repeat(100_000);
        let mut error = Error::new(ErrorKind::Rejected, long.as_str());
        error.0.code = Some(long.clone());
        error.0.resource_id = Some(long.clone());
        assert!(error.to_string().len() < 8 << 10);
        assert_eq!(error.message(), Some(long.as_str()), "it is kept");
    }

    #[test]
    fn without_words_of_the_platform_the_kind_speaks() {
        let error = Error::new(ErrorKind::NotFound, "").with_status(404);
        assert_eq!(error.to_string(), "404 not found");
    }
}
