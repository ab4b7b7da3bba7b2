//! Logs of a service or a cluster: reading and following.

mod connection;
mod follow;
mod lines;
mod pages;

use super::client::check_text;
use super::services::millis;
use super::{Client, DeploymentId, ServiceHandle, ServiceId};
use crate::call::{Call, step};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::id::{CheckedId, checked};
use crate::logs::{
    Dedupe, Item, LogCursor, LogLine, LogPosition, LogStream, Reconnect, server_time_millis,
};
use crate::raw::dployr::Op;
use crate::transport::Scope;
use connection::Connection;
use follow::{LogSource, State};
use pages::{DEFAULT_LIMIT, LARGEST_LIMIT, Tail};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How far back the control plane starts a followed log, in milliseconds.
const HISTORY: i64 = 15 * 60 * 1000;

/// How long a call waits for the response to a follow request, which begins with the first line of the log. A
/// refusal comes sooner.
const HEAD_WAIT: Duration = Duration::from_secs(2);

/// The largest number of lines that a call returns, the newest ones: a line needs many times the memory of its
/// shortest text.
const MAX_LINES: usize = 50_000;
/// Extra lines to request before following a tail, to know all lines of the last millisecond.
const TAIL_MARGIN: u32 = 100;

/// Name of the platform in a cursor.
const PLATFORM: &str = "dployr";

/// Which lines of a service's log to read; for [`ServiceHandle::logs`] and
/// [`follow_logs`](ServiceHandle::follow_logs).
///
/// ```
/// # use deploykit::dployr::LogOptions;
/// use std::time::{Duration, SystemTime};
/// let last = LogOptions::new().tail(100);
/// let recent = LogOptions::new().since(SystemTime::now() - Duration::from_secs(300));
/// # let _ = (last, recent);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "does nothing until passed to a service"]
pub struct LogOptions {
    tail: Option<u32>,
    since: Option<SystemTime>,
}

impl LogOptions {
    /// All lines that the server sends.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only the last `lines` lines. A followed log starts with them; 0 selects new lines only.
    pub fn tail(mut self, lines: u32) -> Self {
        self.tail = Some(lines);
        self
    }

    /// Only lines from this time on, in whole milliseconds, and lines without a time.
    pub fn since(mut self, at: SystemTime) -> Self {
        self.since = Some(at);
        self
    }
}

/// Which lines of a cluster's log to read; for [`Client::logs`] and [`Client::follow_logs`].
///
/// By default, the control plane sends the first 1000 lines of the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "does nothing until passed to a client"]
pub struct ClusterLogOptions {
    service: Option<String>,
    deployment: Option<CheckedId<DeploymentId>>,
    source: Option<String>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    limit: Option<u32>,
    tail: Option<u32>,
    newest_first: bool,
}

impl ClusterLogOptions {
    /// All lines that the server sends.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only lines of one service, by its name.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Only lines of one deployment.
    pub fn deployment(mut self, id: impl TryInto<DeploymentId, Error: Into<Error>>) -> Self {
        self.deployment = Some(checked(id));
        self
    }

    /// Only lines of this source: `runtime`, `build`, `deploy`, or several as in `build|deploy`.
    ///
    /// Nodes of older versions write `dployrd` for `runtime`.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Only lines from this time on, in whole milliseconds.
    pub fn since(mut self, at: SystemTime) -> Self {
        self.since = Some(at);
        self
    }

    /// Only lines up to this time, in whole milliseconds.
    pub fn until(mut self, at: SystemTime) -> Self {
        self.until = Some(at);
        self
    }

    /// Only the last `lines` lines, 1 to 5000, the oldest first. Requests 5000 lines, as
    /// [`newest_first`](Self::newest_first) does. Cannot be combined with it and with
    /// [`limit`](Self::limit).
    pub fn tail(mut self, lines: u32) -> Self {
        self.tail = Some(lines);
        self
    }

    /// At most the first `lines` lines in the requested order. Default: 1000; the control plane sends
    /// at most 5000.
    pub fn limit(mut self, lines: u32) -> Self {
        self.limit = Some(lines);
        self
    }

    /// Reads the newest lines, the newest first. Default: the oldest lines, the oldest first.
    ///
    /// Requests 5000 lines for any [`limit`](Self::limit), because the control plane omits the newest line of
    /// a shorter response.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Number of lines from the end of the log; `None` to read from its start.
    fn newest(&self) -> Option<usize> {
        let lines = self.tail.or(self.limit).unwrap_or(DEFAULT_LIMIT);
        (self.newest_first || self.tail.is_some()).then_some(lines as usize)
    }

