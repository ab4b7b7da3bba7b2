//! Deployments: deploy, list, find, update, delete, wait and watch.

use super::client::{Steps, check_port, check_text, check_texts};
use super::shapes::PAGING;
use super::{
    Client, Deployment, DeploymentId, DeploymentSource, DeploymentStatus, Handle, LogOptions, Page,
    Runtime, ServiceId, ServiceType,
};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{CheckedId, checked};
use crate::logs::LogLine;
use crate::page::{PageRequest, paged};
use crate::raw::dployr::types::Created;
use crate::raw::dployr::{Op, types};
use crate::secret::{GitUrl, Secret};
use crate::time::{Timestamp, allow_for_skew};
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::{Observation, Phase, WatchSource, Watcher};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

/// Poll schedule of waits: first interval, longest interval and deadline. Builds take minutes.
pub(super) const SCHEDULE: Schedule = Schedule::seconds(3, 15, 900);
/// Log lines that a failed wait reads.
pub(super) const TAIL: u32 = 20;

/// An application to deploy; for [`Client::deploy`].
///
/// Set a [`kind`](Self::kind) for a control plane, which requires it and has other names for some
/// fields. With a kind, the body contains both names: `remote` and `remoteUrl`, `branch` and
/// `remoteBranch`, `env` and `envVars`. Without it, the body is as on the vendor's page. Servers ignore
/// unknown fields.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Client::deploy`"]
pub struct NewDeployment(types::DeploymentCreate);

/// Declares setters of text fields.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: impl Into<String>) -> Self {
            self.0.$name = Some($name.into());
            self
        }
    )*};
}

impl NewDeployment {
    /// Builds the application from a git repository.
    ///
    /// The deployment and its service get the name: 2 to 63 lower case letters, digits and single
    /// hyphens, unique on the server. A name that the cluster already has is redeployed. Credentials
    /// in the URL are sent, and redacted everywhere else.
    pub fn from_git(name: impl Into<String>, url: impl Into<String>) -> Self {
        let mut new = Self::new(name, DeploymentSource::Remote);
        new.0.remote = Some(GitUrl::from(url.into()));
        new
    }

    /// Runs an image: `node:20-alpine`. Only the control plane supports it.
    pub fn from_image(name: impl Into<String>, image: impl Into<String>) -> Self {
        let mut new = Self::new(name, DeploymentSource::Image);
        new.0.image = Some(image.into());
        new
    }

    fn new(name: impl Into<String>, source: DeploymentSource) -> Self {
        Self(types::DeploymentCreate::new(name.into(), source))
    }

    /// Kind of the service. The control plane requires it; the vendor's page does not document it.
    pub fn kind(mut self, kind: impl Into<ServiceType>) -> Self {
        self.0.type_ = Some(kind.into());
        self
    }

    /// Runtime and version: `("nodejs", "20")`.
    pub fn runtime(mut self, name: impl Into<Runtime>, version: impl Into<String>) -> Self {
        self.0.runtime = Some(name.into());
        self.0.version = Some(version.into());
        self
    }

    texts! {
        /// Branch to build, for git only. Default: the server's choice.
        branch;
        /// Commit to build, for git only. Only the control plane supports it. Default: the newest.
        remote_commit_hash;
        /// Build command: `npm install`.
        build_cmd;
        /// Start command: `npm start`.
        run_cmd;
        /// Description. Only the control plane supports it.
        description;
        /// Domain. Only the control plane supports it.
        domain;
        /// Working directory, relative to the repository. Only the control plane supports it.
        working_dir;
        /// Directory of a static site, relative to the repository. Only the control plane supports it.
        static_dir;
        /// Path of the health check: `/health`. Only the control plane supports it.
        health_check;
    }

    /// Builds again although an earlier build of the same source exists. Only the control plane supports
    /// it.
    pub fn force_rebuild(mut self) -> Self {
        self.0.force_rebuild = Some(true);
        self
    }

    /// Port that the application listens on, 1 to 65535.
    pub fn port(mut self, port: u32) -> Self {
        self.0.port = Some(port.into());
        self
    }

