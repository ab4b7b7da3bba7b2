//! A scripted stub server that records its requests.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A function that returns further steps for a request.
#[derive(Clone)]
pub struct StepFn(Arc<StepFnBody>);

type StepFnBody = dyn Fn(&str) -> Vec<Step> + Send + Sync;

impl fmt::Debug for StepFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StepFn(..)")
    }
}

/// One step of a connection. The connection is closed after the last step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Waits for the first byte of a request without reading it.
    AwaitBytes,
    /// Reads the head of a request, but not its body.
    ReadHead,
    /// Reads the head of a request and at least this many bytes of its body.
    ReadSome(usize),
    /// Reads a whole request.
    ReadAll,
    Send(Vec<u8>),
    /// Sends up to this many bytes, until the client stops reading.
    Flood(usize),
    /// Sends one byte at a time, with a pause before each.
    SendSlowly(Vec<u8>, Duration),
    Wait(Duration),
    /// Sends nothing until the client closes the connection.
    Silence,
    /// Resets the connection.
    Reset,
    /// Reads a whole request, then runs the steps that the function returns for it.
    Answer(StepFn),
    /// Forwards the request to another server. Sends its reply to the client unless `lose_reply` is set.
    Forward {
        to: String,
        lose_reply: bool,
    },
}

impl Step {
    /// Reads a whole request, then runs the steps that `make` returns for it.
    pub fn answer(make: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::Answer(StepFn(Arc::new(make)))
    }
}

/// The steps of each connection, in order. The last entry applies to all later connections.
#[derive(Clone, Debug, Default)]
pub struct Script(Vec<Vec<Step>>);

impl Script {
    /// Runs these steps on every connection, or only on the first if `then` follows.
    pub fn always(steps: Vec<Step>) -> Self {
        Self(vec![steps])
    }

    /// Reads each request, sends these bytes and closes the connection.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::always(vec![Step::ReadAll, Step::Send(bytes.into())])
    }

    /// Reads each request and sends nothing.
    pub fn silence() -> Self {
        Self::always(vec![Step::ReadAll, Step::Silence])
    }

    /// Runs these steps on the next connection, and on all later ones.
    pub fn then(mut self, steps: Vec<Step>) -> Self {
        self.0.push(steps);
        self
    }

    fn steps_of(&self, connection: usize) -> Vec<Step> {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get(connection.min(last))
            .cloned()
            .unwrap_or_default()
    }
}

/// A request, as far as it was read, and the outcome of its reply.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// The bytes of the request that were read.
    pub bytes: Vec<u8>,
    pub head_read: bool,
    pub body_read: bool,
    /// The status of the reply, if one was sent.
    pub status: Option<u16>,
    /// Bytes of the reply that were sent.
    pub sent: usize,
    /// Whether the server showed by HTTP/2 that it has not processed the request.
    pub refused: bool,
}

impl Exchange {
    /// The request as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether a real server may have applied the request: it read the head and did not reject it by a 4xx
    /// status or refuse it by HTTP/2. A 408 is no rejection.
    pub fn may_be_applied(&self) -> bool {
        let rejected = matches!(self.status, Some(400..=499)) && self.status != Some(408);
        self.head_read && !rejected && !self.refused
    }
}

/// The connections and requests of a server.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub connections: usize,
    /// One entry per request, and one per connection without a request.
    pub exchanges: Vec<Exchange>,
}

impl Log {
    /// Requests whose head was read.
    pub fn requests(&self) -> usize {
        self.exchanges
            .iter()
            .filter(|exchange| exchange.head_read)
            .count()
    }
}

/// The bytes of a reply.
pub fn reply(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = format!("content-length: {}", body.len());
    let mut bytes = head(status, &[headers, &[&length]].concat());
    bytes.extend_from_slice(body);
    bytes
}

