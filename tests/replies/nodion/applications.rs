//! Responses about applications, their variables, processes and domains.

use crate::Replay;
use crate::{assert_failure, json_reply};
use deploykit::nodion::{ApplicationHandle, Client, ResourceStatus};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind};
use serde_json::{Value, json};

fn client(operation: &str, reply: CannedReply) -> (Client, ApplicationHandle) {
    let recorder = Recorder::new();
    recorder.reply(operation, reply);
    let client = Client::builder().token("secret").recorder(&recorder);
    let client = client.build().unwrap();
    let application = client.application("a-1");
    (client, application)
}

#[tokio::test]
async fn undocumented_application_values_are_kept() {
    let body = json!({ "application": {
        "id": "a-1", "status": "hibernating", "name": "My App", "state": null, "workers": null, "region": null,
        "instance_amount": "2", "integration_id": 7, "repository_id": 123_456_789_012_345_u64, "branch_id": "b-1",
        "instance_type": { "id": "t-1", "name": "SB", "cpu": "0.125", "mem": 1 },
        "created_at": "2023-05-22T10:49:05.599+02:00", "autoscaling": {}
    } });
    let (_, application) = client("get_application", json_reply(200, &body));
    let read = application.get().await.unwrap();
    assert_eq!(read.status, ResourceStatus::Unknown("hibernating".into()));
    assert_eq!(read.instance_amount, Some(2));
    let ids = [read.integration_id, read.repository_id, read.branch_id];
    let ids = ids.map(|id| id.unwrap().to_string());
    assert_eq!(ids, ["7", "123456789012345", "b-1"]);
    assert_eq!(read.instance_type.unwrap().cpu, Some(0.125));
}

#[tokio::test]
async fn deployment_id_is_compared_case_insensitively() {
    let deployment =
        |id: &str, number| json!({ "id": id, "status": "waiting", "deploy_number": number });
    // The newest deployment is not the requested one.
    let body = json!({ "deployments": [deployment("D-3", 3), deployment("d-2", 2)] });
    for (id, number) in [("d-2", 2), ("d-3", 3)] {
        let reply = json_reply(200, &body);
        let (_, application) = client("list_deployments", reply);
        let found = application.deployment(id).get().await.unwrap();
        assert_eq!(found.deploy_number, number);
    }
    let reply = json_reply(200, &body);
    let (_, application) = client("list_deployments", reply);
    let error = application.deployment("d-4").get().await.unwrap_err();
    assert_failure(&error, ErrorKind::NotFound, Effect::None);
    assert!(
        error.to_string().contains("list has no deployment d-4"),
        "{error}"
    );
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn variable_values_are_redacted() {
    let one = json!({ "id": "v-1", "env_key": "A", "env_val": "hush", "buildtime": null });
    let reply = json_reply(200, json!({ "env_variables": [one] }));
    let (_, application) = client("list_env_variables", reply);
    let all = application.env_variables().list().await.unwrap();
    assert_eq!(all.items[0].env_val.as_ref().unwrap().expose(), "hush");
    let not_serialized = serde_json::to_string(&all).unwrap_err();
    assert!(!format!("{all:?} {not_serialized}").contains("hush"));
    // The decode error for an invalid response is redacted, too.
    let reply = json!({ "env_variable": { "id": [1], "env_key": "A", "env_val": "hush" } });
    let reply = json_reply(200, &reply);
    let replay = Replay::default();
    let error = replay.call("nodion", "get_env_variable", reply).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
}

#[tokio::test]
async fn responses_without_documentation_may_have_any_body() {
    let replay = Replay::default();
    let answer = |operation, reply| replay.call("nodion", operation, reply);
    for operation in [
        "update_application",
        "scale_process",
        "create_scaling_event",
        "verify_domain",
        "connect_domain",
    ] {
        for body in ["", "{}", r#"{"updated":true}"#, "\"OK\"", "OK", "null"] {
            let read = answer(operation, CannedReply::new(200, body)).await;
            assert_eq!(read.unwrap().json, Value::Null, "{operation} {body}");
        }
    }
    for operation in ["delete_application", "delete_env_variable", "delete_domain"] {
        for status in [200, 202, 204] {
            for body in ["", "{}", r#"{"deleted":true}"#] {
                let read = answer(operation, CannedReply::new(status, body)).await;
                assert_eq!(
                    read.unwrap().json,
                    Value::Null,
                    "{operation} {status} {body}"
                );
            }
        }
        let denied = CannedReply::json(200, r#"{"deleted":false}"#);
        let error = answer(operation, denied).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Rejected, Some(200))
        );
        assert_eq!(error.effect(), Effect::Unknown);
    }
    // Documented responses are required.
    for operation in ["create_application", "create_env_variable", "create_domain"] {
        let error = answer(operation, CannedReply::json(200, "{}"))
            .await
            .unwrap_err();
        assert_failure(&error, ErrorKind::Decode, Effect::Unknown);
    }
}