    /// Sets an environment variable. The value is redacted in previews, snapshots and `Debug`.
    ///
    /// Sent as `env`, which the vendor's page shows for updates only, and with a [`kind`](Self::kind)
    /// also as `envVars`, the name of the control plane.
    pub fn env(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        let env = self.0.env.get_or_insert_default();
        env.insert(key.into(), value.into());
        self
    }

    /// Sets a secret environment variable: no response contains its value. Only the control plane supports
    /// it.
    pub fn secret(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        let secrets = self.0.secrets.get_or_insert_default();
        secrets.insert(key.into(), value.into());
        self
    }

    fn into_raw(self) -> Result<types::DeploymentCreate> {
        let Self(mut body) = self;
        let url = body.remote.as_ref().map(GitUrl::expose);
        check_texts([
            ("name", Some(body.name.as_str())),
            ("URL of the repository", url),
            ("image", body.image.as_deref()),
            ("runtime", body.runtime.as_ref().map(Runtime::as_str)),
            ("version of the runtime", body.version.as_deref()),
            ("kind", body.type_.as_ref().map(ServiceType::as_str)),
            ("branch", body.branch.as_deref()),
            ("commit", body.remote_commit_hash.as_deref()),
            ("domain", body.domain.as_deref()),
            ("working directory", body.working_dir.as_deref()),
            ("directory of the static site", body.static_dir.as_deref()),
            ("path of the health check", body.health_check.as_deref()),
        ])?;
        if body.branch.is_some() && body.image.is_some() {
            return Err(Error::invalid_request("an image has no branch"));
        }
        check_keys(body.env.iter().chain(&body.secrets))?;
        body.port.map(check_port).transpose()?;
        // The control plane's field names.
        if body.type_.is_some() {
            body.remote_url = body.remote.clone();
            body.remote_branch = body.branch.clone();
            body.env_vars = body.env.clone();
        }
        Ok(body)
    }
}

/// Changes to a deployment; for [`DeploymentHandle::update`]. Unset fields keep their values.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "does nothing until passed to a deployment"]
pub struct DeploymentUpdate(types::DeploymentUpdate);

impl DeploymentUpdate {
    /// An update without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Version of the runtime.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = Some(version.into());
        self
    }

    /// Sets an environment variable. It is not documented whether other variables are kept.
    pub fn env(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        let env = self.0.env.get_or_insert_default();
        env.insert(key.into(), value.into());
        self
    }

    fn into_raw(self) -> Result<types::DeploymentUpdate> {
        let Self(body) = self;
        if body == types::DeploymentUpdate::default() {
            return Err(Error::invalid_request("the update changes nothing"));
        }
        check_texts([("version of the runtime", body.version.as_deref())])?;
        check_keys(&body.env)?;
        Ok(body)
    }
}

/// Checks the name of a variable.
pub(super) fn check_key(key: &str) -> Result<()> {
    check_text("name of a variable", key)?;
    if key.contains('=') {
        return Err(Error::invalid_request(
            "the name of a variable contains `=`",
        ));
    }
    Ok(())
}

/// Checks the names of variables.
pub(super) fn check_keys<'a>(
    maps: impl IntoIterator<Item = &'a BTreeMap<String, Secret>>,
) -> Result<()> {
    let mut keys = maps.into_iter().flat_map(BTreeMap::keys);
    keys.try_for_each(|key| check_key(key))
}

/// Id of a task, in the response to a deployment, a start or a stop.
///
/// No operation accepts it. The first deployment of a name has the id of its task. A redeployment keeps
/// the id of the deployment, so the id of its task is not a deployment id. To wait for a deployment, use
/// [`Deployed::deployment`](Deployed::deployment).
///
/// ```compile_fail
/// # async fn example(dployr: deploykit::dployr::Client, task: deploykit::dployr::TaskId) {
/// dployr.deployment(task).get().await; // a task id is not a deployment id
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(String);