/// The bytes of a chunked reply with these chunks, without the last chunk.
pub fn chunks<B: AsRef<[u8]>>(
    status: &str,
    headers: &[&str],
    chunks: impl IntoIterator<Item = B>,
) -> Vec<u8> {
    let mut bytes = head(status, &[headers, &["transfer-encoding: chunked"]].concat());
    for chunk in chunks {
        let chunk = chunk.as_ref();
        if chunk.is_empty() {
            continue; // An empty chunk would end the body.
        }
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The last chunk of a chunked reply.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The head of a reply with `connection: close`.
pub fn head(status: &str, headers: &[&str]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    format!("{text}connection: close\r\n\r\n").into_bytes()
}

/// A server on loopback. It stops on drop.
pub struct Server {
    pub base_url: String,
    pub log: Arc<Mutex<Log>>,
    pub task: Option<JoinHandle<()>>,
    /// Sockets that reserve the address while no server task runs.
    _held: Vec<Box<dyn Send>>,
}

impl Server {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Self::at(format!("http://{address}"));
        server.task = Some(tokio::spawn(serve(listener, script, server.log.clone())));
        server
    }

    /// A server that sends this reply to every request.
    pub async fn replies(status: &str, headers: &[&str], body: &str) -> Self {
        Self::start(Script::bytes(reply(status, headers, body))).await
    }

    /// A server that computes each reply from the request.
    pub async fn answers(make: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let step = Step::answer(move |request| vec![Step::Send(make(request))]);
        Self::start(Script::always(vec![step])).await
    }

    /// An address that refuses all connections.
    pub fn refuses() -> Self {
        let (socket, mut server) = Self::bound();
        server._held.push(Box::new(socket));
        server
    }

    /// An address that refuses connections for the first millisecond, then runs the script.
    pub fn refuses_at_first(script: Script) -> Self {
        let (socket, mut server) = Self::bound();
        let log = server.log.clone();
        server.task = Some(tokio::spawn(async move {
            // The paused clock advances only when the client waits, too.
            tokio::time::sleep(Duration::from_millis(1)).await;
            serve(socket.listen(16).unwrap(), script, log).await;
        }));
        server
    }

    /// An address that does not respond: its connection queue is full, so it drops further connections.
    pub async fn unresponsive() -> Self {
        let (socket, mut server) = Self::bound();
        let listener = socket.listen(0).unwrap();
        let first = TcpStream::connect(listener.local_addr().unwrap()).await;
        server._held.push(Box::new((listener, first.unwrap())));
        server
    }

    /// A socket with a reserved port, and a server with its address.
    fn bound() -> (TcpSocket, Self) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let server = Self::at(format!("http://{}", socket.local_addr().unwrap()));
        (socket, server)
    }

    /// An address whose host name does not resolve.
    pub fn unresolvable() -> Self {
        Self::at("http://unresolvable.invalid".to_owned())
    }

    /// The same server with an `https` URL. The server still uses plain HTTP.
    pub fn with_https_url(mut self) -> Self {
        self.base_url = self.base_url.replacen("http:", "https:", 1);
        self
    }

    /// Nothing listens there before `task` is set.
    pub fn at(base_url: String) -> Self {
        Self {
            base_url,
            log: Arc::default(),
            task: None,
            _held: Vec::new(),
        }
    }

    /// The requests that were read completely.
    pub fn requests(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        let whole = log.exchanges.iter().filter(|exchange| exchange.body_read);
        whole.map(Exchange::text).collect()
    }

    pub fn log(&self) -> Log {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn serve(listener: TcpListener, script: Script, log: Arc<Mutex<Log>>) {
    // Dropping the set ends all connections.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let number = {
            let mut log = log.lock().unwrap();
            log.connections += 1;
            log.connections - 1
        };
        let connection = Connection {
            stream,
            log: log.clone(),
            at: None,
        };
        connections.spawn(connection.run_all(script.steps_of(number)));
    }
}

struct Connection {
    stream: TcpStream,
    log: Arc<Mutex<Log>>,
    /// Index of the current exchange.
    at: Option<usize>,
}

impl Connection {
    /// Runs the steps in order, then closes the connection.
    async fn run_all(mut self, steps: Vec<Step>) {
        let mut steps = VecDeque::from(steps);
        while let Some(step) = steps.pop_front() {
            if let Step::Answer(StepFn(make)) = &step {
                if !self.run(Step::ReadAll).await {
                    return;
                }
                let request = self.exchange(|exchange| exchange.text());
                steps = VecDeque::from([make(&request), steps.into()].concat());
            } else if !self.run(step).await {
                return;
            }
        }
        let _ = self.stream.shutdown().await;
        // Closing with unread bytes would reset the connection.
        while matches!(self.stream.read(&mut [0; 4096]).await, Ok(1..)) {}
    }

