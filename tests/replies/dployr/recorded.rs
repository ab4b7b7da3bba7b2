//! Recorded exchanges and the examples of the spec, through the wrapper of their operation.

use super::{OWN, account, client, new_deployment};
use crate::{Example, examples};
use deploykit::dployr::{
    Client, DeploymentUpdate, LogQuery, NewInstance, NewProject, NewRoute, NewWebhook, Page,
    ServiceUpdate,
};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, Error, ErrorKind, OPERATIONS, Result};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub fn json_of(value: impl Serialize) -> Value {
    without_nulls(serde_json::to_value(value).unwrap())
}

pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

pub fn page_json<T: Serialize>(page: Page<T>) -> Value {
    json!({ "items": json_of(&page.items), "page": page.page, "total": page.total_items, "more": page.has_next })
}

/// Calls the wrapper of an operation, and gives its value as JSON. `path` is the one of the request,
/// from which ids are taken.
async fn call(client: &Client, operation: &str, path: &str) -> Result<Value> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let ids: Vec<&str> = path.split('/').collect();
    let id = ids.get(3).copied().unwrap_or_default();
    let service = client.service(if id.is_empty() { "s" } else { id });
    Ok(match operation {
        "login" => {
            let tokens = client.login("user@example.com", "password").await?;
            json!([
                tokens.access_token.expose(),
                tokens.refresh_token.map(|t| t.expose().to_owned()),
                tokens.expires_in.map(|e| e.as_secs())
            ])
        }
        "create_deployment" => json_of(client.deployments().create(new_deployment()).await?),
        "list_deployments" => page_json(client.deployments().list().await?),
        "get_deployment" => json_of(client.deployment(id).get().await?.into_inner()),
        "update_deployment" => json_of(
            client
                .deployment(id)
                .update(DeploymentUpdate::new().version("22"))
                .await?,
        ),
        "delete_deployment" => json!(client.deployment(id).delete().await?),
        "list_services" => page_json(client.services().list().await?),
        "get_service" => json_of(service.get().await?),
        "update_service" => {
            let update = ServiceUpdate::new("loop-node-1", "/health").port(4000);
            json_of(service.update(update).await?)
        }
        "delete_service" => json!(service.delete().await?),
        "get_service_envs" => {
            let variables = service.env().map().await?.into_iter();
            variables
                .map(|(key, value)| (key, json!(value.expose())))
                .collect()
        }
        "list_service_secrets" => page_json(service.secrets().await?),
        "get_service_metrics" => {
            let name = ids.get(4).copied().unwrap_or("web-one");
            json_of(client.services().metrics(name).await?)
        }
        "get_logs" if query.contains("follow=true") => {
            let mut stream = client.follow_logs(LogQuery::new()).await?;
            let mut lines = Vec::new();
            while let Some(line) = stream.next().await {
                lines.push(line?);
            }
            json_of(lines)
        }
        "get_logs" => json_of(client.logs(LogQuery::new().service("web-one")).await?),
        "create_instance" => {
            let new = NewInstance::new([127, 0, 0, 77].into(), "loop-tmp");
            let made = client.instances().create(new).await?;
            json!({ "instance": json_of(&made.instance), "token": made.token.expose() })
        }
        "delete_instance" => json!(client.instance(id).delete().await?),
        "ping_instance" => json_of(client.node(id).ping().await?),
        "reboot_instance" => json_of(client.node(id).reboot(true).await?),
        "restart_instance" => json_of(client.node(id).restart(false).await?),
        "get_service_status" => json_of(service.status().await?),
        "start_service" => json_of(service.start().await?),
        "stop_service" => json_of(service.stop().await?),
        "restart_service" => json_of(service.restart().await?.into_inner()),
        "get_service_logs" if query.contains("follow=true") => {
            let mut stream = service.follow_logs().await?;
            let mut lines = Vec::new();
            while let Some(line) = stream.next().await {
                lines.push(line?);
            }
            json_of(lines)
        }
        "get_service_logs" => json_of(service.logs(None).await?),
        "list_service_env" => {
            let variables = service.env().list().await?.into_iter();
            variables
                .map(|v| (v.key, json!(v.value.map(|value| value.expose().to_owned()))))
                .collect()
        }
        "set_service_env" => json!(service.env().set("NODE_ENV", "production").await?),
        "delete_service_env" => json!(service.env().remove("NODE_ENV").await?),
        "list_instances" => page_json(client.instances().list().await?),
        "get_instance" => json_of(client.instance(id).get().await?),
        "get_instance_metrics" => json_of(client.instance(id).metrics().await?),
        "list_routes" => page_json(client.routes().list().await?),
        "create_route" => json_of(
            client
                .routes()
                .create(NewRoute::new("example.com", "s", 80))
                .await?,
        ),
        "delete_route" => json!(client.route("r").delete().await?),
        "list_projects" => page_json(client.projects().list().await?),
        "create_project" => json_of(client.projects().create(NewProject::new("p")).await?),
        "delete_project" => json!(client.project(id).delete().await?),
        "create_webhook" => {
            let new = NewWebhook::new("https://example.com/webhook", ["deployment.created"]);
            json_of(client.webhooks().create(new).await?)
        }
        "list_webhooks" => page_json(client.webhooks().list().await?),
        other => match account::call(client, other, id).await {
            Some(result) => return result,
            None => panic!("{other} is not called by this test"),
        },
    })
}

