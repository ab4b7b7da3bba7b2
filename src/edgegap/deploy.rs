//! Starting servers, anywhere or on the hosts of a private fleet.

use super::{Client, DeploymentHandle, RequestId};
use crate::call::Call;
use crate::check::text;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::edgegap::{Op, enums::UserType, types};
use crate::secret::{CallbackUrl, Secret};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The least of each that the platform gives.
const LEAST_RESOURCES: i64 = 100;

/// A server to start: which version of which application, and for whom.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Client::deploy`"]
pub struct NewDeployment {
    body: types::DeploymentCreate,
}

/// A server to start on the hosts of a private fleet, and on the public cloud when they are full.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Client::deploy_to_fleet`"]
pub struct NewFleetDeployment {
    deployment: NewDeployment,
    hosts: Vec<String>,
}

/// An accepted deployment; its server is still starting.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The id of the deployment.
    pub request_id: RequestId,
    client: Client,
}

impl Deployed {
    /// The handle of the deployment. Does no I/O.
    pub fn deployment(&self) -> DeploymentHandle {
        self.client.deployment(&self.request_id)
    }

    fn new(client: Client, accepted: types::DeploymentAccepted) -> Result<Self> {
        // The server was started, but a malformed id cannot name it in a later request.
        let request_id = RequestId::new(accepted.request_id).map_err(|error| {
            let why = error.message().unwrap_or_default().to_owned();
            Error::new(ErrorKind::Decode, why).with_effect(Effect::Applied)
        })?;
        Ok(Self { request_id, client })
    }
}

impl NewDeployment {
    /// A server of this version, near this player.
    pub fn new(
        application: impl Into<String>,
        version: impl Into<String>,
        user: impl Into<User>,
    ) -> Self {
        Self::for_users(application, version, [user.into()])
    }

    /// A server of this version, near these players. At least one is needed, which is checked when
    /// the deployment is sent.
    pub fn for_users(
        application: impl Into<String>,
        version: impl Into<String>,
        users: impl IntoIterator<Item = User>,
    ) -> Self {
        Self {
            body: types::DeploymentCreate {
                application: application.into(),
                version: version.into(),
                users: users.into_iter().map(Into::into).collect(),
                environment_variables: Vec::new(),
                tags: Vec::new(),
                require_cached_locations: None,
                resources: None,
                webhook_on_ready: None,
                webhook_on_error: None,
                webhook_on_terminated: None,
            },
        }
    }

    /// One more player.
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.body.users.push(user.into().into());
        self
    }

    /// Sets a variable in the container, shown in the dashboard.
    pub fn env(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.variable(key, Secret::new(value), false)
    }

    /// Sets a variable in the container whose value is not shown: not in the dashboard, and not in
    /// previews, snapshots and `Debug` of this crate.
    pub fn hidden_env(self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.variable(key, value.into(), true)
    }

    fn variable(mut self, key: impl Into<String>, value: Secret, is_hidden: bool) -> Self {
        let variables = &mut self.body.environment_variables;
        variables.push(types::EnvironmentVariable {
            key: key.into(),
            value,
            is_hidden,
        });
        self
    }

    /// A label by which the deployment can be found again
    /// ([`tagged`](super::Deployments::tagged)). One of its own for each deployment, such as the id of
    /// a match, also lets you find it after a call without an answer
    /// ([`find_created`](super::Deployments::find_created)).
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.body.tags.push(tag.into());
        self
    }

    /// Starts faster, by using only locations that hold the image already. Left to the platform
    /// (off) unless set. Not for fleets.
    pub fn require_cached_locations(mut self, only: bool) -> Self {
        self.body.require_cached_locations = Some(only);
        self
    }

    /// What the container gets, in the place of what the application version says: units of processor,
    /// of which 1024 are one, and memory in MiB. Both are at least 100, and memory is at most twice the
    /// units, which is checked when the deployment is sent.
    pub fn resources(mut self, cpu_units: u32, memory_mib: u32) -> Self {
        self.body.resources = Some(types::Resources {
            cpu_units: cpu_units.into(),
            memory_mib: memory_mib.into(),
        });
        self
    }

    /// This URL gets a POST when the server is ready, with the deployment as
    /// [`WebhookEvent`](super::WebhookEvent). It is not signed, so give it a
    /// [`CallbackSecret`](crate::webhook::CallbackSecret). Previews, snapshots and `Debug` leave the
    /// query out.
    ///
    /// A path of its own for each of the three tells them apart: the body has no field for that.
    pub fn webhook_on_ready(mut self, url: impl Into<CallbackUrl>) -> Self {
        self.body.webhook_on_ready = Some(types::Webhook { url: url.into() });
        self
    }

    /// This URL gets a POST when the server could not be started.
    pub fn webhook_on_error(mut self, url: impl Into<CallbackUrl>) -> Self {
        self.body.webhook_on_error = Some(types::Webhook { url: url.into() });
        self
    }

    /// This URL gets a POST when the server has stopped.
    pub fn webhook_on_terminated(mut self, url: impl Into<CallbackUrl>) -> Self {
        self.body.webhook_on_terminated = Some(types::Webhook { url: url.into() });
        self
    }

    /// The same deployment on this host of a private fleet.
    pub fn on_host(self, host_id: impl Into<String>) -> NewFleetDeployment {
        self.on_hosts([host_id.into()])
    }

    /// The same deployment on these hosts of a private fleet, the preferred one first. At least one
    /// is needed and none twice, which is checked when the deployment is sent.
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
                "there are no users: at least one is needed to choose a place",
            ));
        }
        body.users.iter().try_for_each(User::check)?;
        for variable in &body.environment_variables {
            text("name of a variable", &variable.key)?;
        }
        if let Some(resources) = &body.resources {
            check_resources(resources)?;
        }
        let webhooks = [
            &body.webhook_on_ready,
            &body.webhook_on_error,
            &body.webhook_on_terminated,
        ];
        webhooks.into_iter().flatten().try_for_each(check_webhook)?;
        Ok(body)
    }
}

