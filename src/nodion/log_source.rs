//! The log of an application as a source: one window after the other.

use super::logs::MOST_LINES;
use super::{ApplicationId, Client, LogWindow};
use crate::call::{Call, step};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{
    Backoff, Dedupe, Event, Item, LogCursor, LogLine, LogStream, Place, Reconnect, Source, clock,
    line_hash,
};
use crate::raw::nodion::types;
use crate::transport::Scope;
use crate::transport::retry::Retry;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The platform's name in a cursor.
const PLATFORM: &str = "nodion";
/// Between two looks, while lines come and after a while without any: the platform documents no
/// rate, and people read along.
const INTERVAL: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(20));
/// Several instances print into one log, each by its own clock and each with its own way to it. In
/// milliseconds.
const OVERLAP: i64 = 5_000;
/// What the platform gives if it is not told where to begin, in milliseconds.
const HOUR: i64 = 3_600_000;

type Running = crate::call::Running<Vec<types::LogLine>>;

pub(super) async fn follow(
    scope: Scope,
    id: ApplicationId,
    start: LogWindow,
    cursor: Option<LogCursor>,
) -> Result<LogStream> {
    let place = match cursor {
        Some(cursor) => cursor.place_on(PLATFORM)?,
        None => Place::default(),
    };
    let mut dedupe = Dedupe::new(place, OVERLAP);
    let goes_on = dedupe.place().last.is_some();
    let given = start.after.transpose().map_err(Error::invalid_request)?;
    let after = given.or_else(|| after(dedupe.place()));
    let given = after.as_deref().and_then(|after| after.parse().ok());
    let given = given.map(jiff::Timestamp::as_millisecond);
    let lines = window(&scope, &id, after, start.instance.as_deref()).await?;
    if dedupe.place().since().is_none() {
        let hour_ago = clock(&scope) - HOUR;
        dedupe.start_at(Some(
            given.map_or(hour_ago, |after| after.saturating_add(1)),
        ));
    }
    let mut items = items_of(lines);
    let full = is_full(items.len());
    if let Some(newest) = start.limit {
        for out in items.drain(..items.len().saturating_sub(newest as usize)) {
            dedupe.takes(out.at, out.identity, true);
        }
    }
    let policy = scope.retry().clone();
    let off = policy.max_retries == 0;
    let reconnect = Reconnect {
        // To look again is what following means here.
        wanted: true,
        ended: Backoff::between(INTERVAL.0, INTERVAL.1),
        ..Reconnect::by(&policy)
    };
    let mut source = LogSource {
        scope,
        id,
        instance: start.instance,
        state: State::Closed,
        count: 0,
    };
    source.found(items, full, &dedupe, goes_on);
    let stream = LogStream::new(source, dedupe, reconnect);
    Ok(if off { stream.max_failures(0) } else { stream })
}

struct LogSource {
    /// That of the call which made it, with its options.
    scope: Scope,
    id: ApplicationId,
    instance: Option<String>,
    state: State,
    /// How many lines there had been when the window was read.
    count: u64,
}

enum State {
    Closed,
    Reading(Running),
    Window {
        /// To be told before the lines.
        gap: Option<Error>,
        items: VecDeque<Item>,
        full: bool,
    },
}

impl LogSource {
    /// `goes_on` is whether the window should begin with what was given.
    fn found(&mut self, items: VecDeque<Item>, full: bool, dedupe: &Dedupe, goes_on: bool) {
        let joins = items
            .iter()
            .any(|item| dedupe.knows(item.at, item.identity));
        let gap = (full && goes_on && !joins).then(|| {
            lost("more lines came than the platform keeps: those before the next line are missing")
        });
        self.state = State::Window { gap, items, full };
    }
}

impl Source for LogSource {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn read_on(&mut self, dedupe: &Dedupe) {
        self.count = dedupe.count();
        let (id, instance) = (self.id.clone(), self.instance.clone());
        let after = after(dedupe.place());
        let call = Call::new(self.scope.fresh(), move |scope| async move {
            window(&scope, &id, after, instance.as_deref()).await
        });
        // The stream repeats it.
        self.state = State::Reading(call.retry(Retry::off()).into_future());
    }

    fn poll(&mut self, context: &mut Context<'_>, dedupe: &Dedupe, _goes_on: bool) -> Poll<Event> {
        loop {
            match &mut self.state {
                State::Closed => return Poll::Ready(Event::Ended),
                State::Reading(running) => match ready!(Pin::new(running).poll(context)) {
                    Ok(lines) => {
                        let full = is_full(lines.len());
                        let goes_on = dedupe.place().last.is_some();
                        self.found(items_of(lines), full, dedupe, goes_on);
                    }
                    Err(error) => {
                        self.close();
                        return Poll::Ready(Event::Refused(error));
                    }
                },
                State::Window { gap, items, full } => {
                    if let Some(gap) = gap.take() {
                        return Poll::Ready(Event::Told(gap));
                    }
                    if let Some(item) = items.pop_front() {
                        return Poll::Ready(Event::Item(item));
                    }
                    let progress = dedupe.count() > self.count;
                    return Poll::Ready(match (*full, progress) {
                        (false, _) => Event::Ended,
                        // Those that were left out may be the newest ones.
                        (true, true) => Event::Again,
                        (true, false) => Event::Lost(lost(
                            "more lines have the same time than the platform gives: some are left out",
                        )),
                    });
                }
            }
        }
    }

    fn close(&mut self) {
        self.state = State::Closed;
    }
}

async fn window(
    scope: &Scope,
    id: &ApplicationId,
    after: Option<String>,
    instance: Option<&str>,
) -> Result<Vec<types::LogLine>> {
    let limit = Some(i64::from(MOST_LINES));
    let (id, instance) = (id.clone(), instance.map(str::to_owned));
    let raw = Client::raw_on(scope);
    step(scope, async move {
        let list = raw.list_logs(
            id.as_str(),
            after.as_deref(),
            None,
            instance.as_deref(),
            limit,
        );
        Ok(list.await?.into_inner().logs)
    })
    .await
}

/// The platform leaves out the line of exactly that time, and it is not known to what digit it looks:
/// from the millisecond before on.
fn after(place: &Place) -> Option<String> {
    let before = place.since()?.saturating_sub(1);
    let instant = jiff::Timestamp::from_millisecond(before).ok()?;
    Some(format!("{instant:.3}"))
}

fn items_of(lines: Vec<types::LogLine>) -> VecDeque<Item> {
    let item = |line: types::LogLine| {
        let instance = line.instance_id.as_deref().unwrap_or_default();
        let text = format!("{}\0{instance}\0{}", line.ts, line.msg);
        Item {
            at: line.ts.unix_millis(),
            identity: line_hash(text.as_bytes()),
            line: Ok(line.into()),
        }
    };
    lines.into_iter().map(item).collect()
}

impl From<types::LogLine> for LogLine {
    fn from(line: types::LogLine) -> Self {
        Self {
            timestamp: Some(line.ts),
            instance_id: line.instance_id,
            ..Self::new(line.msg)
        }
    }
}

fn is_full(lines: usize) -> bool {
    lines >= MOST_LINES as usize
}

fn lost(why: &str) -> Error {
    Error::new(ErrorKind::Unsupported, why).with_effect(Effect::None)
}
