//! The smaller collections of dployr's documented dialect.

mod common;

use common::dployr::*;
use common::{expect, expect_status};
use serde_json::{Value, json};

#[test]
fn proxy_routes() {
    let (mut world, service) = running();
    let body = json!({ "domain": "example.com", "service_id": service, "port": 3000 });
    let route = expect_status(&world.post("/v1/proxy/routes", &body), 201);
    assert_eq!(
        (&route["domain"], &route["service_id"]),
        (&json!("example.com"), &json!(service))
    );
    expect(&world.get("/v1/proxy/routes"), 200, &json!([route]));
    for (field, value, issue) in [
        ("domain", Value::Null, "is required"),
        ("domain", json!("example.com"), "is routed already"),
        ("service_id", Value::Null, "is required"),
        ("service_id", json!("service-123"), "No such service"),
        ("port", json!(70_000), "must be an integer from 1 to 65535"),
    ] {
        let mut wrong = json!({ "domain": "other.example", "service_id": service, "port": 3000 });
        wrong[field] = value;
        expect(
            &world.post("/v1/proxy/routes", &wrong),
            400,
            &invalid("Invalid proxy route", field, issue),
        );
    }
    let path = format!("/v1/proxy/routes/{}", route["id"].as_str().unwrap());
    expect_status(&world.delete(&path), 204);
    expect(&world.delete(&path), 404, &no_such("proxy route"));
}

#[test]
fn projects() {
    let mut world = world();
    let body = json!({ "name": "my-project", "description": "Project description" });
    let project = expect_status(&world.post("/v1/projects", &body), 201);
    assert_eq!(
        (&project["name"], &project["description"]),
        (&body["name"], &body["description"])
    );
    expect(&world.get("/v1/projects"), 200, &json!([project]));
    let reply = world.post("/v1/projects", &json!({ "description": "x" }));
    expect(
        &reply,
        400,
        &invalid(
            "Invalid project",
            "name",
            "is required, with at most 100 characters",
        ),
    );
    let reply = world.post("/v1/projects", &json!({ "name": "x", "description": 1 }));
    expect_status(&reply, 400);
    let path = format!("/v1/projects/{}", project["id"].as_str().unwrap());
    expect_status(&world.delete(&path), 204);
    expect(&world.delete(&path), 404, &no_such("project"));
}

#[test]
fn variables() {
    let (mut world, service) = running();
    let path = format!("/v1/services/{service}/env");
    let variable = json!({ "key": "odd/key", "value": "" });
    expect(&world.post(&path, &variable), 200, &variable);
    expect(&world.get(&path), 200, &json!([variable]));
    expect(
        &world.post(&path, &json!({ "value": "x" })),
        400,
        &invalid("Invalid variable", "key", "is required"),
    );
    expect(
        &world.post(&path, &json!({ "key": "x" })),
        400,
        &invalid("Invalid variable", "value", "is required"),
    );
    expect_status(&world.delete(&format!("{path}/odd%2Fkey")), 204);
    expect(
        &world.delete(&format!("{path}/odd%2Fkey")),
        404,
        &no_such("variable"),
    );
}

#[test]
fn webhooks() {
    let mut world = world();
    let body = json!({
        "url": "https://example.com/webhook",
        "events": ["deployment.created", "deployment.failed"],
        "secret": "webhook-secret",
    });
    let webhook = expect_status(&world.post("/v1/webhooks", &body), 201);
    assert_eq!(
        (&webhook["url"], &webhook["events"]),
        (&body["url"], &body["events"])
    );
    assert!(webhook.get("secret").is_none());
    expect(&world.get("/v1/webhooks"), 200, &json!([webhook]));
    for (field, value, issue) in [
        (
            "url",
            json!("ftp://example.com"),
            "must be an http or https URL",
        ),
        (
            "events",
            json!([]),
            "must be an array of at least one event",
        ),
        (
            "events",
            json!([1]),
            "must be an array of at least one event",
        ),
        ("secret", json!(1), "must be a string"),
    ] {
        let mut wrong = body.clone();
        wrong[field] = value;
        expect(
            &world.post("/v1/webhooks", &wrong),
            400,
            &invalid("Invalid webhook", field, issue),
        );
    }
    let path = format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    expect(&world.delete(&path), 404, &no_such("route"));
}
