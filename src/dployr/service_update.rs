//! Changing a service on the control plane.

use super::client::{check_port, check_texts};
use super::deployments::check_key;
use super::{Deployment, Runtime};
use crate::error::{Error, Result};
use crate::raw::dployr::types;
use crate::secret::{GitUrl, Secret};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The path of the health check after an update.
///
/// The control plane resets it in every update that does not send it again, so every update needs one of
/// these.
///
/// ```
/// use deploykit::dployr::{HealthCheck, ServiceUpdate};
/// let update = ServiceUpdate::new("loop-node-1", "/health");
/// let reset = ServiceUpdate::new("loop-node-1", HealthCheck::Reset);
/// # let _ = (update, reset);
/// ```
///
/// `HealthCheck::from(&deployment)` keeps the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthCheck {
    /// This path: `/health`.
    Path(String),
    /// Sent as null. The control plane turns that into `/` (read in its source).
    None,
    /// Not sent: the control plane resets it to `/`.
    Reset,
}

impl From<&str> for HealthCheck {
    fn from(path: &str) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<String> for HealthCheck {
    fn from(path: String) -> Self {
        Self::Path(path)
    }
}

impl From<&Deployment> for HealthCheck {
    /// Keeps the health check of the deployment.
    fn from(deployment: &Deployment) -> Self {
        match &deployment.health_check {
            Some(path) => Self::Path(path.clone()),
            None => Self::None,
        }
    }
}

/// A setting of a service that an update can clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceField {
    /// The description.
    Description,
    /// The command that runs it.
    RunCmd,
    /// The command that builds it.
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

/// A change of a service. Unset fields stay.
///
/// Every accepted update redeploys the service, also one that changes nothing.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is changed until it is passed to a service"]
pub struct ServiceUpdate {
    patch: ServicePatch,
    health_check: HealthCheck,
}

/// The body of an update: a field that is left out stays, null clears it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServicePatch {
    #[serde(rename = "instanceName")]
    instance_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    env_vars: Option<types::EnvMap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<types::SecretMap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_secret_keys: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_cmd: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_cmd: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<Option<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    static_dir: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<Option<Runtime>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_url: Option<GitUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_branch: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_check: Option<Option<String>>,
}

impl ServiceUpdate {
    /// An empty update, which redeploys the service.
    ///
    /// `instance` is the tag of the instance to deploy to, such as `loop-node-1`: the control plane
    /// requires it in every update. `health_check` is a path, `&deployment` to keep the current one, or
    /// another [`HealthCheck`].
    pub fn new(instance: impl Into<String>, health_check: impl Into<HealthCheck>) -> Self {
        Self {
            patch: ServicePatch {
                instance_name: instance.into(),
                ..ServicePatch::default()
            },
            health_check: health_check.into(),
        }
    }

    /// Replaces **all** environment variables: those that are not named are removed.
    pub fn env<K, V>(mut self, all: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<Secret>,
    {
        self.patch.env_vars = Some(types::EnvMap(pairs(all)));
        self
    }

    /// Sets these secret variables and keeps those in `keep`. **All others are removed**:
    /// [`ServiceHandle::secrets`](super::ServiceHandle::secrets) lists the existing names.
    ///
    /// ```
    /// # use deploykit::dployr::ServiceUpdate;
    /// let update = ServiceUpdate::new("loop-node-1", "/health").secrets([("API_KEY", "…")], ["OLD"]);
    /// # let _ = update;
    /// ```
    pub fn secrets<K, V, N>(
        mut self,
        set: impl IntoIterator<Item = (K, V)>,
        keep: impl IntoIterator<Item = N>,
    ) -> Self
    where
        K: Into<String>,
        V: Into<Secret>,
        N: Into<String>,
    {
        self.patch.secrets = Some(types::SecretMap(pairs(set)));
        self.patch.keep_secret_keys = Some(keep.into_iter().map(Into::into).collect());
        self
    }

    /// Keeps these secret variables. Nothing is sent for none, which keeps all of them.
    pub(super) fn keeping_secrets(mut self, keep: BTreeSet<String>) -> Self {
        self.patch.keep_secret_keys = (!keep.is_empty()).then_some(keep);
        self
    }

    /// A description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.patch.description = Some(Some(text.into()));
        self
    }

    /// The command that runs it.
    pub fn run_cmd(mut self, command: impl Into<String>) -> Self {
        self.patch.run_cmd = Some(Some(command.into()));
        self
    }

    /// The command that builds it.
    pub fn build_cmd(mut self, command: impl Into<String>) -> Self {
        self.patch.build_cmd = Some(Some(command.into()));
        self
    }