/// The operation that a request belongs to.
pub fn operation_of(method: &str, path: &str) -> Option<&'static deploykit::Operation> {
    let path = path.split('?').next().unwrap();
    let fits = |template: &str| {
        let (mut a, mut b) = (template.split('/'), path.split('/'));
        loop {
            match (a.next(), b.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if a == b || (a.starts_with('{') && !b.is_empty()) => {}
                _ => return false,
            }
        }
    };
    OPERATIONS
        .iter()
        .find(|op| op.api == "dployr" && op.method == method && fits(op.path))
}

/// Every exchange with a running control plane that belongs to one of the operations.
#[tokio::test]
async fn recorded_exchanges() {
    let exchanges: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/dployr/exchanges.json")).unwrap();
    assert!(!exchanges.is_empty(), "there are no exchanges");
    let recorder = Recorder::new();
    // A client takes a while to set up its TLS.
    let mut clients = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for exchange in &exchanges {
        let request = &exchange["request"];
        let (method, path) = (
            request["method"].as_str().unwrap(),
            request["path"].as_str().unwrap(),
        );
        let Some(operation) = operation_of(method, path) else {
            panic!("{method} {path} belongs to no operation");
        };
        seen.insert(operation.id);
        let response = &exchange["response"];
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        let body = match &response["body"] {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let mut reply = CannedReply::new(status, body);
        for (name, value) in response["headers"].as_object().unwrap() {
            reply = reply.header(name, value.as_str().unwrap());
        }
        recorder.reply(operation.id, reply);
        let cluster = path
            .split_once("clusterId=")
            .map(|(_, rest)| rest.split('&').next().unwrap())
            // It stands in the body of this one.
            .or((operation.id == "create_instance").then_some(OWN));
        let client = clients
            .entry(cluster)
            .or_insert_with(|| client(&recorder, cluster));
        let result = call(client, operation.id, path).await;

        let sent = recorder.requests().pop().unwrap();
        assert_eq!(
            (sent.method.as_str(), sent.path.as_str()),
            (method, path.split('?').next().unwrap())
        );
        assert_eq!(sent.operation, Some(operation.id));
        let what = format!("{method} {path} -> {status}: {}", exchange["note"]);
        match result {
            Ok(value) if status < 300 => {
                assert_value(operation.id, cluster, &value, &response["body"], &what)
            }
            Err(error) if status >= 300 => assert_error(&error, operation.id, response, &what),
            other => panic!("{what}: {other:?}"),
        }
    }
    // Those that the control plane has a route for, and some of the others.
    for id in [
        "create_deployment",
        "list_deployments",
        "get_deployment",
        "delete_deployment",
        "list_services",
        "start_service",
        "stop_service",
        "get_service_logs",
        "list_instances",
        "get_instance",
        "get_service",
        "update_service",
        "delete_service",
        "get_service_envs",
        "list_service_secrets",
        "get_service_metrics",
        "get_logs",
        "create_instance",
        "delete_instance",
        "ping_instance",
        "reboot_instance",
        "restart_instance",
        "restart_service",
        "list_projects",
    ] {
        assert!(seen.contains(id), "no exchange of {id}");
    }
}

fn assert_value(id: &str, cluster: Option<&str>, value: &Value, body: &Value, what: &str) {
    let data = &body["data"];
    match id {
        "list_deployments" | "list_services" | "list_instances" => {
            let mut items = without_nulls(data["items"].clone());
            if id == "list_services" {
                // The server answers with those of all clusters.
                let items = items.as_array_mut().unwrap();
                items.retain(|item| item["clusterId"].as_str() == cluster);
            }
            assert_eq!(value["items"], items, "{what}");
            let pagination = &data["pagination"];
            assert_eq!(value["page"], pagination["page"], "{what}");
            assert_eq!(value["total"], pagination["totalItems"], "{what}");
            assert_eq!(value["more"], pagination["hasNextPage"], "{what}");
        }
        "get_service_logs" | "get_logs" => {
            let lines: Vec<Value> = match body {
                Value::String(text) => text
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect(),
                body => body.as_array().unwrap().clone(),
            };
            assert!(!lines.is_empty(), "{what}");
            assert_eq!(value, &Value::Array(lines), "{what}");
        }
        "get_service" => assert_eq!(value, &without_nulls(data["service"].clone()), "{what}"),
        "get_service_envs" => assert_eq!(value, &data["envs"], "{what}"),
        "list_service_secrets" => {
            let secrets = without_nulls(data["secrets"].clone());
            assert_eq!(value["items"], secrets, "{what}");
        }
        "delete_deployment" | "delete_service" | "delete_instance" => {
            assert!(value.is_null(), "{what}");
        }
        _ => assert_eq!(value, &without_nulls(data.clone()), "{what}"),
    }
}

fn assert_error(error: &Error, id: &str, response: &Value, what: &str) {
    let status = response["status"].as_u64().unwrap();
    let body = &response["body"];
    let code = body["error"]["code"].as_str().or(body["code"].as_str());
    let message = body["error"]["message"].as_str().or(body["error"].as_str());
    let kind = match (status, code) {
        (400, _) if message.is_some_and(|text| text.contains("hobby plan")) => ErrorKind::PlanLimit,
        (400, Some("request.bad_request")) => ErrorKind::Rejected,
        (401, Some("auth.bad_session")) => ErrorKind::Unauthenticated,
        (403, Some(code)) if code.starts_with("permission.") => ErrorKind::Forbidden,
        (404, Some("resource.missing_resource")) => ErrorKind::NotFound,
        (404, None) if body == "404 Not Found" => ErrorKind::NoSuchRoute,
        (409, Some("resource.conflict")) => ErrorKind::Conflict,
        (429, Some("request.too_many_requests")) => ErrorKind::RateLimited,
        (500, None) if body == "Internal Server Error" => ErrorKind::Server,
        (503, Some("runtime.node_not_connected")) => ErrorKind::Unavailable,
        other => panic!("{what}: nobody said what {other:?} means"),
    };
    assert_eq!(error.kind(), kind, "{what}");
    assert_eq!(error.status().map(u64::from), Some(status), "{what}");
    assert_eq!(error.code(), code, "{what}");
    let text = body.as_str().map(|text| text.trim_start_matches("404 "));
    assert_eq!(error.message(), message.or(text), "{what}");
    assert_eq!(
        error.operation().map(|operation| operation.id),
        Some(id),
        "{what}"
    );
    let effect = if matches!(status, 500 | 503) {
        Effect::Unknown
    } else {
        Effect::None
    };
    assert_eq!(error.effect(), effect, "{what}");
    let wait = (status == 429).then(|| Duration::from_secs(17));
    assert_eq!(error.retry_after(), wait, "{what}");
    let text = error.to_string();
    match kind {
        ErrorKind::NoSuchRoute => assert!(text.contains("dployr documents it"), "{text}"),
        ErrorKind::Forbidden if id == "get_deployment" => {
            assert!(text.contains("deployments().list()"), "{text}");
        }
        _ => {}
    }
}

/// The path of an operation with ids in it.
fn path_of(operation: &str) -> String {
    let found = OPERATIONS
        .iter()
        .find(|op| op.api == "dployr" && op.id == operation)
        .unwrap();
    found
        .path
        .replace("{id}", "x-1")
        .replace("{tag}", "x-1")
        .replace("{name}", "web-one")
        .replace("{key}", "NODE_ENV")
        .replace("{domain}", "app.example.com")
}

/// Every example of the spec, successes and failures.
#[tokio::test]
async fn examples_of_the_spec() {
    let mut operations = BTreeSet::new();
    let recorder = Recorder::new();
    let client = client(&recorder, Some(OWN));
    for example in examples("dployr") {
        let Example {
            operation,
            status,
            name,
            value,
            ..
        } = &example;
        let what = format!("{operation} {status} {name}");
        recorder.reply(
            operation,
            account::whole(operation, *status, example.reply()),
        );
        let mut path = path_of(operation);
        if example.media.contains("ndjson") {
            path.push_str("?follow=true");
        }
        let result = call(&client, operation, &path).await;
        if *status < 300 {
            assert_ne!(
                result.unwrap_or_else(|error| panic!("{what}: {error}")),
                json!({}),
                "{what}"
            );
            operations.insert(operation.clone());
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(error.status(), Some(*status), "{what}");
        let message = value["error"]["message"]
            .as_str()
            .or(value["error"].as_str());
        if let Some(message) = message {
            assert_eq!(error.message(), Some(message), "{what}");
        }
        assert!(!matches!(error.kind(), ErrorKind::Decode), "{what}");
    }
    let all = OPERATIONS
        .iter()
        .filter(|op| op.api == "dployr")
        .map(|op| op.id.to_owned());
    assert_eq!(
        operations,
        all.collect(),
        "an operation has no example of a success"
    );
}
