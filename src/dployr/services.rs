//! Services: list, update, start, stop, restart, delete and wait; secret variables and traffic.

use super::client::{Steps, check_port, check_text, check_texts};
use super::deployments::{SCHEDULE, TAIL, check_key, check_keys, first_match, messages, valid_id};
use super::shapes::PAGING;
use super::{
    Client, EnvVariableHandle, EnvVariables, Event, EventTarget, EventType, Handle, InstanceTag,
    LogOptions, Page, Runtime, Service, ServiceId, ServiceMetrics, ServiceSecret, ServiceState,
    ServiceStatus, ServiceUpdated, Task,
};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::id::{CheckedId, checked};
use crate::logs::server_time_millis;
use crate::page::{PageRequest, paged};
use crate::raw::dployr::Op;
use crate::secret::{GitUrl, Secret};
use crate::time::Timestamp;
use crate::wait::{Snapshot, Wait};
use crate::watch::Phase;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A setting of a service that an update can clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServiceField {
    /// The description.
    Description,
    /// The start command.
    RunCmd,
    /// The build command.
    BuildCmd,
    /// The port that the service listens on.
    Port,
    /// The working directory.
    WorkingDir,
    /// The directory of a static site.
    StaticDir,
    /// The image.
    Image,
    /// The domain.
    Domain,
    /// The runtime.
    Runtime,
    /// The version of the runtime.
    Version,
    /// The branch to build.
    RemoteBranch,
}

/// Changes to a service; for [`ServiceHandle::update`] and [`EnvVariables::rewrite_with`].
///
/// Every accepted update redeploys the service, even one without changes. Unset fields keep their values,
/// except those that the control plane **loses**:
///
/// | setting | lost | state it with |
/// |---|---|---|
/// | health check | in each update without it, which sets `/` | [`health_check`](Self::health_check) |
/// | domain | if a deployment set it | [`domain`](Self::domain) or [`clear`](Self::clear) |
/// | secret variables | if the first deployment set them | [`replace_secrets`](Self::replace_secrets) |
///
/// No response shows whether the service has them, so an update that does not state all three is
/// refused unless it [allows their loss](Self::allow_loss).
///
/// ```no_run
/// # async fn example(service: deploykit::dployr::ServiceHandle) -> deploykit::Result<()> {
/// use deploykit::dployr::ServiceUpdate;
/// let update = ServiceUpdate::new("loop-node-1")
///     .health_check("/health")
///     .domain("app.example.com")
///     .replace_secrets([("API_KEY", "…")], [])
///     .port(4000);
/// println!("{:?}", service.update(update).await?.task_id);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to a service"]
pub struct ServiceUpdate {
    instance: CheckedId<InstanceTag>,
    patch: ServicePatch,
    /// Whether the server passes on all secret variables that the update names.
    states_secrets: bool,
    allows_loss: bool,
}

/// The body of an update.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServicePatch {
    #[serde(rename = "instanceName")]
    instance_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    env_vars: Option<BTreeMap<String, Secret>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<BTreeMap<String, Secret>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_secret_keys: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_url: Option<GitUrl>,
    /// An omitted setting keeps its value; null clears it.
    #[serde(flatten)]
    settings: BTreeMap<ServiceField, Value>,
    /// Always sent: the control plane sets `/` for null, and resets an omitted path.
    health_check: Option<String>,
}

impl ServiceUpdate {
    /// An update that redeploys the service to the instance with this tag.
    pub fn new(instance: impl TryInto<InstanceTag, Error: Into<Error>>) -> Self {
        Self {
            instance: checked(instance),
            patch: ServicePatch::default(),
            states_secrets: false,
            allows_loss: false,
        }
    }

    /// Path of the health check. `/` is the server's default.
    pub fn health_check(mut self, path: impl Into<String>) -> Self {
        self.patch.health_check = Some(path.into());
        self
    }

    /// Allows the server to lose the health check, the domain and the secret variables that this update
    /// does not state.
    pub fn allow_loss(mut self) -> Self {
        self.allows_loss = true;
        self
    }

    fn set(mut self, field: ServiceField, value: impl Into<Value>) -> Self {
        self.patch.settings.insert(field, value.into());
        self
    }

