//! Property tests of every response and every input.
//!
//! The cases are generated values, modified examples of the specs, and the corpus of the fuzz targets.

mod checks;
mod corpus;
mod inputs;
mod manifests;
mod replies;
#[path = "../support/examples.rs"]
mod specs;
#[path = "../support/mod.rs"]
mod support;
mod values;
