//! Deployments: creating, listing, reading, changing, deleting them.

use super::client::{Given, check_port, check_text};
use super::shapes::{PAGING, Single};
use super::{
    Client, Created, Deployment, DeploymentId, DeploymentSource, Page, Runtime, ServiceType,
};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{Ask, paged};
use crate::raw::dployr::{Op, types};
use crate::secret::{GitUrl, Secret};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;

/// What to deploy, and how.
///
/// The body is the one on the vendor's page, field by field, unless there is a
/// [`kind`](Self::kind). The open-source control plane requires one and has other names for some
/// fields, so with a kind the body holds both: `remote` and `remoteUrl`, `branch` and
/// `remoteBranch`, `env` and `envVars`. Servers ignore fields that they do not know.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is deployed until it is given to a client"]
pub struct NewDeployment {
    name: String,
    from: From,
    kind: Option<ServiceType>,
    runtime: Option<(Runtime, String)>,
    branch: Option<String>,
    build_cmd: Option<String>,
    run_cmd: Option<String>,
    port: Option<u32>,
    env: BTreeMap<String, Secret>,
    secrets: BTreeMap<String, Secret>,
    description: Option<String>,
    domain: Option<String>,
    working_dir: Option<String>,
    static_dir: Option<String>,
    health_check: Option<String>,
}

#[derive(Clone, PartialEq)]
enum From {
    Git(GitUrl),
    Image(String),
}

impl fmt::Debug for From {
    /// The name of an image may hold credentials for its registry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Git(url) => f.debug_tuple("Git").field(url).finish(),
            Self::Image(image) => {
                let image = crate::secret::masked_url(image);
                f.debug_tuple("Image").field(&image).finish()
            }
        }
    }
}

impl NewDeployment {
    /// An application that is built from a git repository. The URL may hold credentials; they are
    /// sent and never shown.
    ///
    /// The name is for the deployment and its service: lower case letters, digits and single
    /// hyphens, 2 to 63 of them. It is unique on the whole server, and a name that the cluster has
    /// already is deployed anew.
    pub fn from_git(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new(name, From::Git(GitUrl::from(url.into())))
    }

    /// An application from an image: `node:20-alpine`.
    ///
    /// The vendor's page shows deployments from git only; this is how the control plane has it.
    pub fn from_image(name: impl Into<String>, image: impl Into<String>) -> Self {
        Self::new(name, From::Image(image.into()))
    }

    fn new(name: impl Into<String>, from: From) -> Self {
        Self {
            name: name.into(),
            from,
            kind: None,
            runtime: None,
            branch: None,
            build_cmd: None,
            run_cmd: None,
            port: None,
            env: BTreeMap::new(),
            secrets: BTreeMap::new(),
            description: None,
            domain: None,
            working_dir: None,
            static_dir: None,
            health_check: None,
        }
    }

    /// What kind of service it is. The control plane refuses a deployment without it, the vendor's
    /// page does not know it.
    pub fn kind(mut self, kind: impl Into<ServiceType>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// What runs the code, and in which version: `("nodejs", "20")`.
    pub fn runtime(mut self, name: impl Into<Runtime>, version: impl Into<String>) -> Self {
        self.runtime = Some((name.into(), version.into()));
        self
    }

    /// The branch to build, for git only. Left to the server unless set.
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = Some(branch.into());
        self
    }

    /// The command that builds it: `npm install`.
    pub fn build_cmd(mut self, command: impl Into<String>) -> Self {
        self.build_cmd = Some(command.into());
        self
    }

    /// The command that runs it: `npm start`.
    pub fn run_cmd(mut self, command: impl Into<String>) -> Self {
        self.run_cmd = Some(command.into());
        self
    }

    /// The port that it listens on, 1 to 65535; checked when the deployment is sent.
    pub fn port(mut self, port: u32) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets an environment variable. Previews, snapshots and `Debug` leave its value out: this is
    /// where database URLs stand.
    ///
    /// It is sent as `env`, the name that the vendor's page has for it in an update (in a create it
    /// has none), and with a [`kind`](Self::kind) also as `envVars`. The control plane drops `env`
    /// without a word, but as it refuses a deployment without a kind, nothing gets lost there.
    pub fn env(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.env.insert(key.into(), value.into());
        self
    }

