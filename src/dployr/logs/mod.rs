//! Logs of a service or a cluster: read whole, or followed.

mod cluster;
mod connection;
mod lines;
mod pages;
mod source;
#[cfg(test)]
mod tests;

pub use cluster::LogQuery;

use super::{Client, ServiceHandle, ServiceId};
use crate::call::{Call, step};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Dedupe, LogCursor, LogLine, LogStream, Place, Reconnect, clock};
use crate::raw::dployr::Op;
use crate::transport::Scope;
use cluster::ClusterLog;
use connection::Connection;
use pages::{LARGEST_LIMIT, Newest, Page};
use progenitor_client::ByteStream;
use source::{LogSource, State};
use std::future::poll_fn;
use std::sync::Arc;
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
pub(super) fn read(service: &ServiceHandle, tail: Option<u32>) -> Call<Vec<LogLine>> {
    of_service(service, move |reader| async move {
        let Some(tail) = tail else {
            return reader.whole().await;
        };
        let newest = Newest::read(&reader, tail, 0).await?;
        newest.lines.into_iter().map(|item| item.line).collect()
    })
}

/// Follows a log from where the server begins, or from the last `tail` lines on.
pub(super) fn follow(service: &ServiceHandle, tail: Option<u32>) -> Call<LogStream> {
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
pub(super) fn resume(service: &ServiceHandle, cursor: &LogCursor) -> Call<LogStream> {
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
