//! Rewrites of a service's variables on a control plane.

use super::missing_routes::{Server, failed_operation, failure, one_instance, page, two_secrets};
use crate::assert_failure;
use deploykit::testing::CannedReply;
use deploykit::{Effect, ErrorKind};
use serde_json::{Value, json};

#[tokio::test]
async fn rewrite_with_writes_all_variables() {
    let server = Server::new().with_a_service(json!("/health"), two_secrets(), one_instance());
    let set = server
        .env_variables()
        .rewrite_with("NEW", "n")
        .await
        .unwrap();
    assert_eq!(set.task_id.as_ref().unwrap().as_str(), "t-9");
    // The update comes after all reads.
    assert_eq!(server.requested().last(), Some(&"update_service"));
    assert_eq!(server.requested().len(), 6);
    let sent = server.sent();
    let keys = |name: &str| {
        sent[name]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys("env_vars"), ["A", "B", "NEW"]);
    assert_eq!(sent["keep_secret_keys"], json!(["S1", "S2"]));
    assert_eq!(sent["health_check"], "/health");
    assert_eq!(sent["instanceName"], "loop-node-1");
    assert_eq!(sent.as_object().unwrap().len(), 4, "{sent}");
}

#[tokio::test]
async fn rewrite_without_writes_the_other_variables() {
    let server = Server::new().with_a_service(Value::Null, json!([]), json!([]));
    let variables = server.env_variables().instance("node-2");
    variables.rewrite_without("A").await.unwrap();
    let sent = server.sent();
    assert_eq!(sent["instanceName"], "node-2");
    assert!(
        !server.requested().contains(&"list_instances"),
        "the instance was given"
    );
    assert_eq!(sent["env_vars"].as_object().unwrap().len(), 1);
    assert_eq!(
        sent.get("health_check"),
        Some(&Value::Null),
        "the service has no health check"
    );
    assert_eq!(
        sent.get("keep_secret_keys"),
        None,
        "the service has no secrets"
    );
}

#[tokio::test]
async fn a_variable_that_already_has_the_value_is_not_written() {
    let server = Server::new().with_a_service(json!("/"), json!([]), one_instance());
    let set = server
        .env_variables()
        .rewrite_with("B", "two")
        .await
        .unwrap();
    assert_eq!(set.task_id, None);
    assert_eq!(server.requested(), ["get_service_envs"]);

    let server = Server::new().with_a_service(json!("/"), json!([]), one_instance());
    let error = server
        .env_variables()
        .rewrite_without("C")
        .await
        .unwrap_err();
    assert_failure(&error, ErrorKind::NotFound, Effect::None);
    assert_eq!(server.requested(), ["get_service_envs"]);
}

#[tokio::test]
async fn the_instance_is_required_if_there_are_several() {
    let two = json!([{ "id": "i-1", "tag": "a" }, { "id": "i-2", "tag": "b" }]);
    for (instances, kind) in [
        (two, ErrorKind::InvalidRequest),
        (
            json!([{ "id": "i-2", "tag": "b", "role": "build" }]),
            ErrorKind::Unavailable,
        ),
    ] {
        let server = Server::new().with_a_service(json!("/"), json!([]), instances);
        let error = server
            .env_variables()
            .rewrite_with("A", "2")
            .await
            .unwrap_err();
        assert_failure(&error, kind, Effect::None);
        assert_eq!(failed_operation(&error), Some("update_service"));
        assert!(!server.requested().contains(&"update_service"));
    }
}

#[tokio::test]
async fn nothing_is_written_if_a_read_fails() {
    for operation in [
        "get_service_envs",
        "get_service",
        "list_deployments",
        "list_service_secrets",
        "list_instances",
    ] {
        let server = Server::new();
        // Queued before the success, so that it is sent first.
        server.reply(operation, failure(403, "permission.forbidden"));
        let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
        let error = server
            .env_variables()
            .rewrite_with("A", "2")
            .await
            .unwrap_err();
        assert_eq!(
            (failed_operation(&error), error.effect()),
            (Some(operation), Effect::None)
        );
        assert!(!server.requested().contains(&"update_service"));
    }
    let server = Server::new();
    server.reply("list_deployments", page(json!([]), 1, false));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let error = server
        .env_variables()
        .rewrite_with("A", "2")
        .await
        .unwrap_err();
    assert_failure(&error, ErrorKind::NotFound, Effect::None);
    assert!(
        !server.requested().contains(&"update_service"),
        "the health check is unknown"
    );
}

#[tokio::test]
async fn a_server_without_an_encryption_key_has_no_secrets() {
    let server = Server::new();
    server.reply("list_service_secrets", failure(503, "request.bad_request"));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    server.env_variables().rewrite_with("A", "2").await.unwrap();
    assert_eq!(server.sent().get("keep_secret_keys"), None);

    let server = Server::new();
    server.reply(
        "list_service_secrets",
        failure(503, "runtime.node_not_connected"),
    );
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let error = server
        .env_variables()
        .rewrite_with("A", "2")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn variables_that_are_saved_but_not_deployed_have_the_effect_applied() {
    let server = Server::new();
    server.reply("update_service", failure(503, "runtime.node_not_connected"));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let error = server
        .env_variables()
        .rewrite_with("A", "2")
        .await
        .unwrap_err();
    assert_failure(&error, ErrorKind::Unavailable, Effect::Applied);
    assert_eq!(failed_operation(&error), Some("update_service"));
    assert!(error.to_string().contains("is saved"), "{error}");

    // A 503 of a proxy leaves the effect unknown.
    let server = Server::new();
    server.reply("update_service", CannedReply::new(503, "<html>"));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let error = server
        .env_variables()
        .rewrite_with("A", "2")
        .await
        .unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown);
}

#[tokio::test]
async fn call_options_apply_to_every_request_and_a_preview_shows_the_first() {
    let server = Server::new().with_a_service(json!("/"), two_secrets(), one_instance());
    let variables = server.env_variables();
    let preview = variables.rewrite_with("A", "2").preview().unwrap();
    assert_eq!(preview.operation, Some("get_service_envs"));
    assert!(server.requested().is_empty());
    variables
        .rewrite_with("A", "2")
        .header("x-trace", "1")
        .query("q", "1")
        .await
        .unwrap();
    for request in server.recorder.requests() {
        assert!(
            request.headers.iter().any(|(name, _)| name == "x-trace"),
            "{request}"
        );
        assert!(
            request.query.iter().any(|(name, _)| name == "q"),
            "{request}"
        );
    }
}