impl TaskId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The result of [`Client::deploy`] and [`DeploymentHandle::update`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Deployed {
    /// Id of the deployment; `None` if the response contains only a task, as from the control plane.
    pub id: Option<DeploymentId>,
    /// Name of the deployment and its service, if known.
    pub name: Option<String>,
    /// Id of the task, which is not always the id of the deployment: see [`TaskId`].
    pub task_id: Option<TaskId>,
    /// Whether the task waits for an instance.
    pub queued: Option<bool>,
    /// Whether an earlier build is reused.
    pub cached: Option<bool>,
    /// Status of the deployment, from servers that report it here.
    pub status: Option<DeploymentStatus>,
    #[serde(skip)]
    client: Client,
}

impl Deployed {
    fn new(client: Client, created: Created) -> Self {
        Self {
            id: created.id,
            name: created.name,
            task_id: created.task_id,
            queued: created.queued,
            cached: created.cached,
            status: created.status,
            client,
        }
    }

    fn found(client: Client, found: Deployment) -> Self {
        Self {
            id: Some(found.id),
            name: Some(found.name),
            task_id: None,
            queued: None,
            cached: None,
            status: found.status,
            client,
        }
    }

    /// A handle on the deployment, to wait for it.
    ///
    /// If the response contains the id, the handle uses it. Otherwise it finds the deployment
    /// by its name in the list of the cluster: the control plane has one deployment per name, and a
    /// redeployment keeps its id. Such a handle rejects calls that need the id, such as
    /// [`delete`](DeploymentHandle::delete), before anything is sent. The record that
    /// [`wait`](DeploymentHandle::wait) returns has the id.
    pub fn deployment(&self) -> DeploymentHandle {
        let (id, name) = match (&self.id, &self.name) {
            (Some(id), _) => (Ok(id.clone()), None),
            (None, name) => (Err(ID_UNKNOWN.to_owned()), name.clone()),
        };
        let client = self.client.clone();
        DeploymentHandle {
            handle: Handle { client, id },
            name,
        }
    }
}

const ID_UNKNOWN: &str = "the response to the deploy had no deployment id: take the id from the record that \
    `wait` or `deployments().find(name)` returns";

/// The deployments of a cluster; returned by [`Client::deployments`].
#[derive(Clone, Debug)]
pub struct Deployments {
    pub(super) client: Client,
    service: Option<CheckedId<ServiceId>>,
    status: Option<DeploymentStatus>,
    page_request: PageRequest,
}

impl Deployments {
    paged!("deployments");

    /// Lists only deployments of this service. The known control plane then lists none, because its
    /// records have no `service_id`.
    pub fn of_service(mut self, id: impl TryInto<ServiceId, Error: Into<Error>>) -> Self {
        self.service = Some(checked(id));
        self
    }

    /// Lists only deployments with this status.
    pub fn status(mut self, status: impl Into<DeploymentStatus>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Lists one page of the deployments, one per name, the newest first: `GET /v1/deployments`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for page 0 or page size 0,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Deployment>> {
        let wanted = self.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let (service, status) = (wanted.service.clone(), wanted.status.clone());
            let cluster = wanted.client.cluster_parameter();
            let client = &wanted.client;
            client.call(Op::ListDeployments, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let service = service.transpose()?.map(String::from);
                let list = raw.list_deployments_with(|options| {
                    (options.page, options.page_size) = (page, size);
                    options.cluster_id = cluster.as_deref();
                    options.service_id = service.as_deref();
                    options.status = status.as_ref().map(DeploymentStatus::as_str);
                });
                Ok(list.await?.into_inner().into_page_of(page_request))
            })
        })
    }

    /// Finds a deployment by its id or its name in the list: `GET /v1/deployments`, page by page.
    ///
    /// Use it on the control plane, which rejects every [`get`](DeploymentHandle::get).
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), and as [`list`](Self::list).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn find(
        &self,
        id_or_name: impl TryInto<DeploymentId, Error: Into<Error>>,
    ) -> Call<Deployment> {
        find(&self.client, checked(id_or_name).map(Lookup::IdOrName))
    }

    /// Looks for the result of a [`deploy`](Client::deploy) whose outcome is unknown
    /// ([`Effect::Unknown`](crate::Effect::Unknown)): `GET /v1/deployments`, the newest 100.
    ///
    /// Returns the deployments of this name that were created or changed since then.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder();
    /// # let sandbox = sandbox.dployr_dialect(deploykit_sandbox::Dialect::ControlPlane).in_process();
    /// # let dployr = sandbox.dployr_builder().cluster(sandbox.dployr_access().cluster_id).build()?;
    /// use deploykit::Effect;
    /// use deploykit::dployr::{NewDeployment, ServiceType};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let before = SystemTime::now();
    /// let app = NewDeployment::from_image("my-app", "nginx:1.27").kind(ServiceType::Web);
    /// match dployr.deploy(app).await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(5)).await; // let the list catch up
    ///         match dployr.deployments().find_created("my-app", before).await?.first() {
    ///             Some(found) => println!("deployed: {} {:?}", found.id, found.status),
    ///             None => println!("not listed yet"),
    ///         }
    ///     }
    ///     other => println!("{:?}", other?.task_id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// The server's clock may be up to a minute behind: deployments of the minute before `since`,
    /// and those without a valid time, are included.
    ///
    /// **A result proves** that a deployment of this name was created or changed since then. If the name
    /// is new, it is yours unless another user chose the same one. If the name existed before, an
    /// earlier deployment that ended since then also changes the record: compare other fields, such
    /// as `remote_commit_hash`.
    ///
    /// **An empty result proves nothing**: the request may still be in progress, or wait for a build
    /// node. Only the 100 newest names are searched, and a redeployment does not make a name newer. Try a
    /// few times before you deploy again.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name, and as
    /// [`list`](Self::list).
    pub fn find_created(
        &self,
        name: impl Into<String>,
        since: SystemTime,
    ) -> Call<Vec<Deployment>> {
        let (name, since) = (name.into(), allow_for_skew(since));
        if name.trim().is_empty() {
            return self.client.call(Op::ListDeployments, |_| async {
                Err(Error::invalid_request("the name is empty").into())
            });
        }
        let newest = self.client.deployments().page_size(PAGING.largest);
        newest.list().complete().map(move |page| {
            let is_match = |found: &Deployment| found.name == name && !is_older(found, since);
            page.into_iter().filter(is_match).collect()
        })
    }

    /// Watches all deployments, including new ones, with one `GET /v1/deployments` per page and poll.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }
}