    /// The port that the service listens on, 1 to 65535.
    pub fn port(mut self, port: u32) -> Self {
        self.patch.port = Some(Some(port.into()));
        self
    }

    /// The working directory, relative to the repository.
    pub fn working_dir(mut self, directory: impl Into<String>) -> Self {
        self.patch.working_dir = Some(Some(directory.into()));
        self
    }

    /// The directory of a static site, relative to the repository.
    pub fn static_dir(mut self, directory: impl Into<String>) -> Self {
        self.patch.static_dir = Some(Some(directory.into()));
        self
    }

    /// The image to run.
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.patch.image = Some(Some(image.into()));
        self
    }

    /// The domain.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.patch.domain = Some(Some(domain.into()));
        self
    }

    /// The runtime and its version.
    pub fn runtime(mut self, name: impl Into<Runtime>, version: impl Into<String>) -> Self {
        self.patch.runtime = Some(Some(name.into()));
        self.patch.version = Some(Some(version.into()));
        self
    }

    /// The git repository. The service is built from it from now on, and its image is dropped.
    /// Credentials in the URL are sent and redacted everywhere else.
    pub fn remote_url(mut self, url: impl Into<String>) -> Self {
        self.patch.remote_url = Some(GitUrl::from(url.into()));
        self
    }

    /// The branch to build.
    pub fn remote_branch(mut self, branch: impl Into<String>) -> Self {
        self.patch.remote_branch = Some(Some(branch.into()));
        self
    }

    /// Clears a setting: it is sent as null.
    pub fn clear(mut self, field: ServiceField) -> Self {
        let patch = &mut self.patch;
        match field {
            ServiceField::Description => patch.description = Some(None),
            ServiceField::RunCmd => patch.run_cmd = Some(None),
            ServiceField::BuildCmd => patch.build_cmd = Some(None),
            ServiceField::Port => patch.port = Some(None),
            ServiceField::WorkingDir => patch.working_dir = Some(None),
            ServiceField::StaticDir => patch.static_dir = Some(None),
            ServiceField::Image => patch.image = Some(None),
            ServiceField::Domain => patch.domain = Some(None),
            ServiceField::Runtime => patch.runtime = Some(None),
            ServiceField::Version => patch.version = Some(None),
            ServiceField::RemoteBranch => patch.remote_branch = Some(None),
        }
        self
    }

    fn check(&self) -> Result<()> {
        let patch = &self.patch;
        let runtime = patch.runtime.as_ref().and_then(Option::as_ref);
        let image = patch.image.as_ref().and_then(Option::as_ref);
        let health_check = match &self.health_check {
            HealthCheck::Path(path) => Some(path.as_str()),
            HealthCheck::None | HealthCheck::Reset => None,
        };
        check_texts([
            ("tag of the instance", Some(patch.instance_name.as_str())),
            ("branch", text(&patch.remote_branch)),
            ("domain", text(&patch.domain)),
            ("working directory", text(&patch.working_dir)),
            ("directory of the static site", text(&patch.static_dir)),
            ("version of the runtime", text(&patch.version)),
            ("runtime", runtime.map(Runtime::as_str)),
            ("image", image.map(String::as_str)),
            (
                "URL of the repository",
                patch.remote_url.as_ref().map(GitUrl::expose),
            ),
            ("path of the health check", health_check),
        ])?;
        patch.port.flatten().map(check_port).transpose()?;
        let env = patch.env_vars.iter().flat_map(|map| map.0.keys());
        let secrets = patch.secrets.iter().flat_map(|map| map.0.keys());
        let keep = patch.keep_secret_keys.iter().flatten();
        env.chain(secrets)
            .chain(keep.clone())
            .try_for_each(|key| check_key(key))?;
        let set = |name: &String| {
            patch
                .secrets
                .as_ref()
                .is_some_and(|map| map.0.contains_key(name))
        };
        match keep.clone().any(set) {
            true => Err(Error::invalid_request(
                "a secret is both to be set and to be kept",
            )),
            false => Ok(()),
        }
    }

    pub(super) fn into_raw(self) -> Result<ServicePatch> {
        self.check()?;
        Ok(ServicePatch {
            health_check: match self.health_check {
                HealthCheck::Path(path) => Some(Some(path)),
                HealthCheck::None => Some(None),
                HealthCheck::Reset => None,
            },
            ..self.patch
        })
    }
}

fn text(field: &Option<Option<String>>) -> Option<&str> {
    field.as_ref()?.as_deref()
}

fn pairs<K: Into<String>, V: Into<Secret>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> BTreeMap<String, Secret> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}
