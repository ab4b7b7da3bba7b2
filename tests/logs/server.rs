//! A stub of dployr's logs. The test selects how each response ends.

use crate::support::{self, LAST_CHUNK, Script, Step, chunks};
use deploykit::dployr::{Client, ServiceHandle};
use deploykit::logs::LogStream;
use deploykit::{Retry, pacing::Pacing};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Timestamp and message of each line.
pub type Log = Vec<(i64, String)>;

pub type Query = BTreeMap<String, String>;

/// The end of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The body is complete.
    Whole,
    /// The connection breaks.
    Break,
    /// The connection stays open without data.
    Silence,
}

pub struct Answer {
    pub head: String,
    pub body: Vec<u8>,
    pub end: End,
    /// Time before the head is sent.
    pub after: Duration,
}

impl Answer {
    pub fn lines(lines: &str, end: End) -> Self {
        Self {
            head: "200 OK\r\ncontent-type: application/x-ndjson".to_owned(),
            body: lines.as_bytes().to_vec(),
            end,
            after: Duration::ZERO,
        }
    }

    pub fn json(status: &str, body: &str) -> Self {
        Self {
            head: format!("{status}\r\ncontent-type: application/json"),
            body: body.as_bytes().to_vec(),
            end: End::Whole,
            after: Duration::ZERO,
        }
    }

    /// Sends the head after this time.
    pub fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }

    /// Truncates the body at `at` and sets its end, if the body is longer.
    pub fn cut(mut self, at: usize, end: End) -> Self {
        if at < self.body.len() {
            self.body.truncate(at);
            self.end = end;
        }
        self
    }
}

pub fn line((at, message): &(i64, String)) -> String {
    format!(
        "{{\"timestamp\":{at},\"source\":\"dployrd\",\"level\":\"info\",\"message\":\"{message}\"}}"
    )
}

/// The response of the control plane: the oldest lines since a time, up to a limit.
pub fn control_plane(log: &Log, query: &Query) -> Answer {
    let number = |name: &str| query.get(name).map(|text| text.parse::<i64>().unwrap());
    let since = number("since").unwrap_or(i64::MIN);
    let limit = usize::try_from(number("limit").unwrap_or(1000).min(5000)).unwrap();
    let mut lines: Vec<_> = log.iter().filter(|(at, _)| *at >= since).collect();
    if query
        .get("direction")
        .is_some_and(|direction| direction == "backward")
    {
        // Fetches the newest lines, one more than requested, and returns the first of them in ascending
        // order (dployr-io/dployr-base:src/services/loki.ts).
        lines.drain(..lines.len().saturating_sub((limit + 1).min(5000)));
    }
    let lines = lines.into_iter();
    if query.contains_key("follow") {
        let lines: String = lines.map(|entry| line(entry) + "\n").collect();
        return Answer::lines(&lines, End::Silence);
    }
    let lines: Vec<String> = lines.take(limit).map(line).collect();
    Answer::json("200 OK", &format!("[{}]", lines.join(",")))
}

/// The response of a server that supports only the documented parameters.
pub fn documented(log: &Log, query: &Query) -> Answer {
    let tail = query.get("tail").map(|text| text.parse::<usize>().unwrap());
    let skip = tail.map_or(0, |tail| log.len().saturating_sub(tail));
    let known = Query::from_iter(
        query
            .get_key_value("follow")
            .map(|(k, v)| (k.clone(), v.clone())),
    );
    control_plane(&log[skip..].to_vec(), &known)
}

pub struct Server(support::Server);

impl Server {
    /// `serve` receives the number of the request, from 0, and its query.
    pub async fn start(serve: impl Fn(usize, &Query) -> Answer + Send + Sync + 'static) -> Self {
        let number = AtomicUsize::new(0);
        let step = Step::answer(move |request| {
            let answer = serve(number.fetch_add(1, Ordering::Relaxed), &query_of(request));
            // Chunks split multi-byte characters.
            let pieces = answer.body.chunks(7.max(answer.body.len() / 64));
            let mut bytes = chunks(&answer.head, &[], pieces);
            if answer.end == End::Whole {
                bytes.extend_from_slice(LAST_CHUNK);
            }
            let mut steps = vec![Step::Wait(answer.after), Step::Send(bytes)];
            steps.extend((answer.end == End::Silence).then_some(Step::Silence));
            steps
        });
        Self(support::Server::start(Script::always(vec![step])).await)
    }

    pub fn queries(&self) -> Vec<Query> {
        let requests = self.0.requests();
        requests.iter().map(|request| query_of(request)).collect()
    }

    pub fn service(&self) -> ServiceHandle {
        self.service_with(Retry::default())
    }

    pub fn service_with(&self, retry: Retry) -> ServiceHandle {
        self.client_with(retry).service("web")
    }

    pub fn client(&self) -> Client {
        self.client_with(Retry::default())
    }

    fn client_with(&self, retry: Retry) -> Client {
        let builder = Client::builder().base_url(&self.0.base_url).token("t");
        let client = builder.pacing(Pacing::off()).retry(retry).build();
        client.unwrap()
    }
}

fn query_of(request: &str) -> Query {
    let target = request.split(' ').nth(1).unwrap();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// Reads up to `count` items: messages, `! ` and the kind of an error, or `end`.
pub async fn read(stream: &mut LogStream, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match stream.next().await {
            Some(Ok(line)) => seen.push(line.message),
            Some(Err(error)) => seen.push(format!("! {:?}", error.kind())),
            None => {
                seen.push("end".to_owned());
                break;
            }
        }
    }
    seen
}

/// Asserts that the stream yields nothing for 100 s.
pub async fn assert_quiet(stream: &mut LogStream) {
    let more = tokio::time::timeout(Duration::from_secs(100), stream.next()).await;
    assert!(more.is_err(), "{more:?}");
}

pub fn messages(log: &Log) -> Vec<String> {
    log.iter().map(|(_, message)| message.clone()).collect()
}
