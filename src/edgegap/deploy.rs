//! Deploying servers, on the public cloud or on the hosts of a private fleet.

use super::{Client, DeploymentHandle, RequestId};
use crate::call::{Call, in_steps};
use crate::check::{http_url, text};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::id::checked;
use crate::raw::edgegap::{Op, enums::UserType, types};
use crate::secret::{CallbackUrl, Secret};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Minimum of the CPU units, and of the memory in MiB.
const MIN_RESOURCES: i64 = 100;

/// A server to deploy: application version, players and options.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Client::deploy`"]
pub struct NewDeployment {
    body: types::DeploymentCreate,
    stop_if_rejected: bool,
}

/// A server to deploy on a private fleet, with the public cloud as fallback.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Client::deploy_to_fleet`"]
pub struct NewFleetDeployment {
    deployment: NewDeployment,
    hosts: Vec<String>,
}

/// An accepted deployment, whose server is still starting; returned by [`Client::deploy`].
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The id of the deployment.
    pub request_id: RequestId,
    client: Client,
}

impl Deployed {
    /// A handle on the deployment. Does no I/O.
    pub fn deployment(&self) -> DeploymentHandle {
        self.client.deployment(&self.request_id)
    }

    fn new(client: Client, accepted: types::DeploymentAccepted) -> Result<Self> {
        // The server is starting, but a malformed id cannot be used in later requests.
        let request_id = checked(accepted.request_id)
            .map_err(|why| Error::new(ErrorKind::Decode, why).with_effect(Effect::Applied))?;
        Ok(Self { request_id, client })
    }
}

impl NewDeployment {
    /// A server of this application version, close to one player.
    pub fn new(
        application: impl Into<String>,
        version: impl Into<String>,
        user: impl Into<User>,
    ) -> Self {
        Self::for_users(application, version, [user.into()])
    }

    /// A server of this application version, close to these players.
    ///
    /// Calls reject an empty list.
    pub fn for_users(
        application: impl Into<String>,
        version: impl Into<String>,
        users: impl IntoIterator<Item = User>,
    ) -> Self {
        let users = users.into_iter().map(Into::into).collect();
        Self {
            body: types::DeploymentCreate::new(application.into(), version.into(), users),
            stop_if_rejected: false,
        }
    }

