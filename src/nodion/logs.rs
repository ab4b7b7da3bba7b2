//! Logs of an application: read, follow and resume.

use super::shapes::LogLines;
use super::{ApplicationHandle, ApplicationId, Client, InstanceId};
use crate::call::{Call, step};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::id::{CheckedId, checked};
use crate::lenient::reason_without_value;
use crate::logs::{
    Backoff, Dedupe, Event, Item, LogCursor, LogLine, LogPosition, LogStream, MIN_COST, Reconnect,
    Source, line_hash, lines_lost, next_array_item, poll_batch, server_time_millis,
};
use crate::raw::nodion::{Op, types};
use crate::transport::Scope;
use crate::transport::decode::decode_record;
use crate::transport::retry::Retry;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

/// Number of lines that the platform keeps. Also the maximum `limit` of a request.
const MAX_LINES: u32 = 2500;
/// The platform's name in a cursor.
const PLATFORM: &str = "nodion";
/// Poll interval of a followed log: the shortest, and the longest while no lines arrive.
/// The platform documents no rate limit.
const INTERVAL: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(20));
/// How late a line may arrive, in milliseconds. Clocks and delays of instances differ.
const OVERLAP: i64 = 5_000;
/// Time range that the platform returns by default, in milliseconds.
const HOUR: i64 = 3_600_000;

/// A time as a query value. `Err`: the reason why the time is invalid.
type QueryTime = std::result::Result<String, String>;

/// Selects log lines. Default: the last hour, at most 200 lines.
///
/// For [`ApplicationHandle::logs`] and [`ApplicationHandle::follow_logs`]. The limit of 200 lines does not
/// apply to a followed log.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let sandbox = deploykit_sandbox::Sandbox::builder().in_process();
/// # let application = sandbox.nodion()?.application(sandbox.nodion_access().application_id);
/// use deploykit::nodion::LogOptions;
///
/// let lines = application.logs(LogOptions::new().tail(100)).await?;
/// if let Some(last) = lines.last() {
///     let newer = application.logs(LogOptions::new().after_line(last)).await?;
///     println!("{} new lines", newer.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "does nothing until passed to `logs` or `follow_logs`"]
pub struct LogOptions {
    after: Option<QueryTime>,
    before: Option<QueryTime>,
    limit: Option<u32>,
    tail: Option<u32>,
    instance: Option<CheckedId<InstanceId>>,
}

impl LogOptions {
    /// The default options: the last hour, at most 200 lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects only the last lines, at most 2,500, of the last hour or of the time after
    /// [`since`](Self::since).
    ///
    /// A followed log starts with these lines; 0 yields only new lines. The call requests 2,500 lines and
    /// drops the earlier ones, because Nodion does not document which lines a smaller
    /// [`limit`](Self::limit) omits.
    pub fn tail(mut self, lines: u32) -> Self {
        self.tail = Some(lines);
        self
    }

    /// Selects only lines after this time, which may be more than an hour ago.
    ///
    /// The platform keeps 2,500 lines for 7 days.
    pub fn since(mut self, time: SystemTime) -> Self {
        self.after = Some(query_time(jiff::Timestamp::try_from(time).ok()));
        self
    }

    /// Selects only lines before this time.
    ///
    /// Without [`since`](Self::since), only lines of the hour before this time.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.before = Some(query_time(jiff::Timestamp::try_from(time).ok()));
        self
    }

    /// Selects only lines after the time of this line, to read forwards.
    ///
    /// Omits other lines with exactly the same time.
    pub fn after_line(mut self, line: &LogLine) -> Self {
        self.after = Some(line_time(line));
        self
    }

    /// Selects only lines before the time of this line, to read backwards.
    ///
    /// Omits other lines with exactly the same time.
    pub fn before_line(mut self, line: &LogLine) -> Self {
        self.before = Some(line_time(line));
        self
    }

    /// Limits the number of lines, 1 to 2,500. Default: 200.
    ///
    /// Nodion does not document which lines it omits. For the last lines, use [`tail`](Self::tail).
    pub fn limit(mut self, lines: u32) -> Self {
        self.limit = Some(lines);
        self
    }

    /// Selects only lines of this instance.
    pub fn instance(mut self, id: impl TryInto<InstanceId, Error: Into<Error>>) -> Self {
        self.instance = Some(checked(id));
        self
    }

    fn check(&self) -> Result<()> {
        let problem = match (self.limit, self.tail) {
            (Some(limit), _) if !(1..=MAX_LINES).contains(&limit) => {
                format!("a limit of {limit} lines is not between 1 and {MAX_LINES}")
            }
            (_, Some(tail)) if tail > MAX_LINES => {
                format!("a tail of {tail} lines is more than {MAX_LINES}")
            }
            _ => return Ok(()),
        };
        Err(Error::invalid_request(problem))
    }

    fn check_follow(&self, resumes: bool) -> Result<()> {
        self.check()?;
        let problem = if self.before.is_some() {
            "a followed log has no end: remove `until` or `before_line`"
        } else if self.limit.is_some() {
            "a followed log has no limit: use `tail` for the number of earlier lines"
        } else if resumes && (self.after.is_some() || self.tail.is_some()) {
            "the cursor sets where the log resumes: remove `since`, `after_line` or `tail`"
        } else {
            return Ok(());
        };
        Err(Error::invalid_request(problem))
    }
}