    fn into_log(self, client: &Client) -> Result<Log> {
        for (what, text) in [("service", &self.service), ("source", &self.source)] {
            text.iter().try_for_each(|text| check_text(what, text))?;
        }
        if self.limit == Some(0) {
            return Err(Error::invalid_request("the limit is zero lines"));
        }
        if let Some(tail) = self.tail {
            if self.limit.is_some() || self.newest_first {
                let why = "tail excludes limit and newest_first";
                return Err(Error::invalid_request(why));
            }
            if !(1..=LARGEST_LIMIT).contains(&tail) {
                let why = format!("the tail of a cluster's log has 1 to {LARGEST_LIMIT} lines");
                return Err(Error::invalid_request(why));
            }
        }
        Ok(Log::Cluster(Arc::new(ClusterLog {
            cluster: client.cluster_parameter(),
            since: self.since.map(millis).transpose()?,
            until: self.until.map(millis).transpose()?,
            deployment: self
                .deployment
                .clone()
                .transpose()
                .map_err(Error::invalid_request)?,
            options: self,
        })))
    }
}

/// The log of a cluster, with checked options.
struct ClusterLog {
    cluster: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
    deployment: Option<DeploymentId>,
    options: ClusterLogOptions,
}

impl ServiceHandle {
    fn log(&self) -> (Scope, Result<Log>) {
        let log = self.id.clone().map(Log::Service);
        let scope = self.client.scope_of(Op::GetServiceLogs);
        (scope, log.map_err(Error::invalid_request))
    }

    /// Reads the log so far, the oldest line first: `GET /v1/services/{id}/logs`.
    ///
    /// The control plane also accepts the name of the service instead of the id.
    ///
    /// Without [`tail`](LogOptions::tail), returns the lines of one response: from the control plane the
    /// first 1000 lines of the last 24 hours, or from [`since`](LogOptions::since) on, and from others at most
    /// the newest 50,000.
    ///
    /// With `tail`, the call may send several requests, because the control plane ignores `tail`. If
    /// the first response has 1000 lines, the call searches the last 5 minutes, then the last hour, then the
    /// whole log for the newest lines, with 5000 lines per request, within the deadline. Each response is
    /// read into memory, up to `max_reply_bytes`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a time before 1970,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server without a log store,
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden), and
    /// [`Decode`](crate::ErrorKind::Decode) for an invalid line.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn logs(&self, options: LogOptions) -> Call<Vec<LogLine>> {
        log_call(self.log(), |reader| async move {
            let query = reader.query(options)?;
            let items = match query.tail {
                Some(tail) => Tail::read(&reader, tail, 0, query.since).await?.lines,
                None => return reader.lines(query, None).await,
            };
            items.into_iter().map(|item| item.line).collect()
        })
    }

    /// Follows the log: `GET /v1/services/{id}/logs?follow=true`.
    ///
    /// The call returns when the response begins, or two seconds after the request: the control plane does not
    /// respond before the first line. After that, a refusal is an item of the stream. Without options, the
    /// control plane starts with the first 1000 lines of the last 15 minutes. For a service that writes more,
    /// use [`tail`](LogOptions::tail): the tail is read first, as by [`logs`](Self::logs).
    /// [`with_response`](Call::with_response) reports the status 0 if no response has begun.
    ///
    /// The [`LogStream`] reconnects without gaps and duplicates: it reads the lines that it missed,
    /// 5000 per request, and then follows again. The options of this call also apply to later requests.
    /// The stream reconnects after `idle_timeout` without a byte, and has no other time limit: `timeout` and
    /// `deadline` do not apply to it.
    ///
    /// # Errors
    /// As [`logs`](Self::logs). Later errors are items of the [`LogStream`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn follow_logs(&self, options: LogOptions) -> Call<LogStream> {
        log_call(self.log(), |reader| async move {
            let query = reader.query(options)?;
            if let Some(tail) = query.tail {
                let newest = Tail::read(&reader, tail, TAIL_MARGIN, query.since).await?;
                // No position after lines without a time: the server chooses where to start.
                if newest.has_position() {
                    let mut dedupe = newest.dedupe;
                    dedupe.start_at(Some(server_time_millis(&reader.scope)));
                    return Ok(reader.stream(State::Tail(newest.lines), dedupe));
                }
            }
            reader.follow(query).await
        })
    }

    /// Follows the log from the cursor of another stream: `GET /v1/services/{id}/logs?since=…` until
    /// the missed lines are read, and then as [`follow_logs`](Self::follow_logs).
    ///
    /// The cursor may come from an earlier process. It does not contain the service. The server's log
    /// store decides how long lines are kept.
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs), and
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for the cursor of another platform.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn resume_logs(&self, cursor: &LogCursor) -> Call<LogStream> {
        let place = cursor.position_on(PLATFORM);
        log_call(self.log(), move |reader| async move {
            let place = place.map_err(|error| reader.scope.complete(error))?;
            let dedupe = Dedupe::new(place, 0);
            let page = reader.page(LogQuery::page(&dedupe), None).await?;
            Ok(reader.stream(State::Open(Box::new(page)), dedupe))
        })
    }
}

