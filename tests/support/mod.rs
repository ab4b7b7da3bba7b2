//! A server on loopback that answers with bytes a test chose, and keeps what it was sent.

#![allow(dead_code)] // Each test file uses its own part.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Makes the bytes of a reply from a request.
type Make = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// What the server does with each request, after reading it whole.
#[derive(Clone)]
pub enum Answer {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes and keeps the connection.
    Beginning(Vec<u8>),
    /// Says nothing and keeps the connection.
    Silence,
    /// Closes without a word.
    Close,
    /// Sends what this makes of the request, and closes.
    Made(Make),
}

/// The bytes of a reply.
pub fn reply(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}

pub struct Server {
    pub base_url: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), kept.clone()));
            }
        });
        Self {
            base_url,
            requests,
            task,
        }
    }

    /// A server that answers every request with this reply.
    pub async fn replies(status: &str, headers: &[&str], body: &str) -> Self {
        Self::start(Answer::Bytes(reply(status, headers, body))).await
    }

    /// A server that makes every reply from the request.
    pub async fn answers(make: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(Answer::Made(Arc::new(make))).await
    }

    /// The requests so far, as they came.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, requests: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&bytes) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    requests
        .lock()
        .unwrap()
        .push(String::from_utf8_lossy(&bytes).into_owned());
    let answer = match answer {
        Answer::Made(make) => Answer::Bytes(make(&String::from_utf8_lossy(&bytes))),
        other => other,
    };
    match answer {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Answer::Made(_) => {}
        Answer::Beginning(bytes) => {
            let _ = stream.write_all(&bytes).await;
            tokio::time::sleep(Duration::from_secs(86_400)).await;
        }
        Answer::Silence => tokio::time::sleep(Duration::from_secs(86_400)).await,
        Answer::Close => {}
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    body.len() >= length
}
