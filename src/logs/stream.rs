//! A followed log: one reading after the other, as one stream.

use super::{Backoff, Dedupe, Event, LogCursor, LogLine, Reconnect, Source};
use crate::error::{Error, ErrorKind, Result};
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// How many connections in a row may fail. With the default backoff this takes more than a minute, long
/// enough for a server to restart.
const MOST_FAILURES: u32 = 20;

/// A connection that lasted this long was healthy: its end does not count as another failure in a row.
const STEADY: Duration = Duration::from_secs(30);

/// The lines of a log as they are written; made by `follow_logs` and `resume_logs` of a platform's
/// handle.
///
/// A [`Stream`]; [`next`](Self::next) needs no further crate. A line that cannot be decoded is an
/// error, and the stream goes on.
///
/// # Reconnection
/// When the connection ends, the stream connects again, from the time of its last line. It drops the lines of
/// that millisecond that it already yielded, comparing content and number of occurrences, so a
/// log that is ordered by time has neither gaps nor repeats. Lines that a server stores later with an
/// earlier time are missed.
///
/// Pauses before reconnecting follow the client's [`Retry`](crate::Retry) backoff, or the platform's
/// `Retry-After`. The stream ends with an error after 20 failures in a row
/// ([`max_failures`](Self::max_failures)), and at once when retrying would not help:
/// [`Unauthenticated`](ErrorKind::Unauthenticated), [`Forbidden`](ErrorKind::Forbidden),
/// [`Unsupported`](ErrorKind::Unsupported), [`NoSuchRoute`](ErrorKind::NoSuchRoute) and the like. A
/// connection that the server ends in good order, or that is silent for the client's `idle_timeout`,
/// is no failure.
///
/// The stream does not reconnect with [`Retry::off`](crate::Retry::off), after
/// [`without_reconnecting`](Self::without_reconnecting), or if no line has a time. Then a broken connection
/// is an error of kind [`Interrupted`](ErrorKind::Interrupted), silence one of kind
/// [`Timeout`](ErrorKind::Timeout), and the end of the response ends the stream.
///
/// # End
/// - The stream is dropped, which closes the connection. To end it on a signal, `select!` between the signal
///   and [`next`](Self::next), which is cancel-safe.
/// - Reconnecting finds that the resource no longer exists
///   ([`NotFound`](ErrorKind::NotFound)): it ends without an error.
/// - An error that is not about a single line, see above.
///
/// # Memory
/// Holds one line and one chunk of the connection, or one response of earlier lines when it reconnects. A slow
/// reader slows down the server.
#[must_use = "streams do nothing unless polled"]
pub struct LogStream {
    /// `None` after the end.
    source: Option<Box<dyn Source>>,
    platform: &'static str,
    dedupe: Dedupe,
    reconnect: Reconnect,
    /// The pause before the next reading.
    pause: Option<Pin<Box<Sleep>>>,
    reading_since: Instant,
    /// Failures in a row.
    failures: u32,
    most_failures: u32,
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
            reading_since: Instant::now(),
            failures: 0,
            most_failures: MOST_FAILURES,
            reconnects: 0,
        }
    }

    /// The next line; `None` after the end. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<LogLine>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The place behind the last line, to continue from later or in another process.
    pub fn cursor(&self) -> LogCursor {
        LogCursor::new(self.platform, self.dedupe.place().clone())
    }

    /// Ends the stream with its connection, see [above](Self#reconnection).
    pub fn without_reconnecting(mut self) -> Self {
        self.reconnect.wanted = false;
        self
    }

    /// How many connections in a row may fail without a new line in between. Default: 20.
    pub fn max_failures(mut self, failures: u32) -> Self {
        self.most_failures = failures;
        self
    }

    /// The pause after a response that ended in good order, which grows while nothing new arrives. Default: 5 s
    /// to 20 s on Nodion, the client's [`Retry`](crate::Retry) backoff on dployr.
    pub fn interval(mut self, first: Duration, most: Duration) -> Self {
        self.reconnect.ended = Backoff::between(first, most);
        self
    }

    /// How often the stream reconnected, or polled again on a platform that does not stream.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    fn read_on(&mut self) {
        self.dedupe.read_anew();
        self.reading_since = Instant::now();
        if let Some(source) = &mut self.source {
            source.read_on(&self.dedupe);
        }
    }

    fn pause(&mut self, pause: Duration) {
        if let Some(source) = &mut self.source {
            source.close();
        }
        self.pause = Some(Box::pin(tokio::time::sleep(pause)));
    }

    fn goes_on(&self) -> bool {
        self.reconnect.wanted && self.dedupe.is_placed()
    }

    fn end(&mut self, error: Option<Error>) -> Poll<Option<Result<LogLine>>> {
        self.source = None;
        self.pause = None;
        Poll::Ready(error.map(Err))
    }

    /// Pauses after a reading that ended without a failure; returns the error if the stream ends.
    fn ended(&mut self, error: Option<Error>) -> Result<(), Option<Error>> {
        if !self.goes_on() {
            return Err(error);
        }
        let pause = self.reconnect.ended.next();
        self.pause(pause);
        Ok(())
    }

    /// Pauses after a failure; returns the error if the stream ends.
    fn failed(&mut self, error: Error) -> Result<(), Option<Error>> {
        // The resource existed when the stream was made.
        if error.kind() == ErrorKind::NotFound {
            return Err(None);
        }
        self.failures += 1;
        let passing = error.may_repeat(true) || error.kind() == ErrorKind::RateLimited;
        let retry_after = error.retry_after().unwrap_or_default();
        if !passing
            || !self.goes_on()
            || self.failures > self.most_failures
            || retry_after > self.reconnect.max_wait
        {
            return Err(Some(error));
        }
        let pause = retry_after.saturating_add(self.reconnect.failed.next());
        tracing::debug!(
            error.type = ?error.kind(),
            wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "the logs are read again after a failure",
        );
        self.pause(pause);
        Ok(())
    }

    fn is_well(&mut self) {
        self.failures = 0;
        self.reconnect.failed.reset();
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
                this.read_on();
            }
            let goes_on = this.goes_on();
            let Some(source) = &mut this.source else {
                return Poll::Ready(None);
            };
            let next = match ready!(source.poll(context, &this.dedupe, goes_on)) {
                Event::Item(item) => {
                    let is_line = item.line.is_ok();
                    if !this.dedupe.takes(item.at, item.identity, is_line) {
                        continue;
                    }
                    if is_line {
                        this.is_well();
                        this.reconnect.ended.reset();
                    }
                    return Poll::Ready(Some(item.line));
                }
                Event::Told(error) => return Poll::Ready(Some(Err(error))),
                // Without a place the same lines would be read forever.
                Event::Again if !this.dedupe.is_placed() => Err(None),
                Event::Again => {
                    this.read_on();
                    Ok(())
                }
                Event::Lost(error) if this.dedupe.place().last.is_none() => Err(Some(error)),
                Event::Lost(error) => {
                    this.dedupe.skip_millisecond();
                    this.read_on();
                    return Poll::Ready(Some(Err(error)));
                }
                Event::Ended => this.ended(None),
                Event::Silent(error) => this.ended(Some(error)),
                Event::Broken(error) => {
                    if this.reading_since.elapsed() >= STEADY {
                        this.is_well();
                    }
                    this.failed(error)
                }
                Event::Refused(error) => this.failed(error),
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
            .field("last_millis", &self.dedupe.place().last)
            .field("reconnects", &self.reconnects)
            .finish_non_exhaustive()
    }
}
