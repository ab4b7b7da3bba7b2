//! Documented calls that a server lacks: which other way is taken, and when none is.

use super::{OWN, TOKEN};
use deploykit::dployr::{Client, Via};
use deploykit::testing::{CannedReply, PreviewBody, Recorder};
use deploykit::{Effect, Error, ErrorKind};
use serde_json::{Value, json};

const SERVICE: &str = "01M85NWYM50C3XD23R6MCKYEYQ";

/// What the control plane says to a route that it does not have.
fn no_route() -> CannedReply {
    CannedReply::new(404, "404 Not Found").header("content-type", "text/plain; charset=UTF-8")
}

fn data(data: impl Into<Value>) -> CannedReply {
    let body = json!({ "success": true, "data": data.into() });
    CannedReply::json(200, body.to_string())
}

fn failure(status: u16, code: &str) -> CannedReply {
    let body = json!({ "success": false, "error": { "message": "no", "code": code } });
    CannedReply::json(status, body.to_string())
}

/// What the control plane says to every read of one deployment.
fn misread() -> CannedReply {
    let body = json!({ "error": "Insufficient permissions. Viewer role is required", "code": "permission.viewer_role_required" });
    CannedReply::json(403, body.to_string())
}

fn page(items: Value, page: u32, more: bool) -> CannedReply {
    data(json!({ "items": items, "pagination": { "page": page, "hasNextPage": more } }))
}

struct Server {
    recorder: Recorder,
    client: Client,
}

impl Server {
    fn new() -> Self {
        Self::with(Some(OWN), true)
    }

    fn with(cluster: Option<&str>, fallbacks: bool) -> Self {
        let recorder = Recorder::new();
        let builder = Client::builder().base_url("https://dployr.example");
        let mut builder = builder.token(TOKEN).recorder(&recorder);
        if let Some(cluster) = cluster {
            builder = builder.cluster(cluster);
        }
        if !fallbacks {
            builder = builder.without_fallbacks();
        }
        let client = builder.build().unwrap();
        Self { recorder, client }
    }

    fn reply(&self, operation: &str, reply: CannedReply) -> &Self {
        self.recorder.reply(operation, reply);
        self
    }

    fn asked(&self) -> Vec<&'static str> {
        let requests = self.recorder.requests().into_iter();
        requests.filter_map(|request| request.operation).collect()
    }

    /// What reads what a variable's change has to send.
    fn with_a_service(self, health_check: Value, secrets: Value, instances: Value) -> Self {
        let service = json!({ "service": { "id": SERVICE, "name": "web", "clusterId": OWN, "deploymentId": "d-2" } });
        let deployments = json!([
            { "id": "d-1", "name": "other", "healthCheck": "/other" },
            { "id": "d-2", "name": "web", "healthCheck": health_check },
        ]);
        self.reply("set_service_env", no_route())
            .reply("delete_service_env", no_route())
            .reply("get_service_envs", data(json!({ "envs": { "A": "1", "B": "two" } })))
            .reply("get_service", data(service))
            .reply("list_deployments", page(deployments, 1, false))
            .reply("list_service_secrets", data(json!({ "secrets": secrets })))
            .reply("list_instances", page(instances, 1, false))
            .reply("update_service", data(json!({ "service": { "id": SERVICE, "name": "web" }, "deployment": { "id": "d-2", "name": "web" }, "taskId": "t-9" })));
        self
    }

    /// The body of the last request, whose values are hidden.
    fn sent(&self) -> Value {
        match self.recorder.requests().pop().unwrap().body {
            PreviewBody::Json(body) => body,
            other => panic!("{other:?}"),
        }
    }
}

fn one_instance() -> Value {
    json!([{ "id": "i-1", "tag": "loop-node-1", "role": "instance" }, { "id": "i-2", "tag": "builder", "role": "build" }])
}

fn two_secrets() -> Value {
    json!([{ "key": "S1" }, { "key": "S1", "serviceId": SERVICE }, { "key": "S2" }])
}

fn at(error: &Error) -> Option<&'static str> {
    error.operation().map(|operation| operation.id)
}

