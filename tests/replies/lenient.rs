//! Replies with values in other forms than the documented ones, through the wrappers.

use crate::{assert_failure, json_reply};
use deploykit::testing::Recorder;
use deploykit::{Effect, ErrorKind};
use deploykit::{dployr, edgegap, nexlayer, nodion};
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};

/// A recorder that answers every request with this body.
fn answering(body: impl ToString) -> Recorder {
    let (recorder, reply) = (Recorder::new(), json_reply(200, body));
    recorder.answer_with(move |_| reply.clone());
    recorder
}

fn dployr(body: impl ToString) -> dployr::Client {
    let builder = dployr::Client::builder().base_url("https://dployr.example");
    let recorder = answering(body);
    builder.token("t").recorder(&recorder).build().unwrap()
}

fn edgegap(body: impl ToString) -> edgegap::Client {
    answering(body).edgegap().unwrap()
}

fn nodion(body: impl ToString) -> nodion::ApplicationHandle {
    answering(body).nodion().unwrap().application("app")
}

fn nexlayer(body: impl ToString) -> nexlayer::SessionHandle {
    answering(body).nexlayer().unwrap().session("t-1234")
}

#[tokio::test]
async fn a_create_keeps_a_numeric_id() {
    let user = edgegap::User::ip([75, 28, 35, 192].into());
    let new = edgegap::NewDeployment::new("game", "1", user);
    let client = edgegap(json!({ "request_id": 12345, "request_dns": [], "request_app": {} }));
    let accepted = client.deploy(new).await.unwrap();
    assert_eq!(accepted.request_id.as_str(), "12345");

    let record = json!({ "id": 7, "status": [], "created_at": {}, "service_id": 8 });
    let client = dployr(json!({ "success": true, "data": { "deployment": record, "taskId": 9 } }));
    let new = dployr::NewDeployment::from_git("web", "https://github.com/user/repo");
    let deployed = client.deploy(new).await.unwrap();
    assert_eq!(deployed.id.as_ref().unwrap().as_str(), "7");
    assert_eq!(deployed.task_id.as_ref().unwrap().as_str(), "9");

    let record = json!({ "id": 7, "status": "created", "deploy_number": "3", "git_sha": [] });
    let deployed = nodion(json!({ "deployment": record })).deploy().await;
    let record = deployed.unwrap().record;
    assert_eq!((record.id.as_str(), record.deploy_number), ("7", 3));
}

