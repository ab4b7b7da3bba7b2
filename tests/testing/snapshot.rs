//! Snapshots of recorded requests, as text and as YAML.

use crate::new_server;
use deploykit::nexlayer::Manifest;
use deploykit::testing::Recorder;

const SECRETS: [&str; 4] = ["hush-hush", "made-up", "another-token", "dCf0NdAQ64j6"];

#[tokio::test]
async fn text_is_redacted_and_filtered() {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    let new = new_server()
        .hidden_env("PASSWORD", "hush-hush")
        .env("B", "2");
    let handle = edgegap.deploy(new).await.unwrap().deployment();
    let status = handle.get().query("also", "hush-hush");
    status.header("x-trace", "hush-hush").await.unwrap();
    handle.stop().await.unwrap();

    let text = recorder.to_string();
    assert!(
        !SECRETS.iter().any(|secret| text.contains(secret)),
        "{text}"
    );
    insta::with_settings!({filters => vec![("/[0-9a-f]{12}", "/[id]")]}, {
        insta::assert_snapshot!(recorder);
    });
}

#[tokio::test]
async fn yaml_is_redacted_by_the_recorder_and_by_the_test() {
    let recorder = Recorder::new();
    let nexlayer = recorder.nexlayer().unwrap();
    let manifest =
        "application: {name: a, pods: [{name: web, image: nginx, vars: {API_TOKEN: hush-hush}}]}";
    let deployed = nexlayer.deploy(Manifest::parse(manifest).unwrap()).await;
    deployed.unwrap().application().extend().await.unwrap();
    let other = nexlayer.session("another-token-1");
    other.reservations().list().await.unwrap();

    let requests = recorder.requests();
    let json = serde_json::to_string(&requests).unwrap();
    assert!(
        !SECRETS.iter().any(|secret| json.contains(secret)),
        "{json}"
    );
    insta::assert_yaml_snapshot!(requests, { "[].body.applicationName" => "[application]" });
}

#[tokio::test]
async fn sorted_requests_do_not_depend_on_the_order_of_the_calls() {
    let ids = ["a", "b", "c", "d", "e", "f"];
    let record = async |recorder: Recorder, ids: &[&str]| {
        let edgegap = recorder.edgegap().unwrap();
        for id in ids {
            edgegap.deployment(*id).get().await.unwrap();
        }
        recorder
    };
    let reversed: Vec<_> = ids.into_iter().rev().collect();
    let sent = record(Recorder::new(), &reversed).await;
    let sorted = record(Recorder::new().sorted(), &reversed).await;
    let expected = record(Recorder::new(), &ids).await;
    assert_ne!(sent.requests(), expected.requests());
    assert_eq!(sorted.requests(), expected.requests());
    assert_eq!(sorted.to_string(), expected.to_string());
}
