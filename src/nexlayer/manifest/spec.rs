//! The contents of a manifest as Rust values; they serialise to the canonical form.

use crate::secret::{Secret, exposed};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;

crate::open_enum! {
    /// What kind of thing a pod runs as.
    ResourceType {
        Deployment = "deployment",
        Statefulset = "statefulset",
        Daemonset = "daemonset",
        Job = "job",
    }
}

/// An application: what a [`Manifest`](super::Manifest) says, whatever generation it is of.
///
/// It comes from [`Manifest::spec`](super::Manifest::spec), or is built:
///
/// ```
/// use deploykit::nexlayer::manifest::{AppSpec, Pod, Size, Volume};
/// let manifest = AppSpec::new("guestbook")
///     .pod(Pod::new("web", "ghcr.io/example/guestbook:1.4.2").path("/").port(3000).var("LOG", "info"))
///     .pod(
///         Pod::new("db", "postgres:17.6")
///             .port(5432)
///             .var("POSTGRES_PASSWORD", "hush")
///             .volume(Volume::new("data", Size::gib(2), "/var/lib/postgresql/data")),
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
    /// The name; the platform may make another one of it.
    pub name: String,
    /// `2.0` switches on `resources`, `resource_type`, `replicas` and `subdomain` of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The domain of a permanent application; without one it is a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who may pull images from a private registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_login: Option<RegistryLogin>,
    /// A guide of the first generation has it here too; pods have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Secret>,
    /// As `entrypoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Secret>,
    /// What to run.
    pub pods: Vec<Pod>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
    /// What stands beside `application`.
    #[serde(skip)]
    pub(super) beside: Others,
}

/// Who may pull images from a private registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RegistryLogin {
    /// The registry's host, with a path if need be: `ghcr.io`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Who logs in; capitals matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_access_token: Option<Secret>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// One container of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Pod {
    /// The name: other pods reach it as `{name}.pod`.
    pub name: String,
    /// Where it is reached from outside: `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to run; the platform demands one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What it runs as; a deployment by default. Version 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<ResourceType>,
    /// How many of it. Version 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// What it needs and may use. Version 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Its own name below the application's `url`. Version 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdomain: Option<String>,
    /// Whether it needs a GPU.
    #[serde(rename = "useGPU", skip_serializing_if = "Option::is_none")]
    pub use_gpu: Option<bool>,
    /// The ports that it listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service_ports: Vec<ServicePort>,
    /// Runs instead of the image's entrypoint. Passwords are often arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Secret>,
    /// The command, as a shell would read it. A list of words is read into one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Secret>,
    /// The environment variables, in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "vars")]
    pub vars: Vec<(String, Secret)>,
    /// Disks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Files with something secret in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretFile>,
    /// Of an older generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// A port of a pod. The canonical form is the number alone, unless target or protocol differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServicePort {
    /// The number, 1 to 65535.
    pub port: u16,
    /// Where the container listens, if that is another one. Of an older generation.
    pub target_port: Option<u16>,
    /// A name. Of an older generation.
    pub name: Option<String>,
    /// `TCP` or `UDP`. Of an older generation.
    pub protocol: Option<String>,
}

impl Serialize for ServicePort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_tcp = |name: &&str| name.eq_ignore_ascii_case("tcp");
        let protocol = self.protocol.as_deref();
        let protocol = protocol.filter(|name| !is_tcp(name));
        if self.target_port.is_none() && protocol.is_none() {
            return serializer.serialize_u16(self.port);
        }
        let mut map = serializer.serialize_map(None)?;
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        map.serialize_entry("port", &self.port)?;
        map.serialize_entry("targetPort", &self.target_port.unwrap_or(self.port))?;
        if let Some(protocol) = protocol {
            map.serialize_entry("protocol", protocol)?;
        }
        map.end()
    }
}

/// A disk that a pod keeps its data on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Volume {
    /// The name.
    pub name: String,
    /// How large it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Where the pod finds it. Older servers know it for some images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// The size of a volume: `512Mi`, `2Gi`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema), schemars(inline))]
pub struct Size(String);

impl Size {
    /// So many MiB.
    pub fn mib(count: u32) -> Self {
        Self(format!("{count}Mi"))
    }

    /// So many GiB.
    pub fn gib(count: u32) -> Self {
        Self(format!("{count}Gi"))
    }

    /// The size as the file has it, in whatever form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Size {
    fn from(size: T) -> Self {
        Self(size.into())
    }
}

