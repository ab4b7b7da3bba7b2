//! Deploy and wait with the examples of the specs; requests that a server received.

use crate::server;
use deploykit::nexlayer::Manifest;
use deploykit::testing::{Recorder, describe};
use deploykit::{ErrorKind, dployr, edgegap, http};

#[tokio::test(start_paused = true)]
async fn edgegap() {
    for (recorder, looks) in [(Recorder::new(), 1), (Recorder::new().becomes_ready(), 2)] {
        let edgegap = recorder.edgegap().unwrap();
        let accepted = edgegap.deploy(server()).await.unwrap();
        let ready = edgegap
            .deployment(&accepted.request_id)
            .wait()
            .await
            .unwrap();
        assert!(ready.is_ready());
        assert_eq!(recorder.requests().len(), 1 + looks);
    }
}

#[tokio::test(start_paused = true)]
async fn nodion() {
    let wait = async |recorder: &Recorder| {
        let application = recorder.nodion().unwrap().application("a-1");
        let deployment = application.deploy().await.unwrap();
        application.deployment(deployment.id).wait().await
    };
    let ready = wait(&Recorder::new().becomes_ready()).await.unwrap();
    assert_eq!(ready.deploy_number, 3);
    // Without `becomes_ready` the list does not contain the created deployment.
    let error = wait(&Recorder::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
}

#[tokio::test(start_paused = true)]
async fn dployr() {
    let recorder = Recorder::new().becomes_ready();
    let dployr = recorder.dployr().unwrap();
    let new = dployr::NewDeployment::from_git("my-app", "https://github.com/user/repo");
    dployr.deployments().create(new).await.unwrap();
    let listed = dployr.deployments().list().all().await.unwrap();
    let mine = listed
        .into_iter()
        .find(|made| made.name == "my-app")
        .unwrap();
    let made = dployr.deployment(mine.id).wait().await.unwrap();
    assert_eq!(made.name, "my-app");
}

#[tokio::test(start_paused = true)]
async fn nexlayer() {
    for recorder in [Recorder::new(), Recorder::new().becomes_ready()] {
        let nexlayer = recorder.nexlayer().unwrap();
        let manifest = Manifest::parse("application: {name: a, pods: [{name: web, image: nginx}]}");
        let started = nexlayer.start(manifest.unwrap()).await.unwrap();
        let application = started.application();
        application.reserve().await.unwrap();
        application.wait().await.unwrap();
        let asked = recorder.requests();
        assert!(asked.len() >= 3, "{recorder}");
    }
}

#[test]
fn received_request_is_described_like_a_recorded_one() {
    let request = http::Request::post("/sub/v1/deployments?clusterId=c-1&mine=hush&page=2")
        .header("authorization", "Bearer hush")
        .header("content-type", "application/json")
        .header("connection", "close")
        .header("host", "a.example")
        .body(r#"{"name":"a","env":{"A":"hush"}}"#)
        .unwrap();
    let shown = describe::<dployr::Dployr>(&request);
    assert_eq!(shown.operation, Some("create_deployment"));
    insta::assert_snapshot!(shown.to_string());
    let unknown = http::Request::get("/nope/x?token=hush&page=2")
        .body("")
        .unwrap();
    let shown = describe::<dployr::Dployr>(&unknown);
    assert_eq!(shown.operation, None);
    assert_eq!(
        shown.to_string(),
        "GET /nope/x\n? page = <redacted>\n? token = <redacted>"
    );
    // With an escape in the path.
    let escaped = http::Request::delete("/v1/self/sto%70/a69f8e3e0555/hush")
        .body("")
        .unwrap();
    let shown = describe::<edgegap::Edgegap>(&escaped);
    assert_eq!(shown.operation, Some("stop_own_deployment"));
    assert!(!shown.to_string().contains("hush"), "{shown}");
}
