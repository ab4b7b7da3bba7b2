//! Watches 10,000 deployments, and counts what that costs.
//!
//! `cargo run --release --example watch_many`, with a number for fewer or more of them.
//!
//! The sandbox answers in this process, without a socket, and the clock stands still unless somebody
//! waits: so the figures are those of the client at the platform's documented rate, in seconds of the
//! platform, and the run takes a few seconds of yours.

use deploykit::edgegap::Client;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::watch::{Change, Phase, Watcher};
use deploykit::{Pacing, RequestPreview};
use deploykit_sandbox::{Platform, Request, Sandbox, State};
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const ON_A_PAGE: usize = 100;
const REST: Duration = Duration::from_secs(5);
const STOPS: usize = 8;
const QUIET: u32 = 10;

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it does what the system's allocator does, and counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The sandbox, and what the client asked it.
struct World {
    state: State,
    token: String,
    started: Instant,
    lists: usize,
    statuses: usize,
    /// What answering took since the round began, which is not the client's.
    answering: Duration,
    /// When the round began, and how many lists there were by then.
    round: Option<(Cpu, usize)>,
    /// The lists and the time of each round.
    rounds: Vec<(usize, Duration)>,
}

impl World {
    /// The sandbox's clock goes with the runtime's.
    fn now(&self) -> Duration {
        Duration::from_secs(1_800_000_000) + self.started.elapsed()
    }

    fn send(&mut self, request: Request) -> CannedReply {
        let token = format!("token {}", self.token);
        let now = self.now();
        let request = request.with_header("authorization", &token);
        let reply = self.state.handle(Platform::Edgegap, &request, now);
        CannedReply::json(reply.status.as_u16(), reply.body)
    }

    fn answer(&mut self, asked: &RequestPreview) -> CannedReply {
        let page = asked.query.iter().find(|(name, _)| name == "page");
        match asked.operation {
            Some("list_deployments") => {
                // The first page has no number: a round ends, and the next one begins.
                if page.is_none_or(|(_, number)| number == "1") {
                    if let Some((began, lists)) = &self.round {
                        let ran = began.elapsed().saturating_sub(self.answering);
                        self.rounds.push((self.lists - lists, ran));
                    }
                    self.answering = Duration::ZERO;
                    self.round = Some((Cpu::now(), self.lists));
                }
                self.lists += 1;
            }
            _ => self.statuses += 1,
        }
        let began = Cpu::now();
        let mut request = Request::new(&asked.method, &asked.path);
        request.query.clone_from(&asked.query);
        let reply = self.send(request);
        self.answering += began.elapsed();
        reply
    }
}

/// The time that this thread ran. What it waited for a processor is left out, where the system tells.
struct Cpu {
    at: std::time::Instant,
    waited: Duration,
}

impl Cpu {
    fn now() -> Self {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let waited = text.split(' ').nth(1).and_then(|field| field.parse().ok());
        Self {
            at: std::time::Instant::now(),
            waited: Duration::from_nanos(waited.unwrap_or(0)),
        }
    }

    fn elapsed(&self) -> Duration {
        let now = Self::now();
        let ran = now.at.duration_since(self.at);
        ran.saturating_sub(now.waited.saturating_sub(self.waited))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::time::pause();
    let deployments = match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 10_000,
    };
    let state = Sandbox::builder().keep(deployments).state();
    let access = state.edgegap().access("https://api.edgegap.com");
    let world = Arc::new(Mutex::new(World {
        state,
        token: access.token.clone(),
        started: Instant::now(),
        lists: 0,
        statuses: 0,
        answering: Duration::ZERO,
        round: None,
        rounds: Vec::new(),
    }));
    let mut ids = Vec::with_capacity(deployments);
    let body = json!({
        "application": access.application, "version": access.version,
        "users": [{ "user_type": "ip_address", "user_data": { "ip_address": "75.28.35.192" } }],
    });
    for _ in 0..deployments {
        // 40 a second is the documented rate.
        tokio::time::advance(Duration::from_millis(26)).await;
        let create = Request::new("POST", "/v2/deployments").with_json(&body);
        let reply = world.lock().expect("no panic").state_reply(create);
        ids.push(reply.ok_or("the sandbox refused a deployment")?);
    }
    tokio::time::advance(Duration::from_secs(10)).await;

