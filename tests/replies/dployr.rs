//! Replies of dployr's servers, through the wrappers.

mod account;
mod env_rewrite;
mod logs;
mod missing_routes;
mod recorded;
mod sessions;
mod wire;

use crate::{assert_failure, json_reply};
use deploykit::dployr::{
    Client, Deployment, DeploymentStatus, LogOptions, NewDeployment, Runtime, ServiceState,
};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind};
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};

const TOKEN: &str = "dpat_5d1f";
const OWN: &str = "01M85NWTN0TJ4JW1JXEKRNC9Z2";

fn client(recorder: &Recorder, cluster: Option<&str>) -> Client {
    let mut builder = Client::builder()
        .base_url("https://dployr.example")
        .token(TOKEN);
    if let Some(cluster) = cluster {
        builder = builder.cluster(cluster);
    }
    builder.recorder(recorder).build().unwrap()
}

/// A client that gets this reply to every request.
fn client_with_reply(status: u16, body: impl ToString) -> Client {
    let reply = json_reply(status, body);
    let recorder = Recorder::new();
    recorder.answer_with(move |_| reply.clone());
    client(&recorder, None)
}

/// A client that gets this body with status 200 to every request.
fn client_with_body(body: impl ToString) -> Client {
    client_with_reply(200, body)
}

fn new_deployment() -> NewDeployment {
    NewDeployment::from_git("my-app", "https://github.com/user/repo")
}

#[tokio::test]
async fn the_documented_login_reply_is_decoded() {
    let body =
        json!({ "access_token": "eyJhbGc...", "refresh_token": "eyJhbGc...", "expires_in": 3600 });
    let tokens = client_with_body(&body)
        .login("user@example.com", "pw")
        .await
        .unwrap();
    assert_eq!(tokens.access_token.expose(), "eyJhbGc...");
    assert_eq!(
        tokens.refresh_token.as_ref().unwrap().expose(),
        "eyJhbGc..."
    );
    assert_eq!(tokens.expires_in, Some(Duration::from_secs(3600)));
    assert!(!format!("{tokens:?}").contains("eyJ"), "{tokens:?}");

    let least = client_with_body(
        json!({ "success": true, "data": { "accessToken": "t", "expires_in": null } }),
    );
    let tokens = least.login("user@example.com", "pw").await.unwrap();
    assert_eq!((tokens.refresh_token, tokens.expires_in), (None, None));

    let error = client_with_body(json!({ "refresh_token": "hush" }))
        .login("user@example.com", "pw")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("access_token"), "{error}");
    assert!(
        !format!("{error:?} {:?}", error.body_excerpt()).contains("hush"),
        "{error:?}"
    );
}

#[tokio::test]
async fn success_false_is_an_error() {
    let body = json!({ "success": false, "error": { "message": "no", "code": "x.y", "helpLink": "https://h" } });
    let client = client_with_body(&body);
    for error in [
        client.service("s").start().await.unwrap_err(),
        client.deployments().list().await.unwrap_err(),
        client
            .service("s")
            .logs(LogOptions::new())
            .await
            .unwrap_err(),
        client.deployment("d").delete().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
        assert_eq!((error.message(), error.code()), (Some("no"), Some("x.y")));
        assert_eq!(error.details().unwrap()["helpLink"], "https://h");
    }
}

#[tokio::test]
async fn replies_of_the_daemon_are_decoded() {
    let deployments = json!([{
        "id": "d", "name": "web", "user_id": "u", "status": "in_progress", "metadata": "",
        "config": { "name": "web", "runtime": { "type": "nodejs", "version": "20" } },
        "created_at": "2025-12-31T14:15:00Z", "updated_at": "2025-12-31T14:15:01.5+01:00",
    }]);
    let page = client_with_body(deployments)
        .deployments()
        .list()
        .await
        .unwrap();
    let deployment: &Deployment = &page.items[0];
    assert_eq!(deployment.status, Some(DeploymentStatus::InProgress));
    assert_eq!(deployment.user_id.as_deref(), Some("u"));
    assert_eq!(
        deployment.created_at.as_ref().unwrap().unix_millis(),
        Some(1_767_190_500_000)
    );
    assert_eq!(
        (page.page, page.total_items, page.has_next),
        (1, None, false)
    );

    let created =
        json!({ "success": true, "id": "d", "name": "web", "created_at": "2025-12-31T14:15:00Z" });
    let created = client_with_reply(201, created)
        .deploy(new_deployment())
        .await
        .unwrap();
    assert_eq!(
        (created.id.as_ref().map(|id| id.as_str()), &created.task_id),
        (Some("d"), &None)
    );
}

