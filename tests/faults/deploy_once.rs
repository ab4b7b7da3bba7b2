//! Calls that deploy once, on the sandbox with faults.

use deploykit::dployr::{self, ServiceType};
use deploykit::edgegap::{self, DeploymentStatus, User};
use deploykit::pacing::Pacing;
use deploykit::{Effect, ErrorKind, Result};
use deploykit_sandbox::{Dialect, Fault, FaultBuilder, InProcessSandbox, Platform, Sandbox};
use std::time::Duration;
use tokio::time::Instant;

/// The tag on Edgegap, the name on dployr.
const TAG: &str = "match-81f3";
const EMPTY_LIST: &str = r#"{"data":[],"success":true}"#;
/// Default deadline of a create.
const DEADLINE: Duration = Duration::from_secs(90);

/// The kinds of call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Edgegap,
    Fleet,
    Dployr(Dialect),
}

const KINDS: [Kind; 4] = [
    Kind::Edgegap,
    Kind::Fleet,
    Kind::Dployr(Dialect::ControlPlane),
    Kind::Dployr(Dialect::Documented),
];

/// A sandbox and the calls of one kind.
struct World {
    kind: Kind,
    sandbox: InProcessSandbox,
}

struct Row {
    name: &'static str,
    faults: fn(&World) -> Vec<Fault>,
    /// The id, or the error.
    outcome: Result<(), (ErrorKind, Effect)>,
    /// Number of deployments on the platform.
    deployments: usize,
}

impl World {
    fn new(kind: Kind) -> Self {
        Self::with_capacity(kind, usize::MAX)
    }

    fn with_capacity(kind: Kind, servers: usize) -> Self {
        let mut sandbox = Sandbox::builder().edgegap_capacity(servers);
        if let Kind::Dployr(dialect) = kind {
            sandbox = sandbox.dployr_dialect(dialect);
        }
        Self {
            kind,
            sandbox: sandbox.in_process(),
        }
    }

    fn fault(&self, operation: &str) -> FaultBuilder {
        Fault::on(operation).platform(match self.kind {
            Kind::Dployr(_) => Platform::Dployr,
            Kind::Edgegap | Kind::Fleet => Platform::Edgegap,
        })
    }

    fn on_create(&self) -> FaultBuilder {
        self.fault(match self.kind {
            Kind::Fleet => "create_fleet_deployment",
            Kind::Edgegap | Kind::Dployr(_) => "create_deployment",
        })
    }

    /// Lists do not contain the deployment from the `nth` list on.
    fn lists_are_empty(&self, nth: u64, times: u64) -> Fault {
        let lists = self.fault("list_deployments").from(nth).times(times);
        lists.status_with(200, "application/json", EMPTY_LIST)
    }

    fn edgegap(&self) -> edgegap::Client {
        let builder = self.sandbox.edgegap_builder();
        builder.pacing(Pacing::off()).build().unwrap()
    }

    fn dployr(&self) -> dployr::Client {
        let cluster = self.sandbox.dployr_access().cluster_id;
        let builder = self.sandbox.dployr_builder().cluster(cluster);
        builder.pacing(Pacing::off()).build().unwrap()
    }

    fn new_server(&self) -> edgegap::NewDeployment {
        let access = self.sandbox.edgegap_access();
        let user = User::ip([75, 28, 35, 192].into());
        edgegap::NewDeployment::new(access.application, access.version, user)
    }

    /// The id of the deployment.
    async fn deploy_once(&self, deadline: Duration) -> Result<String> {
        self.deploy_server_once(self.new_server(), deadline).await
    }

    async fn deploy_server_once(
        &self,
        server: edgegap::NewDeployment,
        deadline: Duration,
    ) -> Result<String> {
        match self.kind {
            Kind::Edgegap => {
                let call = self.edgegap().deploy_once(TAG, server);
                Ok(call.deadline(deadline).await?.request_id.to_string())
            }
            Kind::Fleet => {
                let host = self.sandbox.edgegap_access().private_host_id;
                let call = self
                    .edgegap()
                    .deploy_to_fleet_once(TAG, server.on_host(host));
                Ok(call.deadline(deadline).await?.request_id.to_string())
            }
            Kind::Dployr(_) => {
                let new = dployr::NewDeployment::from_git(TAG, "https://github.com/user/repo")
                    .kind(ServiceType::Web)
                    .runtime("nodejs", "20")
                    .run_cmd("npm start")
                    .port(3000);
                let deployed = self.dployr().deploy_once(new).deadline(deadline).await?;
                let found = deployed.deployment().wait().await?;
                Ok(found.id.to_string())
            }
        }
    }

