//! The dployr client on the sandbox's control plane.

use deploykit::dployr::{
    Client, ClusterLogOptions, DeploymentStatus, NewDeployment, NewInstance, ServiceField,
    ServiceId, ServiceType, ServiceUpdate,
};
use deploykit::{Effect, ErrorKind, Retry};
use deploykit_sandbox::{Dialect, Sandbox, SandboxBuilder};
use std::collections::BTreeMap;
use std::time::Duration;

/// Longer than any transition in the sandbox.
const A_WHILE: Duration = Duration::from_secs(2);

async fn start() -> (Sandbox, Client) {
    start_as(Dialect::ControlPlane).await
}

async fn start_as(dialect: Dialect) -> (Sandbox, Client) {
    start_with(Sandbox::builder().dployr_dialect(dialect)).await
}

async fn start_with(builder: SandboxBuilder) -> (Sandbox, Client) {
    let sandbox = builder.start().await.unwrap();
    let access = sandbox.dployr();
    let client = Client::builder().base_url(&access.base_url);
    let client = client.token(access.token.as_str());
    let client = client.cluster(access.cluster_id.as_str()).build().unwrap();
    (sandbox, client)
}

/// Deploys a service with a variable, a secret, a health check and a domain; returns its id.
async fn deployed(sandbox: &Sandbox, dployr: &Client) -> ServiceId {
    let app = NewDeployment::from_image("web-one", "node:20-alpine")
        .kind(ServiceType::Web)
        .port(3000)
        .health_check("/health")
        .domain("a.example")
        .env("A", "1")
        .secret("S1", "hush");
    dployr.deploy(app).await.unwrap();
    sandbox.advance(A_WHILE);
    let services = dployr.services().list().await.unwrap();
    services.items[0].id.clone()
}

/// Secrets, health check and domain of the latest task for the node.
fn task(sandbox: &Sandbox) -> (Vec<String>, Option<String>, Option<String>) {
    let task = sandbox.dployr_task("web-one").unwrap();
    let secrets = task.secrets.into_iter().collect();
    (secrets, task.health_check, task.domain)
}

/// A [`task`] with these values.
fn settings(
    secrets: &[&str],
    health_check: &str,
    domain: Option<&str>,
) -> (Vec<String>, Option<String>, Option<String>) {
    let secrets = secrets.iter().map(|&key| key.to_owned()).collect();
    let text = str::to_owned;
    (secrets, Some(text(health_check)), domain.map(text))
}

