//! Logs as they come: lines out of a stream of bytes.

use super::logs::interrupted;
use super::{LogLine, classify, fold};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::transport::{Scope, reply::complete};
use bytes::Bytes;
use futures_core::Stream;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// The longest line that is read, in bytes: 1 MiB. Log stores cut lines far below that; what is
/// longer is no log line and must not fill the memory.
const LONGEST_LINE: usize = 1 << 20;

/// Events that say nothing but that the connection lives.
const HEARTBEATS: [&str; 4] = ["heartbeat", "ping", "keepalive", "keep-alive"];

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Sync>>;

/// The lines of a service's log as they come; made by
/// [`ServiceHandle::follow_logs`](super::ServiceHandle::follow_logs).
///
/// It is a [`Stream`], and [`next`](Self::next) needs no further crate. A line that cannot be read
/// is an error and the stream goes on. It ends after an error of kind
/// [`Interrupted`](ErrorKind::Interrupted), when the connection breaks, and
/// [`Timeout`](ErrorKind::Timeout), when nothing came for the client's `idle_timeout`; and without an
/// error when the server ends it. Dropping it closes the connection.
///
/// The control plane marks neither end nor place in the log: whoever connects anew has to skip what
/// came before.
#[must_use = "a stream does nothing until it is polled"]
pub struct LogStream {
    /// `None` when it has ended.
    chunks: Option<Chunks>,
    lines: Lines,
    /// What was read and not yet handed out: a server that does not follow answers with one array.
    /// Not read yet: many values in one line would be many records, or many errors, at once.
    ready: VecDeque<Result<Value>>,
    idle: Duration,
    /// Runs while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
    /// The call that began it, for its errors; tests of the lines have none.
    scope: Option<Scope>,
}

impl LogStream {
    pub(super) fn new(chunks: Chunks, idle: Duration, scope: Option<Scope>) -> Self {
        Self {
            chunks: Some(chunks),
            lines: Lines::default(),
            ready: VecDeque::new(),
            idle,
            silence: None,
            scope,
        }
    }

    /// The next line; `None` when the stream has ended.
    ///
    /// It may be dropped before it is ready, in a `select!` for one: no line is lost.
    pub async fn next(&mut self) -> Option<Result<LogLine>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// What came next over the wire: a chunk, the end, or the error that is the end.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let Some(chunks) = &mut self.chunks else {
            return Poll::Ready(None);
        };
        match chunks.as_mut().poll_next(context) {
            Poll::Ready(chunk) => {
                self.silence = None;
                Poll::Ready(chunk.map(|chunk| chunk.map_err(interrupted)))
            }
            Poll::Pending => {
                // From the first look in vain: a reader that was away does not count as silence.
                let idle = self.idle;
                let silence = self
                    .silence
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
                ready!(silence.as_mut().poll(context));
                Poll::Ready(Some(Err(Error::new(
                    ErrorKind::Timeout,
                    format!("the logs were silent for {idle:?}"),
                )
                .with_effect(Effect::None)
                .with_advice("raise idle_timeout if that is expected"))))
            }
        }
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::TooLong => self.ready.push_back(Err(no_line(format!(
                "a line of the logs is longer than {LONGEST_LINE} bytes and was skipped"
            )))),
            Line::Whole(bytes) => {
                // Some writers begin with a mark of the byte order.
                let line = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
                if is_heartbeat(line) {
                    return;
                }
                match serde_json::from_slice(line) {
                    Ok(Value::Array(values)) => self.ready.extend(values.into_iter().map(Ok)),
                    Ok(value) => self.ready.push_back(Ok(value)),
                    Err(_) => self
                        .ready
                        .push_back(Err(no_line("a line of the logs is not JSON"))),
                }
            }
        }
    }

    /// The next line that is complete, from what has come so far.
    fn buffered(&mut self) -> Option<Result<LogLine>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line.and_then(read).map_err(|error| self.complete(error)));
            }
            let line = self.lines.next()?;
            self.take(line);
        }
    }

    fn complete(&self, error: Error) -> Error {
        match &self.scope {
            Some(scope) => complete(error, scope),
            None => error,
        }
    }
}

impl Stream for LogStream {
    type Item = Result<LogLine>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(line) = this.buffered() {
                return Poll::Ready(Some(line));
            }
            match ready!(this.poll_chunk(context)) {
                Some(Ok(chunk)) => this.lines.push(chunk),
                Some(Err(error)) => {
                    // What is left of a line is no line.
                    this.chunks = None;
                    this.lines = Lines::default();
                    return Poll::Ready(Some(Err(this.complete(error))));
                }
                None => {
                    this.chunks = None;
                    let Some(line) = this.lines.finish() else {
                        return Poll::Ready(None);
                    };
                    this.take(line);
                }
            }
        }
    }
}

impl fmt::Debug for LogStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStream")
            .field("ended", &self.chunks.is_none())
            .finish_non_exhaustive()
    }
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
    if matches!(line, b"" | b"null" | b"{}") || line.starts_with(b":") {
        return true;
    }
    // Worth a look only if it is as short as such events are.
    line.len() <= 256
        && serde_json::from_slice(line).is_ok_and(|value: Value| {
            value.get("message").is_none()
                && ["type", "event", "kind"].iter().any(|key| {
                    let name = value.get(*key).and_then(Value::as_str);
                    name.is_some_and(|name| HEARTBEATS.contains(&name))
                })
        })
}

