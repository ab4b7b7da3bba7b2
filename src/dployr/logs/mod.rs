//! Logs of a service or a cluster: read whole, or followed.

mod connection;
mod follow;
mod lines;
mod pages;

use super::client::check_text;
use super::services::millis;
use super::{Client, DeploymentId, ServiceHandle, ServiceId};
use crate::call::{Call, step};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Dedupe, LogCursor, LogLine, LogStream, Place, Reconnect, clock};
use crate::raw::dployr::{self as raw, Op};
use crate::transport::Scope;
use connection::Connection;
use follow::{LogSource, State};
use pages::{LARGEST_LIMIT, Newest, Page};
use progenitor_client::{ByteStream, ResponseValue};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::time::Instant;

/// How far back the control plane begins a followed log, in milliseconds.
const HISTORY: i64 = 15 * 60 * 1000;

/// Lines of the last millisecond that are asked for beyond `tail`.
const MARGIN: u32 = 100;

/// The platform's name in a cursor.
const PLATFORM: &str = "dployr";

/// The log to read.
#[derive(Clone)]
enum Log {
    Service(ServiceId),
    Cluster(Arc<ClusterLog>),
}

/// The part of a log to read.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    follow: bool,
    tail: Option<u32>,
    since: Option<i64>,
    limit: Option<u32>,
}

/// Reads one log within one call.
struct Reader {
    /// That of the call, with its options.
    scope: Scope,
    log: Log,
}

/// A call that reads a log.
fn call<T, F, R>(client: &Client, op: Op, log: Result<Log>, read: F) -> Call<T>
where
    T: Send + 'static,
    F: FnOnce(Reader) -> R + Send + 'static,
    R: Future<Output = Result<T>> + Send + 'static,
{
    Call::new(client.scope_of(op), move |scope| async move {
        let log = log.map_err(|error| scope.complete(error))?;
        read(Reader { scope, log }).await
    })
}

/// A call that reads the log of a service.
fn of_service<T, F, R>(service: &ServiceHandle, read: F) -> Call<T>
where
    T: Send + 'static,
    F: FnOnce(Reader) -> R + Send + 'static,
    R: Future<Output = Result<T>> + Send + 'static,
{
    let id = service.id.clone();
    let log = id.map(Log::Service).map_err(Error::invalid_request);
    call(&service.client, Op::GetServiceLogs, log, read)
}

/// The last `tail` lines so far, or what one reply has.
fn read(service: &ServiceHandle, tail: Option<u32>) -> Call<Vec<LogLine>> {
    of_service(service, move |reader| async move {
        let Some(tail) = tail else {
            return reader.whole().await;
        };
        let newest = Newest::read(&reader, tail, 0).await?;
        newest.lines.into_iter().map(|item| item.line).collect()
    })
}

/// Follows a log from where the server begins, or from the last `tail` lines on.
fn follow(service: &ServiceHandle, tail: Option<u32>) -> Call<LogStream> {
    of_service(service, move |reader| async move {
        if let Some(tail) = tail {
            let newest = Newest::read(&reader, tail, MARGIN).await?;
            // After lines without a time only the server itself can go on.
            if newest.is_placed() {
                let mut dedupe = newest.dedupe;
                dedupe.start_at(Some(clock(&reader.scope)));
                return Ok(reader.stream(State::Page(Page::last(newest.lines)), dedupe));
            }
        }
        reader.follow(tail).await
    })
}

/// Follows a log from a cursor on.
fn resume(service: &ServiceHandle, cursor: &LogCursor) -> Call<LogStream> {
    let place = cursor.place_on(PLATFORM);
    of_service(service, move |reader| async move {
        let place = place.map_err(|error| reader.scope.complete(error))?;
        let dedupe = Dedupe::new(place, 0);
        let page = Page::read(&reader, Wanted::page(&dedupe), None).await?;
        Ok(reader.stream(State::Page(page), dedupe))
    })
}

impl Wanted {
    /// The next page, from this place on.
    fn page(dedupe: &Dedupe) -> Self {
        Self {
            since: dedupe.place().since(),
            limit: Some(LARGEST_LIMIT),
            ..Self::default()
        }
    }
}

impl Reader {
    /// Follows the log from where the server begins.
    async fn follow(self, tail: Option<u32>) -> Result<LogStream> {
        let wanted = Wanted {
            tail,
            ..Wanted::default()
        };
        let connection = self.connect(wanted).await?;
        let start = match &self.log {
            Log::Cluster(log) => log.since,
            Log::Service(_) => None,
        };
        let mut dedupe = Dedupe::new(Place::default(), 0);
        dedupe.start_at(start.or(Some(clock(&self.scope) - HISTORY)));
        Ok(self.stream(State::Open(Box::new(connection)), dedupe))
    }