#[tokio::test]
async fn null_is_an_empty_list() {
    for body in [json!(null), json!({ "success": true, "data": null })] {
        let client = client_with_body(&body);
        assert!(client.deployments().list().await.unwrap().items.is_empty());
        assert!(client.services().list().await.unwrap().items.is_empty());
        assert!(client.instances().list().await.unwrap().items.is_empty());
        assert!(client.routes().list().await.unwrap().items.is_empty());
        assert!(client.projects().list().await.unwrap().items.is_empty());
        assert!(client.webhooks().list().await.unwrap().items.is_empty());
        let service = client.service("s");
        assert!(
            service
                .env_variables()
                .list()
                .await
                .unwrap()
                .items
                .is_empty()
        );
    }
}

#[tokio::test]
async fn any_body_acknowledges_a_delete() {
    let recorder = Recorder::new();
    let bodies = [
        "",
        "null",
        "{}",
        r#"{"success":true,"data":null}"#,
        "[]",
        "deleted",
    ];
    for body in bodies {
        recorder
            .answer_with(move |_| CannedReply::new(if body.is_empty() { 204 } else { 200 }, body));
        let client = client(&recorder, None);
        client.deployment("d").delete().await.unwrap();
        client.route("r").delete().await.unwrap();
        client.project("p").delete().await.unwrap();
        let variable = client.service("s").env_variable("A");
        variable.set("b").await.unwrap();
        variable.delete().await.unwrap();
    }
    let empty = client_with_body("");
    assert_eq!(empty.service("s").restart().await.unwrap().task_id, None);
}

#[tokio::test]
async fn services_of_other_clusters_are_dropped() {
    let body = json!({ "success": true, "data": { "items": [
        { "id": "a", "name": "a", "clusterId": OWN },
        { "id": "b", "name": "b", "clusterId": "other" },
        { "id": "c", "name": "c", "cluster_id": "other" },
        { "id": "d", "name": "d" },
    ], "pagination": { "page": 1, "pageSize": 20, "totalItems": 4, "totalPages": 1, "hasNextPage": false, "hasPreviousPage": false } } });
    let recorder = Recorder::new();
    recorder.answer_with(move |_| json_reply(200, &body));
    for (cluster, expected) in [(Some(OWN), "a d"), (None, "a b c d")] {
        let page = client(&recorder, cluster).services().list().await.unwrap();
        let names: Vec<_> = page
            .items
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        assert_eq!(names.join(" "), expected);
        assert_eq!(page.total_items, Some(4));
        // The other ways to read the list.
        let client = client(&recorder, cluster);
        let second = client.services().page(2).page_size(4).list().await.unwrap();
        let all = client.services().list().all().await.unwrap();
        let mut stream = client.services().list().stream();
        let mut streamed = Vec::new();
        while let Some(service) = stream.next().await {
            streamed.push(service.unwrap());
        }
        for services in [second.items, all, streamed] {
            let names: Vec<_> = services.into_iter().map(|service| service.name).collect();
            assert_eq!(names.join(" "), expected);
        }
    }
}

#[tokio::test]
async fn unknown_enum_values_are_kept() {
    let deployment = json!({ "id": "d", "name": "web", "status": "paused", "runtimeType": "zig", "newField": { "a": 1 } });
    let read = client_with_body(deployment)
        .deployment("d")
        .get()
        .await
        .unwrap();
    assert_eq!(
        read.status,
        Some(DeploymentStatus::Unknown("paused".into()))
    );
    assert_eq!(read.runtime_type, Some(Runtime::Unknown("zig".into())));
    let status = client_with_body(json!({ "status": "unknown" }))
        .service("s")
        .status()
        .await
        .unwrap();
    assert_eq!(status.status, ServiceState::Unknown("unknown".into()));
}

