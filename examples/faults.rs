//! Every fault that a server or a network has, against every kind of operation.
//!
//! `cargo run --example faults` prints a line for each: the outcome, whether the platform possibly
//! acted, how often the request was tried and how many requests arrived, and how long it took by
//! tokio's clock, which jumps over all waiting.

use std::process::ExitCode;

// The same table and the same servers as in the test.
#[allow(dead_code)]
#[path = "../tests/faults/cells/mod.rs"]
mod cells;

fn main() -> ExitCode {
    if cells::run::print_all(&cells::table::faults()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