    let recorder = Recorder::new();
    let answering = world.clone();
    recorder.answer_with(move |request| answering.lock().expect("no panic").answer(request));
    let builder = Client::builder().token(access.token);
    let builder = builder.recorder(&recorder).pacing(Pacing::documented());
    let client = builder.build()?;

    let mut watcher = client.watch(&ids).interval(REST);
    let pages = deployments.div_ceil(ON_A_PAGE);
    for _ in 0..deployments {
        let change = next(&mut watcher).await?;
        assert_eq!((change.before, change.now.phase), (None, Phase::Ready));
    }
    let first = world.lock().expect("no panic").lists;
    println!("{deployments} deployments, {ON_A_PAGE} on a page: {pages} pages");
    println!("the first round told how each is, by {first} requests");

    // Rounds in which nothing happens. The first one, of which all was told, is not counted.
    while watcher.rounds() < QUIET + 2 {
        let half = Duration::from_millis(500);
        if let Ok(change) = tokio::time::timeout(half, watcher.next()).await {
            return Err(format!("nothing should have changed: {change:?}").into());
        }
    }
    let rounds: Vec<_> = world.lock().expect("no panic").rounds.split_off(1);
    let most = rounds.iter().map(|(lists, _)| *lists).max();
    let most = most.ok_or("there was no round")?;
    let busiest = rounds.iter().map(|(_, ran)| *ran).max().unwrap_or_default();
    let mean = rounds.iter().map(|(_, ran)| *ran).sum::<Duration>() / QUIET;
    println!(
        "a round in which nothing happens: {most} requests, {:.1} ms of CPU",
        millis(mean)
    );

    // Stops one after the other, each at another point of a round.
    let mut noticed = Vec::new();
    let before = watcher.rounds();
    for (index, id) in ids.iter().step_by(deployments / STOPS).enumerate() {
        let wait = Duration::from_millis(1_700 * index as u64);
        assert!(tokio::time::timeout(wait, watcher.next()).await.is_err());
        let stopped = Instant::now();
        let stop = Request::new("DELETE", &format!("/v1/stop/{id}"));
        world.lock().expect("no panic").send(stop);
        loop {
            let change = next(&mut watcher).await?;
            assert_eq!(&change.id, id, "only what changed is told");
            if change.before == Some(Phase::Ready) {
                noticed.push(stopped.elapsed());
            }
            if change.gone {
                break;
            }
        }
    }
    let (lists, statuses) = {
        let world = world.lock().expect("no panic");
        (world.lists, world.statuses)
    };
    println!(
        "{STOPS} stops seen in {} rounds, and confirmed by {statuses} status calls",
        watcher.rounds() - before
    );
    let watched = watcher.len();
    let with = IN_USE.load(Ordering::Relaxed);
    drop(watcher);
    let bytes = (with - IN_USE.load(Ordering::Relaxed)) / watched;
    println!("{lists} list calls in all; one call each would have been {deployments} a round");
    println!(
        "watch_many: deployments={deployments} pages={pages} requests_per_tick={most} bytes_per_deployment={bytes} \
         notice_s_mean={:.1} notice_s_max={:.1} cpu_ms_per_tick_mean={:.1} cpu_ms_per_tick_max={:.1}",
        noticed.iter().sum::<Duration>().as_secs_f64() / noticed.len() as f64,
        noticed.iter().max().map_or(0.0, Duration::as_secs_f64),
        millis(mean),
        millis(busiest),
    );
    // Without optimisation the time says nothing.
    let fast = cfg!(debug_assertions) || busiest < Duration::from_millis(50);
    let good = most <= pages && bytes < 1024 && fast;
    if good {
        Ok(())
    } else {
        Err("a goal was missed".into())
    }
}

impl World {
    /// The id of what was made.
    fn state_reply(&mut self, create: Request) -> Option<String> {
        let token = format!("token {}", self.token);
        let now = self.now();
        let create = create.with_header("authorization", &token);
        let reply = self.state.handle(Platform::Edgegap, &create, now);
        reply.json_body()["request_id"].as_str().map(str::to_owned)
    }
}

async fn next(watcher: &mut Watcher) -> Result<Change, Box<dyn std::error::Error>> {
    Ok(watcher.next().await.ok_or("nothing is left to watch")??)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
