//! The life of a Nodion application, from its creation to its deletion: the client on the sandbox.

use deploykit::nodion::{
    Branch, Client, DeploymentStatus, EnvVariableUpdate, LogWindow, NewApplication, NewEnvVariable,
    ResourceStatus, Scaling,
};
use deploykit::{Effect, ErrorKind};
use deploykit_sandbox::Sandbox;
use std::time::Duration;

/// Longer than anything takes in the sandbox.
const A_WHILE: Duration = Duration::from_secs(2);

async fn start() -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.nodion().client().unwrap();
    (sandbox, client)
}

#[tokio::test]
async fn an_application_is_created_deployed_configured_scaled_and_deleted() {
    let (sandbox, nodion) = start().await;
    let region = nodion.regions().await.unwrap().items.remove(0);
    let types = nodion.instance_types().await.unwrap();
    let branch = Branch::new("integration-1", "repository-1", "branch-1");
    let new = NewApplication::from_git("Shop", &region.id, &types.items[0].id, branch);
    let created = nodion.applications().create(new).await.unwrap();
    assert_eq!(created.branch_id.unwrap().as_str(), "branch-1");
    let application = nodion.application(&created.id);
    assert_eq!(application.latest_deploy_number().await.unwrap(), 0);

    let env = application.env();
    let added = env
        .add(NewEnvVariable::new("DATABASE_URL", "postgres://a"))
        .await;
    let variable = application.env_variable(added.unwrap().id);
    let update = EnvVariableUpdate::new()
        .value("postgres://b")
        .buildtime(true);
    variable.update(update).await.unwrap();
    let read = variable.get().await.unwrap();
    assert_eq!(read.env_val.unwrap().expose(), "postgres://b");
    assert_eq!(read.buildtime, Some(true));

    let domain = application.domains().add("www.example.com").await.unwrap();
    let handle = application.domain(&domain.id);
    let refused = handle.connect().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    handle.verify().await.unwrap();
    let connected = handle.connect().await.unwrap().unwrap();
    assert_eq!(connected.status, Some(ResourceStatus::Created));

    let deployment = application.deploy().await.unwrap();
    let handle = application.deployment(&deployment.id);
    assert_eq!(
        handle.get().await.unwrap().status,
        DeploymentStatus::Created
    );
    sandbox.advance(A_WHILE);
    // Somebody else deploys meanwhile, and is not taken for this one.
    application.deploy().await.unwrap();
    let found = handle.get().await.unwrap();
    assert_eq!(
        (found.deploy_number, found.status),
        (1, DeploymentStatus::Available)
    );
    let unknown = application.deployment("d-0").get().await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    let online = application.get().await.unwrap();
    assert_eq!(online.status, ResourceStatus::Online);
    let domains = application.domains().list().await.unwrap();
    assert_eq!(domains.items[1].status, Some(ResourceStatus::Available));

    let event = application
        .scale(Scaling::to(2, &types.items[1].id))
        .await
        .unwrap();
    assert_eq!(event.unwrap().instance_amount_new, Some(2));
    sandbox.advance(A_WHILE);
    assert_eq!(application.instances().await.unwrap().items.len(), 2);
    let events = application.scaling_events().await.unwrap();
    assert!(events.items[0].finished_at.is_some());
    let process = application.processes().await.unwrap().items.remove(0);
    let stopped = application.process(&process.id).stop().await.unwrap();
    assert_eq!(stopped.unwrap().instance_amount, Some(0));
    assert!(application.instances().await.unwrap().items.is_empty());

    let other = Branch::new("integration-1", "repository-1", "branch-2");
    let changed = application.set_branch(other).await.unwrap().unwrap();
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
async fn logs_are_read_on_and_back_without_a_gap_or_a_repeat() {
    let (sandbox, nodion) = start().await;
    let application = nodion.application(sandbox.nodion().application_id.as_str());
    let web = application.instances().await.unwrap().items.remove(0);
    let of_web = || LogWindow::new().instance(&web.id);
    let page = application.logs(of_web().limit(10)).await.unwrap();
    assert_eq!(page.len(), 10);
    let times = |lines: &[deploykit::logs::LogLine]| -> Vec<i64> {
        let all = lines
            .iter()
            .map(|line| line.timestamp.as_ref().unwrap().unix_millis().unwrap());
        all.collect()
    };
    let back = of_web().before_line(&page[0]).limit(10);
    let mut all = application.logs(back).await.unwrap();
    all.extend(page.iter().cloned());
    sandbox.advance(Duration::from_secs(20));
    let on = of_web().after_line(&page[9]);
    all.extend(application.logs(on).await.unwrap());
    let times = times(&all);
    assert!(times.len() >= 24, "{}", times.len());
    let steps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| *step == 5_000), "{steps:?}");
}
