//! The lifecycle of a deployment on each platform of the sandbox.

mod dployr;
mod edgegap;
mod nexlayer;
mod nodion;
