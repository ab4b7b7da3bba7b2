//! deploykit clients against the sandbox, over sockets and in process.

mod common;

use std::time::Duration;

use common::server;
use deploykit::edgegap::{NewDeployment, User};
use deploykit::nexlayer::Manifest;
use deploykit::testing::Recorder;
use deploykit::{Call, Retry, dployr};
use deploykit_sandbox::{Dialect, Fault, Sandbox};

fn new_server(application: &str, version: &str) -> NewDeployment {
    let player = User::ip([198, 51, 100, 7].into());
    NewDeployment::new(application, version, player)
        .hidden_env("PASSWORD", "hush")
        .tag("a b&c")
}

#[tokio::test]
async fn the_sandbox_and_the_recorder_show_the_same_previews() {
    let sandbox = server::start(Sandbox::builder()).await;
    let recorder = Recorder::new();
    let (real, recorded) = (
        sandbox.edgegap().client().unwrap(),
        recorder.edgegap().unwrap(),
    );
    let access = sandbox.edgegap();
    for edgegap in [real, recorded] {
        let id = edgegap
            .deploy(new_server(&access.application, &access.version))
            .await
            .unwrap();
        let id = if edgegap.base_url().contains("127.0.0.1") {
            id.request_id
        } else {
            "a".try_into().unwrap()
        };
        let _ = edgegap.deployments().tagged("a b&c").page(2).list().await;
        let _ = edgegap.deployment(id).tags().create("ünï code").await;
    }
    let received: Vec<_> = sandbox
        .request_previews()
        .iter()
        .map(ToString::to_string)
        .collect();
    let recorded: Vec<_> = recorder
        .requests()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(received[..2], recorded[..2]);
    let id = sandbox.request_previews()[2]
        .path
        .split('/')
        .nth(3)
        .unwrap()
        .to_owned();
    assert_eq!(received[2], recorded[2].replace("/a/", &format!("/{id}/")));
    assert!(!received.concat().contains("hush"));
}

#[tokio::test(start_paused = true)]
async fn in_process_deployments_on_all_platforms_take_no_real_time() {
    let sandbox = Sandbox::builder()
        .ready_after(Duration::from_secs(60))
        .in_process();
    let began = std::time::Instant::now();

    let access = sandbox.edgegap_access();
    let edgegap = sandbox.edgegap().unwrap();
    let deployed = edgegap
        .deploy(new_server(&access.application, &access.version))
        .await
        .unwrap();
    let ready = deployed.deployment().wait().await.unwrap();
    assert!(ready.is_ready());

    let application = sandbox
        .nodion()
        .unwrap()
        .application(sandbox.nodion_access().application_id);
    let deployed = application.deploy().await.unwrap();
    deployed.deployment().wait().await.unwrap();

    let nexlayer = sandbox.nexlayer().unwrap();
    let manifest = "application: {name: a, pods: [{name: web, path: /, image: 'nginx:1', servicePorts: [80]}]}";
    let deployed = nexlayer
        .deploy(Manifest::parse(manifest).unwrap())
        .await
        .unwrap();
    deployed.application().wait().await.unwrap();

    let dployr = sandbox.dployr().unwrap();
    let new = dployr::NewDeployment::from_git("my-app", "https://github.com/user/repo")
        .runtime("nodejs", "20")
        .branch("main")
        .build_cmd("npm run build")
        .run_cmd("npm start")
        .port(3000);
    let deployed = dployr.deploy(new).await.unwrap();
    deployed.deployment().wait().await.unwrap();

    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(sandbox.request_previews().len() > 8);
    server::assert_replies_follow_spec(&sandbox.requests());
}

#[tokio::test(start_paused = true)]
async fn advance_moves_the_clock_of_the_in_process_sandbox() {
    let sandbox = Sandbox::builder()
        .dployr_dialect(Dialect::ControlPlane)
        .in_process();
    let access = sandbox.dployr_access();
    let dployr = sandbox
        .dployr_builder()
        .cluster(access.cluster_id.as_str())
        .build()
        .unwrap();
    dployr.services().list().await.unwrap();
    let edgegap = sandbox.edgegap().unwrap();
    let edgegap_access = sandbox.edgegap_access();
    let new = new_server(&edgegap_access.application, &edgegap_access.version);
    let new = new.webhook_on_ready("http://127.0.0.1:9/ready");
    let id = edgegap.deploy(new).await.unwrap().request_id;
    assert!(sandbox.take_due_webhooks().is_empty());
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(sandbox.take_due_webhooks().len(), 1);
    let status: Call<_> = edgegap.deployment(id).get();
    assert!(status.await.unwrap().is_ready());
    assert!(format!("{sandbox:?}").contains("requests: 3"));
    server::assert_replies_follow_spec(&sandbox.requests());
}

#[tokio::test(start_paused = true)]
async fn the_clock_stops_at_year_9999() {
    let sandbox = Sandbox::builder().in_process();
    for _ in 0..2 {
        sandbox.advance(Duration::MAX);
        tokio::time::advance(Duration::from_secs(60)).await;
        let edgegap = sandbox.edgegap().unwrap();
        edgegap.deployments().list().await.unwrap();
        assert_eq!(sandbox.now(), Duration::from_secs(253_370_764_800));
    }
    assert!(sandbox.requests()[0].log_line().starts_with("9999-01-01T"));
}

#[tokio::test(start_paused = true)]
async fn faults_and_recorded_requests_work_in_process() {
    let busy = Fault::on("list_regions").nth(2).status(503);
    // In process, the manual clock is ignored.
    let sandbox = Sandbox::builder().manual_clock().fault(busy.clone());
    let sandbox = sandbox.in_process();
    let began = sandbox.now();
    let nodion = sandbox
        .nodion_builder()
        .retry(Retry::off())
        .build()
        .unwrap();
    nodion.regions().list().await.unwrap();
    assert_eq!(sandbox.pending_faults(), std::slice::from_ref(&busy));
    nodion.regions().list().await.unwrap_err();
    assert_eq!(sandbox.pending_faults(), []);
    let used = &sandbox.faults()[0];
    assert_eq!((&used.fault, used.matched, used.applied), (&busy, 2, 1));
    tokio::time::advance(Duration::from_secs(60)).await;
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(sandbox.now(), began + Duration::from_secs(65));
    sandbox.clear_requests();
    assert_eq!(sandbox.requests(), []);
    nodion.regions().list().await.unwrap();
    assert_eq!(sandbox.requests()[0].number, 3);
}
