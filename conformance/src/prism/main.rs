//! The checks with Prism: as a validating proxy between the client and the sandbox, and as a server
//! in the place of the platforms.
//!
//! `conformance/prism` installs Prism and starts this program; it prints one line per check.

#![forbid(unsafe_code)]

mod kinds;
#[path = "../../../examples/lifecycle/life.rs"]
mod life;
mod mock;
mod process;
mod proxy;
mod report;
mod spec;
mod tap;
mod walk;

use report::Report;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [part, cli] = arguments.as_slice() else {
        eprintln!("usage: prism proxy|mock PRISM_CLI; conformance/prism installs Prism");
        return ExitCode::from(2);
    };
    let checks = async {
        let mut report = Report::default();
        let cli = Path::new(cli);
        let done = match part.as_str() {
            "proxy" => proxy::check(cli, &mut report).await,
            "mock" => mock::check(cli, &mut report).await,
            other => Err(format!("there is no part {other}").into()),
        };
        if let Err(error) = done {
            report.check(format!("prism {part}"), &[error.to_string()]);
        }
        report.holds()
    };
    // A signal must not leave a Prism behind: what is dropped here ends them.
    let stopped = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        holds = checks => if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE },
        _ = stopped => ExitCode::FAILURE,
    }
}
