//! Deployments: create, list, read, change, delete, await and watch them.

use super::client::{check_port, check_text, check_texts};
use super::shapes::PAGING;
use super::{
    Client, Created, Deployment, DeploymentHandle, DeploymentId, DeploymentSource,
    DeploymentStatus, Handle, Page, Routed, Runtime, ServiceType, Via,
};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::id::CheckedId;
use crate::logs::LogLine;
use crate::page::{PageRequest, paged};
use crate::raw::dployr::{Op, types};
use crate::secret::{GitUrl, Secret};
use crate::time::{Timestamp, allow_for_skew};
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::{Observation, Phase, WatchSource, Watcher};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Building takes minutes.
pub(super) const SCHEDULE: Schedule = Schedule::seconds(3, 15, 900);
/// How many lines of the log are asked for.
pub(super) const TAIL: u32 = 20;

/// A deployment to create.
///
/// The body is the one of the vendor's page unless there is a [`kind`](Self::kind). The open-source
/// control plane requires a kind and has other names for some fields, so with a kind the body holds
/// both: `remote` and `remoteUrl`, `branch` and `remoteBranch`, `env` and `envVars`. Servers ignore
/// unknown fields.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is deployed until it is passed to a client"]
pub struct NewDeployment(types::DeploymentCreate);

impl NewDeployment {
    /// An application that is built from a git repository. Credentials in the URL are sent and redacted
    /// everywhere else.
    ///
    /// The name is that of the deployment and of its service: 2 to 63 lower case letters, digits and
    /// single hyphens. It is unique on the server, and a name that the cluster has already is
    /// redeployed.
    pub fn from_git(name: impl Into<String>, url: impl Into<String>) -> Self {
        let mut new = Self::new(name, DeploymentSource::Remote);
        new.0.remote = Some(GitUrl::from(url.into()));
        new
    }

    /// An application from an image: `node:20-alpine`.
    ///
    /// The vendor's page documents deployments from git only; this is the control plane's form.
    pub fn from_image(name: impl Into<String>, image: impl Into<String>) -> Self {
        let mut new = Self::new(name, DeploymentSource::Image);
        new.0.image = Some(image.into());
        new
    }

    fn new(name: impl Into<String>, source: DeploymentSource) -> Self {
        Self(types::DeploymentCreate {
            name: name.into(),
            source,
            branch: None,
            build_cmd: None,
            description: None,
            domain: None,
            env: None,
            env_vars: None,
            health_check: None,
            image: None,
            port: None,
            remote: None,
            remote_branch: None,
            remote_url: None,
            run_cmd: None,
            runtime: None,
            secrets: None,
            static_dir: None,
            type_: None,
            version: None,
            working_dir: None,
        })
    }

    /// The kind of service. The control plane requires it; the vendor's page does not document it.
    pub fn kind(mut self, kind: impl Into<ServiceType>) -> Self {
        self.0.type_ = Some(kind.into());
        self
    }

    /// The runtime and its version: `("nodejs", "20")`.
    pub fn runtime(mut self, name: impl Into<Runtime>, version: impl Into<String>) -> Self {
        self.0.runtime = Some(name.into());
        self.0.version = Some(version.into());
        self
    }