/// The time of a line, with all digits that the server sent: with fewer digits, the server would return
/// the line again.
fn line_time(line: &LogLine) -> QueryTime {
    let timestamp = line.timestamp.as_ref();
    let timestamp = timestamp.ok_or("the line has no timestamp")?;
    let text = timestamp.to_string();
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(text);
    }
    let millis = timestamp.unix_millis();
    query_time(millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok()))
}

/// A time with milliseconds, as the platform's query parameters expect it.
fn query_time(time: Option<jiff::Timestamp>) -> QueryTime {
    let time = time.ok_or("a time in the log options is out of range")?;
    Ok(format!("{time:.3}"))
}

impl ApplicationHandle {
    /// Reads log lines of the online instances, the oldest first:
    /// `GET /v1/applications/{id}/logs`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a limit of 0 lines, a limit or tail of more
    /// than 2,500 lines, a time outside of the years -9999 to 9999, and a line without a timestamp.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn logs(&self, options: LogOptions) -> Call<Vec<LogLine>> {
        let id = self.id.clone();
        Call::new(self.client.scope_of(Op::ListLogs), |scope| async move {
            let tail = options.tail.map_or(usize::MAX, |lines| lines as usize);
            let mut items = read(&scope, id, options).await?;
            items.drain(..items.len().saturating_sub(tail));
            items.into_iter().map(|item| item.line).collect()
        })
    }

    /// Follows the log by polling: `GET /v1/applications/{id}/logs`.
    ///
    /// Yields earlier lines first, then new lines as they arrive. The earlier lines are those of the last
    /// hour, or those that [`tail`](LogOptions::tail), [`since`](LogOptions::since) and
    /// [`after_line`](LogOptions::after_line) select.
    ///
    /// Nodion does not stream logs, so [`LogStream`] polls, at intervals that grow from 5 s to 20 s while no
    /// lines arrive (see [`interval`](LogStream::interval)). With [`Retry::off`](crate::Retry::off), the
    /// first failed poll ends the stream.
    ///
    /// Each poll overlaps the previous one by 5 s, so that late lines are not missed. Lines that were already
    /// yielded are dropped. If 2,500 or more lines arrive between two polls, the stream yields an error of
    /// kind [`Unsupported`](crate::ErrorKind::Unsupported) for the missing lines and continues. It ends with
    /// such an error if the platform repeats the same 2,500 lines. Lines of an instance that went offline can
    /// no longer be read.
    ///
    /// # Errors
    /// As [`logs`](Self::logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) with
    /// [`until`](LogOptions::until), [`before_line`](LogOptions::before_line) or
    /// [`limit`](LogOptions::limit). Later failures are items of the stream.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn follow_logs(&self, options: LogOptions) -> Call<LogStream> {
        self.follow(options, None)
    }

    /// Resumes a followed log by polling: `GET /v1/applications/{id}/logs`.
    ///
    /// Starts after the last line of an earlier stream, which may have been in another process. The cursor
    /// does not contain the [`instance`](LogOptions::instance): set it again.
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs), and
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) with [`since`](LogOptions::since),
    /// [`after_line`](LogOptions::after_line) or [`tail`](LogOptions::tail), and for a cursor of another
    /// platform.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn resume_logs(&self, options: LogOptions, cursor: &LogCursor) -> Call<LogStream> {
        self.follow(options, Some(cursor.clone()))
    }

    fn follow(&self, options: LogOptions, cursor: Option<LogCursor>) -> Call<LogStream> {
        let id = self.id.clone();
        Call::new(self.client.scope_of(Op::ListLogs), |scope| async move {
            options.check_follow(cursor.is_some())?;
            follow(scope, id, options, cursor).await
        })
    }
}

