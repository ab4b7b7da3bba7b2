//! dployr: a platform on your own machines, with a hosted or self-hosted control plane.
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! use deploykit::dployr::{Client, NewDeployment, ServiceType};
//! let dployr = Client::builder()
//!     .base_url("https://base.dployr.io")
//!     .token("dpat_…")
//!     .cluster("01M85NWTN0TJ4JW1JXEKRNC9Z2")
//!     .build()?;
//! let app = NewDeployment::from_git("my-app", "https://github.com/user/repo")
//!     .kind(ServiceType::Web)
//!     .runtime("nodejs", "20")
//!     .build_cmd("npm install")
//!     .run_cmd("npm start")
//!     .port(3000);
//! dployr.deployments().create(app).await?;
//!
//! for service in dployr.services().list().all().await? {
//!     let mut lines = dployr.service(&service.id).follow_logs().await?;
//!     while let Some(line) = lines.next().await {
//!         println!("{}", line?.message);
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! # Endpoints of real servers
//!
//! The vendor's page documents 26 operations, and this client has all of them. No known server has all
//! of them: the open-source control plane has ten, and answers the others with
//! [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute). The docs of each method say so, and
//! [`Operation::evidence`](crate::operation::Operation) says it for programs.
//!
//! Four calls fall back to equivalent ones: reading a deployment, setting and removing a variable, and
//! restarting a service. Their replies say so in [`Via`], and `without_fallbacks` on the builder turns
//! it off. The calls that only the control plane has are here, too.
//!
//! # Clusters
//!
//! The vendor's page does not mention clusters. The control plane keeps everything in a cluster and
//! refuses most calls that do not name it: set it with `cluster` on the builder or with
//! `DPLOYR_CLUSTER_ID`.
//!
//! # Replies
//!
//! Replies come bare or in an envelope, in `camelCase` or `snake_case`. All forms decode into the same
//! types.
//!
//! Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>

mod client;
mod clusters;
mod deployments;
mod domains;
pub(crate) mod env;
mod events;
mod failures;
mod fallback;
mod handle;
mod instances;
mod logs;
pub(crate) mod operations;
mod projects;
mod routes;
mod server;
pub(crate) mod service_update;
mod services;
mod sessions;
pub(crate) mod shapes;
mod task;
mod tokens;
mod wait;
mod webhook_event;
mod webhooks;

pub use crate::page::Page;
pub use crate::raw::dployr::enums::{
    ActorKind, ClusterRole, DeploymentSource, DeploymentStatus, DomainState, DomainStatus,
    EventType, InstanceKind, InstanceRole, InstanceStatus, LoginProvider, RouteStatus, Runtime,
    ServiceState, ServiceType,
};
pub use crate::raw::dployr::types::{
    ApiToken, ChatWebhook, Cluster, ClusterRoles, ClusterUser, ClusterWebhook, CpuMetrics, Created,
    CurrentUser, Deployment, DiskMetrics, DnsRecord, Domain, DomainServing, EmailNotifications,
    Event, EventActor, EventTarget, Health, Instance, InstanceMetadata, InstanceMetrics,
    InstanceRegistered, InstanceTask, Integrations, Invited, LoadAverage, MemoryMetrics,
    MetricsBucket, MetricsTotals, NewToken, NotificationIntegrations, Project, RemoteIntegration,
    RemoteIntegrations, RoutableService, Route, Service, ServiceMetrics, ServiceSecret,
    ServiceStatus, ServiceUpdated, SwapMetrics, Task, User, Versions, Webhook,
};
pub use client::{Client, Dployr};
pub use clusters::{ClusterUsers, Clusters};
pub use deployments::{DeploymentUpdate, Deployments, NewDeployment};
pub use domains::{Domains, NewDomain};
pub use env::{EnvVariable, ServiceEnv};
pub use events::{EventWindow, Events};
pub use fallback::{Routed, Via};
pub use handle::Handle;
pub use instances::{Instances, NewInstance};
pub use logs::LogQuery;
pub use projects::{NewProject, Projects};
pub use routes::{NewRoute, Routes};
pub use service_update::{ServiceField, ServiceUpdate};
pub use services::Services;
pub use sessions::{CodeSent, Session, TokenPair};
pub use task::TaskId;
pub use tokens::{ApiTokens, NewApiToken};
pub use webhook_event::{EventData, WebhookEvent};
pub use webhooks::{NewWebhook, WebhookSetup, Webhooks};

crate::id::id! {
    /// The id of a dployr cluster: `01M85NWTN0TJ4JW1JXEKRNC9Z2`.
    ClusterId, "cluster id"
}

crate::id::id! {
    /// The id of a dployr deployment: `01M85NWXQH0M1DQ4109E4PJNZT`.
    DeploymentId, "deployment id"
}

crate::id::id! {
    /// The id of a dployr service: `01M85NWYM50C3XD23R6MCKYEYQ`.
    ServiceId, "service id"
}

crate::id::id! {
    /// The id of a dployr instance: `01M85NWTYTS09RTFPRVV8BHHEN`.
    InstanceId, "instance id"
}

crate::id::id! {
    /// The tag of a dployr instance, which some calls take instead of its id: `loop-node-1`.
    InstanceTag, "tag of an instance"
}

crate::id::id! {
    /// The id of a route of dployr's proxy.
    RouteId, "route id"
}

crate::id::id! {
    /// The id of a dployr API token, which is not the token: `07b5804a-1c6c-426d-a4cf-185c3b8eff9d`.
    ApiTokenId, "id of the API token"
}

crate::id::id! {
    /// A domain: `app.example.com`.
    DomainName, "domain"
}

crate::id::id! {
    /// The id of a dployr project.
    ProjectId, "project id"
}

/// A handle on a cluster; made by [`Clusters::by_id`].
pub type ClusterHandle = Handle<ClusterId>;

/// A handle on a deployment; made by [`Client::deployment`].
pub type DeploymentHandle = Handle<DeploymentId>;

/// A handle on a service; made by [`Client::service`].
pub type ServiceHandle = Handle<ServiceId>;

/// A handle on an instance; made by [`Client::instance`].
pub type InstanceHandle = Handle<InstanceId>;

/// A handle on an instance by its tag; made by [`Client::node`].
pub type NodeHandle = Handle<InstanceTag>;

/// A handle on a route; made by [`Client::route`].
pub type RouteHandle = Handle<RouteId>;

/// A handle on an API token; made by [`Client::api_token`].
pub type ApiTokenHandle = Handle<ApiTokenId>;

/// A handle on a domain; made by [`Client::domain`].
pub type DomainHandle = Handle<DomainName>;

/// A handle on a project; made by [`Client::project`].
pub type ProjectHandle = Handle<ProjectId>;

/// Builder of a dployr [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Dployr>;
