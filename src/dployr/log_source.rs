//! The log of a service as a source: first what is behind, in replies of a bounded size, then what
//! comes over a connection.
//!
//! The control plane gives the oldest lines of a window first and a number of them at most. Who
//! followed from a place far behind would get the first of them and then what is new, and not what
//! is between.

use super::LogLine;
use super::log_connection::Connection;
use super::log_read::{Behind, LARGEST_LIMIT, Log, Page, Wanted, too_crowded};
use super::logs::{self, PLATFORM};
use crate::call::{Call, Running};
use crate::error::Result;
use crate::logs::{Event, Item, Seam, Source};
use crate::transport::Scope;
use crate::transport::retry::Retry;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// How old lines may be for a connection to be opened behind them.
const FRESH: Duration = Duration::from_secs(10);

pub(super) struct LogSource {
    /// That of the call which made it, with its options.
    scope: Scope,
    id: Log,
    state: State,
    /// What is behind has been read.
    caught_up: bool,
    /// When the lines that are handed out now were read.
    read_at: Instant,
    /// How many lines there had been when the page began.
    count: u64,
}

enum State {
    Closed,
    Reading(Running<Page>),
    Page(Page),
    Lines(VecDeque<Item<LogLine>>),
    Opening(Running<Connection>),
    Open(Box<Connection>),
}

impl LogSource {
    fn new(scope: Scope, id: Log, state: State) -> Self {
        Self {
            scope,
            id,
            state,
            caught_up: false,
            read_at: Instant::now(),
            count: 0,
        }
    }

    pub fn connected(scope: Scope, id: Log, connection: Connection) -> Self {
        Self::new(scope, id, State::Open(Box::new(connection)))
    }

    /// Begins with lines behind which there are no others yet.
    pub fn caught_up(scope: Scope, id: Log, lines: VecDeque<Item<LogLine>>) -> Self {
        Self::new(scope, id, State::Lines(lines))
    }

    pub fn behind(scope: Scope, id: Log, page: Page) -> Self {
        Self::new(scope, id, State::Page(page))
    }

    /// Whether hardly anything can have been written since. A slow reader takes its time, and meanwhile
    /// more can have come than one reply holds.
    fn is_fresh(&self) -> bool {
        self.read_at.elapsed() < FRESH
    }

    /// A call of its own, with the options of the first one. The stream repeats it.
    fn call<T, F, R>(&self, run: F) -> Running<T>
    where
        T: Send + 'static,
        F: FnOnce(Scope, Log) -> R + Send + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        let id = self.id.clone();
        let call = Call::new(self.scope.fresh(), move |scope| run(scope, id));
        call.retry(Retry::off()).into_future()
    }
}

impl Source for LogSource {
    type Line = LogLine;

    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn read_on(&mut self, seam: &Seam) {
        let since = seam.place().since();
        let wanted = Wanted {
            since,
            limit: Some(LARGEST_LIMIT),
            ..Wanted::default()
        };
        self.count = seam.count();
        self.state = if self.caught_up || since.is_none() {
            let wanted = Wanted {
                follow: true,
                ..wanted
            };
            State::Opening(
                self.call(move |scope, id| async move { logs::connect(&scope, &id, wanted).await }),
            )
        } else {
            State::Reading(self.call(move |mut scope, id| async move {
                Page::read(&mut scope, Instant::now(), &id, wanted).await
            }))
        };
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        seam: &Seam,
        goes_on: bool,
    ) -> Poll<Event<LogLine>> {
        loop {
            match &mut self.state {
                State::Closed => return Poll::Ready(Event::Ended),
                State::Reading(running) => match ready!(Pin::new(running).poll(context)) {
                    Ok(page) => {
                        self.read_at = Instant::now();
                        self.state = State::Page(page);
                    }
                    Err(error) => {
                        self.close();
                        return Poll::Ready(Event::Refused(error));
                    }
                },
                State::Page(page) => {
                    if let Some(item) = page.items.pop_front() {
                        return Poll::Ready(Event::Item(item));
                    }
                    return Poll::Ready(match page.behind(seam.count() > self.count) {
                        Behind::Nothing => {
                            self.caught_up = self.is_fresh();
                            Event::Again
                        }
                        Behind::More => Event::Again,
                        Behind::Stuck => Event::Lost(too_crowded()),
                    });
                }
                State::Lines(lines) => {
                    if let Some(item) = lines.pop_front() {
                        return Poll::Ready(Event::Item(item));
                    }
                    self.caught_up = self.is_fresh();
                    return Poll::Ready(Event::Again);
                }
                State::Opening(running) => match ready!(Pin::new(running).poll(context)) {
                    Ok(connection) => self.state = State::Open(Box::new(connection)),
                    Err(error) => {
                        self.close();
                        return Poll::Ready(Event::Refused(error));
                    }
                },
                State::Open(connection) => {
                    let event = ready!(connection.poll(context, !goes_on));
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
        // While nobody listens there may be more than one reply holds.
        self.caught_up = false;
    }
}
