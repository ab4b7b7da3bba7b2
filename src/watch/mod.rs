//! A common view of deployments on all platforms.
//!
//! There is no common *create*: the same call made twice redeploys on Nexlayer and dployr, restarts on
//! Nodion, and starts a second server that costs money on Edgegap. Existing deployments share a life
//! cycle: a [`Phase`], an [`Observation`] of it, and the trait [`Deployment`], which all handles of
//! this crate implement.
//!
#![cfg_attr(
    all(feature = "edgegap", feature = "nodion"),
    doc = r##"
```no_run
# async fn example(edgegap: deploykit::edgegap::Client, nodion: deploykit::nodion::Client) -> deploykit::Result<()> {
use deploykit::watch::Deployment;

let all: Vec<Box<dyn Deployment>> = vec![
    Box::new(edgegap.deployment("c0653765de3b")),
    Box::new(nodion.application("92955d4f-2e44-4e48-8cb6-9c6c434afebb").deployment("c3f85434-5470-46de-bbeb-ce668ca2c351")),
];
for deployment in &all {
    let seen = deployment.wait().await?;
    println!("{} {}: {seen}", deployment.platform(), deployment.id());
}
# Ok(()) }
```
"##
)]
//!
//! To wait for several at once, use `futures::future::join_all`. For many deployments of one platform
//! there is [`Watcher`], which sends one list request for all of them.

mod deployment;
mod watcher;

pub use crate::phase::{Observation, Phase};
pub use deployment::{Deployment, Support, Way};
pub(crate) use deployment::{Watched, unsupported};
pub use watcher::{Change, Watcher};
pub(crate) use watcher::{Fleet, Listed};
