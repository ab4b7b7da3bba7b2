//! Limits and faults on the server's sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::common::server;
use deploykit_sandbox::{Fault, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn address(base_url: &str) -> &str {
    base_url.strip_prefix("http://").unwrap()
}

fn open(base_url: &str) -> TcpStream {
    let stream = TcpStream::connect(address(base_url)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

const GET: &[u8] = b"GET /v1/regions HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_fault_sends_tcp_rst() {
    let fault = Fault::on("list_regions").reset();
    let sandbox = server::start(Sandbox::builder().fault(fault)).await;
    let mut stream = open(&sandbox.nodion().base_url);
    stream.write_all(GET).unwrap();
    let error = stream.read(&mut [0; 64]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_body_ends_without_a_reset() {
    let fault = Fault::on("list_regions").truncate(4);
    let sandbox = server::start(Sandbox::builder().fault(fault)).await;
    let mut stream = open(&sandbox.nodion().base_url);
    stream.write_all(GET).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    assert!(
        length.parse::<usize>().unwrap() > 4 && body.len() == 4,
        "{reply}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_connection_closes_with_the_server() {
    let fault = Fault::on("list_regions").hang();
    let sandbox = server::start(Sandbox::builder().fault(fault)).await;
    let mut stream = open(&sandbox.nodion().base_url);
    stream.write_all(GET).unwrap();
    sandbox
        .wait_for_request(|_| true, Duration::from_secs(10))
        .await
        .unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let waiting = stream.read(&mut [0; 64]).unwrap_err().kind();
    assert!(
        matches!(waiting, ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{waiting}"
    );
    drop(sandbox);
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert_eq!(stream.read(&mut [0; 64]).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_a_delayed_reply_closes_with_the_server() {
    let delay = Fault::on("list_regions").delay(Duration::from_secs(60));
    let builder = Sandbox::builder().manual_clock().fault(delay);
    let sandbox = server::start(builder).await;
    let mut stream = open(&sandbox.nodion().base_url);
    stream.write_all(GET).unwrap();
    sandbox
        .wait_for_request(|_| true, Duration::from_secs(10))
        .await
        .unwrap();
    drop(sandbox);
    assert_eq!(stream.read(&mut [0; 64]).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_request_heads_are_refused() {
    let sandbox = server::start(Sandbox::builder()).await;
    let mut stream = open(&sandbox.nodion().base_url);
    let long = format!(
        "GET /v1/regions HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "a".repeat(128 << 10)
    );
    let _ = stream.write_all(long.as_bytes());
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 431");
    let many: String = (0..200)
        .map(|number| format!("x-{number}: y\r\n"))
        .collect();
    let mut stream = open(&sandbox.nodion().base_url);
    stream
        .write_all(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes())
        .unwrap();
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 431");
    assert_eq!(sandbox.requests(), []);
}

// Advances tokio's clock instead of waiting for 30 seconds.
#[tokio::test]
async fn slow_requests_time_out_after_30_seconds() {
    let sandbox = server::start(Sandbox::builder()).await;
    let address = address(&sandbox.nodion().base_url).to_owned();
    let partial_head = b"GET /v1/regions HTTP/1.1\r\nhost:".as_slice();
    let partial_body =
        b"POST /v1/applications HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{".as_slice();
    for (sent, answer) in [
        (b"".as_slice(), ""),
        (partial_head, ""),
        (partial_body, "HTTP/1.1 408"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        // The server must receive the bytes before the time advances.
        tokio::time::sleep(Duration::from_millis(50)).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(31)).await;
        let mut reply = Vec::new();
        let end = stream.read_to_end(&mut reply).await;
        tokio::time::resume();
        assert!(end.is_ok(), "{end:?}");
        assert!(
            reply.starts_with(answer.as_bytes()) && (reply.is_empty() == answer.is_empty()),
            "{}",
            String::from_utf8_lossy(&reply)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_limit_wait() {
    let sandbox = server::start(Sandbox::builder()).await;
    let url = &sandbox.nodion().base_url;
    let answered = |stream: &mut TcpStream| {
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).map(|()| begin)
    };
    let mut connections = Vec::new();
    for _ in 0..512 {
        let mut stream = open(url);
        stream.write_all(GET).unwrap();
        assert_eq!(&answered(&mut stream).unwrap(), b"HTTP/1.1 401");
        connections.push(stream);
    }
    let mut waiting = open(url);
    waiting.write_all(GET).unwrap();
    waiting
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    answered(&mut waiting).unwrap_err();
    waiting
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    connections.pop();
    assert_eq!(&answered(&mut waiting).unwrap(), b"HTTP/1.1 401");
}
