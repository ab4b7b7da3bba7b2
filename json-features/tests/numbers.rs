//! Numbers in types that decode any JSON value.

use deploykit::Timestamp;
use deploykit::edgegap::WebhookEvent;
use deploykit::nexlayer::Manifest;

#[test]
fn serde_json_keeps_the_digits_of_numbers() {
    let number: serde_json::Value = serde_json::from_str("1.50").unwrap();
    assert_eq!(number.to_string(), "1.50", "arbitrary_precision is on");
}

#[test]
fn timestamps_are_numbers_and_text() {
    for json in [
        "1795487067098",
        "1795487067.098",
        "1795487067",
        "\"2026-11-24\"",
    ] {
        let at: Timestamp = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&at).unwrap(), json);
        assert_eq!(serde_json::from_str::<Timestamp>(json).unwrap(), at);
    }
    for json in ["[1]", "{}", "true", "null"] {
        assert!(serde_json::from_str::<Timestamp>(json).is_err(), "{json}");
    }
}

#[test]
fn webhooks_are_decoded() {
    let body = br#"{"request_id":"a","elapsed_time":7,"ports":{"x":{"external":"80"}},"running":"true","location":{"latitude":1.5}}"#;
    let deployment = WebhookEvent::from_bytes(body).unwrap().deployment;
    assert_eq!(deployment.elapsed_time, Some(7));
    assert_eq!(deployment.ports.unwrap()["x"].external, Some(80));
    assert_eq!(deployment.location.unwrap().latitude, Some(1.5));
}

#[test]
fn manifests_keep_their_numbers() {
    let text = "application:\n  name: app\n  pods:\n  - name: web\n    image: nginx:1.27\n    path: /\n    servicePorts: [80]\n    vars: {A: 15}\n";
    let manifest = Manifest::parse(text).unwrap();
    assert_eq!(manifest.as_str(), text);
    assert_eq!(manifest.lint(), []);
    let canonical = manifest.canonical().unwrap();
    assert!(
        canonical.as_str().contains("- 80\n"),
        "{}",
        canonical.as_str()
    );
    let client = deploykit::testing::Recorder::new().nexlayer().unwrap();
    let preview = client.session("t-1234").deploy(manifest).preview().unwrap();
    let shown = preview.to_string();
    assert!(shown.contains("- 80\n"), "{shown}");
    assert!(!shown.contains("private"), "{shown}");
}

#[test]
fn request_bodies_keep_their_numbers() {
    let client = deploykit::testing::Recorder::new().edgegap().unwrap();
    let shown = client
        .request(deploykit::http::Method::POST, "/v1/a")
        .json(&serde_json::json!({ "port": 80, "load": 0.5 }))
        .preview()
        .unwrap();
    assert!(!shown.to_string().contains("private"), "{shown}");
}
