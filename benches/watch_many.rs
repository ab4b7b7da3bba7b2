//! Watches 10,000 deployments and counts the requests, the memory and the time that this costs.
//!
//! ```text
//! cargo bench --bench watch_many
//! cargo bench --bench watch_many -- 1000  # fewer deployments
//! ```
//!
//! The sandbox answers in this process and tokio's clock is paused, so the delays are those of the
//! documented rate limit while the run takes seconds. The benchmark fails when a round sends more
//! requests than there are pages, or when a watched deployment takes 1 KiB or more.

use deploykit::edgegap::Client;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::watch::{Change, Phase, Watcher};
use deploykit::{Pacing, RequestPreview};
use deploykit_sandbox::{Platform, Request, Sandbox, State};
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PAGE_SIZE: usize = 100;
const INTERVAL: Duration = Duration::from_secs(5);
const STOPS: usize = 8;
const QUIET_ROUNDS: u32 = 10;

/// Counts the bytes in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every method delegates to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The sandbox behind a recorder, with counters.
struct Server {
    state: State,
    token: String,
    started: Instant,
    lists: usize,
    statuses: usize,
    /// Time spent in the sandbox.
    busy: Duration,
}

impl Server {
    fn send(&mut self, request: Request) -> deploykit_sandbox::Reply {
        let request = request.with_header("authorization", &format!("token {}", self.token));
        // The sandbox's clock follows tokio's.
        let now = Duration::from_secs(1_800_000_000) + self.started.elapsed();
        let began = std::time::Instant::now();
        let reply = self.state.handle(Platform::Edgegap, &request, now);
        self.busy += began.elapsed();
        reply
    }

    fn answer(&mut self, preview: &RequestPreview) -> CannedReply {
        match preview.operation {
            Some("list_deployments") => self.lists += 1,
            _ => self.statuses += 1,
        }
        let mut request = Request::new(&preview.method, &preview.path);
        request.query.clone_from(&preview.query);
        let reply = self.send(request);
        CannedReply::json(reply.status.as_u16(), reply.body)
    }
}

fn lock(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().expect("no thread panics with the lock")
}

async fn next(watcher: &mut Watcher) -> Result<Change> {
    Ok(watcher.next().await.ok_or("nothing is left to watch")??)
}

/// Creates deployments at the documented rate, and returns their ids.
async fn create(server: &Mutex<Server>, count: usize, body: &serde_json::Value) -> Vec<String> {
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        tokio::time::advance(Duration::from_millis(26)).await;
        let request = Request::new("POST", "/v2/deployments").with_json(body);
        let reply = lock(server).send(request).json_body();
        ids.push(reply["request_id"].as_str().expect("an id").to_owned());
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    ids
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    tokio::time::pause();
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let count: usize = numbers.next().unwrap_or(10_000);
    let pages = count.div_ceil(PAGE_SIZE);

    let state = Sandbox::builder().state();
    let access = state.edgegap().access("https://api.edgegap.com");
    let body = json!({
        "application": access.application, "version": access.version,
        "users": [{ "user_type": "ip_address", "user_data": { "ip_address": "75.28.35.192" } }],
    });
    let server = Arc::new(Mutex::new(Server {
        state,
        token: access.token.clone(),
        started: Instant::now(),
        lists: 0,
        statuses: 0,
        busy: Duration::ZERO,
    }));
    let ids = create(&server, count, &body).await;

    let recorder = Recorder::new();
    let answering = server.clone();
    recorder.answer_with(move |preview| lock(&answering).answer(preview));
    let builder = Client::builder().token(access.token);
    let builder = builder.recorder(&recorder).pacing(Pacing::documented());
    let mut watcher = builder.build()?.watch(&ids).interval(INTERVAL);
    for _ in 0..count {
        let change = next(&mut watcher).await?;
        assert_eq!((change.before, change.now.phase), (None, Phase::Ready));
    }

    // Rounds without a change.
    let lists = lock(&server).lists;
    let busy = lock(&server).busy;
    let (before, began) = (watcher.rounds(), std::time::Instant::now());
    while watcher.rounds() < before + QUIET_ROUNDS {
        let wait = tokio::time::timeout(INTERVAL / 10, watcher.next());
        assert!(wait.await.is_err(), "nothing changes");
    }
    let time = began.elapsed().saturating_sub(lock(&server).busy - busy) / QUIET_ROUNDS;
    let requests = (lock(&server).lists - lists).div_ceil(QUIET_ROUNDS as usize);

    // Stops one deployment after another, each at another point of a round.
    let mut delays = Vec::new();
    for (index, id) in ids.iter().step_by(count / STOPS).take(STOPS).enumerate() {
        let pause = Duration::from_millis(1_700 * index as u64);
        let wait = tokio::time::timeout(pause, watcher.next());
        assert!(wait.await.is_err(), "nothing changes");
        let stopped = Instant::now();
        lock(&server).send(Request::new("DELETE", &format!("/v1/stop/{id}")));
        loop {
            let change = next(&mut watcher).await?;
            assert_eq!(&change.id, id, "only this deployment changes");
            if change.before == Some(Phase::Ready) {
                delays.push(stopped.elapsed().as_secs_f64());
            }
            if change.gone {
                break;
            }
        }
    }
    assert_eq!(delays.len(), STOPS);
    let statuses = lock(&server).statuses;
    println!("{STOPS} stops were confirmed by {statuses} status calls");

    let (watched, with_watcher) = (watcher.len(), IN_USE.load(Ordering::Relaxed));
    drop(watcher);
    let bytes = (with_watcher - IN_USE.load(Ordering::Relaxed)) / watched;
    println!(
        "watch_many: deployments={count} pages={pages} requests_per_round={requests} \
         bytes_per_deployment={bytes} delay_s_mean={:.1} delay_s_max={:.1} ms_per_round={:.1}",
        delays.iter().sum::<f64>() / delays.len() as f64,
        delays.iter().copied().fold(0.0, f64::max),
        time.as_secs_f64() * 1e3,
    );
    if requests > pages || bytes >= 1024 {
        return Err(format!("expected at most {pages} requests and less than 1024 bytes").into());
    }
    Ok(())
}