impl NewFleetDeployment {
    fn checked(self) -> Result<types::FleetDeploymentCreate> {
        if self.deployment.body.require_cached_locations.is_some() {
            return Err(Error::invalid_request(
                "require_cached_locations is not for private fleets",
            ));
        }
        if self.hosts.is_empty() {
            return Err(Error::invalid_request(
                "there are no host ids: a fleet deployment needs at least one",
            ));
        }
        let mut seen = BTreeSet::new();
        for host in &self.hosts {
            text("host id", host)?;
            if !seen.insert(host) {
                return Err(Error::invalid_request(format!(
                    "the host id {host:?} is given twice"
                )));
            }
        }
        let body = self.deployment.checked()?;
        Ok(types::FleetDeploymentCreate {
            application: body.application,
            version: body.version,
            users: body.users,
            private_host_ids: self.hosts,
            environment_variables: body.environment_variables,
            tags: body.tags,
            resources: body.resources,
            webhook_on_ready: body.webhook_on_ready,
            webhook_on_error: body.webhook_on_error,
            webhook_on_terminated: body.webhook_on_terminated,
        })
    }
}

/// A player, known by IP address or by place.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum User {
    /// Known by address.
    Ip(IpAddr),
    /// Known by place, in degrees.
    #[non_exhaustive]
    Coordinates {
        /// Degrees north, -90 to 90.
        latitude: f64,
        /// Degrees east, -180 to 180.
        longitude: f64,
    },
}

impl User {
    /// A player at this address, IPv4 or IPv6.
    pub fn ip(address: IpAddr) -> Self {
        Self::Ip(address)
    }

    /// A player at this place: degrees north (-90 to 90) and degrees east (-180 to 180).
    ///
    /// They are checked when the deployment is sent.
    pub fn coordinates(latitude: f64, longitude: f64) -> Self {
        Self::Coordinates {
            latitude,
            longitude,
        }
    }

    /// Refuses places that are not on earth.
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
        Self {
            user_type,
            user_data,
        }
    }
}

impl From<IpAddr> for User {
    fn from(address: IpAddr) -> Self {
        Self::ip(address)
    }
}

/// NaN is in no range, so it is refused here too.
fn within(what: &str, degrees: Option<f64>, bound: f64) -> Result<()> {
    match degrees {
        Some(degrees) if !(-bound..=bound).contains(&degrees) => Err(Error::invalid_request(
            format!("the {what} {degrees} is not between -{bound} and {bound} degrees"),
        )),
        _ => Ok(()),
    }
}

impl Client {
    /// Starts a server near the given players: `POST /v2/deployments`.
    ///
    /// The reply (202) says that the request was accepted, not that the server is up. After a call
    /// without a reply, [`find_created`](super::Deployments::find_created) tells what became of it, if
    /// the deployment has a [tag](NewDeployment::tag) of its own.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: no application,
    /// version or user, or a place that is not on earth. Of the platform:
    /// [`Rejected`](crate::ErrorKind::Rejected) with
    /// [`Effect::Applied`](crate::Effect::Applied) for a 422, when no server could be allocated and
    /// [`resource_id`](Error::resource_id) names the deployment to clean up;
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn deploy(&self, new: NewDeployment) -> Call<Deployed> {
        let client = self.clone();
        self.call(Op::CreateDeployment, |raw| async move {
            let reply = raw.create_deployment(&new.checked()?).await?;
            Ok(Deployed::new(client, reply.into_inner())?)
        })
    }

    /// Starts a server on the first of the given hosts that has room, and on the public cloud when
    /// none has: `POST /v2/private-fleets/deployments`.
    ///
    /// # Errors
    /// As [`deploy`](Self::deploy), and
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for no host id or one given twice.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/private-fleets>
    pub fn deploy_to_fleet(&self, new: NewFleetDeployment) -> Call<Deployed> {
        let client = self.clone();
        self.call(Op::CreateFleetDeployment, |raw| async move {
            let reply = raw.create_fleet_deployment(&new.checked()?).await?;
            Ok(Deployed::new(client, reply.into_inner())?)
        })
    }
}

fn check_resources(resources: &types::Resources) -> Result<()> {
    let (units, memory) = (resources.cpu_units, resources.memory_mib);
    let problem = if units < LEAST_RESOURCES || memory < LEAST_RESOURCES {
        format!("less than {LEAST_RESOURCES} units of processor or MiB of memory")
    } else if memory > 2 * units {
        format!("{memory} MiB of memory, which is more than twice the {units} units of processor")
    } else {
        return Ok(());
    };
    Err(Error::invalid_request(format!(
        "the resources are {problem}"
    )))
}

fn check_webhook(webhook: &types::Webhook) -> Result<()> {
    let url = reqwest::Url::parse(webhook.url.expose());
    if url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Ok(());
    }
    Err(Error::invalid_request(
        "a webhook URL is not an http or https URL",
    ))
}
