//! Faulty replies, written to the socket without an HTTP library.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::shared_state::SharedState;
use crate::faults::Delivery;
use crate::reply::Reply;

/// A reply and the fault that changes its delivery.
#[derive(Debug)]
pub(super) struct FaultyReply {
    pub(super) reply: Reply,
    pub(super) delivery: Delivery,
}

impl FaultyReply {
    /// Writes the faulty reply. Ignores errors: the client may hang up at any time.
    pub(super) async fn send(self, mut stream: TcpStream, shared: &SharedState) {
        let Self { reply, delivery } = self;
        match delivery {
            Delivery::Complete | Delivery::Silent | Delivery::NoReply => {}
            // Closing with zero linger resets the connection.
            Delivery::Reset => {
                let _ = stream.set_zero_linger();
            }
            Delivery::Truncated(bytes) => {
                let content_length = reply.body.len().max(bytes.saturating_add(1));
                let mut sent = head(&reply, content_length);
                sent.extend(reply.body.into_iter().take(bytes));
                let _ = stream.write_all(&sent).await;
                let _ = stream.shutdown().await;
            }
            Delivery::Dribbled { interval, piece } => {
                let mut due = shared.lock().clock.now();
                let head = head(&reply, reply.body.len());
                if stream.write_all(&head).await.is_err() {
                    return;
                }
                for piece in reply.body.chunks(piece.max(1)) {
                    due = due.saturating_add(interval);
                    shared.sleep_until(due).await;
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
