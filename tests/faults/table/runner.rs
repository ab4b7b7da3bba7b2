//! Runs the cells, and checks each outcome against the table and against rules for all errors.

use super::expected::Expected;
use super::fault::{Fault, Place, Setting, reply, success};
use super::operations::{CANARY, Kind, Outcome};
use crate::support::{Log, Script, Server, runtime};
use deploykit::ErrorKind::{Connect, Interrupted, Timeout};
use deploykit::{Effect, Error};
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A call that takes longer hangs.
const HANGS: Duration = Duration::from_secs(24 * 3600);
/// Tolerance for the resolution of the clock, in seconds.
const TOLERANCE: f64 = 0.02;
/// Most bytes that a client may read of a body of 100 MiB, socket buffers included.
const TAKEN: usize = 32 << 20;
/// Longest `Display` of an error, in bytes.
const LONGEST_LINE: usize = 4 << 10;

/// The outcome of a cell.
struct Ran {
    /// `None` if the call hangs.
    outcome: Option<Outcome>,
    log: Log,
    /// Number of connections to the second server.
    elsewhere: usize,
    took: Duration,
    /// Number of tasks after the client was dropped.
    tasks_left: usize,
}

/// The result of checking a cell.
struct Report {
    line: String,
    right: bool,
    duplicates: usize,
    hangs: bool,
}

/// Runs the cells of a fault, each with a new runtime, server and client.
fn reports(fault: &Fault) -> Vec<Report> {
    let cells = fault.cells.iter();
    cells
        .map(|(kind, expected)| {
            let ran = runtime().block_on(ran(fault, *kind));
            report(fault, *kind, expected, &ran)
        })
        .collect()
}

async fn ran(fault: &Fault, kind: Kind) -> Ran {
    let elsewhere = Server::start(Script::always(reply("200 OK", &[], "{}"))).await;
    let setting = Setting {
        kind,
        elsewhere: &elsewhere.base_url,
    };
    let server = match &fault.place {
        Place::Server(script) => Server::start(script(&setting)).await,
        Place::ServerByTls(script) => Server::start(script.clone()).await.with_https_url(),
        Place::Refusing => Server::refuses(),
        Place::RefusingAtFirst => Server::refuses_at_first(Script::always(success(&setting))),
        Place::Deaf => Server::unresponsive().await,
        Place::Nowhere => Server::unresolvable(),
    };
    let started = Instant::now();
    let (base_url, large) = (server.base_url.clone(), fault.large);
    // In a task, so that a server that is woken first acts first.
    let call = tokio::spawn(async move { kind.call(&base_url, large).await });
    let outcome = match timeout(HANGS, call).await {
        Ok(outcome) => Some(outcome.unwrap()),
        Err(_) => None,
    };
    let took = started.elapsed();
    let (log, connections) = (server.log(), elsewhere.log().connections);
    drop((server, elsewhere));
    // Connections end a moment after their client.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ran {
        outcome,
        log,
        elsewhere: connections,
        took,
        tasks_left: tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
    }
}

fn report(fault: &Fault, kind: Kind, expected: &Expected, ran: &Ran) -> Report {
    let mut problems = Vec::new();
    match &ran.outcome {
        None => problems.push("it hangs".to_owned()),
        Some(outcome) => {
            against_the_table(expected, outcome, ran, &mut problems);
            if let Err(error) = outcome {
                always(kind, error, ran, &mut problems);
            }
        }
    }
    if ran.elsewhere > 0 {
        problems.push(format!("{} connections went elsewhere", ran.elsewhere));
    }
    if let Some(taken) = ran.log.exchanges.iter().map(|seen| seen.sent).max()
        && taken > TAKEN
        && kind != Kind::Follow
    {
        problems.push(format!("{taken} bytes of a reply were taken"));
    }
    let bodies = ran.log.exchanges.iter().filter(|seen| seen.body_read);
    let mut bodies = bodies.map(|seen| &seen.bytes);
    if let Some(first) = bodies.next()
        && bodies.any(|other| other != first)
    {
        problems.push("a retry differs from the first request".to_owned());
    }
    if ran.tasks_left > 0 {
        problems.push(format!("{} tasks are left", ran.tasks_left));
    }
    let duplicates = duplicates(kind, &ran.log);
    if duplicates > 0 {
        problems.push(format!("{duplicates} requests too many"));
    }
    let verdict = if problems.is_empty() { "ok" } else { "WRONG" };
    let (name, kind) = (&fault.name, format!("{kind:?}"));
    let took = ran.took.as_secs_f64();
    let mut line = format!("{name:<64}{kind:<11}{expected}{took:>9.3} s  {verdict}");
    for problem in &problems {
        line.push_str(&format!("\n    {problem}"));
    }
    Report {
        line,
        right: problems.is_empty(),
        duplicates,
        hangs: ran.outcome.is_none(),
    }
}

