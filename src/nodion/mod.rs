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
//! [`find_created_after`](ApplicationHandle::find_created_after) for a call without an answer.
//!
//! Around an application there are its [logs](ApplicationHandle::logs), its
//! [variables](ApplicationHandle::env), what it [runs on](ApplicationHandle::scale) and its
//! [domains](ApplicationHandle::domains). What none of these pages describes whole is read leniently:
//! a call whose answer is not known gives an `Option`.
//!
//! Source: <https://www.nodion.com/en/docs/api/application-deployments/>

mod applications;
mod client;
mod deployments;
mod domains;
mod env;
mod failures;
mod instances;
mod logs;
pub(crate) mod operations;
mod regions;
mod scaling;
pub(crate) mod shapes;

pub use crate::page::Page;
pub use crate::raw::nodion::enums::{DeploymentStatus, ResourceStatus};
pub use crate::raw::nodion::types::{
    Application, Deployment, Domain, EnvVariable, Instance, InstanceType, Process, ProcessPort,
    Region, ScalingEvent, Worker,
};
pub use applications::{ApplicationHandle, Applications, Branch, NewApplication};
pub use client::{Client, Nodion};
pub use deployments::DeploymentHandle;
pub use domains::{DomainHandle, Domains};
pub use env::{EnvVariableHandle, EnvVariableUpdate, EnvVariables, NewEnvVariable};
pub use logs::LogWindow;
pub use scaling::{ProcessHandle, Scaling};
pub use shapes::ExternalId;

crate::id::id! {
    /// The id of a Nodion application, a UUID: `92955d4f-2e44-4e48-8cb6-9c6c434afebb`.
    ApplicationId, "application id"
}

crate::id::id! {
    /// The id of a deployment, a UUID: `c3f85434-5470-46de-bbeb-ce668ca2c351`.
    DeploymentId, "deployment id"
}

crate::id::id! {
    /// The id of a domain, a UUID: `b37f41cb-81f9-4396-9163-4ad09b8ae203`.
    DomainId, "domain id"
}

crate::id::id! {
    /// The id of an environment variable, a UUID: `0cff843a-2487-4fba-9e50-fb4ef68191e2`.
    EnvVariableId, "variable id"
}

crate::id::id! {
    /// The id of a process, a UUID: `d4e5f6a7-b8c9-0123-defa-234567890123`.
    ProcessId, "process id"
}

/// Sets up a Nodion [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Nodion>;
