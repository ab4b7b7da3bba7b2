//! dployr's services and instances.

use super::Caller;
use crate::Result;
use deploykit::dployr::{Client, LogQuery, NewInstance, ServiceUpdate};
use deploykit_sandbox::DployrAccess;

pub async fn walk(
    to: &mut impl Caller,
    client: &Client,
    id: &str,
    access: &DployrAccess,
) -> Result<()> {
    let service = client.service(id);
    to.call(|| service.get()).await;
    to.call(|| service.status()).await;
    to.call(|| service.stop()).await;
    to.call(|| service.start()).await;
    to.call(|| service.restart()).await;
    let update = || {
        ServiceUpdate::new(access.instance_tag.as_str(), "/health")
            .description("For a walk")
            .env([("MODE", "ranked")])
    };
    to.call(|| service.update(update())).await;
    to.call(|| service.logs(Some(10))).await;
    to.stream(|| service.follow_logs()).await;
    to.call(|| client.logs(LogQuery::new().service(super::dployr::NAME)))
        .await;
    to.stream(|| client.follow_logs(LogQuery::new().service(super::dployr::NAME)))
        .await;
    to.call(|| client.services().metrics(super::dployr::NAME))
        .await;

    to.call(|| service.env().set("NODE_ENV", "production"))
        .await;
    to.call(|| service.env().list()).await;
    to.call(|| service.env().map()).await;
    to.call(|| service.env().remove("NODE_ENV")).await;
    to.call(|| service.secrets()).await;
    instances(to, client, access).await;
    Ok(())
}

async fn instances(to: &mut impl Caller, client: &Client, access: &DployrAccess) {
    let listed = to.call(|| client.instances().list()).await;
    let first = listed.and_then(|page| page.items.into_iter().next());
    let first = first.map_or("instance-1".to_owned(), |first| first.id.to_string());
    let instance = client.instance(first.as_str());
    to.call(|| instance.get()).await;
    to.call(|| instance.metrics()).await;
    let node = client.node(access.instance_tag.as_str());
    to.call(|| node.ping()).await;
    to.call(|| node.restart(true)).await;
    to.call(|| node.reboot(true)).await;
    let new = || NewInstance::new([203, 0, 113, 77].into(), "walk-node");
    let made = to.call(|| client.instances().create(new())).await;
    let id = made.map_or("instance-2".to_owned(), |made| made.instance.id.to_string());
    to.call(|| client.instance(id.as_str()).delete()).await;
}