type Running = crate::call::Running<VecDeque<Item>>;

async fn follow(
    scope: Scope,
    id: CheckedId<ApplicationId>,
    mut options: LogOptions,
    cursor: Option<LogCursor>,
) -> Result<LogStream> {
    let position = match cursor {
        Some(cursor) => cursor.position_on(PLATFORM)?,
        None => LogPosition::default(),
    };
    let mut dedupe = Dedupe::new(position, OVERLAP);
    let resumes = dedupe.position().last.is_some();
    let tail = options.tail.replace(MAX_LINES);
    options.after = options.after.or_else(|| after_position(dedupe.position()));
    let start = options.after.as_ref().and_then(|after| after.as_ref().ok());
    let start = start.and_then(|after| after.parse().ok());
    let start = start.map(jiff::Timestamp::as_millisecond);
    let mut items = read(&scope, id.clone(), options.clone()).await?;
    if dedupe.position().since().is_none() {
        let hour_ago = server_time_millis(&scope) - HOUR;
        dedupe.start_at(Some(
            start.map_or(hour_ago, |after| after.saturating_add(1)),
        ));
    }
    let full = is_full(items.len());
    if let Some(tail) = tail {
        for dropped in items.drain(..items.len().saturating_sub(tail as usize)) {
            dedupe.accept(dropped.at, dropped.hash, dropped.line.is_ok());
        }
    }
    let policy = scope.retry().clone();
    let retries_off = policy.max_retries == 0;
    let reconnect = Reconnect {
        // Even with `Retry::off`, because the next poll is not a retry.
        enabled: true,
        after_end: Backoff::between(INTERVAL.0, INTERVAL.1),
        ..Reconnect::from_retry(&policy)
    };
    let mut source = LogSource {
        scope,
        id,
        options,
        state: State::Closed,
        yielded_before: 0,
    };
    source.start_window(items, full, &dedupe, resumes);
    let stream = LogStream::new(source, dedupe, reconnect);
    Ok(if retries_off {
        stream.max_failures(0)
    } else {
        stream
    })
}

/// Reads the log by polling windows of at most 2,500 lines.
struct LogSource {
    /// The scope of the call that opened the stream, with its options.
    scope: Scope,
    id: CheckedId<ApplicationId>,
    options: LogOptions,
    state: State,
    /// Number of lines that were yielded before the current window was requested.
    yielded_before: u64,
}

enum State {
    Closed,
    Reading(Running),
    Window {
        /// Error for lines that are missing before this window.
        gap: Option<Error>,
        items: VecDeque<Item>,
        /// If the window has the maximum number of lines: what it means that none of them is new.
        full: Option<&'static str>,
    },
}

impl LogSource {
    /// Starts yielding a window.
    ///
    /// If the window `continues` earlier ones, it should overlap the lines that were already yielded: before
    /// a full window without such a line, lines are missing.
    fn start_window(
        &mut self,
        items: VecDeque<Item>,
        full: bool,
        dedupe: &Dedupe,
        continues: bool,
    ) {
        let overlaps = items
            .iter()
            .any(|item| dedupe.has_yielded(item.at, item.hash));
        let gap = (full && continues && !overlaps)
            .then(|| lines_lost("lines are missing: 2500 or more lines arrived between two polls"));
        // The request selects lines from one millisecond before the position.
        let from = dedupe.position().since().map(|at| at.saturating_sub(1));
        let first = items.front().and_then(|item| item.at);
        let has_one_time = first >= from && items.iter().all(|item| item.at == first);
        let full = full.then_some(match has_one_time {
            true => "lines are missing: 2500 or more lines have the same time",
            false => "lines may be missing: the platform repeated the same 2500 lines",
        });
        self.state = State::Window { gap, items, full };
    }
}

