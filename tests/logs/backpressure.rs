//! Backpressure: a slow reader slows down the server.

use crate::support::{Script, Server, Step, head};
use deploykit::dployr::{Client, LogOptions};
use deploykit::pacing::Pacing;

const MIB: usize = 1 << 20;
const ALL: usize = 48 * MIB;

/// The server counts the bytes that it sent. Unread bytes are in system buffers or in the client's memory.
#[tokio::test]
async fn the_socket_is_read_only_when_a_line_is_polled() {
    let filler = "x".repeat(4000);
    let lines: String = (0..MIB / 4096)
        .map(|number| format!("{{\"timestamp\":{number},\"message\":\"{filler}\"}}\n"))
        .collect();
    let mut steps = vec![Step::ReadAll, Step::Send(head("200 OK", &[]))];
    steps.extend(vec![Step::Send(lines.into_bytes()); ALL / MIB]);
    let server = Server::start(Script::always(steps)).await;
    let builder = Client::builder().base_url(&server.base_url).token("t");
    let client = builder.pacing(Pacing::off()).build().unwrap();
    let stream = client
        .service("web")
        .follow_logs(LogOptions::new())
        .await
        .unwrap();
    let mut stream = stream.without_reconnecting();
    let (mut read, mut ahead) = (0, 0);
    while let Some(line) = stream.next().await {
        read += line.unwrap().message.len() + 40;
        // Lets the server send as much as it can before the next line is polled.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        ahead = ahead.max(server.log().exchanges[0].sent.saturating_sub(read));
    }
    assert!(read >= ALL - 2 * MIB, "{read} bytes");
    // System buffers grow to 4 MiB and 6 MiB by default.
    assert!(ahead < 16 * MIB, "{ahead} bytes ahead of the reader");
    let cursor = serde_json::to_string(&stream.cursor()).unwrap();
    assert!(cursor.len() < 16 << 10, "{cursor}");
}
