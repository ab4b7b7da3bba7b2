//! Checks the client, the sandbox and the specs with third-party tools.
//!
//! The scripts in this folder install and start the tools, and run this program. It prints one line per
//! check.

#![forbid(unsafe_code)]

mod calls;
mod nginx;
mod prism;
mod report;
mod wiremock;
#[path = "../../build/yaml.rs"]
mod yaml;

use report::Report;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The servers of `conformance/faults`.
struct Servers {
    wiremock: String,
    nginx: String,
    /// nginx's access log: status, method and path of each request.
    access_log: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut report = Report::default();
    let checks = async {
        if let Err(error) = check(&mut report).await {
            report.check("the run completes", &[error.to_string()]);
        }
        report.finish()
    };
    // SIGTERM drops `checks`, which kills all Prism processes.
    let stopped = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        all_hold = checks => if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE },
        _ = stopped => ExitCode::FAILURE,
    }
}

async fn check(report: &mut Report) -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["faults", wiremock, nginx, access_log] => {
            let servers = Servers {
                wiremock: wiremock.to_owned(),
                nginx: nginx.to_owned(),
                access_log: access_log.into(),
            };
            // Sequential: the nginx checks measure time.
            wiremock::check(&servers, report).await?;
            nginx::check(&servers, report).await
        }
        ["prism", "proxy", cli] => prism::proxy::check(Path::new(cli), report).await,
        ["prism", "mock", cli] => prism::mock::check(Path::new(cli), report).await,
        _ => Err("usage: conformance faults WIREMOCK NGINX LOG | prism proxy|mock CLI".into()),
    }
}
