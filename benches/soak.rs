//! Sends many calls to a server that fails one request in five.
//!
//! ```text
//! cargo bench --bench soak                # 200,000 calls after 100,000 for warm-up
//! cargo bench --bench soak -- 5000 10000  # 5,000 calls after 10,000
//! ```
//!
//! Of ten calls, nine are lists and one is a create. Some are dropped before they complete. The server
//! counts the requests and the creates of each call. The benchmark fails when a call reports
//! another number of attempts, when a create is processed twice or its effect is reported wrongly,
//! when tasks or open files leak, or when the resident set grows by more than 5 % between the first
//! and the last tenth of the calls (Linux only). During the warm-up, the connection pools and the
//! allocator's arenas reach their full size.

use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::{Call, ClientBuilder, Effect, Platform, Retry, nodion, pacing::Pacing};
use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const CONCURRENCY: usize = 64;
const CREATE_EVERY: usize = 10;
const DROP_EVERY: usize = 37;
/// A dropped call is polled 1 to 8 times first, so that drops happen at every stage.
const MAX_POLLS: usize = 8;
const MAX_ATTEMPTS: u8 = 3;
const FAIL_EVERY: usize = 5;
/// Number of calls per memory sample.
const SAMPLE_EVERY: usize = 50;
const MAX_GROWTH: f64 = 0.05;

/// Outcome of a call for its caller.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Dropped,
    Success,
    Failed(Effect),
}

/// One call: the outcome that the client reported, and the counters of the server.
#[derive(Clone, Debug, Default)]
struct Record {
    /// Ending and attempts, as reported by the client.
    outcome: Option<(Ending, u8)>,
    /// Requests that the server received.
    requests: u8,
    /// Creates that the server processed.
    creates: u8,
}

type Records = Arc<Mutex<Vec<Record>>>;

fn lock(records: &Records) -> MutexGuard<'_, Vec<Record>> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Record {
    /// Whether the client's outcome agrees with the server's counters.
    fn agrees(&self, is_create: bool) -> bool {
        let Some((ending, attempts)) = self.outcome else {
            return false;
        };
        let (requests, creates) = (self.requests, self.creates);
        let requests_agree = match ending {
            Ending::Dropped => requests <= MAX_ATTEMPTS,
            _ => requests == attempts,
        };
        let creates_agree = match ending {
            _ if !is_create => creates == 0,
            Ending::Success | Ending::Failed(Effect::Applied) => creates == 1,
            Ending::Failed(Effect::None) => creates == 0,
            _ => creates <= 1,
        };
        requests_agree && creates_agree
    }
}

struct Run {
    nodion: nodion::Client,
    edgegap: edgegap::Client,
    next: AtomicUsize,
    records: Records,
    calls: usize,
    samples: Mutex<Vec<(usize, f64)>>,
}

fn is_create(call: usize) -> bool {
    call.is_multiple_of(CREATE_EVERY)
}

impl Run {
    fn new(base_url: &str, records: Records, calls: usize) -> Result<Self> {
        Ok(Self {
            nodion: configure(nodion::Client::builder(), base_url).build()?,
            edgegap: configure(edgegap::Client::builder(), base_url).build()?,
            next: AtomicUsize::new(0),
            samples: Mutex::new(Vec::with_capacity(calls / SAMPLE_EVERY + 1)),
            records,
            calls,
        })
    }

    /// Makes calls until every record has an outcome.
    async fn work(self: Arc<Self>) {
        let application = self.nodion.application("a-1");
        loop {
            let call = self.next.fetch_add(1, Relaxed);
            if call >= self.calls {
                return;
            }
            let (ending, attempts) = if is_create(call) {
                let new = NewDeployment::new("app", "1", User::ip([192, 0, 2, 1].into()));
                send(self.edgegap.deploy(new), call).await
            } else {
                send(application.deployments().list(), call).await
            };
            let attempts = u8::try_from(attempts).unwrap_or(u8::MAX);
            lock(&self.records)[call].outcome = Some((ending, attempts));
            if call.is_multiple_of(SAMPLE_EVERY)
                && let (Some(resident), Ok(mut samples)) = (resident_mib(), self.samples.lock())
            {
                samples.push((call, resident));
            }
        }
    }

