//! Readiness of a Nexlayer application: its signals, and the request to its site.
#![cfg(feature = "nexlayer")]

mod script;
mod signals;
mod site;
#[path = "../support/mod.rs"]
mod support;