async fn env(dployr: &Client, id: &ServiceId) -> BTreeMap<String, String> {
    let map = dployr
        .service(id)
        .env_variables()
        .get_map()
        .await
        .unwrap()
        .into_iter();
    map.map(|(key, value)| (key, value.expose().to_owned()))
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

async fn secrets(dployr: &Client, id: &ServiceId) -> Vec<String> {
    let secrets = dployr
        .service(id)
        .secrets()
        .list()
        .all()
        .await
        .unwrap()
        .into_iter();
    secrets.map(|secret| secret.key).collect()
}

/// The third deployment is a redeployment. On the control plane, its task id is not a deployment id.
#[tokio::test]
async fn deployed_names_are_awaited_on_both_kinds_of_servers() {
    for dialect in [Dialect::ControlPlane, Dialect::Documented] {
        let (_sandbox, dployr) = start_as(dialect).await;
        let mut ids = Vec::new();
        for name in ["web-one", "web-two", "web-one"] {
            let app = NewDeployment::from_git(name, "https://git.example/a.git")
                .kind(ServiceType::Web)
                .runtime("nodejs", "20")
                .run_cmd("npm start")
                .port(3000);
            let deployed = dployr.deploy(app).await.unwrap();
            let wait = deployed.deployment().wait();
            let wait = wait.interval(Duration::from_millis(100), Duration::from_millis(200));
            let ready = wait.await.unwrap();
            assert_eq!(ready.name, name);
            let done = [DeploymentStatus::Success, DeploymentStatus::Completed];
            assert!(done.contains(ready.status.as_ref().unwrap()), "{ready:?}");
            ids.push(ready.id);
        }
        assert_ne!(ids[0], ids[1]);
    }
}

/// No response shows the settings that are lost.
#[tokio::test]
async fn a_rewrite_keeps_the_settings_that_its_update_states_and_loses_the_others() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let tag = sandbox.dployr().instance_tag.clone();
    let all = settings(&["S1"], "/health", Some("a.example"));
    assert_eq!(task(&sandbox), all);
    let before = dployr.deployments().find("web-one").await.unwrap();
    assert_eq!((&before.health_check, &before.domain), (&None, &None));
    let first = dployr.service(&id).secrets().list().all().await.unwrap();
    assert_eq!(first[0].service_id, None);

    let variables = dployr.service(&id).env_variables();
    let refused = variables.rewrite_with("NEW", "n", ServiceUpdate::new(&tag));
    let refused = refused.await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.effect()),
        (ErrorKind::InvalidRequest, Effect::None)
    );
    assert_eq!(env(&dployr, &id).await, pairs(&[("A", "1")]));

    // Keeping the secret of the first deployment does not help.
    let none = [("", ""); 0];
    let kept = ServiceUpdate::new(&tag).replace_secrets(none, &first);
    let lossy = variables.rewrite_with("LOSSY", "x", kept.allow_loss());
    lossy.await.unwrap();
    assert_eq!(secrets(&dployr, &id).await, ["S1"]);
    assert_eq!(task(&sandbox), settings(&[], "/", None));

    let update = || {
        ServiceUpdate::new(&tag)
            .health_check("/health")
            .domain("a.example")
    };
    let stated = update().replace_secrets([("S1", "hush")], []);
    variables.rewrite_with("NEW", "n", stated).await.unwrap();
    assert_eq!(task(&sandbox), all);
    assert_eq!(
        env(&dployr, &id).await,
        pairs(&[("A", "1"), ("LOSSY", "x"), ("NEW", "n")])
    );
    // The secret belongs to the service now.
    let linked = dployr.service(&id).secrets().list().all().await.unwrap();
    let kept = update().replace_secrets(none, &linked);
    let removed = variables.rewrite_without("A", kept).await.unwrap();
    assert_eq!(task(&sandbox), all);

    let after = dployr.deployments().find(&before.id).await.unwrap();
    assert_eq!(after.health_check.as_deref(), Some("/health"));
    assert_eq!(after.domain.as_ref().unwrap().as_str(), "a.example");
    assert_eq!((after.port, &after.image), (before.port, &before.image));
    // The task id is not a deployment id.
    let task = removed.task_id.as_ref().unwrap().to_string();
    assert_ne!(after.id, task.as_str());
    let error = dployr.deployments().find(task).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::NotFound, Effect::None)
    );
}

#[tokio::test]
async fn an_update_replaces_secrets_and_clears_settings() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let tag = sandbox.dployr().instance_tag.clone();
    let service = dployr.service(&id);
    let update = || ServiceUpdate::new(&tag).health_check("/live");
    let complete = update()
        .clear(ServiceField::Domain)
        .replace_secrets([("S2", "x"), ("S3", "x")], [])
        .port(4000)
        .clear(ServiceField::RunCmd);
    let updated = service.update(complete).await.unwrap();
    assert_eq!(updated.deployment.unwrap().port, Some(4000));
    assert!(updated.task_id.is_some());
    assert_eq!(task(&sandbox), settings(&["S2", "S3"], "/live", None));

    let listed = service.secrets().list().all().await.unwrap();
    let keep = listed.iter().filter(|secret| secret.key == "S3");
    let kept = update()
        .domain("b.example")
        .replace_secrets([("S4", "x")], keep);
    service.update(kept).await.unwrap();
    let expected = settings(&["S3", "S4"], "/live", Some("b.example"));
    assert_eq!(task(&sandbox), expected);
}

