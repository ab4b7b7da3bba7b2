//! Stands between the client and Prism, passes every byte on, and notes what the heads of the
//! replies say: the client itself shows the headers of no failure, and of no part of a call.

use crate::Result;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The most of a head that is kept, in bytes. Prism's header alone has up to 8 KiB.
const LONGEST_HEAD: usize = 64 << 10;

/// The head of one reply.
#[derive(Debug)]
pub struct Head {
    pub status: u16,
    /// The value of `sl-violations`.
    pub violations: Option<String>,
}

/// A listener in front of one server.
pub struct Tap {
    pub base_url: String,
    heads: Arc<Mutex<Vec<Head>>>,
}

impl Tap {
    /// Listens on a free port in front of this `host:port`.
    pub async fn start(upstream: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let heads = Arc::<Mutex<Vec<Head>>>::default();
        let noted = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (upstream, noted) = (upstream.clone(), Arc::clone(&noted));
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(upstream).await {
                        pass(client, server, noted).await;
                    }
                });
            }
        });
        Ok(Self { base_url, heads })
    }

    /// The heads since the last look. That of a reply is here before the client has the reply.
    pub fn take(&self) -> Vec<Head> {
        std::mem::take(&mut *lock(&self.heads))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(client: TcpStream, server: TcpStream, noted: Arc<Mutex<Vec<Head>>>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let head = Arc::new(Mutex::new(Some(Vec::new())));
    let next = Arc::clone(&head);
    // What a client sends after a reply is the next request, and a head comes next: nobody pipelines.
    let up = copy(from_client, to_server, move |_| {
        let mut head = lock(&next);
        if head.is_none() {
            *head = Some(Vec::new());
        }
    });
    let down = copy(from_server, to_client, move |bytes| {
        let mut head = lock(&head);
        let Some(text) = head.as_mut() else { return };
        text.extend_from_slice(bytes);
        let whole = text.windows(4).any(|four| four == b"\r\n\r\n");
        if whole || text.len() > LONGEST_HEAD {
            lock(&noted).extend(read(text));
            *head = None;
        }
    });
    tokio::join!(up, down);
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut look: impl FnMut(&[u8]),
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer.get(..length).unwrap_or_default();
        look(bytes);
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

fn read(text: &[u8]) -> Option<Head> {
    let text = String::from_utf8_lossy(text);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let violations = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.eq_ignore_ascii_case("sl-violations")).then(|| value.trim().to_owned())
    });
    Some(Head { status, violations })
}