    /// The branch to build, for git only. Default: the server's choice.
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.0.branch = Some(branch.into());
        self
    }

    /// The command that builds it: `npm install`.
    pub fn build_cmd(mut self, command: impl Into<String>) -> Self {
        self.0.build_cmd = Some(command.into());
        self
    }

    /// The command that runs it: `npm start`.
    pub fn run_cmd(mut self, command: impl Into<String>) -> Self {
        self.0.run_cmd = Some(command.into());
        self
    }

    /// The port that the application listens on, 1 to 65535.
    pub fn port(mut self, port: u32) -> Self {
        self.0.port = Some(port.into());
        self
    }

    /// Sets an environment variable. Its value is redacted in previews, snapshots and `Debug`.
    ///
    /// It is sent as `env`, the name of the vendor's page in an update (for a create it documents none),
    /// and with a [`kind`](Self::kind) also as `envVars`. The control plane ignores `env`, but it refuses
    /// a deployment without a kind, so nothing is lost.
    pub fn env(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        let env = self.0.env.get_or_insert_default();
        env.insert(key.into(), value.into());
        self
    }

    /// Sets a secret environment variable, whose value no reply shows. Not on the vendor's page: a
    /// server may ignore it.
    pub fn secret(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        let secrets = self.0.secrets.get_or_insert_default();
        secrets.insert(key.into(), value.into());
        self
    }

    /// A description. Not on the vendor's page.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.0.description = Some(text.into());
        self
    }

    /// The domain. Not on the vendor's page.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.0.domain = Some(domain.into());
        self
    }

    /// The working directory, relative to the repository. Not on the vendor's page.
    pub fn working_dir(mut self, directory: impl Into<String>) -> Self {
        self.0.working_dir = Some(directory.into());
        self
    }

    /// The directory with the files of a static site, relative to the repository. Not on the
    /// vendor's page.
    pub fn static_dir(mut self, directory: impl Into<String>) -> Self {
        self.0.static_dir = Some(directory.into());
        self
    }

    /// The path of the health check: `/health`. Not on the vendor's page.
    pub fn health_check(mut self, path: impl Into<String>) -> Self {
        self.0.health_check = Some(path.into());
        self
    }

    fn into_raw(self) -> Result<types::DeploymentCreate> {
        let Self(mut body) = self;
        check_texts([
            ("name", Some(body.name.as_str())),
            (
                "URL of the repository",
                body.remote.as_ref().map(GitUrl::expose),
            ),
            ("image", body.image.as_deref()),
            ("runtime", body.runtime.as_ref().map(Runtime::as_str)),
            ("version of the runtime", body.version.as_deref()),
            ("kind", body.type_.as_ref().map(ServiceType::as_str)),
            ("branch", body.branch.as_deref()),
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
        // The control plane's own names, for a deployment that it would accept.
        if body.type_.is_some() {
            body.remote_url = body.remote.clone();
            body.remote_branch = body.branch.clone();
            body.env_vars = body.env.clone();
        }
        Ok(body)
    }
}

/// A change of a deployment. Unset fields stay.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "nothing is changed until it is passed to a deployment"]
pub struct DeploymentUpdate(types::DeploymentUpdate);

impl DeploymentUpdate {
    /// An empty change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another version of the runtime.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = Some(version.into());
        self
    }

    /// Sets an environment variable. It is not documented whether other variables stay; the nearest
    /// existing call replaces all of them.
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

/// The deployments of a server; made by [`Client::deployments`].
#[derive(Clone, Debug)]
pub struct Deployments {
    pub(super) client: Client,
    page_request: PageRequest,
}

impl Deployments {
    /// Deploys an application, or redeploys it if the cluster has one of that name:
    /// `POST /v1/deployments`.
    ///
    /// It answers before the deployment is made. The control plane answers only with the id of a task.
    /// It is also the id of the deployment when a name is first deployed, but **not when it is
    /// redeployed**, so it is a [`TaskId`](super::TaskId), which no call takes: look the deployment up by
    /// its name with [`Client::deployment`].
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name, repository, image or name
    /// of a variable, and for an invalid port; [`Rejected`](crate::ErrorKind::Rejected) for invalid
    /// fields or a missing kind or cluster, [`Conflict`](crate::ErrorKind::Conflict) for a name of
    /// another cluster,
    /// [`PlanLimit`](crate::ErrorKind::PlanLimit),
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when no node could build it, after which part of
    /// the request may be kept. After
    /// [`Effect::Unknown`](crate::Effect::Unknown) ask [`find_created`](Self::find_created) before you
    /// repeat it: each accepted call builds and restarts.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn create(&self, new: NewDeployment) -> Call<Created> {
        let cluster = self.client.cluster_id();
        self.client.call(Op::CreateDeployment, |raw| async move {
            let reply = raw
                .create_deployment(cluster.as_deref(), &new.into_raw()?)
                .await?;
            Ok(reply.into_inner().0)
        })
    }

    paged!("deployments");

    /// One page of the deployments, one per name, the newest first: `GET /v1/deployments`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a page or a
    /// size of zero. [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Deployment>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let cluster = client.cluster_id();
            client.call(Op::ListDeployments, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_deployments(cluster.as_deref(), page, size).await?;
                Ok(list.into_inner().into_page_of(page_request))
            })
        })
    }

    /// Looks for the result of a [`create`](Self::create) without an answer
    /// ([`Effect::Unknown`](crate::Effect::Unknown)): the deployments of this name that were created or
    /// changed since then. At most one, from a server that has one per name.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// use deploykit::Effect;
    /// use deploykit::dployr::NewDeployment;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let before = SystemTime::now();
    /// let app = NewDeployment::from_git("my-app", "https://github.com/user/repo");
    /// match dployr.deployments().create(app).await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(5)).await; // let the list catch up
    ///         match dployr.deployments().find_created("my-app", before).await?.first() {
    ///             Some(found) => println!("it is there: {} {:?}", found.id, found.status),
    ///             None => println!("not there by now"),
    ///         }
    ///     }
    ///     other => println!("{:?}", other?.task_id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// The server's clock may be up to a minute behind yours: deployments of the minute before `since`,
    /// and those without a valid time, are included.
    ///
    /// **A hit proves** that a deployment of this name was created or changed since then. A new name is
    /// yours unless somebody else chose the same one. A redeployed name keeps its record, and any
    /// deployment of it changes the record, also one that began earlier and ended since: compare other
    /// fields, such as `remote_commit_hash`.
    ///
    /// **A miss does not prove** that nothing was started: the request may still be in flight, or be kept
    /// by a control plane whose build node was disconnected. A control plane lists the newest 100 names;
    /// a redeployed older one does not move up. Look a few times before you redeploy.
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
        newest.list().map(move |page| {
            let fits = |found: &Deployment| found.name == name && !older(found, since);
            page.into_iter().filter(fits).collect()
        })
    }
}

