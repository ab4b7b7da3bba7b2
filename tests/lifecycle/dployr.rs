//! dployr's documented calls on its control plane as it is: the client on the sandbox.

use deploykit::dployr::{
    Client, LogQuery, NewDeployment, NewInstance, ServiceField, ServiceType, ServiceUpdate, Via,
};
use deploykit::{Effect, ErrorKind};
use deploykit_sandbox::{Dialect, Sandbox};
use std::collections::BTreeMap;
use std::time::Duration;

/// Longer than anything takes in the sandbox.
const A_WHILE: Duration = Duration::from_secs(2);

async fn start() -> (Sandbox, Client) {
    let builder = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = builder.start().await.unwrap();
    let access = sandbox.dployr();
    let client = Client::builder().base_url(&access.base_url);
    let client = client.token(access.token.as_str());
    let client = client.cluster(access.cluster_id.as_str()).build().unwrap();
    (sandbox, client)
}

/// A service that runs, with a variable, a secret and a health check: its id.
async fn deployed(sandbox: &Sandbox, dployr: &Client) -> String {
    let app = NewDeployment::from_image("web-one", "node:20-alpine")
        .kind(ServiceType::Web)
        .port(3000)
        .health_check("/health")
        .env("A", "1")
        .secret("S1", "hush");
    dployr.deployments().create(app).await.unwrap();
    sandbox.advance(A_WHILE);
    let services = dployr.services().list().await.unwrap();
    services.items[0].id.clone()
}

async fn env(dployr: &Client, id: &str) -> BTreeMap<String, String> {
    let map = dployr.service(id).env().map().await.unwrap().into_iter();
    map.map(|(key, value)| (key, value.expose().to_owned()))
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

async fn secrets(dployr: &Client, id: &str) -> Vec<String> {
    let secrets = dployr
        .service(id)
        .secrets()
        .all()
        .await
        .unwrap()
        .into_iter();
    secrets.map(|secret| secret.key).collect()
}

#[tokio::test]
async fn variables_are_set_and_removed_and_everything_else_survives() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let before = dployr.deployment("web-one").get().await.unwrap();
    assert_eq!(before.via, Via::Listing);
    assert_eq!(before.health_check.as_deref(), Some("/health"));

    let set = dployr.service(&id).env().set("NEW", "n").await.unwrap();
    assert_eq!(set.via, Via::Rewrite);
    assert_eq!(env(&dployr, &id).await, pairs(&[("A", "1"), ("NEW", "n")]));
    let removed = dployr.service(&id).env().remove("A").await.unwrap();
    assert_eq!(removed.via, Via::Rewrite);
    assert_eq!(env(&dployr, &id).await, pairs(&[("NEW", "n")]));
    assert_eq!(secrets(&dployr, &id).await, ["S1"]);

    let after = dployr.deployment(&before.id).get().await.unwrap();
    assert_eq!(after.health_check.as_deref(), Some("/health"));
    assert_eq!((after.port, &after.image), (before.port, &before.image));
    // The task is none of a deployment, and its type keeps it from being taken for one.
    let task = removed.task_id.as_ref().unwrap().to_string();
    assert_ne!(task, after.id);
    let error = dployr.deployment(task).get().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::NotFound, Effect::None)
    );
}

#[tokio::test]
async fn an_update_without_a_health_check_resets_it() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let tag = sandbox.dployr().instance_tag.clone();
    let service = dployr.service(&id);
    let health = async || {
        let deployment = dployr.deployment("web-one").get().await.unwrap();
        deployment.into_inner().health_check
    };
    let kept = dployr.deployment("web-one").get().await.unwrap();
    let update = ServiceUpdate::new(&tag, kept.health_check.as_deref())
        .port(4000)
        .clear(ServiceField::RunCmd);
    let updated = service.update(update).await.unwrap();
    assert_eq!(updated.deployment.unwrap().port, Some(4000));
    assert!(updated.task_id.is_some());
    assert_eq!(health().await.as_deref(), Some("/health"));

    let update = ServiceUpdate::new(&tag, None).secrets([("S2", "x")], ["S1"]);
    service.update(update).await.unwrap();
    assert_eq!(health().await.as_deref(), Some("/"));
    assert_eq!(secrets(&dployr, &id).await, ["S1", "S2"]);

    let update = ServiceUpdate::new(&tag, Some("/")).secrets([("S3", "x")], ["S2"]);
    service.update(update).await.unwrap();
    assert_eq!(secrets(&dployr, &id).await, ["S2", "S3"], "S1 was not kept");
}

#[tokio::test]
async fn a_service_is_restarted_read_measured_and_deleted() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let service = dployr.service(&id);
    let restarted = service.restart().await.unwrap();
    assert_eq!(restarted.via, Via::StopAndStart);
    assert_eq!(service.get().await.unwrap().name, "web-one");
    let metrics = dployr.services().metrics("web-one").await.unwrap();
    assert_eq!(metrics.totals.unwrap().requests, Some(42));
    sandbox.advance(A_WHILE);

    let all = dployr.logs(LogQuery::new()).await.unwrap();
    let stopped = all
        .iter()
        .position(|line| line.message == "stopped")
        .unwrap();
    assert_eq!(all[stopped + 1].message, "started");
    assert_eq!(all[stopped].service.as_deref(), Some("web-one"));
    let query = LogQuery::new().service("web-one").newest_first().limit(1);
    let newest = dployr.logs(query).await.unwrap();
    assert_eq!(newest[..], all[all.len() - 1..]);

    service.delete().await.unwrap();
    assert_eq!(service.get().await.unwrap_err().kind(), ErrorKind::NotFound);
    let error = dployr.deployment("web-one").get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_instance_is_registered_and_removed() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let new = || NewInstance::new([203, 0, 113, 77].into(), "node-2").region("eu-west");
    let made = dployr.instances().create(new()).await.unwrap();
    assert!(made.token.expose().starts_with("eyJ"));
    assert!(!format!("{made:?}").contains("eyJ"));
    let again = dployr.instances().create(new()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);

    // With two of them nobody guesses which one a service is deployed to.
    let tag = sandbox.dployr().instance_tag.clone();
    let env = dployr.service(&id).env();
    env.instance(&tag).set("A", "2").await.unwrap();

    let node = dployr.node(&tag);
    node.ping().await.unwrap();
    for task in [node.reboot(false), node.restart(true)] {
        assert!(task.await.unwrap().task_id.is_some());
    }
    let away = dployr.node("node-2").restart(true).await.unwrap_err();
    assert_eq!(away.kind(), ErrorKind::Unavailable);
    dployr.instance(&made.instance.id).delete().await.unwrap();
    let gone = dployr.instance(&made.instance.id).get().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}
