//! The smaller collections of dployr's documented dialect.

mod common;

use common::dployr::*;
use common::{expect, expect_status, has};
use serde_json::{Value, json};

/// A field of a route, its value, and what is wrong with it.
const WRONG_ROUTES: &str = r#"
domain | null | is required
domain | "example.com" | is routed already
service_id | null | is required
service_id | "service-123" | No such service
port | 70000 | must be an integer from 1 to 65535
"#;

#[test]
fn proxy_routes() {
    let (mut world, service) = running();
    let body = json!({ "domain": "example.com", "service_id": service, "port": 3000 });
    let route = world.posted("/v1/proxy/routes", &body, 201);
    has(
        &route,
        json!({ "domain": "example.com", "service_id": service }),
    );
    expect(&world.get("/v1/proxy/routes"), 200, &json!([route]));
    for row in WRONG_ROUTES.trim().lines() {
        let (field, value, issue) = common::three(row);
        let value = serde_json::from_str(value).unwrap_or(Value::Null);

        let mut wrong = json!({ "domain": "other.example", "service_id": service, "port": 3000 });
        wrong[field] = value;
        refused(
            &world.post("/v1/proxy/routes", &wrong),
            "Invalid proxy route",
            field,
            issue,
        );
    }
    let path = format!("/v1/proxy/routes/{}", route["id"].as_str().unwrap());
    world.deleted(&path, 204);
    missing(&world.delete(&path), "proxy route");
}

#[test]
fn projects() {
    let mut world = world();
    let body = json!({ "name": "my-project", "description": "Project description" });
    let project = world.posted("/v1/projects", &body, 201);
    has(
        &project,
        json!({ "name": body["name"], "description": body["description"] }),
    );
    expect(&world.get("/v1/projects"), 200, &json!([project]));
    let reply = world.post("/v1/projects", &json!({ "description": "x" }));
    refused(
        &reply,
        "Invalid project",
        "name",
        "is required, with at most 100 characters",
    );
    let reply = world.post("/v1/projects", &json!({ "name": "x", "description": 1 }));
    expect_status(&reply, 400);
    let path = format!("/v1/projects/{}", project["id"].as_str().unwrap());
    world.deleted(&path, 204);
    missing(&world.delete(&path), "project");
}

#[test]
fn variables() {
    let (mut world, service) = running();
    let path = format!("/v1/services/{service}/env");
    let variable = json!({ "key": "odd/key", "value": "" });
    expect(&world.post(&path, &variable), 200, &variable);
    expect(&world.get(&path), 200, &json!([variable]));
    refused(
        &world.post(&path, &json!({ "value": "x" })),
        "Invalid variable",
        "key",
        "is required",
    );
    refused(
        &world.post(&path, &json!({ "key": "x" })),
        "Invalid variable",
        "value",
        "is required",
    );
    world.deleted(&format!("{path}/odd%2Fkey"), 204);
    missing(&world.delete(&format!("{path}/odd%2Fkey")), "variable");
}

/// A field of a webhook, its value, and what is wrong with it.
const WRONG_HOOKS: &str = r#"
url | "ftp://example.com" | must be an http or https URL
events | [] | must be an array of at least one event
events | [1] | must be an array of at least one event
secret | 1 | must be a string
"#;

#[test]
fn webhooks() {
    let mut world = world();
    let body = json!({
        "url": "https://example.com/webhook",
        "events": ["deployment.created", "deployment.failed"],
        "secret": "webhook-secret",
    });
    let webhook = world.posted("/v1/webhooks", &body, 201);
    has(
        &webhook,
        json!({ "url": body["url"], "events": body["events"] }),
    );
    assert!(webhook.get("secret").is_none());
    expect(&world.get("/v1/webhooks"), 200, &json!([webhook]));
    for row in WRONG_HOOKS.trim().lines() {
        let (field, value, issue) = common::three(row);
        let value: Value = serde_json::from_str(value).unwrap();

        let mut wrong = body.clone();
        wrong[field] = value;
        refused(
            &world.post("/v1/webhooks", &wrong),
            "Invalid webhook",
            field,
            issue,
        );
    }
    let path = format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    missing(&world.delete(&path), "route");
}
