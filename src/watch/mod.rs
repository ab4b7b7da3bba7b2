//! Phases of deployments, and watching many deployments of one platform.
//!
//! All platforms share the [`Phase`] of a deployment and the [`Observation`] of one. There is no common
//! interface of deployments: the same call made twice redeploys on Nexlayer and dployr, restarts on
//! Nodion, and starts a second server that costs money on Edgegap.
//!
//! [`Watcher`] watches many deployments of one platform with one list request for all of them. To wait
//! for several at once, use `futures::future::join_all`.

mod watcher;

pub use crate::phase::{Observation, Phase};
pub use crate::wait::{Progress, Wait};
pub(crate) use watcher::Fleet;
pub use watcher::{Change, Watcher};
