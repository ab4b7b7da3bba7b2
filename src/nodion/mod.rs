//! Nodion: applications from a Git repository or an image.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
//! use deploykit::nodion::Client;
//!
//! # let _ = || -> deploykit::Result<Client> {
//! let nodion = Client::from_env()?; // NODION_TOKEN and, if needed, NODION_PROJECT
//! # Ok(nodion) };
//! # let sandbox = deploykit_sandbox::Sandbox::builder().in_process();
//! # let nodion = sandbox.nodion()?;
//! let application = nodion.application("92955d4f-2e44-4e48-8cb6-9c6c434afebb");
//! # let application = nodion.application(sandbox.nodion_access().application_id);
//! let deployed = application.deploy().await?;
//! let live = deployed.deployment().wait().await?;
//! println!("deployment {} is live", live.deploy_number);
//! # Ok(()) }
//! ```
//!
//! [`deploy`](ApplicationHandle::deploy) deploys the latest commit of the connected branch, or the
//! image. To restart an application, redeploy it.
//!
//! Deploying is not idempotent: each call creates another deployment. After an error with
//! [`Effect::Unknown`](crate::Effect::Unknown), call [`Deployments::find_created`] before you retry.
//!
//! Nodion does not document all responses. A method with an undocumented response returns an `Option`,
//! which is `None` if the response contains no record.
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

#[doc(no_inline)]
pub use crate::page::Page;
#[doc(inline)]
pub use crate::raw::nodion::enums::{DeploymentStatus, ResourceStatus};
#[doc(inline)]
pub use crate::raw::nodion::types::{
    Application, Deployment, Domain, EnvVariable, Instance, InstanceType, Process, ProcessPort,
    Region, ScalingEvent, Worker,
};
pub use applications::{
    ApplicationHandle, ApplicationUpdate, Applications, Branch, ChildHandle, NewApplication,
};
pub use client::{Client, Nodion};
pub use deployments::{Deployed, DeploymentHandle, Deployments};
pub use domains::{DomainHandle, Domains};
pub use env::{EnvVariableHandle, EnvVariableUpdate, EnvVariables, NewEnvVariable};
pub use instances::{InstanceTypes, Instances};
pub use logs::LogOptions;
pub use regions::Regions;
pub use scaling::{ProcessHandle, Processes, Scaling, ScalingEvents};
pub use shapes::ExternalId;

crate::raw::handle! { nodion }

crate::id::id! {
    /// Id of an application, a UUID: `92955d4f-2e44-4e48-8cb6-9c6c434afebb`.
    ApplicationId, "application id";

    /// Id of a deployment, a UUID: `c3f85434-5470-46de-bbeb-ce668ca2c351`.
    DeploymentId, "deployment id";

    /// Id of a domain, a UUID: `b37f41cb-81f9-4396-9163-4ad09b8ae203`.
    DomainId, "domain id";

    /// Id of an environment variable, a UUID: `0cff843a-2487-4fba-9e50-fb4ef68191e2`.
    EnvVariableId, "variable id";

    /// Id of an instance, a UUID: `0b7f0720-e235-4d39-9e67-601c34e8253c`.
    InstanceId, "instance id";

    /// Id of an instance type, a UUID: `c047eab3-7574-44f5-b25a-5ae9b490500c`.
    InstanceTypeId, "instance type id";

    /// Id of a process, a UUID: `d4e5f6a7-b8c9-0123-defa-234567890123`.
    ProcessId, "process id";

    /// Id of a region, a UUID: `428d037e-9ba6-4dab-92bd-8d816c523126`.
    RegionId, "region id";

    /// Id of a scaling event, a UUID: `8f8da93f-9dfe-4857-8977-76c32c04f931`.
    ScalingEventId, "scaling event id";

    /// Id of a worker, a UUID: `62dc41e5-df5b-45b1-86d7-625e7102b3dc`.
    WorkerId, "worker id";
}

/// Builds a Nodion [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Nodion>;