    fn stream(self, state: State, dedupe: Dedupe) -> LogStream {
        let reconnect = Reconnect::by(self.scope.retry());
        LogStream::new(LogSource::new(self, state), dedupe, reconnect)
    }

    async fn connect(&self, wanted: Wanted) -> Result<Connection> {
        let wanted = Wanted {
            follow: true,
            ..wanted
        };
        let chunks = self.open(&self.scope, wanted).await?.into_inner();
        let idle = self.scope.transport.limits.idle;
        Ok(Connection::new(chunks, idle, self.scope.clone()))
    }

    async fn open(&self, scope: &Scope, wanted: Wanted) -> Result<ByteStream> {
        let (log, raw) = (self.log.clone(), Client::raw_on(scope));
        step(scope, async move {
            let follow = wanted.follow.then_some(true);
            let limit = wanted.limit.map(i64::from);
            let reply = match log {
                Log::Service(id) => {
                    let tail = wanted.tail.map(i64::from);
                    raw.get_service_logs(id.as_str(), follow, limit, wanted.since, tail)
                        .await?
                }
                Log::Cluster(log) => log.open(&raw, follow, limit, wanted.since).await?,
            };
            Ok(reply.into_inner())
        })
        .await
    }

    /// The lines of one reply.
    async fn whole(&self) -> Result<Vec<LogLine>> {
        let body = self.body(Wanted::default(), None).await?;
        let items = lines::items_of(&body).into_iter();
        let lines: Result<_> = items.map(|item| item.line).collect();
        lines.map_err(|error| self.scope.complete(error))
    }

    /// A whole reply, before `until`.
    async fn body(&self, wanted: Wanted, until: Option<Instant>) -> Result<Vec<u8>> {
        let mut scope = self.scope.clone();
        let options = &mut scope.options;
        options.whole = true;
        if let Some(until) = until {
            options.deadline = Some(until.saturating_duration_since(Instant::now()));
        }
        let mut stream = self.open(&scope, wanted).await?.into_inner();
        let mut body = Vec::new();
        while let Some(chunk) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
            body.extend_from_slice(&chunk.map_err(interrupted)?);
        }
        Ok(body)
    }
}

fn interrupted(error: reqwest::Error) -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the connection broke within the logs",
    )
    .with_effect(Effect::None)
    .with_source(error.without_url())
}

impl ServiceHandle {
    /// The logs so far, the oldest line first: `GET /v1/services/{id}/logs`. The control plane also
    /// takes the name of a service.
    ///
    /// `tail` is the number of the newest lines to return. `None` returns what one reply has: from the
    /// control plane the first 1000 lines of the last 24 hours. The control plane ignores `tail`, so
    /// further lines are dropped here. If there are more than 1000, the newest are searched for in the
    /// last 5 minutes, the last hour and the last 24 hours, 5000 lines per request, all within the
    /// deadline. Replies are read into memory, within `max_reply_bytes`.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server without a log store,
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden), and
    /// [`Decode`](crate::ErrorKind::Decode) for an invalid line.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn logs(&self, tail: Option<u32>) -> Call<Vec<LogLine>> {
        read(self, tail)
    }

    /// Follows the logs: `GET /v1/services/{id}/logs?follow=true`.
    ///
    /// The call ends when the reply begins. The control plane begins with the first 1000 lines of the
    /// last 15 minutes: for a service that writes more, use
    /// [`follow_logs_from`](Self::follow_logs_from).
    ///
    /// The [`LogStream`] reconnects by itself, without gaps and duplicates: it reads what it missed,
    /// 5000 lines per request, and then follows again. The options of this call apply to its later
    /// requests. It reconnects after `idle_timeout` without a byte, and has no other time limit.
    ///
    /// # Errors
    /// As [`logs`](Self::logs). Later errors are items of the [`LogStream`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn follow_logs(&self) -> Call<LogStream> {
        follow(self, None)
    }

    /// Follows the logs from the newest `tail` lines on; 0 for new lines only. They are read as by
    /// [`logs`](Self::logs).
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn follow_logs_from(&self, tail: u32) -> Call<LogStream> {
        follow(self, Some(tail))
    }

    /// Follows the logs from the cursor of another stream on, of this process or an earlier one:
    /// `GET /v1/services/{id}/logs?since=…` until the missed lines are read, and then as
    /// [`follow_logs`](Self::follow_logs).
    ///
    /// The cursor does not name its service. How long lines are kept depends on the server's log store.
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs), and
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for the cursor of another platform.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn resume_logs(&self, cursor: &LogCursor) -> Call<LogStream> {
        resume(self, cursor)
    }
}

