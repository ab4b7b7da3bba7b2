//! `find_created` after a create whose request or response was lost.

use deploykit::dployr::{self, ServiceType};
use deploykit::edgegap::{self, User};
use deploykit::{Effect, Error, ErrorKind};
use deploykit_sandbox::{Dialect, Fault, InProcessSandbox, Platform, Sandbox};
use std::time::{Duration, UNIX_EPOCH};

const HOUR: Duration = Duration::from_secs(3_600);

/// Resets the connection of later creates, after or before the platform processes them.
fn reset_creates(world: &InProcessSandbox, platform: Platform, is_processed: bool) {
    world.clear_faults();
    let lost = Fault::on("create_deployment").platform(platform).reset();
    let lost = if is_processed {
        lost.after()
    } else {
        lost.before()
    };
    world.inject(lost).unwrap();
}

#[track_caller]
fn assert_unknown_outcome(error: &Error) {
    let expected = (ErrorKind::Interrupted, Effect::Unknown);
    assert_eq!((error.kind(), error.effect()), expected, "{error}");
    assert_eq!(error.attempts(), 1, "a create is not retried");
}

#[tokio::test(start_paused = true)]
async fn edgegap_finds_the_new_deployment_by_tag_and_time() {
    let world = Sandbox::builder().in_process();
    let (client, access) = (world.edgegap().unwrap(), world.edgegap_access());
    let new = |tag: &str| {
        let user = User::ip([75, 28, 35, 192].into());
        let new = edgegap::NewDeployment::new(&access.application, &access.version, user);
        new.tag("eu").tag(tag)
    };
    // Must not be found: an older deployment with the same tag, and a new one with another tag.
    let old = client.deploy(new("match-7")).await.unwrap().request_id;
    world.advance(HOUR);
    client.deploy(new("match-8")).await.unwrap();
    let before = UNIX_EPOCH + world.now();
    let find = |tag: &str| client.deployments().find_created(tag, before);

    reset_creates(&world, Platform::Edgegap, false);
    assert_unknown_outcome(&client.deploy(new("match-7")).await.unwrap_err());
    assert_eq!(find("match-7").await.unwrap(), []);

    reset_creates(&world, Platform::Edgegap, true);
    assert_unknown_outcome(&client.deploy(new("match-7")).await.unwrap_err());
    let found = find("match-7").await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_ne!(found[0].request_id, old);
    let both = client.deployments().tagged("match-7").list().await.unwrap();
    assert_eq!(both.total_items, Some(2));
    assert_eq!(both.items[0], found[0]);
    assert_eq!(both.items[1].request_id, old);
    assert_eq!(find("match-9").await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn nodion_finds_the_new_deployment_by_number() {
    let world = Sandbox::builder().in_process();
    let client = world.nodion().unwrap();
    let application = client.application(world.nodion_access().application_id);
    application.deploy().await.unwrap();
    let before = application.deployments().latest_number().await.unwrap();
    assert_eq!(before, 2);

    reset_creates(&world, Platform::Nodion, false);
    assert_unknown_outcome(&application.deploy().await.unwrap_err());
    assert_eq!(
        application
            .deployments()
            .find_created(before)
            .await
            .unwrap(),
        []
    );

    reset_creates(&world, Platform::Nodion, true);
    assert_unknown_outcome(&application.deploy().await.unwrap_err());
    let found = application
        .deployments()
        .find_created(before)
        .await
        .unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].deploy_number, 3);
    assert_eq!(
        application
            .deployments()
            .find_created(0)
            .await
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn dployr_finds_the_new_deployment_by_name_and_time() {
    for dialect in [Dialect::Documented, Dialect::ControlPlane] {
        let world = Sandbox::builder().dployr_dialect(dialect).in_process();
        let cluster = world.dployr_access().cluster_id;
        let client = world.dployr_builder().cluster(cluster).build().unwrap();
        let new = |name: &str| {
            dployr::NewDeployment::from_git(name, "https://github.com/user/repo")
                .kind(ServiceType::Web)
                .runtime("nodejs", "20")
                .run_cmd("npm start")
                .port(3000)
        };
        let deployments = client.deployments();
        client.deploy(new("old")).await.unwrap();
        world.advance(HOUR);
        client.deploy(new("other")).await.unwrap();
        let before = UNIX_EPOCH + world.now();
        let find = |name: &str| deployments.find_created(name, before);
        for is_processed in [false, true] {
            reset_creates(&world, Platform::Dployr, is_processed);
            for name in ["mine", "old"] {
                assert_unknown_outcome(&client.deploy(new(name)).await.unwrap_err());
                let found = find(name).await.unwrap();
                assert_eq!(
                    found.len(),
                    usize::from(is_processed),
                    "{dialect:?}: {found:?}"
                );
                assert!(found.iter().all(|found| found.name == name));
            }
        }
    }
}
