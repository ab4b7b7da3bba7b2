//! A followed log: all readings as one stream of lines.

use super::{Backoff, Dedupe, Event, LogCursor, LogLine, Reconnect, Source};
use crate::error::{Error, ErrorKind, Result};
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// How many connections in a row may fail, by default. With the default backoff this takes more than a
/// minute, enough for a server to restart.
const MAX_FAILURES: u32 = 20;

/// A connection that lasted this long was stable: its end resets the count of failures.
const STABLE: Duration = Duration::from_secs(30);

/// The lines of a log as they are written.
///
/// Returned by `follow_logs` and `resume_logs` of a handle. It is a [`Stream`]; [`next`](Self::next) needs no
/// further crate. A line that cannot be decoded is an error item, after which the stream continues.
///
/// # Reconnection
/// When the connection ends, the stream reconnects and reads from the time of its last line. Lines of
/// that millisecond that were already yielded are dropped; they are compared by content and number of
/// occurrences. A log in order of time therefore has neither gaps nor repeats. A line that the server
/// stores later with an earlier time is missed.
///
/// The pause before reconnecting is the client's [`Retry`](crate::Retry) backoff or the platform's
/// `Retry-After`. The stream ends with an error after 20 failures in a row
/// ([`max_failures`](Self::max_failures)), or immediately after a permanent error, such as
/// [`Unauthenticated`](ErrorKind::Unauthenticated), [`Forbidden`](ErrorKind::Forbidden),
/// [`Unsupported`](ErrorKind::Unsupported) or [`NoSuchRoute`](ErrorKind::NoSuchRoute). A completed response
/// is not a failure, and neither is silence for the client's `idle_timeout`, before or after the response
/// begins. A full response without a new line is one, because lines are missing.
///
/// The stream does not reconnect with [`Retry::off`](crate::Retry::off), after
/// [`without_reconnecting`](Self::without_reconnecting), or if no line has a time. Then the end of the
/// response ends the stream, a broken connection is an [`Interrupted`](ErrorKind::Interrupted) error, and
/// silence is a [`Timeout`](ErrorKind::Timeout) error.
///
/// # End
/// The stream ends:
///
/// - without an error, if the resource no longer exists ([`NotFound`](ErrorKind::NotFound)) when it
///   reconnects;
/// - after an error that is not about a single line, as described above.
///
/// Dropping the stream closes the connection. To stop on a signal, `select!` between the signal and
/// [`next`](Self::next), which is cancel-safe.
///
/// # Memory
/// The stream buffers one line and one chunk of the connection, or one response when it catches up after
/// reconnecting. Lines are decoded when they are read, at most 256 lines or 64 KiB in one poll. A slow reader
/// slows down the server.
#[must_use = "streams do nothing unless polled"]
pub struct LogStream {
    /// `None` after the end.
    source: Option<Box<dyn Source>>,
    platform: &'static str,
    dedupe: Dedupe,
    reconnect: Reconnect,
    /// The running pause before the next reading.
    pause: Option<Pin<Box<Sleep>>>,
    reading_started: Instant,
    /// Failures in a row.
    failures: u32,
    max_failures: u32,
    reconnects: u64,
}

impl LogStream {
    pub(crate) fn new(source: impl Source + 'static, dedupe: Dedupe, reconnect: Reconnect) -> Self {
        Self {
            platform: source.platform(),
            source: Some(Box::new(source)),
            dedupe,
            reconnect,
            pause: None,
            reading_started: Instant::now(),
            failures: 0,
            max_failures: MAX_FAILURES,
            reconnects: 0,
        }
    }

    /// The next line; `None` after the end. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<LogLine>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The position after the last line, to continue later or in another process.
    pub fn cursor(&self) -> LogCursor {
        LogCursor::new(self.platform, self.dedupe.position().clone())
    }

    /// Disables [reconnection](Self#reconnection): the stream ends with its connection.
    pub fn without_reconnecting(mut self) -> Self {
        self.reconnect.enabled = false;
        self
    }

    /// How many connections in a row may fail without a new line. Default: 20.
    pub fn max_failures(mut self, failures: u32) -> Self {
        self.max_failures = failures;
        self
    }

    /// Pause after a complete response: the first and the longest one.
    ///
    /// The pause grows until a new line arrives. Default: 5 s to 20 s on Nodion, the client's
    /// [`Retry`](crate::Retry) backoff on dployr.
    pub fn interval(mut self, first: Duration, longest: Duration) -> Self {
        self.reconnect.after_end = Backoff::between(first, longest);
        self
    }