#[tokio::test]
async fn a_restart_is_a_stop_and_a_start() {
    let server = Server::new();
    server
        .reply("restart_service", no_route())
        .reply("stop_service", data(json!({ "taskId": "t-stop" })))
        .reply("start_service", data(json!({ "taskId": "t-start" })));
    let restart = server.client.service(SERVICE).restart();
    let restarted = restart.with_response().await.unwrap();
    assert_eq!(restarted.attempts, 3, "all of them count");
    let restarted = restarted.value;
    assert_eq!(restarted.via, Via::StopAndStart);
    assert!(restarted.via.is_fallback());
    assert_eq!(restarted.task_id.as_ref().unwrap().as_str(), "t-start");
    assert_eq!(
        server.asked(),
        ["restart_service", "stop_service", "start_service"]
    );

    let documented = Server::new();
    documented.reply("restart_service", data(json!({ "taskId": "t" })));
    let restarted = documented.client.service(SERVICE).restart().await.unwrap();
    assert_eq!(
        (restarted.via, restarted.via.is_fallback()),
        (Via::Documented, false)
    );
    assert_eq!(documented.asked(), ["restart_service"]);
}

#[tokio::test]
async fn a_start_that_fails_says_that_the_stop_was_done() {
    let server = Server::new();
    server
        .reply("restart_service", no_route())
        .reply("stop_service", data(json!({ "taskId": "t-stop" })))
        .reply(
            "start_service",
            failure(403, "permission.developer_role_required"),
        );
    let error = server.client.service(SERVICE).restart().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::Forbidden, Effect::Applied)
    );
    assert_eq!(at(&error), Some("start_service"));
    assert!(error.to_string().contains("told to stop"), "{error}");
    assert!(!error.is_retryable(), "nobody repeats half of it");

    let server = Server::new();
    server.reply("restart_service", no_route()).reply(
        "stop_service",
        failure(403, "permission.developer_role_required"),
    );
    let error = server.client.service(SERVICE).restart().await.unwrap_err();
    assert_eq!(
        (at(&error), error.effect()),
        (Some("stop_service"), Effect::None)
    );
}

#[tokio::test]
async fn nothing_else_is_taken_for_a_missing_route() {
    let html = CannedReply::new(404, "<h1>Not Found</h1>").header("content-type", "text/html");
    let bare = CannedReply::new(404, "");
    let untyped = CannedReply::new(404, "404 Not Found");
    let replies = [
        (html, ErrorKind::NoSuchRoute),
        (untyped, ErrorKind::NoSuchRoute),
        (bare, ErrorKind::NotFound),
        (
            failure(404, "resource.missing_resource"),
            ErrorKind::NotFound,
        ),
        (
            failure(405, "request.method_not_allowed"),
            ErrorKind::NoSuchRoute,
        ),
        (misread(), ErrorKind::Forbidden),
        (failure(401, "auth.bad_session"), ErrorKind::Unauthenticated),
    ];
    for (reply, kind) in replies {
        let server = Server::new();
        let service = server.client.service(SERVICE);
        for operation in ["restart_service", "set_service_env", "delete_service_env"] {
            server.reply(operation, reply.clone());
        }
        assert_eq!(
            service.restart().await.unwrap_err().kind(),
            kind,
            "{reply:?}"
        );
        assert_eq!(
            service.env().set("A", "2").await.unwrap_err().kind(),
            kind,
            "{reply:?}"
        );
        assert_eq!(
            service.env().remove("A").await.unwrap_err().kind(),
            kind,
            "{reply:?}"
        );
        let asked = ["restart_service", "set_service_env", "delete_service_env"];
        assert_eq!(server.asked(), asked, "{reply:?}");
        // A 403 in other words is one, too.
        if kind != ErrorKind::Forbidden {
            server.reply("get_deployment", reply.clone());
            let error = server.client.deployment("d").get().await.unwrap_err();
            assert_eq!((error.kind(), server.asked().len()), (kind, 4), "{reply:?}");
        }
    }
    let server = Server::new();
    server.reply("get_deployment", failure(403, "permission.forbidden"));
    let error = server.client.deployment("d").get().await.unwrap_err();
    assert_eq!(
        (error.kind(), server.asked().len()),
        (ErrorKind::Forbidden, 1)
    );
}

