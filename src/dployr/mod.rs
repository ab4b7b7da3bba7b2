//! Client for dployr, a platform on your own machines with a hosted or self-hosted control plane.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
//! use deploykit::dployr::{Client, LogOptions, NewDeployment, ServiceType};
//! # let _ = || -> deploykit::Result<Client> {
//! let dployr = Client::builder()
//!     .base_url("https://base.dployr.io")
//!     .token("dpat_…")
//!     .cluster("01M85NWTN0TJ4JW1JXEKRNC9Z2")
//!     .build()?;
//! # Ok(dployr) };
//! # let sandbox = deploykit_sandbox::Sandbox::builder();
//! # let sandbox = sandbox.dployr_dialect(deploykit_sandbox::Dialect::ControlPlane).in_process();
//! # let dployr = sandbox.dployr_builder().cluster(sandbox.dployr_access().cluster_id).build()?;
//! let app = NewDeployment::from_git("my-app", "https://github.com/user/repo")
//!     .kind(ServiceType::Web)
//!     .runtime("nodejs", "20")
//!     .build_cmd("npm install")
//!     .run_cmd("npm start")
//!     .port(3000);
//! let ready = dployr.deploy(app).await?.deployment().wait().await?;
//!
//! let service = dployr.services().find(ready.name).await?;
//! for line in dployr.service(service.id).logs(LogOptions::new().tail(20)).await? {
//!     println!("{line}");
//! }
//! # Ok(()) }
//! ```
//!
//! # Endpoints of real servers
//!
//! The vendor's page documents 26 operations. The open-source control plane has ten of them, and 36
//! more; this client has all of them. If the server lacks the route, the call fails with
//! [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute), and the error names the method to use instead.
//! [`Operation::evidence`](crate::operation::Operation::evidence) shows to which operations a running server
//! responded.
//!
//! Each call sends one request. The exceptions are opt-in: [`Deployments::find`], [`Services::find`],
//! [`ServiceHandle::restart_by_stop_and_start`], [`EnvVariables::rewrite_with`] and
//! [`EnvVariables::rewrite_without`], waits, and the [`tail`](LogOptions::tail) of a log.
//!
//! # Clusters
//!
//! On the control plane, all resources belong to a cluster, and most calls require its id. Set it with
//! `cluster` on the builder, or with `DPLOYR_CLUSTER_ID`. The vendor's page has no clusters.
//!
//! # Responses
//!
//! Responses decode into the same types in every form: bare or in an envelope, in `camelCase` or
//! `snake_case`.
//!
//! Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>

mod api_tokens;
mod client;
mod clusters;
mod deployments;
mod domains;
pub(crate) mod env;
mod events;
mod failures;
mod instances;
mod logs;
pub(crate) mod operations;
mod projects;
mod routes;
pub(crate) mod services;
mod session;
pub(crate) mod shapes;
mod webhooks;

#[doc(no_inline)]
pub use crate::page::Page;
#[doc(inline)]
pub use crate::raw::dployr::enums::{
    ActorKind, ClusterRole, DeploymentSource, DeploymentStatus, DomainState, DomainStatus,
    EventType, InstanceKind, InstanceRole, InstanceStatus, LoginProvider, RouteStatus, Runtime,
    ServiceState, ServiceType,
};
#[doc(inline)]
pub use crate::raw::dployr::types::{
    ApiToken, ChatWebhook, Cluster, ClusterRoles, ClusterUser, ClusterWebhook, CpuMetrics,
    CurrentUser, Deployment, DiskMetrics, DnsRecord, Domain, DomainServing, EmailIntegration,
    EmailIntegrations, EmailNotifications, Event, EventActor, EventTarget, Health, Instance,
    InstanceMetadata, InstanceMetrics, InstanceRegistered, InstanceTask, Integrations, Invited,
    LoadAverage, MemoryMetrics, Metadata, MetricsBucket, MetricsTotals, NewToken,
    NotificationIntegrations, Project, RemoteIntegration, RemoteIntegrations, RoutableService,
    Route, Service, ServiceMetrics, ServiceSecret, ServiceStatus, ServiceUpdated, SwapMetrics,
    Task, User, Versions, Webhook,
};
pub use api_tokens::{ApiTokenHandle, ApiTokens, NewApiToken};
pub use client::{Client, Dployr};
pub use clusters::{ClusterHandle, ClusterUsers, Clusters};
pub use deployments::{
    Deployed, DeploymentHandle, DeploymentUpdate, Deployments, NewDeployment, TaskId,
};
pub use domains::{DomainHandle, Domains, NewDomain};
pub use env::{EnvVariable, EnvVariableHandle, EnvVariables};
pub use events::{EventWindow, Events};
pub use instances::{InstanceHandle, Instances, NewInstance, TaggedInstanceHandle};
pub use logs::{ClusterLogOptions, LogOptions};
pub use projects::{NewProject, ProjectHandle, Projects};
pub use routes::{NewRoute, RoutableServices, RouteHandle, Routes};
pub use services::{ServiceField, ServiceHandle, ServiceSecrets, ServiceUpdate, Services};
pub use session::{CodeSent, LoginSession, TokenPair};
pub use webhooks::{EventData, NewWebhook, WebhookEvent, WebhookSetup, Webhooks};

crate::raw::handle! { dployr }

crate::id::id! {
    /// Id of a dployr cluster: `01M85NWTN0TJ4JW1JXEKRNC9Z2`.
    ClusterId, "cluster id";

    /// Id of a dployr deployment: `01M85NWXQH0M1DQ4109E4PJNZT`.
    DeploymentId, "deployment id";

    /// Id of a dployr service: `01M85NWYM50C3XD23R6MCKYEYQ`.
    ServiceId, "service id";

    /// Id of a dployr instance: `01M85NWTYTS09RTFPRVV8BHHEN`.
    InstanceId, "instance id";

    /// Tag of a dployr instance: `loop-node-1`. Some calls require it instead of the id.
    InstanceTag, "instance tag";

    /// Id of a dployr proxy route.
    RouteId, "route id";

    /// Id of a dployr API token, not its value: `07b5804a-1c6c-426d-a4cf-185c3b8eff9d`.
    ApiTokenId, "API token id";

    /// A domain: `app.example.com`.
    DomainName, "domain";

    /// Id of a dployr project.
    ProjectId, "project id";
}

/// Builds a dployr [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Dployr>;