    /// Number of reconnections, or of polls on a platform without streaming.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    fn start_reading(&mut self) {
        self.dedupe.start_reading();
        self.reading_started = Instant::now();
        if let Some(source) = &mut self.source {
            source.start_reading(&self.dedupe);
        }
    }

    fn pause(&mut self, pause: Duration) {
        if let Some(source) = &mut self.source {
            source.close();
        }
        self.pause = Some(Box::pin(tokio::time::sleep(pause)));
    }

    fn will_reconnect(&self) -> bool {
        self.reconnect.enabled && self.dedupe.has_position()
    }

    fn end(&mut self, error: Option<Error>) -> Poll<Option<Result<LogLine>>> {
        self.source = None;
        self.pause = None;
        Poll::Ready(error.map(Err))
    }

    /// Pauses after a reading that ended without a failure; returns the error if the stream ends.
    fn on_end(&mut self, error: Option<Error>) -> Result<(), Option<Error>> {
        if !self.will_reconnect() {
            return Err(error);
        }
        let pause = self.reconnect.after_end.next();
        self.pause(pause);
        Ok(())
    }

    /// Pauses after a failure; returns the error if the stream ends.
    fn on_failure(&mut self, error: Error) -> Result<(), Option<Error>> {
        // The resource existed when the stream was created.
        if error.kind() == ErrorKind::NotFound {
            return Err(None);
        }
        self.failures += 1;
        let is_transient = error.may_retry(true) || error.kind() == ErrorKind::RateLimited;
        let retry_after = error.retry_after().unwrap_or_default();
        if !is_transient
            || !self.will_reconnect()
            || self.failures > self.max_failures
            || retry_after > self.reconnect.max_retry_after
        {
            return Err(Some(error));
        }
        let pause = retry_after.saturating_add(self.reconnect.after_failure.next());
        tracing::debug!(
            error.type = ?error.kind(),
            wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "the log stream reconnects after a failure",
        );
        self.pause(pause);
        Ok(())
    }

    fn reset_failures(&mut self) {
        self.failures = 0;
        self.reconnect.after_failure.reset();
    }
}

impl Stream for LogStream {
    type Item = Result<LogLine>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(context));
                this.pause = None;
                this.reconnects += 1;
                this.start_reading();
            }
            let will_reconnect = this.will_reconnect();
            let Some(source) = &mut this.source else {
                return Poll::Ready(None);
            };
            let next = match ready!(source.poll(context, &this.dedupe, will_reconnect)) {
                Event::Item(item) => {
                    let is_line = item.line.is_ok();
                    if !this.dedupe.accept(item.at, item.hash, is_line) {
                        continue;
                    }
                    if is_line {
                        this.reset_failures();
                        this.reconnect.after_end.reset();
                    }
                    return Poll::Ready(Some(item.line));
                }
                Event::Warning(error) => return Poll::Ready(Some(Err(error))),
                // Without a position, the same lines would be read forever.
                Event::ReadMore if !this.dedupe.has_position() => Err(None),
                Event::ReadMore => {
                    this.start_reading();
                    Ok(())
                }
                Event::SkipMillisecond(error) => {
                    this.failures += 1;
                    let is_last = this.failures > this.max_failures;
                    if is_last || this.dedupe.position().last.is_none() {
                        return this.end(Some(error));
                    }
                    this.dedupe.skip_millisecond();
                    let pause = this.reconnect.after_failure.next();
                    this.pause(pause);
                    return Poll::Ready(Some(Err(error)));
                }
                Event::Ended => this.on_end(None),
                Event::IdleTimeout(error) => this.on_end(Some(error)),
                Event::ConnectionBroken(error) => {
                    if this.reading_started.elapsed() >= STABLE {
                        this.reset_failures();
                    }
                    this.on_failure(error)
                }
                Event::RequestFailed(error) => this.on_failure(error),
            };
            if let Err(last) = next {
                return this.end(last);
            }
        }
    }
}

impl fmt::Debug for LogStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStream")
            .field("platform", &self.platform)
            .field("ended", &self.source.is_none())
            .field("last_millis", &self.dedupe.position().last)
            .field("reconnects", &self.reconnects)
            .finish_non_exhaustive()
    }
}
