//! Replies about applications and what belongs to them.

use super::examples;
use deploykit::nodion::{
    ApplicationHandle, Branch, Client, EnvVariableUpdate, LogWindow, NewApplication,
    NewEnvVariable, ResourceStatus, Scaling,
};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind, Result};
use serde_json::{Value, json};

fn client(operation: &str, reply: CannedReply) -> (Client, ApplicationHandle) {
    let recorder = Recorder::new();
    recorder.reply(operation, reply);
    let client = Client::builder().token("secret").recorder(&recorder);
    let client = client.build().unwrap();
    let application = client.application("a-1");
    (client, application)
}

/// What an operation makes of a reply, written as JSON again.
async fn answer(operation: &str, reply: CannedReply) -> Result<Value> {
    let (client, application) = client(operation, reply);
    let branch = Branch::new("i", "r", "b");
    macro_rules! run {
        ($call:expr) => {
            $call.await.map(|value| json!(value))
        };
    }
    macro_rules! list {
        ($call:expr) => {
            $call.await.map(|page| json!(page.items))
        };
    }
    match operation {
        "list_deployments" => list!(application.deployments()),
        "create_deployment" => run!(application.deploy()),
        "list_applications" => list!(client.applications().list()),
        "create_application" => {
            let new = NewApplication::from_git("a", "r", "t", branch);
            run!(client.applications().create(new))
        }
        "get_application" => run!(application.get()),
        "update_application" => run!(application.set_branch(branch)),
        "delete_application" => run!(application.delete()),
        "list_instances" => list!(application.instances()),
        "list_processes" => list!(application.processes()),
        "scale_process" => run!(application.process("p").scale(1)),
        "list_scaling_events" => list!(application.scaling_events()),
        "create_scaling_event" => run!(application.scale(Scaling::to(1, "t"))),
        "list_logs" => run!(application.logs(LogWindow::new())),
        "list_env_variables" => list!(application.env().list()),
        "create_env_variable" => run!(application.env().add(NewEnvVariable::new("A", "b"))),
        "get_env_variable" => run!(application.env_variable("v").get()),
        "update_env_variable" => {
            let update = EnvVariableUpdate::new().value("b");
            run!(application.env_variable("v").update(update))
        }
        "delete_env_variable" => run!(application.env_variable("v").delete()),
        "list_domains" => list!(application.domains().list()),
        "create_domain" => run!(application.domains().add("a.example")),
        "verify_domain" => run!(application.domain("d").verify()),
        "connect_domain" => run!(application.domain("d").connect()),
        "delete_domain" => run!(application.domain("d").delete()),
        "list_regions" => list!(client.regions()),
        "list_instance_types" => list!(client.instance_types()),
        other => panic!("{other} is not tested"),
    }
}

/// Every field that was sent is there.
fn holds(read: &Value, sent: &Value, at: &str) {
    match sent {
        Value::Object(map) => {
            for (key, sent) in map {
                let read = read.get(key).unwrap_or(&Value::Null);
                if key == "env_val" {
                    assert_eq!(read, "<redacted>", "{at}");
                } else if key.ends_with("_email") {
                    // Who made it is a person, whose address is not written out.
                    assert_eq!(read, "<personal>", "{at}");
                } else {
                    holds(read, sent, &format!("{at}.{key}"));
                }
            }
        }
        Value::Array(sent) if sent.is_empty() => {
            let none = read.as_array().is_none_or(Vec::is_empty);
            assert!(none, "{at}: {read}");
        }
        Value::Array(sent) => {
            let read = read.as_array().unwrap_or_else(|| panic!("{at}: {read}"));
            assert_eq!(read.len(), sent.len(), "{at}");
            for (read, sent) in read.iter().zip(sent) {
                holds(read, sent, at);
            }
        }
        Value::Number(_) => assert_eq!(read.as_f64(), sent.as_f64(), "{at}"),
        scalar => assert_eq!(read, scalar, "{at}"),
    }
}

#[tokio::test]
async fn every_example_of_the_spec() {
    let mut read = 0;
    for example in examples("nodion") {
        let (operation, status) = (&example.operation, example.status);
        let at = format!("{operation} {status} {:?}", example.name);
        let result = answer(operation, example.reply()).await;
        if status == 200 {
            let value = result.unwrap_or_else(|error| panic!("{at}: {error}"));
            let envelope = example.value.as_object().unwrap();
            assert_eq!(envelope.len(), 1, "{at}");
            match envelope.values().next() {
                Some(Value::Bool(true)) => assert_eq!(value, Value::Null, "{at}"),
                Some(sent) => holds(&value, sent, &at),
                None => panic!("{at}: an empty example"),
            }
            read += 1;
        } else {
            let error = result.expect_err(&at);
            assert_eq!(error.status(), Some(status), "{at}");
            assert!(
                error.message().is_some_and(|words| !words.is_empty()),
                "{at}: {error}"
            );
        }
    }
    assert!(read >= 27, "{read}");
}