/// Number of requests after one that may have taken effect, if the call must not be sent twice.
fn duplicates(kind: Kind, log: &Log) -> usize {
    if kind.may_be_retried() {
        return 0;
    }
    let acted = log.exchanges.iter().position(|seen| seen.may_be_applied());
    acted.map_or(0, |first| log.exchanges.len() - first - 1)
}

fn against_the_table(
    expected: &Expected,
    outcome: &Outcome,
    ran: &Ran,
    problems: &mut Vec<String>,
) {
    let mut differs = |what: &str, found: &dyn fmt::Debug, wanted: &dyn fmt::Debug| {
        let (found, wanted) = (format!("{found:?}"), format!("{wanted:?}"));
        if found != wanted {
            problems.push(format!("{what} is {found}, not {wanted}"));
        }
    };
    let failure = outcome.as_ref().err();
    let found = failure.map(|error| (error.kind(), error.effect()));
    differs("the outcome", &found, &expected.failure);
    let attempts = outcome.as_ref().map_or_else(Error::attempts, |n| *n);
    differs("attempts", &attempts, &expected.attempts);
    differs("connections", &ran.log.connections, &expected.connections);
    differs("requests", &ran.log.requests(), &expected.requests);
    let hint = failure.and_then(Error::retry_after);
    differs("retry_after", &hint, &expected.retry_after);
    let took = ran.took.as_secs_f64();
    if took < *expected.takes.start() || took > expected.takes.end() + TOLERANCE {
        problems.push(format!("it took {took} s"));
    }
    if let Some(error) = failure
        && !problems.is_empty()
    {
        problems.push(format!("{error:?}"));
    }
}

/// Rules that hold for every error.
fn always(kind: Kind, error: &Error, ran: &Ran, problems: &mut Vec<String>) {
    let acted = ran.log.exchanges.iter().any(|seen| seen.may_be_applied());
    let connections = u32::try_from(ran.log.connections).unwrap();
    let nothing_done = error.effect() == Effect::None;
    let told = ran.log.exchanges.last().and_then(|seen| seen.status);
    let broken = matches!(error.kind(), Connect | Interrupted | Timeout);
    let apart = ran.took.abs_diff(error.elapsed()).as_secs_f64();
    let line = error.to_string();
    let (excerpt, details) = (error.body_excerpt(), error.details());
    let shown = format!("{error} {error:?} {excerpt:?} {details:?}");
    let claims = [
        (
            "the server may have acted, so the effect is not None",
            !nothing_done || !acted || kind.only_reads(),
        ),
        (
            "nothing was sent, so the effect is None",
            nothing_done || connections > 0,
        ),
        (
            "there are at least as many attempts as connections",
            error.attempts() >= connections,
        ),
        (
            "it is not retryable if a second could be one too many",
            nothing_done || !error.is_retryable() || kind.may_be_retried(),
        ),
        (
            "the status is the server's",
            error.status() == told || broken && error.status().is_none(),
        ),
        // A stream's call is over when it begins.
        (
            "it says how long it took",
            apart <= TOLERANCE || kind == Kind::Follow,
        ),
        (
            "it shows as one short line",
            line.len() <= LONGEST_LINE && !line.contains(char::is_control),
        ),
        ("it shows no secret", !shown.contains(CANARY)),
        ("it names the operation", error.operation().is_some()),
    ];
    let broken = claims.into_iter().filter(|(_, holds)| !holds);
    problems.extend(broken.map(|(claim, _)| format!("does not hold: {claim}: {shown}")));
}

/// All reports, in the order of the table. Cells are independent and run on several threads.
fn all(faults: &[Fault]) -> Vec<Report> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = faults.chunks(faults.len().div_ceil(threads));
    std::thread::scope(|scope| {
        let work = |part: &'_ [Fault]| part.iter().flat_map(reports).collect::<Vec<_>>();
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let done = threads.into_iter();
        done.flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// Runs the table and prints one line per cell. Returns whether all cells are as expected.
pub fn print_all(faults: &[Fault]) -> bool {
    let (mut cells, mut right, mut duplicates, mut hangs) = (0, 0, 0, 0);
    for report in all(faults) {
        println!("{}", report.line);
        cells += 1;
        right += usize::from(report.right);
        duplicates += report.duplicates;
        hangs += usize::from(report.hangs);
    }
    println!("{right} of {cells} faults handled, {duplicates} duplicate creates, {hangs} hangs");
    right == cells && duplicates == 0 && hangs == 0
}
