//! A log as it comes: one reading after the other, as one stream.

use super::{LogCursor, LogStop, Pauses, Place, Seam};
use crate::error::{Error, ErrorKind, Result};
use crate::transport::retry::Retry;
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// How many connections may fail one after the other. With the default back-off that is a minute
/// and more: long enough for a server to be restarted.
const MOST_FAILURES: u32 = 20;

/// A connection that lived so long was well: what ends it is no further failure in a row.
const STEADY: Duration = Duration::from_secs(30);

/// What a source has next.
pub(crate) enum Event<L> {
    /// A line, or what stands in the place of one.
    Item(Item<L>),
    /// This reading is over, and the next one is to begin at once.
    Again,
    /// The same, but the rest of the millisecond cannot be had.
    Lost(Error),
    /// Something to tell; the reading goes on.
    Told(Error),
    /// The server ended the reply in good order, or has nothing more for now.
    Ended,
    /// Nothing came for too long: the connection may be dead.
    Silent(Error),
    /// The connection broke.
    Broken(Error),
    /// None could be had, or what is behind could not be read.
    Refused(Error),
}

/// One thing out of a log.
pub(crate) struct Item<L> {
    /// Its time, in milliseconds since 1970.
    pub at: Option<i64>,
    /// See [`Identity`](super::Identity).
    pub identity: u64,
    pub line: Result<L>,
}

/// Where lines come from. A source is made with its first reading begun, or about to begin.
pub(crate) trait Source: Send {
    type Line;

    /// The platform, for the cursor.
    fn platform(&self) -> &'static str;

    /// Begins the next reading at the seam's place. Does no I/O before it is polled.
    fn read_on(&mut self, seam: &Seam);

    /// What comes next. Not called again after an event that ends the reading. `goes_on` is whether
    /// there will be another one.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        seam: &Seam,
        goes_on: bool,
    ) -> Poll<Event<Self::Line>>;

    /// Closes the connection.
    fn close(&mut self);
}

/// How a stream goes on after the end of a reading.
pub(crate) struct Reconnect {
    pub wanted: bool,
    /// After a failure.
    pub failed: Pauses,
    /// After an end in good order.
    pub ended: Pauses,
    /// How long the platform may ask to wait.
    pub max_wait: Duration,
}

impl Reconnect {
    /// By a policy for retries: without retries there is no second connection.
    pub fn by(retry: &Retry) -> Self {
        Self {
            wanted: !retry.is_off(),
            failed: Pauses::of(retry),
            ended: Pauses::of(retry),
            max_wait: retry.longest_wait(),
        }
    }
}

/// The lines of a log as they come, for as long as they are wanted; made by `follow_logs` and
/// `resume_logs` of a platform's handle.
///
/// It is a [`Stream`], and [`next`](Self::next) needs no further crate. A line that cannot be read is
/// an error, and the stream goes on.
///
/// # When the connection ends
/// It connects again by itself, from the time of the line that it gave last. Lines of that
/// millisecond that were given are left out: by what they say and how often, since several lines, and
/// equal ones, may have the same time. So no line is missing and none comes twice, for a log that is
/// ordered by time. What a server stores later, with a time before that of the last line, is not
/// asked for again.
///
/// Before a new connection it waits as the client's [`Retry`] says for a
/// back-off, or as long as the platform asks. It gives up, with the error as its last item, after 20
/// failures in a row ([`max_failures`](Self::max_failures)), and at once when another try would not
/// help: [`Unauthenticated`](ErrorKind::Unauthenticated), [`Forbidden`](ErrorKind::Forbidden),
/// [`Unsupported`](ErrorKind::Unsupported), [`NoSuchRoute`](ErrorKind::NoSuchRoute) and the like. A
/// connection that the server ends in good order, and one that is silent for the client's
/// `idle_timeout`, are no failures.
///
/// It does not connect again if the policy is [`Retry::off`], or after
/// [`without_reconnecting`](Self::without_reconnecting). Then a connection that breaks is an error of
/// kind [`Interrupted`](ErrorKind::Interrupted), silence one of kind [`Timeout`](ErrorKind::Timeout),
/// and the end of the reply the end without an error. The same goes for lines without any time: no
/// connection could go on behind them.
///
/// # When it ends
/// - It is dropped: that closes the connection.
/// - [`LogStop::stop`] was called on its [`stop_handle`](Self::stop_handle): it ends without an error.
/// - What is followed is gone, which a [`NotFound`](ErrorKind::NotFound) at a later connection says:
///   it ends without an error.
/// - After an error that is not one of a line, see above.
///
/// # Memory
/// It reads no further than it is asked to: a line and a piece of the connection are in memory, or
/// one reply of what is behind when it goes on. A reader that is slow makes the server wait.
#[must_use = "a stream does nothing until it is polled"]
pub struct LogStream<L> {
    /// `None` when it has ended.
    source: Option<Box<dyn Source<Line = L>>>,
    platform: &'static str,
    seam: Seam,
    reconnect: Reconnect,
    /// The pause before the next reading.
    pause: Option<Pin<Box<Sleep>>>,
    reading_since: Instant,
    failures: u32,
    most_failures: u32,
    reconnects: u64,
    stop: LogStop,
}

impl<L> LogStream<L> {
    pub(crate) fn new(
        source: impl Source<Line = L> + 'static,
        seam: Seam,
        reconnect: Reconnect,
    ) -> Self {
        Self {
            platform: source.platform(),
            source: Some(Box::new(source)),
            seam,
            reconnect,
            pause: None,
            reading_since: Instant::now(),
            failures: 0,
            most_failures: MOST_FAILURES,
            reconnects: 0,
            stop: LogStop::default(),
        }
    }

