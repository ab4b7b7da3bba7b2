//! The same over real sockets.

mod common;

use common::{config, request, run};
use deploy_from_ci::{Config, deploy};
use deploykit_sandbox::{Fault, Sandbox};
use std::time::Duration;

#[tokio::test]
async fn the_whole_way_over_a_real_connection() {
    let sandbox = Sandbox::builder()
        .ready_after(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let access = sandbox.edgegap();
    let config = Config {
        application: access.application.clone(),
        version: access.version.clone(),
        ..config()
    };
    let edgegap = access.client().unwrap();
    let live = deploy(&edgegap, request(&config), &run()).await.unwrap();
    assert!(live.address.contains(':'), "{}", live.address);
    let received = sandbox.received();
    let asked: Vec<_> = received
        .iter()
        .filter_map(|request| request.operation)
        .collect();
    assert_eq!(asked[..2], ["list_deployments", "create_deployment"]);
    // The password arrived, and is not shown.
    assert!(received[1].to_string().contains("<redacted>"));
}

#[tokio::test]
async fn a_fault_that_passes_is_not_noticed() {
    let sandbox = Sandbox::builder()
        .ready_after(Duration::ZERO)
        .fault(Fault::on("get_deployment").times(1).status(503))
        .start()
        .await
        .unwrap();
    let access = sandbox.edgegap();
    let config = Config {
        application: access.application.clone(),
        version: access.version.clone(),
        ..config()
    };
    let edgegap = access.client().unwrap();
    deploy(&edgegap, request(&config), &run()).await.unwrap();
    let asked = sandbox.received();
    let looks = asked
        .iter()
        .filter(|request| request.operation == Some("get_deployment"));
    assert_eq!(looks.count(), 2);
}