    /// The ids of the deployments on the platform.
    async fn deployed(&self) -> Vec<String> {
        self.sandbox.clear_faults();
        match self.kind {
            Kind::Dployr(_) => {
                let listed = self.dployr().deployments().list().await.unwrap();
                let mine = listed.items.into_iter().filter(|one| one.name == TAG);
                mine.map(|one| one.id.to_string()).collect()
            }
            Kind::Edgegap | Kind::Fleet => {
                let listed = self.edgegap().deployments().tagged(TAG).list();
                let listed = listed.await.unwrap().items;
                listed
                    .iter()
                    .map(|one| one.request_id.to_string())
                    .collect()
            }
        }
    }

    /// Number of creates that reached the platform.
    fn creates(&self) -> usize {
        let requests = self.sandbox.requests();
        let creates = requests.iter().filter(|request| request.method == "POST");
        creates.count()
    }
}

const UNKNOWN: Result<(), (ErrorKind, Effect)> = Err((ErrorKind::Interrupted, Effect::Unknown));

fn rows() -> Vec<Row> {
    let row = |name, faults, outcome, deployments| Row {
        name,
        faults,
        outcome,
        deployments,
    };
    vec![
        row("no fault", |_| vec![], Ok(()), 1),
        row(
            "a reset after the create",
            |world| vec![world.on_create().reset().after()],
            Ok(()),
            1,
        ),
        row(
            "a reset after the create, and a late listing",
            |world| {
                let late = world.lists_are_empty(2, 3);
                vec![world.on_create().reset().after(), late]
            },
            Ok(()),
            1,
        ),
        row(
            "a lost reply",
            |world| vec![world.on_create().hang().after()],
            Ok(()),
            1,
        ),
        row(
            "a lost reply, and lookups that fail",
            |world| {
                let down = world.fault("list_deployments").from(2).times(2).status(503);
                vec![world.on_create().hang().after(), down]
            },
            Ok(()),
            1,
        ),
        row(
            "a reset before the create",
            |world| vec![world.on_create().reset().before()],
            UNKNOWN,
            0,
        ),
        row(
            "a reset after the create, and a listing after the deadline",
            |world| {
                let late = world.lists_are_empty(2, 1_000);
                vec![world.on_create().reset().after(), late]
            },
            UNKNOWN,
            1,
        ),
        row(
            "a first lookup that fails",
            |world| vec![world.fault("list_deployments").from(1).times(3).status(503)],
            Err((ErrorKind::Unavailable, Effect::None)),
            0,
        ),
        row(
            "a rejected create",
            |world| {
                let reply = r#"{"message":"no"}"#;
                vec![
                    world
                        .on_create()
                        .status_with(400, "application/json", reply),
                ]
            },
            Err((ErrorKind::Rejected, Effect::None)),
            0,
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_call_that_deploys_once_never_creates_twice() {
    let (mut handled, mut duplicates, mut cells) = (0, 0, 0);
    for kind in KINDS {
        for row in rows() {
            let world = World::new(kind);
            for fault in (row.faults)(&world) {
                world.sandbox.inject(fault).unwrap();
            }
            let started = Instant::now();
            let outcome = world.deploy_once(DEADLINE).await;
            let took = started.elapsed();
            let creates = world.creates();
            let deployed = world.deployed().await;
            let found = outcome
                .as_ref()
                .map(|_| ())
                .map_err(|error| (error.kind(), error.effect()));
            let is_expected = found == row.outcome
                && deployed.len() == row.deployments
                && (matches!(kind, Kind::Dployr(_)) || took <= DEADLINE)
                && outcome.as_ref().is_ok_and(|id| deployed == [id.clone()]) == outcome.is_ok();
            println!(
                "{kind:?} {}: {outcome:?} in {took:?}, {creates} creates, {deployed:?}",
                row.name
            );
            cells += 1;
            handled += usize::from(is_expected);
            duplicates += creates.saturating_sub(1) + deployed.len().saturating_sub(1);
        }
    }
    for (kind, stops) in [
        (Kind::Edgegap, false),
        (Kind::Edgegap, true),
        (Kind::Fleet, false),
        (Kind::Fleet, true),
    ] {
        let is_expected = a_422_is_handled(kind, stops).await;
        cells += 1;
        handled += usize::from(is_expected);
    }
    println!("deploy_once: {handled} of {cells} faults handled, {duplicates} duplicate creates");
    assert_eq!((handled, duplicates), (cells, 0));
}

/// Without a free server, the platform keeps a failed deployment. After it was stopped, the next call deploys.
async fn a_422_is_handled(kind: Kind, stops: bool) -> bool {
    let world = World::with_capacity(kind, 1);
    let client = world.edgegap();
    let occupant = client.deploy(world.new_server()).await.unwrap();
    let new = || match stops {
        true => world.new_server().stop_if_rejected(),
        false => world.new_server(),
    };
    let error = world.deploy_server_once(new(), DEADLINE).await.unwrap_err();
    let effect = if stops { Effect::None } else { Effect::Applied };
    let left = error.resource_id().unwrap().to_owned();
    println!("{kind:?} a 422, stopped: {stops}: {error}");
    occupant.deployment().stop().await.unwrap();
    world.sandbox.advance(Duration::from_secs(60));
    let next = world.deploy_server_once(new(), DEADLINE).await.unwrap();
    let creates = if stops { 3 } else { 2 };
    (error.status(), error.effect()) == (Some(422), effect)
        && (next == left) != stops
        && world.creates() == creates
}

#[tokio::test(start_paused = true)]
async fn a_second_call_returns_the_same_deployment() {
    for kind in KINDS {
        let world = World::new(kind);
        let reset = world.on_create().reset().after();
        world.sandbox.inject(reset).unwrap();
        let late = world.lists_are_empty(2, 1);
        world.sandbox.inject(late).unwrap();
        // No time for a second lookup.
        let first = world.deploy_once(Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(first.effect(), Effect::Unknown, "{first}");
        let second = world.deploy_once(DEADLINE).await.unwrap();
        assert_eq!(world.creates(), 1, "{kind:?}");
        assert_eq!(world.deployed().await, [second]);
    }
}

/// A server that ignores the filter lists deployments of others.
#[tokio::test(start_paused = true)]
async fn a_deployment_without_the_tag_is_never_returned() {
    for kind in [Kind::Edgegap, Kind::Fleet] {
        let list = |record: &str| format!(r#"{{"data":[{record}]}}"#);
        let world = World::new(kind);
        let lists = || world.fault("list_deployments");
        let unknown = list(r#"{"request_id":"0a1b2c3d4e5f","status":"Status.READY"}"#);
        let fault = lists().from(1).times(100);
        let fault = fault.status_with(200, "application/json", unknown);
        world.sandbox.inject(fault).unwrap();
        let error = world.deploy_once(DEADLINE).await.unwrap_err();
        let found = (error.kind(), error.effect());
        assert_eq!(found, (ErrorKind::Decode, Effect::None), "{error}");
        assert_eq!(world.creates(), 0);

        // The own one may be on the next page.
        world.sandbox.clear_faults();
        let other = r#"{"request_id":"0a1b2c3d4e5f","tags":["eu"]}"#;
        let first_page = format!(r#"{{"data":[{other}],"pagination":{{"has_next":true}}}}"#);
        let fault = lists().from(1).times(100);
        let fault = fault.status_with(200, "application/json", first_page);
        world.sandbox.inject(fault).unwrap();
        let error = world.deploy_once(DEADLINE).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), found, "{error}");
        assert_eq!(world.creates(), 0);

        world.sandbox.clear_faults();
        let others = list(r#"{"request_id":"0a1b2c3d4e5f","tags":["match-81f30"]}"#);
        let fault = lists().from(1).times(1);
        let fault = fault.status_with(200, "application/json", others);
        world.sandbox.inject(fault).unwrap();
        assert_ne!(world.deploy_once(DEADLINE).await.unwrap(), "0a1b2c3d4e5f");
        assert_eq!(world.creates(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_declared_idempotence_does_not_repeat_the_create() {
    let world = World::new(Kind::Edgegap);
    let busy = world.on_create().from(1).times(9).status(503);
    world.sandbox.inject(busy).unwrap();
    let call = world.edgegap().deploy_once(TAG, world.new_server());
    let error = call.assume_idempotent().await.unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown, "{error}");
    assert_eq!(world.creates(), 1);
}

/// A second attempt could be rejected after the first one had created a server.
#[tokio::test(start_paused = true)]
async fn a_create_whose_rejection_is_cleaned_up_is_not_repeated() {
    let world = World::new(Kind::Edgegap);
    let busy = world.on_create().from(1).times(9).status(503);
    world.sandbox.inject(busy).unwrap();
    let new = world.new_server().stop_if_rejected();
    let error = world
        .edgegap()
        .deploy(new)
        .assume_idempotent()
        .await
        .unwrap_err();
    assert_eq!((error.effect(), world.creates()), (Effect::Unknown, 1));
}

#[tokio::test(start_paused = true)]
async fn a_body_field_is_set_in_the_create() {
    let world = World::new(Kind::Edgegap);
    let call = world.edgegap().deploy_once(TAG, world.new_server());
    call.body_field("region", "eu").await.unwrap();
    let requests = world.sandbox.request_previews();
    let with_field = requests
        .iter()
        .map(|request| request.to_string().contains("\"region\""));
    assert_eq!(with_field.collect::<Vec<_>>(), [false, true]);
}

#[tokio::test(start_paused = true)]
async fn invalid_deployments_send_nothing() {
    let world = World::new(Kind::Edgegap);
    let client = world.edgegap();
    let nobody = edgegap::NewDeployment::for_users("app", "1", []);
    let host = nobody.clone().on_host("host");
    let tagged = world.new_server();
    let calls = [
        client.deploy_once(TAG, nobody),
        client.deploy_to_fleet_once(TAG, host),
        client.deploy_once(" ", tagged),
    ];
    for call in calls {
        assert_eq!(call.await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
    let unnamed = dployr::NewDeployment::from_image(" ", "nginx");
    let error = world.dployr().deploy_once(unnamed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(world.sandbox.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_deployment_is_stopped_if_the_caller_asks() {
    for (stops, stop_fails) in [(false, false), (true, false), (true, true)] {
        for once in [false, true] {
            let world = World::with_capacity(Kind::Edgegap, 0);
            if stop_fails {
                let refused = world.fault("stop_deployment").from(1).times(9).status(503);
                world.sandbox.inject(refused).unwrap();
            }
            let (client, mut new) = (world.edgegap(), world.new_server());
            if stops {
                new = new.stop_if_rejected();
            }
            let call = match once {
                true => client.deploy_once(TAG, new),
                false => client.deploy(new),
            };
            // The field is set in the create, and not in the stop.
            let error = call.body_field("region", "eu").await.unwrap_err();
            world.sandbox.clear_faults();
            let id = error.resource_id().unwrap();
            let stopped = stops && !stop_fails;
            let effect = if stopped {
                Effect::None
            } else {
                Effect::Applied
            };
            assert_eq!(
                (error.status(), error.effect()),
                (Some(422), effect),
                "{error}"
            );
            let ending = match stopped {
                true => format!("; deployment {id} was created and stopped"),
                false => format!(
                    "; deployment {id} was created and may cost money; stop it: deployment(id).stop()"
                ),
            };
            assert!(error.to_string().ends_with(&ending), "{error}");
            let left = client.deployment(id).get().await;
            let status = left.ok().map(|left| left.current_status);
            let is_left = status == Some(DeploymentStatus::Error);
            assert_eq!(is_left, !stopped, "{status:?}");
        }
    }
}
