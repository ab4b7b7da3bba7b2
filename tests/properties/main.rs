//! What holds for every reply and every input: for the examples of the specs, changed in places, for
//! generated values, and for the inputs that the fuzz targets keep.

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