/// Whether the deployment is known to be unchanged since.
fn older(found: &Deployment, since: SystemTime) -> bool {
    let times = found.created_at.iter().chain(&found.updated_at);
    let latest = times.filter_map(Timestamp::to_system_time).max();
    latest.is_some_and(|latest| latest < since)
}

impl DeploymentHandle {
    /// The deployment: `GET /v1/deployments/{id}`, by its id or its name.
    ///
    /// The open-source control plane refuses this for every deployment, because it takes the id for
    /// that of a cluster. Then the client falls back to [`Deployments::list`], 100 per page, see [`Via`];
    /// `without_fallbacks` on the builder turns that off. The id of a task that redeployed a name finds
    /// nothing.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Forbidden`](crate::ErrorKind::Forbidden) without the
    /// right to read the cluster, and from that control plane always if the client has no cluster or no
    /// fallbacks.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn get(&self) -> Call<Routed<Deployment>> {
        let client = self.client.clone();
        let cluster = client.cluster_id();
        let id = self.id.as_ref();
        let name = id.map(ToString::to_string).unwrap_or_default();
        let documented = self.call(Op::GetDeployment, |raw, id| async move {
            let reply = raw.get_deployment(id.as_str(), cluster.as_deref()).await?;
            Ok(reply.into_inner().0)
        });
        self.client.in_steps(Op::GetDeployment, |steps| async move {
            let found = match steps.documented(documented).await {
                Err(error)
                    if client.falls_back()
                        && is_misread_id(&error)
                        && client.cluster().is_some() =>
                {
                    None
                }
                result => result?,
            };
            if let Some(deployment) = found {
                return Ok(Routed::by(Via::Documented, deployment));
            }
            let found =
                steps.deployment(&client, |found| [&found.id, &found.name].contains(&&name));
            match found.await? {
                Some(deployment) => Ok(Routed::by(Via::Listing, deployment)),
                None => Err(steps.error(
                    ErrorKind::NotFound,
                    "no deployment of this id or name is in the list of the cluster",
                )),
            }
        })
    }

    /// Changes the deployment and redeploys it: `PUT /v1/deployments/{id}`.
    ///
    /// No known server has this route.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty change, and
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn update(&self, update: DeploymentUpdate) -> Call<Created> {
        let cluster = self.client.cluster_id();
        self.call(Op::UpdateDeployment, |raw, id| async move {
            let reply = raw
                .update_deployment(id.as_str(), cluster.as_deref(), &update.into_raw()?)
                .await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Deletes the record of the deployment, not its service: `DELETE /v1/deployments/{id}`.
    ///
    /// The open-source control plane looks for the cluster in a body, which the vendor's page does
    /// not show; a client that has a cluster sends one.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), the second time too;
    /// [`Rejected`](crate::ErrorKind::Rejected) while it is being made;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role or without a cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn delete(&self) -> Call<()> {
        let cluster = self.client.cluster_id();
        let body = cluster.as_ref().map(|id| json!({ "clusterId": id }));
        let call = self.call(Op::DeleteDeployment, |raw, id| async move {
            raw.delete_deployment(id.as_str(), cluster.as_deref())
                .await?;
            Ok(())
        });
        match body {
            Some(body) => call.attach_json(body),
            None => call,
        }
    }
}

impl DeploymentHandle {
    /// Waits until the deployment is made, and gives it: that its service is up is another thing, see
    /// [`ServiceHandle::wait`].
    ///
    /// It looks for its id in the list (`GET /v1/deployments`, page by page: the control plane refuses
    /// the call for a single one) at once, after 3 s, and then at most every 15 s, and gives up after
    /// 15 minutes; see [`Wait`] for how to change that. When a name is deployed anew, its record goes
    /// back to `pending` and keeps its id; the id of the task, which the server answers with, is not
    /// listed, and would be [`Gone`](ErrorKind::Gone).
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// let made = dployr.deployment("01M85NWXQH0M1DQ4109E4PJNZT").wait().await?;
    /// println!("{} is {:?}", made.name, made.status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`WaitFailed`](ErrorKind::WaitFailed), [`WaitTimedOut`](ErrorKind::WaitTimedOut),
    /// [`Gone`](ErrorKind::Gone) for one that is not listed, and the others of [`Wait`]. With the first
    /// two are the last lines of the log under its name, from a server that keeps one.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn wait(&self) -> Wait<Deployment> {
        let (polled, logged) = (self.clone(), self.clone());
        Wait::new("dployr deployment", id_of(&self.id), SCHEDULE, move || {
            polled.look()
        })
        .with_log(move || logged.log_tail())
    }

    fn look(&self) -> Call<Snapshot<Deployment>> {
        listed(&self.client, &self.id).map(|deployment| {
            let (phase, word) = how(&deployment);
            Snapshot::new(phase, word, deployment)
        })
    }

    /// The log goes by the name of the service, which is that of the deployment.
    fn log_tail(&self) -> Call<Vec<String>> {
        let (client, id) = (self.client.clone(), self.id.clone());
        self.client
            .in_steps(Op::GetServiceLogs, |steps| async move {
                let found = steps.run(listed(&client, &id)).await?;
                let lines = client.service(found.name).logs(Some(TAIL));
                Ok(texts(steps.run(lines).await?))
            })
    }
}

