//! Starting servers, anywhere or on the hosts of a private fleet.

use super::{Client, RequestId, User};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::edgegap::{Op, types};
use crate::secret::{CallbackUrl, REDACTED, Secret};
use std::collections::BTreeSet;
use std::fmt;

/// The least of each that the platform gives.
const LEAST_RESOURCES: i64 = 100;

/// A server to start: which version of which application, and for whom.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is started until it is given to a client"]
pub struct NewDeployment {
    application: String,
    version: String,
    users: Vec<User>,
    variables: Vec<Variable>,
    tags: Vec<String>,
    cached_locations: Option<bool>,
    resources: Option<types::Resources>,
    on_ready: Option<Target>,
    on_error: Option<Target>,
    on_terminated: Option<Target>,
}

/// A server to start on the hosts of a private fleet, and on the public cloud when they are full.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is started until it is given to a client"]
pub struct NewFleetDeployment {
    deployment: NewDeployment,
    hosts: Vec<String>,
}

/// A deployment that was accepted. Its server is still starting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// The id of the deployment.
    pub request_id: RequestId,
}

#[derive(Clone, PartialEq)]
struct Variable {
    key: String,
    value: Secret,
    hidden: bool,
}

/// Where a webhook goes.
#[derive(Clone, PartialEq)]
struct Target(CallbackUrl);

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
            application: application.into(),
            version: version.into(),
            users: users.into_iter().collect(),
            variables: Vec::new(),
            tags: Vec::new(),
            cached_locations: None,
            resources: None,
            on_ready: None,
            on_error: None,
            on_terminated: None,
        }
    }

    /// One more player.
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.users.push(user.into());
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

    fn variable(mut self, key: impl Into<String>, value: Secret, hidden: bool) -> Self {
        self.variables.push(Variable {
            key: key.into(),
            value,
            hidden,
        });
        self
    }

    /// A label by which the deployment can be found again
    /// ([`tagged`](super::Deployments::tagged)). One of its own for each deployment, such as the id of
    /// a match, also lets you find it after a call without an answer
    /// ([`find_created`](super::Deployments::find_created)).
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Starts faster, by using only locations that hold the image already. Left to the platform
    /// (off) unless set. Not for fleets.
    pub fn require_cached_locations(mut self, only: bool) -> Self {
        self.cached_locations = Some(only);
        self
    }

    /// What the container gets, in the place of what the application version says: units of processor,
    /// of which 1024 are one, and memory in MiB. Both are at least 100, and memory is at most twice the
    /// units, which is checked when the deployment is sent.
    pub fn resources(mut self, cpu_units: u32, memory_mib: u32) -> Self {
        self.resources = Some(types::Resources {
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
        self.on_ready = Some(Target(url.into()));
        self
    }

    /// This URL gets a POST when the server could not be started.
    pub fn webhook_on_error(mut self, url: impl Into<CallbackUrl>) -> Self {
        self.on_error = Some(Target(url.into()));
        self
    }

    /// This URL gets a POST when the server has stopped.
    pub fn webhook_on_terminated(mut self, url: impl Into<CallbackUrl>) -> Self {
        self.on_terminated = Some(Target(url.into()));
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

    fn check(&self) -> Result<Vec<types::User>> {
        not_empty("application", &self.application)?;
        not_empty("version", &self.version)?;
        if self.users.is_empty() {
            return Err(Error::invalid_request(
                "there are no users: at least one is needed to choose a place",
            ));
        }
        for variable in &self.variables {
            not_empty("name of a variable", &variable.key)?;
        }
        if let Some(resources) = &self.resources {
            check_resources(resources)?;
        }
        for target in [&self.on_ready, &self.on_error, &self.on_terminated] {
            target.as_ref().map_or(Ok(()), Target::check)?;
        }
        self.users.iter().map(|user| user.to_raw()).collect()
    }

    fn into_raw(self) -> Result<types::DeploymentCreate> {
        Ok(types::DeploymentCreate {
            users: self.check()?,
            application: self.application,
            version: self.version,
            require_cached_locations: self.cached_locations,
            environment_variables: self.variables.into_iter().map(Variable::into_raw).collect(),
            tags: self.tags,
            resources: self.resources,
            webhook_on_ready: self.on_ready.map(Target::into_raw),
            webhook_on_error: self.on_error.map(Target::into_raw),
            webhook_on_terminated: self.on_terminated.map(Target::into_raw),
        })
    }
}

impl NewFleetDeployment {
    fn into_raw(self) -> Result<types::FleetDeploymentCreate> {
        if self.deployment.cached_locations.is_some() {
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
            not_empty("host id", host)?;
            if !seen.insert(host) {
                return Err(Error::invalid_request(format!(
                    "the host id {host:?} is given twice"
                )));
            }
        }
        let raw = self.deployment.into_raw()?;
        Ok(types::FleetDeploymentCreate {
            application: raw.application,
            version: raw.version,
            users: raw.users,
            private_host_ids: self.hosts,
            environment_variables: raw.environment_variables,
            tags: raw.tags,
            resources: raw.resources,
            webhook_on_ready: raw.webhook_on_ready,
            webhook_on_error: raw.webhook_on_error,
            webhook_on_terminated: raw.webhook_on_terminated,
        })
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
    pub fn deploy(&self, new: NewDeployment) -> Call<Accepted> {
        self.invoke(Op::CreateDeployment, |raw| async move {
            let reply = raw.create_deployment(&new.into_raw()?).await?;
            Ok(accepted(reply.into_inner())?)
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
    pub fn deploy_to_fleet(&self, new: NewFleetDeployment) -> Call<Accepted> {
        self.invoke(Op::CreateFleetDeployment, |raw| async move {
            let reply = raw.create_fleet_deployment(&new.into_raw()?).await?;
            Ok(accepted(reply.into_inner())?)
        })
    }
}

fn accepted(raw: types::DeploymentAccepted) -> Result<Accepted> {
    // An id that cannot stand in a path names nothing, and something was started: say so.
    let request_id = RequestId::new(raw.request_id).map_err(|error| {
        let why = error.message().unwrap_or_default().to_owned();
        Error::new(ErrorKind::Decode, why).with_effect(Effect::Applied)
    })?;
    Ok(Accepted { request_id })
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

fn not_empty(what: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid_request(format!("the {what} is empty")));
    }
    Ok(())
}

impl Variable {
    fn into_raw(self) -> types::EnvironmentVariable {
        types::EnvironmentVariable {
            key: self.key,
            value: self.value,
            is_hidden: self.hidden,
        }
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.hidden {
            REDACTED.to_owned()
        } else {
            // The address of a database holds its password, as a preview knows too.
            crate::secret::masked_url(self.value.expose())
        };
        write!(f, "{}={value}", self.key)
    }
}

impl Target {
    fn check(&self) -> Result<()> {
        let url = reqwest::Url::parse(self.0.expose());
        if url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Ok(());
        }
        Err(Error::invalid_request(
            "a webhook URL is not an http or https URL",
        ))
    }

    fn into_raw(self) -> types::Webhook {
        types::Webhook {
            url: self.0.expose().to_owned(),
        }
    }
}

impl fmt::Debug for Target {
    /// Scheme and host: path and query may hold the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match reqwest::Url::parse(self.0.expose()) {
            Ok(url) => write!(
                f,
                "{}://{}/…",
                url.scheme(),
                url.host_str().unwrap_or_default()
            ),
            Err(_) => f.write_str(REDACTED),
        }
    }
}
