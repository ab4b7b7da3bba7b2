//! Readiness of a Nexlayer application from start to end, and the requests to its site.
#![cfg(feature = "nexlayer")]

mod script;
mod signals;
mod site;
#[path = "../support/mod.rs"]
mod support;
