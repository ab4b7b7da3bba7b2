//! Source of a followed log: reads missed lines page by page, and then follows a connection.
//!
//! The control plane sends a limited number of lines, the oldest first. A follower that reconnected
//! immediately would get the first missed lines and then new ones, with a gap between them.

use super::connection::{Connection, SILENCE_ADVICE};
use super::{LogQuery, PLATFORM, Reader};
use crate::call::Running;
use crate::error::ErrorKind;
use crate::logs::{Dedupe, Event, Item, Source, lines_lost};
use crate::transport::retry::Retry;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Maximum age of the last page when a connection is opened after it.
const FRESH: Duration = Duration::from_secs(10);

const CROWDED: &str =
    "the log has more lines in one millisecond than one response contains: some are missing";

pub(super) struct LogSource {
    reader: Reader,
    state: State,
    /// Whether all missed lines have been read.
    caught_up: bool,
    /// When the current page was read.
    read_at: Instant,
    /// Number of lines yielded before the current page.
    count: u64,
}

/// State of the source.
pub(super) enum State {
    Closed,
    Pending(Running<State>),
    /// Lines that were read before.
    Tail(VecDeque<Item>),
    Open(Box<Connection>),
}

impl LogSource {
    pub fn new(reader: Reader, state: State) -> Self {
        Self {
            reader,
            state,
            caught_up: false,
            read_at: Instant::now(),
            count: 0,
        }
    }
}

impl Source for LogSource {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn start_reading(&mut self, dedupe: &Dedupe) {
        let mut query = LogQuery::page(dedupe);
        query.follow = self.caught_up || query.since.is_none();
        // Has the options of the first call, but no retries: the stream retries.
        let call = self.reader.read(self.reader.scope.fresh(), query);
        self.count = dedupe.count();
        self.state = State::Pending(call.retry(Retry::off()).into_future());
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        dedupe: &Dedupe,
        will_reconnect: bool,
    ) -> Poll<Event> {
        loop {
            match &mut self.state {
                State::Closed => return Poll::Ready(Event::Ended),
                State::Pending(running) => match ready!(Pin::new(running).poll(context)) {
                    Ok(state) => {
                        self.read_at = Instant::now();
                        self.state = state;
                    }
                    Err(error) => {
                        // No response within the idle timeout.
                        let is_silent = error.kind() == ErrorKind::Timeout && error.is_permanent();
                        return Poll::Ready(match is_silent {
                            true => Event::IdleTimeout(error.with_advice(SILENCE_ADVICE)),
                            false => Event::RequestFailed(error),
                        });
                    }
                },
                State::Tail(items) => {
                    self.caught_up = self.read_at.elapsed() < FRESH;
                    return Poll::Ready(items.pop_front().map_or(Event::ReadMore, Event::Item));
                }
                State::Open(connection) => {
                    let event = ready!(connection.poll(context, will_reconnect));
                    if connection.query.follow || matches!(event, Event::Item(_)) {
                        return Poll::Ready(event);
                    }
                    let has_new = dedupe.count() > self.count;
                    return Poll::Ready(match (connection.is_full(), has_new) {
                        (false, _) => {
                            // If the page was consumed slowly, there may be more new lines than one
                            // response contains.
                            self.caught_up = self.read_at.elapsed() < FRESH;
                            Event::ReadMore
                        }
                        (true, true) => Event::ReadMore,
                        (true, false) => Event::SkipMillisecond(lines_lost(CROWDED)),
                    });
                }
            }
        }
    }

    fn close(&mut self) {
        self.state = State::Closed;
        // Before the next connection, more lines may be written than one response contains.
        self.caught_up = false;
    }
}
