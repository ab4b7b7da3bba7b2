//! Very many calls through a server that fails one in five: is every one accounted for, is no
//! create doubled, and is nothing left behind?
//!
//! `cargo run --release --example soak`, or with other numbers `-- CALLS AT_ONCE WARM_UP`; half a
//! minute as it is.
//!
//! Most calls are lists, some are creates, and a few are dropped before they end. The server is a
//! task of this process and counts, for each call, the requests that came and the
//! creates that it carried out. The last line tells how many calls agree with that, and what the
//! process's resident set was while the first and the last tenth of them ran (on Linux; elsewhere
//! memory and file descriptors are not looked at). Calls to warm up come first: until the pools of
//! connections and of the allocator are as large as this load needs them, memory grows. They must
//! hold like all others and are not in the numbers of the last line.

mod measure;
mod server;

use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::{Call, ClientBuilder, Effect, Error, Pacing, Platform, Response, Retry, nodion};
use measure::{Memory, open_files, settle};
use server::Server;
use std::collections::BTreeMap;
use std::future::{IntoFuture, poll_fn};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const CALLS: usize = 200_000;
const AT_ONCE: usize = 64;
/// glibc's arenas, one per thread, take about so long to find their size.
const WARM_UP: usize = 100_000;
/// One call in so many is a create.
const CREATE_EVERY: usize = 10;
/// The first attempt and the retries.
const MOST_ATTEMPTS: u8 = 3;
/// One call in so many is dropped before it ends.
const DROP_EVERY: usize = 37;
/// How often such a call is polled at most: enough for any point from "nothing sent" to "all but
/// read".
const POLLS: usize = 8;
/// How far apart first and last tenth may be.
const FLAT: f64 = 0.05;

/// What a call came to, for the caller. One byte per call, so that keeping all of them does not
/// look like a leak.
mod came_to {
    pub const NOTHING: u8 = 0;
    pub const SUCCESS: u8 = 1;
    pub const NO_EFFECT: u8 = 2;
    pub const UNKNOWN_EFFECT: u8 = 3;
    pub const APPLIED: u8 = 4;
    pub const DROPPED: u8 = 5;
}

#[tokio::main]
async fn main() -> ExitCode {
    match soak().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak() -> Result<bool> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse());
    let (calls, at_once, warm_up) = (number(CALLS)?, number(AT_ONCE)?, number(WARM_UP)?);
    let all = warm_up + calls;

    let server = Server::start(all).await?;
    let memory = Memory::new(warm_up..all);
    let run = Arc::new(Run::new(&server.base_url, all, memory)?);
    // The server's own task and sockets.
    let tasks = Handle::current().metrics().num_alive_tasks();
    let files = open_files();

    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..at_once {
        workers.spawn(run.clone().work());
    }
    let mut outcomes = BTreeMap::new();
    for ended in workers.join_all().await {
        for (outcome, count) in ended? {
            *outcomes.entry(outcome).or_insert(0) += count;
        }
    }
    let time = started.elapsed();
    let (ledger, memory) = Arc::into_inner(run)
        .ok_or("a worker is still there")?
        .into_parts();
    // The clients are gone by now, and with them their connections should be.
    let left = settle(tasks, files).await;

    println!(
        "{warm_up} and {calls} calls, {at_once} at once, in {:.1} s: {:.0} calls and {:.0} requests a second",
        time.as_secs_f64(),
        all as f64 / time.as_secs_f64(),
        server.requests() as f64 / time.as_secs_f64(),
    );
    println!("\nthe server:\n{server}");
    println!("\nthe calls:");
    for (outcome, count) in &outcomes {
        println!("{count:>9}  {outcome}");
    }
    let mut verdict = Verdict::default();
    verdict.must(outcomes.values().sum::<usize>() == all, || {
        "not every call ended".to_owned()
    });
    let agrees = judge(&mut verdict, &ledger, &server);
    let accounted = agrees[warm_up..].iter().filter(|agrees| **agrees).count();
    verdict.must(left.tasks == tasks, || {
        format!("{} tasks are left, {tasks} were there before", left.tasks)
    });
    verdict.must(left.files == files, || {
        format!("{:?} open files are left, {files:?} before", left.files)
    });
    println!(
        "\ntasks: {tasks} before, {} after; open files: {} before, {} after",
        left.tasks,
        shown(files),
        shown(left.files)
    );
    let memory = match memory.tenths() {
        Some(tenths) => {
            let [first, .., last] = tenths;
            println!("memory, tenth by tenth, in MiB: {tenths:.2?}");
            verdict.must((last - first).abs() <= FLAT * first, || {
                format!("memory is not flat: {first:.2} MiB, then {last:.2} MiB")
            });
            format!("memory first tenth {first:.1} MiB, last tenth {last:.1} MiB")
        }
        None => "memory not measured".to_owned(),
    };
    println!("soak: {accounted} of {calls} calls accounted for, {memory}");
    Ok(verdict.holds)
}

