//! What a manifest says, as values of Rust.

use crate::error::Result;
use crate::secret::Secret;
use serde_json::Value;
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
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AppSpec {
    /// The name; the platform may make another one of it.
    pub name: String,
    /// `2.0` switches on `resources`, `resource_type`, `replicas` and `subdomain` of pods.
    pub version: Option<String>,
    /// The domain of a permanent application; without one it is a preview.
    pub url: Option<String>,
    /// Who may pull images from a private registry.
    pub registry_login: Option<RegistryLogin>,
    /// What to run.
    pub pods: Vec<Pod>,
    /// A guide of the first generation has it here too; pods have their own.
    pub entrypoint: Option<Secret>,
    /// As `entrypoint`.
    pub command: Option<Secret>,
    pub(super) others: Others,
    /// What stands beside `application`.
    pub(super) beside: Others,
}

/// Who may pull images from a private registry.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RegistryLogin {
    /// The registry's host, with a path if need be: `ghcr.io`.
    pub registry: Option<String>,
    /// Who logs in; capitals matter.
    pub username: Option<String>,
    /// The token.
    pub personal_access_token: Option<Secret>,
    pub(super) others: Others,
}

/// One container of an application.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Pod {
    /// The name: other pods reach it as `{name}.pod`.
    pub name: String,
    /// What to run; the platform demands one.
    pub image: Option<Image>,
    /// Where it is reached from outside: `/`.
    pub path: Option<String>,
    /// The ports that it listens on.
    pub service_ports: Vec<ServicePort>,
    /// The environment variables, in the order of the file.
    pub vars: Vec<(String, Secret)>,
    /// Disks.
    pub volumes: Vec<Volume>,
    /// Files with something secret in them.
    pub secrets: Vec<SecretFile>,
    /// Runs instead of the image's entrypoint. Passwords are often arguments.
    pub entrypoint: Option<Secret>,
    /// The command, as a shell would read it. A list of words is read into one line.
    pub command: Option<Secret>,
    /// Whether it needs a GPU.
    pub use_gpu: Option<bool>,
    /// What it runs as; a deployment by default. Version 2.0.
    pub resource_type: Option<ResourceType>,
    /// How many of it. Version 2.0.
    pub replicas: Option<u32>,
    /// What it needs and may use. Version 2.0.
    pub resources: Option<Resources>,
    /// Its own name below the application's `url`. Version 2.0.
    pub subdomain: Option<String>,
    /// Of an older generation.
    pub health_check: Option<HealthCheck>,
    pub(super) others: Others,
}

/// The name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image(String);

impl Image {
    /// The name as the file has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Image {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

/// A port of a pod. The canonical form is the number alone.
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

/// A disk that a pod keeps its data on.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Volume {
    /// The name.
    pub name: String,
    /// How large it is.
    pub size: Option<Size>,
    /// Where the pod finds it. Older servers know it for some images.
    pub mount_path: Option<String>,
    pub(super) others: Others,
}

/// The size of a volume: `512Mi`, `2Gi`.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl From<String> for Size {
    fn from(size: String) -> Self {
        Self(size)
    }
}

/// A file with something secret in it, which a pod finds at a path.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SecretFile {
    /// The name.
    pub name: String,
    /// What is in it: a text, or base64 of what is none.
    pub data: Option<Secret>,
    /// The file's name.
    pub file_name: Option<String>,
    /// More files by name, as an older generation has them in `data`.
    pub files: Vec<(String, Secret)>,
    /// The folder; `/var/secrets/{name}` by default.
    pub mount_path: Option<String>,
    pub(super) others: Others,
}

/// What a pod needs and what it may use.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Resources {
    /// What it needs.
    pub requests: Quantities,
    /// What it may use.
    pub limits: Quantities,
    pub(super) others: Others,
}

/// Amounts of CPU and memory.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Quantities {
    /// Cores: `250m`, `0.5`.
    pub cpu: Option<String>,
    /// Bytes: `512Mi`.
    pub memory: Option<String>,
    pub(super) others: Others,
}

/// How an older generation of the platform tells whether a pod is well. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct HealthCheck {
    /// What is asked for.
    pub path: Option<String>,
    /// Where.
    pub port: Option<u16>,
    /// How long to wait first.
    pub initial_delay_seconds: Option<u32>,
    /// How often.
    pub period_seconds: Option<u32>,
    /// How long to wait for an answer.
    pub timeout_seconds: Option<u32>,
    /// After how many failures it is not well.
    pub failure_threshold: Option<u32>,
    pub(super) others: Others,
}

/// Fields without a place of their own, in the order of the file. They may hold anything, secrets too.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Others(pub(super) Vec<(String, Value)>);

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(key, _)| key))
            .finish()
    }
}

macro_rules! others {
    ($($owner:ident)*) => {$(
        impl $owner {
            /// A field that has no place of its own here: `annotations`. Such fields are kept when it
            /// is written again.
            pub fn other(&self, key: &str) -> Option<&Value> {
                let mut all = self.others.0.iter();
                all.find_map(|(name, value)| (name == key).then_some(value))
            }

            /// The names of all fields of that kind.
            pub fn other_keys(&self) -> impl Iterator<Item = &str> {
                self.others.0.iter().map(|(key, _)| key.as_str())
            }
        }
    )*};
}

others!(AppSpec RegistryLogin Pod Volume SecretFile Resources Quantities HealthCheck);

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
        super::write::yaml(self)
    }

    /// The manifest that says this, in the canonical form.
    ///
    /// It has to be what the canonical schema approves of, which is stricter than the platform. To send
    /// something else, [parse](super::Manifest::parse) what [`to_yaml`](Self::to_yaml) gives.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) with the first thing that is
    /// wrong.
    pub fn manifest(&self) -> Result<super::Manifest> {
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
    pub fn new(name: impl Into<String>, image: impl Into<Image>) -> Self {
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
