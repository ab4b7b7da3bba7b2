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
//! let server = edgegap.deploy(new).await?.deployment();
//! let ready = server.wait().await?;
//! println!("{}", ready.endpoint("gameport")?);
//! # Ok(()) }
//! ```
//!
//! [`Client::deployment`] is a handle on what was started: its status, logs, metrics, tags, and its end.
//! [`Client::deployments`] lists what there is, by [`Filter`]; [`Deployments::stop_matching`] ends all that
//! match; a server ends itself by [`SelfStop`]. What the platform sends to a URL of yours is a
//! [`WebhookEvent`].
//!
//! Every accepted request is one more billable server, and there is no idempotency key: a call that
//! ends without an answer may have started one ([`Error::effect`](crate::Error::effect)):
//! [`Deployments::find_created`] tells. A 422
//! means that no server could be allocated; the deployment exists all the same, in an error state,
//! and [`Error::resource_id`](crate::Error::resource_id) names it.
//!
//! Source: <https://docs.edgegap.com/docs/api>

mod applications;
mod client;
mod deploy;
mod deployment_filter;
mod deployments;
mod failures;
mod fleets;
mod locations;
mod logs;
mod metrics;
pub(crate) mod operations;
pub(crate) mod shapes;
mod stop;
mod tags;
mod webhooks;

pub use crate::page::Page;
pub use crate::raw::edgegap::enums::{DeploymentStatus, HostStatus, UserType};
pub use crate::raw::edgegap::types::{
    Application, ApplicationVersion, BulkStopAccepted, ContainerLogs, CrashData, DeleteSchedule,
    Deployment, DeploymentMetrics, DeploymentSummary, Host, HostBeacon, HostCentroid,
    HostSpecifications, Location, MetricSeries, MetricTotals, NetworkMetrics, Port, Ports,
    Processable, Tag, VersionPort, VersionVariable,
};
pub use applications::{ApplicationHandle, Applications, Versions};
pub use client::{Client, Edgegap};
pub use deploy::{Deployed, NewDeployment, NewFleetDeployment, User};
pub use deployment_filter::{Filter, Match, Order};
pub use deployments::{DeploymentHandle, Deployments};
pub use fleets::{FleetHandle, Hosts};
pub use locations::Locations;
pub use metrics::Metrics;
pub use stop::{LogStorage, SelfStop, StopFilter, StopOutcome, Stopped};
pub use tags::{TagHandle, Tags};
pub use webhooks::{WebhookEvent, WebhookKind};

crate::id::id! {
    /// The id of an Edgegap deployment, which Edgegap calls its request id: `a69f8e3e0555`.
    ///
    /// A record in a reply has it as the platform wrote it, as text, so that one that is malformed does
    /// not fail a whole list. All that takes an id takes that text, and checks it.
    RequestId, "request id"
}

crate::id::id! {
    /// The name of an Edgegap application.
    ApplicationName, "application name"
}

crate::id::id! {
    /// The name of a private fleet.
    FleetName, "fleet name"
}

crate::id::id! {
    /// The name of a tag of an Edgegap deployment.
    TagName, "tag"
}

/// Sets up an Edgegap [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Edgegap>;
