//! Deploys on each of the four platforms, waits, reads logs, removes the deployment and checks that it is
//! gone.
//!
//! `cargo run --example lifecycle` runs against the sandbox, so the poll intervals are short. Omit them on
//! real platforms to use the defaults.

mod lifecycles;

use deploykit_sandbox::{Dialect, Sandbox};
use lifecycles::{BaseUrls, Lifecycles};
use std::io::Write;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = match sandbox.start().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            eprintln!("cannot start the sandbox: {error}");
            return ExitCode::FAILURE;
        }
    };
    let lifecycles = Lifecycles {
        base_urls: BaseUrls::of(&sandbox),
        sandbox: &sandbox,
        print: |platform, event| print_line(&format!("{platform:<9} {event}")),
    };
    let results = lifecycles.all().await;
    let mut complete = 0;
    for (platform, result) in &results {
        match result {
            Ok(()) => complete += 1,
            Err(error) => print_line(&format!("{platform} failed: {error}")),
        }
    }
    print_line(&format!(
        "{complete} of {} lifecycles complete",
        results.len()
    ));
    if complete == results.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints a line. A closed pipe does not end the program, because deployments have to be removed.
fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
