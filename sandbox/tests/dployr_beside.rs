//! dployr's control plane beside what a user has: credentials, names, another tenant, and what the spec knows nothing of.

mod common;

use common::plane::{Plane, builder, failure, image};
use common::{expect, expect_status, has};
use deploykit_sandbox::Request;
use serde_json::json;

#[test]
fn a_logout_takes_the_cookie_away() {
    let mut plane = Plane::new();
    let reply = plane.world.raw(&Request::new("GET", "/v1/auth/logout"));
    assert_eq!(
        reply.header("set-cookie"),
        Some("session=; Max-Age=0; Path=/")
    );
}

#[test]
fn tokens_ask_for_credentials_before_they_refuse_a_token() {
    let mut plane = Plane::new();
    let routes = [
        ("POST", "/v1/auth/tokens"),
        ("GET", "/v1/auth/tokens"),
        ("DELETE", "/v1/auth/tokens/x"),
    ];
    for (method, path) in routes {
        let nobody = json!({ "error": "Not authenticated", "code": "auth.bad_session" });
        expect(&plane.world.raw(&Request::new(method, path)), 401, &nobody);
        let wrong = Request::new(method, path).with_header("authorization", "Bearer dpat_x");
        expect(&plane.world.raw(&wrong), 401, &nobody);
        expect_status(&plane.world.send(Request::new(method, path)), 403);
    }
}

#[test]
fn names_and_runtimes_are_checked() {
    let mut plane = Plane::new();
    let target = plane.scoped("/v1/deployments");
    let long = "a".repeat(60) + "-bcd";
    let runtime = "Validation failed: runtime: Type must be either 'golang', 'php', 'python', 'nodejs', 'ruby', \
                   'dotnet' or 'java'";
    for (field, value, message) in [
        ("name", "a", "name must be at least 2 characters"),
        ("name", &long, "name must be at most 63 characters"),
        (
            "name",
            "a--b",
            "name contains invalid characters. Examples: my-slug, foo-123",
        ),
        (
            "name",
            "Web",
            "name contains invalid characters. Examples: my-slug, foo-123",
        ),
        (
            "name",
            "aaaaa",
            "name contains suspicious character repetition",
        ),
        ("name", "web-1488", "name contains a known extremist code"),
        ("runtime", "rust", runtime),
        ("runtimeType", "static", runtime),
    ] {
        let mut body = image("web-one");
        body[field] = json!(value);
        let reply = plane.world.posted(&target, &body, 400);
        assert_eq!(reply["error"]["message"], message, "{value}");
    }
    for name in ["aaaa", "web-1885"] {
        let mut body = image(name);
        body["runtimeType"] = json!("ruby");
        plane.deploy(&body);
    }
}

#[test]
fn a_name_of_another_tenant_is_taken() {
    let mut plane = Plane::new();
    let expected = failure(
        "Service name neighbour-app, has been taken",
        "resource.conflict",
    );
    let target = plane.scoped("/v1/deployments");
    let reply = plane.world.post(&target, &image("neighbour-app"));
    expect(&reply, 409, &expected);
    assert!(plane.items("/v1/deployments").is_empty());
}

