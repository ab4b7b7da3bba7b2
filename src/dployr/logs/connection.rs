//! Log lines over one connection.

use super::lines::{MAX_LINE, content, item, too_long, trimmed};
use super::pages::DEFAULT_LIMIT;
use super::{LogQuery, interrupted, is_before};
use crate::error::{Effect, Error, ErrorKind};
use crate::logs::{Event, Item, MIN_COST, next_array_item, poll_batch};
use crate::transport::Scope;
use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use serde::de::IgnoredAny;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::Sleep;
use tokio_util::codec::{AnyDelimiterCodec, Decoder};

pub(super) const SILENCE_ADVICE: &str = "raise idle_timeout if the service rarely writes logs";

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Sync>>;

/// The lines of one connection.
///
/// Ends with [`Interrupted`](ErrorKind::Interrupted) if the connection breaks, with
/// [`Timeout`](ErrorKind::Timeout) after `idle_timeout` without a byte, and without an error when the
/// server ends the response.
pub(super) struct Connection {
    /// `None` after the end.
    chunks: Option<Chunks>,
    /// Received bytes without a complete line.
    buffer: BytesMut,
    splitter: AnyDelimiterCodec,
    /// The rest of the current array. Its records are decoded one by one, because an error needs more memory
    /// than a record.
    array: Option<Bytes>,
    /// What was decoded since the last yield.
    batch: usize,
    pub query: LogQuery,
    /// Number of items so far.
    count: u64,
    /// Whether the server ignores `since`, as far as known.
    ignores_since: bool,
    /// Idle timer; `None` after a byte, until the next pending poll.
    idle_timer: Option<Pin<Box<Sleep>>>,
    /// The call that opened the connection, for errors.
    scope: Scope,
}

impl Connection {
    pub fn new(chunks: Chunks, query: LogQuery, scope: Scope) -> Self {
        Self {
            chunks: Some(chunks),
            buffer: BytesMut::new(),
            splitter: AnyDelimiterCodec::new_with_max_length(b"\n".into(), b"\n".into(), MAX_LINE),
            array: None,
            batch: 0,
            query,
            count: 0,
            ignores_since: false,
            idle_timer: None,
            scope,
        }
    }

    /// The next event. If the stream will reconnect, a cut-off last line (without a line break, and not
    /// JSON) is skipped, because the next connection reads it again.
    pub fn poll(&mut self, context: &mut Context<'_>, will_reconnect: bool) -> Poll<Event> {
        loop {
            ready!(poll_batch(&mut self.batch, context));
            if let Some(next) = self.next_item(will_reconnect) {
                let Some(mut item) = next else { continue };
                if let Err(error) = item.line {
                    item.line = Err(self.scope.complete(error));
                }
                self.count += 1;
                self.ignores_since |= is_before(&item, self.query.since);
                return Poll::Ready(Event::Item(item));
            }
            let Some(end) = ready!(self.poll_chunk(context)) else {
                continue;
            };
            if self.chunks.take().is_none() || !matches!(end, Event::Ended) {
                // Drop the incomplete line.
                self.buffer.clear();
                return Poll::Ready(end);
            }
        }
    }

    /// The next item of a page.
    pub async fn next(&mut self) -> Option<Item> {
        match poll_fn(|context| self.poll(context, false)).await {
            Event::Item(item) => Some(item),
            _ => None,
        }
    }

    /// Whether all items of this page are as many lines from `since` on as the server sends at once.
    pub fn is_full(&self) -> bool {
        let limit = self.query.limit.unwrap_or(DEFAULT_LIMIT);
        self.count == u64::from(limit) && !self.ignores_since
    }