#[tokio::test]
async fn fallbacks_can_be_refused() {
    let server = Server::with(Some(OWN), false);
    let operations = ["restart_service", "set_service_env", "delete_service_env"];
    for operation in operations {
        server.reply(operation, no_route());
    }
    server.reply("get_deployment", misread());
    let service = server.client.service(SERVICE);
    for error in [
        service.restart().await.unwrap_err(),
        service.env().set("A", "2").await.unwrap_err(),
        service.env().remove("A").await.unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::NoSuchRoute, Effect::None)
        );
    }
    let error = server.client.deployment("d").get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_deployment_is_found_in_the_list_by_id_and_by_name() {
    for (wanted, pages) in [("d-1", 1), ("web", 1), ("d-3", 2), ("late", 2)] {
        for refusal in [misread(), no_route()] {
            let server = Server::new();
            let first = json!([{ "id": "d-1", "name": "web" }, { "id": "d-2", "name": "job" }]);
            server
                .reply("get_deployment", refusal)
                .reply("list_deployments", page(first, 1, true))
                .reply(
                    "list_deployments",
                    page(json!([{ "id": "d-3", "name": "late" }]), 2, false),
                );
            let found = server.client.deployment(wanted).get().await.unwrap();
            assert!(found.id == wanted || found.name == wanted, "{found:?}");
            assert_eq!(found.via, Via::Listing);
            let requests = server.recorder.requests();
            assert_eq!(requests.len(), 1 + pages);
            let query = |name: &str| {
                let query = &requests.last().unwrap().query;
                let found = query.iter().find(|(key, _)| key == name);
                found.map(|(_, value)| value.clone())
            };
            assert_eq!(query("page"), Some(pages.to_string()));
            assert_eq!(query("pageSize").as_deref(), Some("100"));
            assert_eq!(query("clusterId").as_deref(), Some(OWN));
        }
    }
}

#[tokio::test]
async fn a_task_that_deployed_anew_is_no_deployment() {
    let server = Server::new();
    server.reply("get_deployment", misread()).reply(
        "list_deployments",
        page(json!([{ "id": "d-1", "name": "web" }]), 1, false),
    );
    let error = server.client.deployment("t-9").get().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::NotFound, Effect::None)
    );
    assert_eq!(at(&error), Some("get_deployment"));
}

#[tokio::test]
async fn a_list_that_never_ends_ends_in_an_error() {
    let server = Server::new();
    server.reply("get_deployment", misread());
    let again = page(json!([{ "id": "d-1", "name": "web" }]), 1, true);
    server.recorder.answer_with(move |_| again.clone());
    let error = server.client.deployment("d-9").get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(server.asked().len() < 5, "{:?}", server.asked());
}

#[tokio::test]
async fn without_a_cluster_the_refusal_stays() {
    let server = Server::with(None, true);
    server.reply("get_deployment", misread());
    let error = server.client.deployment("d").get().await.unwrap_err();
    assert_eq!(
        (error.kind(), server.asked().len()),
        (ErrorKind::Forbidden, 1)
    );
}

#[tokio::test]
async fn a_variable_is_set_by_writing_all_of_them() {
    let server = Server::new().with_a_service(json!("/health"), two_secrets(), one_instance());
    let set = server
        .client
        .service(SERVICE)
        .env()
        .set("NEW", "n")
        .await
        .unwrap();
    assert_eq!(set.via, Via::Rewrite);
    assert_eq!(set.task_id.as_ref().unwrap().as_str(), "t-9");
    // Nothing is written before everything is read.
    assert_eq!(server.asked().last(), Some(&"update_service"));
    assert_eq!(server.asked().len(), 7);
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
async fn a_variable_is_removed_by_writing_the_others() {
    let server = Server::new().with_a_service(Value::Null, json!([]), json!([]));
    let env = server.client.service(SERVICE).env().instance("node-2");
    let removed = env.remove("A").await.unwrap();
    assert_eq!(removed.via, Via::Rewrite);
    let sent = server.sent();
    assert_eq!(sent["instanceName"], "node-2");
    assert!(!server.asked().contains(&"list_instances"), "it was named");
    assert_eq!(sent["env_vars"].as_object().unwrap().len(), 1);
    assert_eq!(
        sent.get("health_check"),
        Some(&Value::Null),
        "there is none"
    );
    assert_eq!(sent.get("keep_secret_keys"), None, "there are none");
}

#[tokio::test]
async fn what_is_so_already_is_not_written() {
    let server = Server::new().with_a_service(json!("/"), json!([]), one_instance());
    let set = server
        .client
        .service(SERVICE)
        .env()
        .set("B", "two")
        .await
        .unwrap();
    assert_eq!((set.via, &set.task_id), (Via::Rewrite, &None));
    assert_eq!(server.asked(), ["set_service_env", "get_service_envs"]);

    let server = Server::new().with_a_service(json!("/"), json!([]), one_instance());
    let error = server
        .client
        .service(SERVICE)
        .env()
        .remove("C")
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::NotFound, Effect::None)
    );
    assert_eq!(server.asked(), ["delete_service_env", "get_service_envs"]);
}

