//! Edgegap on the sandbox: a deployment from creation to removal, and filters.

use deploykit::edgegap::{
    Client, DeploymentStatus, Filter, LogStorage, Match, NewDeployment, Order, RequestId,
    StopFilter, StopOutcome, User,
};
use deploykit::{ErrorKind, pacing::Pacing};
use deploykit_sandbox::Sandbox;
use std::time::{Duration, SystemTime};

/// Longer than the sandbox takes to start or stop a deployment.
const TRANSITION: Duration = Duration::from_secs(5);

struct World {
    sandbox: Sandbox,
    client: Client,
}

impl World {
    async fn start() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let builder = sandbox.edgegap().builder().pacing(Pacing::off());
        let client = builder.build().unwrap();
        Self { sandbox, client }
    }

    async fn deploy(&self, tag: &str) -> RequestId {
        let access = self.sandbox.edgegap();
        let user = User::ip([75, 28, 35, 192].into());
        let new = NewDeployment::new(&access.application, &access.version, user).tag(tag);
        let new = new.resources(512, 1024);
        self.client.deploy(new).await.unwrap().request_id
    }
}

#[tokio::test]
async fn deployment_is_deployed_tagged_and_stopped() {
    let world = World::start().await;
    let id = world.deploy("match-7").await;
    let server = world.client.deployment(&id);
    let seeking = server.get().await.unwrap();
    assert_eq!(seeking.current_status, DeploymentStatus::Seeking);
    assert!(!seeking.is_ready() && !seeking.is_over());
    assert_eq!(
        seeking.endpoint("gameport").unwrap_err().kind(),
        ErrorKind::NotFound
    );

    world.sandbox.advance(TRANSITION);
    let ready = server.get().await.unwrap();
    assert!(ready.is_ready(), "{ready:?}");
    let endpoint = ready.endpoint("gameport").unwrap();
    let number = ready.port("gameport").unwrap().external.unwrap();
    assert_eq!(endpoint, format!("{id}.pr.edgegap.net:{number}"));
    assert_eq!(ready.location.unwrap().city.as_deref(), Some("Montreal"));
    let logs = server.logs().await.unwrap();
    assert_eq!(logs.logs.as_deref(), Some("listening on 7777\n"));
    let since = SystemTime::now() - Duration::from_secs(60);
    let metrics = server.metrics().since(since).until(since + TRANSITION);
    let metrics = metrics.steps(Duration::from_secs(1)).get().await.unwrap();
    assert_eq!(metrics.cpu.unwrap().datasets, [Some(0.25); 6]);

    let tags = server.tags();
    tags.create("ranked").await.unwrap();
    let again = tags.create("ranked").await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    server.tag("ranked").rename("casual").await.unwrap();
    server.tag("match-7").delete().await.unwrap();
    let gone = server.tag("match-7").delete().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    let left = tags.list().await.unwrap();
    assert_eq!(left.items, [server.tag("casual").get().await.unwrap()]);

    let storage = LogStorage::Configured;
    let stopped = server.stop_and_store_logs(storage).await.unwrap();
    assert_eq!(stopped.outcome, StopOutcome::Stopping);
    assert!(stopped.deployment.unwrap().is_over());
    assert_eq!(
        server.stop().await.unwrap().outcome,
        StopOutcome::Queued,
        "the deployment is still stopping"
    );
    world.sandbox.advance(TRANSITION);
    let reply = server.stop().with_response().await.unwrap();
    assert_eq!(reply.value.outcome, StopOutcome::AlreadyStopped);
    assert_eq!((reply.status, reply.attempts), (410, 1));
    let ended = server.get().await.unwrap();
    assert_eq!(ended.current_status, DeploymentStatus::Terminated);
    assert!(ended.removal_time.is_some());
    let unknown = world.client.deployment("a69f8e3e0555");
    for error in [
        unknown.get().await.map(drop).unwrap_err(),
        unknown.stop().await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}

#[tokio::test]
async fn filters_select_the_deployments_to_list_or_stop() {
    let world = World::start().await;
    let client = &world.client;
    let access = world.sandbox.edgegap();
    let a = world.deploy("a").await;
    let b = world.deploy("b").await;
    let user = User::coordinates(45.5, -73.6);
    let new = NewDeployment::new(&access.application, &access.version, user).tag("c");
    let new = new.on_host(&access.private_host_id);
    let c = client.deploy_to_fleet(new).await.unwrap().request_id;
    world.sandbox.advance(TRANSITION);

    let listed = |filter: Filter| {
        let list = client.deployments().order_by(Order::OldestFirst);
        let list = list.filter(filter).list();
        async move {
            let page = list.await.unwrap().into_iter();
            page.map(|found| found.request_id).collect::<Vec<_>>()
        }
    };
    let now = start_time(client, &a).await;
    for (filter, found) in [
        (Filter::tag("a"), vec![&a]),
        (Filter::tag(Match::any_of(["a", "b"])), vec![&a, &b]),
        (Filter::tag(Match::none_of(["a"])), vec![&b, &c]),
        (Filter::request_id(Match::is_not(&b)), vec![&a, &c]),
        (Filter::status(DeploymentStatus::Ready), vec![&a, &b, &c]),
        (Filter::not_status(DeploymentStatus::Ready), vec![]),
        (Filter::fleet(access.fleet.as_str()), vec![&c]),
        (Filter::host_like("ALPHA-%"), vec![&c]),
        (Filter::application("other"), vec![]),
        (Filter::version(access.version.as_str()), vec![&a, &b, &c]),
        (
            Filter::created_until(now + 2 * TRANSITION),
            vec![&a, &b, &c],
        ),
        (Filter::created_until(now - TRANSITION), vec![]),
    ] {
        world.sandbox.advance(Duration::from_secs(1));
        let at = format!("{filter:?}");
        assert_eq!(
            listed(filter).await.iter().collect::<Vec<_>>(),
            found,
            "{at}"
        );
    }

    let filter = StopFilter::any_tag(["a", "b", "c"]).without_ids([&b]);
    let stopped = client
        .deployments()
        .stop_matching(filter)
        .await
        .unwrap()
        .processable;
    let ids: Vec<_> = stopped
        .into_iter()
        .map(|stopped| stopped.request_id)
        .collect();
    assert_eq!(ids, [a, c]);
}

/// The start time of the deployment, by the sandbox's clock.
async fn start_time(client: &Client, id: &RequestId) -> SystemTime {
    let status = client.deployment(id).get().await.unwrap();
    status.start_time.unwrap().to_system_time().unwrap()
}
