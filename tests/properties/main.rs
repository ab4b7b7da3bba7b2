//! What must hold for every reply and every input: on what the specs show, on mutations of it, on
//! generated values, and on the inputs that the fuzz targets keep.

mod checks;
mod chunks;
mod corpus;
mod found;
mod generated;
mod seeds;
#[path = "../support/examples.rs"]
mod specs;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
mod trees;