    /// Sets an environment variable whose value no reply shows again. The vendor's page has no such
    /// thing, and a server that keeps to it may ignore this.
    pub fn secret(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.secrets.insert(key.into(), value.into());
        self
    }

    /// What it is, in words. Not on the vendor's page.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// The domain that it is to have. Not on the vendor's page.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// The directory to run in, relative to the repository. Not on the vendor's page.
    pub fn working_dir(mut self, directory: impl Into<String>) -> Self {
        self.working_dir = Some(directory.into());
        self
    }

    /// The directory with the files of a static site, relative to the repository. Not on the
    /// vendor's page.
    pub fn static_dir(mut self, directory: impl Into<String>) -> Self {
        self.static_dir = Some(directory.into());
        self
    }

    /// The path that is asked to see whether it is well: `/health`. Not on the vendor's page.
    pub fn health_check(mut self, path: impl Into<String>) -> Self {
        self.health_check = Some(path.into());
        self
    }

    fn check(&self) -> Result<Option<i64>> {
        check_text("name", &self.name)?;
        match &self.from {
            From::Git(url) => check_text("URL of the repository", url.expose())?,
            From::Image(image) => check_text("image", image)?,
        }
        if self.branch.is_some() && matches!(self.from, From::Image(_)) {
            return Err(Error::invalid_request("an image has no branch"));
        }
        if let Some((runtime, version)) = &self.runtime {
            check_text("runtime", runtime.as_str())?;
            check_text("version of the runtime", version)?;
        }
        if let Some(kind) = &self.kind {
            check_text("kind", kind.as_str())?;
        }
        for (what, text) in [
            ("branch", &self.branch),
            ("domain", &self.domain),
            ("working directory", &self.working_dir),
            ("directory of the static site", &self.static_dir),
            ("path of the health check", &self.health_check),
        ] {
            text.as_ref()
                .map_or(Ok(()), |text| check_text(what, text))?;
        }
        self.env
            .keys()
            .chain(self.secrets.keys())
            .try_for_each(|key| check_key(key))?;
        self.port.map(check_port).transpose()
    }

    fn into_raw(self) -> Result<types::DeploymentCreate> {
        let port = self.check()?;
        let (source, remote, image) = match self.from {
            From::Git(url) => (DeploymentSource::Remote, Some(url), None),
            From::Image(image) => (DeploymentSource::Image, None, Some(image)),
        };
        let (runtime, version) = self.runtime.unzip();
        let env = (!self.env.is_empty()).then_some(types::EnvMap(self.env));
        // The control plane's own names, for a deployment that it would accept.
        let twice = self.kind.is_some();
        Ok(types::DeploymentCreate {
            name: self.name,
            source,
            runtime,
            version,
            remote_url: remote.clone().filter(|_| twice),
            remote,
            remote_branch: self.branch.clone().filter(|_| twice),
            branch: self.branch,
            build_cmd: self.build_cmd,
            run_cmd: self.run_cmd,
            port,
            env_vars: env.clone().filter(|_| twice),
            env,
            secrets: (!self.secrets.is_empty()).then_some(types::SecretMap(self.secrets)),
            type_: self.kind,
            image,
            description: self.description,
            domain: self.domain,
            working_dir: self.working_dir,
            static_dir: self.static_dir,
            health_check: self.health_check,
        })
    }
}

/// What to change in a deployment. What is not set stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "nothing is changed until it is given to a deployment"]
pub struct DeploymentUpdate {
    version: Option<String>,
    env: BTreeMap<String, Secret>,
}

impl DeploymentUpdate {
    /// A change of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another version of the runtime.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets an environment variable. Whether those that are not named stay is not documented; the
    /// nearest call that servers have replaces all of them.
    pub fn env(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.env.insert(key.into(), value.into());
        self
    }

    fn into_raw(self) -> Result<types::DeploymentUpdate> {
        if let Some(version) = &self.version {
            check_text("version of the runtime", version)?;
        }
        self.env.keys().try_for_each(|key| check_key(key))?;
        let env = (!self.env.is_empty()).then_some(types::EnvMap(self.env));
        if self.version.is_none() && env.is_none() {
            return Err(Error::invalid_request("the update changes nothing"));
        }
        Ok(types::DeploymentUpdate {
            version: self.version,
            env,
        })
    }
}

