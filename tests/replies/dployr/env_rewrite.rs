//! Rewrites of a service's variables on a control plane.

use super::missing_routes::{Server, failed_operation, failure};
use crate::assert_failure;
use deploykit::dployr::ServiceUpdate;
use deploykit::testing::CannedReply;
use deploykit::{Effect, ErrorKind};
use serde_json::json;

/// An update that states everything that the server may lose.
fn update() -> ServiceUpdate {
    ServiceUpdate::new("loop-node-1")
        .health_check("/health")
        .domain("a.example")
        .replace_secrets([("S1", "hush")], [])
}

#[tokio::test]
async fn rewrite_with_writes_all_variables_and_the_settings_of_the_update() {
    let server = Server::new().with_a_service();
    let variables = server.env_variables();
    let set = variables.rewrite_with("NEW", "n", update()).await.unwrap();
    assert_eq!(set.task_id.as_ref().unwrap().as_str(), "t-9");
    assert_eq!(server.requested(), ["get_service_envs", "update_service"]);
    let sent = server.sent();
    let keys = |name: &str| {
        let map = sent[name].as_object().unwrap();
        map.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys("env_vars"), ["A", "B", "NEW"]);
    assert_eq!(keys("secrets"), ["S1"]);
    assert_eq!(sent["keep_secret_keys"], json!([]));
    assert_eq!(sent["health_check"], "/health");
    assert_eq!(sent["domain"], "a.example");
    assert_eq!(sent["instanceName"], "loop-node-1");
    assert_eq!(sent.as_object().unwrap().len(), 6, "{sent}");
}

#[tokio::test]
async fn rewrite_without_writes_the_other_variables() {
    let server = Server::new().with_a_service();
    let variables = server.env_variables();
    variables.rewrite_without("A", update()).await.unwrap();
    let sent = server.sent();
    assert_eq!(sent["env_vars"].as_object().unwrap().len(), 1);

    let server = Server::new().with_a_service();
    let variables = server.env_variables();
    let error = variables.rewrite_without("C", update()).await.unwrap_err();
    assert_failure(&error, ErrorKind::NotFound, Effect::None);
    assert_eq!(server.requested(), ["get_service_envs"]);
}

#[tokio::test]
async fn a_rewrite_that_may_lose_settings_sends_nothing() {
    let server = Server::new().with_a_service();
    let variables = server.env_variables();
    let incomplete = || ServiceUpdate::new("loop-node-1").health_check("/health");
    for call in [
        variables.rewrite_with("NEW", "n", incomplete()),
        variables.rewrite_without("A", incomplete()),
    ] {
        let error = call.await.unwrap_err();
        assert_failure(&error, ErrorKind::InvalidRequest, Effect::None);
        assert_eq!(failed_operation(&error), Some("update_service"));
        assert!(error.to_string().contains("replace_secrets(..)"), "{error}");
    }
    assert!(server.requested().is_empty());
    let allowed = incomplete().allow_loss();
    variables.rewrite_with("NEW", "n", allowed).await.unwrap();
    let sent = server.sent();
    assert_eq!((sent.get("secrets"), sent.get("domain")), (None, None));
}

#[tokio::test]
async fn nothing_is_written_if_the_read_fails() {
    let server = Server::new();
    // Queued before the success, so that it is sent first.
    server.reply("get_service_envs", failure(403, "permission.forbidden"));
    let server = server.with_a_service();
    let variables = server.env_variables();
    let error = variables
        .rewrite_with("A", "2", update())
        .await
        .unwrap_err();
    assert_failure(&error, ErrorKind::Forbidden, Effect::None);
    assert_eq!(failed_operation(&error), Some("get_service_envs"));
    assert_eq!(server.requested(), ["get_service_envs"]);
}

#[tokio::test]
async fn variables_that_are_saved_but_not_deployed_have_the_effect_applied() {
    let server = Server::new();
    server.reply("update_service", failure(503, "runtime.node_not_connected"));
    let server = server.with_a_service();
    let variables = server.env_variables();
    let error = variables
        .rewrite_with("A", "2", update())
        .await
        .unwrap_err();
    assert_failure(&error, ErrorKind::Unavailable, Effect::Applied);
    assert_eq!(failed_operation(&error), Some("update_service"));
    assert!(error.to_string().contains("is saved"), "{error}");

    // A 503 of a proxy leaves the effect unknown.
    let server = Server::new();
    server.reply("update_service", CannedReply::new(503, "<html>"));
    let server = server.with_a_service();
    let variables = server.env_variables();
    let error = variables
        .rewrite_with("A", "2", update())
        .await
        .unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown);
}

#[tokio::test]
async fn call_options_apply_to_every_request_and_a_preview_shows_the_first() {
    let server = Server::new().with_a_service();
    let variables = server.env_variables();
    let rewrite = || variables.rewrite_with("A", "2", update());
    let preview = rewrite().preview().unwrap();
    assert_eq!(preview.operation, Some("get_service_envs"));
    assert!(server.requested().is_empty());
    rewrite()
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
