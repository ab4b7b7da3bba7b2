//! One view of what runs, whichever platform it runs on.
//!
//! There is no neutral *create*: the same call made twice deploys anew on Nexlayer and dployr, restarts
//! on Nodion, and starts a second server that costs money on Edgegap. What exists already has a life in
//! common, and that is what this module is about: a [`Phase`], and an [`Observation`] of it.

mod phase;
mod report;

pub use phase::{Observation, Phase};
pub(crate) use report::WaitReport;
