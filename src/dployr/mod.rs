//! dployr: a platform on machines of your own, through a control plane that is hosted or self-hosted.
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
//! let services = dployr.services().list().await?;
//! for service in &services.items {
//!     let mut lines = dployr.service(&service.id).follow_logs().await?;
//!     while let Some(line) = lines.next().await {
//!         println!("{}", line?.message);
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! # What servers really have
//!
//! The vendor's page describes 26 operations, and this client has all of them. No server is known
//! that has all of them too: the open-source control plane knows ten. For the others it answers
//! with [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute), and each method here says whether that is
//! to be expected. [`Operation::evidence`](crate::Operation) says it for programs.
//!
//! # Clusters
//!
//! The page does not know clusters. The control plane keeps everything in one and refuses most calls
//! that do not name it: give it to the client once, with `cluster` on its builder or in
//! `DPLOYR_CLUSTER_ID`.
//!
//! # Replies
//!
//! They come bare or in one of several envelopes, in `camelCase` or `snake_case`. All of that is read
//! into the same types.
//!
//! Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>

mod auth;
mod classify;
mod client;
mod deployments;
pub(crate) mod env;
pub(crate) mod envelope;
mod find;
mod fold;
mod instances;
mod log_connection;
mod log_lines;
mod log_read;
mod log_source;
mod logs;
pub(crate) mod operations;
mod projects;
mod proxy;
mod services;
mod webhooks;

pub use crate::page::Page;
pub use crate::raw::dployr::enums::{
    DeploymentSource, DeploymentStatus, InstanceKind, InstanceRole, InstanceStatus, LogLevel,
    LogSource, RouteStatus, Runtime, ServiceState, ServiceType,
};
pub use crate::raw::dployr::types::{
    CpuMetrics, Created, Deployment, DiskMetrics, Instance, InstanceMetadata, InstanceMetrics,
    LoadAverage, LogLine, MemoryMetrics, Project, Route, Service, ServiceStatus, SwapMetrics, Task,
    Webhook,
};
pub use auth::TokenPair;
pub use client::{Client, Dployr};
pub use deployments::{DeploymentHandle, DeploymentUpdate, Deployments, NewDeployment};
pub use env::{EnvVariable, ServiceEnv};
pub use instances::{InstanceHandle, Instances};
pub use projects::{NewProject, ProjectHandle, Projects};
pub use proxy::{NewRoute, RouteHandle, Routes};
pub use services::{ServiceHandle, Services};
pub use webhooks::{NewWebhook, Webhooks};

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
    /// The id of a route of dployr's proxy.
    RouteId, "route id"
}

crate::id::id! {
    /// The id of a dployr project.
    ProjectId, "project id"
}

/// The log of a service as it comes.
pub type LogStream = crate::LogStream<LogLine>;

/// Sets up a dployr [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Dployr>;
