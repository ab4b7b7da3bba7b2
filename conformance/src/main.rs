//! The fault checks: the client's calls against a WireMock and an nginx that run already.
//!
//! `conformance/faults` starts both servers and this program; it prints one line per check.

#![forbid(unsafe_code)]

mod call;
mod nginx;
mod report;
mod table;
mod wiremock;

use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Where the servers are.
struct Servers {
    wiremock: String,
    nginx: String,
    /// One line per request that nginx answered: status, method, path.
    access_log: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [wiremock, nginx, access_log] = arguments.as_slice() else {
        eprintln!(
            "usage: faults WIREMOCK_URL NGINX_URL ACCESS_LOG; conformance/faults starts all three"
        );
        return ExitCode::from(2);
    };
    let servers = Servers {
        wiremock: wiremock.clone(),
        nginx: nginx.clone(),
        access_log: access_log.into(),
    };
    let mut report = Report::default();
    // One after the other: the checks on nginx count time.
    let done = async {
        wiremock::check(&servers, &mut report).await?;
        nginx::check(&servers, &mut report).await
    };
    if let Err(error) = done.await {
        report.check("the checks", false, format!("stopped: {error}"));
    }
    if report.finish() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
