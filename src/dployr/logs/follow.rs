//! A followed log: pages of what is behind, then a connection.
//!
//! The control plane sends the oldest lines of a window first and a limited number of them. A follower
//! far behind would get the first of them and then the new ones, without those in between.

use super::connection::Connection;
use super::pages::{Behind, Page, too_crowded};
use super::{PLATFORM, Reader, Wanted};
use crate::call::{Call, Running};
use crate::logs::{Dedupe, Event, Source};
use crate::transport::retry::Retry;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// How old the last page may be for a connection to be opened after it.
const FRESH: Duration = Duration::from_secs(10);

pub(super) struct LogSource {
    reader: Reader,
    state: State,
    /// Whether everything behind has been read.
    caught_up: bool,
    /// When the current page was read.
    read_at: Instant,
    /// The reader's number of lines when the current page began.
    count: u64,
}

/// What a source is reading.
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

    fn read_on(&mut self, dedupe: &Dedupe) {
        let wanted = Wanted::page(dedupe);
        let log = self.reader.log.clone();
        let follow = self.caught_up || wanted.since.is_none();
        // A call with the options of the first one; the stream retries it.
        let call = Call::new(self.reader.scope.fresh(), move |scope| async move {
            let reader = Reader { scope, log };
            Ok(match follow {
                true => State::Open(Box::new(reader.connect(wanted).await?)),
                false => State::Page(Page::read(&reader, wanted, None).await?),
            })
        });
        self.count = dedupe.count();
        self.state = State::Pending(call.retry(Retry::off()).into_future());
    }

    fn poll(&mut self, context: &mut Context<'_>, dedupe: &Dedupe, goes_on: bool) -> Poll<Event> {
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
                        return Poll::Ready(Event::Refused(error));
                    }
                },
                State::Page(page) => {
                    if let Some(item) = page.items.pop_front() {
                        return Poll::Ready(Event::Item(item));
                    }
                    return Poll::Ready(match page.behind(dedupe.count() > self.count) {
                        Behind::Nothing => {
                            // Behind a slow reader more lines may have come than one reply holds.
                            self.caught_up = self.read_at.elapsed() < FRESH;
                            Event::Again
                        }
                        Behind::More => Event::Again,
                        Behind::Stuck => Event::Lost(too_crowded()),
                    });
                }
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
        // Until the next connection more lines may come than one reply holds.
        self.caught_up = false;
    }
}