    /// Replaces **all** environment variables: those that are not in `all` are removed.
    pub fn replace_env<K, V>(mut self, all: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<Secret>,
    {
        self.patch.env_vars = Some(pairs(all));
        self
    }

    /// Sets these secret variables and keeps those in `keep`, which [`ServiceSecrets::list`] returns.
    /// **All others are removed.**
    ///
    /// The server does not pass on a kept variable without a `service_id`: it belongs to the first
    /// deployment. Set it again, or [allow its loss](Self::allow_loss).
    pub fn replace_secrets<'a, K, V>(
        mut self,
        set: impl IntoIterator<Item = (K, V)>,
        keep: impl IntoIterator<Item = &'a ServiceSecret>,
    ) -> Self
    where
        K: Into<String>,
        V: Into<Secret>,
    {
        let (mut names, mut linked) = (BTreeSet::new(), BTreeSet::new());
        for secret in keep {
            names.insert(secret.key.clone());
            linked.extend(secret.service_id.as_ref().map(|_| &secret.key));
        }
        self.states_secrets = linked.len() == names.len();
        self.patch.secrets = Some(pairs(set));
        self.patch.keep_secret_keys = Some(names);
        self
    }

    /// Description.
    pub fn description(self, text: impl Into<String>) -> Self {
        self.set(ServiceField::Description, text.into())
    }

    /// Start command.
    pub fn run_cmd(self, command: impl Into<String>) -> Self {
        self.set(ServiceField::RunCmd, command.into())
    }

    /// Build command.
    pub fn build_cmd(self, command: impl Into<String>) -> Self {
        self.set(ServiceField::BuildCmd, command.into())
    }

    /// The port that the service listens on, 1 to 65535.
    pub fn port(self, port: u32) -> Self {
        self.set(ServiceField::Port, port)
    }

    /// The working directory, relative to the repository.
    pub fn working_dir(self, directory: impl Into<String>) -> Self {
        self.set(ServiceField::WorkingDir, directory.into())
    }

    /// The directory of a static site, relative to the repository.
    pub fn static_dir(self, directory: impl Into<String>) -> Self {
        self.set(ServiceField::StaticDir, directory.into())
    }

    /// The image to run.
    pub fn image(self, image: impl Into<String>) -> Self {
        self.set(ServiceField::Image, image.into())
    }

    /// The domain.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        self.set(ServiceField::Domain, domain.into())
    }

    /// The runtime and its version.
    pub fn runtime(self, name: impl Into<Runtime>, version: impl Into<String>) -> Self {
        self.set(ServiceField::Runtime, name.into().as_str())
            .set(ServiceField::Version, version.into())
    }

    /// URL of the git repository. The service is then built from git, and its image is dropped.
    ///
    /// Credentials in the URL are sent, and redacted everywhere else.
    pub fn git_url(mut self, url: impl Into<String>) -> Self {
        self.patch.remote_url = Some(GitUrl::from(url.into()));
        self
    }

    /// The branch to build.
    pub fn branch(self, branch: impl Into<String>) -> Self {
        self.set(ServiceField::RemoteBranch, branch.into())
    }

    /// Clears a setting, by sending null.
    pub fn clear(self, field: ServiceField) -> Self {
        self.set(field, Value::Null)
    }

    pub(super) fn into_raw(self) -> Result<ServicePatch> {
        use ServiceField::{BuildCmd, Description, RunCmd};
        let mut patch = self.patch;
        patch.instance_name = self.instance.map_err(Error::invalid_request)?.into();
        let remote_url = patch.remote_url.as_ref().map(GitUrl::expose);
        check_texts([
            ("URL of the repository", remote_url),
            ("path of the health check", patch.health_check.as_deref()),
        ])?;
        for (field, value) in &patch.settings {
            if let Some(port) = value.as_i64() {
                check_port(port)?;
            }
            // These may be empty and may contain line breaks.
            let is_free_text = matches!(field, BuildCmd | Description | RunCmd);
            if let (false, Some(text)) = (is_free_text, value.as_str()) {
                check_text(&format!("setting {field:?}"), text)?;
            }
        }
        check_keys(patch.env_vars.iter().chain(&patch.secrets))?;
        let states_domain = patch.settings.contains_key(&ServiceField::Domain);
        let states_all = states_domain && self.states_secrets && patch.health_check.is_some();
        if !states_all && !self.allows_loss {
            let why =
                "the server may lose the health check, the domain and the secrets of the service";
            return Err(Error::invalid_request(why).with_advice(
                "state health_check(..), domain(..) and replace_secrets(..) with the secrets of the first \
                 deploy set again; or allow_loss()",
            ));
        }
        for key in patch.keep_secret_keys.iter().flatten() {
            check_key(key)?;
            if patch.secrets.iter().any(|set| set.contains_key(key)) {
                return Err(Error::invalid_request(
                    "a secret variable is both set and kept",
                ));
            }
        }
        Ok(patch)
    }
}