/// Whether the deployment has a time, and was neither created nor changed from `since` on.
fn is_older(found: &Deployment, since: SystemTime) -> bool {
    let times = found.created_at.iter().chain(&found.updated_at);
    let latest = times.filter_map(Timestamp::to_system_time).max();
    latest.is_some_and(|latest| latest < since)
}

/// A handle on a deployment; returned by [`Client::deployment`] and [`Deployed::deployment`].
#[derive(Clone, Debug)]
pub struct DeploymentHandle {
    handle: Handle<DeploymentId>,
    /// The name to look up if the id is unknown.
    name: Option<String>,
}

impl DeploymentHandle {
    /// Reads the deployment: `GET /v1/deployments/{id}`.
    ///
    /// The control plane rejects every such request, because it reads the id as a cluster id: use
    /// [`Deployments::find`] there.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Forbidden`](crate::ErrorKind::Forbidden) from the
    /// control plane.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn get(&self) -> Call<Deployment> {
        let cluster = self.handle.client.cluster_parameter();
        self.handle.call(Op::GetDeployment, |raw, id| async move {
            let reply = raw.get_deployment_with(id.as_str(), |options| {
                options.cluster_id = cluster.as_deref();
            });
            Ok(reply.await?.into_inner().0)
        })
    }

    /// Changes the deployment and redeploys it: `PUT /v1/deployments/{id}`.
    ///
    /// No known server has this route. On the control plane, deploy the name again or use
    /// [`ServiceHandle::update`](super::ServiceHandle::update).
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty change, and
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn update(&self, update: DeploymentUpdate) -> Call<Deployed> {
        let client = self.handle.client.clone();
        let cluster = client.cluster_parameter();
        self.handle
            .call(Op::UpdateDeployment, |raw, id| async move {
                let body = update.into_raw()?;
                let reply = raw.update_deployment_with(id.as_str(), &body, |options| {
                    options.cluster_id = cluster.as_deref();
                });
                let mut deployed = Deployed::new(client, reply.await?.into_inner().0);
                deployed.id.get_or_insert(id);
                Ok(deployed)
            })
    }

    /// Deletes the record of the deployment, not its service: `DELETE /v1/deployments/{id}`.
    ///
    /// If the client has a cluster, its id is also sent in the body: the control plane requires that,
    /// although the vendor's page shows no body.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), also the second time;
    /// [`Rejected`](crate::ErrorKind::Rejected) while the deployment is in progress;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the developer role or without a cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn delete(&self) -> Call<()> {
        let cluster = self.handle.client.cluster_parameter();
        let body = cluster.as_ref().map(|id| json!({ "clusterId": id }));
        let call = self
            .handle
            .call(Op::DeleteDeployment, |raw, id| async move {
                let reply = raw.delete_deployment_with(id.as_str(), |options| {
                    options.cluster_id = cluster.as_deref();
                });
                reply.await?;
                Ok(())
            });
        match body {
            Some(body) => call.attach_json(body),
            None => call,
        }
    }

    /// Waits until the deployment has succeeded, and returns its record.
    ///
    /// Success does not mean that the service is up: see
    /// [`ServiceHandle::wait`](super::ServiceHandle::wait).
    ///
    /// Reads the list (`GET /v1/deployments`, page by page): immediately, after 3 s, then at growing
    /// intervals of up to 15 s, for at most 15 minutes; [`Wait`] has methods to change this. A redeployed
    /// name keeps its record, whose status is `pending` again once the server accepts the redeployment.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder();
    /// # let sandbox = sandbox.dployr_dialect(deploykit_sandbox::Dialect::ControlPlane).in_process();
    /// # let dployr = sandbox.dployr_builder().cluster(sandbox.dployr_access().cluster_id).build()?;
    /// use deploykit::dployr::{NewDeployment, ServiceType};
    /// let app = NewDeployment::from_image("my-app", "nginx:1.27").kind(ServiceType::Web);
    /// let ready = dployr.deploy(app).await?.deployment().wait().await?;
    /// println!("{} {:?}", ready.name, ready.status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Wait`]: [`WaitFailed`](ErrorKind::WaitFailed),
    /// [`WaitTimedOut`](ErrorKind::WaitTimedOut), [`Gone`](ErrorKind::Gone) if the deployment is not
    /// listed. The first two contain the last lines of the service's log, if the server keeps logs.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn wait(&self) -> Wait<Deployment> {
        let (client, lookup) = (self.handle.client.clone(), self.lookup());
        let subject = self.name.clone().or_else(|| valid_id(&self.handle.id));
        let logged = (client.clone(), lookup.clone());
        Wait::new("dployr deployment", subject, SCHEDULE, move || {
            find(&client, lookup.clone()).map(|deployment| Snapshot {
                observation: observe(&deployment),
                value: deployment,
            })
        })
        .with_log(move || log_tail(&logged.0, &logged.1))
    }

    fn lookup(&self) -> CheckedId<Lookup> {
        match &self.name {
            Some(name) => Ok(Lookup::Name(name.clone())),
            None => self.handle.id.clone().map(Lookup::Id),
        }
    }
}

