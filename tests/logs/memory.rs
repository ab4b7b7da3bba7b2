//! A reader that is slow makes the server wait.

use deploykit::Pacing;
use deploykit::dployr::Client;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const MIB: u64 = 1 << 20;
const ALL: u64 = 64 * MIB;

/// The server counts what it could send: what is neither read nor refused stands in buffers of the
/// system, or in our memory.
#[tokio::test]
async fn what_is_not_asked_for_is_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let filler = "x".repeat(4000);
        for number in 0.. {
            let at = 1_795_487_020_000_u64 + number / 10;
            let line = format!("{{\"timestamp\":{at},\"message\":\"{number} {filler}\"}}\n");
            if stream.write_all(line.as_bytes()).await.is_err() {
                return;
            }
            if counter.fetch_add(line.len() as u64, Ordering::Relaxed) >= ALL {
                return;
            }
        }
    });
    let builder = Client::builder()
        .base_url(format!("http://{address}"))
        .token("t");
    let client = builder.pacing(Pacing::off()).build().unwrap();
    let stream = client.service("web").follow_logs().await.unwrap();
    let mut stream = stream.without_reconnecting();
    let (mut read, mut number, mut ahead) = (0, 0, 0);
    while let Some(line) = stream.next().await {
        let line = line.unwrap();
        assert!(line.message.starts_with(&format!("{number} x")));
        number += 1;
        read += line.message.len() as u64 + 40;
        // The server may do what it can before the next line is asked for.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        ahead = ahead.max(sent.load(Ordering::Relaxed).saturating_sub(read));
    }
    server.await.unwrap();
    assert!(read >= ALL - MIB, "{read} bytes");
    // Buffers of the system on both sides grow to 4 MiB and 6 MiB as it is set up by default.
    assert!(ahead < 16 * MIB, "{ahead} bytes ahead of the reader");
    let cursor = serde_json::to_string(&stream.cursor()).unwrap();
    assert!(cursor.len() < 1000, "{cursor}");
}
