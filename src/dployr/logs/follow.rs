//! Source of a followed log: reads missed lines page by page, and then follows a connection.
//!
//! The control plane sends a limited number of lines, the oldest first. A follower that reconnected
//! immediately would get the first missed lines and then new ones, with a gap between them.

use super::connection::Connection;
use super::pages::{Page, Remaining, crowded_millisecond};
use super::{LogQuery, PLATFORM, Reader};
use crate::call::{Call, Running};
use crate::logs::{Dedupe, Event, Source};
use crate::transport::retry::Retry;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Maximum age of the last page when a connection is opened after it.
const FRESH: Duration = Duration::from_secs(10);

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
    Page(Page),
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
        let query = LogQuery::page(dedupe);
        let log = self.reader.log.clone();
        let follow = self.caught_up || query.since.is_none();
        // Has the options of the first call, but no retries: the stream retries.
        let call = Call::new(self.reader.scope.fresh(), move |scope| async move {
            let reader = Reader { scope, log };
            Ok(match follow {
                true => State::Open(Box::new(reader.connect(query).await?)),
                false => State::Page(Page::read(&reader, query, None).await?),
            })
        });
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
                        self.close();
                        return Poll::Ready(Event::RequestFailed(error));
                    }
                },
                State::Page(page) => {
                    if let Some(item) = page.items.pop_front() {
                        return Poll::Ready(Event::Item(item));
                    }
                    return Poll::Ready(match page.remaining(dedupe.count() > self.count) {
                        Remaining::Nothing => {
                            // If the page was consumed slowly, there may be more new lines than one
                            // response contains.
                            self.caught_up = self.read_at.elapsed() < FRESH;
                            Event::ReadMore
                        }
                        Remaining::More => Event::ReadMore,
                        Remaining::Stuck => Event::SkipMillisecond(crowded_millisecond()),
                    });
                }
                State::Open(connection) => {
                    let event = ready!(connection.poll(context, will_reconnect));
                    if !matches!(event, Event::Item(_)) {
                        self.close();
                    }
                    return Poll::Ready(event);
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
