//! Types for the contents of a manifest. They serialize to the canonical form.

use crate::secret::{REDACTED, Secret, expose_secrets};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

crate::open_enum! {
    /// The kind of workload that a pod runs as.
    ResourceType {
        Deployment = "deployment",
        Statefulset = "statefulset",
        Daemonset = "daemonset",
        Job = "job",
    }
}

/// An application: the contents of a [`Manifest`](super::Manifest).
///
/// Parse it with [`Manifest::spec`](super::Manifest::spec), or build it:
///
/// ```
/// use deploykit::nexlayer::manifest::{AppSpec, Pod, Volume};
/// let manifest = AppSpec::new("guestbook")
///     .pod(Pod::new("web", "ghcr.io/example/guestbook:1.4.2").path("/").port(3000).var("LOG", "info"))
///     .pod(
///         Pod::new("db", "postgres:17.6")
///             .port(5432)
///             .var("POSTGRES_PASSWORD", "hush")
///             .var("PGDATA", "/var/lib/postgresql/data/pgdata")
///             .volume(Volume::new("data", "2Gi", "/var/lib/postgresql/data")),
///     )
///     .manifest()?;
/// assert!(manifest.as_str().starts_with("application:\n  name: guestbook\n  pods:\n"));
/// assert!(manifest.lint().is_empty());
/// # Ok::<(), deploykit::Error>(())
/// ```
///
/// Source: <https://nexlayer.com/docs/deployments/configuration>
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AppSpec {
    /// The name of the application. The platform may change it when it deploys.
    pub name: String,
    /// `2.0` enables `resources`, `resource_type`, `replicas` and `subdomain` of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The domain of a permanent application. Without it, the application is a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The login for a private image registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_login: Option<RegistryLogin>,
    /// The pods to run.
    pub pods: Vec<Pod>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// The login for a private image registry. `Debug` is redacted.
#[derive(Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RegistryLogin {
    /// The registry's host, with an optional path: `ghcr.io`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The user name. It is case-sensitive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_access_token: Option<Secret>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

impl fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegistryLogin({REDACTED})")
    }
}

/// One container of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Pod {
    /// The name of the pod. Other pods reach this pod at the host `{name}.pod`.
    pub name: String,
    /// The URL path at which the pod is reachable from outside: `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The image. The platform requires it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The kind of workload. Default: deployment. Version 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<ResourceType>,
    /// The number of replicas. Version 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// CPU and memory. Version 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The subdomain of the application's `url`. Version 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdomain: Option<String>,
    /// Whether the pod needs a GPU.
    #[serde(rename = "useGPU", skip_serializing_if = "Option::is_none")]
    pub use_gpu: Option<bool>,
    /// The ports that the pod listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service_ports: Vec<u16>,
    /// Replaces the image's entrypoint. It is a secret, because passwords are often arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Secret>,
    /// The command line, in shell syntax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Secret>,
    /// The environment variables, in file order.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "serialize_map"
    )]
    pub vars: Vec<(String, Secret)>,
    /// Persistent volumes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Secret files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretFile>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// A persistent volume of a pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Volume {
    /// The name of the volume.
    pub name: String,
    /// The size: `512Mi`, `2Gi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// The path at which the volume is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// A secret file, mounted into a pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SecretFile {
    /// The name of the secret.
    pub name: String,
    /// The content: text, or binary data in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Secret>,
    /// The name of the file, without a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The directory that contains the file. Default: `/var/secrets/{name}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// CPU and memory of a pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Resources {
    /// The guaranteed amounts.
    #[serde(skip_serializing_if = "Quantities::is_empty")]
    pub requests: Quantities,
    /// The upper limits.
    #[serde(skip_serializing_if = "Quantities::is_empty")]
    pub limits: Quantities,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// Amounts of CPU and memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Quantities {
    /// CPU cores: `250m`, `0.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Memory in bytes: `512Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// Fields without a typed counterpart, such as `annotations`, in file order.
///
/// They are serialized unchanged. `Debug` shows only their names: values may be secrets.
#[derive(Clone, Default, PartialEq)]
pub struct Others(pub(super) Vec<(String, Value)>);

impl Others {
    /// The value of a field.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut fields = self.0.iter();
        fields.find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The names of the fields.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

impl Serialize for Others {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

fn serialize_map<S: Serializer>(
    pairs: &[(String, Secret)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// Declares setters of optional fields.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: impl Into<$type>) -> Self {
            self.$name = Some($name.into());
            self
        }
    )*};
}