/// The last lines of the log of the service, which has the name of the deployment.
fn log_tail(client: &Client, lookup: &CheckedId<Lookup>) -> Call<Vec<String>> {
    let (client, lookup) = (client.clone(), lookup.clone());
    client
        .clone()
        .in_steps(Op::GetServiceLogs, |steps| async move {
            let found = steps.run(find(&client, lookup)).await?;
            let options = LogOptions::new().tail(TAIL);
            let lines = client.service(found.name).logs(options);
            Ok(messages(steps.run(lines).await?))
        })
}

impl WatchSource for Deployments {
    fn list(&self) -> Call<Page<(String, Observation)>> {
        Deployments::list(self).map_items(|items: Vec<Deployment>| {
            let listed = items.into_iter();
            let observed = listed.map(|one| (one.id.to_string(), observe(&one)));
            observed.collect()
        })
    }

    fn lookup(&self, id: &str) -> Option<Call<Observation>> {
        let lookup = checked(id).map(Lookup::Id);
        Some(find(&self.client, lookup).map(|found| observe(&found)))
    }
}

/// The deployment to find in the list.
#[derive(Clone)]
enum Lookup {
    Id(DeploymentId),
    Name(String),
    IdOrName(DeploymentId),
}

impl Lookup {
    fn matches(&self, found: &Deployment) -> bool {
        match self {
            Self::Id(id) => found.id == *id,
            Self::Name(name) => found.name == *name,
            Self::IdOrName(id) => found.id == *id || found.name == id.as_str(),
        }
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "with the id {id}"),
            Self::Name(name) => write!(f, "with the name {name}"),
            Self::IdOrName(id) => write!(f, "with the id or name {id}"),
        }
    }
}

