//! Edgegap: game servers near their players.
//!
//! ```no_run
//! # async fn example() -> deploykit::Result<()> {
//! use deploykit::edgegap::{Client, NewDeployment, User};
//! let edgegap = Client::from_env()?; // EDGEGAP_TOKEN, with or without "token "
//! let players = [User::ip([75, 28, 35, 192].into()), User::coordinates(45.508888, -73.561668)];
//! let new = NewDeployment::for_users("my-app", "25.05.30", players)
//!     .env("MODE", "ranked")
//!     .hidden_env("RCON_PASSWORD", "hush")
//!     .tag("eu");
//! let accepted = edgegap.deploy(new).await?;
//! println!("{}", accepted.request_id);
//! # Ok(()) }
//! ```
//!
//! Every accepted request is one more billable server, and there is no idempotency key: a call that
//! ends without an answer may have started one ([`Error::effect`](crate::Error::effect)):
//! [`Deployments::find_created`] tells. A 422
//! means that no server could be allocated; the deployment exists all the same, in an error state,
//! and [`Error::resource_id`](crate::Error::resource_id) names it.
//!
//! Source: <https://docs.edgegap.com/docs/api>

mod classify;
mod client;
mod deploy;
mod deployment;
mod deployments;
mod metrics;
pub(crate) mod operations;
mod ports;
mod stop;
mod user;

pub use crate::page::Page;
pub use crate::raw::edgegap::enums::{DeploymentStatus, UserType};
pub use crate::raw::edgegap::types::{
    ContainerLogs, CrashData, Deployment, DeploymentMetrics, DeploymentSummary, Location,
    MetricSeries, MetricTotals, NetworkMetrics, Port, Ports,
};
pub use client::{Client, Edgegap};
pub use deploy::{Accepted, NewDeployment, NewFleetDeployment};
pub use deployment::DeploymentHandle;
pub use deployments::Deployments;
pub use metrics::Metrics;
pub use stop::{LogStorage, StopOutcome, Stopped};
pub use user::User;

crate::id::id! {
    /// The id of an Edgegap deployment, which Edgegap calls its request id: `a69f8e3e0555`.
    RequestId, "request id"
}

/// Sets up an Edgegap [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Edgegap>;