#[tokio::test]
async fn a_decoding_error_has_the_path_and_no_value() {
    let page = json!({ "totalPages": 1, "hasNextPage": "hush" });
    for (body, place) in [
        (
            json!({ "items": [], "pagination": page }),
            "cannot decode the response at $.pagination.hasNextPage: found string",
        ),
        (
            json!({ "success": true, "data": { "items": { "hush": 1 } } }),
            "at $.data.items: found map, expected a list of records",
        ),
        (
            json!("hush"),
            "at $: found string, expected a list of records",
        ),
    ] {
        let error = client_with_body(&body)
            .deployments()
            .list()
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Decode, Some(200)),
            "{error}"
        );
        assert!(error.to_string().contains(place), "{error}");
        assert!(!format!("{error:?}").contains("\"hush\""), "{error:?}");
    }
    let error = client_with_body("<html>")
        .service("s")
        .status()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    // The reply is JSON, so the deployment was accepted.
    let error = client_with_reply(202, json!({ "success": true, "data": 7 }))
        .deploy(new_deployment())
        .await
        .unwrap_err();
    assert_failure(&error, ErrorKind::Decode, Effect::Applied);
    assert!(
        error.to_string().contains("$.data: found integer"),
        "{error}"
    );
}

#[tokio::test]
async fn find_created_ignores_older_deployments() {
    let since = UNIX_EPOCH + Duration::from_secs(1_776_859_246); // 2026-04-22T12:00:46Z
    let record = |id: &str, name: &str, created: Value, updated: Value| json!({ "id": id, "name": name, "createdAt": created, "updatedAt": updated });
    let body = json!({ "success": true, "data": { "items": [
        record("new", "web", json!(1_776_859_250_000_u64), json!(null)),
        record("skew", "web", json!("2026-04-22T11:59:46Z"), json!(null)),
        record("redeployed", "web", json!(1_700_000_000_000_u64), json!(1_776_859_250_000_u64)),
        record("no time", "web", json!(null), json!("some day")),
        record("older", "web", json!(1_700_000_000_000_u64), json!("2026-04-22T11:59:45Z")),
        record("old", "web", json!(1_700_000_000_000_u64), json!(null)),
        record("other name", "web2", json!(1_776_859_250_000_u64), json!(null)),
    ] } });
    let deployments = client_with_body(&body).deployments();
    let found = deployments.find_created("web", since).await.unwrap();
    let ids: Vec<_> = found.iter().map(|found| found.id.as_str()).collect();
    assert_eq!(ids, ["new", "skew", "redeployed", "no time"]);
    let nobody = deployments.find_created("api", since).await.unwrap();
    assert!(nobody.is_empty(), "{nobody:?}");
}

#[tokio::test]
async fn a_search_goes_on_after_an_empty_page() {
    let search = async |third_is_empty: bool| {
        let recorder = Recorder::new();
        recorder.answer_with(move |request| {
            let page = request.query.iter().find(|(name, _)| name == "page");
            let page: u32 = page.map_or(1, |(_, page)| page.parse().unwrap());
            let items = match page {
                2 => json!([]),
                3 if third_is_empty => json!([]),
                3 => json!([{ "id": "mine", "name": "web" }]),
                _ => json!([{ "id": "other", "name": "api" }]),
            };
            let pagination = json!({ "page": page, "hasNextPage": page < 9 });
            json_reply(
                200,
                json!({ "success": true, "data": { "items": items, "pagination": pagination } }),
            )
        });
        client(&recorder, None).deployments().find("web").await
    };
    assert_eq!(search(false).await.unwrap().id, "mine");
    // A list without an end shows nothing.
    let error = search(true).await.unwrap_err();
    assert_failure(&error, ErrorKind::Decode, Effect::None);
}