impl Deployments {
    /// Watches all deployments, those that are made meanwhile too: one list call a page.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }
}

impl WatchSource for Deployments {
    fn list(&self) -> Call<Page<(String, Observation)>> {
        Deployments::list(self).map_items(|items: Vec<Deployment>| {
            let listed = items.into_iter().map(|deployment| {
                let (phase, word) = how(&deployment);
                (deployment.id, Observation::new(phase, word))
            });
            listed.collect()
        })
    }

    fn lookup(&self, id: &str) -> Option<Call<Observation>> {
        let id = DeploymentId::new(id).map_err(|error| error.to_string());
        Some(listed(&self.client, &id).map(|deployment| {
            let (phase, word) = how(&deployment);
            Observation::new(phase, word)
        }))
    }
}

/// Whether the control plane took the id of a deployment for that of a cluster. A caller without access
/// to the cluster is refused in the same words, and then again by the list.
fn is_misread_id(error: &Error) -> bool {
    error.status() == Some(403) && error.code() == Some("permission.viewer_role_required")
}

impl Client {
    /// The deployments. It does no I/O.
    pub fn deployments(&self) -> Deployments {
        Deployments {
            client: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a deployment, by its id; reading also takes its name. It does no I/O; an invalid id
    /// is refused by the first call, as by all handles.
    pub fn deployment(
        &self,
        id: impl TryInto<DeploymentId, Error: Into<Error>>,
    ) -> DeploymentHandle {
        Handle::new(self, id)
    }
}

pub(super) fn id_of<I: ToString>(id: &CheckedId<I>) -> Option<String> {
    id.as_ref().ok().map(I::to_string)
}

pub(super) fn texts(lines: Vec<LogLine>) -> Vec<String> {
    lines.into_iter().map(|line| line.message).collect()
}

/// The deployment with this id, of the pages of the list.
fn listed(client: &Client, id: &CheckedId<DeploymentId>) -> Call<Deployment> {
    let (searched, id) = (client.clone(), id.clone());
    client.in_steps(Op::ListDeployments, |steps| async move {
        let id = id.map_err(|why| steps.error(ErrorKind::InvalidRequest, &why))?;
        let found = steps.deployment(&searched, |one| one.id == id.as_str());
        found.await?.ok_or_else(|| {
            let words = format!("there is no deployment {id} in the list");
            steps.error(ErrorKind::NotFound, &words)
        })
    })
}

/// How far a deployment is, and the server's word for it.
fn how(deployment: &Deployment) -> (Phase, String) {
    let status = deployment.status.as_ref();
    let word = status.map_or("", DeploymentStatus::as_str).to_owned();
    (status.map_or(Phase::Unknown, phase_of), word)
}

/// How far a deployment is: `running` is one that is being made.
fn phase_of(status: &DeploymentStatus) -> Phase {
    match status {
        DeploymentStatus::Pending => Phase::Queued,
        DeploymentStatus::Running | DeploymentStatus::InProgress => Phase::InProgress,
        DeploymentStatus::Success | DeploymentStatus::Completed => Phase::Ready,
        DeploymentStatus::Failed => Phase::Failed,
        DeploymentStatus::Unknown(_) => Phase::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phase_of_each_status_of_a_deployment() {
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
