//! Very many calls through a server that fails one in five: is every one accounted for, is no
//! create doubled, and is nothing left behind?
//!
//! `cargo run --release --example soak`, or with other numbers `-- CALLS AT_ONCE`.
//!
//! The server is a task of this process and counts, for each call, the requests that came and the
//! creates that it carried out. The last line tells how many calls agree with that, and what the
//! process's resident set was while the first and the last tenth of them ran (on Linux; elsewhere
//! memory and file descriptors are not looked at).

mod measure;
mod server;

use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::{ClientBuilder, Effect, Error, Pacing, Platform, Response, Retry, nodion};
use measure::{Memory, open_files, settle};
use server::Server;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const CALLS: usize = 200_000;
const AT_ONCE: usize = 64;
/// One call in so many is a create.
const CREATE_EVERY: usize = 10;
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
    let (calls, at_once) = (number(CALLS)?, number(AT_ONCE)?);

    let server = Server::start(calls).await?;
    let run = Arc::new(Run::new(&server.base_url, calls)?);
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
        "{calls} calls, {at_once} at once, in {:.1} s: {:.0} calls and {:.0} requests a second",
        time.as_secs_f64(),
        calls as f64 / time.as_secs_f64(),
        server.requests() as f64 / time.as_secs_f64(),
    );
    println!("\nthe server:\n{server}");
    println!("\nthe calls:");
    for (outcome, count) in &outcomes {
        println!("{count:>9}  {outcome}");
    }
    let mut verdict = Verdict::default();
    let accounted = judge(&mut verdict, &ledger, &server, outcomes.values().sum());
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
    fn new(base_url: &str, calls: usize) -> Result<Self> {
        Ok(Self {
            nodion: tuned(nodion::Client::builder(), base_url).build()?,
            edgegap: tuned(edgegap::Client::builder(), base_url).build()?,
            next: AtomicUsize::new(0),
            ledger: Ledger {
                attempts: server::zeros(calls),
                came_to: server::zeros(calls),
            },
            memory: Memory::new(calls),
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
            let ended = if call.is_multiple_of(CREATE_EVERY) {
                let new = NewDeployment::new("app", "1", User::ip([192, 0, 2, 1].into()));
                let create = self.edgegap.deploy(new).query("call", &number);
                self.ended("create", create.with_response().await, call)
            } else {
                let list = application.deployments().query("call", &number);
                self.ended("list", list.with_response().await, call)
            };
            *outcomes.entry(ended).or_insert(0) += 1;
            self.memory.look(call);
        }
    }

    fn ended<T>(&self, what: &str, result: Result_<T>, call: usize) -> String {
        let (attempts, came_to, words) = match result {
            Ok(reply) => (reply.attempts, came_to::SUCCESS, "Ok".to_owned()),
            Err(error) => {
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

type Result_<T> = std::result::Result<Response<T>, Error>;

fn tuned<P: Platform>(builder: ClientBuilder<P>, base_url: &str) -> ClientBuilder<P> {
    // As often as by default, but sooner, so that a soak does not take hours.
    let retry = Retry::default()
        .initial_backoff(Duration::from_millis(2))
        .max_backoff(Duration::from_millis(8));
    builder
        .base_url(base_url)
        .token("secret")
        .pacing(Pacing::off())
        .retry(retry)
}

/// How many calls agree with what the server counted.
fn judge(verdict: &mut Verdict, ledger: &Ledger, server: &Server, ended: usize) -> usize {
    let (mut accounted, mut succeeded, mut unknown) = (0, 0, 0);
    for (call, attempts) in ledger.attempts.iter().enumerate() {
        let came_to = ledger.came_to[call].load(Relaxed);
        let (requests, carried_out) = server.saw(call);
        let counted = attempts.load(Relaxed) == requests;
        let is_create = call.is_multiple_of(CREATE_EVERY);
        let honest = match came_to {
            came_to::NOTHING => false,
            _ if !is_create => carried_out == 0,
            came_to::SUCCESS | came_to::APPLIED => carried_out == 1,
            came_to::NO_EFFECT => carried_out == 0,
            _ => carried_out <= 1,
        };
        succeeded += usize::from(is_create && came_to == came_to::SUCCESS);
        unknown += usize::from(is_create && came_to == came_to::UNKNOWN_EFFECT);
        accounted += usize::from(counted && honest);
        verdict.must(counted, || {
            let attempts = attempts.load(Relaxed);
            format!("call {call}: {attempts} attempts, {requests} requests counted")
        });
        verdict.must(honest, || {
            format!("call {call}: came to {came_to}, carried out {carried_out} times")
        });
    }
    let carried_out = server.carried_out();
    println!(
        "\ncreates: {carried_out} carried out; {succeeded} succeeded, {unknown} ended in doubt"
    );
    verdict.must(
        (succeeded..=succeeded + unknown).contains(&carried_out),
        || "the creates do not add up".to_owned(),
    );
    verdict.must(ended == ledger.attempts.len(), || {
        format!("{ended} calls ended")
    });
    accounted
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
