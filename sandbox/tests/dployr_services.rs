//! What the recorded exchanges leave out of one service and of instances on dployr's control plane.

mod common;

use common::{World, expect, expect_status};
use deploykit_sandbox::{Builder, Dialect, Platform, Request, Sandbox};
use serde_json::{Value, json};

struct Plane {
    world: World,
    cluster: String,
    tag: String,
}

impl Plane {
    fn new() -> Self {
        let builder = Sandbox::builder()
            .dployr_dialect(Dialect::ControlPlane)
            .dployr_build_node(false);
        Self::of(builder)
    }

    fn of(builder: Builder) -> Self {
        let world = World::new(Platform::Dployr, builder);
        let access = world.state.dployr().access("");
        Self {
            world,
            cluster: access.cluster_id,
            tag: access.instance_tag,
        }
    }

    fn scoped(&self, path: &str) -> String {
        format!("{path}?clusterId={}", self.cluster)
    }

    /// A service that runs: its path.
    fn running(&mut self) -> String {
        let target = self.scoped("/v1/deployments");
        let body = json!({
            "name": "web-one", "type": "web", "source": "image", "image": "node:20-alpine",
            "health_check": "/health", "env_vars": { "A": "1" }, "secrets": { "S1": "x", "S2": "x" },
        });
        expect_status(&self.world.post(&target, &body), 202);
        self.world.wait(1_200);
        let list = expect_status(&self.world.get(&self.scoped("/v1/services")), 200);
        let id = list["data"]["items"][0]["id"].as_str().unwrap();
        format!("/v1/services/{id}")
    }

    fn patch(&mut self, service: &str, fields: Value) -> (u16, Value) {
        let mut body = fields;
        body["instanceName"] = Value::from(self.tag.as_str());
        let reply = self
            .world
            .send(Request::new("PATCH", service).with_json(&body));
        (reply.status, reply.json_body())
    }

    fn secrets(&mut self, service: &str) -> Vec<String> {
        let body = expect_status(&self.world.get(&format!("{service}/secrets")), 200);
        let rows = body["data"]["secrets"].as_array().unwrap();
        let keys = rows
            .iter()
            .map(|row| row["key"].as_str().unwrap().to_owned());
        keys.collect()
    }
}

#[test]
fn secrets_stay_only_if_they_are_named_once_either_field_is_there() {
    let mut plane = Plane::new();
    let service = plane.running();
    plane.patch(&service, json!({ "port": 80 }));
    assert_eq!(plane.secrets(&service), ["S1", "S2"], "neither field");
    plane.patch(&service, json!({ "keep_secret_keys": [] }));
    assert_eq!(
        plane.secrets(&service),
        ["S1", "S2"],
        "an empty list is none"
    );
    plane.patch(&service, json!({ "keep_secret_keys": ["S2"] }));
    assert_eq!(plane.secrets(&service), ["S2"]);
    plane.patch(&service, json!({ "secrets": { "S3": "x" } }));
    assert_eq!(plane.secrets(&service), ["S3"]);
}

#[test]
fn a_health_check_is_forgotten_unless_it_is_sent() {
    let mut plane = Plane::new();
    let service = plane.running();
    for (fields, path) in [
        (json!({ "health_check": "/health" }), "/health"),
        (json!({ "health_check": "live/" }), "/live"),
        (json!({ "health_check": null }), "/"),
        (json!({}), "/"),
    ] {
        let (status, body) = plane.patch(&service, fields.clone());
        assert_eq!(status, 200, "{fields}");
        assert_eq!(body["data"]["deployment"]["healthCheck"], path, "{fields}");
    }
}

#[test]
fn an_update_that_nobody_can_build_is_saved_all_the_same() {
    let mut plane = Plane::new();
    let service = plane.running();
    let fields = json!({ "remote_url": "https://git.example/a.git", "env_vars": { "B": "2" } });
    let (status, body) = plane.patch(&service, fields);
    assert_eq!(
        (status, &body["error"]["code"]),
        (503, &json!("runtime.node_not_connected"))
    );
    let envs = expect_status(&plane.world.get(&format!("{service}/envs")), 200);
    assert_eq!(envs["data"]["envs"], json!({ "B": "2" }));
    let list = plane.scoped("/v1/deployments");
    let list = expect_status(&plane.world.get(&list), 200);
    assert_eq!(list["data"]["items"][0]["source"], "remote");
}

#[test]
fn the_default_webhook_tells_of_instances() {
    let mut plane = Plane::new();
    let hook = json!({ "webhookUrl": "http://127.0.0.1:1/hook", "enabled": true });
    let target = plane.scoped("/v1/notifications/webhook/setup");
    expect_status(&plane.world.post(&target, &hook), 200);
    let body = json!({ "clusterId": plane.cluster, "address": "203.0.113.9", "tag": "node-2" });
    let made = expect_status(&plane.world.post("/v1/instances", &body), 201);
    let id = made["data"]["instance"]["id"].clone();
    let path = format!("/v1/instances/{}", id.as_str().unwrap());
    expect_status(&plane.world.delete(&path), 200);
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
    let mut plane = Plane::new();
    let service = plane.running();
    let list = plane.scoped("/v1/deployments");
    let list = expect_status(&plane.world.get(&list), 200);
    let id = list["data"]["items"][0]["id"].as_str().unwrap();
    let delete = plane.scoped(&format!("/v1/deployments/{id}"));
    let body = json!({ "clusterId": plane.cluster });
    let delete = Request::new("DELETE", &delete).with_json(&body);
    expect_status(&plane.world.send(delete), 200);
    let fields = json!({ "env_vars": { "B": "2" }, "secrets": { "S3": "x" } });
    let (status, body) = plane.patch(&service, fields);
    let expected = json!({ "success": false, "error": {
        "message": "Service has no deployment record", "code": "resource.missing_resource",
    } });
    assert_eq!((status, body), (404, expected));
    let envs = expect_status(&plane.world.get(&format!("{service}/envs")), 200);
    assert_eq!(envs["data"]["envs"], json!({ "B": "2" }));
    assert_eq!(plane.secrets(&service), ["S3"]);
}

