//! What a platform implements so that its logs can be followed.

use super::{Backoff, Dedupe, LogLine};
use crate::error::{Error, Result};
use crate::time::parse_http_date;
use crate::transport::Scope;
use crate::transport::retry::Retry;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads a log: one connection or one window at a time. The first reading has started, or is about to.
pub(crate) trait Source: Send {
    /// The platform's name in cursors.
    fn platform(&self) -> &'static str;

    /// Starts the next reading at the current place. Does no I/O before it is polled.
    fn read_on(&mut self, dedupe: &Dedupe);

    /// The next event. Not polled again after an event that ends the reading. `goes_on`: another
    /// reading will follow.
    fn poll(&mut self, context: &mut Context<'_>, dedupe: &Dedupe, goes_on: bool) -> Poll<Event>;

    /// Closes the connection.
    fn close(&mut self);
}

/// The next event of a source.
pub(crate) enum Event {
    /// A line, or the error in its place.
    Item(Item),
    /// An error to yield; the reading continues.
    Told(Error),
    /// The reading has ended; start the next one at once.
    Again,
    /// As `Again`, but the rest of the millisecond cannot be read.
    Lost(Error),
    /// The server ended the response, or has nothing new.
    Ended,
    /// No data for the idle timeout.
    Silent(Error),
    /// The connection broke.
    Broken(Error),
    /// The request failed.
    Refused(Error),
}

/// A line with what identifies it.
pub(crate) struct Item {
    /// Its time, in milliseconds since 1970.
    pub at: Option<i64>,
    /// See [`line_hash`](super::line_hash).
    pub identity: u64,
    pub line: Result<LogLine>,
}

/// When a stream starts another reading.
pub(crate) struct Reconnect {
    pub wanted: bool,
    /// After a failure.
    pub failed: Backoff,
    /// After a response that ended well.
    pub ended: Backoff,
    /// Longest `Retry-After` that is accepted.
    pub max_wait: Duration,
}

impl Reconnect {
    /// By a retry policy; without retries the stream does not reconnect.
    pub fn by(retry: &Retry) -> Self {
        Self {
            wanted: retry.max_retries > 0,
            failed: Backoff::of(retry),
            ended: Backoff::of(retry),
            max_wait: retry.max_wait,
        }
    }
}

/// When the last response was sent, in milliseconds since 1970: by its `Date` header, or else by the
/// local clock.
pub(crate) fn clock(scope: &Scope) -> i64 {
    let headers = scope.outcome().headers;
    let date = headers.get(http::header::DATE);
    let date = date
        .and_then(|date| date.to_str().ok())
        .and_then(parse_http_date);
    let now = date.unwrap_or_else(SystemTime::now);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX / 2)
}
