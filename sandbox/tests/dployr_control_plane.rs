//! What the recorded exchanges leave out of dployr's control plane.

mod common;

use common::plane::{Plane, builder, failure, image};
use common::{expect, expect_status, has};
use deploykit_sandbox::Request;
use serde_json::{Value, json};

#[test]
fn a_login_by_password_does_not_exist() {
    let mut plane = Plane::new();
    for path in [
        "/v1/auth/login",
        "/v1/webhooks",
        "/v1/projects",
        "/v1/projects/x",
    ] {
        let reply = plane
            .world
            .raw(&Request::new("POST", path).with_json(&json!({})));
        assert_eq!(
            (reply.status.as_u16(), reply.text_body().as_str()),
            (404, "404 Not Found")
        );
        assert_eq!(
            reply.header("content-type"),
            Some("text/plain; charset=UTF-8")
        );
    }
}

#[test]
fn outside_v1_nothing_is_counted() {
    let mut plane = Plane::new();
    let reply = plane.world.get("/nope");
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-ratelimit-limit")),
        (404, None)
    );
}

#[test]
fn health_is_open_and_has_no_envelope() {
    let mut plane = Plane::new();
    for method in ["GET", "HEAD"] {
        let reply = plane.world.raw(&Request::new(method, "/v1/health"));
        let body = expect_status(&reply, 200);
        has(
            &body,
            json!({ "status": "ok", "timestamp": "2026-11-24T02:24:27.000Z" }),
        );
    }
    assert_eq!(
        plane.world.raw(&Request::new("PUT", "/v1/health")).status,
        404
    );
}

#[test]
fn a_hundred_requests_a_minute() {
    let mut plane = Plane::new();
    let first = plane.world.get("/v1/users/me");
    assert_eq!(first.header("x-ratelimit-limit"), Some("100"));
    assert_eq!(first.header("x-ratelimit-remaining"), Some("99"));
    assert_eq!(first.header("x-ratelimit-reset"), Some("1795487100"));
    for _ in 0..99 {
        plane.world.get("/v1/users/me");
    }
    plane.world.wait(16_000);
    for path in ["/v1/users/me", "/v1/nope"] {
        let reply = plane.world.get(path);
        let expected = failure(
            "Rate limit exceeded. Try again in 17 seconds.",
            "request.too_many_requests",
        );
        expect(&reply, 429, &expected);
        assert_eq!(reply.header("retry-after"), Some("17"));
    }
    assert_eq!(
        plane.world.raw(&Request::new("GET", "/v1/health")).status,
        200,
        "another bucket"
    );
    plane.world.wait(17_000);
    plane.world.ok("/v1/users/me");
}

#[test]
fn clusters_lead_to_the_cluster_id() {
    let mut plane = Plane::new();
    let body = plane.world.ok("/v1/clusters");
    assert_eq!(body["data"]["clusters"][0]["id"], plane.cluster.as_str());
    let me = plane.world.ok("/v1/users/me");
    assert_eq!(me["data"]["clusters"], body["data"]["clusters"]);
}

#[test]
fn a_build_node_makes_a_deployment_from_git_possible() {
    let body = json!({
        "name": "from-git", "type": "web", "source": "remote", "runtime": "nodejs",
        "remoteUrl": "https://github.com/user/repo", "remoteBranch": "main",
    });
    let mut plane = Plane::new();
    plane.deploy(&body);
    plane.world.wait(1_200);
    let row = &plane.items("/v1/deployments")[0];
    has(
        row,
        json!({ "status": "success", "remoteUrl": body["remoteUrl"] }),
    );

    let mut plane = Plane::of(builder().dployr_build_node(false));
    let target = plane.scoped("/v1/deployments");
    assert_eq!(
        plane.world.posted(&target, &body, 503)["error"]["code"],
        "runtime.node_not_connected"
    );
}

#[test]
fn documented_fields_are_dropped_without_a_word() {
    let mut plane = Plane::new();
    plane.deploy(&json!({
        "name": "my-app", "type": "web", "source": "remote", "runtime": "nodejs", "version": 20,
        "remote": "https://github.com/user/repo", "branch": "main", "env": { "A": "1" },
    }));
    plane.world.wait(1_200);
    let row = &plane.items("/v1/deployments")[0];
    has(row, json!({ "remoteUrl": null, "remoteBranch": null }));
    assert_eq!(row["runtimeVersion"], "20");
    assert_eq!(row["status"], "failed", "there is nothing to clone");
    assert!(plane.items("/v1/services").is_empty());
}

