//! The main jobs of each platform, from start to end, on the sandbox.

mod dployr;
mod edgegap;
mod nexlayer;
mod nodion;
