//! One view of what runs, whichever platform it runs on.
//!
//! There is no neutral *create*: the same call made twice deploys anew on Nexlayer and dployr, restarts
//! on Nodion, and starts a second server that costs money on Edgegap. What exists already has a life in
//! common, and that is what this module is about: a [`Phase`], an [`Observation`] of it, and
//! [`Deployment`], which every handle of this crate on something that runs is.
//!
#![cfg_attr(
    all(feature = "edgegap", feature = "nodion"),
    doc = r##"
```no_run
# async fn example(edgegap: deploykit::edgegap::Client, nodion: deploykit::nodion::Client) -> deploykit::Result<()> {
use deploykit::watch::{Deployment, wait_all};

let all: Vec<Box<dyn Deployment>> = vec![
    Box::new(edgegap.deployment("c0653765de3b")),
    Box::new(nodion.application("92955d4f-2e44-4e48-8cb6-9c6c434afebb").deployment("c3f85434-5470-46de-bbeb-ce668ca2c351")),
];
for (deployment, end) in all.iter().zip(wait_all(&all).await) {
    match end {
        Ok(seen) => println!("{} {}: {seen}", deployment.platform(), deployment.id()),
        Err(error) => println!("{error}"),
    }
}
# Ok(()) }
```
"##
)]
//!
//! `wait_all` asks for each by itself. For many of one platform there is a `Watcher`, which costs one
//! list for all of them.

mod all;
mod deployment;
mod known;
mod many;
mod phase;
mod report;

pub use all::{WaitAll, wait_all};
pub use deployment::{Deployment, Support, Way};
pub(crate) use deployment::{Watched, unsupported};
pub use many::{Change, Watcher};
pub(crate) use many::{Fleet, Listed};
pub use phase::{Observation, Phase};
pub(crate) use report::WaitReport;
