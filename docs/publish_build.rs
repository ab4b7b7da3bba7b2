use deploykit::edgegap::{
    Client, Deployment, Filter, NewDeployment, NewPort, NewVersion, PortProtocol, User,
    VersionUpdate,
};
use deploykit::{Effect, ErrorKind, Result, Secret};

/// Creates a version from a pushed image. Succeeds, too, if an earlier attempt has created it.
pub async fn publish(edgegap: &Client, build: &str, registry_password: Secret) -> Result<()> {
    let image = format!("registry.edgegap.com/my-org/my-game-server:{build}");
    let new = NewVersion::new(build, image, 1024, 2048)
        .registry_login("robot$my-org+app-version-pull", registry_password)
        .verify_image(true)
        .port(NewPort::new("gameport", 7777, PortProtocol::Udp));
    let application = edgegap.application("my-app");
    let Err(error) = application.versions().create(new).await else {
        return Ok(());
    };
    // The name is taken, or the response was lost: is the version with this name ours?
    if error.kind() == ErrorKind::Conflict || error.effect() == Effect::Unknown {
        let existing = application.version(build).get().await?;
        if existing.docker_tag.as_deref() == Some(build) {
            return Ok(());
        }
    }
    Err(error)
}

/// Deploys a version and waits until the server is ready. If that fails, the server is stopped.
pub async fn deploy(edgegap: &Client, build: &str, player: User) -> Result<Deployment> {
    let new = NewDeployment::new("my-app", build, player);
    let server = edgegap.deploy(new).await?.deployment();
    let ready = server.wait().await;
    if ready.is_err() {
        server.stop().await?;
    }
    ready
}

/// Removes a version with its servers and the tag of its image.
pub async fn remove(edgegap: &Client, build: &str) -> Result<()> {
    let version = edgegap.application("my-app").version(build);
    // From here on, the platform starts no server of this version.
    version.update(VersionUpdate::new().active(false)).await?;
    let servers = edgegap.deployments().filter(Filter::application("my-app"));
    for listed in servers.filter(Filter::version(build)).list().all().await? {
        let server = edgegap.deployment(&listed.request_id);
        // A platform that does not know a filter ignores it, and lists other servers, too.
        let found = server.get().await?;
        let is_of_application = found.app_name.is_some_and(|name| name == "my-app");
        if is_of_application && found.app_version.as_deref() == Some(build) {
            server.stop().await?;
        }
    }
    version.delete().await?;
    edgegap.image("my-game-server").tag(build).delete().await?;
    Ok(())
}
