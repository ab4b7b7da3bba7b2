//! Nodion on the sandbox: an application from creation to deletion, and its logs.

use deploykit::nodion::{
    ApplicationUpdate, Branch, Client, DeploymentStatus, EnvVariableUpdate, LogOptions,
    NewApplication, NewEnvVariable, ResourceStatus, Scaling,
};
use deploykit::{Effect, ErrorKind};
use deploykit_sandbox::Sandbox;
use std::time::Duration;

/// Longer than any transition in the sandbox.
const TRANSITION: Duration = Duration::from_secs(2);

async fn start() -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.nodion().client().unwrap();
    (sandbox, client)
}

#[tokio::test]
async fn application_is_created_configured_deployed_scaled_and_deleted() {
    let (sandbox, nodion) = start().await;
    let region = nodion.regions().list().await.unwrap().items.remove(0);
    let types = nodion.instance_types().list().await.unwrap();
    let branch = Branch::new("integration-1", "repository-1", "branch-1");
    let new = NewApplication::from_git("Shop", &region.id, &types.items[0].id, branch);
    let created = nodion.applications().create(new).await.unwrap();
    assert_eq!(created.branch_id.unwrap().as_str(), "branch-1");
    let application = nodion.application(&created.id);
    assert_eq!(application.deployments().latest_number().await.unwrap(), 0);

    let env = application.env_variables();
    let new = NewEnvVariable::new("DATABASE_URL", "postgres://a");
    let created = env.create(new).await.unwrap();
    let variable = application.env_variable(&created.id);
    let update = EnvVariableUpdate::new()
        .value("postgres://b")
        .buildtime(true);
    variable.update(update).await.unwrap();
    let read = variable.get().await.unwrap();
    assert_eq!(read.env_val.unwrap().expose(), "postgres://b");
    assert_eq!(read.buildtime, Some(true));

    let domain = application
        .domains()
        .create("www.example.com")
        .await
        .unwrap();
    let handle = application.domain(&domain.id);
    let unverified = handle.connect().await.unwrap_err();
    assert_eq!(unverified.kind(), ErrorKind::Rejected);
    handle.verify().await.unwrap();
    let connected = handle.connect().await.unwrap().unwrap();
    assert_eq!(connected.status, Some(ResourceStatus::Created));

    let deployed = application.deploy().await.unwrap();
    let handle = deployed.deployment();
    assert_eq!(
        handle.get().await.unwrap().status,
        DeploymentStatus::Created
    );
    sandbox.advance(TRANSITION);
    // `get` returns the deployment of the handle, not the newest one.
    application.deploy().await.unwrap();
    let found = handle.get().await.unwrap();
    assert_eq!(
        (found.deploy_number, found.status),
        (1, DeploymentStatus::Available)
    );
    let missing = application.deployment("d-0").get().await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let online = application.get().await.unwrap();
    assert_eq!(online.status, ResourceStatus::Online);
    let domains = application.domains().list().await.unwrap();
    assert_eq!(domains.items[1].status, Some(ResourceStatus::Available));

    let event = application
        .scale(Scaling::to(2, &types.items[1].id))
        .await
        .unwrap();
    assert_eq!(event.unwrap().instance_amount_new, Some(2));
    sandbox.advance(TRANSITION);
    assert_eq!(application.instances().list().await.unwrap().items.len(), 2);
    let events = application.scaling_events().list().await.unwrap();
    assert!(events.items[0].finished_at.is_some());
    let process = application
        .processes()
        .list()
        .await
        .unwrap()
        .items
        .remove(0);
    let stopped = application.process(&process.id).stop().await.unwrap();
    assert_eq!(stopped.unwrap().instance_amount, Some(0));
    assert!(
        application
            .instances()
            .list()
            .await
            .unwrap()
            .items
            .is_empty()
    );

    let other = Branch::new("integration-1", "repository-1", "branch-2");
    let changed = application
        .update(ApplicationUpdate::branch(other))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(changed.branch_id.unwrap().to_string(), "branch-2");
    variable.delete().await.unwrap();
    assert!(env.list().await.unwrap().items.is_empty());
    application.domain(&domain.id).delete().await.unwrap();
    application.delete().await.unwrap();
    let gone = application.delete().await.unwrap_err();
    assert_eq!(
        (gone.kind(), gone.effect()),
        (ErrorKind::NotFound, Effect::None)
    );
    assert_eq!(nodion.applications().list().await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn logs_are_read_forwards_and_backwards_without_gaps_or_duplicates() {
    let (sandbox, nodion) = start().await;
    let application = nodion.application(sandbox.nodion().application_id.as_str());
    let web = application
        .instances()
        .list()
        .await
        .unwrap()
        .items
        .remove(0);
    let web_logs = || LogOptions::new().instance(&web.id);
    let page = application.logs(web_logs().tail(10)).await.unwrap();
    assert_eq!(page.len(), 10);
    let times = |lines: &[deploykit::logs::LogLine]| -> Vec<i64> {
        let all = lines
            .iter()
            .map(|line| line.timestamp.as_ref().unwrap().unix_millis().unwrap());
        all.collect()
    };
    let earlier = web_logs().before_line(&page[0]).tail(10);
    let mut all = application.logs(earlier).await.unwrap();
    all.extend(page.iter().cloned());
    sandbox.advance(Duration::from_secs(20));
    let newer = web_logs().after_line(&page[9]);
    all.extend(application.logs(newer).await.unwrap());
    let times = times(&all);
    assert!(times.len() >= 24, "{}", times.len());
    let steps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| *step == 5_000), "{steps:?}");
}