impl AppSpec {
    /// An application without pods.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            name,
            ..Self::default()
        }
    }

    setters! {
        /// Sets the format version: `2.0` enables the fields marked "Version 2.0".
        version: String;
        /// Makes the application permanent at this domain.
        url: String;
        /// Sets the login for a private image registry.
        registry_login: RegistryLogin;
    }

    /// Adds a pod.
    #[must_use]
    pub fn pod(mut self, pod: Pod) -> Self {
        self.pods.push(pod);
        self
    }

    /// Serializes to canonical YAML, with the secrets.
    ///
    /// Uses the field names and forms that the platform documents today. [Other fields](Others) are
    /// serialized unchanged.
    pub fn to_yaml(&self) -> String {
        let file = BTreeMap::from([("application", self)]);
        // Infallible: only strings, numbers, lists and maps with string keys.
        expose_secrets(|| serde_saphyr::to_string(&file)).unwrap_or_default()
    }

    /// Creates a manifest in canonical form.
    ///
    /// Checks the rules of the JSON Schema, which is stricter than the platform. To skip them,
    /// [parse](super::Manifest::parse) the output of [`to_yaml`](Self::to_yaml).
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) with the first violated rule.
    pub fn manifest(&self) -> crate::Result<super::Manifest> {
        super::Manifest::from_spec(self)
    }
}

impl RegistryLogin {
    /// A login with a token.
    pub fn new(
        registry: impl Into<String>,
        username: impl Into<String>,
        token: impl Into<Secret>,
    ) -> Self {
        Self {
            registry: Some(registry.into()),
            username: Some(username.into()),
            personal_access_token: Some(token.into()),
            others: Others::default(),
        }
    }
}

impl Pod {
    /// A pod that runs an image.
    pub fn new(name: impl Into<String>, image: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            image: Some(image.into()),
            ..Self::default()
        }
    }

    setters! {
        /// Makes the pod reachable from outside at this URL path.
        path: String;
        /// Replaces the image's entrypoint.
        entrypoint: Secret;
        /// Sets the command line.
        command: Secret;
        /// Sets whether the pod needs a GPU.
        use_gpu: bool;
        /// Sets the kind of workload.
        resource_type: ResourceType;
        /// Sets the number of replicas.
        replicas: u32;
        /// Sets CPU and memory.
        resources: Resources;
        /// Sets the subdomain of the application's `url`.
        subdomain: String;
    }

    /// Adds a port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.service_ports.push(port);
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn var(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.vars.push((key.into(), value.into()));
        self
    }

    /// Adds a persistent volume.
    #[must_use]
    pub fn volume(mut self, volume: Volume) -> Self {
        self.volumes.push(volume);
        self
    }

    /// Adds a secret file.
    #[must_use]
    pub fn secret(mut self, secret: SecretFile) -> Self {
        self.secrets.push(secret);
        self
    }
}

impl Volume {
    /// A volume of a size (`512Mi`, `2Gi`), mounted at a path.
    pub fn new(
        name: impl Into<String>,
        size: impl Into<String>,
        mount_path: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            size: Some(size.into()),
            mount_path: Some(mount_path.into()),
            others: Others::default(),
        }
    }
}

impl SecretFile {
    /// A file in the directory `/var/secrets/{name}`.
    pub fn new(
        name: impl Into<String>,
        file_name: impl Into<String>,
        data: impl Into<Secret>,
    ) -> Self {
        Self {
            name: name.into(),
            file_name: Some(file_name.into()),
            data: Some(data.into()),
            ..Self::default()
        }
    }

    setters! {
        /// Sets the directory that contains the file.
        mount_path: String;
    }
}

impl Quantities {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Amounts of CPU (`250m`, `0.5`) and memory (`512Mi`).
    pub fn new(cpu: impl Into<String>, memory: impl Into<String>) -> Self {
        Self {
            cpu: Some(cpu.into()),
            memory: Some(memory.into()),
            others: Others::default(),
        }
    }
}

impl Resources {
    /// Guaranteed amounts, and upper limits.
    pub fn new(requests: Quantities, limits: Quantities) -> Self {
        Self {
            requests,
            limits,
            others: Others::default(),
        }
    }
}