#[test]
fn the_source_follows_what_an_update_leaves() {
    let builder = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let mut plane = Plane::of(builder);
    let service = plane.running();
    let git = "https://example.com/app.git";
    for (fields, source, image, remote) in [
        (json!({}), "image", json!("node:20-alpine"), Value::Null),
        (
            json!({ "remote_url": git }),
            "remote",
            Value::Null,
            json!(git),
        ),
        (
            json!({ "image": "a:1" }),
            "remote",
            json!("a:1"),
            json!(git),
        ),
        (
            json!({ "remote_url": null }),
            "remote",
            Value::Null,
            Value::Null,
        ),
        (
            json!({ "image": "a:2" }),
            "image",
            json!("a:2"),
            Value::Null,
        ),
        (
            json!({ "image": "a:3", "remote_url": null }),
            "remote",
            Value::Null,
            Value::Null,
        ),
    ] {
        let (status, body) = plane.patch(&service, fields.clone());
        assert_eq!(status, 200, "{fields}");
        let row = &body["data"]["deployment"];
        assert_eq!(
            (&row["source"], &row["image"], &row["remoteUrl"]),
            (&json!(source), &image, &remote),
            "{fields}"
        );
    }
    // Nothing is to be built where there is no repository.
    let mut plane = Plane::new();
    let service = plane.running();
    let (status, _) = plane.patch(&service, json!({ "remote_url": null }));
    assert_eq!(status, 200);
}

#[test]
fn the_status_of_a_domain_of_ones_own_is_that_of_its_service() {
    let mut plane = Plane::new();
    let service = plane.running();
    let body = json!({ "clusterId": plane.cluster, "domain": "app.example.com", "serviceName": "web-one" });
    expect_status(&plane.world.post("/v1/domains", &body), 200);
    let says = |plane: &mut Plane, word: &str| {
        let asked = Request::new("GET", "/v1/status?domain=app.example.com");
        expect(&plane.world.raw(&asked), 200, &json!({ "status": word }));
    };
    says(&mut plane, "ready");
    expect_status(&plane.world.post_empty(&format!("{service}/stop")), 200);
    says(&mut plane, "starting");
    expect_status(&plane.world.delete(&service), 200);
    says(&mut plane, "ready");
}

#[test]
fn a_domain_that_is_there_already_stays_as_it_is() {
    let mut plane = Plane::new();
    plane.running();
    let body =
        json!({ "clusterId": plane.cluster, "domain": "app.site.test", "serviceName": "web-one" });
    let first = expect_status(&plane.world.post("/v1/domains", &body), 200);
    expect_status(
        &plane.world.post_empty("/v1/domains/app.site.test/verify"),
        204,
    );
    let again = expect_status(&plane.world.post("/v1/domains", &body), 200);
    assert_eq!(again, first);
    let kept = expect_status(&plane.world.get("/v1/domains/app.site.test"), 200);
    assert_eq!(kept["data"]["status"], "active");
}

#[test]
fn logs_of_the_cluster_can_be_narrowed() {
    let mut plane = Plane::new();
    plane.running();
    let scoped = plane.scoped("/v1/logs");
    let mut read = |more: &str| {
        let body = expect_status(&plane.world.get(&format!("{scoped}{more}")), 200);
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
    let expected = json!({ "success": false, "error": {
        "message": "Not a member of this cluster", "code": "permission.forbidden",
    } });
    expect(&foreign, 403, &expected);
}

#[test]
fn a_registered_instance_stands_in_the_list_and_is_not_connected() {
    let mut plane = Plane::new();
    let body = json!({ "clusterId": plane.cluster, "address": "203.0.113.9", "tag": "node-2", "role": "build" });
    expect_status(&plane.world.post("/v1/instances", &body), 201);
    let list = plane.scoped("/v1/instances");
    let tags = |list: &Value| {
        let items = list["data"]["items"].as_array().unwrap().clone();
        let tags = items
            .iter()
            .map(|item| item["tag"].as_str().unwrap().to_owned());
        tags.collect::<Vec<_>>()
    };
    let all = expect_status(&plane.world.get(&list), 200);
    assert_eq!(tags(&all), ["node-2", plane.tag.as_str()]);
    let build = expect_status(&plane.world.get(&format!("{list}&role=build")), 200);
    assert_eq!(tags(&build), ["node-2"]);
    let target = plane.scoped("/v1/instances/node-2/system/restart");
    expect_status(&plane.world.post(&target, &json!({ "force": true })), 503);
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
        let sent = expect_status(&plane.world.post(&target, &body), 202);
        assert_eq!(sent["data"]["message"], message);
    }
    let body = json!({ "clusterId": "01ZZZZZZZZZZZZZZZZZZZZZZZZ", "address": "203.0.113.9", "tag": "node-3" });
    expect_status(&plane.world.post("/v1/instances", &body), 403);
}
