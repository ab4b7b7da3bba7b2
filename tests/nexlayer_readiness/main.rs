//! How readiness of a Nexlayer application is determined, and the requests to its site.
#![cfg(feature = "nexlayer")]

mod script;
mod signals;
mod site;
#[path = "../support/mod.rs"]
mod support;
