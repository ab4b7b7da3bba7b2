//! Logs of a service or a cluster: read whole, or followed.

mod cluster;
mod connection;
mod lines;
mod pages;
mod source;
#[cfg(test)]
mod tests;

pub use cluster::LogQuery;

use super::client::Given;
use super::{Client, LogLine, LogStream, ServiceHandle, ServiceId};
use crate::call::{Call, step};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Dedupe, LogCursor, Place, Reconnect, clock};
use crate::raw::dployr::Op;
use crate::transport::Scope;
use cluster::ClusterLog;
use connection::Connection;
use pages::{LARGEST_LIMIT, Newest, Page};
use progenitor_client::ByteStream;
use source::LogSource;
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

/// The last `tail` lines so far, or what one reply has.
pub(super) fn read(service: &ServiceHandle, tail: Option<u32>) -> Call<Vec<LogLine>> {
    let id = service.id.clone();
    Call::new(
        service.client.scope_of(Op::GetServiceLogs),
        move |scope| async move {
            let log = service_log(&scope, id)?;
            let Some(tail) = tail else {
                return whole(&scope, &log).await;
            };
            let newest = Newest::read(&scope, &log, tail, 0).await?;
            newest.lines.into_iter().map(|item| item.line).collect()
        },
    )
}

/// Follows a log from where the server begins, or from the last `tail` lines on.
pub(super) fn follow(service: &ServiceHandle, tail: Option<u32>) -> Call<LogStream> {
    let id = service.id.clone();
    Call::new(
        service.client.scope_of(Op::GetServiceLogs),
        move |scope| async move {
            let log = service_log(&scope, id)?;
            if let Some(tail) = tail {
                let newest = Newest::read(&scope, &log, tail, MARGIN).await?;
                // After lines without a time only the server itself can go on.
                if newest.is_placed() {
                    let mut dedupe = newest.dedupe;
                    dedupe.start_at(Some(clock(&scope)));
                    let source = LogSource::paged(scope.clone(), log, Page::last(newest.lines));
                    return Ok(stream(&scope, source, dedupe));
                }
            }
            let wanted = Wanted {
                tail,
                ..Wanted::default()
            };
            connected(&scope, log, wanted).await
        },
    )
}

/// Follows a log from a cursor on.
pub(super) fn resume(service: &ServiceHandle, cursor: &LogCursor) -> Call<LogStream> {
    let (id, place) = (service.id.clone(), cursor.place_on(PLATFORM));
    Call::new(
        service.client.scope_of(Op::GetServiceLogs),
        move |scope| async move {
            let log = service_log(&scope, id)?;
            let place = place.map_err(|error| scope.complete(error))?;
            let dedupe = Dedupe::new(place, 0);
            let wanted = Wanted {
                since: dedupe.place().since(),
                limit: Some(LARGEST_LIMIT),
                ..Wanted::default()
            };
            let page = Page::read(&scope, &log, wanted, None).await?;
            let source = LogSource::paged(scope.clone(), log, page);
            Ok(stream(&scope, source, dedupe))
        },
    )
}

fn service_log(scope: &Scope, id: Given<ServiceId>) -> Result<Log> {
    id.map(Log::Service)
        .map_err(|why| scope.complete(Error::invalid_request(why)))
}

/// Follows a log from where the server begins.
async fn connected(scope: &Scope, log: Log, wanted: Wanted) -> Result<LogStream> {
    let connection = connect(scope, &log, wanted).await?;
    let start = match &log {
        Log::Cluster(log) => log.since,
        Log::Service(_) => None,
    };
    let mut dedupe = Dedupe::new(Place::default(), 0);
    dedupe.start_at(start.or(Some(clock(scope) - HISTORY)));
    let source = LogSource::connected(scope.clone(), log, connection);
    Ok(stream(scope, source, dedupe))
}

fn stream(scope: &Scope, source: LogSource, dedupe: Dedupe) -> LogStream {
    LogStream::new(source, dedupe, Reconnect::by(scope.retry()))
}

async fn connect(scope: &Scope, log: &Log, wanted: Wanted) -> Result<Connection> {
    let wanted = Wanted {
        follow: true,
        ..wanted
    };
    let chunks = open(scope, log, wanted).await?.into_inner();
    let idle = scope.transport.limits.idle;
    Ok(Connection::new(chunks, idle, Some(scope.clone())))
}

async fn open(scope: &Scope, log: &Log, wanted: Wanted) -> Result<ByteStream> {
    let (log, raw) = (log.clone(), Client::raw_on(scope));
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
async fn whole(scope: &Scope, log: &Log) -> Result<Vec<LogLine>> {
    let body = body_of(scope, log, Wanted::default(), None).await?;
    let lines: Result<_> = lines::items_of(&body).map(|item| item.line).collect();
    lines.map_err(|error| scope.complete(error))
}

/// A whole reply, before `until`.
async fn body_of(
    scope: &Scope,
    log: &Log,
    wanted: Wanted,
    until: Option<Instant>,
) -> Result<Vec<u8>> {
    let mut scope = scope.clone();
    let options = &mut scope.options;
    options.whole = true;
    if let Some(until) = until {
        options.deadline = Some(until.saturating_duration_since(Instant::now()));
    }
    let mut stream = open(&scope, log, wanted).await?.into_inner();
    let mut body = Vec::new();
    while let Some(chunk) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        body.extend_from_slice(&chunk.map_err(interrupted)?);
    }
    Ok(body)
}

fn interrupted(error: reqwest::Error) -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the connection broke within the logs",
    )
    .with_effect(Effect::None)
    .with_source(error.without_url())
}