/// Cuts chunks into lines, with no more than a line and a chunk in memory.
#[derive(Default)]
struct Lines {
    chunk: Bytes,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Inside of a line that was given up.
    skipping: bool,
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

impl Lines {
    /// Takes the next chunk, when [`next`](Self::next) has used up the one before.
    fn push(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    fn next(&mut self) -> Option<Line> {
        while !self.chunk.is_empty() {
            let end = self.chunk.iter().position(|byte| *byte == b'\n');
            let piece = match end {
                Some(end) => self.chunk.split_to(end + 1),
                None => std::mem::take(&mut self.chunk),
            };
            let ended = end.is_some();
            if self.skipping {
                self.skipping = !ended;
                continue;
            }
            if self.partial.len() + piece.len() > LONGEST_LINE {
                self.partial = Vec::new();
                self.skipping = !ended;
                return Some(Line::TooLong);
            }
            self.partial.extend_from_slice(&piece);
            if ended {
                return Some(Line::Whole(std::mem::take(&mut self.partial)));
            }
        }
        None
    }

    /// The last line, if the stream ended without a line break.
    fn finish(&mut self) -> Option<Line> {
        (!self.partial.is_empty()).then(|| Line::Whole(std::mem::take(&mut self.partial)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What a stream does next.
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

    fn stream(steps: impl IntoIterator<Item = Step>) -> LogStream {
        let script = Script(steps.into_iter().collect(), None);
        LogStream::new(Box::pin(script), Duration::from_secs(60), None)
    }

    fn chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> LogStream {
        stream(chunks.into_iter().map(|bytes| Step::Chunk(bytes.to_vec())))
    }

    /// Messages, and the kinds of errors.
    async fn all(mut stream: LogStream) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(line) = stream.next().await {
            seen.push(match line {
                Ok(line) => line.message,
                Err(error) => format!("! {:?}", error.kind()),
            });
        }
        assert!(stream.next().await.is_none(), "it goes on behind its end");
        seen
    }

    #[tokio::test]
    async fn lines_may_be_cut_anywhere() {
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
    async fn blank_lines_and_heartbeats_are_skipped() {
        let text = b"\n\r\n: ping\n{}\nnull\n{\"type\":\"heartbeat\"}\n{\"event\":\"ping\",\"n\":1}\n{\"message\":\"a\",\"type\":\"ping\"}\n \n";
        assert_eq!(all(chunks([&text[..]])).await, ["a"]);
        assert!(all(chunks([])).await.is_empty());
    }

    #[tokio::test]
    async fn a_bad_line_is_an_error_and_not_the_end() {
        let text = b"oops\n{\"message\":\"a\"}\n{\"level\":\"info\"}\n{\"message\":1}\n\xff\n[1]\n{\"message\":\"b\"}\n{\"mess";
        let decode = "! Decode";
        let seen = all(chunks([&text[..]])).await;
        assert_eq!(
            seen,
            [decode, "a", decode, decode, decode, decode, "b", decode]
        );
    }

    #[tokio::test]
    async fn the_error_of_a_line_names_the_field_and_no_value() {
        let mut stream = chunks([&b"{\"message\":{\"a\":\"hush\"}}\n{\"success\":false,\"error\":{\"message\":\"gone\",\"code\":\"x.y\"}}\n"[..]]);
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(
            error.to_string(),
            "a line of the logs does not fit at $.message: found map, expected a string"
        );
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Rejected, Some("x.y"))
        );
    }

    #[tokio::test]
    async fn a_server_that_does_not_follow_sends_an_array() {
        let text = b"[{\"message\":\"a\"},{\"message\":\"b\"}]";
        assert_eq!(all(chunks([&text[..]])).await, ["a", "b"]);
    }

    #[tokio::test]
    async fn a_line_too_long_is_skipped_in_bounded_memory() {
        let piece = vec![b'x'; 100_000];
        let steps = (0..50).map(|_| Step::Chunk(piece.clone()));
        let end = Step::Chunk(b"xx\n{\"message\":\"after\"}\n".to_vec());
        let mut stream = stream(steps.chain([end]));
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains("longer than"), "{error}");
        assert!(stream.lines.partial.capacity() == 0 && stream.lines.skipping);
        assert_eq!(stream.next().await.unwrap().unwrap().message, "after");
        assert!(stream.next().await.is_none());

        let whole = format!(
            "{{\"message\":\"{}\"}}\n{{\"message\":\"b\"}}\n",
            "y".repeat(LONGEST_LINE)
        );
        assert_eq!(all(chunks([whole.as_bytes()])).await, ["! Decode", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_it_and_anything_breaks_silence() {
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
    async fn a_reader_that_was_away_is_no_silence() {
        let line = Step::Chunk(b"{\"message\":\"a\"}\n".to_vec());
        let mut stream = stream([line, Step::Wait(Duration::from_secs(1)), Step::Hang]);
        assert!(stream.next().await.unwrap().is_ok());
        tokio::time::sleep(Duration::from_secs(600)).await;
        let waited = tokio::time::timeout(Duration::from_secs(30), stream.next()).await;
        assert!(waited.is_err(), "it counted the time before the first look");
    }

    #[tokio::test]
    async fn a_broken_connection_is_an_error_and_the_end() {
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
        let mut stream = client.service("s").follow_logs().await.unwrap();
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