#[tokio::test]
async fn an_instance_is_not_guessed() {
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
            .client
            .service(SERVICE)
            .env()
            .set("A", "2")
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.effect()), (kind, Effect::None));
        assert!(!server.asked().contains(&"update_service"));
    }
}

#[tokio::test]
async fn nothing_is_written_if_something_cannot_be_read() {
    for operation in [
        "get_service_envs",
        "get_service",
        "list_deployments",
        "list_service_secrets",
        "list_instances",
    ] {
        let server = Server::new();
        // Queued before the good ones.
        server.reply(operation, failure(403, "permission.forbidden"));
        let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
        let error = server
            .client
            .service(SERVICE)
            .env()
            .set("A", "2")
            .await
            .unwrap_err();
        assert_eq!(
            (at(&error), error.effect()),
            (Some(operation), Effect::None)
        );
        assert!(!server.asked().contains(&"update_service"));
    }
    let server = Server::new();
    server.reply("list_deployments", page(json!([]), 1, false));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let error = server
        .client
        .service(SERVICE)
        .env()
        .set("A", "2")
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::NotFound, Effect::None)
    );
    assert!(
        !server.asked().contains(&"update_service"),
        "the health check is not known"
    );
}

#[tokio::test]
async fn a_server_without_a_key_has_no_secrets_to_lose() {
    let server = Server::new();
    server.reply("list_service_secrets", failure(503, "request.bad_request"));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    server
        .client
        .service(SERVICE)
        .env()
        .set("A", "2")
        .await
        .unwrap();
    assert_eq!(server.sent().get("keep_secret_keys"), None);

    let server = Server::new();
    server.reply(
        "list_service_secrets",
        failure(503, "runtime.node_not_connected"),
    );
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let error = server
        .client
        .service(SERVICE)
        .env()
        .set("A", "2")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn variables_that_are_saved_and_not_deployed_are_applied() {
    let server = Server::new();
    server.reply("update_service", failure(503, "runtime.node_not_connected"));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let error = server
        .client
        .service(SERVICE)
        .env()
        .set("A", "2")
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::Unavailable, Effect::Applied)
    );
    assert_eq!(at(&error), Some("update_service"));
    assert!(error.to_string().contains("is saved"), "{error}");

    // Of a 503 from something in between nobody can tell.
    let server = Server::new();
    server.reply("update_service", CannedReply::new(503, "<html>"));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let error = server
        .client
        .service(SERVICE)
        .env()
        .set("A", "2")
        .await
        .unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown);
}

#[tokio::test]
async fn options_hold_for_every_request_and_a_preview_is_the_documented_one() {
    let server = Server::new().with_a_service(json!("/"), two_secrets(), one_instance());
    let env = server.client.service(SERVICE).env();
    let preview = env.set("A", "2").preview().unwrap();
    assert_eq!(preview.operation, Some("set_service_env"));
    assert!(server.asked().is_empty());
    env.set("A", "2")
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

#[tokio::test]
async fn a_value_is_nowhere_to_be_seen() {
    let server = Server::new();
    server.reply("update_service", failure(400, "request.bad_request"));
    let server = server.with_a_service(json!("/"), two_secrets(), one_instance());
    let call = server.client.service(SERVICE).env().set("A", "hush");
    assert!(!format!("{call:?}").contains("hush"));
    let error = call.await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hush"), "{error:?}");
    for request in server.recorder.requests() {
        assert!(
            !format!("{request:?} {request}").contains("hush"),
            "{request}"
        );
        assert!(
            !format!("{request:?} {request}").contains("two"),
            "{request}"
        );
    }
}
