//! Responses about deployments, failures, and `find_created`.

mod applications;

use crate::Replay;
use crate::{assert_failure, json_reply};
use deploykit::nodion::{Client, Deployment, DeploymentStatus};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{ErrorKind, Result, operation::OPERATIONS};
use serde_json::json;

/// Calls the operation and answers it with `reply`.
async fn call(operation: &str, reply: CannedReply) -> Result<Vec<Deployment>> {
    let recorder = Recorder::new();
    recorder.reply(operation, reply);
    let client = Client::builder()
        .token("secret")
        .recorder(&recorder)
        .build()
        .unwrap();
    let application = client.application("92955d4f-2e44-4e48-8cb6-9c6c434afebb");
    match operation {
        "list_deployments" => application
            .deployments()
            .list()
            .await
            .map(|page| page.items),
        "create_deployment" => application
            .deploy()
            .await
            .map(|deployed| vec![deployed.record]),
        other => panic!("{other} is not tested"),
    }
}

#[tokio::test]
async fn committer_email_is_redacted_in_debug() {
    let body = json!({ "deployment": {
        "id": "a", "status": "created", "deploy_number": 3, "committer_email": "info@nodion.com"
    } });
    let reply = json_reply(200, &body);
    let one = call("create_deployment", reply).await.unwrap().remove(0);
    let email = one.committer_email.as_ref().unwrap();
    assert_eq!(email.as_str(), "info@nodion.com");
    assert!(!format!("{one:?}").contains("info@"), "{one:?}");
}

#[tokio::test]
async fn undocumented_deployment_values_are_kept() {
    let body = json!({ "deployments": [
        { "id": "a", "status": "rolling_back", "deploy_number": 9, "git_sha": null, "strategy": "prebuilt_image", "image_reference": "docker.io/nginx:1.25" },
        { "id": "b", "status": "expired", "deploy_number": 8, "created_at": "some day" }
    ], "meta": { "total": 2 } });
    let list = call("list_deployments", json_reply(200, &body))
        .await
        .unwrap();
    assert_eq!(
        list[0].status,
        DeploymentStatus::Unknown("rolling_back".into())
    );
    assert_eq!(
        list[0].image_reference.as_deref(),
        Some("docker.io/nginx:1.25")
    );
    assert_eq!(list[1].status, DeploymentStatus::Expired);
    assert_eq!(list[1].created_at.as_ref().unwrap().unix_millis(), None);
    for status in [201, 202] {
        let body = json!({ "deployment": { "id": "a", "status": "created", "deploy_number": 1 } });
        let reply = json_reply(status, &body);
        assert_eq!(call("create_deployment", reply).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn response_without_deployment_is_a_decode_error() {
    use deploykit::Effect;
    for (operation, body, effect) in [
        ("list_deployments", "{}", Effect::None),
        ("list_deployments", "[]", Effect::None),
        ("list_deployments", "<html></html>", Effect::None),
        ("create_deployment", "{}", Effect::Unknown),
        (
            "create_deployment",
            r#"{"deployment":{"status":"created","deploy_number":1}}"#,
            Effect::Unknown,
        ),
        ("create_deployment", "", Effect::Unknown),
        ("create_deployment", "<html></html>", Effect::Unknown),
    ] {
        let error = call(operation, CannedReply::new(200, body))
            .await
            .unwrap_err();
        assert_failure(&error, ErrorKind::Decode, effect);
        assert!(!error.is_retryable(), "{operation} {body}");
    }
}

#[tokio::test]
async fn failures_are_classified_by_status_and_body() {
    use ErrorKind::{
        Forbidden, NoSuchRoute, NotFound, Rejected, Server, Unauthenticated, Unavailable,
    };
    let replay = Replay::default();
    let json_in_json = r#"{"code":1004, "why":"nested"}"#;
    let json_in_json_body = r#"{"errors":["{\"code\":1004,\n\"why\":\"nested\"}"]}"#;
    let not_found = r#"{"status":404,"error":"Not Found"}"#;
    // The status in the body is ignored.
    let other_status = r#"{"status":200,"error":"Not Found","errors":[]}"#;
    for (status, body, kind, message) in [
        (400, r#"{"errors":["a","b"]}"#, Rejected, Some("a; b")),
        (400, json_in_json_body, Rejected, Some(json_in_json)),
        (401, "", Unauthenticated, None),
        (403, "", Forbidden, None),
        (404, not_found, NotFound, Some("Not Found")),
        (404, other_status, NotFound, Some("Not Found")),
        (404, "<!DOCTYPE html><title>404</title>", NoSuchRoute, None),
        (422, r#"{"errors":"only one"}"#, Rejected, Some("only one")),
        (400, "null", Rejected, None),
        (500, r#"{"error":"down"}"#, Server, Some("down")),
        (502, "<html>Bad Gateway</html>", Unavailable, None),
    ] {
        for operation in OPERATIONS.iter().filter(|one| one.api == "nodion") {
            let reply = CannedReply::new(status, body);
            let error = replay.send(operation, "", reply).await.unwrap_err();
            let found = (error.kind(), error.message());
            assert_eq!(found, (kind, message), "{operation} {status} {body}");
            assert_eq!(error.operation(), Some(operation));
            assert!(error.to_string().contains(&status.to_string()), "{error}");
        }
    }
}

#[tokio::test]
async fn find_created_returns_higher_deploy_numbers() {
    let recorder = Recorder::new();
    let client = Client::builder().token("secret").recorder(&recorder);
    let application = client.build().unwrap().application("a-1");
    let numbered = |number| json!({ "id": format!("d-{number}"), "status": "created", "deploy_number": number });
    let reply = |numbers: &[i64]| {
        let list: Vec<_> = numbers.iter().map(|number| numbered(*number)).collect();
        recorder.reply(
            "list_deployments",
            json_reply(200, json!({ "deployments": list })),
        );
    };
    // The order of the list is not documented.
    reply(&[7, 9, 8]);
    assert_eq!(application.deployments().latest_number().await.unwrap(), 9);
    reply(&[]);
    assert_eq!(application.deployments().latest_number().await.unwrap(), 0);
    for (after, found) in [(0, vec![7, 9, 8]), (8, vec![9]), (9, vec![])] {
        reply(&[7, 9, 8]);
        let all = application.deployments().find_created(after).await.unwrap();
        let numbers: Vec<_> = all.iter().map(|one| one.deploy_number).collect();
        assert_eq!(numbers, found, "{after}");
    }
    let text = recorder.to_string();
    assert!(!text.contains("POST"), "only reads: {text}");
}
