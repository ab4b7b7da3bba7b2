//! Compares instructions and allocations of a call with the same call on reqwest and serde_json.
//!
//! ```text
//! cargo bench --bench call             # prints a table
//! cargo bench --bench call -- --check  # and fails when a ratio exceeds its limit
//! ```
//!
//! Allocations are counted by a global allocator. Instructions are counted by valgrind: the
//! benchmark runs itself under `valgrind --tool=callgrind`. The stub server is a separate process,
//! so that its work is not counted.

mod callgrind;
mod counting;
mod server;
mod with_deploykit;
mod with_reqwest;

use std::error::Error;
use std::process::ExitCode;
use tokio::runtime::Runtime;
use with_deploykit::WithDeploykit;
use with_reqwest::WithReqwest;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The operations that are measured.
#[derive(Clone, Copy, PartialEq)]
pub enum Operation {
    Get,
    Create,
    NotFound,
    List,
    NodionList,
    FollowLog,
}

pub struct Case {
    name: &'static str,
    operation: Operation,
    /// Calls per measurement.
    calls: usize,
    /// Units per call, by which the costs are divided: 1, or the lines of a log.
    units: usize,
    /// Maximum ratio of deploykit's instructions to those of the reqwest call.
    limit: f64,
}

const CASES: [Case; 6] = [
    Case {
        name: "edgegap get",
        operation: Operation::Get,
        calls: 200,
        units: 1,
        limit: 1.21,
    },
    Case {
        name: "edgegap create",
        operation: Operation::Create,
        calls: 200,
        units: 1,
        limit: 1.26,
    },
    Case {
        name: "edgegap 404",
        operation: Operation::NotFound,
        calls: 200,
        units: 1,
        limit: 1.39,
    },
    Case {
        name: "edgegap list of 1000",
        operation: Operation::List,
        calls: 4,
        units: 1,
        limit: 1.06,
    },
    Case {
        name: "nodion list of 1000",
        operation: Operation::NodionList,
        calls: 4,
        units: 1,
        limit: 1.06,
    },
    Case {
        name: "dployr log line",
        operation: Operation::FollowLog,
        calls: 1,
        units: server::LOG_LINES,
        limit: 1.9,
    },
];

/// Runs every case, first deploykit and then reqwest, and passes each round to `measure`.
fn run_cases(base_url: &str, mut measure: impl FnMut(&mut dyn FnMut())) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let reqwest = WithReqwest::new(base_url)?;
    let deploykit = WithDeploykit::new(base_url)?;
    for case in &CASES {
        // Warm-up: opens connections and fills caches.
        deploykit_round(&runtime, &deploykit, case, 2)?;
        reqwest_round(&runtime, &reqwest, case, 2)?;
        let mut result = Ok(());
        measure(&mut || result = deploykit_round(&runtime, &deploykit, case, case.calls));
        result?;
        let mut result = Ok(());
        measure(&mut || result = reqwest_round(&runtime, &reqwest, case, case.calls));
        result?;
    }
    Ok(())
}

fn deploykit_round(
    runtime: &Runtime,
    deploykit: &WithDeploykit,
    case: &Case,
    calls: usize,
) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            deploykit.call(case.operation).await?;
        }
        Ok(())
    })
}

fn reqwest_round(
    runtime: &Runtime,
    reqwest: &WithReqwest,
    case: &Case,
    calls: usize,
) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            reqwest.call(case.operation).await?;
        }
        Ok(())
    })
}

/// Cost per unit of each case: deploykit, reqwest.
fn per_unit(totals: &[u64]) -> Result<Vec<(f64, f64)>> {
    if totals.len() != 2 * CASES.len() {
        return Err(format!(
            "{} measurements, expected {}",
            totals.len(),
            2 * CASES.len()
        )
        .into());
    }
    let pairs = CASES.iter().zip(totals.chunks(2));
    Ok(pairs
        .map(|(case, pair)| {
            let units = (case.calls * case.units) as f64;
            (pair[0] as f64 / units, pair[1] as f64 / units)
        })
        .collect())
}

/// Prints the table. Returns the cases whose ratio exceeds the limit.
fn report(instructions: &[(f64, f64)], allocations: &[(f64, f64)]) -> Vec<String> {
    println!(
        "{:<22}{:>14}{:>14}{:>8}{:>8}{:>13}{:>13}",
        "case", "deploykit", "reqwest", "ratio", "limit", "allocations", "reqwest"
    );
    let mut exceeded = Vec::new();
    for ((case, (deploykit, reqwest)), (allocations, reqwest_allocations)) in
        CASES.iter().zip(instructions).zip(allocations)
    {
        let ratio = deploykit / reqwest;
        println!(
            "{:<22}{deploykit:>14.0}{reqwest:>14.0}{ratio:>8.2}{:>8.2}{allocations:>13.1}{reqwest_allocations:>13.1}",
            case.name, case.limit
        );
        if ratio > case.limit {
            exceeded.push(format!("{}: {ratio:.3} > {}", case.name, case.limit));
        }
    }
    exceeded
}

fn compare(check: bool) -> Result<()> {
    let server = server::Process::start()?;
    let mut allocations = Vec::new();
    run_cases(&server.base_url, |round| {
        allocations.push(counting::allocations_of(round));
    })?;
    let instructions = callgrind::instructions(&server.base_url)?;
    let exceeded = report(&per_unit(&instructions)?, &per_unit(&allocations)?);
    if check && !exceeded.is_empty() {
        return Err(format!("ratio over the limit: {}", exceeded.join(", ")).into());
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        [server::SERVE] => server::serve(),
        [callgrind::MEASURE, base_url] => run_cases(base_url, callgrind::measured),
        others => compare(others.contains(&"--check")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
