//! Asking for logs: whole, or as they come.

use super::log_connection::Connection;
use super::log_read::{LARGEST_LIMIT, Log, Newest, Page, Wanted, body_of, lines_of, open};
use super::log_source::LogSource;
use super::{Client, LogLine, LogStream, ServiceId};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Item, LogCursor, Place, Reconnect, Seam, clock};
use crate::raw::dployr::Op;
use crate::transport::Scope;
use progenitor_client::ByteStream;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

/// The names under which lines may stand in a reply that is not a bare array.
pub(super) const NAMES: [&str; 3] = ["items", "logs", "entries"];

/// How far back the control plane begins when it is followed, in milliseconds.
pub(super) const HISTORY: i64 = 15 * 60 * 1000;

/// How many lines of one millisecond there may be at the end of a log that a server knows by `tail`
/// only.
const MARGIN: u32 = 100;

/// The platform's name in a cursor.
pub(super) const PLATFORM: &str = "dployr";

/// The logs so far, cut to the last `tail` lines.
pub(super) fn read(client: &Client, id: ServiceId, tail: Option<u32>) -> Call<Vec<LogLine>> {
    let id = Log::Service(id);
    Call::new(
        client.scope_of(Op::GetServiceLogs),
        move |mut scope| async move {
            if let Some(tail) = tail {
                let newest = Newest::read(&mut scope, &id, tail, 0).await?;
                return newest
                    .lines
                    .into_iter()
                    .map(|item: Item<_>| item.line)
                    .collect();
            }
            let started = Instant::now();
            let stream = open(&scope, &id, Wanted::default()).await?;
            whole(&mut scope, started, stream).await
        },
    )
}

/// The lines of a reply that does not follow, in any of their forms, within the limits of the call.
pub(super) async fn whole<T: DeserializeOwned>(
    scope: &mut Scope,
    started: Instant,
    stream: ByteStream,
) -> Result<Vec<T>> {
    let body = body_of(scope, started, stream).await?;
    lines_of(&body).map_err(|error| scope.complete(error.with_effect(Effect::None)))
}

/// The logs as they come, from where the server begins, or from the last `tail` lines on.
pub(super) fn follow(client: &Client, id: ServiceId, tail: Option<u32>) -> Call<LogStream> {
    let id = Log::Service(id);
    Call::new(
        client.scope_of(Op::GetServiceLogs),
        move |mut scope| async move {
            if let Some(tail) = tail {
                let newest = Newest::read(&mut scope, &id, tail, MARGIN).await?;
                // Behind lines without a time nobody can go on. Such a server can do it itself, if any.
                if newest.is_placed() {
                    let Newest {
                        lines, mut seam, ..
                    } = newest;
                    seam.start_at(Some(clock(&scope)));
                    let source = LogSource::caught_up(scope.clone(), id, lines);
                    return Ok(stream(&scope, source, seam));
                }
            }
            let wanted = Wanted {
                follow: true,
                tail,
                ..Wanted::default()
            };
            let connection = connect(&scope, &id, wanted).await?;
            let mut seam = Seam::new(Place::default(), 0);
            seam.start_at(Some(clock(&scope) - HISTORY));
            let source = LogSource::connected(scope.clone(), id, connection);
            Ok(stream(&scope, source, seam))
        },
    )
}

/// The logs from a cursor on.
pub(super) fn resume(client: &Client, id: ServiceId, cursor: &LogCursor) -> Call<LogStream> {
    let scope = client.scope_of(Op::GetServiceLogs);
    let place = match cursor.place_on(PLATFORM) {
        Ok(place) => place,
        Err(error) => return Call::refused(scope, error),
    };
    let id = Log::Service(id);
    Call::new(scope, move |mut scope| async move {
        let seam = Seam::new(place, 0);
        let wanted = Wanted {
            since: seam.place().since(),
            limit: Some(LARGEST_LIMIT),
            ..Wanted::default()
        };
        let page = Page::read(&mut scope, Instant::now(), &id, wanted).await?;
        let source = LogSource::behind(scope.clone(), id, page);
        Ok(stream(&scope, source, seam))
    })
}

pub(super) fn stream(scope: &Scope, source: LogSource, seam: Seam) -> LogStream {
    let reconnect = Reconnect::by(scope.retry());
    LogStream::new(source, seam, reconnect)
}

pub(super) async fn connect(scope: &Scope, log: &Log, wanted: Wanted) -> Result<Connection> {
    let stream = open(scope, log, wanted).await?;
    let idle = scope.transport().limits.idle;
    Ok(Connection::new(
        stream.into_inner(),
        idle,
        Some(scope.clone()),
    ))
}

pub(super) fn interrupted(error: reqwest::Error) -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the connection broke within the logs",
    )
    .with_effect(Effect::None)
    .with_source(error.without_url())
}
