//! The scripted stub server: it does to a client what a script says, and keeps what it received.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Makes further steps from a whole request.
#[derive(Clone)]
pub struct Make(Arc<MakeSteps>);

type MakeSteps = dyn Fn(&str) -> Vec<Step> + Send + Sync;

impl fmt::Debug for Make {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Make(..)")
    }
}

/// What the server does with a connection, one step after the other. At the end it closes.
#[derive(Clone, Debug)]
pub enum Step {
    /// Waits until the request begins to come, and reads nothing of it.
    AwaitBytes,
    /// Reads the head of a request and nothing of its body.
    ReadHead,
    /// Reads until so many bytes of the body are there, and no further.
    ReadSome(usize),
    /// Reads a request to its end.
    ReadAll,
    Send(Vec<u8>),
    /// Sends the letter `x` so many times, as long as somebody takes them.
    Flood(usize),
    /// Sends byte after byte, with a pause before each.
    Dribble(Vec<u8>, Duration),
    Wait(Duration),
    /// Keeps the connection and says nothing until the client goes.
    Silence,
    /// Ends the connection with a reset.
    Reset,
    /// Reads a request to its end and goes on with the steps that it makes.
    Answer(Make),
    /// Sends the request that was read to the server at this base URL, and keeps its reply from the client if
    /// the reply is lost.
    Forward {
        to: String,
        lose_reply: bool,
    },
}

impl Step {
    /// Reads a request to its end and goes on with the steps that this makes of it.
    pub fn answer(make: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::Answer(Make(Arc::new(make)))
    }
}

/// What the server does with its first connection, its second and so on; the last one stands for
/// all that follow.
#[derive(Clone, Debug, Default)]
pub struct Script(Vec<Vec<Step>>);

impl Script {
    pub fn always(steps: Vec<Step>) -> Self {
        Self(vec![steps])
    }

    /// Reads each request, sends these bytes and closes.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::always(vec![Step::ReadAll, Step::Send(bytes.into())])
    }

    /// Reads each request and sends nothing.
    pub fn silence() -> Self {
        Self::always(vec![Step::ReadAll, Step::Silence])
    }

    pub fn then(mut self, steps: Vec<Step>) -> Self {
        self.0.push(steps);
        self
    }

    fn of(&self, connection: usize) -> Vec<Step> {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get(connection.min(last))
            .cloned()
            .unwrap_or_default()
    }
}

/// How far a request got, and what was answered.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The bytes of the request, as far as they were read.
    pub bytes: Vec<u8>,
    pub head_read: bool,
    pub body_read: bool,
    /// The status of the reply, once it was sent.
    pub status: Option<u16>,
    /// How many bytes of the reply the client took.
    pub sent: usize,
}

impl Seen {
    /// The request as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether a real server may have acted on it: it knew what was asked for, and did not say that
    /// it will not do it.
    pub fn may_have_acted(&self) -> bool {
        let refused = matches!(self.status, Some(400..=499)) && self.status != Some(408);
        self.head_read && !refused
    }
}

/// What a server saw so far.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub connections: usize,
    /// One for each request, and for each connection on which none came.
    pub exchanges: Vec<Seen>,
}