#[tokio::test]
async fn an_application_with_what_pages_do_not_show() {
    let body = json!({ "application": {
        "id": "a-1", "status": "hibernating", "name": "My App", "state": null, "workers": null, "region": null,
        "instance_amount": "2", "integration_id": 7, "repository_id": 123_456_789_012_345_u64, "branch_id": "b-1",
        "instance_type": { "id": "t-1", "name": "SB", "cpu": "0.125", "mem": 1 },
        "created_at": "2023-05-22T10:49:05.599+02:00", "autoscaling": {}
    } });
    let (_, application) = client("get_application", CannedReply::json(200, body.to_string()));
    let read = application.get().await.unwrap();
    assert_eq!(read.status, ResourceStatus::Unknown("hibernating".into()));
    assert_eq!(read.instance_amount, Some(2));
    let ids = [read.integration_id, read.repository_id, read.branch_id];
    let ids = ids.map(|id| id.unwrap().to_string());
    assert_eq!(ids, ["7", "123456789012345", "b-1"]);
    assert_eq!(read.instance_type.unwrap().cpu, Some(0.125));
}

#[tokio::test]
async fn a_deployment_is_found_by_its_id() {
    let deployment =
        |id: &str, number| json!({ "id": id, "status": "waiting", "deploy_number": number });
    // The newer one was started by somebody else.
    let body = json!({ "deployments": [deployment("D-3", 3), deployment("d-2", 2)] });
    for (id, number) in [("d-2", 2), ("d-3", 3)] {
        let reply = CannedReply::json(200, body.to_string());
        let (_, application) = client("list_deployments", reply);
        let found = application.deployment(id).get().await.unwrap();
        assert_eq!(found.deploy_number, number);
    }
    let reply = CannedReply::json(200, body.to_string());
    let (_, application) = client("list_deployments", reply);
    let error = application.deployment("d-4").get().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::NotFound, Effect::None)
    );
    assert!(
        error.to_string().contains("no deployment d-4 in its list"),
        "{error}"
    );
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn values_of_variables_are_not_shown() {
    let one = json!({ "id": "v-1", "env_key": "A", "env_val": "hush", "buildtime": null });
    let reply = CannedReply::json(200, json!({ "env_variables": [one] }).to_string());
    let (_, application) = client("list_env_variables", reply);
    let all = application.env().list().await.unwrap();
    assert_eq!(all.items[0].env_val.as_ref().unwrap().expose(), "hush");
    assert!(!format!("{all:?} {}", json!(all)).contains("hush"));
    // And not in a reply that does not fit.
    let reply = json!({ "env_variable": { "id": 1, "env_key": "A", "env_val": "hush" } });
    let reply = CannedReply::json(200, reply.to_string());
    let error = answer("get_env_variable", reply).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
}

#[tokio::test]
async fn a_reply_that_nobody_described() {
    for operation in [
        "update_application",
        "scale_process",
        "create_scaling_event",
        "verify_domain",
        "connect_domain",
    ] {
        for body in ["", "{}", r#"{"updated":true}"#, "\"OK\"", "OK", "null"] {
            let read = answer(operation, CannedReply::new(200, body)).await;
            assert_eq!(read.unwrap(), Value::Null, "{operation} {body}");
        }
    }
    for operation in ["delete_application", "delete_env_variable", "delete_domain"] {
        for status in [200, 202, 204] {
            for body in ["", "{}", r#"{"deleted":true}"#] {
                let read = answer(operation, CannedReply::new(status, body)).await;
                assert_eq!(read.unwrap(), Value::Null, "{operation} {status} {body}");
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
    // What the pages do describe has to be there.
    for operation in ["create_application", "create_env_variable", "create_domain"] {
        let error = answer(operation, CannedReply::json(200, "{}"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Decode, Effect::Unknown)
        );
    }
}

#[tokio::test]
async fn failures() {
    for (status, body, kind, message) in [
        (
            400,
            r#"{"errors":["Name can't be blank"]}"#,
            ErrorKind::Rejected,
            Some("Name can't be blank"),
        ),
        (401, "", ErrorKind::Unauthenticated, None),
        (403, "", ErrorKind::Forbidden, None),
        (
            404,
            r#"{"status":404,"error":"Not Found"}"#,
            ErrorKind::NotFound,
            Some("Not Found"),
        ),
        (502, "<html></html>", ErrorKind::Unavailable, None),
    ] {
        for operation in deploykit::OPERATIONS
            .iter()
            .filter(|one| one.api == "nodion")
        {
            let error = answer(operation.id, CannedReply::new(status, body))
                .await
                .unwrap_err();
            assert_eq!(
                (error.kind(), error.message()),
                (kind, message),
                "{operation} {status}"
            );
            assert_eq!(error.operation().map(|found| found.id), Some(operation.id));
        }
    }
}
