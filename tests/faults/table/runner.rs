//! Runs the cells, and checks each outcome against the table and against rules for all errors.

use super::expected::Expected;
use super::fault::{Fault, Place, Setting, reply, success};
use super::operations::{Address, CANARY, Kind, Outcome};
use crate::http2::Http2;
use crate::support::{Log, Script, Server, runtime};
use deploykit::ErrorKind::{Connect, Interrupted, Timeout};
use deploykit::{Effect, Error};
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A call that takes longer counts as hanging.
const HANG_LIMIT: Duration = Duration::from_secs(24 * 3600);
/// Tolerance for the resolution of the clock, in seconds.
const TOLERANCE: f64 = 0.02;
/// Limit on the bytes that the server can send of a body of 100 MiB, socket buffers included.
const MAX_SENT: usize = 32 << 20;
/// Size limit of an error's `Display`, in bytes.
const MAX_LINE: usize = 4 << 10;

/// The outcome of a cell.
struct CellRun {
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
    as_expected: bool,
    duplicates: usize,
    hangs: bool,
}

/// Runs the cells of a fault, each with a new runtime, server and client.
fn reports(fault: &Fault) -> Vec<Report> {
    let cells = fault.cells.iter();
    cells
        .map(|(kind, expected)| {
            let run = runtime().block_on(run_cell(fault, *kind));
            report(fault, *kind, expected, &run)
        })
        .collect()
}

async fn run_cell(fault: &Fault, kind: Kind) -> CellRun {
    let elsewhere = Server::start(Script::always(reply("200 OK", &[], "{}"))).await;
    let setting = Setting {
        kind,
        elsewhere: &elsewhere.base_url,
    };
    let mut certificate = None;
    let server = match &fault.place {
        Place::Http2(answers) => {
            let http2 = Http2::start(answers, kind.reply()).await;
            certificate = Some(http2.certificate);
            http2.server
        }
        Place::Server(script) => Server::start(script(&setting)).await,
        Place::ServerByTls(script) => Server::start(script.clone()).await.with_https_url(),
        Place::Refusing => Server::refuses(),
        Place::RefusingAtFirst => Server::refuses_at_first(Script::always(success(&setting))),
        Place::Unresponsive => Server::unresponsive().await,
        Place::Unresolvable => Server::unresolvable(),
    };
    let started = Instant::now();
    let (base_url, large) = (server.base_url.clone(), fault.large);
    let address = Address {
        base_url,
        certificate,
    };
    // In a task, so that client and server run in the order in which they are woken.
    let call = tokio::spawn(async move { kind.call(&address, large).await });
    let outcome = match timeout(HANG_LIMIT, call).await {
        Ok(outcome) => Some(outcome.unwrap()),
        Err(_) => None,
    };
    let took = started.elapsed();
    let (log, connections) = (server.log(), elsewhere.log().connections);
    drop((server, elsewhere));
    // Gives the tasks of the connections time to end.
    tokio::time::sleep(Duration::from_secs(1)).await;
    CellRun {
        outcome,
        log,
        elsewhere: connections,
        took,
        tasks_left: tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
    }
}

fn report(fault: &Fault, kind: Kind, expected: &Expected, run: &CellRun) -> Report {
    let mut problems = Vec::new();
    match &run.outcome {
        None => problems.push("the call hangs".to_owned()),
        Some(outcome) => {
            check_expectation(expected, outcome, run, &mut problems);
            if let Err(error) = outcome {
                check_rules(kind, error, run, &mut problems);
            }
        }
    }
    if run.elsewhere > 0 {
        problems.push(format!(
            "{} connections reached the second server",
            run.elsewhere
        ));
    }
    if let Some(sent) = run.log.exchanges.iter().map(|seen| seen.sent).max()
        && sent > MAX_SENT
        && kind != Kind::Follow
    {
        problems.push(format!("{sent} bytes of a response were sent"));
    }
    let bodies = run.log.exchanges.iter().filter(|seen| seen.body_read);
    let mut bodies = bodies.map(|seen| &seen.bytes);
    if let Some(first) = bodies.next()
        && bodies.any(|other| other != first)
    {
        problems.push("a retry differs from the first request".to_owned());
    }
    if run.tasks_left > 0 {
        problems.push(format!("{} tasks are left", run.tasks_left));
    }
    let duplicates = duplicates(kind, &run.log);
    if duplicates > 0 {
        problems.push(format!("{duplicates} duplicate requests"));
    }
    let verdict = if problems.is_empty() { "ok" } else { "WRONG" };
    let (name, kind) = (&fault.name, format!("{kind:?}"));
    let took = run.took.as_secs_f64();
    let mut line = format!("{name:<64}{kind:<11}{expected}{took:>9.3} s  {verdict}");
    for problem in &problems {
        line.push_str(&format!("\n    {problem}"));
    }
    Report {
        line,
        as_expected: problems.is_empty(),
        duplicates,
        hangs: run.outcome.is_none(),
    }
}