/// A file with something secret in it, which a pod finds at a path.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SecretFile {
    /// The name.
    pub name: String,
    /// What is in it: a text, or base64 of what is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Secret>,
    /// More files by name, as an older generation has them in `data`.
    #[serde(
        rename = "data",
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "map"
    )]
    pub files: Vec<(String, Secret)>,
    /// The file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The folder; `/var/secrets/{name}` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// What a pod needs and what it may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Resources {
    /// What it needs.
    #[serde(skip_serializing_if = "Quantities::is_empty")]
    pub requests: Quantities,
    /// What it may use.
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
    /// Cores: `250m`, `0.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Bytes: `512Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// How an older generation of the platform tells whether a pod is well. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HealthCheck {
    /// What is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How long to wait first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_delay_seconds: Option<u32>,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<u32>,
    /// How long to wait for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// After how many failures it is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
    /// Fields without a typed counterpart.
    #[serde(flatten)]
    pub others: Others,
}

/// Fields without a typed counterpart, such as `annotations`, in the order of the file. They are kept
/// when the manifest is written again. `Debug` shows their names, since the values may be secrets.
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

/// Variables as a map, unless one of them is there twice, which only a list can hold.
fn vars<S: Serializer>(vars: &[(String, Secret)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Var<'v> {
        key: &'v str,
        value: &'v Secret,
    }
    let mut seen = HashSet::new();
    if vars.iter().all(|(key, _)| seen.insert(key)) {
        return map(vars, serializer);
    }
    serializer.collect_seq(vars.iter().map(|(key, value)| Var { key, value }))
}

fn map<S: Serializer>(pairs: &[(String, Secret)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// Declares setters of fields that need not be there.
macro_rules! set {
    ($($(#[$doc:meta])* $name:ident: $given:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: impl Into<$given>) -> Self {
            self.$name = Some($name.into());
            self
        }
    )*};
}

impl AppSpec {
    /// An application without pods yet.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            name,
            ..Self::default()
        }
    }

    set! {
        /// Sets the version: `2.0` switches on what is marked so.
        version: String;
        /// Makes it permanent, at this domain.
        url: String;
        /// Sets who may pull images.
        registry_login: RegistryLogin;
    }

    /// Adds a pod.
    #[must_use]
    pub fn pod(mut self, pod: Pod) -> Self {
        self.pods.push(pod);
        self
    }

    /// The canonical form, as YAML. It holds the secrets.
    ///
    /// Written are the names and forms that the platform documents today. What has no such form is
    /// written as it was read: fields of older generations and unknown ones, ports whose target or
    /// protocol says something, several files in one secret.
    pub fn to_yaml(&self) -> String {
        #[derive(Serialize)]
        struct File<'s> {
            application: &'s AppSpec,
            #[serde(flatten)]
            beside: &'s Others,
        }
        let file = File {
            application: self,
            beside: &self.beside,
        };
        // Texts, numbers, lists and maps with texts as keys always serialise.
        exposed(|| serde_saphyr::to_string(&file)).unwrap_or_default()
    }

    /// The manifest that says this, in the canonical form.
    ///
    /// It has to be what the canonical schema approves of, which is stricter than the platform. To send
    /// something else, [parse](super::Manifest::parse) what [`to_yaml`](Self::to_yaml) gives.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) with the first thing that is
    /// wrong.
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

    set! {
        /// Makes it reachable from outside at this path.
        path: String;
        /// Sets what runs instead of the image's entrypoint.
        entrypoint: Secret;
        /// Sets the command.
        command: Secret;
        /// Sets whether it needs a GPU.
        use_gpu: bool;
        /// Sets what it runs as.
        resource_type: ResourceType;
        /// Sets how many of it there are.
        replicas: u32;
        /// Sets what it needs and may use.
        resources: Resources;
        /// Sets its own name below the application's `url`.
        subdomain: String;
    }

    /// Adds a port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.service_ports.push(ServicePort::new(port));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn var(mut self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.vars.push((key.into(), value.into()));
        self
    }

    /// Adds a disk.
    #[must_use]
    pub fn volume(mut self, volume: Volume) -> Self {
        self.volumes.push(volume);
        self
    }

    /// Adds a file with something secret in it.
    #[must_use]
    pub fn secret(mut self, secret: SecretFile) -> Self {
        self.secrets.push(secret);
        self
    }
}

impl ServicePort {
    /// A port that the container listens on.
    pub fn new(port: u16) -> Self {
        Self {
            port,
            target_port: None,
            name: None,
            protocol: None,
        }
    }
}

impl Volume {
    /// A disk of that size at a path.
    pub fn new(name: impl Into<String>, size: Size, mount_path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            size: Some(size),
            mount_path: Some(mount_path.into()),
            others: Others::default(),
        }
    }
}

impl SecretFile {
    /// A file in `/var/secrets/{name}`.
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

    set! {
        /// Sets the folder.
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
    /// What it needs, and what it may use.
    pub fn new(requests: Quantities, limits: Quantities) -> Self {
        Self {
            requests,
            limits,
            others: Others::default(),
        }
    }
}
