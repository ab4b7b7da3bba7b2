//! The lifecycle of a deployment on each platform, against the sandbox.

mod dployr;
mod edgegap;
mod nexlayer;
mod nodion;
