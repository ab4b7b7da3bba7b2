//! Tests with the sandbox, which simulates the platform: in process on tokio's clock, and over real sockets.

use crate::{RUN_ID, config, request};
use deploy_from_ci::{Config, Failed, Live, deploy};
use deploykit::ErrorKind;
use deploykit_sandbox::{Fault, InProcessSandbox, Sandbox};
use std::time::Duration;

/// The configuration, changed to an application of the sandbox.
fn config_for(application: String, version: String) -> Config {
    Config {
        application,
        version,
        ..config()
    }
}

async fn deploy_to(sandbox: &InProcessSandbox) -> Result<Live, Failed> {
    let access = sandbox.edgegap_access();
    let config = config_for(access.application, access.version);
    deploy(&sandbox.edgegap().unwrap(), RUN_ID, request(&config)).await
}

#[tokio::test(start_paused = true)]
async fn repeated_run_starts_no_second_server() {
    let builder = Sandbox::builder().ready_after(Duration::from_secs(150));
    let sandbox = builder.in_process();
    let live = deploy_to(&sandbox).await.unwrap();
    assert!(live.address.contains(live.id.as_str()), "{}", live.address);
    assert_eq!(deploy_to(&sandbox).await.unwrap(), live);
}

#[tokio::test(start_paused = true)]
async fn slow_server_is_stopped() {
    let builder = Sandbox::builder().ready_after(Duration::from_secs(3600));
    let sandbox = builder.in_process();
    let failed = deploy_to(&sandbox).await.unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::WaitTimedOut);
    let id = failed.stopped.unwrap();
    // The platform stops a server only after its start has finished.
    sandbox.advance(Duration::from_secs(2 * 3600));
    let server = sandbox.edgegap().unwrap().deployment(&id);
    server.wait().until_gone().await.unwrap();
}

#[tokio::test]
async fn deploys_over_real_sockets() {
    let builder = Sandbox::builder().ready_after(Duration::ZERO);
    let builder = builder.fault(Fault::on("get_deployment").times(1).status(503));
    let sandbox = builder.start().await.unwrap();
    let access = sandbox.edgegap();
    let config = config_for(access.application.clone(), access.version.clone());
    let edgegap = access.client().unwrap();
    deploy(&edgegap, RUN_ID, request(&config)).await.unwrap();

    let received = sandbox.request_previews();
    let operations: Vec<_> = received.iter().filter_map(|one| one.operation).collect();
    // The first poll fails with 503 and is retried.
    let polls = ["get_deployment"; 2];
    assert_eq!(operations[..2], ["list_deployments", "create_deployment"]);
    assert_eq!(operations[2..], polls);
    // The password is sent, and redacted here.
    assert!(received[1].to_string().contains("<redacted>"));
}