/// Number of requests after one that may have taken effect, if the call must not be retried.
fn duplicates(kind: Kind, log: &Log) -> usize {
    if kind.may_be_retried() {
        return 0;
    }
    let applied = log.exchanges.iter().position(|seen| seen.may_be_applied());
    applied.map_or(0, |first| log.exchanges.len() - first - 1)
}

fn check_expectation(
    expected: &Expected,
    outcome: &Outcome,
    run: &CellRun,
    problems: &mut Vec<String>,
) {
    let mut differs = |name: &str, found: &dyn fmt::Debug, wanted: &dyn fmt::Debug| {
        let (found, wanted) = (format!("{found:?}"), format!("{wanted:?}"));
        if found != wanted {
            problems.push(format!("{name} is {found}, not {wanted}"));
        }
    };
    let failure = outcome.as_ref().err();
    let found = failure.map(|error| (error.kind(), error.effect()));
    differs("the outcome", &found, &expected.failure);
    let attempts = outcome.as_ref().map_or_else(Error::attempts, |n| *n);
    differs("attempts", &attempts, &expected.attempts);
    differs("connections", &run.log.connections, &expected.connections);
    differs("requests", &run.log.requests(), &expected.requests);
    let hint = failure.and_then(Error::retry_after);
    differs("retry_after", &hint, &expected.retry_after);
    let took = run.took.as_secs_f64();
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
fn check_rules(kind: Kind, error: &Error, run: &CellRun, problems: &mut Vec<String>) {
    let may_be_applied = run.log.exchanges.iter().any(|seen| seen.may_be_applied());
    let connections = u32::try_from(run.log.connections).unwrap();
    let nothing_done = error.effect() == Effect::None;
    let server_status = run.log.exchanges.last().and_then(|seen| seen.status);
    let without_response = matches!(error.kind(), Connect | Interrupted | Timeout);
    let difference = run.took.abs_diff(error.elapsed()).as_secs_f64();
    let line = error.to_string();
    let (excerpt, details) = (error.body_excerpt(), error.details());
    let shown = format!("{error} {error:?} {excerpt:?} {details:?}");
    let claims = [
        (
            "the request may have been applied, so the effect is not None",
            !nothing_done || !may_be_applied || kind.only_reads(),
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
            "it is not retryable if a retry could be applied twice",
            nothing_done || !error.is_retryable() || kind.may_be_retried(),
        ),
        (
            "the status is the server's",
            error.status() == server_status || without_response && error.status().is_none(),
        ),
        // A call that returns a stream ends when the stream begins.
        (
            "`elapsed` is the measured duration",
            difference <= TOLERANCE || kind == Kind::Follow,
        ),
        (
            "`Display` is one short line",
            line.len() <= MAX_LINE && !line.contains(char::is_control),
        ),
        ("it shows no secret", !shown.contains(CANARY)),
        ("it names the operation", error.operation().is_some()),
    ];
    let violated = claims.into_iter().filter(|(_, holds)| !holds);
    problems.extend(violated.map(|(claim, _)| format!("does not hold: {claim}: {shown}")));
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
    let (mut cells, mut passed, mut duplicates, mut hangs) = (0, 0, 0, 0);
    for report in all(faults) {
        println!("{}", report.line);
        cells += 1;
        passed += usize::from(report.as_expected);
        duplicates += report.duplicates;
        hangs += usize::from(report.hangs);
    }
    println!("{passed} of {cells} faults handled, {duplicates} duplicate creates, {hangs} hangs");
    passed == cells && duplicates == 0 && hangs == 0
}