fn shown(files: Option<usize>) -> String {
    files.map_or_else(|| "not counted".to_owned(), |files| files.to_string())
}

/// What the caller knows of each call.
struct Ledger {
    attempts: Vec<AtomicU8>,
    came_to: Vec<AtomicU8>,
}

/// What the workers share.
struct Run {
    nodion: nodion::Client,
    edgegap: edgegap::Client,
    next: AtomicUsize,
    ledger: Ledger,
    memory: Memory,
}

impl Run {
    fn new(base_url: &str, calls: usize, memory: Memory) -> Result<Self> {
        Ok(Self {
            nodion: tuned(nodion::Client::builder(), base_url).build()?,
            edgegap: tuned(edgegap::Client::builder(), base_url).build()?,
            next: AtomicUsize::new(0),
            ledger: Ledger {
                attempts: server::zeros(calls),
                came_to: server::zeros(calls),
            },
            memory,
        })
    }

    fn into_parts(self) -> (Ledger, Memory) {
        (self.ledger, self.memory)
    }

    /// Makes calls until none is left; what they came to, and how often.
    async fn work(self: Arc<Self>) -> Result<BTreeMap<String, usize>> {
        let mut outcomes = BTreeMap::new();
        let application = self.nodion.application("a-1");
        loop {
            let call = self.next.fetch_add(1, Relaxed);
            if call >= self.ledger.attempts.len() {
                return Ok(outcomes);
            }
            let number = call.to_string();
            let ended = if is_create(call) {
                let new = NewDeployment::new("app", "1", User::ip([192, 0, 2, 1].into()));
                let create = self.edgegap.deploy(new).query("call", &number);
                self.ended("create", made(create, call).await, call)
            } else {
                let list = application.deployments().query("call", &number);
                self.ended("list", made(list, call).await, call)
            };
            *outcomes.entry(ended).or_insert(0) += 1;
            self.memory.look(call);
        }
    }

    fn ended<T>(&self, what: &str, result: Ended<T>, call: usize) -> String {
        let (attempts, came_to, words) = match result {
            None => (0, came_to::DROPPED, "dropped".to_owned()),
            Some(Ok(reply)) => (reply.attempts, came_to::SUCCESS, "Ok".to_owned()),
            Some(Err(error)) => {
                let came_to = match error.effect() {
                    Effect::None => came_to::NO_EFFECT,
                    Effect::Applied => came_to::APPLIED,
                    _ => came_to::UNKNOWN_EFFECT,
                };
                let words = format!("{:?}, effect {:?}", error.kind(), error.effect());
                (error.attempts(), came_to, words)
            }
        };
        let attempts = u8::try_from(attempts).unwrap_or(u8::MAX);
        self.ledger.attempts[call].store(attempts, Relaxed);
        self.ledger.came_to[call].store(came_to, Relaxed);
        format!("{what}: {words}, attempts {attempts}")
    }
}