    /// Adds a player.
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.body.users.push(user.into().into());
        self
    }

    /// Adds an environment variable of the container. The dashboard shows its value.
    pub fn env(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.variable(key, Secret::new(value), false)
    }

    /// Adds an environment variable of the container with a secret value.
    ///
    /// The dashboard hides the value. `Debug`, previews and snapshots redact it.
    pub fn hidden_env(self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.variable(key, value.into(), true)
    }

    fn variable(mut self, key: impl Into<String>, value: Secret, is_hidden: bool) -> Self {
        let variable = types::EnvironmentVariable::new(key.into(), value, is_hidden);
        self.body.environment_variables.push(variable);
        self
    }

    /// Adds a tag, by which [`tagged`](super::Deployments::tagged) filters lists.
    ///
    /// [`Client::deploy_once`] adds a unique tag, by which it finds the deployment after a lost response.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.body.tags.push(tag.into());
        self
    }

    /// Whether to use only locations that have cached the image. Default: false.
    ///
    /// Servers start faster there. `None` sends null, which is the default.
    pub fn require_cached_locations(mut self, only: impl Into<Option<bool>>) -> Self {
        self.body.require_cached_locations = Some(only.into());
        self
    }

    /// CPU and memory of the container. Default: those of the application version.
    ///
    /// 1024 CPU units are one vCPU. Both values must be at least 100, and `memory_mib` must be at most
    /// twice `cpu_units`. Calls reject other values.
    pub fn resources(mut self, cpu_units: u32, memory_mib: u32) -> Self {
        let resources = types::Resources::new(cpu_units.into(), memory_mib.into());
        self.body.resources = Some(resources);
        self
    }

    /// Sets the URL that receives a POST request when the server is ready.
    ///
    /// [`WebhookEvent`](super::WebhookEvent) parses the request body. The platform does not sign the
    /// requests: add a [`CallbackSecret`](crate::webhook::CallbackSecret) to the URL. `Debug`, previews and
    /// snapshots redact the query of the URL. Use a different path for each of the three webhooks, because
    /// the body does not name the event.
    pub fn webhook_on_ready(mut self, url: impl Into<CallbackUrl>) -> Self {
        self.body.webhook_on_ready = Some(types::Webhook::new(url.into()));
        self
    }

    /// Sets the URL that receives a POST request when the server cannot be started.
    pub fn webhook_on_error(mut self, url: impl Into<CallbackUrl>) -> Self {
        self.body.webhook_on_error = Some(types::Webhook::new(url.into()));
        self
    }

    /// Sets the URL that receives a POST request when the server has stopped.
    pub fn webhook_on_terminated(mut self, url: impl Into<CallbackUrl>) -> Self {
        self.body.webhook_on_terminated = Some(types::Webhook::new(url.into()));
        self
    }

    /// Stops the deployment that a 422 leaves behind.
    ///
    /// If the stop succeeds, the error has [`Effect::None`]. Otherwise it is unchanged, with
    /// [`Effect::Applied`] and the id of the deployment. [`assume_idempotent`](Call::assume_idempotent) does not
    /// apply then.
    pub fn stop_if_rejected(mut self) -> Self {
        self.stop_if_rejected = true;
        self
    }

    /// Deploys the server on this host of a private fleet.
    pub fn on_host(self, host_id: impl Into<String>) -> NewFleetDeployment {
        self.on_hosts([host_id.into()])
    }

    /// Deploys the server on one of these hosts of a private fleet, in order of preference.
    ///
    /// Calls reject an empty list and duplicate ids.
    pub fn on_hosts(
        self,
        host_ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> NewFleetDeployment {
        NewFleetDeployment {
            deployment: self,
            hosts: host_ids.into_iter().map(Into::into).collect(),
        }
    }

    fn checked(self) -> Result<types::DeploymentCreate> {
        let body = self.body;
        text("application", &body.application)?;
        text("version", &body.version)?;
        if body.users.is_empty() {
            return Err(Error::invalid_request(
                "the deployment has no users: at least one is needed to choose a location",
            ));
        }
        body.users.iter().try_for_each(User::check)?;
        for variable in &body.environment_variables {
            text("name of an environment variable", &variable.key)?;
        }
        if let Some(resources) = &body.resources {
            check_resources(resources.cpu_units, resources.memory_mib)?;
        }
        let webhooks = [
            &body.webhook_on_ready,
            &body.webhook_on_error,
            &body.webhook_on_terminated,
        ];
        for webhook in webhooks.into_iter().flatten() {
            http_url("webhook URL", webhook.url.expose())?;
        }
        Ok(body)
    }
}

impl NewFleetDeployment {
    fn checked(self) -> Result<types::FleetDeploymentCreate> {
        if self.hosts.is_empty() {
            return Err(Error::invalid_request(
                "the fleet deployment has no host ids: at least one is needed",
            ));
        }
        let mut seen = BTreeSet::new();
        for host in &self.hosts {
            text("host id", host)?;
            if !seen.insert(host) {
                return Err(Error::invalid_request(format!(
                    "duplicate host id {host:?}"
                )));
            }
        }
        let (body, hosts) = (self.deployment.checked()?, self.hosts);
        Ok(types::FleetDeploymentCreate {
            environment_variables: body.environment_variables,
            tags: body.tags,
            require_cached_locations: body.require_cached_locations,
            resources: body.resources,
            webhook_on_ready: body.webhook_on_ready,
            webhook_on_error: body.webhook_on_error,
            webhook_on_terminated: body.webhook_on_terminated,
            ..types::FleetDeploymentCreate::new(body.application, body.version, body.users, hosts)
        })
    }
}

/// A player, located by IP address or by coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum User {
    /// Located by IP address.
    Ip(IpAddr),
    /// Located by coordinates, in degrees.
    #[non_exhaustive]
    Coordinates {
        /// Degrees north, -90 to 90.
        latitude: f64,
        /// Degrees east, -180 to 180.
        longitude: f64,
    },
}

