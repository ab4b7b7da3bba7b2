//! The programs of `docs/four_steps.rs` on the sandbox.

#[path = "../docs/four_steps.rs"]
mod four_steps;

use deploykit::ErrorKind;
use deploykit::nexlayer::Manifest;
use deploykit::{dployr, edgegap};
use deploykit_sandbox::{Dialect, Sandbox};

#[tokio::test]
async fn edgegap_deployment_is_stopped_at_the_end() {
    let sandbox = Sandbox::start().await.unwrap();
    let access = sandbox.edgegap();
    let client = access.client().unwrap();
    let player = edgegap::User::ip([75, 28, 35, 192].into());
    let new = edgegap::NewDeployment::new(&access.application, &access.version, player);
    four_steps::edgegap(&client, new).await.unwrap();
    let deployments = client.deployments().list().all().await.unwrap();
    for deployment in deployments {
        let status = client.deployment(deployment.request_id).get().await;
        assert!(status.is_err() || status.unwrap().is_over());
    }
}

async fn dployr(dialect: Dialect) {
    let builder = Sandbox::builder().dployr_dialect(dialect);
    let sandbox = builder.start().await.unwrap();
    let access = sandbox.dployr();
    let mut builder = access.builder();
    if dialect == Dialect::ControlPlane {
        builder = builder.cluster(access.cluster_id.as_str());
    }
    let client = builder.build().unwrap();
    let new = dployr::NewDeployment::from_image("four-steps", "docker.io/example/web:1")
        .kind(dployr::ServiceType::Web)
        .port(3000);
    four_steps::dployr(&client, new).await.unwrap();
    let left = client.deployments().list().all().await.unwrap();
    assert!(
        left.iter()
            .all(|deployment| deployment.name != "four-steps")
    );
}

#[tokio::test]
async fn dployr_deployment_is_deleted_from_a_control_plane() {
    dployr(Dialect::ControlPlane).await;
}

#[tokio::test]
async fn dployr_deployment_is_deleted_from_a_server_with_the_documented_api() {
    dployr(Dialect::Documented).await;
}

#[tokio::test]
async fn nodion_application_is_deleted_at_the_end() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.nodion().client().unwrap();
    let application = client.application(sandbox.nodion().application_id.as_str());
    four_steps::nodion(&application).await.unwrap();
    let error = application.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn nexlayer_application_becomes_ready() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.nexlayer().client().unwrap();
    let manifest = Manifest::parse(include_str!("../examples/nexlayer.yaml")).unwrap();
    four_steps::nexlayer(&client, manifest).await.unwrap();
}
