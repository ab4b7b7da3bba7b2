//! Nodion: apps connected to a git repository or an image.
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! use deploykit::nodion::{Client, DeploymentStatus};
//! let nodion = Client::from_env()?; // NODION_TOKEN, and NODION_PROJECT if need be
//! let application = nodion.application("92955d4f-2e44-4e48-8cb6-9c6c434afebb");
//! let deployment = application.deploy().await?;
//! for earlier in application.deployments().await? {
//!     if earlier.status == DeploymentStatus::Available {
//!         println!("{} is live", earlier.deploy_number);
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! Deploying and restarting are the same call here: it fetches the latest commit of the connected
//! branch, or the image, and starts it. It is not idempotent: see
//! [`find_created_after`](Application::find_created_after) for a call without an answer.
//!
//! Source: <https://www.nodion.com/en/docs/api/application-deployments/>

mod applications;
mod classify;
mod client;
pub(crate) mod operations;

pub use crate::raw::nodion::enums::DeploymentStatus;
pub use crate::raw::nodion::types::Deployment;
pub use applications::Application;
pub use client::{Client, Nodion};

crate::id::id! {
    /// The id of a Nodion application, a UUID: `92955d4f-2e44-4e48-8cb6-9c6c434afebb`.
    ApplicationId, "application id"
}

/// Sets up a Nodion [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Nodion>;