#[tokio::test]
async fn a_session_with_a_strange_lifetime_is_kept() {
    for lifetime in ["0.5", "1e300", "99999999999999999999", "[]", "\"soon\""] {
        let body = format!(r#"{{"access_token":"a","expires_in":{lifetime}}}"#);
        let tokens = dployr(body).login("a@b.example", "pw").await.unwrap();
        assert_eq!(tokens.access_token.expose(), "a");
        assert_eq!(tokens.expires_in, None, "{lifetime}");
    }
    let body = r#"{"access_token":"a","expires_in":"3600"}"#;
    let tokens = dployr(body).login("a@b.example", "pw").await.unwrap();
    assert_eq!(tokens.expires_in, Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn php_like_and_null_values_are_empty() {
    let record = |ports| json!({ "request_id": "a", "current_status": "Status.READY", "ports": ports, "tags": [null, "eu", 7] });
    for ports in [json!([]), json!({}), json!({ "game": null })] {
        let client = edgegap(record(ports));
        let found = client.deployment("a").get().await.unwrap();
        assert!(found.ports.is_none_or(|ports| ports.is_empty()));
        let tags: Vec<_> = found
            .tags
            .iter()
            .flatten()
            .map(|tag| tag.as_str())
            .collect();
        assert_eq!(tags, ["eu", "7"]);
    }
}

#[tokio::test]
async fn the_last_of_duplicate_keys_wins() {
    let body = r#"{"request_id":"a","current_status":"Status.SEEKING","running":true,
        "current_status":"Status.READY","request_id":"b","running":false}"#;
    let found = edgegap(body).deployment("b").get().await.unwrap();
    assert_eq!(found.request_id.as_str(), "b");
    assert_eq!(found.current_status, edgegap::DeploymentStatus::Ready);
    assert_eq!(found.running, Some(false));

    let body = r#"{"deployments":[],"deployments":[{"id":"a","id":"b","status":"failed","status":"available","deploy_number":1}]}"#;
    let found = nodion(body).deployments().list().await.unwrap().items;
    assert_eq!(found[0].id.as_str(), "b");
    assert_eq!(found[0].status, nodion::DeploymentStatus::Available);

    let body = r#"{"data":[],"success":true,"data":{"items":[{"id":"a","name":"x","id":"b"}],"items":[{"id":"c","name":"x","id":"d"}]}}"#;
    let found = dployr(body).deployments().list().await.unwrap().items;
    assert_eq!(found[0].id.as_str(), "d");

    let body = r#"{"reservedDeployments":[],"reservedDeployments":[{"url":"u","url":"v"}]}"#;
    let found = nexlayer(body).reservations().list().await.unwrap().items;
    assert_eq!(found[0].url.as_deref(), Some("v"));
}

#[tokio::test]
async fn pagination_is_read_in_any_form() {
    let page = json!({ "page": "1", "totalPages": 3.0, "hasNextPage": "false" });
    let list = json!({ "success": true, "data": { "items": [], "pagination": page } });
    let page = dployr(list).deployments().list().await.unwrap();
    assert_eq!((page.total_pages, page.has_next), (Some(3), false));
    let list = json!({ "data": [], "total_count": "7", "pagination": { "has_next": "True" } });
    let page = edgegap(list).deployments().list().await.unwrap();
    assert_eq!((page.total_items, page.has_next), (Some(7), true));
    // Whether there is a next page must be known.
    for has_next in [json!("perhaps"), json!([1]), json!(7)] {
        let page = json!({ "page": 1, "totalPages": 3, "hasNextPage": has_next });
        let list = json!({ "success": true, "data": { "items": [], "pagination": page } });
        let error = dployr(list).deployments().list().await.unwrap_err();
        assert_failure(&error, ErrorKind::Decode, Effect::None);
        let list = json!({ "data": [], "pagination": { "has_next": has_next } });
        let error = edgegap(list).deployments().list().await.unwrap_err();
        assert!(
            error.to_string().contains("$.pagination.has_next: "),
            "{error}"
        );
    }
}

/// Five records: two that can be read, one of them with an unreadable field, and three others.
fn mixed(id: &str, rest: &str) -> String {
    format!(
        r#"[{{"{id}":"a",{rest}}},null,{{"{id}":7,"created_at":{{}},"start_time":[],{rest}}},{{"{id}":["hush"],{rest}}},"hush"]"#
    )
}

#[tokio::test]
async fn bad_items_are_skipped_and_counted() {
    let items = mixed("request_id", r#""ports":{"x":{"external":"hush"}}"#);
    let client = edgegap(format!(r#"{{"data":{items}}}"#));
    let page = client.deployments().list().await.unwrap();
    let ids: Vec<_> = page
        .items
        .iter()
        .map(|one| one.request_id.as_str())
        .collect();
    assert_eq!((ids, page.skipped()), (vec!["a", "7"], 3));
    assert_eq!(page.items[0].ports.as_ref().unwrap()["x"].external, None);
    let mut stream = client.deployments().list().stream();
    while let Some(item) = stream.next().await {
        item.unwrap();
    }
    assert_eq!(stream.skipped(), 3);
    assert_eq!(client.deployments().list().all().await.unwrap().len(), 2);

    let items = mixed("id", r#""deploy_number":1,"status":"available""#);
    let list = nodion(format!(r#"{{"deployments":{items}}}"#))
        .deployments()
        .list();
    let page = list.await.unwrap();
    assert_eq!((page.items.len(), page.skipped()), (2, 3));

    let items = mixed("id", r#""name":"web""#);
    for body in [
        items.clone(),
        format!(r#"{{"success":true,"data":{{"items":{items}}}}}"#),
    ] {
        let page = dployr(body).deployments().list().await.unwrap();
        assert_eq!((page.items.len(), page.skipped()), (2, 3));
    }
    // Filtered by cluster.
    let client = dployr(&items).with_cluster("c").unwrap();
    assert_eq!(client.services().list().await.unwrap().skipped(), 3);

    let body = r#"{"reservedDeployments":[null,{"url":"u"},7]}"#;
    let page = nexlayer(body).reservations().list().await.unwrap();
    assert_eq!((page.items.len(), page.skipped()), (1, 2));
}

/// Above 2 MiB, only the records of lists are decoded leniently.
#[tokio::test]
async fn bad_items_of_a_long_list_are_skipped_and_counted() {
    const GOOD: usize = 60_000;
    let long = |id: &str, rest: &str| {
        let good = format!(r#"{{"{id}":"a",{rest}}},"#).repeat(GOOD);
        assert!(good.len() > 2 << 20);
        format!("[{good}{}", &mixed(id, rest)[1..])
    };
    let items = long("request_id", r#""start_time":1795487067"#);
    let client = edgegap(format!(r#"{{"data":{items}}}"#));
    let page = client.deployments().list().await.unwrap();
    assert_eq!((page.items.len(), page.skipped()), (GOOD + 2, 3));
    assert_eq!(page.items[GOOD + 1].request_id.as_str(), "7");
    // Other fields are decoded strictly.
    let client = edgegap(format!(r#"{{"data":{items},"total_count":"hush"}}"#));
    let error = client.deployments().list().await.unwrap_err();
    assert!(error.to_string().contains("$.total_count: "), "{error}");
    assert!(!error.to_string().contains("hush"), "{error}");

    let items = long("id", r#""deploy_number":1,"status":"available""#);
    let application = nodion(format!(r#"{{"deployments":{items}}}"#));
    let page = application.deployments().list().await.unwrap();
    assert_eq!((page.items.len(), page.skipped()), (GOOD + 2, 3));
    let error = application.deployment("b").get().await.unwrap_err();
    assert_failure(&error, ErrorKind::Decode, Effect::None);

    let items = long("id", r#""name":"web","kind":"service""#);
    for body in [
        items.clone(),
        format!(r#"{{"success":true,"data":{{"items":{items}}}}}"#),
    ] {
        let page = dployr(body).deployments().list().await.unwrap();
        assert_eq!((page.items.len(), page.skipped()), (GOOD + 2, 3));
    }
}

#[tokio::test]
async fn a_list_of_the_wrong_type_is_an_error() {
    for list in [json!("hush"), json!(7), json!({}), json!({ "hush": 1 })] {
        let error = edgegap(json!({ "data": list })).deployments().list().await;
        let error = error.unwrap_err();
        assert_failure(&error, ErrorKind::Decode, Effect::None);
        assert!(error.to_string().contains("$.data: found "), "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
        let body = json!({ "reservedDeployments": list });
        let error = nexlayer(body).reservations().list().await.unwrap_err();
        assert_failure(&error, ErrorKind::Decode, Effect::None);
        for body in [
            list.clone(),
            json!({ "success": true, "data": list }),
            json!({ "success": true, "data": { "items": list } }),
        ] {
            let error = dployr(body).deployments().list().await.unwrap_err();
            assert_failure(&error, ErrorKind::Decode, Effect::None);
        }
    }
    for list in [json!(null), json!([])] {
        let client = edgegap(json!({ "data": list }));
        assert!(client.deployments().list().await.unwrap().items.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_is_not_gone_because_the_list_is_an_empty_object() {
    let application = nodion(json!({ "deployments": {} }));
    let gone = application.deployment("a").wait().until_gone();
    let error = gone.deadline(Duration::from_secs(60)).await.unwrap_err();
    assert_failure(&error, ErrorKind::Decode, Effect::None);
}

/// A wrong "gone" or "not found" would cost money.
#[tokio::test(start_paused = true)]
async fn nothing_is_concluded_from_a_list_with_skipped_records() {
    let body = r#"{"data":[{"request_id":"a","tags":["eu"]},{"request_id":[]}]}"#;
    let client = edgegap(body);
    let mut errors = Vec::new();
    let found = client.deployments().find_created("eu", UNIX_EPOCH).await;
    errors.push(found.unwrap_err());
    let mut watcher = client.deployments().watch().max_failures(0);
    errors.push(watcher.next().await.unwrap().unwrap_err());

    let body = r#"{"deployments":[{"id":"a","status":"available","deploy_number":2},null]}"#;
    let application = nodion(body);
    let deployments = application.deployments();
    errors.push(deployments.find_created(1).await.unwrap_err());
    errors.push(deployments.latest_number().await.unwrap_err());
    errors.push(application.deployment("b").get().await.unwrap_err());
    let gone = application.deployment("b").wait().until_gone();
    errors.push(gone.deadline(Duration::from_secs(60)).await.unwrap_err());
    assert!(application.deployment("a").get().await.is_ok(), "found");

    let client = dployr(r#"[{"id":"a","name":"web"},{"name":"api"}]"#);
    let found = client.deployments().find_created("web", UNIX_EPOCH).await;
    errors.push(found.unwrap_err());
    errors.push(client.deployment("b").get().await.unwrap_err());
    errors.push(client.services().find("api").await.unwrap_err());
    assert!(client.services().find("web").await.is_ok(), "found");
    for error in errors {
        assert_failure(&error, ErrorKind::Decode, Effect::None);
        assert!(error.operation().is_some(), "{error}");
    }
}

#[tokio::test]
async fn a_deployment_with_an_unreadable_tag_may_be_the_created_one() {
    for tag in [json!({ "name": "eu" }), json!(null)] {
        let client = edgegap(json!({ "data": [{ "request_id": "a", "tags": [tag, "us"] }] }));
        let found = client.deployments().find_created("eu", UNIX_EPOCH).await;
        match found {
            Ok(found) => assert_eq!(found.len(), 1, "{tag}"),
            Err(error) => assert_failure(&error, ErrorKind::Decode, Effect::None),
        }
    }
}

#[tokio::test]
async fn nulls_do_not_shift_the_points_of_a_metric() {
    let series = json!({ "labels": [null, "b"], "timestamps": [1, null], "datasets": [5, 6] });
    let client = edgegap(json!({ "total": { "disk_read_total": series } }));
    let metrics = client.deployment("a").metrics().get().await.unwrap();
    let series = metrics.total.unwrap().disk_read_total.unwrap();
    assert_eq!(series.labels, [None, Some("b".to_owned())]);
    assert!(series.timestamps[0].is_some() && series.timestamps[1].is_none());
    assert_eq!(series.datasets, [Some(5.0), Some(6.0)]);
}