/// Refuses what cannot name a variable.
pub(super) fn check_key(key: &str) -> Result<()> {
    check_text("name of a variable", key)?;
    if key.contains('=') {
        return Err(Error::invalid_request(
            "the name of a variable contains `=`",
        ));
    }
    Ok(())
}

/// The deployments of a server; made by [`Client::deployments`].
#[derive(Clone, Debug)]
pub struct Deployments {
    pub(super) client: Client,
    ask: Ask,
}

impl Deployments {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            ask: Ask::default(),
        }
    }

    /// Deploys an application, or deploys it anew if the cluster has one of that name:
    /// `POST /v1/deployments`.
    ///
    /// It answers at once, and the deployment is made afterwards. The control plane answers with
    /// the id of a task alone. The first time a name is deployed that is the id of the deployment
    /// too; **when a name is deployed anew it is not**, which is why it is a
    /// [`TaskId`](super::TaskId), and no call takes it: [`Client::deployment`](super::Client::deployment)
    /// finds the deployment by its name.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: an empty name,
    /// repository, image or name of a variable, a port that is none. Of the server:
    /// [`Rejected`](crate::ErrorKind::Rejected) for fields that it does not like or a missing kind or
    /// cluster, [`Conflict`](crate::ErrorKind::Conflict) for a name of another cluster,
    /// [`PlanLimit`](crate::ErrorKind::PlanLimit),
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when no node could build it, after which part of
    /// the request may be kept, and those of every call. After
    /// [`Effect::Unknown`](crate::Effect::Unknown) ask [`find_created`](Self::find_created) before you
    /// repeat it: each accepted call builds and restarts.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn create(&self, new: NewDeployment) -> Call<Created> {
        let op = Op::CreateDeployment;
        let cluster = self.client.cluster_id();
        match new.into_raw() {
            Err(error) => self.client.refused(op, error),
            Ok(body) => self
                .client
                .call(op, move |raw| async move {
                    raw.create_deployment(cluster.as_deref(), &body).await
                })
                .map(Single::into_inner),
        }
    }

    paged!("deployments");

    /// One page of the deployments, one for each name, the newest first: `GET /v1/deployments`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent, for a page or a
    /// size of zero. [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Deployment>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.ask, move |ask| {
            let (op, cluster) = (Op::ListDeployments, client.cluster_id());
            match ask.parameters() {
                Err(error) => client.refused(op, error),
                Ok((page, size)) => client
                    .call(op, move |raw| async move {
                        raw.list_deployments(cluster.as_deref(), page, size).await
                    })
                    .map(move |list| list.into_page_of(ask)),
            }
        })
    }
}

/// A handle on a deployment; made by [`Client::deployment`].
#[derive(Clone, Debug)]
pub struct DeploymentHandle {
    pub(super) client: Client,
    pub(super) id: Given<DeploymentId>,
}

impl DeploymentHandle {
    pub(super) fn new(client: Client, id: Given<DeploymentId>) -> Self {
        Self { client, id }
    }

    /// Changes the deployment, and deploys it anew: `PUT /v1/deployments/{id}`.
    ///
    /// No server is known to have this route.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a change of nothing,
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn update(&self, update: DeploymentUpdate) -> Call<Created> {
        let op = Op::UpdateDeployment;
        let cluster = self.client.cluster_id();
        self.client
            .with(op, &self.id, |id| match update.into_raw() {
                Err(error) => self.client.refused(op, error),
                Ok(body) => self
                    .client
                    .call(op, move |raw| async move {
                        raw.update_deployment(id.as_str(), cluster.as_deref(), &body)
                            .await
                    })
                    .map(Single::into_inner),
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
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role or without a cluster; and those of
    /// every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn delete(&self) -> Call<()> {
        let op = Op::DeleteDeployment;
        let cluster = self.client.cluster_id();
        let body = cluster
            .as_ref()
            .map(|cluster| json!({ "clusterId": cluster }));
        self.client.with(op, &self.id, |id| {
            let call = self.client.call(op, move |raw| async move {
                raw.delete_deployment(id.as_str(), cluster.as_deref()).await
            });
            match body {
                Some(body) => call.attach_json(body),
                None => call,
            }
            .map(|_| ())
        })
    }
}
