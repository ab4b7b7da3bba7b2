//! Nodion's 25 operations.

use super::{Caller, tuned};
use crate::Result;
use deploykit::nodion::{
    Branch, Client, EnvVariableUpdate, LogWindow, NewApplication, NewEnvVariable, Scaling,
};
use deploykit_sandbox::NodionAccess;
use std::time::Duration;

/// Stands for whatever was not made.
const NONE: &str = "92955d4f-2e44-4e48-8cb6-9c6c434afebb";

/// Walks through Nodion at this address.
pub async fn nodion(to: &mut impl Caller, base_url: &str, access: &NodionAccess) -> Result<()> {
    let client = tuned(Client::builder(), base_url)
        .token(access.token.as_str())
        .build()?;
    let branch = || Branch::new("integration-1", "repository-1", "branch-1");
    to.call(|| client.regions()).await;
    to.call(|| client.instance_types()).await;
    to.call(|| client.applications().list()).await;
    let (region, kind) = (access.region_id.as_str(), access.instance_type_id.as_str());
    let new = || NewApplication::from_git("walk", region, kind, branch()).instances(1);
    let made = to.call(|| client.applications().create(new())).await;
    let made = made.map_or(NONE.to_owned(), |made| made.id.to_string());
    let made = client.application(made.as_str());
    to.call(|| made.get()).await;
    to.call(|| made.delete()).await;

    let application = client.application(&access.application_id);
    to.call(|| application.get()).await;
    to.call(|| application.set_branch(branch())).await;
    to.call(|| application.deploy()).await;
    let image = client.application(&access.image_application_id);
    to.call(|| image.deploy_image("1.27")).await;
    tokio::time::sleep(Duration::from_millis(1_400)).await;
    to.call(|| application.deployments()).await;
    to.call(|| image.deployments()).await;
    let window = || LogWindow::new().limit(5);
    to.call(|| application.logs(window())).await;

    to.call(|| application.instances()).await;
    let processes = to.call(|| application.processes()).await;
    let process = processes.and_then(|page| page.items.into_iter().next());
    let process = process.map_or(NONE.to_owned(), |process| process.id.to_string());
    to.call(|| application.process(process.as_str()).scale(2))
        .await;
    to.call(|| application.scale(Scaling::to(2, kind))).await;
    to.call(|| application.scaling_events()).await;

    let new = || NewEnvVariable::new("MODE", "ranked");
    let made = to.call(|| application.env().add(new())).await;
    let id = made.map_or(NONE.to_owned(), |made| made.id.to_string());
    let variable = application.env_variable(id.as_str());
    to.call(|| application.env().list()).await;
    to.call(|| variable.get()).await;
    let update = || EnvVariableUpdate::new().value("casual");
    to.call(|| variable.update(update())).await;
    to.call(|| variable.delete()).await;

    let made = to
        .call(|| application.domains().add("www.example.com"))
        .await;
    let id = made.map_or(NONE.to_owned(), |made| made.id.to_string());
    let domain = application.domain(id.as_str());
    to.call(|| application.domains().list()).await;
    to.call(|| domain.verify()).await;
    to.call(|| domain.connect()).await;
    to.call(|| domain.delete()).await;
    Ok(())
}