impl User {
    /// A player with this IPv4 or IPv6 address.
    pub fn ip(address: IpAddr) -> Self {
        Self::Ip(address)
    }

    /// A player at these coordinates, in degrees north and degrees east.
    ///
    /// Calls reject latitudes outside of -90 to 90 and longitudes outside of -180 to 180.
    pub fn coordinates(latitude: f64, longitude: f64) -> Self {
        Self::Coordinates {
            latitude,
            longitude,
        }
    }

    /// Checks the range of the coordinates.
    fn check(user: &types::User) -> Result<()> {
        let place = &user.user_data;
        within("latitude", place.latitude, 90.0)?;
        within("longitude", place.longitude, 180.0)
    }
}

impl From<User> for types::User {
    fn from(user: User) -> Self {
        let mut user_data = types::UserData::default();
        let user_type = match user {
            User::Ip(address) => {
                user_data.ip_address = Some(address.to_string());
                UserType::IpAddress
            }
            User::Coordinates {
                latitude,
                longitude,
            } => {
                user_data.latitude = Some(latitude);
                user_data.longitude = Some(longitude);
                UserType::GeoCoordinates
            }
        };
        Self::new(user_type, user_data)
    }
}

impl From<IpAddr> for User {
    fn from(address: IpAddr) -> Self {
        Self::ip(address)
    }
}

/// Rejects values outside of the range, and NaN.
fn within(name: &str, degrees: Option<f64>, bound: f64) -> Result<()> {
    match degrees {
        Some(degrees) if !(-bound..=bound).contains(&degrees) => Err(Error::invalid_request(
            format!("the {name} {degrees} is not between -{bound} and {bound} degrees"),
        )),
        _ => Ok(()),
    }
}

