//! Edgegap: game servers close to their players.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
//! use deploykit::edgegap::{Client, NewDeployment, User};
//! # let _ = || -> deploykit::Result<Client> {
//! let edgegap = Client::from_env()?; // EDGEGAP_TOKEN, with or without "token "
//! # Ok(edgegap) };
//! # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
//! let players = [User::ip([75, 28, 35, 192].into()), User::coordinates(45.508888, -73.561668)];
//! let new = NewDeployment::for_users("my-app", "25.05.30-16.45.19-04", players)
//!     .env("MODE", "ranked")
//!     .hidden_env("RCON_PASSWORD", "hush")
//!     .tag("eu");
//! let server = edgegap.deploy(new).await?.deployment();
//! let ready = server.wait().await?;
//! println!("{}", ready.endpoint("gameport")?);
//! # Ok(()) }
//! ```
//!
//! - [`Client::deploy`] deploys a server; [`Client::deploy_to_fleet`] prefers hosts of a private fleet.
//!   [`Client::deploy_once`] survives lost responses.
//! - [`Client::deployment`] is a handle on one deployment: get, wait, stop, logs, metrics, tags.
//! - [`Client::deployments`] lists deployments by [`Filter`], and stops those that match a
//!   [`StopFilter`].
//! - [`Client::applications`] and [`ApplicationHandle::versions`] publish builds; [`Client::image`] lists and
//!   deletes the tags of an image.
//! - [`SelfStop`] stops the deployment that the program runs in.
//! - [`WebhookEvent`] parses the webhook requests of the platform.
//!
//! Deploying is not idempotent: each accepted request starts another billable server. After an error with
//! [`Effect::Unknown`](crate::Effect::Unknown), call [`Deployments::find_created`] before you retry, or use
//! [`Client::deploy_once`]. A 422 means that no server was available: the failed deployment exists, and
//! [`Error::resource_id`](crate::Error::resource_id) is its id.
//!
//! Source: <https://docs.edgegap.com/docs/api>

mod applications;
mod client;
mod deploy;
mod deployment_filter;
mod deployments;
mod failures;
mod fleets;
mod image_tags;
mod locations;
mod logs;
mod metrics;
pub(crate) mod operations;
pub(crate) mod shapes;
mod stop;
mod tags;
mod versions;
mod webhooks;

#[doc(no_inline)]
pub use crate::page::Page;
#[doc(inline)]
pub use crate::raw::edgegap::enums::{
    DeploymentStatus, HostStatus, PortProtocol, RestartPolicy, UserType,
};
#[doc(inline)]
pub use crate::raw::edgegap::types::{
    Application, ApplicationVersion, BulkStopAccepted, ContainerLogs, CrashData, DeleteSchedule,
    Deployment, DeploymentMetrics, DeploymentSummary, Host, HostBeacon, HostCentroid,
    HostSpecifications, ImageArtifact, ImageTag, ImageTagDeleted, Location, MetricSeries,
    MetricTotals, NetworkMetrics, Port, Ports, Processable, Tag, VersionPort, VersionVariable,
};
pub use applications::{ApplicationHandle, ApplicationUpdate, Applications, NewApplication};
pub use client::{Client, Edgegap};
pub use deploy::{Deployed, NewDeployment, NewFleetDeployment, User};
pub use deployment_filter::{Filter, Match, Order};
pub use deployments::{DeploymentHandle, Deployments};
pub use fleets::{FleetHandle, Hosts};
pub use image_tags::{ImageHandle, ImageTagHandle, ImageTags};
pub use locations::Locations;
pub use metrics::Metrics;
pub use stop::{LogStorage, SelfStop, StopFilter, StopOutcome, Stopped};
pub use tags::{TagHandle, Tags};
pub use versions::{ApplicationVersions, NewPort, NewVersion, VersionHandle, VersionUpdate};
pub use webhooks::{WebhookEvent, WebhookKind};

crate::raw::handle! { edgegap }

crate::id::id! {
    /// Id of a deployment: `a69f8e3e0555`. Edgegap's API names it `request_id`.
    RequestId, "request id";

    /// Name of an application.
    ApplicationName, "application name";

    /// Name of a version of an application.
    VersionName, "version name";

    /// Name of an image in the registry of the organisation, without the project.
    ImageName, "image name";

    /// Name of a tag of an image.
    ImageTagName, "tag of the image";

    /// Name of a private fleet.
    FleetName, "fleet name";

    /// Name of a tag of a deployment.
    TagName, "tag";
}

/// Builds an Edgegap [`Client`].
pub type ClientBuilder = crate::ClientBuilder<Edgegap>;
