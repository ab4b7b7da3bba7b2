//! A rate budget that several processes share through a real Redis server, in real time.
//!
//! Requires `redis-server`. Without it the tests print that they are skipped, or fail if `CI` or
//! `DEPLOYKIT_REQUIRE_REDIS` is set.

mod servers;
#[path = "../support/mod.rs"]
mod support;

use deploykit::edgegap::{Client, NewDeployment, User};
use deploykit::{
    Effect, ErrorKind, Retry,
    pacing::{BudgetBucket, BudgetReply, Fallback, Pacing, RedisBudget, SharedBudget},
};
use servers::{Arrival, Platform, Redis, free_port};
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::sleep;

/// Documented rate limit of Edgegap: 40 deployments per second.
const LIMIT: usize = 40;
const WINDOW: Duration = Duration::from_secs(1);
const WORKER_COUNT: u32 = 4;
const CANARY: &str = "canary-7c1e";

/// Serializes the tests that start workers: two of them at once would overload a machine with two cores.
static WORKERS_LOCK: Mutex<()> = Mutex::const_new(());

fn client(base_url: &str, redis_url: &str, fallback: Fallback) -> Client {
    let budget = RedisBudget::new(redis_url, "my-account").unwrap();
    Client::builder()
        .base_url(base_url)
        .token("secret")
        .retry(Retry::off())
        .pacing(
            Pacing::documented()
                .one_of(WORKER_COUNT)
                .shared(budget, fallback),
        )
        .build()
        .unwrap()
}

fn new() -> NewDeployment {
    NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()))
}

/// Worker processes that deploy as fast as the budget permits. Killed on drop.
struct Workers(Vec<Child>);

