//! Logs as they come over one connection: lines out of a stream of bytes.

use super::envelope::{list_in, unwrap};
use super::log_lines::{Line, Lines};
use super::logs::{NAMES, interrupted};
use super::{LogLine, classify, fold};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Event, Identity, Item};
use crate::transport::Scope;
use bytes::Bytes;
use futures_core::Stream;
use serde_json::Value;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// Events that say nothing but that the connection lives.
const HEARTBEATS: [&str; 4] = ["heartbeat", "ping", "keepalive", "keep-alive"];

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Sync>>;

/// The lines that come over one connection. It ends after an error of kind
/// [`Interrupted`](ErrorKind::Interrupted), when it breaks, and [`Timeout`](ErrorKind::Timeout), when
/// nothing came for the client's `idle_timeout`; and without an error when the server ends it.
pub(super) struct Connection {
    /// `None` when it has ended.
    chunks: Option<Chunks>,
    lines: Lines,
    /// What was read and not yet handed out: a server that does not follow answers with one array.
    /// Not read yet: many values in one line would be many records, or many errors, at once.
    ready: VecDeque<Ready>,
    idle: Duration,
    /// Runs while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
    /// The call that began it, for its errors; tests of the lines have none.
    scope: Option<Scope>,
}

pub(super) enum Ready {
    Value(Value),
    /// What could not be read, and what stands for it.
    Bad(u64, Error),
}

impl Connection {
    pub fn new(chunks: Chunks, idle: Duration, scope: Option<Scope>) -> Self {
        Self {
            chunks: Some(chunks),
            lines: Lines::default(),
            ready: VecDeque::new(),
            idle,
            silence: None,
            scope,
        }
    }

    /// What came next over the wire: a chunk, or the event that ends it.
    fn poll_chunk(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<std::result::Result<Bytes, Event<LogLine>>> {
        let Some(chunks) = &mut self.chunks else {
            return Poll::Ready(Err(Event::Ended));
        };
        match chunks.as_mut().poll_next(context) {
            Poll::Ready(chunk) => {
                self.silence = None;
                Poll::Ready(match chunk {
                    Some(Ok(chunk)) => Ok(chunk),
                    Some(Err(error)) => Err(Event::Broken(self.complete(interrupted(error)))),
                    None => Err(Event::Ended),
                })
            }
            Poll::Pending => {
                // From the first look in vain: a reader that was away does not count as silence.
                let idle = self.idle;
                let silence = self
                    .silence
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
                ready!(silence.as_mut().poll(context));
                let error = Error::new(
                    ErrorKind::Timeout,
                    format!("the logs were silent for {idle:?}"),
                )
                .with_effect(Effect::None)
                .with_advice("raise idle_timeout if that is expected");
                Poll::Ready(Err(Event::Silent(self.complete(error))))
            }
        }
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::TooLong => self.ready.push_back(Ready::Bad(
                Identity::of_bytes(b"a line that is too long"),
                no_line(format!(
                    "a line of the logs is longer than {} bytes and was skipped",
                    Lines::LONGEST
                )),
            )),
            Line::Whole(bytes) => read_line(&bytes, &mut self.ready),
        }
    }

    /// The next line that is complete, from what has come so far.
    fn buffered(&mut self) -> Option<Item<LogLine>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                let mut item = item_of(ready);
                item.line = item.line.map_err(|error| self.complete(error));
                return Some(item);
            }
            let line = self.lines.next()?;
            self.take(line);
        }
    }

    /// `whole` is false where a line that is cut off will come again: it is not told as one that could
    /// not be read.
    pub fn poll(&mut self, context: &mut Context<'_>, whole: bool) -> Poll<Event<LogLine>> {
        loop {
            if let Some(item) = self.buffered() {
                return Poll::Ready(Event::Item(item));
            }
            match ready!(self.poll_chunk(context)) {
                Ok(chunk) => self.lines.push(chunk),
                Err(Event::Ended) => {
                    self.chunks = None;
                    let Some(line) = self.lines.finish() else {
                        return Poll::Ready(Event::Ended);
                    };
                    self.take(line);
                    if !whole {
                        self.ready.retain(|ready| matches!(ready, Ready::Value(_)));
                    }
                }
                Err(end) => {
                    // What is left of a line is no line.
                    self.chunks = None;
                    self.lines = Lines::default();
                    return Poll::Ready(end);
                }
            }
        }
    }

    fn complete(&self, error: Error) -> Error {
        match &self.scope {
            Some(scope) => scope.complete(error),
            None => error,
        }
    }
}

/// What stands in one line: nothing, a record, or many, in any of the forms of a list.
pub(super) fn read_line(line: &[u8], into: &mut VecDeque<Ready>) {
    // Some writers begin with a mark of the byte order.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.trim_ascii();
    if is_nothing(line) {
        return;
    }
    match serde_json::from_slice(line) {
        Ok(value) if is_alive(&value) => {}
        Ok(value) => into.extend(records(value).into_iter().map(Ready::Value)),
        Err(_) => into.push_back(Ready::Bad(
            Identity::of_bytes(line),
            no_line("a line of the logs is not JSON"),
        )),
    }
}

/// The records in a value; itself, if it is one or what that is cannot be told.
pub(super) fn records(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        Value::Object(map) if !map.contains_key("message") => {
            let failed = map.get("success") == Some(&Value::Bool(false));
            let wraps =
                map.contains_key("data") || NAMES.iter().any(|name| map.contains_key(*name));
            let value = Value::Object(map);
            if failed || !wraps {
                return vec![value];
            }
            let (inner, place) = unwrap(value.clone());
            match inner {
                Value::Object(ref map) if map.contains_key("message") => vec![inner],
                inner => list_in(inner, place, &NAMES).map_or(vec![value], |(values, _, _)| values),
            }
        }
        other => vec![other],
    }
}

pub(super) fn item_of(ready: Ready) -> Item<LogLine> {
    match ready {
        Ready::Bad(identity, error) => Item {
            at: None,
            identity,
            line: Err(error),
        },
        Ready::Value(value) => {
            let identity = Identity::of_value(&value);
            let line = read(value);
            Item {
                at: line.as_ref().ok().and_then(time_of),
                identity,
                line,
            }
        }
    }
}

fn time_of(line: &LogLine) -> Option<i64> {
    line.timestamp.as_ref()?.unix_millis()
}

fn read(value: Value) -> Result<LogLine> {
    let value =
        classify::normalise(value).map_err(|classified| classified.into_error(Effect::None))?;
    fold::read(value, "line").map_err(|why| {
        no_line(why.replacen("within line", "a line of the logs does not fit at $", 1))
    })
}

/// The error for something that stands where a line should.
pub(super) fn no_line(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Decode, why).with_effect(Effect::None)
}

/// Whether a line only keeps the connection alive: nothing, a comment of server-sent events, null,
/// an empty object, or an event of such a name.
pub(super) fn is_heartbeat(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    // Worth a look only if it is as short as such events are.
    is_nothing(line)
        || (line.len() <= 256
            && serde_json::from_slice(line).is_ok_and(|value: Value| is_alive(&value)))
}

fn is_nothing(line: &[u8]) -> bool {
    matches!(line, b"" | b"null" | b"{}") || line.starts_with(b":")
}

fn is_alive(value: &Value) -> bool {
    value.get("message").is_none()
        && ["type", "event", "kind"].iter().any(|key| {
            let name = value.get(*key).and_then(Value::as_str);
            name.is_some_and(|name| HEARTBEATS.contains(&name))
        })
}

#[cfg(test)]
mod tests;
