//! Logs of an application: read and follow them.

use super::{ApplicationHandle, ApplicationId, Client};
use crate::call::{Call, step};
use crate::check;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{
    Backoff, Dedupe, Event, Item, LogCursor, LogLine, LogStream, Place, Reconnect, Source, clock,
    line_hash,
};
use crate::raw::nodion::{Op, types};
use crate::transport::Scope;
use crate::transport::retry::Retry;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

/// The most lines that the platform gives at a time, and that it keeps.
const MOST_LINES: u32 = 2500;

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

/// A time as text for the query, or why it cannot be written.
type QueryTime = std::result::Result<String, String>;

/// Which part of the logs is wanted. Without anything: the last hour, at most 200 lines.
///
/// ```no_run
/// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
/// use deploykit::nodion::LogWindow;
///
/// let lines = application.logs(LogWindow::new().limit(2500)).await?;
/// if let Some(last) = lines.last() {
///     let since = application.logs(LogWindow::new().after_line(last)).await?; // what came meanwhile
///     println!("{} more", since.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is read until it is given to an application"]
pub struct LogWindow {
    /// As the platform writes a time, or why it cannot be written.
    after: Option<QueryTime>,
    before: Option<QueryTime>,
    limit: Option<u32>,
    instance: Option<String>,
    newest_first: bool,
}

impl LogWindow {
    /// The last hour.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only lines after this time, however long ago it is. The platform keeps 2500 lines and 7 days.
    pub fn after(mut self, time: SystemTime) -> Self {
        self.after = Some(sent(jiff::Timestamp::try_from(time).ok()));
        self
    }

    /// Only lines after the time of this one: how a reader goes on. Another line of exactly the same
    /// time is left out, too.
    pub fn after_line(mut self, line: &LogLine) -> Self {
        self.after = Some(time_of(line));
        self
    }

    /// Only lines before this time; those of the hour before it, unless there is an
    /// [`after`](Self::after).
    pub fn before(mut self, time: SystemTime) -> Self {
        self.before = Some(sent(jiff::Timestamp::try_from(time).ok()));
        self
    }

    /// Only lines before the time of this one: how a reader goes back.
    pub fn before_line(mut self, line: &LogLine) -> Self {
        self.before = Some(time_of(line));
        self
    }

    /// At most so many lines, from 1 to 2500. Which are left out when there are more is not
    /// documented.
    pub fn limit(mut self, lines: u32) -> Self {
        self.limit = Some(lines);
        self
    }

    /// The newest line comes first. With a [`limit`](Self::limit), only the newest are given: the
    /// platform does not say which it leaves out, so all are asked for and the rest is cut off here.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Only what this instance printed.
    pub fn instance(mut self, instance_id: impl Into<String>) -> Self {
        self.instance = Some(instance_id.into());
        self
    }

    /// Refuses what the platform does not take.
    fn check(&self) -> Result<()> {
        if let Some(instance) = &self.instance {
            check::text("id of the instance", instance)?;
        }
        match self.limit {
            Some(lines) if !(1..=MOST_LINES).contains(&lines) => Err(Error::invalid_request(
                format!("{lines} lines are not between 1 and {MOST_LINES}"),
            )),
            _ => Ok(()),
        }
    }
}

/// The time of a line in the digits that the server sent. Formatting it again could drop digits, and the
/// server would return the line again.
fn time_of(line: &LogLine) -> QueryTime {
    let timestamp = line.timestamp.as_ref();
    let timestamp = timestamp.ok_or("the line has no time")?;
    let text = timestamp.to_string();
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(text);
    }
    let millis = timestamp.unix_millis();
    sent(millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok()))
}

/// A time, as the platform's query has it.
fn sent(time: Option<jiff::Timestamp>) -> QueryTime {
    let time = time.ok_or("a time of the window is out of range")?;
    Ok(format!("{time:.3}"))
}

impl ApplicationHandle {
    /// What the instances that are online printed, the oldest line first unless the window says
    /// otherwise: `GET /v1/applications/{id}/logs`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a limit that the platform does not
    /// have and for a time that cannot be written,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn logs(&self, window: LogWindow) -> Call<Vec<LogLine>> {
        let id = self.id.clone();
        self.client.call(Op::ListLogs, move |raw| async move {
            window.check()?;
            let (id, after, before) = (id?, window.after.transpose()?, window.before.transpose()?);
            // Which lines the platform leaves out is unknown, so all are requested.
            let limit = window.limit.map(|limit| match window.newest_first {
                true => MOST_LINES.into(),
                false => limit.into(),
            });
            let (after, before) = (after.as_deref(), before.as_deref());
            let list = raw.list_logs(
                id.as_str(),
                after,
                before,
                window.instance.as_deref(),
                limit,
            );
            let lines = list.await?.into_inner().logs.into_iter();
            let mut lines: Vec<_> = lines.map(LogLine::from).collect();
            if window.newest_first {
                lines.reverse();
                lines.truncate(window.limit.unwrap_or(MOST_LINES) as usize);
            }
            Ok(lines)
        })
    }

    /// What the instances print, as it comes: `GET /v1/applications/{id}/logs`, again and again.
    ///
    /// It begins with the lines of the window, the newest [`limit`](LogWindow::limit) of them if there is
    /// one, and with those of the last hour if nothing is said. The platform does not stream, so the
    /// [`LogStream`] asks for what is new: after 5 s, and less often while nothing comes, up to 20 s
    /// ([`interval`](LogStream::interval)). It never ends because nothing comes. A policy without
    /// retries makes the first failure of a request the end.
    ///
    /// Each request begins 5 s before the latest line, so a line that an instance prints, or the
    /// platform shows, a little late is not missed; what was given is left out. The platform keeps 2500
    /// lines: if more came between two requests, an error of kind
    /// [`Unsupported`](crate::ErrorKind::Unsupported) stands for what is missing, and the stream goes
    /// on. Lines of an instance that is no longer online cannot be read any more.
    ///
    /// # Errors
    /// As [`logs`](Self::logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a window
    /// that has an end or the newest line first. What goes wrong later is an item of the stream.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn follow_logs(&self, window: LogWindow) -> Call<LogStream> {
        self.follow(window, None)
    }

    /// [`follow_logs`](Self::follow_logs) from where another stream was, in this process or an earlier
    /// one. The cursor does not contain the instance of the window: give it again.
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for
    /// a window that has a beginning or a limit, and for the cursor of another platform.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn resume_logs(&self, window: LogWindow, cursor: &LogCursor) -> Call<LogStream> {
        self.follow(window, Some(cursor.clone()))
    }

    fn follow(&self, window: LogWindow, cursor: Option<LogCursor>) -> Call<LogStream> {
        let id = self.id.clone();
        Call::new(self.client.scope_of(Op::ListLogs), |scope| async move {
            let id = id.map_err(Error::invalid_request)?;
            window.check()?;
            if window.before.is_some() || window.newest_first {
                return Err(Error::invalid_request(
                    "what is followed has no end, and its newest line comes last",
                ));
            }
            if cursor.is_some() && (window.after.is_some() || window.limit.is_some()) {
                return Err(Error::invalid_request(
                    "the cursor says where the stream begins",
                ));
            }
            follow(scope, id, window, cursor).await
        })
    }
}

type Running = crate::call::Running<Vec<types::LogLine>>;

async fn follow(
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
