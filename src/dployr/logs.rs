//! Asking for logs: whole, or as they come.

use super::envelope::{items, list_in, unwrap};
use super::log_stream::{LogStream, is_heartbeat, no_line};
use super::{Client, LogLine, ServiceId, classify, fold};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::dployr::Op;
use crate::transport::Scope;
use crate::transport::reply::{complete, finish_stream};
use bytes::Bytes;
use progenitor_client::ByteStream;
use serde_json::Value;
use std::future::poll_fn;
use tokio::time::{Instant, timeout};

/// The names under which lines may stand in a reply that is not a bare array.
const NAMES: [&str; 3] = ["items", "logs", "entries"];

/// The logs so far, cut to the last `tail` lines.
pub(super) fn read(client: &Client, id: ServiceId, tail: Option<u32>) -> Call<Vec<LogLine>> {
    Call::new(
        client.scope_of(Op::GetServiceLogs),
        move |mut scope| async move {
            let started = Instant::now();
            let stream = open(&scope, &id, None, tail).await?;
            let mut lines = whole(&mut scope, started, stream).await?;
            if let Some(tail) = tail {
                let surplus = lines
                    .len()
                    .saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
                lines.drain(..surplus);
            }
            Ok(lines)
        },
    )
}

/// The lines of a reply that does not go on for ever.
pub(super) async fn whole(
    scope: &mut Scope,
    started: Instant,
    stream: ByteStream,
) -> Result<Vec<LogLine>> {
    // The transport's limits end where the reply of a stream begins. This one is read whole, so
    // they go on here.
    let limits = scope.transport().limits;
    let (attempt, deadline) = (scope.options().attempt, scope.options().deadline);
    let attempt = attempt.unwrap_or_else(|| limits.attempt(scope.operation()));
    let deadline = deadline.unwrap_or_else(|| limits.deadline(scope.operation()));
    let limit = attempt.min(deadline.saturating_sub(started.elapsed()));
    let body = match timeout(limit, collect(stream, limits.reply_bytes)).await {
        Ok(body) => body,
        Err(_) => Err(Error::new(
            ErrorKind::Timeout,
            format!("the logs took longer than {limit:?}"),
        )),
    };
    body.and_then(|body| lines_of(&body))
        .map_err(|error| complete(error.with_effect(Effect::None), scope))
}

/// The logs as they come.
pub(super) fn follow(client: &Client, id: ServiceId, tail: Option<u32>) -> Call<LogStream> {
    Call::new(
        client.scope_of(Op::GetServiceLogs),
        move |scope| async move {
            let stream = open(&scope, &id, Some(true), tail).await?;
            let idle = scope.transport().limits.idle;
            Ok(LogStream::new(stream.into_inner(), idle, Some(scope)))
        },
    )
}

async fn open(
    scope: &Scope,
    id: &ServiceId,
    follow: Option<bool>,
    tail: Option<u32>,
) -> Result<ByteStream> {
    let raw = Client::raw_on(scope);
    let result = raw
        .get_service_logs(id.as_str(), follow, tail.map(i64::from))
        .await;
    finish_stream(scope, result)
}

async fn collect(stream: ByteStream, limit: usize) -> Result<Vec<u8>> {
    let mut stream = stream.into_inner();
    let mut body = Vec::new();
    while let Some(chunk) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        let chunk: Bytes = chunk.map_err(interrupted)?;
        if body.len() + chunk.len() > limit {
            return Err(Error::new(
                ErrorKind::Decode,
                format!("the reply is larger than {limit} bytes"),
            )
            .with_advice("raise max_reply_bytes if that is expected"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(super) fn interrupted(error: reqwest::Error) -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the connection broke within the logs",
    )
    .with_effect(Effect::None)
    .with_source(error.without_url())
}

/// The lines of a whole reply: one JSON value in any of the forms of a list, or one value a line.
fn lines_of(body: &[u8]) -> Result<Vec<LogLine>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let misfit = |why: String| match why.strip_prefix("within ") {
        Some(place) if place.starts_with('[') => {
            no_line(format!("the reply does not fit at ${place}"))
        }
        Some(place) => no_line(format!("the reply does not fit at $.{place}")),
        None => no_line("the reply is no list of log lines"),
    };
    match serde_json::from_slice(body) {
        // One line alone, or one value in an envelope.
        Ok(Value::Object(map)) if map.contains_key("message") && !map.contains_key("success") => {
            Ok(vec![fold::read(Value::Object(map), "").map_err(misfit)?])
        }
        Ok(value) => {
            let value = classify::normalise(value)
                .map_err(|classified| classified.into_error(Effect::None))?;
            let (value, place) = unwrap(value);
            let (values, place, _) = list_in(value, place, &NAMES).map_err(misfit)?;
            items(values, &place).map_err(misfit)
        }
        Err(_) => each_line(body),
    }
}

fn each_line(body: &[u8]) -> Result<Vec<LogLine>> {
    let mut lines = Vec::new();
    for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if is_heartbeat(line) {
            continue;
        }
        let value = serde_json::from_slice(line)
            .map_err(|_| no_line(format!("line {} of the logs is not JSON", index + 1)))?;
        let line = fold::read(value, &format!("line {}", index + 1));
        lines.push(
            line.map_err(|why| no_line(why.replacen("within ", "the logs do not fit at ", 1)))?,
        );
    }
    Ok(lines)
}
