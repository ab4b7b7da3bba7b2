//! Deploy, wait, print the last log lines, remove: one function per platform.
//!
//! `tests/programs.rs` runs them against the sandbox.

use deploykit::{Result, dployr, edgegap, nexlayer, nodion};

/// A game server on Edgegap. It is stopped even if another step fails, because it costs money.
pub async fn edgegap(client: &edgegap::Client, new: edgegap::NewDeployment) -> Result<()> {
    let deployment = client.deploy(new).await?.deployment();
    let ready = deployment.wait().await;
    let logs = deployment.logs().await;
    deployment.stop().await?;
    ready?;
    for line in logs?.tail(10) {
        println!("{line}");
    }
    Ok(())
}

/// An application on a dployr control plane. The logs belong to the service, which has the name of the
/// deployment. Deleting the service also deletes the deployment.
pub async fn dployr(client: &dployr::Client, new: dployr::NewDeployment) -> Result<()> {
    let deployment = client.deploy(new).await?.deployment();
    let record = deployment.wait().await?;
    let service = client.services().find(record.name).await?;
    let service = client.service(service.id);
    for line in service.logs(dployr::LogOptions::new().tail(10)).await? {
        println!("{line}");
    }
    service.delete().await?;
    Ok(())
}

/// An application on a dployr server with the documented API. That API cannot delete a service, so the
/// service is stopped and the deployment is deleted.
pub async fn dployr_documented(client: &dployr::Client, new: dployr::NewDeployment) -> Result<()> {
    let deployment = client.deploy(new).await?.deployment();
    let record = deployment.wait().await?;
    let service = client.services().find(record.name).await?;
    let service = client.service(service.id);
    for line in service.logs(dployr::LogOptions::new().tail(10)).await? {
        println!("{line}");
    }
    service.stop().await?;
    client.deployment(record.id).delete().await?;
    Ok(())
}

/// An application on Nodion. Logs belong to the application, and only an application can be deleted.
pub async fn nodion(application: &nodion::ApplicationHandle) -> Result<()> {
    let deployment = application.deploy().await?.deployment();
    deployment.wait().await?;
    for line in application.logs(nodion::LogOptions::new().tail(10)).await? {
        println!("{line}");
    }
    application.delete().await?;
    Ok(())
}

/// An application on Nexlayer. The platform has no endpoint for logs and none that deletes an
/// application: it ends at its time limit.
pub async fn nexlayer(client: &nexlayer::Client, manifest: nexlayer::Manifest) -> Result<()> {
    let application = client.deploy(manifest).await?.application();
    application.wait().await?;
    Ok(())
}
