//! Documented routes that a server lacks, and the methods to use instead.

use super::{OWN, TOKEN};
use crate::{assert_failure, json_reply};
use deploykit::dployr::{Client, EnvVariables, NewDeployment};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, Error, ErrorKind, preview::PreviewBody};
use serde_json::{Value, json};

pub const SERVICE: &str = "01M85NWYM50C3XD23R6MCKYEYQ";

/// The control plane's reply to a route that it lacks.
fn route_not_found() -> CannedReply {
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

/// The control plane's reply to every read of one deployment.
fn viewer_role_required() -> CannedReply {
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
        let recorder = Recorder::new();
        let builder = Client::builder().base_url("https://dployr.example");
        let builder = builder.token(TOKEN).cluster(OWN).recorder(&recorder);
        let client = builder.build().unwrap();
        Self { recorder, client }
    }

    pub fn env_variables(&self) -> EnvVariables {
        self.client.service(SERVICE).env_variables()
    }

    pub fn reply(&self, operation: &str, reply: CannedReply) -> &Self {
        self.recorder.reply(operation, reply);
        self
    }

    /// The operations of all requests.
    pub fn requested(&self) -> Vec<&'static str> {
        let requests = self.recorder.requests().into_iter();
        requests.filter_map(|request| request.operation).collect()
    }

    /// Queues the replies to the read and the update of a rewrite.
    pub fn with_a_service(self) -> Self {
        self.reply("get_service_envs", data(json!({ "envs": { "A": "1", "B": "two" } })))
            .reply("update_service", data(json!({ "service": { "id": SERVICE, "name": "web" }, "deployment": { "id": "d-2", "name": "web" }, "taskId": "t-9" })));
        self
    }

    /// The body of the last request, with redacted values.
    pub fn sent(&self) -> Value {
        match self.recorder.requests().pop().unwrap().body {
            PreviewBody::Json(body) => body,
            other => panic!("{other:?}"),
        }
    }
}

/// The operation of the request that failed.
pub fn failed_operation(error: &Error) -> Option<&'static str> {
    error.operation().map(|operation| operation.id)
}

/// The client sends one request, and its error names the method to use instead.
#[tokio::test]
async fn a_missing_route_names_the_method_to_use_instead() {
    let server = Server::new();
    server.recorder.answer_with(|_| route_not_found());
    let service = server.client.service(SERVICE);
    let variable = service.env_variable("A");
    let deployment = server.client.deployment("d");
    for (operation, error, advice) in [
        (
            "restart_service",
            service.restart().await.unwrap_err(),
            "restart_by_stop_and_start()",
        ),
        (
            "list_service_env",
            service.env_variables().list().await.unwrap_err(),
            "env_variables().get_map()",
        ),
        (
            "set_service_env",
            variable.set("2").await.unwrap_err(),
            "env_variables().rewrite_with(key, value, update)",
        ),
        (
            "delete_service_env",
            variable.delete().await.unwrap_err(),
            "env_variables().rewrite_without(key, update)",
        ),
        (
            "get_deployment",
            deployment.get().await.unwrap_err(),
            "deployments().find(id)",
        ),
    ] {
        assert_failure(&error, ErrorKind::NoSuchRoute, Effect::None);
        assert_eq!(failed_operation(&error), Some(operation));
        assert_eq!(error.attempts(), 1);
        assert!(error.to_string().contains(advice), "{error}");
    }
    assert_eq!(server.requested().len(), 5, "{:?}", server.requested());
}

#[tokio::test]
async fn the_refusal_to_read_a_deployment_names_find() {
    let server = Server::new();
    server.reply("get_deployment", viewer_role_required());
    let error = server.client.deployment("d").get().await.unwrap_err();
    assert_failure(&error, ErrorKind::Forbidden, Effect::None);
    assert!(error.to_string().contains("deployments().find(id)"));
    assert_eq!(server.requested(), ["get_deployment"]);
}

#[tokio::test]
async fn restart_is_one_request() {
    let server = Server::new();
    server.reply("restart_service", data(json!({ "taskId": "t" })));
    let task = server.client.service(SERVICE).restart().await.unwrap();
    assert_eq!(task.task_id.unwrap().as_str(), "t");
    assert_eq!(server.requested(), ["restart_service"]);
}

#[tokio::test]
async fn restart_by_stop_and_start_returns_the_task_of_the_start() {
    let server = Server::new();
    server
        .reply("stop_service", data(json!({ "taskId": "t-stop" })))
        .reply("start_service", data(json!({ "taskId": "t-start" })));
    let restart = server.client.service(SERVICE).restart_by_stop_and_start();
    let restarted = restart.with_response().await.unwrap();
    assert_eq!(restarted.attempts, 1, "the attempts of the last request");
    assert_eq!(restarted.value.task_id.unwrap().as_str(), "t-start");
    assert_eq!(server.requested(), ["stop_service", "start_service"]);
}

/// Attempts are those of one request: a call of several requests does not add them up.
#[tokio::test(start_paused = true)]
async fn an_error_has_the_attempts_of_its_own_request() {
    let server = Server::new();
    let unavailable = || failure(503, "runtime.internal_server_error");
    for _ in 0..2 {
        server.reply("list_deployments", unavailable());
    }
    server
        .reply(
            "list_deployments",
            page(json!([{ "id": "d-1", "name": "a" }]), 1, true),
        )
        .reply("list_deployments", failure(403, "permission.forbidden"));
    let find = server.client.deployments().find("d-9");
    let error = find.retry(deploykit::Retry::default()).await.unwrap_err();
    assert_failure(&error, ErrorKind::Forbidden, Effect::None);
    assert_eq!(error.attempts(), 1, "{error}");
    assert_eq!(server.requested().len(), 4);
}

