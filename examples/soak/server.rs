//! The server: keeps connections alive, fails one request in five, and counts.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request in so many fails.
const FAIL_EVERY: usize = 5;

/// How requests fail, in turn.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Unavailable,
    Failed,
    Reset,
    ClosedAfterHeaders,
    TruncatedBody,
    Limited,
    Garbage,
}

const FAULTS: [Fault; 7] = [
    Fault::Unavailable,
    Fault::Failed,
    Fault::Reset,
    Fault::ClosedAfterHeaders,
    Fault::TruncatedBody,
    Fault::Limited,
    Fault::Garbage,
];

pub struct Server {
    pub base_url: String,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
    faults: [AtomicUsize; FAULTS.len()],
    carried_out: AtomicUsize,
    /// Per call: how many requests came, and how many of them were carried out.
    per_call: Vec<(AtomicU8, AtomicU8)>,
}

/// So many counters, in memory that is resident from the start: pages of plain zeros would come into
/// being one by one, as calls are counted, and look like a leak.
pub fn zeros(count: usize) -> Vec<AtomicU8> {
    (0..count)
        .map(|_| AtomicU8::new(std::hint::black_box(0)))
        .collect()
}

impl Server {
    pub async fn start(calls: usize) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let counts = Arc::new(Counts {
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            faults: Default::default(),
            carried_out: AtomicUsize::new(0),
            per_call: zeros(calls).into_iter().zip(zeros(calls)).collect(),
        });
        let shared = counts.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Relaxed);
                let counts = shared.clone();
                // A caller that hangs up ends its connection and nothing else.
                tokio::spawn(async move { drop(serve(stream, &counts).await) });
            }
        });
        Ok(Self {
            base_url,
            counts,
            task,
        })
    }

    /// How many requests came for this call, and how often it was carried out.
    pub fn saw(&self, call: usize) -> (u8, u8) {
        let (requests, carried_out) = &self.counts.per_call[call];
        (requests.load(Relaxed), carried_out.load(Relaxed))
    }

    pub fn requests(&self) -> usize {
        self.counts.requests.load(Relaxed)
    }

    /// How many creates were carried out.
    pub fn carried_out(&self) -> usize {
        self.counts.carried_out.load(Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let connections = counts.connections.load(Relaxed);
        writeln!(f, "{:>9}  requests", self.requests())?;
        write!(f, "{connections:>9}  connections")?;
        for (fault, count) in FAULTS.iter().zip(&counts.faults) {
            write!(f, "\n{:>9}  {fault:?}", count.load(Relaxed))?;
        }
        Ok(())
    }
}

/// Answers the requests of one connection, until it or the caller closes it.
async fn serve(mut stream: TcpStream, counts: &Counts) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(2048);
    while let Some(request) = read(&mut stream, &mut buffer).await? {
        let nth = counts.requests.fetch_add(1, Relaxed);
        let turn = nth / FAIL_EVERY;
        let fault = (nth % FAIL_EVERY == FAIL_EVERY - 1).then(|| {
            counts.faults[turn % FAULTS.len()].fetch_add(1, Relaxed);
            FAULTS[turn % FAULTS.len()]
        });
        // A refusal did nothing. Whether a server that fails or breaks off has done its work
        // is anybody's guess, so it is one or the other.
        let carries_out = match fault {
            None => true,
            Some(Fault::Limited | Fault::Unavailable) => false,
            Some(_) => (turn / FAULTS.len()).is_multiple_of(2),
        };
        let (requests, carried_out) = counts
            .per_call
            .get(request.call)
            .ok_or_else(|| io::Error::other("a request of no call"))?;
        requests.fetch_add(1, Relaxed);
        if request.is_create && carries_out {
            carried_out.fetch_add(1, Relaxed);
            counts.carried_out.fetch_add(1, Relaxed);
        }
        let (status, body) = if request.is_create {
            ("202 Accepted", r#"{"request_id":"r-1"}"#)
        } else {
            ("200 OK", r#"{"deployments":[]}"#)
        };
        let reply = match fault {
            None => whole(status, "", body),
            Some(Fault::Unavailable) => whole("503 Service Unavailable", "", "{}"),
            Some(Fault::Failed) => whole("500 Internal Server Error", "", "{}"),
            Some(Fault::Limited) => whole("429 Too Many Requests", "retry-after: 0\r\n", "{}"),
            Some(Fault::Reset) => {
                stream.set_zero_linger()?;
                return Ok(());
            }
            Some(Fault::ClosedAfterHeaders) => {
                return stream.write_all(&part(status, "")).await;
            }
            Some(Fault::TruncatedBody) => {
                return stream
                    .write_all(&part(status, &body[..body.len() / 2]))
                    .await;
            }
            Some(Fault::Garbage) => {
                let bytes: Vec<u8> = (0..96).map(|i: usize| (i * 167 + nth) as u8).collect();
                return stream.write_all(&bytes).await;
            }
        };
        stream.write_all(&reply).await?;
    }
    Ok(())
}

fn whole(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A reply that promises more than it holds.
fn part(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 4096\r\n\r\n{body}"
    )
    .into_bytes()
}

struct Request {
    call: usize,
    is_create: bool,
}

/// Reads one request whole; `None` when the caller is done.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    buffer.clear();
    loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = after(&head, "\r\ncontent-length: ").unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                return Ok(Some(Request {
                    call: after(&head, "?call=").ok_or_else(|| io::Error::other("no number"))?,
                    is_create: head.starts_with("post "),
                }));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// The number that follows these words.
fn after(text: &str, words: &str) -> Option<usize> {
    let (_, rest) = text.split_once(words)?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}