/// A call's reply or error; `None` for one that was dropped.
type Ended<T> = Option<std::result::Result<Response<T>, Error>>;

/// Makes a call, or the first part of one.
async fn made<T: Send + 'static>(call: Call<T>, number: usize) -> Ended<T> {
    let mut polls = match number % DROP_EVERY {
        0 => number / DROP_EVERY % POLLS,
        _ => usize::MAX,
    };
    let mut call = pin!(call.with_response().into_future());
    poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        match call.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            // Nobody would wake it for the drop.
            Poll::Pending if polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn is_create(call: usize) -> bool {
    call.is_multiple_of(CREATE_EVERY)
}

fn tuned<P: Platform>(builder: ClientBuilder<P>, base_url: &str) -> ClientBuilder<P> {
    // As often as by default, but sooner, so that a soak does not take hours.
    let retry = Retry::default()
        .max_retries(u32::from(MOST_ATTEMPTS) - 1)
        .initial_backoff(Duration::from_millis(2))
        .max_backoff(Duration::from_millis(8));
    builder
        .base_url(base_url)
        .token("secret")
        .pacing(Pacing::off())
        .retry(retry)
}

/// For every call, whether it agrees with what the server counted.
fn judge(verdict: &mut Verdict, ledger: &Ledger, server: &Server) -> Vec<bool> {
    let (mut succeeded, mut in_doubt, mut tried, mut dropped) = (0, 0, 0, 0);
    let mut agrees = Vec::with_capacity(ledger.attempts.len());
    for (call, attempts) in ledger.attempts.iter().enumerate() {
        let (attempts, came_to) = (attempts.load(Relaxed), ledger.came_to[call].load(Relaxed));
        let (requests, carried_out) = server.saw(call);
        let was_dropped = came_to == came_to::DROPPED;
        let counted = requests == attempts || (was_dropped && requests <= MOST_ATTEMPTS);
        let honest = match came_to {
            came_to::NOTHING => false,
            _ if !is_create(call) => carried_out == 0,
            came_to::SUCCESS | came_to::APPLIED => carried_out == 1,
            came_to::NO_EFFECT => carried_out == 0,
            _ => carried_out <= 1,
        };
        if was_dropped {
            dropped += usize::from(requests);
        }
        tried += usize::from(attempts);
        if is_create(call) {
            succeeded += usize::from(came_to == came_to::SUCCESS);
            in_doubt += usize::from(matches!(
                came_to,
                came_to::UNKNOWN_EFFECT | came_to::DROPPED
            ));
        }
        agrees.push(counted && honest);
        verdict.must(counted, || {
            format!("call {call}: {attempts} attempts, {requests} requests counted")
        });
        verdict.must(honest, || {
            format!("call {call}: came to {came_to}, carried out {carried_out} times")
        });
    }
    println!(
        "\nrequests: {} counted; {tried} attempts of calls that ended, {dropped} of calls that were dropped",
        server.requests()
    );
    verdict.must(server.requests() == tried + dropped, || {
        "the requests do not add up".to_owned()
    });
    let carried_out = server.carried_out();
    println!(
        "creates: {carried_out} carried out; {succeeded} succeeded, {in_doubt} ended in doubt"
    );
    verdict.must(
        (succeeded..=succeeded + in_doubt).contains(&carried_out),
        || "the creates do not add up".to_owned(),
    );
    agrees
}

/// Whether everything holds; the first few things that do not are printed.
struct Verdict {
    holds: bool,
    printed: usize,
}

impl Default for Verdict {
    fn default() -> Self {
        Self {
            holds: true,
            printed: 0,
        }
    }
}

impl Verdict {
    fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if holds {
            return;
        }
        self.holds = false;
        self.printed += 1;
        if self.printed <= 10 {
            println!("FAIL {}", otherwise());
        }
    }
}