/// The record does not show a stop; only the events do.
#[tokio::test]
async fn a_stopped_service_sleeps_until_it_is_started() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let service = dployr.service(&id);
    assert_eq!(service.wait().await.unwrap().status.as_str(), "awake");

    service.stop().await.unwrap();
    assert_eq!(service.get().await.unwrap().iced_at, None);
    let soon = Duration::from_millis(50);
    let wait = || service.wait().interval(soon, soon).deadline(soon * 200);
    let left = wait().until_gone().await.unwrap().unwrap();
    assert_eq!(left.status.as_str(), "sleeping");
    let error = wait().deadline(soon * 40).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimedOut);
    assert_eq!(error.raw_status(), Some("sleeping"));

    service.start().await.unwrap();
    assert_eq!(wait().await.unwrap().status.as_str(), "awake");

    // The stop of an earlier service with the name does not count.
    service.stop().await.unwrap();
    service.delete().await.unwrap();
    sandbox.advance(A_WHILE);
    let next = deployed(&sandbox, &dployr).await;
    assert_ne!(next, id);
    let wait = dployr.service(&next).wait().deadline(soon * 200);
    assert_eq!(wait.await.unwrap().status.as_str(), "awake");
}

/// The server keeps events for 30 days, and its record does not show a stop.
#[tokio::test]
async fn a_stop_whose_event_is_deleted_makes_the_state_of_a_service_unknown() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let service = dployr.service(&id);
    let wait = || service.wait().deadline(Duration::from_secs(2));
    sandbox.advance(29 * DAY);
    assert_eq!(wait().await.unwrap().status.as_str(), "awake");
    service.stop().await.unwrap();
    sandbox.advance(29 * DAY);
    let left = wait().until_gone().await.unwrap().unwrap();
    assert_eq!(left.status.as_str(), "sleeping");
    sandbox.advance(2 * DAY);
    let (awake, gone) = (wait().await, wait().until_gone().await);
    for error in [awake.unwrap_err(), gone.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("call start()"), "{error}");
    }
    service.start().await.unwrap();
    assert_eq!(wait().await.unwrap().status.as_str(), "awake");
}

#[tokio::test]
async fn a_disconnected_node_gets_no_task_and_only_an_update_is_saved() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let tag = sandbox.dployr().instance_tag.clone();
    let (service, instance) = (dployr.service(&id), dployr.instance_by_tag(&tag));
    sandbox.connect_dployr_node(false);
    let start = service.start().retry(Retry::off()).await.unwrap_err();
    let stop = service.stop().retry(Retry::off()).await.unwrap_err();
    let reboot = instance.reboot(false).retry(Retry::off()).await;
    let restart = instance.restart_daemon(false).retry(Retry::off()).await;
    for error in [start, stop, reboot.unwrap_err(), restart.unwrap_err()] {
        assert_eq!(error.code(), Some("runtime.node_not_connected"), "{error}");
        let found = (error.kind(), error.effect());
        assert_eq!(found, (ErrorKind::Unavailable, Effect::None), "{error}");
    }
    let switches = dployr.events().search("service.st").list();
    assert!(switches.await.unwrap().items.is_empty());
    assert_eq!(service.wait().await.unwrap().status.as_str(), "awake");

    let update = || {
        ServiceUpdate::new(&tag)
            .replace_env([("B", "2")])
            .port(4000)
            .allow_loss()
    };
    let error = service.update(update()).await.unwrap_err();
    let found = (error.kind(), error.effect());
    assert_eq!(found, (ErrorKind::Unavailable, Effect::Applied), "{error}");
    assert_eq!(env(&dployr, &id).await, pairs(&[("B", "2")]));
    let saved = dployr.deployments().find("web-one").await.unwrap();
    assert_eq!(saved.port, Some(4000));
    let all = settings(&["S1"], "/health", Some("a.example"));
    assert_eq!(task(&sandbox), all, "the task of the deployment");

    sandbox.connect_dployr_node(true);
    service.update(update()).await.unwrap();
    assert_eq!(task(&sandbox).1.as_deref(), Some("/"));
}