impl Workers {
    fn start(platform: &Platform, redis: &Redis) -> Self {
        let start = |worker: u32| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "worker_process", "--ignored", "--nocapture"])
                .env("WORKER_NAME", worker.to_string())
                .env("WORKER_PLATFORM", &platform.server.base_url)
                .env("WORKER_REDIS", redis.url())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        Self((0..WORKER_COUNT).map(start).collect())
    }

    /// Waits until each worker has sent at least two requests.
    async fn until_all_deploy(&self, platform: &Platform) -> Instant {
        let started = Instant::now();
        loop {
            let counts = by_worker(&platform.arrivals());
            if counts.len() == WORKER_COUNT as usize && counts.values().all(|count| *count > 1) {
                return Instant::now();
            }
            assert!(started.elapsed() < Duration::from_secs(10), "{counts:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn is_running(&mut self) -> bool {
        self.0
            .iter_mut()
            .all(|worker| worker.try_wait().unwrap().is_none())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.0 {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

#[tokio::test]
#[ignore = "started as a process by other tests"]
async fn worker_process() {
    let Ok(worker) = std::env::var("WORKER_NAME") else {
        return;
    };
    let [platform, redis] =
        ["WORKER_PLATFORM", "WORKER_REDIS"].map(|name| std::env::var(name).unwrap());
    let client = client(&platform, &redis, Fallback::Local);
    // The first request of a process is slow. Only POST requests are counted.
    let warm_up = client.request(http::Method::GET, "/").await;
    assert!(warm_up.is_ok(), "{warm_up:?}");
    let calls = || async {
        loop {
            let call = client.deploy(new()).header("x-worker", &worker);
            call.await.unwrap();
        }
    };
    tokio::join!(calls(), calls(), calls(), calls());
}

fn by_worker(arrivals: &[Arrival]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (_, worker) in arrivals {
        *counts.entry(worker.clone()).or_default() += 1;
    }
    counts
}

fn between(arrivals: &[Arrival], from: Instant, to: Instant) -> Vec<Arrival> {
    let inside = arrivals.iter().filter(|(at, _)| (from..to).contains(at));
    inside.cloned().collect()
}

/// The window with the most requests: number of requests, and start of the window.
fn busiest_window(arrivals: &[Arrival]) -> (usize, Duration) {
    let windows = arrivals.iter().map(|(start, _)| {
        let inside = between(arrivals, *start, *start + WINDOW);
        (inside.len(), *start - arrivals[0].0)
    });
    windows.max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_the_whole_rate_limit_and_never_exceed_it() {
    let _guard = WORKERS_LOCK.lock().await;
    let Some(redis) = Redis::start(None) else {
        return;
    };
    let platform = Platform::start().await;
    let mut workers = Workers::start(&platform, &redis);
    let from = workers.until_all_deploy(&platform).await;
    sleep(WINDOW * 4).await;
    assert!(workers.is_running());
    drop(workers);
    let arrivals = platform.arrivals();
    let (most, at) = busiest_window(&arrivals);
    let measured = between(&arrivals, from, from + WINDOW * 4);
    let shares = by_worker(&measured);
    println!(
        "busiest window {most} at {at:?}, {} in 4 s, {shares:?}",
        measured.len()
    );
    assert!(most <= LIMIT, "{most} at {at:?}");
    assert!(measured.len() >= LIMIT * 4 * 9 / 10, "{}", measured.len());
    for (worker, count) in &shares {
        let even = measured.len() / WORKER_COUNT as usize;
        assert!(*count >= even * 8 / 10, "{worker}: {shares:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_stay_within_the_rate_limit_during_and_after_a_redis_outage() {
    let _guard = WORKERS_LOCK.lock().await;
    let Some(mut redis) = Redis::start(None) else {
        return;
    };
    let platform = Platform::start().await;
    let mut workers = Workers::start(&platform, &redis);
    workers.until_all_deploy(&platform).await;
    sleep(Duration::from_millis(1500)).await;
    redis.kill();
    let down = Instant::now();
    sleep(WINDOW * 2).await;
    redis.restart();
    let up = Instant::now();
    sleep(Duration::from_millis(300)).await;
    let key = "deploykit:{my-account}:edgegap:deploy";
    assert_eq!(redis.command(&format!("EXISTS {key}")), ":1");
    sleep(WINDOW * 2).await;
    assert!(workers.is_running());
    drop(workers);
    let arrivals = platform.arrivals();
    let (most, at) = busiest_window(&arrivals);
    let without = between(&arrivals, down, up);
    let after = between(&arrivals, up + WINDOW, up + WINDOW * 2);
    println!(
        "busiest window {most} at {at:?}, {} in {:?} without Redis {:?}, {} in 1 s after the outage",
        without.len(),
        up - down,
        by_worker(&without),
        after.len()
    );
    assert!(most <= LIMIT, "{most} at {at:?}");
    assert!(without.len() >= LIMIT * 2 * 8 / 10, "{}", without.len());
    assert!(after.len() >= LIMIT * 8 / 10, "{}", after.len());
}

#[tokio::test]
async fn fallback_refuse_sends_nothing_without_redis() {
    let Some(mut redis) = Redis::start(None) else {
        return;
    };
    let platform = Platform::start().await;
    let client = client(&platform.server.base_url, &redis.url(), Fallback::Refuse);
    assert_eq!(client.pacing()[0].shared, None);
    client.deploy(new()).await.unwrap();
    assert_eq!(client.pacing()[0].shared, Some(true));
    redis.kill();
    for _ in 0..3 {
        let error = client.deploy(new()).await.unwrap_err();
        let facts = (error.kind(), error.effect(), error.attempts());
        assert_eq!(facts, (ErrorKind::RateLimited, Effect::None, 0));
        assert!(error.to_string().contains("Redis: "), "{error}");
    }
    assert_eq!(client.pacing()[0].shared, Some(false));
    assert_eq!(platform.arrivals().len(), 1);
    redis.restart();
    client.deploy(new()).await.unwrap();
    assert_eq!(platform.arrivals().len(), 2);
}

#[tokio::test]
async fn a_hanging_redis_delays_only_the_first_call() {
    let Some(redis) = Redis::start(None) else {
        return;
    };
    let platform = Platform::start().await;
    let client = client(&platform.server.base_url, &redis.url(), Fallback::Refuse);
    client.deploy(new()).await.unwrap();
    redis.signal("STOP");
    let started = Instant::now();
    let error = client.deploy(new()).await.unwrap_err();
    let took = started.elapsed();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(took < Duration::from_millis(1500), "{took:?}");
    let started = Instant::now();
    let error = client.deploy(new()).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(100));
    redis.signal("CONT");
    sleep(error.retry_after().unwrap()).await;
    client.deploy(new()).await.unwrap();
    assert_eq!(platform.arrivals().len(), 2);
}

fn bucket(name: &'static str, millis: u64) -> BudgetBucket {
    BudgetBucket::new("test", name, 1, Duration::from_millis(millis))
}

#[tokio::test]
async fn concurrent_requests_never_share_a_slot() {
    let Some(redis) = Redis::start(None) else {
        return;
    };
    let budgets = [(); 8].map(|()| RedisBudget::new(redis.url(), "last").unwrap());
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let tasks = budgets.clone().map(|budget| {
            tokio::spawn(async move { budget.take(&bucket(name, 1000)).await.unwrap() })
        });
        let mut waits = Vec::new();
        for task in tasks {
            if let BudgetReply::Wait(wait) = task.await.unwrap() {
                waits.push(wait);
            }
        }
        assert_eq!(waits.len(), 7, "{waits:?}");
        // Each request gets its own slot; slots are one second apart.
        waits.sort();
        for (index, wait) in waits.iter().enumerate() {
            let slot = Duration::from_secs(index as u64 + 1);
            assert!(*wait <= slot && *wait + WINDOW / 2 > slot, "{waits:?}");
        }
    }
}

#[tokio::test]
async fn a_reserved_slot_is_kept_until_its_time_and_then_expires() {
    let Some(redis) = Redis::start(None) else {
        return;
    };
    let budget = RedisBudget::new(redis.url(), "kept").unwrap();
    let bucket = bucket("a", 200);
    assert_eq!(budget.take(&bucket).await.unwrap(), BudgetReply::Taken);
    let BudgetReply::Wait(wait) = budget.take(&bucket).await.unwrap() else {
        panic!("the second request was not delayed");
    };
    // A caller that asks again after a cancelled wait gets the same slot.
    for _ in 0..10 {
        let again = budget.take(&bucket).await.unwrap();
        assert!(matches!(again, BudgetReply::Wait(left) if left <= wait));
    }
    sleep(wait).await;
    assert_eq!(budget.take(&bucket).await.unwrap(), BudgetReply::Taken);
    let BudgetReply::Wait(wait) = budget.take(&bucket).await.unwrap() else {
        panic!("the request after the slot was not delayed");
    };
    sleep(wait + Duration::from_millis(60)).await;
    // The reserved slot has expired, so the caller waits for the next one.
    let late = budget.take(&bucket).await.unwrap();
    assert!(matches!(late, BudgetReply::Wait(_)), "{late:?}");
    // The key expires in Redis.
    sleep(Duration::from_millis(700)).await;
    let key = "EXISTS deploykit:{kept}:test:a";
    assert_eq!(redis.command(key), ":0");
}

#[tokio::test]
async fn flushed_redis_and_changed_clock_are_tolerated() {
    let Some(redis) = Redis::start(None) else {
        return;
    };
    let budget = RedisBudget::new(redis.url(), "forgets").unwrap();
    let burst = BudgetBucket::new("test", "a", 3, Duration::from_secs(60));
    for _ in 0..2 {
        for _ in 0..3 {
            assert_eq!(budget.take(&burst).await.unwrap(), BudgetReply::Taken);
        }
        let fourth = budget.take(&burst).await.unwrap();
        assert!(matches!(fourth, BudgetReply::Wait(_)), "{fourth:?}");
        assert_eq!(redis.command("FLUSHALL"), "+OK");
        assert_eq!(redis.command("SCRIPT FLUSH"), "+OK");
    }
    // A time that was written while the server's clock was one day ahead.
    let day = 86_400_000_000_u64;
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ahead = time.unwrap().as_micros() as u64 + day;
    redis.command(&format!("SET deploykit:{{forgets}}:test:b {ahead}"));
    let answer = budget.take(&bucket("b", 500)).await.unwrap();
    assert!(
        matches!(answer, BudgetReply::Wait(wait) if wait <= Duration::from_millis(500)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_cancelled_request_leaves_the_connection_usable() {
    let Some(redis) = Redis::start(None) else {
        return;
    };
    let budget = RedisBudget::new(redis.url(), "gives-up").unwrap();
    for micros in 0..200 {
        let limit = Duration::from_micros(micros * 5);
        let _ = tokio::time::timeout(limit, budget.take(&bucket("a", 1))).await;
    }
    let answer = budget.take(&bucket("b", 100)).await.unwrap();
    assert_eq!(answer, BudgetReply::Taken);
}

#[test]
fn a_budget_outlives_the_runtime_that_connected_it() {
    let Some(redis) = Redis::start(None) else {
        return;
    };
    let budget = RedisBudget::new(redis.url(), "runtimes").unwrap();
    for name in ["a", "b", "c"] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime.block_on(budget.take(&bucket(name, 100)));
        assert_eq!(answer.unwrap(), BudgetReply::Taken);
    }
}

#[tokio::test]
async fn redis_password_is_redacted() {
    let Some(redis) = Redis::start(Some("right-horse")) else {
        return;
    };
    let right = RedisBudget::new(redis.url(), "secret").unwrap();
    assert_eq!(
        right.take(&bucket("a", 100)).await.unwrap(),
        BudgetReply::Taken
    );
    let wrong = format!("redis://:{CANARY}@127.0.0.1:{}", redis.port);
    let wrong = RedisBudget::new(wrong, "secret").unwrap();
    let error = wrong.take(&bucket("a", 100)).await.unwrap_err();
    assert!(error.to_string().to_lowercase().contains("pass"), "{error}");
    let platform = Platform::start().await;
    let builder = Client::builder()
        .base_url(&platform.server.base_url)
        .token("t");
    let pacing = Pacing::documented().shared(wrong.clone(), Fallback::Refuse);
    let client = builder.pacing(pacing.clone()).build().unwrap();
    let refused = client.deploy(new()).await.unwrap_err();
    let shown = format!("{error} {error:?} {wrong:?} {pacing:?} {client:?} {refused} {refused:?}");
    assert!(!shown.contains(CANARY), "{shown}");
    assert!(format!("{right:?}").contains("127.0.0.1"));
    assert!(!format!("{right:?}").contains("right-horse"));
}

#[tokio::test]
async fn invalid_redis_urls_are_refused_and_redacted() {
    let port = free_port();
    for url in [
        format!("http://u:{CANARY}@127.0.0.1:{port}"),
        format!("rediss://u:{CANARY}@127.0.0.1:{port}"),
        format!("redis://u:{CANARY}@127.0.0.1:{port}/x"),
        format!("redis://u:{CANARY}@:x"),
        CANARY.to_owned(),
    ] {
        let error = RedisBudget::new(url.as_str(), "a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
        assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    }
    assert!(RedisBudget::new("redis://127.0.0.1", " ").is_err());
    // The first request opens the connection.
    let unreachable = RedisBudget::new(format!("redis://127.0.0.1:{port}"), "a").unwrap();
    assert!(unreachable.take(&bucket("a", 100)).await.is_err());
}