/// A selection of a cluster's log entries. Default: the first 1000 of the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is read until it is passed to a client"]
pub struct LogQuery {
    service: Option<String>,
    deployment: Option<DeploymentId>,
    source: Option<String>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    limit: Option<u32>,
    newest_first: bool,
}

impl LogQuery {
    /// Selects everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects one service, by name. The control plane calls the parameter `serviceId`.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Selects one deployment.
    pub fn deployment(mut self, id: impl Into<DeploymentId>) -> Self {
        self.deployment = Some(id.into());
        self
    }

    /// Selects a source: `runtime`, `build`, `deploy`, or several as in `build|deploy`. Nodes of older
    /// versions write `dployrd` for `runtime`.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Selects entries from this time on, in whole milliseconds.
    pub fn since(mut self, at: SystemTime) -> Self {
        self.since = Some(at);
        self
    }

    /// Selects entries up to this time, in whole milliseconds.
    pub fn until(mut self, at: SystemTime) -> Self {
        self.until = Some(at);
        self
    }

    /// Maximum number of entries. Default: 1000; the control plane sends at most 5000.
    ///
    /// They are the first in the requested order, so combine it with
    /// [`newest_first`](Self::newest_first) to get a tail.
    pub fn limit(mut self, entries: u32) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Sorts the newest entry first. Default: the oldest first.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    fn into_log(self, client: &Client) -> Result<Log> {
        for (what, text) in [("service", &self.service), ("source", &self.source)] {
            text.iter().try_for_each(|text| check_text(what, text))?;
        }
        if self.limit == Some(0) {
            return Err(Error::invalid_request("the limit is zero entries"));
        }
        Ok(Log::Cluster(Arc::new(ClusterLog {
            cluster: client.cluster_id(),
            since: self.since.map(millis).transpose()?,
            until: self.until.map(millis).transpose()?,
            query: self,
        })))
    }
}

/// A checked query.
struct ClusterLog {
    cluster: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
    query: LogQuery,
}

impl ClusterLog {
    /// Requests a part of the log. `limit` and `since` default to those of the query.
    async fn open(
        &self,
        client: &raw::Client,
        follow: Option<bool>,
        limit: Option<i64>,
        since: Option<i64>,
    ) -> std::result::Result<ResponseValue<ByteStream>, progenitor_client::Error<()>> {
        let query = &self.query;
        client
            .get_logs(
                self.cluster.as_deref(),
                query.deployment.as_ref().map(DeploymentId::as_str),
                query.newest_first.then_some("backward"),
                follow,
                limit.or(query.limit.map(i64::from)),
                query.service.as_deref(),
                since.or(self.since),
                query.source.as_deref(),
                self.until,
            )
            .await
    }
}

impl Client {
    /// Reads the logs of the client's cluster: `GET /v1/logs`. The `service_id` of a line is the name
    /// of its service.
    ///
    /// The whole reply is read into memory, within `max_reply_bytes` and the limits of the call.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name or source, a limit of
    /// zero, and a time before 1970; [`Rejected`](crate::ErrorKind::Rejected) without a cluster;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server without a log store.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/logs.ts>
    pub fn logs(&self, query: LogQuery) -> Call<Vec<LogLine>> {
        call(
            self,
            Op::GetLogs,
            query.into_log(self),
            |reader| async move { reader.whole().await },
        )
    }

    /// Follows the logs of the client's cluster: `GET /v1/logs?follow=true`. Begins at `since` of the
    /// query, or 15 minutes ago. The limit of the query is that of each reply.
    ///
    /// The call ends when the reply begins; see
    /// [`ServiceHandle::follow_logs`](ServiceHandle::follow_logs).
    ///
    /// # Errors
    /// As [`logs`](Self::logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a query
    /// with `until` or with the newest first. Later errors are items of the [`LogStream`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/logs.ts>
    pub fn follow_logs(&self, query: LogQuery) -> Call<LogStream> {
        let log = match query.newest_first || query.until.is_some() {
            true => Err(Error::invalid_request(
                "a followed log has no end, and its newest entry comes last",
            )),
            false => query.into_log(self),
        };
        call(self, Op::GetLogs, log, |reader| reader.follow(None))
    }
}