#[tokio::test]
async fn an_update_whose_record_is_deleted_meanwhile_saves_the_variables() {
    let builder = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let builder = builder.dployr_deletes_record_during_update(true);
    let (sandbox, dployr) = start_with(builder).await;
    let id = deployed(&sandbox, &dployr).await;
    let update = |key| {
        let update = ServiceUpdate::new(&sandbox.dployr().instance_tag);
        update.replace_env([(key, "2")]).allow_loss()
    };
    for (key, status, kind) in [
        ("B", 400, ErrorKind::Rejected),
        ("C", 404, ErrorKind::NotFound),
    ] {
        let error = dployr.service(&id).update(update(key)).await.unwrap_err();
        assert_eq!(
            (error.status(), error.kind()),
            (Some(status), kind),
            "{error}"
        );
        assert_eq!(error.effect(), Effect::Applied, "{error}");
        assert_eq!(env(&dployr, &id).await, pairs(&[(key, "2")]));
    }
    assert!(dployr.deployments().list().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_service_is_restarted_and_deleted() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let service = dployr.service(&id);
    service.restart_by_stop_and_start().await.unwrap();
    assert_eq!(service.get().await.unwrap().name, "web-one");
    let metrics = dployr.services().metrics("web-one").await.unwrap();
    assert_eq!(metrics.totals.unwrap().requests, Some(42));
    sandbox.advance(A_WHILE);

    let all = dployr.logs(ClusterLogOptions::new()).await.unwrap();
    let stopped = all
        .iter()
        .position(|line| line.message == "stopped")
        .unwrap();
    assert_eq!(all[stopped + 1].message, "started");
    assert_eq!(all[stopped].service.as_deref(), Some("web-one"));
    let of_web = || ClusterLogOptions::new().service("web-one");
    let newest = dployr.logs(of_web().newest_first().limit(1)).await.unwrap();
    assert_eq!(newest[..], all[all.len() - 1..]);
    let newest = dployr.logs(of_web().newest_first().limit(2)).await.unwrap();
    assert_eq!(newest[0], all[all.len() - 1]);
    assert_eq!(newest[1], all[all.len() - 2]);
    let tail = dployr.logs(of_web().tail(2)).await.unwrap();
    assert_eq!(tail[..], all[all.len() - 2..], "the oldest first");

    let found = dployr.services().find("web-one").await.unwrap();
    assert_eq!(found.id, id);
    service.delete().await.unwrap();
    assert_eq!(service.get().await.unwrap_err().kind(), ErrorKind::NotFound);
    let error = dployr.services().find("web-one").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error
            .to_string()
            .contains("no service with the name web-one")
    );
    let error = dployr.deployments().find("web-one").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_quiet_log_has_no_response_before_its_first_line() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    // Followed logs start with the lines of the last 15 minutes.
    sandbox.advance(Duration::from_secs(20 * 60));
    let follow = dployr.service(&id).follow_logs(Default::default());
    let mut quiet = follow.with_response().await.unwrap();
    assert_eq!((quiet.status, quiet.attempts), (0, 1));
    let (line, stopped) = tokio::join!(quiet.value.next(), dployr.service(&id).stop());
    stopped.unwrap();
    assert_eq!(line.unwrap().unwrap().message, "stopped");
    assert_eq!(quiet.value.reconnects(), 0);
}

#[tokio::test]
async fn an_instance_is_registered_and_deleted() {
    let (sandbox, dployr) = start().await;
    let id = deployed(&sandbox, &dployr).await;
    let new = || NewInstance::new([203, 0, 113, 77].into(), "node-2").region("eu-west");
    let made = dployr.instances().create(new()).await.unwrap();
    assert!(made.token.expose().starts_with("eyJ"));
    assert!(!format!("{made:?}").contains("eyJ"));
    let again = dployr.instances().create(new()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);

    let tag = sandbox.dployr().instance_tag.clone();
    let update = ServiceUpdate::new(&tag).allow_loss();
    dployr.service(&id).update(update).await.unwrap();

    let instance = dployr.instance_by_tag(&tag);
    instance.ping().await.unwrap();
    for task in [instance.reboot(false), instance.restart_daemon(true)] {
        assert!(task.await.unwrap().task_id.is_some());
    }
    let disconnected = dployr
        .instance_by_tag("node-2")
        .restart_daemon(true)
        .await
        .unwrap_err();
    assert_eq!(disconnected.kind(), ErrorKind::Unavailable);
    dployr.instance(&made.instance.id).delete().await.unwrap();
    let gone = dployr.instance(&made.instance.id).get().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}