impl Source for LogSource {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn start_reading(&mut self, dedupe: &Dedupe) {
        self.yielded_before = dedupe.count();
        let (id, mut options) = (self.id.clone(), self.options.clone());
        options.after = after_position(dedupe.position());
        let call = Call::new(self.scope.fresh(), move |scope| async move {
            read(&scope, id, options).await
        });
        // Off, because `LogStream` retries.
        self.state = State::Reading(call.retry(Retry::off()).into_future());
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        dedupe: &Dedupe,
        _will_reconnect: bool,
    ) -> Poll<Event> {
        loop {
            match &mut self.state {
                State::Closed => return Poll::Ready(Event::Ended),
                State::Reading(running) => match ready!(Pin::new(running).poll(context)) {
                    Ok(items) => {
                        let full = is_full(items.len());
                        let continues = dedupe.position().last.is_some();
                        self.start_window(items, full, dedupe, continues);
                    }
                    Err(error) => return Poll::Ready(Event::RequestFailed(error)),
                },
                State::Window { gap, items, full } => {
                    if let Some(gap) = gap.take() {
                        return Poll::Ready(Event::Warning(gap));
                    }
                    if let Some(item) = items.pop_front() {
                        return Poll::Ready(Event::Item(item));
                    }
                    let new = dedupe.count() - self.yielded_before;
                    return Poll::Ready(match (*full, new) {
                        (None, _) => Event::Ended,
                        (Some(cause), 0) => Event::SkipMillisecond(lines_lost(cause)),
                        // Mostly earlier lines: the platform ignores `after`.
                        (Some(_), new) if new < u64::from(MAX_LINES) / 2 => Event::Ended,
                        // The full window may lack the newest lines.
                        (Some(_), _) => Event::ReadMore,
                    });
                }
            }
        }
    }

    fn close(&mut self) {
        self.state = State::Closed;
    }
}

/// Reads the lines of one response.
async fn read(
    scope: &Scope,
    id: CheckedId<ApplicationId>,
    options: LogOptions,
) -> Result<VecDeque<Item>> {
    let raw = Client::raw_on(scope);
    let list = step(scope, async move {
        options.check()?;
        let (id, instance) = (id?, options.instance.transpose()?);
        let (after, before) = (options.after.transpose()?, options.before.transpose()?);
        let limit = options.limit.or(options.tail.map(|_| MAX_LINES));
        let list = raw.list_logs_with(id.as_str(), |options| {
            options.after = after.as_deref();
            options.before = before.as_deref();
            options.instance_id = instance.as_ref().map(InstanceId::as_str);
            options.limit = limit.map(i64::from);
        });
        Ok(list.await?.into_inner())
    });
    Ok(items_of(list.await?, scope).await)
}

/// The query parameter `after` of the next window: one millisecond before the position.
///
/// The platform omits lines of exactly that time. The precision of its comparison is not documented.
fn after_position(position: &LogPosition) -> Option<QueryTime> {
    let before = position.since()?.saturating_sub(1);
    let instant = jiff::Timestamp::from_millisecond(before).ok()?;
    Some(query_time(Some(instant)))
}

/// Decodes the lines of a response one by one, because an error needs more memory than a line. The next request
/// returns lines beyond the limit.
async fn items_of(list: LogLines<types::LogLine>, scope: &Scope) -> VecDeque<Item> {
    let (mut items, mut decoded) = (VecDeque::new(), 0);
    let list = list.logs.get().as_bytes();
    let array = list.strip_prefix(b"[").or(list.strip_prefix(b"null"));
    // Anything but an array or null is one item, which is not a line.
    let mut rest = array.unwrap_or(list);
    while !is_full(items.len())
        && let Some((text, length)) = next_array_item(rest)
    {
        let line = decode_record::<types::LogLine>(text);
        let id = line.as_ref().map(|line| {
            let instance = line.instance_id.as_deref().unwrap_or_default();
            format!("{}\0{instance}\0{}", line.ts, line.msg)
        });
        items.push_back(Item {
            at: line.as_ref().ok().and_then(|line| line.ts.unix_millis()),
            hash: line_hash(id.as_deref().unwrap_or_default().as_bytes()),
            line: line.map(LogLine::from).map_err(|error| {
                let place = reason_without_value(&error);
                let message = format!("cannot decode a line of the logs at {place}");
                scope.complete(Error::new(ErrorKind::Decode, message).with_effect(Effect::None))
            }),
        });
        rest = &rest[length..];
        decoded += length.max(MIN_COST);
        poll_fn(|context| poll_batch(&mut decoded, context)).await;
    }
    items
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
    lines >= MAX_LINES as usize
}