#[test]
fn a_deployment_is_deleted_with_the_cluster_named_twice() {
    let mut plane = Plane::new();
    let id = plane.deploy(&image("web-one"))["taskId"]
        .as_str()
        .unwrap()
        .to_owned();
    plane.world.wait(1_200);
    let path = format!("/v1/deployments/{id}");
    let body = json!({ "clusterId": plane.cluster });
    let delete = |target: &str| Request::new("DELETE", target).with_json(&body);
    expect_status(&plane.world.send(delete(&path)), 400);
    let scoped = plane.scoped(&path);
    plane.world.deleted(&scoped, 403);
    expect(
        &plane.world.send(delete(&scoped)),
        200,
        &json!({ "success": true, "data": {} }),
    );
    let services = plane.items("/v1/services");
    assert_eq!(
        services[0]["deploymentName"],
        Value::Null,
        "the service stays"
    );
}

#[test]
fn services_are_had_by_id_and_switched() {
    let mut plane = Plane::new();
    let id = plane.running();
    let body = plane.world.ok(&format!("/v1/services/{id}"));
    assert_eq!(body["data"]["service"]["name"], "web-one");
    assert!(body["data"]["service"].get("deploymentName").is_none());
    let status = "/v1/status?domain=web-one.dployr.run";
    let says = |plane: &mut Plane, word: &str| {
        expect(
            &plane.world.raw(&Request::new("GET", status)),
            200,
            &json!({ "status": word }),
        );
    };
    says(&mut plane, "ready");
    let task = plane.world.called(&format!("/v1/services/{id}/stop"), 200);
    assert_eq!(task["data"]["taskId"].as_str().unwrap().len(), 26);
    says(&mut plane, "starting");
    plane.world.wait(1_200);
    says(&mut plane, "ready");
    expect(
        &plane.world.get("/v1/status?domain=ghost.dployr.run"),
        200,
        &json!({ "status": "not_found" }),
    );
    expect(
        &plane.world.get("/v1/status"),
        400,
        &json!({ "status": "not_found" }),
    );

    plane.world.deleted(&format!("/v1/services/{id}"), 200);
    let gone = json!({ "error": "Service not found", "code": "resource.missing_resource" });
    expect(
        &plane.world.delete(&format!("/v1/services/{id}")),
        404,
        &gone,
    );
    assert!(
        plane.items("/v1/deployments").is_empty(),
        "its deployment goes with it"
    );
}

#[test]
fn an_update_replaces_the_variables_and_resets_the_health_check() {
    let mut plane = Plane::new();
    let id = plane.running();
    let patch = |body: &Value| Request::new("PATCH", &format!("/v1/services/{id}")).with_json(body);
    let failure = |message: &str| failure(message, "request.bad_request");
    let expected = failure(
        "Validation failed: instanceName: Invalid input: expected string, received undefined",
    );
    expect(
        &plane
            .world
            .send(patch(&json!({ "env_vars": { "A": "1" } }))),
        400,
        &expected,
    );
    let expected =
        failure("Validation failed: env_vars.A: Invalid input: expected string, received number");
    let tag = plane.world.state.dployr().access("").instance_tag;
    expect(
        &plane.world.send(patch(
            &json!({ "instanceName": tag, "env_vars": { "A": 1 } }),
        )),
        400,
        &expected,
    );
    expect_status(
        &plane.world.send(patch(&json!({ "instanceName": "ghost" }))),
        404,
    );

    let body = json!({ "instanceName": tag, "env_vars": { "NEW": "n" }, "port": 4000, "description": "x", "image": "node:22" });
    let updated = expect_status(&plane.world.send(patch(&body)), 200)["data"].clone();
    let row = &updated["deployment"];
    has(row, json!({ "healthCheck": "/", "updatedAt": null }));
    has(
        row,
        json!({ "status": "pending", "port": 4000, "image": "node:22" }),
    );
    let envs = plane.world.ok(&format!("/v1/services/{id}/envs"));
    assert_eq!(envs["data"]["envs"], json!({ "NEW": "n" }));
    let cleared = patch(&json!({ "instanceName": tag, "description": null }));
    let updated = expect_status(&plane.world.send(cleared), 200);
    assert_eq!(updated["data"]["deployment"]["description"], Value::Null);
}