    /// The next line; `None` when the stream has ended.
    ///
    /// It may be dropped before it is ready, in a `select!` for one: no line is lost.
    pub async fn next(&mut self) -> Option<Result<L>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The place behind the line that was given last, to go on from in another process or later.
    pub fn cursor(&self) -> LogCursor {
        LogCursor::new(self.platform, self.seam.place().clone())
    }

    /// Something to end this stream with from elsewhere.
    pub fn stop_handle(&self) -> LogStop {
        self.stop.clone()
    }

    /// The stream ends with its connection, see [above](Self#when-the-connection-ends).
    pub fn without_reconnecting(mut self) -> Self {
        self.reconnect.wanted = false;
        self
    }

    /// How many connections may fail one after the other, without a new line in between. Default: 20.
    pub fn max_failures(mut self, failures: u32) -> Self {
        self.most_failures = failures;
        self
    }

    /// How long it waits after a reply that ended in good order, which grows while nothing new comes: on
    /// Nodion from 5 s to 20 s, on dployr as the client's [`Retry`] says for a back-off.
    pub fn interval(mut self, first: Duration, most: Duration) -> Self {
        self.reconnect.ended = Pauses::between(first, most);
        self
    }

    /// How often it connected again, or looked again on a platform that does not stream.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    fn read_on(&mut self) {
        self.seam.read_anew();
        self.reading_since = Instant::now();
        if let Some(source) = &mut self.source {
            source.read_on(&self.seam);
        }
    }

    fn wait(&mut self, pause: Duration) {
        if let Some(source) = &mut self.source {
            source.close();
        }
        self.pause = Some(Box::pin(tokio::time::sleep(pause)));
    }

    fn may_go_on(&self) -> bool {
        self.reconnect.wanted && self.seam.is_placed()
    }

    fn end(&mut self, error: Option<Error>) -> Poll<Option<Result<L>>> {
        self.source = None;
        self.pause = None;
        Poll::Ready(error.map(Err))
    }

    /// What becomes of the stream after a failure; an error if it is the end.
    fn broken(&mut self, error: Error) -> std::result::Result<(), Option<Error>> {
        // It was there when the stream was made.
        if error.kind() == ErrorKind::NotFound {
            return Err(None);
        }
        let passing = error.may_repeat(true) || error.kind() == ErrorKind::RateLimited;
        if !passing || !self.may_go_on() {
            return Err(Some(error));
        }
        self.failures += 1;
        let asked = error.retry_after().unwrap_or_default();
        if self.failures > self.most_failures || asked > self.reconnect.max_wait {
            return Err(Some(error));
        }
        let pause = asked.saturating_add(self.reconnect.failed.next());
        tracing::debug!(
            error.type = ?error.kind(),
            wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "the logs will be read on",
        );
        self.wait(pause);
        Ok(())
    }

    fn is_well(&mut self) {
        self.failures = 0;
        self.reconnect.failed.reset();
    }
}

impl<L> Stream for LogStream<L> {
    type Item = Result<L>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.stop.poll(context) {
                return this.end(None);
            }
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(context));
                this.pause = None;
                this.reconnects += 1;
                this.read_on();
            }
            let goes_on = this.may_go_on();
            let Some(source) = &mut this.source else {
                return Poll::Ready(None);
            };
            match ready!(source.poll(context, &this.seam, goes_on)) {
                Event::Item(item) => {
                    let is_line = item.line.is_ok();
                    if !this.seam.takes(item.at, item.identity, is_line) {
                        continue;
                    }
                    if is_line {
                        this.is_well();
                        this.reconnect.ended.reset();
                    }
                    return Poll::Ready(Some(item.line));
                }
                // The same would come again, for ever.
                Event::Again if !this.seam.is_placed() => return this.end(None),
                Event::Again => this.read_on(),
                Event::Lost(error) if this.seam.place().last.is_none() => {
                    return this.end(Some(error));
                }
                Event::Lost(error) => {
                    this.seam.skip_millisecond();
                    this.read_on();
                    return Poll::Ready(Some(Err(error)));
                }
                Event::Told(error) => return Poll::Ready(Some(Err(error))),
                Event::Ended if goes_on => {
                    let pause = this.reconnect.ended.next();
                    this.wait(pause);
                }
                Event::Ended => return this.end(None),
                Event::Silent(error) if goes_on => {
                    tracing::debug!(%error, "the logs will be read on");
                    let pause = this.reconnect.ended.next();
                    this.wait(pause);
                }
                Event::Silent(error) => return this.end(Some(error)),
                Event::Broken(error) => {
                    if this.reading_since.elapsed() >= STEADY {
                        this.is_well();
                    }
                    if let Err(last) = this.broken(error) {
                        return this.end(last);
                    }
                }
                Event::Refused(error) => {
                    if let Err(last) = this.broken(error) {
                        return this.end(last);
                    }
                }
            }
        }
    }
}

impl<L> fmt::Debug for LogStream<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { last, .. } = self.seam.place();
        f.debug_struct("LogStream")
            .field("platform", &self.platform)
            .field("ended", &self.source.is_none())
            .field("last_millis", last)
            .field("reconnects", &self.reconnects)
            .finish_non_exhaustive()
    }
}
