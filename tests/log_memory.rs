//! Large responses are decoded in little memory, and large logs in small steps.

#[path = "support/mod.rs"]
mod support;

use deploykit::dployr::{self, LogOptions};
use deploykit::logs::LogStream;
use deploykit::pacing::Pacing;
use deploykit::{ErrorKind, Retry, nodion};
use std::alloc::{GlobalAlloc, Layout, System};
use std::future::{IntoFuture, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::runtime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

struct Counting;

static CURRENT: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn count(allocated: usize, freed: usize) {
    CURRENT.fetch_sub(freed, Ordering::Relaxed);
    let current = CURRENT.fetch_add(allocated, Ordering::Relaxed) + allocated;
    PEAK.fetch_max(current, Ordering::Relaxed);
}

// SAFETY: every method delegates to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The client decodes at most 256 items in one poll. A test counts polls, so the last batch may be short.
const MAX_ITEMS_PER_POLL: usize = 300;
const MIB: usize = 1 << 20;

/// Serves one body, which is allocated before the measurement.
async fn serve(body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(body).await;
                let _ = stream.read(&mut request).await;
            });
        }
    });
    format!("http://{address}")
}

/// The peak of allocated bytes above those at the start, and the number of polls.
async fn measured<T>(work: impl Future<Output = T>) -> (T, usize, usize) {
    let before = CURRENT.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let mut work = pin!(work);
    let mut polls = 0;
    let value = poll_fn(|context| {
        polls += 1;
        work.as_mut().poll(context)
    })
    .await;
    let peak = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    (value, peak, polls)
}

fn repeated(start: &str, item: &str, end: &str, length: usize) -> &'static [u8] {
    let count = length / (item.len() + 1);
    let items = vec![item; count].join(",");
    format!("{start}{items}{end}").into_bytes().leak()
}

/// Reads up to this many items of the first response.
async fn items(stream: &mut LogStream, count: usize) -> usize {
    for number in 0..count {
        if stream.next().await.is_none() || stream.reconnects() > 0 {
            return number;
        }
    }
    count
}

const LINE: &str = r#"{"timestamp":1795487019229,"source":"dployrd","level":"info","message":"GET /health 200 in 12 ms, 1532 bytes, from 198.51.100.7"}"#;
const NODION_LINE: &str = r#"{"ts":"2026-05-05T08:14:22.115Z","msg":"GET /health 200 in 12 ms, 1532 bytes, from 198.51.100.7","instance_id":"i"}"#;

fn dployr(url: &str) -> dployr::ServiceHandle {
    let builder = dployr::Client::builder().base_url(url).token("t");
    let builder = builder.pacing(Pacing::off()).retry(Retry::off());
    builder.build().unwrap().service("web")
}

fn nodion(url: &str) -> nodion::ApplicationHandle {
    let builder = nodion::Client::builder().base_url(url).token("t");
    let builder = builder.pacing(Pacing::off()).retry(Retry::off());
    builder.build().unwrap().application("a")
}

/// One test, because the counters are shared.
#[test]
fn memory_is_at_most_four_times_the_body_and_polls_are_short() {
    let check = |name: &str, peak: usize, length: usize| {
        let ratio = peak as f64 / length as f64;
        println!("{name}: {ratio:.2} times the body");
        assert!(ratio <= 4.0, "{name}: {peak} bytes for {length}");
    };
    let length = 4 * MIB;
    for (name, body) in [
        ("zeros", repeated("[", "0", "]", length)),
        ("one nested record", repeated("[[", "0", "]]", length)),
        ("lines", repeated("[", LINE, "]", length)),
        (
            "zeros in lines",
            repeated("[0]\n[", "0", "]\n{\"message\":\"a\"}", length),
        ),
    ] {
        runtime().block_on(async {
            let url = serve(body).await;
            let service = dployr(&url);
            let call = service.logs(LogOptions::new()).into_future();
            let (lines, peak, polls) = measured(call).await;
            check(&format!("dployr logs, {name}"), peak, body.len());
            match name {
                "lines" => assert!(polls >= lines.unwrap().len() / MAX_ITEMS_PER_POLL),
                _ => assert_eq!(lines.unwrap_err().kind(), ErrorKind::Decode),
            }
            // A page of a followed log, and a followed log.
            let position = r#"{"start":0,"last":null,"floor":0,"lines":[],"overflow":0}"#;
            let cursor = format!(r#"{{"version":1,"platform":"dployr","position":{position}}}"#);
            let cursor = serde_json::from_str(&cursor).unwrap();
            for (form, call) in [
                ("resumed", service.resume_logs(&cursor)),
                ("followed", service.follow_logs(LogOptions::new())),
            ] {
                let read = async { items(&mut call.await.unwrap(), 20_000).await };
                let (_, peak, _) = measured(read).await;
                check(&format!("dployr {form}, {name}"), peak, body.len());
            }
        });
    }
    let large = "{\"logs\":[";
    for (name, body) in [
        ("zeros", repeated(large, "0", "]}", length)),
        ("lines", repeated(large, NODION_LINE, "]}", length)),
        (
            "tiny lines",
            repeated(large, r#"{"ts":1,"msg":""}"#, "]}", length),
        ),
        (
            "no list",
            repeated("{\"logs\":{\"a\":[", "0", "]}}", length),
        ),
        ("no logs", repeated("{\"a\":[", "0", "]}", length)),
    ] {
        runtime().block_on(async {
            let url = serve(body).await;
            let application = nodion(&url);
            let call = application.logs(nodion::LogOptions::new()).into_future();
            let (lines, peak, polls) = measured(call).await;
            check(&format!("nodion logs, {name}"), peak, body.len());
            match lines {
                Ok(lines) => assert!(polls >= lines.len() / MAX_ITEMS_PER_POLL),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Decode),
            }
            let call = application.follow_logs(nodion::LogOptions::new());
            let read = async {
                if let Ok(mut stream) = call.await {
                    items(&mut stream, 2_000).await;
                }
            };
            let ((), peak, _) = measured(read).await;
            check(&format!("nodion followed, {name}"), peak, body.len());
        });
    }
    for (name, body) in [
        ("zeros", repeated("{\"deployments\":[", "0", "]}", length)),
        (
            "one nested record",
            repeated("{\"deployments\":[[", "0", "]]}", length),
        ),
        (
            "no list",
            repeated("{\"deployments\":{\"a\":[", "0", "]}}", length),
        ),
    ] {
        runtime().block_on(async {
            let url = serve(body).await;
            let call = nodion(&url).deployments().list().into_future();
            let (list, peak, _) = measured(call).await;
            check(&format!("nodion list, {name}"), peak, body.len());
            match name {
                "one nested record" => assert_eq!(list.unwrap().skipped(), 1),
                _ => assert_eq!(list.unwrap_err().kind(), ErrorKind::Decode),
            }
        });
    }
    // Lines that are dropped or have no content.
    for (name, body, items) in [
        ("zeros", repeated("[", "0", "]", MIB / 8), MIB / 16),
        (
            "blank lines",
            "\n".repeat(MIB / 8).into_bytes().leak() as &[u8],
            MIB / 8,
        ),
    ] {
        runtime().block_on(async {
            let url = serve(body).await;
            let call = dployr(&url).logs(LogOptions::new().tail(1)).into_future();
            let (_, _, polls) = measured(call).await;
            assert!(
                polls >= items / MAX_ITEMS_PER_POLL,
                "{name}: {polls} polls for {items}"
            );
        });
    }
}
