//! The life of a deployment on each of the four platforms, on the sandbox: made, waited for, read,
//! looked at, ended, and seen to be gone.
//!
//! `cargo run --example lifecycle`. Times are those of the sandbox, so the intervals are short; leave
//! them out for the real platforms, whose own ones are the default.

mod lifecycles;

use deploykit_sandbox::{Dialect, Sandbox};
use lifecycles::{Addresses, Lifecycles};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = match sandbox.start().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            eprintln!("the sandbox does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let lifecycles = Lifecycles {
        at: Addresses::of(&sandbox),
        sandbox: &sandbox,
        tell: |platform, what| println!("{platform:<9} {what}"),
    };
    let ends = lifecycles.all().await;
    let mut complete = 0;
    for (platform, end) in &ends {
        match end {
            Ok(()) => complete += 1,
            Err(error) => println!("{platform} failed: {error}"),
        }
    }
    println!("{complete} of {} lifecycles complete", ends.len());
    if complete == ends.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