fn pairs<K: Into<String>, V: Into<Secret>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> BTreeMap<String, Secret> {
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()));
    pairs.collect()
}

/// The services of a cluster; returned by [`Client::services`].
#[derive(Clone, Debug)]
#[must_use = "does nothing until `list` is awaited"]
pub struct Services {
    client: Client,
    page_request: PageRequest,
}

impl Services {
    paged!("services");

    /// Lists one page of the services, by name: `GET /v1/services`.
    ///
    /// The control plane sends the services of **all** clusters, including other users' clusters. If
    /// the client has a cluster, services of other clusters are dropped. `total_items` and the other
    /// counts of the page include them, and a page may be empty although more pages follow.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for page 0 or page size 0,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster, and
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Service>> {
        let client = self.client.clone();
        self.list_of_all_clusters()
            .map_items(move |mut services: Vec<Service>| {
                services.retain(|service| is_of_cluster(service, &client));
                services
            })
    }

    fn list_of_all_clusters(&self) -> Call<Page<Service>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let cluster = client.cluster_parameter();
            client.call(Op::ListServices, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_services_with(|options| {
                    (options.page, options.page_size) = (page, size);
                    options.cluster_id = cluster.as_deref();
                });
                Ok(list.await?.into_inner().into_page_of(page_request))
            })
        })
    }

    /// Finds a service by its name in the list: `GET /v1/services`, page by page.
    ///
    /// A service has the name of its deployment, but another id.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), and as [`list`](Self::list).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn find(&self, name: impl Into<String>) -> Call<Service> {
        let (client, name) = (self.client.clone(), name.into());
        self.client.in_steps(Op::ListServices, |steps| async move {
            let list = |number| {
                let services = client.services().page(number).page_size(100);
                services.list_of_all_clusters()
            };
            let is_match = |found: &Service| found.name == name && is_of_cluster(found, &client);
            let found = first_match(&steps, list, is_match).await?;
            found.ok_or_else(|| {
                let why = format!("the cluster has no service with the name {name}");
                steps.error(ErrorKind::NotFound, &why)
            })
        })
    }

    /// Reads the hourly traffic of the last 24 hours: `GET /v1/services/metrics/{name}`.
    ///
    /// Takes the name of the service, not its id. The response for an unknown name shows no traffic.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that cannot be part of a path,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster, and
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn metrics(&self, name: impl Into<String>) -> Call<ServiceMetrics> {
        self.metrics_of(name.into(), None)
    }

    /// Reads the hourly traffic between two times: `GET /v1/services/metrics/{name}?from=…&to=…`.
    ///
    /// # Errors
    /// As [`metrics`](Self::metrics), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a
    /// time before 1970.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn metrics_between(
        &self,
        name: impl Into<String>,
        from: SystemTime,
        to: SystemTime,
    ) -> Call<ServiceMetrics> {
        self.metrics_of(name.into(), Some((from, to)))
    }

    fn metrics_of(
        &self,
        name: String,
        window: Option<(SystemTime, SystemTime)>,
    ) -> Call<ServiceMetrics> {
        let cluster = self.client.cluster_parameter();
        self.client
            .call(Op::GetServiceMetrics, move |raw| async move {
                crate::id::check("name of a service", &name)?;
                let (from, to) = window.unzip();
                let (from, to) = (from.map(millis).transpose()?, to.map(millis).transpose()?);
                let metrics = raw.get_service_metrics_with(&name, |options| {
                    (options.from, options.to) = (from, to);
                    options.cluster_id = cluster.as_deref();
                });
                Ok(metrics.await?.into_inner().0)
            })
    }
}

/// Whether the service belongs to the client's cluster, as far as both are known.
fn is_of_cluster(service: &Service, client: &Client) -> bool {
    let own = client.cluster_id();
    own.is_none() || service.cluster_id.is_none() || service.cluster_id.as_ref() == own
}

/// A handle on a service; returned by [`Client::service`].
pub type ServiceHandle = Handle<ServiceId>;

