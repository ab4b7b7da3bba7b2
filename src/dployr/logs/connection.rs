//! Log lines over one connection.

use super::interrupted;
use super::lines::{content, is_json, item, records, too_long};
use crate::error::{Effect, Error, ErrorKind};
use crate::logs::{Event, Item};
use crate::transport::Scope;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;
use tokio_util::codec::{AnyDelimiterCodec, Decoder};

/// The longest line that is read, in bytes. Log stores cut lines far below that.
pub(super) const LONGEST: usize = 1 << 20;

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Sync>>;

/// The lines of one connection.
///
/// It ends with an error of kind [`Interrupted`](ErrorKind::Interrupted) when the connection breaks,
/// with [`Timeout`](ErrorKind::Timeout) after the client's `idle_timeout` without a byte, and without an
/// error when the server ends the reply.
pub(super) struct Connection {
    /// `None` after the end.
    chunks: Option<Chunks>,
    /// Bytes of which no line has been made yet.
    buffer: BytesMut,
    splitter: AnyDelimiterCodec,
    /// Records of a line, not decoded yet: errors are larger than bad records.
    records: VecDeque<Bytes>,
    idle: Duration,
    /// Runs while no byte comes.
    silence: Option<Pin<Box<Sleep>>>,
    /// The call that opened it, for errors.
    scope: Scope,
}

impl Connection {
    pub fn new(chunks: Chunks, idle: Duration, scope: Scope) -> Self {
        Self {
            chunks: Some(chunks),
            buffer: BytesMut::new(),
            splitter: AnyDelimiterCodec::new_with_max_length(b"\n".into(), b"\n".into(), LONGEST),
            records: VecDeque::new(),
            idle,
            silence: None,
            scope,
        }
    }

    /// The next event. `whole` is false where the log will be read on: then a last line without a line
    /// break that is not JSON was cut off and comes again.
    pub fn poll(&mut self, context: &mut Context<'_>, whole: bool) -> Poll<Event> {
        loop {
            if let Some(mut item) = self.next_item(whole) {
                item.line = item.line.map_err(|error| self.scope.complete(error));
                return Poll::Ready(Event::Item(item));
            }
            let end = match ready!(self.poll_chunk(context)) {
                Ok(chunk) => {
                    self.buffer.extend_from_slice(&chunk);
                    continue;
                }
                Err(end) => end,
            };
            let first = self.chunks.take().is_some();
            if !matches!(end, Event::Ended) {
                // The rest of a line is not a line.
                self.buffer.clear();
            }
            if !first || !matches!(end, Event::Ended) {
                return Poll::Ready(end);
            }
        }
    }

    /// The next chunk, or the event that ends the connection.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<Bytes, Event>> {
        let Some(chunks) = &mut self.chunks else {
            return Poll::Ready(Err(Event::Ended));
        };
        if let Poll::Ready(chunk) = chunks.as_mut().poll_next(context) {
            self.silence = None;
            return Poll::Ready(match chunk {
                Some(Ok(chunk)) => Ok(chunk),
                Some(Err(error)) => Err(Event::Broken(self.scope.complete(interrupted(error)))),
                None => Err(Event::Ended),
            });
        }
        // Starts with the first poll in vain: a slow reader is not a silent server.
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
        Poll::Ready(Err(Event::Silent(self.scope.complete(error))))
    }

    /// The next item of what has been received.
    fn next_item(&mut self, whole: bool) -> Option<Item> {
        loop {
            if let Some(record) = self.records.pop_front() {
                return Some(item(&record, "a line"));
            }
            let ended = self.chunks.is_none();
            let line = match ended {
                false => self.splitter.decode(&mut self.buffer),
                true => self.splitter.decode_eof(&mut self.buffer),
            };
            let line = match line {
                Ok(line) => line?,
                Err(_) => return Some(too_long(LONGEST)),
            };
            let Some(text) = content(&line) else {
                continue;
            };
            if ended && !whole && !is_json(text) {
                // It was cut off.
                continue;
            }
            let records = records(text).into_iter();
            self.records
                .extend(records.map(|record| line.slice_ref(record)));
        }
    }

    /// Bytes in memory.
    #[cfg(test)]
    pub fn buffered(&self) -> usize {
        self.buffer.capacity()
    }
}
