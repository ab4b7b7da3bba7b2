//! The platform's rules without its sockets: the sandbox in this process, on tokio's clock.

mod common;

use common::{config, request, run};
use deploy_from_ci::{Config, deploy};
use deploykit::ErrorKind;
use deploykit_sandbox::{Fault, InProcess, Platform, Sandbox};
use std::time::Duration;

fn config_for(world: &InProcess) -> Config {
    let access = world.edgegap_access();
    Config {
        application: access.application,
        version: access.version,
        ..config()
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_a_while() {
    let world = Sandbox::builder()
        .ready_after(Duration::from_secs(150))
        .in_process();
    let new = request(&config_for(&world));
    let live = deploy(&world.edgegap().unwrap(), new, &run())
        .await
        .unwrap();
    assert!(live.address.contains(live.id.as_str()), "{}", live.address);

    // The same run once more starts nothing.
    let new = request(&config_for(&world));
    let again = deploy(&world.edgegap().unwrap(), new, &run())
        .await
        .unwrap();
    assert_eq!(again, live);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_too_long_is_stopped() {
    let world = Sandbox::builder()
        .ready_after(Duration::from_secs(3600))
        .in_process();
    let edgegap = world.edgegap().unwrap();
    let new = request(&config_for(&world));
    let failed = deploy(&edgegap, new, &run()).await.unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::WaitTimedOut);
    let id = failed.stopped.unwrap();
    // It is stopped when it has started, and ends a while later; the platform's clock need not wait for anybody.
    world.advance(Duration::from_secs(2 * 3600));
    edgegap.deployment(&id).wait().until_gone().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_room_nothing_is_left() {
    let world = Sandbox::builder().edgegap_capacity(0).in_process();
    let new = request(&config_for(&world));
    let failed = deploy(&world.edgegap().unwrap(), new, &run())
        .await
        .unwrap_err();
    assert!(
        failed.stopped.is_some() && failed.left_behind.is_none(),
        "{failed}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_start_was_not_confirmed_is_found() {
    let world = Sandbox::builder().in_process();
    let create = Fault::on("create_deployment").platform(Platform::Edgegap);
    world.inject(create.nth(1).reset().after()).unwrap();
    let new = request(&config_for(&world));
    let live = deploy(&world.edgegap().unwrap(), new, &run())
        .await
        .unwrap();
    let started = world.received().into_iter();
    let started = started.filter(|request| request.operation == Some("create_deployment"));
    assert_eq!(started.count(), 1, "{live:?}");
}