impl ServiceHandle {
    /// Reads the service: `GET /v1/services/{id}`, by its id, not its name.
    ///
    /// The record has no status: see [`status`](Self::status).
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), and [`Forbidden`](crate::ErrorKind::Forbidden) for
    /// another user's service.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn get(&self) -> Call<Service> {
        self.call(Op::GetService, |raw, id| async move {
            Ok(raw.get_service(id.as_str()).await?.into_inner().0)
        })
    }

    /// Changes the service and redeploys it: `PATCH /v1/services/{id}`.
    ///
    /// The control plane saves the changes before it looks for a node. If no node is connected, they
    /// take effect with the next deployment. The deployment in the response has no `updated_at`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid tag, variable name or
    /// port, for a secret that is both set and kept, and for an update that may
    /// [lose settings](ServiceUpdate) without allowing it;
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown service or instance;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the developer role.
    ///
    /// With [`Effect::Applied`], the control plane has saved variables and secrets, but not deployed them:
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if no node is connected, which also saves the settings;
    /// [`NotFound`](crate::ErrorKind::NotFound) if the record of the deployment was deleted, and
    /// [`Rejected`](crate::ErrorKind::Rejected) if it is deleted during the update.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn update(&self, update: ServiceUpdate) -> Call<ServiceUpdated> {
        self.call(Op::UpdateService, |raw, id| async move {
            let reply = raw.update_service(id.as_str(), &update.into_raw()?).await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Deletes the service and the record of its deployment: `DELETE /v1/services/{id}`.
    ///
    /// The server does not wait for the node: a disconnected node keeps the service running.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), also the second time, and
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the developer role.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteService, |raw, id| async move {
            raw.delete_service(id.as_str()).await?;
            Ok(())
        })
    }

    /// Reads the status of the service: `GET /v1/services/{id}/status`.
    ///
    /// No known server has this route. It is not retried, because the similar route of the control plane
    /// wakes a sleeping service.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn status(&self) -> Call<ServiceStatus> {
        self.call(Op::GetServiceStatus, |raw, id| async move {
            Ok(raw.get_service_status(id.as_str()).await?.into_inner().0)
        })
    }

    /// Starts (wakes) the service: `POST /v1/services/{id}/start`.
    ///
    /// The start is queued, and takes up to 90 s: see [`wait`](Self::wait).
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without the
    /// developer role, and [`Unavailable`](crate::ErrorKind::Unavailable) if no node is connected.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn start(&self) -> Call<Task> {
        self.call(Op::StartService, |raw, id| async move {
            Ok(raw.start_service(id.as_str()).await?.into_inner().0)
        })
    }

    /// Stops the service (puts it to sleep): `POST /v1/services/{id}/stop`.
    ///
    /// The next request to its domain wakes it.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn stop(&self) -> Call<Task> {
        self.call(Op::StopService, |raw, id| async move {
            Ok(raw.stop_service(id.as_str()).await?.into_inner().0)
        })
    }

    /// Restarts the service: `POST /v1/services/{id}/restart`.
    ///
    /// No known server has this route: use
    /// [`restart_by_stop_and_start`](Self::restart_by_stop_and_start) there.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and as
    /// [`start`](Self::start).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn restart(&self) -> Call<Task> {
        self.call(Op::RestartService, |raw, id| async move {
            Ok(raw.restart_service(id.as_str()).await?.into_inner().0)
        })
    }

    /// Stops the service and then starts it: `POST /v1/services/{id}/stop`, `POST /v1/services/{id}/start`.
    ///
    /// Not atomic: the server queues each task, and may reject the start after the stop. Returns the task
    /// of the start.
    ///
    /// # Errors
    /// As [`start`](Self::start). If the stop was accepted and the start failed, the effect is
    /// [`Effect::Applied`], and the service stays stopped.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn restart_by_stop_and_start(&self) -> Call<Task> {
        let service = self.clone();
        self.client.in_steps(Op::StopService, |steps| async move {
            steps.run(service.stop()).await?;
            steps.run(service.start()).await.map_err(|error| {
                error
                    .with_effect(Effect::Applied)
                    .with_advice("the service is stopped: start it with start()")
            })
        })
    }

    /// Waits until the service is up.
    ///
    /// Reads the [`status`](Self::status): immediately, after 3 s, then at growing intervals of up to
    /// 15 s, for at most 15 minutes; [`Wait`] has methods to change this. A sleeping service does not end
    /// the wait, because a visitor or [`start`](Self::start) can wake it. After a [`stop`](Self::stop),
    /// [`until_gone`](Wait::until_gone) waits until it sleeps.
    ///
    /// No known server has the status route. If it is missing, the wait reads the
    /// [record](Self::get) of the service and the [events](Client::events) of its cluster: the status is
    /// `sleeping` after a [`stop`](Self::stop), until a [`start`](Self::start), and otherwise `awake`.
    ///
    /// - `awake` counts as up, although a service may take 90 s after a start to respond.
    /// - The events do not show that a visitor woke the service, that a redeployment started it, or that the
    ///   control plane put an idle service of the hobby plan to sleep: call `start` before you wait for it.
    /// - The server keeps events for 30 days. An older service without an event of a start or stop may have
    ///   been stopped before: the wait fails until you call `start`, or `stop` before `until_gone`.
    ///
    /// # Errors
    /// Those of [`Wait`]: [`WaitFailed`](crate::ErrorKind::WaitFailed),
    /// [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut), [`Gone`](crate::ErrorKind::Gone); and
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server with neither the route nor events, and for
    /// a service whose last start or stop is too long ago.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn wait(&self) -> Wait<ServiceStatus> {
        let (polled, logged) = (self.clone(), self.clone());
        // Kept between polls, so that only the first poll tries a missing route.
        let status_missing = Arc::<AtomicBool>::default();
        let poll = move || polled.poll(status_missing.clone());
        Wait::new("dployr service", valid_id(&self.id), SCHEDULE, poll)
            .with_log(move || logged.logs(LogOptions::new().tail(TAIL)).map(messages))
            .restartable()
    }

    fn poll(&self, status_missing: Arc<AtomicBool>) -> Call<Snapshot<ServiceStatus>> {
        let service = self.clone();
        self.client
            .in_steps(Op::GetServiceStatus, |steps| async move {
                if !status_missing.load(Ordering::Relaxed) {
                    match steps.run(service.status()).await {
                        Err(error) if error.kind() == ErrorKind::NoSuchRoute => {
                            status_missing.store(true, Ordering::Relaxed);
                        }
                        result => return result.map(snapshot_of_status),
                    }
                }
                let record = steps.run(service.get()).await?;
                let (phase, word) = match sleeps(&steps, service.client, &record).await? {
                    true => (Phase::Ended, "sleeping"),
                    false => (Phase::Ready, "awake"),
                };
                let status = ServiceStatus {
                    id: Some(record.id),
                    name: Some(record.name),
                    status: word.into(),
                    updated_at: record.updated_at,
                    uptime: None,
                };
                Ok(Snapshot::new(phase, word, status))
            })
    }

    /// The environment variables of the service. Does no I/O.
    pub fn env_variables(&self) -> EnvVariables {
        EnvVariables {
            service: self.clone(),
        }
    }

    /// A handle on an environment variable of the service, by its name: `NODE_ENV`. Does no I/O.
    ///
    /// Calls reject an invalid name.
    pub fn env_variable(&self, key: impl Into<String>) -> EnvVariableHandle {
        EnvVariableHandle {
            service: self.clone(),
            key: key.into(),
        }
    }

    /// The secret variables of the service. Does no I/O.
    pub fn secrets(&self) -> ServiceSecrets {
        ServiceSecrets {
            service: self.clone(),
        }
    }
}