    /// Runs a step. Returns whether the connection is still open.
    async fn run(&mut self, step: Step) -> bool {
        match step {
            Step::AwaitBytes => {
                self.exchange(|_| ());
                self.stream.readable().await.is_ok()
            }
            Step::ReadHead => self.read_until(|exchange| exchange.head_read).await,
            Step::ReadSome(bytes) => {
                self.read_until(|exchange| {
                    body_of(&exchange.bytes).is_some_and(|body| body.len() >= bytes)
                })
                .await
            }
            Step::ReadAll | Step::Answer(_) => self.read_until(|exchange| exchange.body_read).await,
            Step::Send(bytes) => self.send(&bytes).await,
            Step::Flood(bytes) => {
                for piece in vec![b'x'; bytes].chunks(64 << 10) {
                    if !self.send(piece).await {
                        return false;
                    }
                }
                true
            }
            Step::SendSlowly(bytes, pause) => {
                for byte in bytes {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = self.stream.readable() => return false,
                    }
                    if !self.send(&[byte]).await {
                        return false;
                    }
                }
                true
            }
            Step::Wait(time) => {
                tokio::time::sleep(time).await;
                true
            }
            Step::Silence => {
                while matches!(self.stream.read(&mut [0; 4096]).await, Ok(1..)) {}
                false
            }
            Step::Forward { to, lose_reply } => match self.forward(&to).await {
                Ok(reply) if !lose_reply => self.send(&reply).await,
                _ => false,
            },
            Step::Reset => {
                self.stream.set_zero_linger().unwrap();
                false
            }
        }
    }

    /// The reply of another server to the current request.
    async fn forward(&mut self, to: &str) -> std::io::Result<Vec<u8>> {
        let request = self.exchange(|exchange| exchange.text());
        // One request per connection, so that the end of the stream is the end of the reply.
        let request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        let mut server = TcpStream::connect(to.trim_start_matches("http://")).await?;
        server.write_all(request.as_bytes()).await?;
        let mut reply = Vec::new();
        server.read_to_end(&mut reply).await?;
        Ok(reply)
    }

    async fn send(&mut self, bytes: &[u8]) -> bool {
        let digits = bytes
            .strip_prefix(b"HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let status = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        self.exchange(|exchange| exchange.status = exchange.status.or(status));
        let is_sent = self.stream.write_all(bytes).await.is_ok();
        if is_sent {
            self.exchange(|exchange| exchange.sent += bytes.len());
        }
        is_sent
    }

    /// Reads a request until `enough` holds. Returns whether the connection is still open.
    async fn read_until(&mut self, enough: impl Fn(&Exchange) -> bool) -> bool {
        // After a reply, a new request starts.
        if self.exchange(|exchange| exchange.status.is_some()) {
            self.at = None;
        }
        let mut buffer = vec![0; 64 << 10];
        while !self.exchange(|exchange| enough(exchange)) {
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return false,
                Ok(length) => self.exchange(|exchange| {
                    exchange.bytes.extend_from_slice(&buffer[..length]);
                    if let Some(body) = body_of(&exchange.bytes) {
                        exchange.head_read = true;
                        exchange.body_read = body.len() >= content_length(&exchange.bytes);
                    }
                }),
            }
        }
        true
    }

    /// Calls a function with the current exchange. Creates one if there is none.
    fn exchange<T>(&mut self, change: impl FnOnce(&mut Exchange) -> T) -> T {
        let mut log: MutexGuard<'_, Log> = self.log.lock().unwrap();
        let at = *self.at.get_or_insert_with(|| {
            log.exchanges.push(Exchange::default());
            log.exchanges.len() - 1
        });
        change(&mut log.exchanges[at])
    }
}

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Length of the head, without the empty line.
fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(HEAD_END.len())
        .position(|window| window == HEAD_END)
}

fn body_of(bytes: &[u8]) -> Option<&[u8]> {
    Some(&bytes[head_length(bytes)? + HEAD_END.len()..])
}

fn content_length(bytes: &[u8]) -> usize {
    let head = &bytes[..head_length(bytes).unwrap_or_default()];
    String::from_utf8_lossy(head)
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        })
        .unwrap_or_default()
}