/// Finds a deployment in the list.
fn find(client: &Client, lookup: CheckedId<Lookup>) -> Call<Deployment> {
    let listed = client.clone();
    client.in_steps(Op::ListDeployments, |steps| async move {
        let lookup = lookup.map_err(|why| steps.error(ErrorKind::InvalidRequest, &why))?;
        let list = |number| listed.deployments().page(number).page_size(100).list();
        let found = first_match(&steps, list, |one| lookup.matches(one)).await?;
        found.ok_or_else(|| {
            let why = format!("the cluster has no deployment {lookup}");
            steps.error(ErrorKind::NotFound, &why)
        })
    })
}

/// The first match in all pages of a list.
pub(super) async fn first_match<T: Clone + PartialEq + Send + Sync + 'static>(
    steps: &Steps,
    list: impl Fn(u32) -> Call<Page<T>>,
    is_match: impl Fn(&T) -> bool,
) -> Result<Option<T>> {
    let mut seen = Vec::new();
    for number in 1_u32.. {
        let page = steps.run(list(number)).await?;
        // `None` for an empty page. A list may have one before its end.
        let first = page.items.first().cloned();
        let (more, complete) = (page.has_next, page.check_complete());
        if let Some(found) = page.into_iter().find(&is_match) {
            return Ok(Some(found));
        }
        complete.map_err(|error| steps.refused(error))?;
        if !more {
            break;
        }
        if seen.contains(&first) {
            return Err(steps.error(ErrorKind::Decode, "the list repeats a page"));
        }
        seen.push(first);
    }
    Ok(None)
}

