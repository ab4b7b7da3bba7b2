//! Interface of a platform's log, for [`LogStream`](super::LogStream).

use super::{Dedupe, LogLine};
use crate::error::{Error, Result};
use crate::time::parse_http_date;
use crate::transport::Scope;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

/// Reads a log in readings: connections of a streaming platform, or windows of a polled log.
///
/// The first reading starts when the source is created.
pub(crate) trait Source: Send {
    /// Name of the platform in cursors.
    fn platform(&self) -> &'static str;

    /// Starts the next reading at the current position. Sends nothing until polled.
    fn start_reading(&mut self, dedupe: &Dedupe);

    /// The next event. Not polled again after an event that ends the reading.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        dedupe: &Dedupe,
        will_reconnect: bool,
    ) -> Poll<Event>;

    /// Closes the connection.
    fn close(&mut self);
}

/// The next event of a source.
pub(crate) enum Event {
    /// A line, or the error of a line that cannot be decoded.
    Item(Item),
    /// An error to yield, such as a gap. The reading continues.
    Warning(Error),
    /// The reading has ended; start the next one immediately.
    ReadMore,
    /// The rest of the current millisecond cannot be read. Yield the error, and continue after that
    /// millisecond and a pause.
    SkipMillisecond(Error),
    /// The server ended the response, or has nothing new.
    Ended,
    /// No data within the idle timeout.
    IdleTimeout(Error),
    /// The connection broke.
    ConnectionBroken(Error),
    /// The request failed.
    RequestFailed(Error),
}

/// A line, with the time and the hash that identify it.
pub(crate) struct Item {
    /// Time of the line, in milliseconds since 1970.
    pub at: Option<i64>,
    /// See [`line_hash`](super::line_hash).
    pub hash: u64,
    pub line: Result<LogLine>,
}

/// Time of the last response, in milliseconds since 1970: its `Date` header, or the local clock.
pub(crate) fn server_time_millis(scope: &Scope) -> i64 {
    let headers = scope.outcome().headers;
    let date = headers.get(http::header::DATE);
    let date = date
        .and_then(|date| date.to_str().ok())
        .and_then(parse_http_date);
    let now = date.unwrap_or_else(SystemTime::now);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX / 2)
}