#[test]
fn a_service_of_another_tenant_is_listed_and_refused() {
    assert!(Plane::new().items("/v1/services").is_empty(), "by default");
    let mut plane = Plane::of(builder().dployr_neighbour(true));
    plane.running();
    plane.deploy(&image("another"));
    plane.world.wait(1_200);
    let list = plane.items("/v1/services");
    let names: Vec<&str> = list.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["another", "neighbour-app", "web-one"]);
    let theirs = &list[1];
    assert!(theirs["clusterId"].is_string());
    assert_ne!(theirs["clusterId"], plane.cluster.as_str());
    assert!(
        theirs
            .as_object()
            .unwrap()
            .keys()
            .eq(list[0].as_object().unwrap().keys())
    );

    let id = theirs["id"].as_str().unwrap();
    let flat = |role: &str| {
        let lower = role.to_lowercase();
        json!({
            "error": format!("Insufficient permissions. {role} role is required"),
            "code": format!("permission.{lower}_role_required"),
        })
    };
    for (method, rest, role) in [
        ("GET", "", "Viewer"),
        ("GET", "/envs", "Viewer"),
        ("GET", "/secrets", "Developer"),
        ("PATCH", "", "Developer"),
        ("POST", "/start", "Developer"),
        ("POST", "/stop", "Developer"),
        ("DELETE", "", "Developer"),
    ] {
        let request = Request::new(method, &format!("/v1/services/{id}{rest}"));
        expect(&plane.world.send(request), 403, &flat(role));
    }
    let expected = failure("Not a member of this cluster", "permission.forbidden");
    for service in [id, "neighbour-app"] {
        let logs = format!("/v1/services/{service}/logs");
        expect(&plane.world.get(&logs), 403, &expected);
    }
}

#[test]
fn what_nobody_counts_and_what_counts_as_of_nobody() {
    let mut plane = Plane::new();
    let admin = plane.world.get("/v1/admin/instances");
    assert_eq!(
        (admin.status.as_u16(), admin.header("x-ratelimit-limit")),
        (501, None)
    );
    let first = plane.world.get("/v1/users/me");
    assert_eq!(first.header("x-ratelimit-remaining"), Some("99"));

    for (path, left) in [("/v1/users/me", "99"), ("/v1/nope", "98")] {
        let preflight = plane.world.raw(&Request::new("OPTIONS", path));
        assert_eq!(
            (preflight.status.as_u16(), preflight.text_body().as_str()),
            (204, "")
        );
        assert_eq!(preflight.header("x-ratelimit-remaining"), Some(left));
    }
}

#[test]
fn routes_of_a_proxy_are_forgotten_by_what_is_named() {
    let mut plane = Plane::new();
    let target = plane.scoped("/v1/proxy/invalidate");
    for (body, message) in [
        (
            json!({ "serviceName": "a", "clusterName": "b" }),
            "Route a.b invalidated",
        ),
        (
            json!({ "clusterName": "b" }),
            "All routes for cluster b invalidated",
        ),
    ] {
        let reply = plane.world.posted(&target, &body, 200);
        assert_eq!(reply["data"]["message"], message);
    }
    plane
        .world
        .posted(&target, &json!({ "serviceName": "a" }), 400);
    let foreign = plane
        .world
        .post("/v1/proxy/invalidate?clusterId=x", &json!({}));
    expect_status(&foreign, 403);
    let broken = Request::new("POST", &target).with_body("application/json", "{");
    assert_eq!(plane.world.send(broken).status, 500);
}

#[test]
fn notifications_of_a_cluster_are_kept() {
    let mut plane = Plane::new();
    let path = format!("/v1/clusters/{}/notifications", plane.cluster);
    let url = "https://example.com/hook";
    let body = json!({ "enabled": false, "slackWebhookUrl": url });
    let put = Request::new("PUT", &path).with_json(&body);
    let written = expect_status(&plane.world.send(put), 200);
    let kept = &written["data"]["notifications"];
    has(kept, json!({ "enabled": false, "slackWebhookUrl": url }));
    assert_eq!(plane.world.ok(&path), written);
    plane.world.fails("/v1/clusters/x/notifications", 403);
}

#[test]
fn what_is_left_out_says_so() {
    let mut plane = Plane::new();
    for (method, path) in [
        ("GET", "/v1/auth/sessions"),
        ("POST", "/v1/instances/x/tokens/rotate"),
        ("GET", "/v1/billing/plans"),
    ] {
        let body = expect_status(&plane.world.send(Request::new(method, path)), 501);
        assert_eq!(body["error"]["code"], "sandbox.not_modelled");
    }
    let open = Request::new("POST", "/v1/domains/register");
    expect_status(&plane.world.raw(&open), 501);
}
