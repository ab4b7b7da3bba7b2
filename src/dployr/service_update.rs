//! Changing a service on the control plane.

use super::Runtime;
use super::client::{check_port, check_text, check_texts};
use super::deployments::{check_key, check_keys};
use crate::error::{Error, Result};
use crate::secret::{GitUrl, Secret};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A setting of a service that an update can clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
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
pub struct ServiceUpdate(ServicePatch);

/// The body of an update.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// A setting that is left out stays, null clears it.
    #[serde(flatten)]
    settings: BTreeMap<ServiceField, Value>,
    /// The control plane turns null into `/`, and resets the path if it is left out.
    health_check: Option<String>,
}

impl ServiceUpdate {
    /// An empty update, which redeploys the service.
    ///
    /// The control plane requires the tag of the instance to deploy to in every update. It resets the
    /// path of the health check in every update that does not send it again: pass that of the
    /// deployment to keep it, and `None` for `/`.
    ///
    /// ```
    /// # use deploykit::dployr::{Deployment, ServiceUpdate};
    /// # fn example(deployment: &Deployment) {
    /// let update = ServiceUpdate::new("loop-node-1", deployment.health_check.as_deref());
    /// # let _ = update; }
    /// ```
    pub fn new(instance: impl Into<String>, health_check: Option<&str>) -> Self {
        Self(ServicePatch {
            instance_name: instance.into(),
            env_vars: None,
            secrets: None,
            keep_secret_keys: None,
            remote_url: None,
            settings: BTreeMap::new(),
            health_check: health_check.map(str::to_owned),
        })
    }

    fn set(mut self, field: ServiceField, value: impl Into<Value>) -> Self {
        self.0.settings.insert(field, value.into());
        self
    }

    /// Replaces **all** environment variables: those that are not named are removed.
    pub fn env<K, V>(mut self, all: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<Secret>,
    {
        self.0.env_vars = Some(pairs(all));
        self
    }

    /// Sets these secret variables and keeps those in `keep`. **All others are removed**:
    /// [`ServiceHandle::secrets`](super::ServiceHandle::secrets) lists the existing names.
    ///
    /// ```
    /// # use deploykit::dployr::ServiceUpdate;
    /// let update = ServiceUpdate::new("loop-node-1", Some("/health"));
    /// let update = update.secrets([("API_KEY", "…")], ["OLD"]);
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
        self.0.secrets = Some(pairs(set));
        self.0.keep_secret_keys = Some(keep.into_iter().map(Into::into).collect());
        self
    }

    /// Keeps these secret variables. Nothing is sent for none, which keeps all of them.
    pub(super) fn keeping_secrets(mut self, keep: BTreeSet<String>) -> Self {
        self.0.keep_secret_keys = (!keep.is_empty()).then_some(keep);
        self
    }

    /// A description.
    pub fn description(self, text: impl Into<String>) -> Self {
        self.set(ServiceField::Description, text.into())
    }

    /// The command that runs it.
    pub fn run_cmd(self, command: impl Into<String>) -> Self {
        self.set(ServiceField::RunCmd, command.into())
    }

    /// The command that builds it.
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

    /// The git repository. The service is built from it from now on, and its image is dropped.
    /// Credentials in the URL are sent and redacted everywhere else.
    pub fn remote_url(mut self, url: impl Into<String>) -> Self {
        self.0.remote_url = Some(GitUrl::from(url.into()));
        self
    }

    /// The branch to build.
    pub fn remote_branch(self, branch: impl Into<String>) -> Self {
        self.set(ServiceField::RemoteBranch, branch.into())
    }

    /// Clears a setting: it is sent as null.
    pub fn clear(self, field: ServiceField) -> Self {
        self.set(field, Value::Null)
    }

    pub(super) fn into_raw(self) -> Result<ServicePatch> {
        use ServiceField::{BuildCmd, Description, RunCmd};
        let Self(patch) = self;
        let remote_url = patch.remote_url.as_ref().map(GitUrl::expose);
        check_texts([
            ("tag of the instance", Some(patch.instance_name.as_str())),
            ("URL of the repository", remote_url),
            ("path of the health check", patch.health_check.as_deref()),
        ])?;
        for (field, value) in &patch.settings {
            if let Some(port) = value.as_i64() {
                check_port(port)?;
            }
            // These may be empty, and have several lines.
            let is_free = matches!(field, BuildCmd | Description | RunCmd);
            if let (false, Some(text)) = (is_free, value.as_str()) {
                check_text(&format!("setting {field:?}"), text)?;
            }
        }
        check_keys(patch.env_vars.iter().chain(&patch.secrets))?;
        for key in patch.keep_secret_keys.iter().flatten() {
            check_key(key)?;
            if patch.secrets.iter().any(|set| set.contains_key(key)) {
                return Err(Error::invalid_request(
                    "a secret is both to be set and to be kept",
                ));
            }
        }
        Ok(patch)
    }
}

fn pairs<K: Into<String>, V: Into<Secret>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> BTreeMap<String, Secret> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}
