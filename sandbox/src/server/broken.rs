//! Replies that go wrong on the socket, which no HTTP library would write.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::shared::Shared;
use crate::model::Reply;

/// What becomes of a connection in place of a whole reply.
#[derive(Debug)]
pub(super) enum Broken {
    /// It is reset.
    Reset,
    /// It ends without a word.
    Closed,
    /// It ends within the body.
    Truncated { reply: Reply, bytes: usize },
    /// The body comes in pieces, then it ends.
    Dribbled {
        reply: Reply,
        interval: Duration,
        piece: usize,
    },
}

impl Broken {
    /// The client may be gone at any time, which is its own affair.
    pub(super) async fn carry_out(self, mut stream: TcpStream, shared: &Shared) {
        match self {
            // To close without waiting for what is unsent is what makes a reset of it.
            Broken::Reset => {
                let _ = stream.set_zero_linger();
            }
            Broken::Closed => {}
            Broken::Truncated { reply, bytes } => {
                let promised = reply.body.len().max(bytes.saturating_add(1));
                let mut sent = head(&reply, promised);
                sent.extend(reply.body.into_iter().take(bytes));
                let _ = stream.write_all(&sent).await;
                let _ = stream.shutdown().await;
            }
            Broken::Dribbled {
                reply,
                interval,
                piece,
            } => {
                let begun = shared.lock().clock.now();
                let mut due = begun;
                let head = head(&reply, reply.body.len());
                if stream.write_all(&head).await.is_err() {
                    return;
                }
                for piece in reply.body.chunks(piece.max(1)) {
                    due = due.saturating_add(interval);
                    shared.until(due).await;
                    if stream.write_all(piece).await.is_err() {
                        return;
                    }
                }
                let _ = stream.shutdown().await;
            }
        }
    }
}

fn head(reply: &Reply, length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {}\r\n", reply.status).into_bytes();
    for (name, value) in &reply.headers {
        let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
        head.extend([name, b": ", value, b"\r\n"].concat());
    }
    let end = format!("content-length: {length}\r\nconnection: close\r\n\r\n");
    head.extend(end.into_bytes());
    head
}