#[tokio::test]
async fn a_start_that_fails_after_the_stop_has_the_effect_applied() {
    let forbidden = || failure(403, "permission.developer_role_required");
    let server = Server::new();
    server
        .reply("stop_service", data(json!({ "taskId": "t-stop" })))
        .reply("start_service", forbidden());
    let service = server.client.service(SERVICE);
    let error = service.restart_by_stop_and_start().await.unwrap_err();
    assert_failure(&error, ErrorKind::Forbidden, Effect::Applied);
    assert_eq!(failed_operation(&error), Some("start_service"));
    assert!(
        error.to_string().contains("the service is stopped"),
        "{error}"
    );
    assert!(!error.is_retryable(), "a retry would stop it again");

    let server = Server::new();
    server.reply("stop_service", forbidden());
    let service = server.client.service(SERVICE);
    let error = service.restart_by_stop_and_start().await.unwrap_err();
    assert_failure(&error, ErrorKind::Forbidden, Effect::None);
    assert_eq!(failed_operation(&error), Some("stop_service"));
    assert_eq!(server.requested(), ["stop_service"]);
}

#[tokio::test]
async fn find_reads_the_list_by_id_and_by_name() {
    for (wanted, pages) in [("d-1", 1), ("web", 1), ("d-3", 2), ("late", 2)] {
        let server = Server::new();
        let first = json!([{ "id": "d-1", "name": "web" }, { "id": "d-2", "name": "job" }]);
        let second = json!([{ "id": "d-3", "name": "late" }]);
        server
            .reply("list_deployments", page(first, 1, true))
            .reply("list_deployments", page(second, 2, false));
        let found = server.client.deployments().find(wanted).await.unwrap();
        assert!(
            [found.id.as_str(), &found.name].contains(&wanted),
            "{found:?}"
        );
        let requests = server.recorder.requests();
        assert_eq!(requests.len(), pages);
        let query = |name: &str| {
            let query = &requests.last().unwrap().query;
            let found = query.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        assert_eq!(query("page"), Some(pages.to_string()));
        assert_eq!(query("pageSize").as_deref(), Some("100"));
        assert_eq!(query("clusterId").as_deref(), Some(OWN));
    }
    let server = Server::new();
    server.reply("list_deployments", page(json!([]), 1, false));
    let error = server.client.deployments().find("d-9").await.unwrap_err();
    assert_failure(&error, ErrorKind::NotFound, Effect::None);
    assert!(error.to_string().contains("id or name d-9"), "{error}");
}

#[tokio::test]
async fn a_list_that_repeats_a_page_is_an_error() {
    let server = Server::new();
    let again = page(json!([{ "id": "d-1", "name": "web" }]), 1, true);
    server.recorder.answer_with(move |_| again.clone());
    let error = server.client.deployments().find("d-9").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(server.requested().len() < 5, "{:?}", server.requested());
}

/// The control plane answers a redeployment with a task id that is not a deployment id.
#[tokio::test(start_paused = true)]
async fn a_deployed_name_without_an_id_is_awaited_by_its_name() {
    let server = Server::new();
    let listed = |status: &str| {
        let other = json!({ "id": "t-1", "name": "other", "status": "success" });
        let mine = json!({ "id": "d-1", "name": "web", "status": status });
        page(json!([other, mine]), 1, false)
    };
    server
        .reply("create_deployment", data(json!({ "taskId": "t-1" })))
        .reply("list_deployments", listed("pending"))
        .reply("list_deployments", listed("success"));
    let new = NewDeployment::from_image("web", "nginx:1.27").kind("web");
    let deployed = server.client.deploy(new).await.unwrap();
    assert_eq!(
        (deployed.id.as_ref(), deployed.name.as_deref()),
        (None, Some("web"))
    );
    assert_eq!(deployed.task_id.as_ref().unwrap().as_str(), "t-1");

    let deployment = deployed.deployment();
    for error in [
        deployment.get().await.unwrap_err(),
        deployment.delete().await.unwrap_err(),
    ] {
        assert_failure(&error, ErrorKind::InvalidRequest, Effect::None);
        assert!(
            error.to_string().contains("deployments().find(name)"),
            "{error}"
        );
    }
    let ready = deployment.wait().await.unwrap();
    assert_eq!(
        ready.id.as_str(),
        "d-1",
        "not the deployment with the id of the task"
    );
    assert_eq!(
        server.requested(),
        ["create_deployment", "list_deployments", "list_deployments"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_deployed_name_with_an_id_is_awaited_by_its_id() {
    let server = Server::new();
    let older = json!({ "id": "d-1", "name": "web", "status": "success" });
    let newer = json!({ "id": "d-2", "name": "web", "status": "completed" });
    server
        .reply(
            "create_deployment",
            data(json!({ "id": "d-2", "name": "web" })),
        )
        .reply("list_deployments", page(json!([older, newer]), 1, false));
    let new = NewDeployment::from_image("web", "nginx:1.27");
    let deployed = server.client.deploy(new).await.unwrap();
    assert_eq!(deployed.id.as_ref().unwrap().as_str(), "d-2");
    let ready = deployed.deployment().wait().await.unwrap();
    assert_eq!(ready.id.as_str(), "d-2");
}
