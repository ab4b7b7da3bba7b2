//! Interface of a platform's log, for [`LogStream`](super::LogStream).

use super::{Dedupe, LogLine};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::time::parse_http_date;
use crate::transport::Scope;
use serde_json::value::RawValue;
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

/// The error for lines that cannot be read.
pub(crate) fn lines_lost(message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, message).with_effect(Effect::None)
}

/// Bytes that are decoded in one poll: 64 KiB, or 256 items of [`MIN_COST`].
const BATCH: usize = 64 << 10;
/// Each decoded item counts as at least this many bytes.
pub(crate) const MIN_COST: usize = 256;

/// Yields to the executor after each [`BATCH`]. `decoded` counts the bytes since the last yield.
pub(crate) fn poll_batch(decoded: &mut usize, context: &mut Context<'_>) -> Poll<()> {
    if *decoded < BATCH {
        return Poll::Ready(());
    }
    *decoded = 0;
    context.waker().wake_by_ref();
    Poll::Pending
}

/// The first item in the rest of a JSON array, which begins behind `[` or a comma, and where the next item
/// begins. `None` if no value follows, as at the end of the array.
pub(crate) fn next_array_item(rest: &[u8]) -> Option<(&[u8], usize)> {
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
    let item = values.next()?.ok()?.get().as_bytes();
    let after = rest[values.byte_offset()..].trim_ascii_start();
    let after = after.strip_prefix(b",").unwrap_or(after);
    Some((item, rest.len() - after.len()))
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
