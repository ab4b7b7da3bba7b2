//! Documented calls that a server lacks: which other way is taken, and when none is.

use super::{OWN, TOKEN};
use crate::{assert_failure, json_reply};
use deploykit::dployr::{Client, ServiceEnv, Via};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, Error, ErrorKind, preview::PreviewBody};
use serde_json::{Value, json};

pub const SERVICE: &str = "01M85NWYM50C3XD23R6MCKYEYQ";

/// What the control plane says to a route that it does not have.
pub fn no_route() -> CannedReply {
    CannedReply::new(404, "404 Not Found").header("content-type", "text/plain; charset=UTF-8")
}

pub fn data(data: impl Into<Value>) -> CannedReply {
    let body = json!({ "success": true, "data": data.into() });
    json_reply(200, &body)
}

pub fn failure(status: u16, code: &str) -> CannedReply {
    let body = json!({ "success": false, "error": { "message": "no", "code": code } });
    json_reply(status, &body)
}

/// What the control plane says to every read of one deployment.
fn misread() -> CannedReply {
    let body = json!({ "error": "Insufficient permissions. Viewer role is required", "code": "permission.viewer_role_required" });
    json_reply(403, &body)
}

pub fn page(items: Value, page: u32, more: bool) -> CannedReply {
    data(json!({ "items": items, "pagination": { "page": page, "hasNextPage": more } }))
}

pub struct Server {
    pub recorder: Recorder,
    pub client: Client,
}

impl Server {
    pub fn new() -> Self {
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

    pub fn env(&self) -> ServiceEnv {
        self.client.service(SERVICE).env()
    }

    pub fn reply(&self, operation: &str, reply: CannedReply) -> &Self {
        self.recorder.reply(operation, reply);
        self
    }

    pub fn asked(&self) -> Vec<&'static str> {
        let requests = self.recorder.requests().into_iter();
        requests.filter_map(|request| request.operation).collect()
    }

    /// What reads what a variable's change has to send.
    pub fn with_a_service(self, health_check: Value, secrets: Value, instances: Value) -> Self {
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
    pub fn sent(&self) -> Value {
        match self.recorder.requests().pop().unwrap().body {
            PreviewBody::Json(body) => body,
            other => panic!("{other:?}"),
        }
    }
}

pub fn one_instance() -> Value {
    json!([{ "id": "i-1", "tag": "loop-node-1", "role": "instance" }, { "id": "i-2", "tag": "builder", "role": "build" }])
}

pub fn two_secrets() -> Value {
    json!([{ "key": "S1" }, { "key": "S1", "serviceId": SERVICE }, { "key": "S2" }])
}

pub fn at(error: &Error) -> Option<&'static str> {
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
    assert_failure(&error, ErrorKind::Forbidden, Effect::Applied);
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
        assert_failure(&error, ErrorKind::NoSuchRoute, Effect::None);
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
