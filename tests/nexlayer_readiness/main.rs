//! Readiness of a Nexlayer application: signals, and the request to the site.
#![cfg(feature = "nexlayer")]

mod script;
mod signals;
mod site;
#[path = "../support/mod.rs"]
mod support;