impl Client {
    /// Deploys an application: `POST /v1/deployments`.
    ///
    /// If the cluster already has a deployment of this name, it is redeployed. The server responds before
    /// the deployment has finished: [`deployed.deployment().wait()`](Deployed::deployment) waits for that.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) for an empty name, repository, image or variable
    /// name, and for an invalid port; [`Rejected`](ErrorKind::Rejected) for invalid fields or a missing
    /// kind or cluster; [`Conflict`](ErrorKind::Conflict) for a name of another cluster;
    /// [`PlanLimit`](ErrorKind::PlanLimit); [`Unavailable`](ErrorKind::Unavailable) if no node can
    /// build it (part of the request may be stored nevertheless). After
    /// [`Effect::Unknown`](crate::Effect::Unknown), check [`Deployments::find_created`] before you
    /// deploy again, or use [`deploy_once`](Self::deploy_once): the server builds and restarts for each
    /// accepted request.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn deploy(&self, new: NewDeployment) -> Call<Deployed> {
        let client = self.clone();
        let cluster = self.cluster_parameter();
        self.call(Op::CreateDeployment, |raw| async move {
            let new = new.into_raw()?;
            let reply = raw.create_deployment_with(&new, |options| {
                options.cluster_id = cluster.as_deref();
            });
            let mut deployed = Deployed::new(client, reply.await?.into_inner().0);
            deployed.name = Some(new.name);
            Ok(deployed)
        })
    }

    /// Deploys an application unless its name exists, and looks for it after a lost response:
    /// `POST /v1/deployments` and `GET /v1/deployments`.
    ///
    /// Use a new name, such as that of a preview environment. A call sends at most one create. It returns
    /// the deployment of this name if there is one, and does not redeploy it. If the outcome of the create
    /// is unknown, it requests the list until the deployment appears or the deadline passes:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder();
    /// # let sandbox = sandbox.dployr_dialect(deploykit_sandbox::Dialect::ControlPlane).in_process();
    /// # let dployr = sandbox.dployr_builder().cluster(sandbox.dployr_access().cluster_id).build()?;
    /// use deploykit::dployr::{NewDeployment, ServiceType};
    /// let preview = NewDeployment::from_image("my-app-pr-17", "nginx:1.27").kind(ServiceType::Web);
    /// let deployed = dployr.deploy_once(preview).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// The deployment may have failed; [`wait`](DeploymentHandle::wait) tells. Two calls at the same time can
    /// both deploy. A preview shows the lookup: preview [`deploy`](Self::deploy) instead.
    ///
    /// # Errors
    /// As [`deploy`](Self::deploy) and [`Deployments::find`]. With
    /// [`Effect::Unknown`](crate::Effect::Unknown), the deployment did not appear in time: call it again.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn deploy_once(&self, new: NewDeployment) -> Call<Deployed> {
        let (client, valid) = (self.clone(), new.clone().into_raw());
        let deploy = self.deploy(new);
        self.in_steps(Op::CreateDeployment, |steps| async move {
            let name = valid.map_err(|error| steps.refused(error))?.name;
            let find = || {
                let client = client.clone();
                let found = find(&client, Ok(Lookup::Name(name.clone())));
                let found = found.map(|found| Some(Deployed::found(client, found)));
                found.or_else(|error| match error.kind() {
                    ErrorKind::NotFound => Ok(None),
                    _ => Err(error),
                })
            };
            steps.create_once(find, deploy).await
        })
    }

    /// The deployments of the client's cluster. Does no I/O.
    pub fn deployments(&self) -> Deployments {
        Deployments {
            client: self.clone(),
            service: None,
            status: None,
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a deployment, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn deployment(
        &self,
        id: impl TryInto<DeploymentId, Error: Into<Error>>,
    ) -> DeploymentHandle {
        DeploymentHandle {
            handle: Handle::new(self, id),
            name: None,
        }
    }
}

pub(super) fn valid_id<I: ToString>(id: &CheckedId<I>) -> Option<String> {
    id.as_ref().ok().map(I::to_string)
}

pub(super) fn messages(lines: Vec<LogLine>) -> Vec<String> {
    lines.into_iter().map(|line| line.message).collect()
}

/// The phase of a deployment, and its status as the server sent it.
fn observe(deployment: &Deployment) -> Observation {
    let status = deployment.status.as_ref();
    let raw_status = status.map_or("", DeploymentStatus::as_str);
    Observation::new(status.map_or(Phase::Unknown, phase_of), raw_status)
}

/// The phase of a deployment status. `running` means in progress here.
fn phase_of(status: &DeploymentStatus) -> Phase {
    match status {
        DeploymentStatus::Pending => Phase::Queued,
        DeploymentStatus::Running | DeploymentStatus::InProgress => Phase::InProgress,
        DeploymentStatus::Success | DeploymentStatus::Completed => Phase::Ready,
        DeploymentStatus::Failed => Phase::Failed,
        _ => Phase::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deployment_statuses_have_phases() {
        for (status, phase) in [
            ("pending", Phase::Queued),
            ("running", Phase::InProgress),
            ("in_progress", Phase::InProgress),
            ("success", Phase::Ready),
            ("completed", Phase::Ready),
            ("failed", Phase::Failed),
            ("cancelled", Phase::Unknown),
        ] {
            assert_eq!(phase_of(&DeploymentStatus::from(status)), phase, "{status}");
        }
    }
}
