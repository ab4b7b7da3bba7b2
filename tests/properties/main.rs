//! What must hold for every reply and every input: on what the specs show, on mutations of it, on
//! generated values, and on the inputs that the fuzz targets keep.
#![cfg(all(
    feature = "dployr",
    feature = "edgegap",
    feature = "nexlayer",
    feature = "nodion"
))]

mod checks;
mod chunks;
mod corpus;
mod found;
mod generated;
mod seeds;
mod strangers;
mod trees;