impl Client {
    /// Deploys a server close to the players: `POST /v2/deployments`.
    ///
    /// Returns before the server is ready: see [`wait`](DeploymentHandle::wait).
    ///
    /// # Errors
    /// - [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if application, version or players are
    ///   missing, or a value is out of range.
    /// - [`Rejected`](crate::ErrorKind::Rejected) with [`Effect::Applied`] (422) if no server was available. The
    ///   failed deployment exists: [`resource_id`](Error::resource_id) is its id, and
    ///   [`stop_if_rejected`](NewDeployment::stop_if_rejected) stops it.
    /// - After [`Effect::Unknown`], call [`find_created`](super::Deployments::find_created) before you retry.
    ///   [`deploy_once`](Self::deploy_once) does that for you.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn deploy(&self, new: NewDeployment) -> Call<Deployed> {
        let (client, stop) = (self.clone(), new.stop_if_rejected);
        let deploy = self.call(Op::CreateDeployment, |raw| async move {
            let reply = raw.create_deployment(&new.checked()?).await?;
            Ok(Deployed::new(client, reply.into_inner())?)
        });
        self.stopping_rejected(Op::CreateDeployment, stop, deploy)
    }

    /// Deploys a server unless a deployment with this tag is listed, and looks for it after a lost response:
    /// `POST /v2/deployments` and `GET /v1/deployments`.
    ///
    /// Use a tag that nothing else uses, such as the id of a match. A call sends at most one create. It
    /// returns the deployment with the tag if there is one. If the outcome of the create is unknown, it
    /// requests the list until the deployment appears or the deadline passes:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
    /// use deploykit::edgegap::{NewDeployment, User};
    /// let new = NewDeployment::new("my-app", "25.05.30-16.45.19-04", User::ip([75, 28, 35, 192].into()));
    /// let deployed = edgegap.deploy_once("match-81f3", new.stop_if_rejected()).await?;
    /// let ready = deployed.deployment().wait().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// The deployment may have failed; [`wait`](DeploymentHandle::wait) tells. A deployment that stops or has
    /// stopped does not count. Two calls at the same time can both deploy, and so can two calls if the list
    /// lags behind for longer than the deadline of the first. A preview shows the lookup: preview
    /// [`deploy`](Self::deploy) instead.
    ///
    /// # Errors
    /// As [`deploy`](Self::deploy), and [`Decode`](ErrorKind::Decode) if the list does not show the tags of a
    /// deployment. With [`Effect::Unknown`], the deployment did not appear in time: call it again with the
    /// same tag. With [`Effect::Applied`], stop the deployment first, or the next call returns it.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn deploy_once(&self, tag: impl Into<String>, new: NewDeployment) -> Call<Deployed> {
        let tag = tag.into();
        let valid = new.clone().checked().map(drop);
        let deploy = self.deploy(new.tag(tag.as_str()));
        self.once(Op::CreateDeployment, tag, valid, deploy)
    }

    /// Deploys a server on a private fleet: `POST /v2/private-fleets/deployments`.
    ///
    /// The platform uses the first of the given hosts that has free capacity, or the public cloud if none
    /// has.
    ///
    /// # Errors
    /// As [`deploy`](Self::deploy), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty
    /// list of hosts and duplicate ids.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/private-fleets>
    pub fn deploy_to_fleet(&self, new: NewFleetDeployment) -> Call<Deployed> {
        let (client, stop) = (self.clone(), new.deployment.stop_if_rejected);
        let deploy = self.call(Op::CreateFleetDeployment, |raw| async move {
            let reply = raw.create_fleet_deployment(&new.checked()?).await?;
            Ok(Deployed::new(client, reply.into_inner())?)
        });
        self.stopping_rejected(Op::CreateFleetDeployment, stop, deploy)
    }

    /// As [`deploy_once`](Self::deploy_once), on a private fleet: `POST /v2/private-fleets/deployments` and
    /// `GET /v1/deployments`.
    ///
    /// # Errors
    /// As [`deploy_to_fleet`](Self::deploy_to_fleet) and [`deploy_once`](Self::deploy_once).
    ///
    /// Source: <https://docs.edgegap.com/docs/api/private-fleets>
    pub fn deploy_to_fleet_once(
        &self,
        tag: impl Into<String>,
        mut new: NewFleetDeployment,
    ) -> Call<Deployed> {
        let tag = tag.into();
        let valid = new.clone().checked().map(drop);
        new.deployment.body.tags.push(tag.clone());
        let deploy = self.deploy_to_fleet(new);
        self.once(Op::CreateFleetDeployment, tag, valid, deploy)
    }

    fn once(
        &self,
        op: Op,
        tag: String,
        valid: Result<()>,
        deploy: Call<Deployed>,
    ) -> Call<Deployed> {
        let client = self.clone();
        in_steps(self.scope_of(op), |steps| async move {
            valid.map_err(|error| steps.refused(error))?;
            let find = || {
                let client = client.clone();
                let found = client.deployments().find_live(&tag);
                found.map(|id| id.map(|request_id| Deployed { request_id, client }))
            };
            steps.create_once(find, deploy).await
        })
    }

    /// Stops the deployment that a rejected deploy leaves behind, if the caller asked for it.
    fn stopping_rejected(&self, op: Op, stop: bool, deploy: Call<Deployed>) -> Call<Deployed> {
        if !stop {
            return deploy;
        }
        let client = self.clone();
        in_steps(self.scope_of(op), |steps| async move {
            let error = match steps.create(deploy).await {
                Err(error) if error.effect() == Effect::Applied => error,
                other => return other,
            };
            let Some(id) = error.resource_id() else {
                return Err(error);
            };
            match steps.run(client.deployment(id).stop()).await {
                Ok(_) => Err(error.with_effect(Effect::None).with_advice(None)),
                Err(_) => Err(error),
            }
        })
    }
}

/// Checks the CPU units and the memory of a deployment or a version.
pub(super) fn check_resources(units: i64, memory: i64) -> Result<()> {
    let rule = if units < MIN_RESOURCES || memory < MIN_RESOURCES {
        format!("both must be at least {MIN_RESOURCES}")
    } else if memory > 2 * units {
        "memory must be at most twice the CPU units".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid_request(format!(
        "{units} CPU units and {memory} MiB of memory: {rule}"
    )))
}
