//! Reads about 1 GiB of log lines over loopback with a reader that is slower than the server.
//!
//! `cargo bench --bench log_backpressure` fails when a line is lost or when the resident set grows by
//! more than 16 MiB. With `--profile dev`, it takes a minute.

use deploykit::dployr::{Client, LogOptions};
use deploykit::pacing::Pacing;
use std::error::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const LINES: u64 = 1_100_000;
const MAX_GROWTH_MIB: u64 = 16;
/// Number of lines at the start that the reader reads slowly.
const SLOW_LINES: u64 = 50_000;
/// Number of lines after which the buffers have reached their full size.
const WARM_LINES: u64 = 1_000;

/// Resident set in KiB; 0 without `/proc`.
fn resident_kib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4
}

/// Sends [`LINES`] lines to one client.
async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n";
    stream.write_all(head).await?;
    let filler = "x".repeat(900);
    for number in 0..LINES {
        let at = 1_795_487_020_000 + number / 7;
        let line = format!(
            "{{\"timestamp\":{at},\"level\":\"info\",\"message\":\"{number} {filler}\"}}\n"
        );
        stream.write_all(line.as_bytes()).await?;
    }
    stream.shutdown().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(serve(listener));
    let builder = Client::builder()
        .base_url(format!("http://{address}"))
        .token("t");
    let client = builder.pacing(Pacing::off()).build()?;
    let stream = client.service("web").follow_logs(LogOptions::new()).await?;
    let mut stream = stream.without_reconnecting();
    let (mut lines, mut before, mut most) = (0_u64, 0, 0);
    while let Some(line) = stream.next().await {
        let line = line?;
        if !line.message.starts_with(&format!("{lines} ")) {
            return Err(format!("line {lines} is missing").into());
        }
        lines += 1;
        if lines < SLOW_LINES {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        if lines == WARM_LINES {
            before = resident_kib();
        }
        if lines > WARM_LINES && lines.is_multiple_of(1_000) {
            most = most.max(resident_kib());
        }
    }
    server.await??;
    let grown = most.saturating_sub(before) / 1024;
    println!("read {lines} lines, memory grew by {grown} MiB");
    if lines != LINES || grown > MAX_GROWTH_MIB {
        return Err(format!("expected {LINES} lines and at most {MAX_GROWTH_MIB} MiB").into());
    }
    Ok(())
}