impl Client {
    /// Reads the log of the client's cluster: `GET /v1/logs`.
    ///
    /// The [`service`](LogLine::service) of a line is the name of its service. The whole response is read
    /// into memory, up to `max_reply_bytes`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name or source, an invalid
    /// limit or tail, and a time before 1970; [`Rejected`](crate::ErrorKind::Rejected) without a
    /// cluster; [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server without a log store.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/logs.ts>
    pub fn logs(&self, options: ClusterLogOptions) -> Call<Vec<LogLine>> {
        let (newest, newest_first) = (options.newest(), options.newest_first);
        let log = (self.scope_of(Op::GetLogs), options.into_log(self));
        log_call(log, move |reader| async move {
            // For the newest lines, the server fetches one line more than `limit`, and omits the newest one.
            // Only its largest limit is exact (dployr-io/dployr-base:src/services/loki.ts).
            let query = LogQuery::new(None, newest.map(|_| LARGEST_LIMIT));
            // The server sends the oldest line first.
            let mut lines = reader.lines(query, newest).await?;
            if newest_first {
                lines.reverse();
            }
            Ok(lines)
        })
    }

    /// Follows the log of the client's cluster: `GET /v1/logs?follow=true`.
    ///
    /// Starts at [`since`](ClusterLogOptions::since); default: 15 minutes ago.
    /// [`limit`](ClusterLogOptions::limit) applies to each response. The call returns and the stream reconnects
    /// like those of [`ServiceHandle::follow_logs`].
    ///
    /// # Errors
    /// As [`logs`](Self::logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for `until`,
    /// `tail` and `newest_first`. Later errors are items of the [`LogStream`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/logs.ts>
    pub fn follow_logs(&self, options: ClusterLogOptions) -> Call<LogStream> {
        let bounded = options.newest_first || options.until.is_some() || options.tail.is_some();
        let log = match bounded {
            true => Err(Error::invalid_request(
                "a followed log cannot have until, tail or newest_first",
            )),
            false => options.into_log(self),
        };
        let log = (self.scope_of(Op::GetLogs), log);
        log_call(log, |reader| reader.follow(LogQuery::default()))
    }
}

/// The log to read.
#[derive(Clone)]
enum Log {
    Service(ServiceId),
    Cluster(Arc<ClusterLog>),
}

/// Parameters of one log request.
#[derive(Clone, Copy, Debug, Default)]
struct LogQuery {
    follow: bool,
    tail: Option<u32>,
    since: Option<i64>,
    limit: Option<u32>,
}

/// Reads one log during one call.
struct Reader {
    /// Scope of the call, with its options.
    scope: Scope,
    log: Log,
}

/// A call that reads a log.
fn log_call<T, F, R>((scope, log): (Scope, Result<Log>), read: F) -> Call<T>
where
    T: Send + 'static,
    F: FnOnce(Reader) -> R + Send + 'static,
    R: Future<Output = Result<T>> + Send + 'static,
{
    Call::new(scope, move |scope| async move {
        let log = log.map_err(|error| scope.complete(error))?;
        read(Reader { scope, log }).await
    })
}

impl LogQuery {
    fn new(since: Option<i64>, limit: Option<u32>) -> Self {
        Self {
            since,
            limit,
            ..Self::default()
        }
    }

    /// The next page after the position of `dedupe`.
    fn page(dedupe: &Dedupe) -> Self {
        Self::new(dedupe.position().since(), Some(LARGEST_LIMIT))
    }
}

impl Reader {
    /// The query for these options.
    fn query(&self, options: LogOptions) -> Result<LogQuery> {
        let since = options.since.map(millis).transpose();
        let since = since.map_err(|error| self.scope.complete(error))?;
        let mut query = LogQuery::new(since, None);
        query.tail = options.tail;
        Ok(query)
    }