#[test]
fn logs_are_a_bare_array_by_id_or_name() {
    let mut plane = Plane::new();
    plane.deploy(&image("web-one"));
    let early = plane.world.ok("/v1/services/web-one/logs");
    assert_eq!(
        early.as_array().unwrap().len(),
        1,
        "of the deployment, before there is a service"
    );
    plane.world.wait(1_200);
    let id = plane.items("/v1/services")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/services/{id}/logs");
    let all = plane.world.ok(&path);
    let all = all.as_array().unwrap();
    assert_eq!(all.last().unwrap()["source"], "dployrd");
    let some = |plane: &mut Plane, query: &str| {
        let body = plane.world.ok(&format!("{path}?{query}"));
        body.as_array().unwrap().clone()
    };
    assert_eq!(some(&mut plane, "limit=2"), all[..2], "the oldest");
    assert_eq!(some(&mut plane, "tail=1"), *all, "not looked at");
    assert_eq!(some(&mut plane, "source=build").len(), 4, "and `deploy`");
    assert_eq!(some(&mut plane, "source=runtime"), all[4..]);
    for word in ["deploy", "all", "other", ""] {
        assert_eq!(some(&mut plane, &format!("source={word}")), *all, "{word}");
    }
    assert_eq!(some(&mut plane, "limit=2abc"), all[..2]);
    for all_of_it in [
        "limit=0", "limit=-2", "limit=x", "since=0", "since=x", "until=0",
    ] {
        assert_eq!(some(&mut plane, all_of_it), *all, "{all_of_it}");
    }
    let last = all.last().unwrap()["timestamp"].as_u64().unwrap();
    assert!(some(&mut plane, &format!("since={}", last + 1)).is_empty());
    assert_eq!(some(&mut plane, &format!("until={}", last - 1)).len(), 2);
    let followed = plane.world.get(&format!("{path}?follow=1"));
    assert_eq!(
        followed.header("content-type"),
        Some("application/x-ndjson")
    );
    assert_eq!(followed.text_body().lines().count(), all.len());
    plane.world.wait(25 * 3_600_000);
    assert!(some(&mut plane, "").is_empty(), "a day back by default");
    assert!(some(&mut plane, "since=0").is_empty(), "which zero is too");
    assert_eq!(some(&mut plane, "since=1").len(), all.len());
    let missing = failure("Service not found", "resource.missing_resource");
    expect(&plane.world.get("/v1/services/ghost/logs"), 404, &missing);
}

#[test]
fn instances_have_pages_and_an_unwrapped_self() {
    let mut plane = Plane::new();
    let listed = plane.items("/v1/instances")[0].clone();
    let one = plane
        .world
        .ok(&format!("/v1/instances/{}", listed["id"].as_str().unwrap()));
    assert_eq!(one["data"]["tag"], listed["tag"]);
    let target = plane.scoped("/v1/instances") + "&page=7&pageSize=abc";
    let beyond = plane.world.ok(&target);
    let expected = json!({
        "page": 7, "pageSize": 20, "totalItems": 1, "totalPages": 1, "hasNextPage": false, "hasPreviousPage": true,
    });
    has(
        &beyond["data"],
        json!({ "items": [], "pagination": expected }),
    );
    let target = plane.scoped("/v1/instances") + "&page=2x&pageSize=0";
    let lenient = plane.world.ok(&target);
    let lenient = &lenient["data"]["pagination"];
    has(lenient, json!({ "page": 2, "pageSize": 20 }));
    let target = plane.scoped("/v1/instances") + "&page=0&pageSize=1000";
    let clamped = plane.world.ok(&target);
    has(
        &clamped["data"]["pagination"],
        json!({ "page": 1, "pageSize": 100 }),
    );
}

#[test]
fn one_webhook_a_cluster_and_nothing_is_checked() {
    let mut plane = Plane::new();
    let target = plane.scoped("/v1/notifications/webhook/setup");
    let body = plane.world.posted(&target, &json!({}), 200);
    assert_eq!(body["data"]["events"].as_array().unwrap().len(), 7);
    let webhook = json!({ "webhookUrl": "http://127.0.0.1:9/hook", "enabled": false, "events": ["deployment.created"] });
    let body = plane.world.posted(&target, &webhook, 200);
    assert_eq!(
        body,
        json!({ "success": true, "data": webhook, "message": "Custom webhook integration configured" })
    );
    let listed = plane.scoped("/v1/integrations/list");
    let body = plane.world.ok(&listed);
    assert_eq!(body["data"]["notification"]["customWebhook"], webhook);
    let body = plane
        .world
        .ok(&format!("/v1/clusters/{}/integrations", plane.cluster));
    assert_eq!(body["data"]["notification"]["customWebhook"], webhook);
    let bad = Request::new("POST", &target).with_body("application/json", "{bad");
    assert_eq!(
        expect_status(&plane.world.send(bad), 500)["error"]["code"],
        "runtime.internal_server_error"
    );
    plane
        .world
        .posted("/v1/notifications/webhook/setup", &webhook, 400);
}

#[test]
fn routable_services() {
    let mut plane = Plane::new();
    plane.running();
    let target = plane.scoped("/v1/proxy/services");
    let body = plane.world.ok(&target);
    assert_eq!(
        body["data"]["services"][0]["url"],
        "https://web-one.owner.dployr.io"
    );
}
