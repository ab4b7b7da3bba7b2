//! Watches 10,000 deployments and measures requests, memory and time.
//!
//! ```text
//! cargo bench --bench watch_many
//! cargo bench --bench watch_many -- 1000  # fewer deployments
//! ```
//!
//! The sandbox runs in this process with tokio's clock paused: delays follow the documented rate limit, while the
//! run takes seconds. The time of a round includes the sandbox. The benchmark fails when a round sends more
//! requests than there are pages, or when a watched deployment takes 1 KiB or more.

use deploykit::edgegap::{NewDeployment, User};
use deploykit::pacing::Pacing;
use deploykit::watch::{Change, Phase, Watcher};
use deploykit_sandbox::{Platform, Sandbox};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PAGE_SIZE: usize = 100;
const INTERVAL: Duration = Duration::from_secs(5);
/// Number of deployments that are stopped, to measure when the change is reported.
const STOPS: usize = 8;
/// Number of measured rounds without changes.
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

async fn next(watcher: &mut Watcher) -> Result<Change> {
    Ok(watcher.next().await.ok_or("nothing is left to watch")??)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    tokio::time::pause();
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let count: usize = numbers.next().unwrap_or(10_000);
    let pages = count.div_ceil(PAGE_SIZE);

    let world = Sandbox::builder().in_process();
    let access = world.edgegap_access();
    let [requests, rounds] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let (counted, begun, answering) = (requests.clone(), rounds.clone(), world.clone());
    let builder = world.edgegap_builder().pacing(Pacing::documented());
    let builder = builder.in_process(move |request| {
        counted.fetch_add(1, Ordering::Relaxed);
        // Only the first page of a round is requested without its number.
        let query = request.uri().query();
        if query.is_some_and(|query| !query.contains("page=")) {
            begun.fetch_add(1, Ordering::Relaxed);
        }
        answering.handle(Platform::Edgegap, request)
    });
    let client = builder.build()?;
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        let player = User::ip([75, 28, 35, 192].into());
        let new = NewDeployment::new(&access.application, &access.version, player);
        ids.push(client.deploy(new).await?.request_id.to_string());
    }
    tokio::time::advance(Duration::from_secs(10)).await;

    let mut watcher = client.watch(&ids).interval(INTERVAL);
    for _ in 0..count {
        let change = next(&mut watcher).await?;
        assert_eq!((change.before, change.now.phase), (None, Phase::Ready));
    }

    // Rounds without changes.
    let sent = requests.load(Ordering::Relaxed);
    let last = rounds.load(Ordering::Relaxed) + QUIET_ROUNDS as usize;
    let began = std::time::Instant::now();
    while rounds.load(Ordering::Relaxed) < last {
        let wait = tokio::time::timeout(INTERVAL / 10, watcher.next());
        assert!(wait.await.is_err(), "nothing changes");
    }
    let time = began.elapsed() / QUIET_ROUNDS;
    let sent = requests.load(Ordering::Relaxed) - sent;
    let requests = sent.div_ceil(QUIET_ROUNDS as usize);

    // Stops deployments one by one, each at a different time within a round.
    let mut delays = Vec::new();
    for (index, id) in ids.iter().step_by(count / STOPS).take(STOPS).enumerate() {
        let pause = Duration::from_millis(1_700 * index as u64);
        let wait = tokio::time::timeout(pause, watcher.next());
        assert!(wait.await.is_err(), "nothing changes");
        let stopped = Instant::now();
        client.deployment(id.as_str()).stop().await?;
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

    let watched = count - STOPS;
    let with_watcher = IN_USE.load(Ordering::Relaxed);
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
