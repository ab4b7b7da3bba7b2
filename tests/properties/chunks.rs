//! Lines of logs that are cut anywhere, as a server really sends them.

use super::checks::logs;
use super::generated::{holds, line};
use deploykit::Pacing;
use deploykit::dployr::Client;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Chunks = Arc<Mutex<Vec<Vec<u8>>>>;

/// Answers each connection with these chunks.
async fn serve(listener: TcpListener, chunks: Chunks) {
    while let Ok((stream, _)) = listener.accept().await {
        let chunks = chunks.lock().unwrap().clone();
        let _ = answer(stream, chunks).await;
    }
}

async fn answer(mut stream: TcpStream, chunks: Vec<Vec<u8>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let mut reply =
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        reply.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        reply.extend_from_slice(chunk);
        reply.extend_from_slice(b"\r\n");
    }
    reply.extend_from_slice(b"0\r\n\r\n");
    stream.write_all(&reply).await?;
    stream.shutdown().await
}

#[test]
fn logs_cut_anywhere() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let chunks = Chunks::default();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(serve(listener, chunks.clone()));
    let builder = Client::builder()
        .base_url(base_url)
        .token("t")
        .pacing(Pacing::off());
    let service = builder.build().unwrap().service("s");
    holds(
        60,
        (vec(line(), 0..6), vec(any::<usize>(), 0..8)),
        |(lines, cuts)| {
            let text = lines.join("\n").into_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|ends| text[ends[0]..ends[1]].to_vec());
            *chunks.lock().unwrap() = pieces.collect();
            runtime.block_on(async {
                let stream = service.follow_logs().await.unwrap();
                logs::follows(&text, stream.without_reconnecting()).await;
            });
        },
    );
}