    /// Receives the next chunk, or returns the event that ends the connection.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let Some(chunks) = &mut self.chunks else {
            return Poll::Ready(Some(Event::Ended));
        };
        if let Poll::Ready(chunk) = chunks.as_mut().poll_next(context) {
            self.idle_timer = None;
            return Poll::Ready(match chunk {
                Some(Ok(chunk)) => {
                    match trimmed(&chunk).strip_prefix(b"[") {
                        // A page is one chunk. Its array may contain line breaks.
                        Some(array) if !self.query.follow => {
                            self.array = Some(chunk.slice_ref(array));
                        }
                        _ => self.buffer.extend_from_slice(&chunk),
                    }
                    None
                }
                Some(Err(error)) => Some(Event::ConnectionBroken(
                    self.scope.complete(interrupted(error)),
                )),
                None => Some(Event::Ended),
            });
        }
        // The timer starts with a pending poll, so that the time of a slow reader does not count.
        let idle = self.scope.transport.limits.idle;
        let idle_timer = self
            .idle_timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        ready!(idle_timer.as_mut().poll(context));
        let error = Error::new(ErrorKind::Timeout, format!("no log data within {idle:?}"))
            .with_effect(Effect::None)
            .with_advice(SILENCE_ADVICE);
        Poll::Ready(Some(Event::IdleTimeout(self.scope.complete(error))))
    }

    /// The next item in the received bytes: `Some(None)` for a line without one, and `None` if more bytes are
    /// needed.
    fn next_item(&mut self, will_reconnect: bool) -> Option<Option<Item>> {
        let ended = self.chunks.is_none();
        let line = match &mut self.array {
            None => {
                let line = match ended {
                    false => self.splitter.decode(&mut self.buffer),
                    true => self.splitter.decode_eof(&mut self.buffer),
                };
                match line {
                    Ok(line) => line?,
                    Err(_) => return Some(Some(too_long())),
                }
            }
            Some(array) => {
                let number = self.count + 1;
                if let Some((record, length)) = next_array_item(array) {
                    let item = item(record, format_args!("record {number}"));
                    self.batch += length.max(MIN_COST);
                    array.advance(length);
                    return Some(Some(item));
                }
                let rest = array.slice_ref(array.trim_ascii());
                self.array = None;
                match rest.strip_prefix(b"]") {
                    None => return Some(Some(item(&rest, format_args!("record {number}")))),
                    // The other lines of a page.
                    Some(lines) if !self.query.follow && self.buffer.is_empty() => {
                        self.buffer.extend_from_slice(lines);
                        return Some(None);
                    }
                    Some(line) => rest.slice_ref(line),
                }
            }
        };
        self.batch += line.len().max(MIN_COST);
        let Some(text) = content(&line) else {
            return Some(None);
        };
        let is_cut = ended && will_reconnect && self.query.follow;
        if is_cut && serde_json::from_slice::<IgnoredAny>(text).is_err() {
            // The line was cut off.
            return Some(None);
        }
        if let Some(array) = text.strip_prefix(b"[") {
            self.array = Some(line.slice_ref(array));
            return Some(None);
        }
        Some(Some(item(text, format_args!("line {}", self.count + 1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::logs::LogLine;
    use crate::raw::dployr::Op;
    use std::collections::VecDeque;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A step of the scripted stream.
    enum Step {
        Chunk(Vec<u8>),
        Wait(Duration),
        Hang,
    }

    struct Script(VecDeque<Step>, Option<Pin<Box<Sleep>>>);

    impl Stream for Script {
        type Item = reqwest::Result<Bytes>;

        fn poll_next(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Self::Item>> {
            loop {
                if let Some(wait) = &mut self.1 {
                    ready!(wait.as_mut().poll(context));
                    self.1 = None;
                }
                match self.0.pop_front() {
                    Some(Step::Chunk(bytes)) => return Poll::Ready(Some(Ok(bytes.into()))),
                    Some(Step::Wait(time)) => self.1 = Some(Box::pin(tokio::time::sleep(time))),
                    Some(Step::Hang) => {
                        self.0.push_front(Step::Hang);
                        return Poll::Pending;
                    }
                    None => return Poll::Ready(None),
                }
            }
        }
    }

    impl Connection {
        async fn next_line(&mut self) -> Option<Result<LogLine>> {
            match poll_fn(|context| self.poll(context, false)).await {
                Event::Item(item) => Some(item.line),
                Event::IdleTimeout(error)
                | Event::ConnectionBroken(error)
                | Event::RequestFailed(error) => Some(Err(error)),
                _ => None,
            }
        }
    }

    fn stream(steps: impl IntoIterator<Item = Step>) -> Connection {
        let script = Script(steps.into_iter().collect(), None);
        let client = crate::dployr::Client::builder().base_url("https://dployr.example");
        let client = client.token("t").idle_timeout(Duration::from_secs(60));
        let client = client.build().unwrap();
        let query = LogQuery {
            follow: true,
            ..LogQuery::default()
        };
        Connection::new(Box::pin(script), query, client.scope_of(Op::GetServiceLogs))
    }

    fn chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Connection {
        stream(chunks.into_iter().map(|bytes| Step::Chunk(bytes.to_vec())))
    }

    /// Messages, and kinds of errors.
    async fn all(mut stream: Connection) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(line) = stream.next_line().await {
            seen.push(match line {
                Ok(line) => line.message,
                Err(error) => format!("! {:?}", error.kind()),
            });
        }
        assert!(
            stream.next_line().await.is_none(),
            "the stream continued after its end"
        );
        seen
    }

    #[tokio::test]
    async fn lines_may_be_split_anywhere_between_chunks() {
        let text =
            "{\"message\":\"grün ⚠ 1\",\"timestamp\":1}\r\n{\"message\":\"zwei\"}".as_bytes();
        for at in 0..text.len() {
            let seen = all(chunks([&text[..at], &text[at..]])).await;
            assert_eq!(seen, ["grün ⚠ 1", "zwei"], "cut at {at}");
        }
        let bytes = text.chunks(1);
        assert_eq!(all(chunks(bytes)).await.len(), 2);
    }

    #[tokio::test]
    async fn blank_lines_and_comments_are_skipped() {
        let text = b"\n\r\n: ping\n{}\nnull\n{\"message\":\"a\",\"type\":\"ping\"}\n \n";
        assert_eq!(all(chunks([&text[..]])).await, ["a"]);
        assert!(all(chunks([])).await.is_empty());
    }

    #[tokio::test]
    async fn a_bad_line_is_an_error_that_does_not_end_the_stream() {
        let text = b"oops\n{\"message\":\"a\"}\n{\"level\":\"info\"}\n{\"message\":[]}\n\xff\n[1]\n{\"message\":\"b\"}\n{\"mess";
        let decode = "! Decode";
        let seen = all(chunks([&text[..]])).await;
        assert_eq!(
            seen,
            [decode, "a", decode, decode, decode, decode, "b", decode]
        );
    }

    #[tokio::test]
    async fn the_error_of_a_line_has_the_path_and_no_value() {
        let mut stream = chunks([&b"{\"message\":{\"a\":\"hush\"}}\n{\"success\":false,\"error\":{\"message\":\"gone\",\"code\":\"x.y\"}}\n"[..]]);
        let error = stream.next_line().await.unwrap().unwrap_err();
        let words = "cannot decode line 1 of the logs at $.message: found map, expected a string";
        assert_eq!(error.message(), Some(words));
        let error = stream.next_line().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Rejected, Some("x.y"))
        );
    }

    #[tokio::test]
    async fn fields_are_read_in_either_spelling() {
        let text = br#"{"timestamp":1,"message":"a","serviceId":"web"}
{"timestamp":1,"message":"a","service_id":"web"}
{"timestamp":1,"message":"a","service_id":"other","serviceId":"web"}"#;
        let mut stream = chunks([&text[..]]);
        for _ in 0..3 {
            let line = stream.next_line().await.unwrap().unwrap();
            assert_eq!(line.service.as_deref(), Some("web"));
        }
    }

    #[tokio::test]
    async fn an_array_is_read_as_its_records() {
        for text in [
            "[{\"message\":\"a\"},{\"message\":\"b\"}]",
            "\u{feff}[{\"message\":\"a\"},{\"message\":\"b\"}]",
            "\u{feff}[{\"message\":\"a\"}]\n[]\n{\"message\":\"b\"}\n",
        ] {
            assert_eq!(all(chunks([text.as_bytes()])).await, ["a", "b"], "{text}");
            let mut page = chunks([text.as_bytes()]);
            page.query.follow = false;
            assert_eq!(all(page).await, ["a", "b"], "{text}");
        }
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_skipped_in_bounded_memory() {
        let piece = vec![b'x'; 100_000];
        let steps = (0..50).map(|_| Step::Chunk(piece.clone()));
        let end = Step::Chunk(b"xx\n{\"message\":\"after\"}\n".to_vec());
        let mut stream = stream(steps.chain([end]));
        let error = stream.next_line().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains("longer than"), "{error}");
        assert!(stream.buffer.capacity() < 2 * MAX_LINE);
        assert_eq!(stream.next_line().await.unwrap().unwrap().message, "after");
        assert!(stream.next_line().await.is_none());

        let whole = format!(
            "{{\"message\":\"{}\"}}\n{{\"message\":\"b\"}}\n",
            "y".repeat(MAX_LINE)
        );
        assert_eq!(all(chunks([whole.as_bytes()])).await, ["! Decode", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_the_stream_and_any_byte_resets_the_timer() {
        let line = |text: &str| Step::Chunk(format!("{{\"message\":\"{text}\"}}\n").into_bytes());
        let almost = || Step::Wait(Duration::from_secs(59));
        let steps = [
            line("a"),
            almost(),
            Step::Chunk(b"\n".to_vec()),
            almost(),
            line("b"),
            Step::Hang,
        ];
        let started = tokio::time::Instant::now();
        assert_eq!(all(stream(steps)).await, ["a", "b", "! Timeout"]);
        assert_eq!(started.elapsed().as_secs(), 59 + 59 + 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_does_not_count_as_silence() {
        let line = Step::Chunk(b"{\"message\":\"a\"}\n".to_vec());
        let mut stream = stream([line, Step::Wait(Duration::from_secs(1)), Step::Hang]);
        assert!(stream.next_line().await.unwrap().is_ok());
        tokio::time::sleep(Duration::from_secs(600)).await;
        let waited = tokio::time::timeout(Duration::from_secs(30), stream.next_line()).await;
        assert!(
            waited.is_err(),
            "the time before the first poll was counted"
        );
    }

    #[tokio::test]
    async fn a_broken_connection_ends_the_stream_with_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let body = "18\r\n{\"message\":\"a\"}\n{\"messa\r\n";
            socket
                .write_all(format!("{head}{body}").as_bytes())
                .await
                .unwrap();
        });
        let client = crate::dployr::Client::new(format!("http://{address}"), "t").unwrap();
        let mut stream = client
            .service("s")
            .follow_logs(crate::dployr::LogOptions::new())
            .await
            .unwrap()
            .without_reconnecting();
        assert_eq!(stream.next().await.unwrap().unwrap().message, "a");
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Interrupted, Effect::None)
        );
        assert_eq!(error.operation().unwrap().id, "get_service_logs");
        assert_eq!((error.status(), error.attempts()), (Some(200), 1));
        assert!(stream.next().await.is_none());
    }
}
