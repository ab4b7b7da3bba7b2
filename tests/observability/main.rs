//! Reports about calls: one `tracing` span per call, and the observer of a client.

mod reports;
mod spans;
#[path = "../support/mod.rs"]
mod support;