    /// Follows the log from `since` on, or from the start that the server chooses.
    async fn follow(self, mut query: LogQuery) -> Result<LogStream> {
        query.follow = true;
        let mut opening = self.read(self.scope.clone(), query).within(&self.scope);
        let (wait, mut timer) = (HEAD_WAIT.min(self.scope.deadline()), None);
        let opened = poll_fn(|context| {
            loop {
                if let Poll::Ready(state) = Pin::new(&mut opening).poll(context) {
                    return Poll::Ready(state.map(Some));
                }
                let sleep = || Box::pin(tokio::time::sleep(wait));
                ready!(timer.get_or_insert_with(sleep).as_mut().poll(context));
                // Waits for pacing and before a retry do not count.
                if self.scope.state().is_attempting {
                    return Poll::Ready(Ok(None));
                }
                timer = None;
            }
        });
        let opened = opened.await?;
        let start = query.since.or(match &self.log {
            Log::Cluster(log) => log.since,
            Log::Service(_) => None,
        });
        // Without a response, nothing was missed: the server chooses the start again.
        let history = server_time_millis(&self.scope) - HISTORY;
        let mut dedupe = Dedupe::new(LogPosition::default(), 0);
        dedupe.start_at(start.or(opened.as_ref().map(|_| history)));
        Ok(self.stream(opened.unwrap_or(State::Pending(opening)), dedupe))
    }

    /// A call that reads a page, or that follows the log.
    fn read(&self, scope: Scope, query: LogQuery) -> Call<State> {
        let log = self.log.clone();
        Call::new(scope, move |scope| async move {
            let reader = Self { scope, log };
            Ok(State::Open(Box::new(reader.page(query, None).await?)))
        })
    }

    fn stream(self, state: State, dedupe: Dedupe) -> LogStream {
        let reconnect = Reconnect::from_retry(self.scope.retry());
        LogStream::new(LogSource::new(self, state), dedupe, reconnect)
    }

    /// Requests the log. A page must be complete before `until`.
    async fn open(&self, query: LogQuery, until: Option<Instant>) -> Result<Connection> {
        let mut scope = self.scope.clone();
        scope.options.buffer_stream = !query.follow;
        if let Some(until) = until {
            scope.options.deadline = Some(until.saturating_duration_since(Instant::now()));
        }
        let (log, raw) = (self.log.clone(), Client::raw_on(&scope));
        let chunks = step(&scope, async move {
            let reply = match log {
                Log::Service(id) => {
                    let reply = raw.get_service_logs_with(id.as_str(), |options| {
                        options.follow = query.follow.then_some(true);
                        options.limit = query.limit.map(i64::from);
                        options.since = query.since;
                        options.tail = query.tail.map(i64::from);
                    });
                    reply.await?
                }
                // `limit` and `since` default to those of the options.
                Log::Cluster(log) => {
                    let reply = raw.get_logs_with(|options| {
                        options.cluster_id = log.cluster.as_deref();
                        options.deployment_id = log.deployment.as_ref().map(DeploymentId::as_str);
                        options.direction = log.options.newest().map(|_| "backward");
                        options.follow = query.follow.then_some(true);
                        options.limit = query.limit.or(log.options.limit).map(i64::from);
                        options.service_id = log.options.service.as_deref();
                        options.since = query.since.or(log.since);
                        options.source = log.options.source.as_deref();
                        options.until = log.until;
                    });
                    reply.await?
                }
            };
            Ok(reply.into_inner().into_inner())
        });
        Ok(Connection::new(chunks.await?, query, scope.clone()))
    }

    /// The lines of one response, or only the `newest`, without those before `since`.
    async fn lines(&self, query: LogQuery, newest: Option<usize>) -> Result<Vec<LogLine>> {
        let (mut page, mut lines) = (self.open(query, None).await?, VecDeque::new());
        let (keep, mut bad) = (newest.unwrap_or(MAX_LINES), None);
        while let Some(item) = page.next().await {
            match item.line {
                _ if is_before(&item, query.since) => {}
                Ok(line) => {
                    if lines.len() == keep {
                        lines.pop_front();
                    }
                    lines.push_back(line);
                }
                Err(error) if newest.is_none() => return Err(error),
                // Fails the call unless enough lines follow. Only one error, because it needs more memory.
                Err(error) => {
                    lines.clear();
                    bad = Some(error);
                }
            }
        }
        let bad = bad.filter(|_| lines.len() < keep);
        bad.map_or(Ok(lines.into()), Err)
    }
}

/// Whether the line has a time before `since`.
fn is_before(item: &Item, since: Option<i64>) -> bool {
    item.at.zip(since).is_some_and(|(at, since)| at < since)
}

fn interrupted(error: reqwest::Error) -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the connection broke while the logs were read",
    )
    .with_effect(Effect::None)
    .with_source(error.without_url())
}
