//! The life of a Nexlayer application from its start to its end: by which signals it is seen, and what
//! is sent to its site.
#![cfg(feature = "nexlayer")]

mod sandbox;
mod script;
mod signals;
mod site;
#[path = "../support/mod.rs"]
mod support;
