//! dployr's 62 operations: deployments, and what the vendor's page has beside them.

use super::{Caller, dployr_account, dployr_services, tuned};
use crate::Result;
use deploykit::dployr::{
    Client, DeploymentUpdate, NewDeployment, NewProject, NewRoute, NewWebhook, ServiceType,
};
use deploykit_sandbox::DployrAccess;
use std::time::Duration;

/// The name of what the walk deploys.
pub const NAME: &str = "walk-web";

/// Walks through dployr at this address, in whatever dialect it has.
pub async fn dployr(to: &mut impl Caller, base_url: &str, access: &DployrAccess) -> Result<()> {
    let client = tuned(Client::builder(), base_url)
        .token(access.token.as_str())
        .cluster(access.cluster_id.as_str())
        // Each operation by itself.
        .without_fallbacks()
        .build()?;
    let builder = tuned(Client::builder(), base_url);
    let nobody = builder.without_fallbacks().build()?;
    dployr_account::walk(to, &client, &nobody, access).await?;

    let new = || {
        NewDeployment::from_git(NAME, "https://github.com/example/guestbook")
            .kind(ServiceType::Web)
            .runtime("nodejs", "20")
            .branch("main")
            .build_cmd("npm install")
            .run_cmd("npm start")
            .port(3000)
            .env("MODE", "ranked")
            .secret("API_KEY", "not-a-real-one")
    };
    let made = to.call(|| client.deployments().create(new())).await;
    let listed = to.call(|| client.deployments().list()).await;
    let listed = listed.and_then(|page| page.items.into_iter().find(|one| one.name == NAME));
    // What a create names is not always what it made.
    let listed = listed.map(|listed| listed.id.to_string());
    let id = listed.or(made.and_then(|made| made.id));
    let id = id.unwrap_or("deployment-123".to_owned());
    let deployment = client.deployment(id.as_str());
    to.call(|| deployment.get()).await;
    tokio::time::sleep(Duration::from_millis(1_400)).await;
    to.call(|| deployment.get()).await;
    let update = || DeploymentUpdate::new().version("22").env("MODE", "casual");
    to.call(|| deployment.update(update())).await;

    let services = to.call(|| client.services().list()).await;
    let service = services.and_then(|page| page.items.into_iter().find(|one| one.name == NAME));
    let service = service.map_or("service-123".to_owned(), |service| service.id.to_string());
    dployr_services::walk(to, &client, service.as_str(), access).await?;
    dployr_account::domains(to, &client, &nobody).await;
    beside(to, &client, service.as_str()).await;

    to.call(|| client.service(service.as_str()).delete()).await;
    to.call(|| deployment.delete()).await;
    Ok(())
}

/// Routes, projects and webhooks, of the vendor's page.
async fn beside(to: &mut impl Caller, client: &Client, service: &str) {
    let new = || NewRoute::new("app.example.com", service, 3000);
    let made = to.call(|| client.routes().create(new())).await;
    let id = made.and_then(|made| made.id);
    let id = id.unwrap_or("route-123".to_owned());
    to.call(|| client.routes().list()).await;
    to.call(|| client.routes().services()).await;
    to.call(|| client.route(id.as_str()).delete()).await;

    let new = || NewProject::new("walk").description("For a walk");
    let made = to.call(|| client.projects().create(new())).await;
    let id = made.and_then(|made| made.id);
    let id = id.unwrap_or("project-123".to_owned());
    to.call(|| client.projects().list()).await;
    to.call(|| client.project(id.as_str()).delete()).await;

    let events = ["deployment.created", "deployment.failed"];
    let new = || NewWebhook::new("https://example.com/hook", events).secret("not-a-real-one");
    to.call(|| client.webhooks().create(new())).await;
    to.call(|| client.webhooks().list()).await;
}
