//! What the recorded exchanges leave out of one service and of instances on dployr's control plane.

mod common;

use common::plane::{Plane, builder, failure};
use common::{expect, expect_status, has};
use deploykit_sandbox::Request;
use serde_json::{Value, json};

/// Without a build node.
fn no_builds() -> Plane {
    Plane::of(builder().dployr_build_node(false))
}

/// A service that runs: its path.
fn running(plane: &mut Plane) -> String {
    let id = plane.running_with(&json!({
        "name": "web-one", "type": "web", "source": "image", "image": "node:20-alpine",
        "health_check": "/health", "env_vars": { "A": "1" }, "secrets": { "S1": "x", "S2": "x" },
    }));
    format!("/v1/services/{id}")
}

fn patch(plane: &mut Plane, service: &str, mut fields: Value) -> (u16, Value) {
    fields["instanceName"] = json!(plane.tag);
    let reply = plane.world.patch(service, &fields);
    (reply.status.as_u16(), reply.json_body())
}

fn secrets(plane: &mut Plane, service: &str) -> Vec<String> {
    let body = plane.world.ok(&format!("{service}/secrets"));
    let rows = body["data"]["secrets"].as_array().unwrap().iter();
    rows.map(|row| row["key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn secrets_stay_only_if_they_are_named_once_either_field_is_there() {
    let mut plane = no_builds();
    let service = running(&mut plane);
    patch(&mut plane, &service, json!({ "port": 80 }));
    assert_eq!(secrets(&mut plane, &service), ["S1", "S2"], "neither field");
    patch(&mut plane, &service, json!({ "keep_secret_keys": [] }));
    assert_eq!(
        secrets(&mut plane, &service),
        ["S1", "S2"],
        "an empty list is none"
    );
    patch(&mut plane, &service, json!({ "keep_secret_keys": ["S2"] }));
    assert_eq!(secrets(&mut plane, &service), ["S2"]);
    patch(&mut plane, &service, json!({ "secrets": { "S3": "x" } }));
    assert_eq!(secrets(&mut plane, &service), ["S3"]);
}

#[test]
fn a_health_check_is_forgotten_unless_it_is_sent() {
    let mut plane = no_builds();
    let service = running(&mut plane);
    for (fields, path) in [
        (json!({ "health_check": "/health" }), "/health"),
        (json!({ "health_check": "live/" }), "/live"),
        (json!({ "health_check": null }), "/"),
        (json!({}), "/"),
    ] {
        let (status, body) = patch(&mut plane, &service, fields.clone());
        assert_eq!(status, 200, "{fields}");
        assert_eq!(body["data"]["deployment"]["healthCheck"], path, "{fields}");
    }
}

#[test]
fn an_update_that_nobody_can_build_is_saved_all_the_same() {
    let mut plane = no_builds();
    let service = running(&mut plane);
    let fields = json!({ "remote_url": "https://git.example/a.git", "env_vars": { "B": "2" } });
    let (status, body) = patch(&mut plane, &service, fields);
    assert_eq!(
        (status, &body["error"]["code"]),
        (503, &json!("runtime.node_not_connected"))
    );
    let envs = plane.world.ok(&format!("{service}/envs"));
    assert_eq!(envs["data"]["envs"], json!({ "B": "2" }));
    let list = plane.scoped("/v1/deployments");
    let list = plane.world.ok(&list);
    assert_eq!(list["data"]["items"][0]["source"], "remote");
}

#[test]
fn the_default_webhook_tells_of_instances() {
    let mut plane = no_builds();
    let hook = json!({ "webhookUrl": "http://127.0.0.1:1/hook", "enabled": true });
    let target = plane.scoped("/v1/notifications/webhook/setup");
    plane.world.posted(&target, &hook, 200);
    let body = json!({ "clusterId": plane.cluster, "address": "203.0.113.9", "tag": "node-2" });
    let made = plane.world.posted("/v1/instances", &body, 201);
    let id = made["data"]["instance"]["id"].clone();
    let path = format!("/v1/instances/{}", id.as_str().unwrap());
    plane.world.deleted(&path, 200);
    let now = plane.world.now;
    let told = plane.world.state.webhooks_due(now);
    let told: Vec<(&Value, &Value)> = told
        .iter()
        .map(|webhook| (&webhook.body["event"], &webhook.body["data"]["instanceId"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("instance.created"), &id),
            (&json!("instance.deleted"), &id)
        ]
    );
}

#[test]
fn an_update_without_a_deployment_keeps_variables_and_secrets() {
    let mut plane = no_builds();
    let service = running(&mut plane);
    let list = plane.scoped("/v1/deployments");
    let list = plane.world.ok(&list);
    let id = list["data"]["items"][0]["id"].as_str().unwrap();
    let delete = plane.scoped(&format!("/v1/deployments/{id}"));
    let body = json!({ "clusterId": plane.cluster });
    let delete = Request::new("DELETE", &delete).with_json(&body);
    expect_status(&plane.world.send(delete), 200);
    let fields = json!({ "env_vars": { "B": "2" }, "secrets": { "S3": "x" } });
    let (status, body) = patch(&mut plane, &service, fields);
    let expected = failure(
        "Service has no deployment record",
        "resource.missing_resource",
    );
    assert_eq!((status, body), (404, expected));
    let envs = plane.world.ok(&format!("{service}/envs"));
    assert_eq!(envs["data"]["envs"], json!({ "B": "2" }));
    assert_eq!(secrets(&mut plane, &service), ["S3"]);
}

/// The fields of an update, and the source, the image and the repository after it.
const SOURCES: &str = r#"
{} | "image" | "node:20-alpine" | null
{ "remote_url": "https://example.com/app.git" } | "remote" | null | "https://example.com/app.git"
{ "image": "a:1" } | "remote" | "a:1" | "https://example.com/app.git"
{ "remote_url": null } | "remote" | null | null
{ "image": "a:2" } | "image" | "a:2" | null
{ "image": "a:3", "remote_url": null } | "remote" | null | null
"#;

#[test]
fn the_source_follows_what_an_update_leaves() {
    let mut plane = Plane::new();
    let service = running(&mut plane);
    for row in SOURCES.trim().lines() {
        let parts: Vec<Value> = row
            .split(" | ")
            .map(|part| serde_json::from_str(part).unwrap())
            .collect();
        let [fields, source, image, remote] = &parts[..] else {
            panic!("{row}");
        };

        let (status, body) = patch(&mut plane, &service, fields.clone());
        assert_eq!(status, 200, "{fields}");
        let row = &body["data"]["deployment"];
        has(
            row,
            json!({ "source": source, "image": image, "remoteUrl": remote }),
        );
    }
    // Nothing is to be built where there is no repository.
    let mut plane = no_builds();
    let service = running(&mut plane);
    let (status, _) = patch(&mut plane, &service, json!({ "remote_url": null }));
    assert_eq!(status, 200);
}

#[test]
fn the_status_of_a_domain_of_ones_own_is_that_of_its_service() {
    let mut plane = no_builds();
    let service = running(&mut plane);
    let body = json!({ "clusterId": plane.cluster, "domain": "app.example.com", "serviceName": "web-one" });
    plane.world.posted("/v1/domains", &body, 200);
    let says = |plane: &mut Plane, word: &str| {
        let asked = Request::new("GET", "/v1/status?domain=app.example.com");
        expect(&plane.world.raw(&asked), 200, &json!({ "status": word }));
    };
    says(&mut plane, "ready");
    plane.world.called(&format!("{service}/stop"), 200);
    says(&mut plane, "starting");
    plane.world.deleted(&service, 200);
    says(&mut plane, "ready");
}

#[test]
fn a_domain_that_is_there_already_stays_as_it_is() {
    let mut plane = no_builds();
    running(&mut plane);
    let body =
        json!({ "clusterId": plane.cluster, "domain": "app.site.test", "serviceName": "web-one" });
    let first = plane.world.posted("/v1/domains", &body, 200);
    plane.world.called("/v1/domains/app.site.test/verify", 204);
    let again = plane.world.posted("/v1/domains", &body, 200);
    assert_eq!(again, first);
    let kept = plane.world.ok("/v1/domains/app.site.test");
    assert_eq!(kept["data"]["status"], "active");
}

#[test]
fn logs_of_the_cluster_can_be_narrowed() {
    let mut plane = no_builds();
    running(&mut plane);
    let scoped = plane.scoped("/v1/logs");
    let mut read = |more: &str| {
        let body = plane.world.ok(&format!("{scoped}{more}"));
        body.as_array().unwrap().clone()
    };
    let all = read("");
    assert!(all.len() > 3);
    assert!(
        all.iter()
            .all(|line| line["serviceId"] == "web-one" && line["deploymentId"].is_string())
    );
    assert_eq!(
        read("&direction=backward&limit=1")[..],
        all[all.len() - 1..]
    );
    assert_eq!(read("&limit=2")[..], all[..2]);
    assert_eq!(read("&limit=2x")[..], all[..2]);
    assert_eq!(read("&limit=0&since=0&until=0"), all);
    let of = |source: &str| all.iter().filter(|line| line["source"] == source).count();
    assert_eq!(read("&source=build").len(), of("build"));
    assert_eq!(
        read("&source=build%7Cdeploy").len(),
        of("build") + of("deploy")
    );
    assert!(read("&serviceId=ghost").is_empty());
    assert!(read("&since=1&until=2").is_empty());
    let foreign = plane
        .world
        .get("/v1/logs?clusterId=01ZZZZZZZZZZZZZZZZZZZZZZZZ");
    let expected = failure("Not a member of this cluster", "permission.forbidden");
    expect(&foreign, 403, &expected);
}

#[test]
fn a_registered_instance_stands_in_the_list_and_is_not_connected() {
    let mut plane = no_builds();
    let body = json!({ "clusterId": plane.cluster, "address": "203.0.113.9", "tag": "node-2", "role": "build" });
    plane.world.posted("/v1/instances", &body, 201);
    let list = plane.scoped("/v1/instances");
    let tags = |list: &Value| {
        let items = list["data"]["items"].as_array().unwrap().clone();
        let tags = items
            .iter()
            .map(|item| item["tag"].as_str().unwrap().to_owned());
        tags.collect::<Vec<_>>()
    };
    let all = plane.world.ok(&list);
    assert_eq!(tags(&all), ["node-2", plane.tag.as_str()]);
    let build = plane.world.ok(&format!("{list}&role=build"));
    assert_eq!(tags(&build), ["node-2"]);
    let target = plane.scoped("/v1/instances/node-2/system/restart");
    plane.world.posted(&target, &json!({ "force": true }), 503);
    for (call, body, message) in [
        (
            "reboot",
            json!({ "force": true }),
            "Reboot instance task with force mode sent",
        ),
        (
            "reboot",
            json!({ "force": false }),
            "Reboot instance task sent",
        ),
        (
            "restart",
            json!({ "force": true }),
            "Restart daemon task with force mode sent",
        ),
        (
            "restart",
            json!({ "force": false }),
            "Restart daemon task sent",
        ),
    ] {
        let target = plane.scoped(&format!("/v1/instances/{}/system/{call}", plane.tag));
        let sent = plane.world.posted(&target, &body, 202);
        assert_eq!(sent["data"]["message"], message);
    }
    let body = json!({ "clusterId": "01ZZZZZZZZZZZZZZZZZZZZZZZZ", "address": "203.0.113.9", "tag": "node-3" });
    plane.world.posted("/v1/instances", &body, 403);
}
