//! Checks the specs of deploykit, with the code that also generates the raw clients.

#![forbid(unsafe_code)]

#[path = "../../build/mod.rs"]
pub mod build;
pub mod check;
pub mod coverage;
pub mod drift;
pub mod outline;
pub mod surface;
pub mod wrappers;