/// The secret variables of a service; returned by [`ServiceHandle::secrets`].
///
/// [`ServiceUpdate::replace_secrets`] and [`NewDeployment::secret`](super::NewDeployment::secret) set them.
#[derive(Clone, Debug)]
pub struct ServiceSecrets {
    service: ServiceHandle,
}

impl ServiceSecrets {
    /// Lists the names of the secret variables, without values: `GET /v1/services/{id}/secrets`.
    ///
    /// The server sends all of them on one page. A name may be listed twice: once for the first
    /// deployment, without a `service_id`, and once for a later change.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without the
    /// developer role, and [`Unavailable`](crate::ErrorKind::Unavailable) from a server without an
    /// encryption key for secrets.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn list(&self) -> Call<Page<ServiceSecret>> {
        self.service
            .call(Op::ListServiceSecrets, |raw, id| async move {
                let list = raw.list_service_secrets(id.as_str()).await?;
                Ok(list.into_inner().into_page())
            })
    }
}

impl Client {
    /// The services of the client's cluster. Does no I/O.
    pub fn services(&self) -> Services {
        Services {
            client: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a service, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn service(&self, id: impl TryInto<ServiceId, Error: Into<Error>>) -> ServiceHandle {
        Handle::new(self, id)
    }
}

/// Milliseconds since 1970, for times in a query.
pub(super) fn millis(at: SystemTime) -> Result<i64> {
    let since = at.duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .ok_or_else(|| Error::invalid_request("the time is before 1970 or too late"))
}

/// How long the control plane keeps an event, in milliseconds (`EVENT_TTL` in
/// dployr-io/dployr-base:src/lib/constants/duration.ts).
const EVENTS_KEPT: i64 = 30 * 24 * 60 * 60 * 1000;

/// Whether the service sleeps: it is iced, or its newest event of a stop or start is a stop. Such an event
/// names the service, not its id (dployr-io/dployr-base:src/services/background/jobs/notify.ts), so the
/// events of an earlier service of that name do not count.
async fn sleeps(steps: &Steps, mut client: Client, service: &Service) -> Result<bool> {
    if let Some(id) = &service.cluster_id {
        client = client.with_cluster(id)?;
    }
    let millis = |at: &Option<Timestamp>| at.as_ref().and_then(Timestamp::unix_millis);
    let is_switch = |event: &Event| {
        use EventType::{ServiceStarted, ServiceStopped};
        let is_of_service = |target: &EventTarget| {
            (target.id.as_ref()).is_some_and(|id| id.as_str() == service.name)
        };
        // An event that cannot be read may be one, too.
        matches!(event.type_, None | Some(ServiceStarted | ServiceStopped))
            && millis(&event.timestamp).is_none_or(|at| Some(at) >= millis(&service.created_at))
            && (event.targets.is_empty() || event.targets.iter().any(is_of_service))
    };
    let is_old = |at| at <= Some(server_time_millis(&steps.scope) - EVENTS_KEPT);
    let events = client.events().search(&service.name).page_size(100);
    let list = |number| events.clone().page(number).list().complete();
    match first_match(steps, list, is_switch).await {
        // A stop may be too old for the events.
        Ok(None) if service.iced_at.is_none() && is_old(millis(&service.created_at)) => {
            let why = "the server keeps events for 30 days, and has none of a start or stop of the service";
            let advice = "call start() before wait(), or stop() before wait().until_gone()";
            Err(steps.error(ErrorKind::Unsupported, why).with_advice(advice))
        }
        Ok(None) => Ok(service.iced_at.is_some()),
        Ok(Some(event)) => {
            let is_readable = event.type_.is_some() && !event.targets.is_empty();
            let Some(at) = millis(&event.timestamp).filter(|_| is_readable) else {
                let why = "an event that may be about the service cannot be read";
                return Err(steps.error(ErrorKind::Decode, why));
            };
            let iced = service.iced_at.as_ref();
            let is_iced = iced.is_some_and(|iced| iced.unix_millis().is_none_or(|iced| iced >= at));
            Ok(is_iced || event.type_ == Some(EventType::ServiceStopped))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NoSuchRoute | ErrorKind::NotFound) => {
            let why = "the server has neither the status of a service nor events";
            Err(steps.error(ErrorKind::Unsupported, why))
        }
        Err(error) => Err(error),
    }
}

fn snapshot_of_status(service: ServiceStatus) -> Snapshot<ServiceStatus> {
    let word = service.status.as_str().to_owned();
    Snapshot::new(phase_of_service(&service.status), word, service)
}

/// The phase of a service status. `running` means up here.
fn phase_of_service(state: &ServiceState) -> Phase {
    match state {
        ServiceState::Starting => Phase::InProgress,
        ServiceState::Running | ServiceState::Ready => Phase::Ready,
        ServiceState::Failed => Phase::Failed,
        ServiceState::Stopped | ServiceState::Sleeping => Phase::Ended,
        _ => Phase::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_states_have_phases() {
        for (state, phase) in [
            ("starting", Phase::InProgress),
            ("running", Phase::Ready),
            ("ready", Phase::Ready),
            ("failed", Phase::Failed),
            ("stopped", Phase::Ended),
            ("sleeping", Phase::Ended),
            ("unknown", Phase::Unknown),
        ] {
            assert_eq!(
                phase_of_service(&ServiceState::from(state)),
                phase,
                "{state}"
            );
        }
    }
}