    /// Mean resident set in MiB while these calls ended.
    fn resident(&self, calls: std::ops::Range<usize>) -> Option<f64> {
        let samples = self.samples.lock().ok()?;
        let within = samples.iter().filter(|(call, _)| calls.contains(call));
        let values: Vec<f64> = within.map(|(_, resident)| *resident).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

fn configure<P: Platform>(builder: ClientBuilder<P>, base_url: &str) -> ClientBuilder<P> {
    // The default number of retries with a shorter backoff.
    let retry = Retry::default()
        .max_retries(u32::from(MAX_ATTEMPTS) - 1)
        .initial_backoff(Duration::from_millis(2))
        .max_backoff(Duration::from_millis(8));
    let builder = builder.base_url(base_url).token("secret");
    builder.pacing(Pacing::off()).retry(retry)
}

/// Sends the call, or polls it a few times and drops it. Returns how it ended, and its attempts.
async fn send<T: Send + 'static>(call: Call<T>, number: usize) -> (Ending, u32) {
    let dropped_after = async {
        if !number.is_multiple_of(DROP_EVERY) {
            std::future::pending::<()>().await;
        }
        for _ in 0..number / DROP_EVERY % MAX_POLLS {
            tokio::task::yield_now().await;
        }
    };
    let call = call.query("call", &number.to_string()).with_response();
    tokio::select! {
        biased;
        result = call.into_future() => match result {
            Ok(response) => (Ending::Success, response.attempts),
            Err(error) => (Ending::Failed(error.effect()), error.attempts()),
        },
        () = dropped_after => (Ending::Dropped, 0),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let calls = numbers.next().unwrap_or(200_000);
    let warm_up = numbers.next().unwrap_or(100_000);
    let all = warm_up + calls;

    let records = Arc::new(Mutex::new(vec![Record::default(); all]));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(accept(listener, records.clone()));
    let before = (Handle::current().metrics().num_alive_tasks(), open_files());

    let started = Instant::now();
    let run = Arc::new(Run::new(&base_url, records.clone(), all)?);
    let mut workers = JoinSet::new();
    for _ in 0..CONCURRENCY {
        workers.spawn(run.clone().work());
    }
    workers.join_all().await;
    let rate = all as f64 / started.elapsed().as_secs_f64();
    let first = run.resident(warm_up..warm_up + calls / 10);
    let last = run.resident(all - calls / 10..all);
    drop(run);

    let mut failures = Vec::new();
    let after = settle(before).await;
    if after != before {
        failures.push(format!(
            "tasks and open files: {before:?} before, {after:?} after"
        ));
    }
    let (mut accounted, mut endings) = (0, BTreeMap::new());
    for (call, record) in lock(&records).iter().enumerate() {
        if record.agrees(is_create(call)) {
            accounted += 1;
        } else if failures.len() < 10 {
            failures.push(format!("call {call}: {record:?}"));
        }
        *endings.entry(format!("{:?}", record.outcome)).or_insert(0) += 1;
    }
    println!("{rate:.0} calls per second");
    for (outcome, count) in endings {
        println!("{count:>9}  {outcome}");
    }
    let memory = match (first, last) {
        (Some(first), Some(last)) => {
            if last - first > MAX_GROWTH * first {
                failures.push("memory grows".to_owned());
            }
            format!("memory {first:.1} MiB in the first tenth, {last:.1} MiB in the last")
        }
        _ => "memory not measured".to_owned(),
    };
    println!("soak: {accounted} of {all} calls accounted for, {memory}");
    server.abort();
    for failure in &failures {
        println!("FAILED {failure}");
    }
    if failures.is_empty() && accounted == all {
        Ok(())
    } else {
        Err("the soak failed".into())
    }
}

/// Waits up to 5 s until connections and their tasks have ended.
async fn settle(before: (usize, Option<usize>)) -> (usize, Option<usize>) {
    let started = Instant::now();
    loop {
        let now = (Handle::current().metrics().num_alive_tasks(), open_files());
        if now == before || started.elapsed() > Duration::from_secs(5) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Resident set; `None` without `/proc`.
fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Open files and sockets; `None` without `/proc`.
fn open_files() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

async fn accept(listener: TcpListener, records: Records) {
    let requests = Arc::new(AtomicUsize::new(0));
    while let Ok((stream, _)) = listener.accept().await {
        let (records, requests) = (records.clone(), requests.clone());
        // An I/O error ends only this connection.
        tokio::spawn(async move { drop(serve(stream, &records, &requests).await) });
    }
}

/// Responds to the requests of one connection. Faults rotate: 503, 500, reset, headers without a
/// body, half a body, 429, garbage.
async fn serve(mut stream: TcpStream, records: &Records, requests: &AtomicUsize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(2048);
    while let Some((call, create)) = read_request(&mut stream, &mut buffer).await? {
        let number = requests.fetch_add(1, Relaxed);
        let turn = number / FAIL_EVERY;
        let fault = (number % FAIL_EVERY == FAIL_EVERY - 1).then_some(turn % 7);
        // Rejections (503, 429) have no effect. Of the other faults, every second one has an effect.
        let is_processed = match fault {
            None => true,
            Some(0 | 5) => false,
            Some(_) => (turn / 7).is_multiple_of(2),
        };
        if let Some(record) = lock(records).get_mut(call) {
            record.requests += 1;
            record.creates += u8::from(create && is_processed);
        }
        let (status, body) = if create {
            ("202 Accepted", r#"{"request_id":"r-1"}"#)
        } else {
            ("200 OK", r#"{"deployments":[]}"#)
        };
        let response = match fault {
            None => response(status, body.len(), body),
            Some(0) => response("503 Service Unavailable", 2, "{}"),
            Some(1) => response("500 Internal Server Error", 2, "{}"),
            Some(2) => return stream.set_zero_linger(),
            Some(3) => return stream.write_all(&response(status, 4096, "")).await,
            Some(4) => return stream.write_all(&response(status, 4096, &body[..9])).await,
            Some(5) => response("429 Too Many Requests\r\nretry-after: 0", 2, "{}"),
            Some(_) => return stream.write_all(&[167; 96]).await,
        };
        stream.write_all(&response).await?;
    }
    Ok(())
}

fn response(status: &str, length: usize, body: &str) -> Vec<u8> {
    let head = "content-type: application/json\r\ncontent-length:";
    format!("HTTP/1.1 {status}\r\n{head} {length}\r\n\r\n{body}").into_bytes()
}

/// Reads one request: the number of its call, and whether it is a create. `None` at end of stream.
async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<(usize, bool)>> {
    buffer.clear();
    loop {
        let text = String::from_utf8_lossy(buffer).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= number_after(head, "\r\ncontent-length: ").unwrap_or(0)
        {
            let call = number_after(head, "?call=");
            let call = call.ok_or_else(|| io::Error::other("a request without a call number"))?;
            return Ok(Some((call, head.starts_with("post "))));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn number_after(text: &str, marker: &str) -> Option<usize> {
    let (_, rest) = text.split_once(marker)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}
