//! Versions of an application: list, create, get, update and delete.

use super::applications::check_name;
use super::deploy::check_resources;
use super::{
    ApplicationHandle, ApplicationVersion, Page, PortProtocol, RestartPolicy, VersionName,
};
use crate::call::Call;
use crate::check::text;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::id::{CheckedId, checked};
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::{Op, types};
use crate::secret::Secret;
use std::ops::RangeInclusive;

/// The versions of an application; returned by [`ApplicationHandle::versions`].
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` or `create` is awaited"]
pub struct ApplicationVersions {
    application: ApplicationHandle,
    page_request: PageRequest,
}

/// A handle on a version of an application; returned by [`ApplicationHandle::version`].
#[derive(Clone, Debug)]
pub struct VersionHandle {
    application: ApplicationHandle,
    name: CheckedId<VersionName>,
}

/// A version to create: an image, its resources and settings. `Debug` redacts its secrets.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
/// use deploykit::edgegap::{NewPort, NewVersion, PortProtocol};
///
/// let image = "registry.edgegap.com/my-org/my-game-server:25.06.01";
/// let new = NewVersion::new("25.06.01", image, 1024, 2048)
///     .registry_login("robot$my-org+app-version-pull", "password")
///     .port(NewPort::new("gameport", 7777, PortProtocol::Udp));
/// edgegap.application("my-app").versions().create(new).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `ApplicationVersions::create`"]
pub struct NewVersion {
    body: types::VersionCreate,
}

/// An update of a version. Fields that are not set do not change. `Debug` redacts its secrets.
///
/// The platform rejects new values for CPU, memory and GPU, so there is no setter for them. Create another
/// version, or override them for one deployment with [`resources`](super::NewDeployment::resources).
///
/// To publish an image under the same version, set [`image`](Self::image) or [`image_tag`](Self::image_tag).
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "does nothing until passed to `VersionHandle::update`"]
pub struct VersionUpdate {
    body: types::VersionUpdate,
}

/// A port of the container of a version.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `NewVersion::port` or `VersionUpdate::port`"]
pub struct NewPort {
    body: types::VersionPortCreate,
}

/// Declares setters of optional fields, each with its argument type and the field of the body.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($type:ty) = $field:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.body.$field = Some($name.into());
            self
        }
    )*};
}

/// Declares the setters that `NewVersion` and `VersionUpdate` have in common, and their checks.
macro_rules! settings {
    ($env:literal) => {
        setters! {
            /// Whether the version can be deployed. Default of a new version: true.
            active(bool) = is_active;
            /// Whether the platform pulls the image before it responds.
            ///
            /// If this fails, the call fails with [`Rejected`](crate::ErrorKind::Rejected). Without it, a wrong
            /// image or login fails only when the version is deployed. Consider a longer
            /// [`timeout`](crate::Call::timeout).
            verify_image(bool) = verify_image;
            /// Whether the platform caches the image in all locations in advance.
            ///
            /// [`caching_percent`](ApplicationVersion::caching_percent) is the progress.
            force_cache(bool) = force_cache;
            /// Maximum time to pull the image, in seconds.
            ///
            /// The vendor documents 15 as the minimum, and 10 as the default.
            time_to_deploy_seconds(u32) = time_to_deploy;
            /// Maximum lifetime of a deployment in minutes, -1 to 1440. Default of a new version: 1440.
            ///
            /// The vendor does not document the meaning of -1 and 0.
            max_duration_minutes(i32) = max_duration;
            /// Whether to restart the container when its process exits. Default of a new version: always.
            restart_policy(RestartPolicy) = restart_policy;
            /// Time between the stop signal and the kill signal in seconds, 5 to 3600.
            termination_grace_seconds(u32) = termination_grace_period_seconds;
            /// Whether deployments run only in mainland China. Default of a new version: false.
            mainland_china(bool) = will_deploy_in_mainland_china;
            /// Sets the configuration of a custom domain, by its identifier.
            dns_config(impl Into<String>) = dns_config;
            /// Sets the endpoint storage for logs, by its name.
            endpoint_storage(impl Into<String>) = endpoint_storage;
        }

        /// Sets the login for the registry. `Debug`, previews and snapshots redact the password.
        ///
        /// A login is required even for `registry.edgegap.com`: the platform does not pull with the token of
        /// the client. Without it, a version is accepted, but its deployments fail.
        pub fn registry_login(
            mut self,
            username: impl Into<String>,
            password: impl Into<Secret>,
        ) -> Self {
            self.body.private_username = Some(username.into());
            self.body.private_token = Some(password.into());
            self
        }

        #[doc = concat!("Adds a port of the container. ", $env)]
        pub fn port(mut self, port: NewPort) -> Self {
            self.body.ports.push(port.body);
            self
        }

        #[doc = concat!("Adds an environment variable of the container. ", $env)]
        ///
        /// The dashboard shows its value.
        pub fn env(self, key: impl Into<String>, value: impl Into<String>) -> Self {
            self.variable(key, Secret::new(value), false)
        }

        #[doc = concat!("Adds an environment variable with a secret value. ", $env)]
        ///
        /// `Debug`, previews and snapshots redact the value. It is sent with `is_hidden`; the vendor's
        /// document also has `is_secret`, and it is open which of them the platform reads. Check
        /// [`is_hidden`](super::VersionVariable::is_hidden) in the response: if it is not true, the dashboard
        /// may show the value.
        pub fn hidden_env(self, key: impl Into<String>, value: impl Into<Secret>) -> Self {
            self.variable(key, value.into(), true)
        }

        fn variable(mut self, key: impl Into<String>, value: Secret, is_hidden: bool) -> Self {
            let key = key.into();
            let variable = types::EnvironmentVariable::new(key, value, is_hidden);
            self.body.envs.push(variable);
            self
        }

        fn check_settings(&self) -> Result<()> {
            let body = &self.body;
            let grace = body.termination_grace_period_seconds;
            within("termination grace period", grace, 5..=3600)?;
            within("maximum duration", body.max_duration, -1..=1440)?;
            for (name, value) in [
                ("user name for the registry", &body.private_username),
                ("DNS configuration", &body.dns_config),
                ("endpoint storage", &body.endpoint_storage),
            ] {
                value.as_ref().map_or(Ok(()), |value| text(name, value))?;
            }
            for port in &body.ports {
                text("port name", &port.name)?;
                within("port", Some(port.port), 0..=59_999)?;
            }
            let mut variables = body.envs.iter();
            variables.try_for_each(|one| text("name of an environment variable", &one.key))
        }
    };
}

impl NewVersion {
    /// A version with this image, with its registry and its tag, and with these resources.
    ///
    /// The name has 1 to 64 characters and is unique in the application. 1024 CPU units are one vCPU. Both
    /// resources must be at least 100, and `memory_mb` must be at most twice `cpu_units`. Calls reject other
    /// values.
    ///
    /// Use a new tag for each build: the vendor advises against `latest` and reused tags.
    pub fn new(
        name: impl Into<String>,
        image: impl AsRef<str>,
        cpu_units: u32,
        memory_mb: u32,
    ) -> Self {
        let [registry, image, tag] = split_image(image.as_ref());
        let (name, cpu, memory) = (name.into(), cpu_units.into(), memory_mb.into());
        Self {
            body: types::VersionCreate::new(name, registry, image, tag, cpu, memory),
        }
    }

    setters! {
        /// Sets the GPU units; 1024 units are one GPU.
        gpu_units(u32) = req_video;
    }

    settings!("");

    fn checked(self) -> Result<types::VersionCreate> {
        check_version_name(&self.body.name)?;
        check_image(&self.body.docker_tag)?;
        check_resources(self.body.req_cpu, self.body.req_memory)?;
        self.check_settings()?;
        Ok(self.body)
    }
}

impl VersionUpdate {
    /// An empty update. Calls reject it until something is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the image, with its registry and its tag.
    pub fn image(mut self, image: impl AsRef<str>) -> Self {
        let [registry, image, tag] = split_image(image.as_ref());
        self.body.docker_repository = Some(registry);
        self.body.docker_image = Some(image);
        self.image_tag(tag)
    }

    setters! {
        /// Renames the version. The handle keeps the old name.
        ///
        /// The vendor does not document what a new name does to running deployments.
        name(impl Into<String>) = name;
        /// Sets the tag of the image. Its registry and its name do not change.
        image_tag(impl Into<String>) = docker_tag;
    }

    settings!("All of them together are assumed to replace those of the version.");

    fn checked(self) -> Result<types::VersionUpdate> {
        if self == Self::default() {
            return Err(Error::invalid_request("the update of the version is empty"));
        }
        let name = self.body.name.as_deref();
        name.map_or(Ok(()), check_version_name)?;
        let tag = self.body.docker_tag.as_deref();
        tag.map_or(Ok(()), check_image)?;
        self.check_settings()?;
        Ok(self.body)
    }
}

impl NewPort {
    /// A port with a readiness check and without TLS upgrade.
    ///
    /// [`endpoint`](super::Deployment::endpoint) finds it by its name. Calls reject numbers above 59999. The
    /// vendor does not document the meaning of 0.
    ///
    /// The platform returns [`Ws`](PortProtocol::Ws) as [`Websocket`](PortProtocol::Websocket), which it does
    /// not accept. `Websocket` is sent as `Ws`, so ports of a version can be passed to an update.
    pub fn new(name: impl Into<String>, number: u16, protocol: PortProtocol) -> Self {
        let protocol = match protocol {
            PortProtocol::Websocket => PortProtocol::Ws,
            other => other,
        };
        let (check, upgrade) = (true, false);
        Self {
            body: types::VersionPortCreate::new(
                name.into(),
                number.into(),
                protocol,
                check,
                upgrade,
            ),
        }
    }

    /// Whether a deployment becomes ready only when this port accepts connections. Default: true.
    pub fn check(mut self, check: bool) -> Self {
        self.body.to_check = check;
        self
    }

    /// Whether the platform terminates TLS in front of the port. Only for `Ws` and `Http`. Default: false.
    pub fn tls_upgrade(mut self, upgrade: bool) -> Self {
        self.body.tls_upgrade = upgrade;
        self
    }
}

/// Splits an image into registry, name and tag. They are empty if the image is invalid.
fn split_image(image: &str) -> [String; 3] {
    let parts = image.split_once('/').and_then(|(registry, rest)| {
        let (image, tag) = rest.rsplit_once(':')?;
        Some([registry, image, tag])
    });
    let is_valid = |[registry, image, tag]: &[&str; 3]| {
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '@';
        registry.contains(['.', ':'])
            && !image.is_empty()
            && !image.starts_with('/')
            && !tag.is_empty()
            && !tag.contains('/')
            && ![registry, image, tag].iter().any(|part| part.contains(bad))
    };
    parts
        .filter(is_valid)
        .map(|parts| parts.map(str::to_owned))
        .unwrap_or_default()
}

fn check_image(tag: &str) -> Result<()> {
    if !tag.trim().is_empty() {
        return Ok(());
    }
    Err(Error::invalid_request(
        "the image has no registry, name or tag: write it like registry.edgegap.com/my-org/my-game-server:1.0",
    ))
}

fn check_version_name(name: &str) -> Result<()> {
    check_name("version name", name, 1..=64)
}

fn within(name: &str, value: Option<i64>, range: RangeInclusive<i64>) -> Result<()> {
    match value {
        Some(value) if !range.contains(&value) => Err(Error::invalid_request(format!(
            "the {name} {value} is not between {} and {}",
            range.start(),
            range.end()
        ))),
        _ => Ok(()),
    }
}

impl types::VersionReply {
    /// The version, if the response contains it.
    fn into_version(self) -> Result<Option<ApplicationVersion>> {
        if self.success != Some(false) {
            return Ok(self.version);
        }
        let message = self.message;
        let message = message.unwrap_or_else(|| "the platform replied without success".to_owned());
        Err(Error::new(ErrorKind::Rejected, message).with_effect(Effect::Unknown))
    }
}

impl ApplicationHandle {
    /// The versions of the application. Does no I/O.
    pub fn versions(&self) -> ApplicationVersions {
        ApplicationVersions {
            application: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a version, by its name. Does no I/O.
    ///
    /// Calls reject an invalid name.
    pub fn version(&self, name: impl TryInto<VersionName, Error: Into<Error>>) -> VersionHandle {
        VersionHandle {
            application: self.clone(),
            name: checked(name),
        }
    }
}

impl ApplicationVersions {
    paged!("versions");

    /// Lists one page of the versions: `GET /v1/app/{app_name}/versions`.
    ///
    /// The records contain the passwords for the registries.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn list(&self) -> Call<Page<ApplicationVersion>> {
        let name = self.application.id.clone();
        self.application.client.list(
            Op::ListVersions,
            self.page_request,
            |raw, page, limit| async move {
                let name = name?;
                let list = raw.list_versions_with(name.as_str(), |options| {
                    (options.page, options.limit) = (page, limit);
                });
                let list = list.await?.into_inner();
                Ok((list.versions, list.total_count, list.pagination))
            },
        )
    }

    /// Creates a version: `POST /v1/app/{app_name}/version`.
    ///
    /// # Errors
    /// - [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid name, image, port or setting.
    /// - [`Conflict`](crate::ErrorKind::Conflict) if the name is taken: perhaps by an earlier attempt whose
    ///   response was lost. [`get`](VersionHandle::get) returns the version with this name: compare its image.
    /// - [`Rejected`](crate::ErrorKind::Rejected) if the image cannot be pulled (424), or the number of
    ///   versions reaches a limit: on the free tier, two. The vendor does not document the status for the limit.
    /// - [`NotFound`](crate::ErrorKind::NotFound) if the application does not exist.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn create(&self, new: NewVersion) -> Call<ApplicationVersion> {
        self.application
            .call(Op::CreateVersion, |raw, application| async move {
                let body = new.checked()?;
                let reply = raw.create_version(application.as_str(), &body).await?;
                let version = reply.into_inner().into_version()?;
                let missing = || {
                    let error = Error::new(ErrorKind::Decode, "the response has no version");
                    error.with_effect(Effect::Applied)
                };
                Ok(version.ok_or_else(missing)?)
            })
    }
}

impl VersionHandle {
    /// Gets the version: `GET /v1/app/{app_name}/version/{version_name}`.
    ///
    /// The record contains the password for the registry. The vendor does not document what it contains in
    /// place of the values of hidden variables: do not pass them to an update.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn get(&self) -> Call<ApplicationVersion> {
        let (application, name) = (&self.application, self.name.clone());
        application.call(Op::GetVersion, |raw, application| async move {
            let name = name?;
            let version = raw.get_version(application.as_str(), name.as_str());
            Ok(version.await?.into_inner())
        })
    }

    /// Updates the version: `PATCH /v1/app/{app_name}/version/{version_name}`.
    ///
    /// Deployments that exist keep the values with which they were started, as far as known. Returns the
    /// version, or `None` if the response does not contain it.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the update is empty or a value invalid.
    /// [`Rejected`](crate::ErrorKind::Rejected) if the image cannot be pulled (424).
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn update(&self, update: VersionUpdate) -> Call<Option<ApplicationVersion>> {
        let (application, name) = (&self.application, self.name.clone());
        application.call(Op::UpdateVersion, |raw, application| async move {
            let (name, body) = (name?, update.checked()?);
            let reply = raw.update_version(application.as_str(), name.as_str(), &body);
            Ok(reply.await?.into_inner().into_version()?)
        })
    }

    /// Deletes the version: `DELETE /v1/app/{app_name}/version/{version_name}`.
    ///
    /// Its image stays in the registry. The vendor does not document whether running deployments prevent
    /// this, are stopped, or continue: stop them first.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the version does not exist or was already deleted.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn delete(&self) -> Call<()> {
        let (application, name) = (&self.application, self.name.clone());
        application.call(Op::DeleteVersion, |raw, application| async move {
            let name = name?;
            let reply = raw.delete_version(application.as_str(), name.as_str());
            reply.await?.into_inner().into_version()?;
            Ok(())
        })
    }
}
