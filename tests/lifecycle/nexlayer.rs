//! Nexlayer on the sandbox: an application from deploy to removal, and a failed deploy.

use deploykit::ErrorKind;
use deploykit::nexlayer::{Client, Manifest, Signal};
use deploykit::watch::Phase;
use deploykit_sandbox::{Platform, Sandbox};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn application_runs_from_deploy_to_removal() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::builder()
        .base_url(&sandbox.nexlayer().base_url)
        .build()
        .unwrap();
    let manifest = Manifest::parse(include_str!("../../examples/nexlayer.yaml")).unwrap();
    assert!(client.schema().await.unwrap().is_object());
    assert!(client.validate(&manifest).await.unwrap().valid);
    let invalid = Manifest::parse("application: {name: a, pods: []}").unwrap();
    let validation = client.validate(&invalid).await.unwrap();
    assert_eq!(
        validation.findings[0].path.as_deref(),
        Some("application.pods")
    );

    let deployed = client.deploy(manifest).await.unwrap();
    let application = deployed.application();
    let readiness = application.check_readiness().await.unwrap();
    assert_eq!(
        (readiness.phase, readiness.signal, readiness.site_status),
        (Phase::InProgress, Signal::Site, Some(503))
    );
    assert_eq!(readiness.pods.len(), 2);
    let without_site = application
        .clone()
        .signals([Signal::Reservation, Signal::Pods]);
    assert_eq!(
        without_site.check_readiness().await.unwrap().phase,
        Phase::Queued
    );
    sandbox.advance(Duration::from_secs(2));
    let ready = application.wait().await.unwrap();
    assert_eq!(
        (ready.signal, ready.url),
        (Signal::Site, deployed.url.clone())
    );
    assert_eq!(without_site.wait().await.unwrap().signal, Signal::Pods);
    application.reserve().await.unwrap();
    assert_eq!(
        application.wait().await.unwrap().signal,
        Signal::Reservation
    );

    // A reserved application keeps running after it expires. After the reservation is deleted, the site
    // is removed within minutes.
    sandbox.advance(40 * MINUTE);
    assert_eq!(
        application.check_readiness().await.unwrap().phase,
        Phase::Ready
    );
    assert_eq!(
        deployed.session().send_feedback("Works.").await.unwrap(),
        "OK"
    );
    application.delete_reservation().await.unwrap();
    assert_eq!(
        application.check_readiness().await.unwrap().signal,
        Signal::Site
    );
    sandbox.advance(10 * MINUTE);
    let error = application.wait().grace(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
    assert!(application.wait().until_gone().await.unwrap().is_none());
    let requests = sandbox.requests_to(Platform::Nexlayer);
    let to_site = requests
        .iter()
        .filter(|request| request.path.starts_with("/sites/"));
    for request in to_site {
        assert!(request.header("authorization").is_none() && request.query.is_empty());
    }
}

#[tokio::test]
async fn failed_deploy_is_visible_only_in_a_reservation_if_the_server_reports_no_pods() {
    let sandbox = Sandbox::builder()
        .deployments_fail(true)
        .nexlayer_pods_status(false);
    let sandbox = sandbox.start().await.unwrap();
    let client = Client::builder()
        .base_url(&sandbox.nexlayer().base_url)
        .build()
        .unwrap();
    let manifest = Manifest::parse(include_str!("../../examples/nexlayer.yaml")).unwrap();
    let deployed = client.deploy(manifest).await.unwrap();
    sandbox.advance(Duration::from_secs(2));
    let application = deployed.application();
    assert_eq!(
        application.check_readiness().await.unwrap().phase,
        Phase::InProgress
    );
    application.reserve().await.unwrap();
    let error = application.wait().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.raw_status()),
        (ErrorKind::WaitFailed, Some("failed"))
    );
}