impl Log {
    /// How many requests arrived, at least their heads.
    pub fn requests(&self) -> usize {
        self.exchanges.iter().filter(|seen| seen.head_read).count()
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

/// The bytes of a chunked reply with these chunks, without its end.
pub fn chunks<B: AsRef<[u8]>>(
    status: &str,
    headers: &[&str],
    chunks: impl IntoIterator<Item = B>,
) -> Vec<u8> {
    let mut bytes = head(status, &[headers, &["transfer-encoding: chunked"]].concat());
    for chunk in chunks {
        let chunk = chunk.as_ref();
        if chunk.is_empty() {
            continue; // It would be the end.
        }
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The end of a chunked reply.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The head of a reply after which the connection closes.
pub fn head(status: &str, headers: &[&str]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    format!("{text}connection: close\r\n\r\n").into_bytes()
}

/// A server on loopback. It stops when it is dropped.
pub struct Server {
    pub base_url: String,
    log: Arc<Mutex<Log>>,
    task: Option<JoinHandle<()>>,
    /// What keeps the address, if nobody listens there.
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

    /// A server that makes every reply from the request.
    pub async fn answers(make: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let step = Step::answer(move |request| vec![Step::Send(make(request))]);
        Self::start(Script::always(vec![step])).await
    }

    /// An address that is taken and at which nobody listens: connections are refused.
    pub fn refuses() -> Self {
        let (socket, mut server) = Self::bound();
        server._held.push(Box::new(socket));
        server
    }

    /// An address that refuses connections at first, and serves the script from then on: what is
    /// sent at once is refused, what is sent any later is not.
    pub fn refuses_at_first(script: Script) -> Self {
        let (socket, mut server) = Self::bound();
        let log = server.log.clone();
        server.task = Some(tokio::spawn(async move {
            // The clock stands still until the client waits too.
            tokio::time::sleep(Duration::from_millis(1)).await;
            serve(socket.listen(16).unwrap(), script, log).await;
        }));
        server
    }

    /// A host that does not answer: its queue of connections is full, so it drops what asks for one.
    pub async fn deaf() -> Self {
        let (socket, mut server) = Self::bound();
        let listener = socket.listen(0).unwrap();
        let first = TcpStream::connect(listener.local_addr().unwrap()).await;
        server._held.push(Box::new((listener, first.unwrap())));
        server
    }

    fn bound() -> (TcpSocket, Self) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let server = Self::at(format!("http://{}", socket.local_addr().unwrap()));
        (socket, server)
    }

    /// No server at all, at an address that no name leads to.
    pub fn nowhere() -> Self {
        Self::at("http://nowhere.invalid".to_owned())
    }

    /// The same server, at a URL that promises TLS.
    pub fn by_tls(mut self) -> Self {
        self.base_url = self.base_url.replacen("http:", "https:", 1);
        self
    }

    fn at(base_url: String) -> Self {
        Self {
            base_url,
            log: Arc::default(),
            task: None,
            _held: Vec::new(),
        }
    }

    /// The requests that were read to their end.
    pub fn requests(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        let whole = log.exchanges.iter().filter(|seen| seen.body_read);
        whole.map(Seen::text).collect()
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
    // Ends its connections with itself.
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
        connections.spawn(connection.follow(script.of(number)));
    }
}

struct Connection {
    stream: TcpStream,
    log: Arc<Mutex<Log>>,
    /// Which exchange it is at.
    at: Option<usize>,
}

impl Connection {
    async fn follow(mut self, steps: Vec<Step>) {
        let mut steps = VecDeque::from(steps);
        while let Some(step) = steps.pop_front() {
            if let Step::Answer(Make(make)) = &step {
                if !self.take(Step::ReadAll).await {
                    return;
                }
                let request = self.seen(|seen| seen.text());
                steps = VecDeque::from([make(&request), steps.into()].concat());
            } else if !self.take(step).await {
                return;
            }
        }
        let _ = self.stream.shutdown().await;
        // A close with bytes unread would be a reset.
        while matches!(self.stream.read(&mut [0; 4096]).await, Ok(1..)) {}
    }

    /// Whether the connection is still there.
    async fn take(&mut self, step: Step) -> bool {
        match step {
            Step::AwaitBytes => {
                self.seen(|_| ());
                self.stream.readable().await.is_ok()
            }
            Step::ReadHead => self.read_until(|seen| seen.head_read).await,
            Step::ReadSome(bytes) => {
                self.read_until(|seen| body_of(&seen.bytes).is_some_and(|body| body.len() >= bytes))
                    .await
            }
            Step::ReadAll | Step::Answer(_) => self.read_until(|seen| seen.body_read).await,
            Step::Send(bytes) => self.send(&bytes).await,
            Step::Flood(bytes) => {
                for piece in vec![b'x'; bytes].chunks(64 << 10) {
                    if !self.send(piece).await {
                        return false;
                    }
                }
                true
            }
            Step::Dribble(bytes, pause) => {
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

    async fn forward(&mut self, to: &str) -> std::io::Result<Vec<u8>> {
        let request = self.seen(|seen| seen.text());
        // One request a connection, so that the end of the reply is the end of the stream.
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
        self.seen(|seen| seen.status = seen.status.or(status));
        let taken = self.stream.write_all(bytes).await.is_ok();
        if taken {
            self.seen(|seen| seen.sent += bytes.len());
        }
        taken
    }

    async fn read_until(&mut self, enough: impl Fn(&Seen) -> bool) -> bool {
        // A second request on the same connection.
        if self.seen(|seen| seen.status.is_some()) {
            self.at = None;
        }
        let mut buffer = vec![0; 64 << 10];
        while !self.seen(|seen| enough(seen)) {
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return false,
                Ok(length) => self.seen(|seen| {
                    seen.bytes.extend_from_slice(&buffer[..length]);
                    if let Some(body) = body_of(&seen.bytes) {
                        seen.head_read = true;
                        seen.body_read = body.len() >= length_of(&seen.bytes);
                    }
                }),
            }
        }
        true
    }

    fn seen<T>(&mut self, look: impl FnOnce(&mut Seen) -> T) -> T {
        let mut log: MutexGuard<'_, Log> = self.log.lock().unwrap();
        let at = *self.at.get_or_insert_with(|| {
            log.exchanges.push(Seen::default());
            log.exchanges.len() - 1
        });
        look(&mut log.exchanges[at])
    }
}

const HEAD_END: &[u8] = b"\r\n\r\n";

fn head_of(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(HEAD_END.len())
        .position(|window| window == HEAD_END)
}

fn body_of(bytes: &[u8]) -> Option<&[u8]> {
    Some(&bytes[head_of(bytes)? + HEAD_END.len()..])
}

fn length_of(bytes: &[u8]) -> usize {
    let head = &bytes[..head_of(bytes).unwrap_or_default()];
    String::from_utf8_lossy(head)
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        })
        .unwrap_or_default()
}
