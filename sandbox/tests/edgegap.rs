//! Every rule of Edgegap.

mod common;

use common::edgegap::*;
use common::{World, expect, expect_status, has};
use deploykit_sandbox::{Request, Sandbox};
use serde_json::{Value, json};

/// A body that every rule accepts, for both operations.
fn full(world: &World) -> Value {
    let host = world.state.edgegap().access("").private_host_id;
    body_with(
        world,
        json!({
            "private_host_ids": [host, "a-host-nobody-knows"],
            "require_cached_locations": null,
            "users": [
                { "user_type": "ip_address", "user_data": { "ip_address": "75.28.35.192" } },
                { "user_type": "geo_coordinates", "user_data": { "latitude": 45.5, "longitude": -73.5 } },
            ],
            "environment_variables": [{ "key": "MODE", "value": "ranked", "is_hidden": false }],
            "tags": ["eu"],
            "webhook_on_ready": { "url": "https://example.com/ready" },
            "webhook_on_error": { "url": "https://example.com/error" },
            "webhook_on_terminated": { "url": "https://example.com/terminated" },
            "resources": { "cpu_units": 512, "memory_mib": 1024 },
        }),
    )
}

#[test]
fn a_full_and_a_short_body_are_accepted() {
    let mut world = world();
    for path in [CLOUD, FLEET] {
        let full = full(&world);
        let reply = world.post(path, &full);
        let reply = expect_status(&reply, 202);
        let id = reply["request_id"].as_str().unwrap();
        assert!(
            id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert_eq!(reply.as_object().unwrap().len(), 1);
    }
    let short = body(&world);
    world.posted(CLOUD, &short, 202);
}

/// The field, its value as JSON or `-` where it is left out, and the place that the refusal names.
const WRONG: &str = r#"
application | - | body.application
application | 1 | body.application
application | "" | body.application
version | - | body.version
users | - | body.users
users | [] | body.users
users | {} | body.users
users | [{ "user_data": {} }] | body.users[0].user_type
users | [{ "user_type": "ip_address" }] | body.users[0].user_data
users | [{ "user_type": "region", "user_data": {} }] | body.users[0].user_type
users | [{ "user_type": "ip_address", "user_data": {} }] | users
users | [{ "user_type": "ip_address", "user_data": { "ip_address": "x" } }] | users
users | [{ "user_type": "geo_coordinates", "user_data": { "latitude": 1 } }] | users
users | [{ "user_type": "geo_coordinates", "user_data": { "latitude": 91, "longitude": 0 } }] | body.users[0].user_data.latitude
require_cached_locations | "no" | require_cached_locations
environment_variables | {} | body.environment_variables
environment_variables | [{ "value": "b", "is_hidden": true }] | body.environment_variables[0].key
environment_variables | [{ "key": "a", "is_hidden": true }] | body.environment_variables[0].value
environment_variables | [{ "key": "a", "value": "b" }] | body.environment_variables[0].is_hidden
tags | [1] | body.tags[0]
webhook_on_ready | {} | body.webhook_on_ready.url
webhook_on_error | "https://x" | body.webhook_on_error
webhook_on_terminated | { "url": 1 } | body.webhook_on_terminated.url
resources | { "cpu_units": 99, "memory_mib": 100 } | body.resources.cpu_units
resources | { "cpu_units": 100, "memory_mib": 201 } | resources
private_host_ids | - | body.private_host_ids
private_host_ids | [] | body.private_host_ids
private_host_ids | [1] | body.private_host_ids[0]
private_host_ids | ["a", "b", "a"] | body.private_host_ids
"#;

#[test]
fn fields_are_checked() {
    let mut world = world();
    for row in WRONG.trim().lines() {
        let (field, value, place) = common::three(row);
        let mut body = full(&world);
        match serde_json::from_str(value) {
            Ok(value) => body[field] = value,
            Err(_) => drop(body.as_object_mut().unwrap().remove(field)),
        }
        let path = if field == "private_host_ids" {
            FLEET
        } else {
            CLOUD
        };
        let reply = world.posted(path, &body, 400);
        assert!(reply["details"][place].is_string(), "{row}: {reply}");
    }
    let pagination = json!({
        "number": 1, "next_page_number": null, "previous_page_number": null,
        "paginator": { "num_pages": 1 }, "has_next": false, "has_previous": false,
    });
    let nothing = json!({ "data": [], "total_count": 0, "pagination": pagination, "message": [] });
    expect(&world.get("/v1/deployments"), 200, &nothing);
}

#[test]
fn an_unknown_application_or_version_is_refused() {
    let mut world = world();
    for path in [CLOUD, FLEET] {
        for (field, value) in [("application", "other"), ("version", "0")] {
            let mut body = full(&world);
            body[field] = json!(value);
            let expected = json!({ "message": format!("Unknown {field} {value}"), "details": { field: "does not exist" } });
            expect(&world.post(path, &body), 400, &expected);
        }
    }
}

#[test]
fn the_token_has_exactly_one_prefix() {
    let mut world = world();
    let token = world.state.edgegap().access("").token;
    let body = full(&world);
    for path in [CLOUD, FLEET] {
        let reply = world.raw(&Request::new("POST", path).with_json(&body));
        says(&reply, 401, "Missing token");
        for value in [
            token.clone(),
            format!("token token {token}"),
            format!("Bearer {token}"),
            format!("Token {token}"),
            format!("token  {token}"),
            "token 00000000-0000-4000-8000-000000000000".to_owned(),
        ] {
            let request = Request::new("POST", path)
                .with_json(&body)
                .with_header("authorization", &value);
            says(&world.raw(&request), 401, "Invalid token");
        }
    }
}

#[test]
fn the_body_must_be_labelled_json() {
    let mut world = world();
    let post = |kind: &str, body: &str| Request::new("POST", CLOUD).with_body(kind, body);
    let valid = full(&world).to_string();
    for (request, text) in [
        (
            post("text/plain", &valid),
            "Content-Type must be application/json",
        ),
        (
            Request::new("POST", CLOUD),
            "Content-Type must be application/json",
        ),
        (post("application/json", ""), "the body is not valid JSON"),
        (
            post("application/json", "[]"),
            "the body must be a JSON object",
        ),
    ] {
        says(&world.send(request), 400, text);
    }
}

#[test]
fn a_deployment_becomes_ready() {
    let mut world = world();
    let id = deploy(&mut world);
    let seeking = status(&mut world, &id);
    assert_eq!(seeking["current_status"], "Status.SEEKING");
    has(&seeking, json!({ "running": false, "public_ip": null }));
    world.wait(400);
    assert_eq!(
        status(&mut world, &id)["current_status"],
        "Status.DEPLOYING"
    );
    world.wait(800);
    let ready = status(&mut world, &id);
    has(
        &ready,
        json!({ "current_status": "Status.READY", "running": true }),
    );
    let port = &ready["ports"]["gameport"];
    assert_eq!(
        port["link"],
        format!("{id}.pr.edgegap.net:{}", port["external"])
    );
}

#[test]
fn without_capacity_a_deployment_in_error_is_left_behind() {
    let mut world = world_of(Sandbox::builder().edgegap_capacity(1));
    let first = deploy(&mut world);
    for path in [CLOUD, FLEET] {
        let full = full(&world);
        let reply = world.posted(path, &full, 422);
        assert_eq!(reply["message"], "Could not allocate an Edge Server");
        assert_eq!(reply.as_object().unwrap().len(), 2);
        let left = status(&mut world, reply["request_id"].as_str().unwrap());
        has(
            &left,
            json!({ "current_status": "Status.ERROR", "error": true }),
        );
        assert_eq!(left["error_detail"], "Could not allocate an Edge Server");
    }
    world.wait(1_200);
    world.deleted(&format!("/v1/stop/{first}"), 200);
    deploy(&mut world);
}

#[test]
fn a_deployment_can_fail() {
    let mut world = world_of(Sandbox::builder().deployments_fail(true));
    let id = deploy(&mut world);
    world.wait(1_200);
    let failed = status(&mut world, &id);
    has(
        &failed,
        json!({ "current_status": "Status.ERROR", "error": true }),
    );
}

#[test]
fn a_stop_answers_410_the_second_time() {
    let mut world = world();
    let id = deploy(&mut world);
    world.wait(1_200);
    let stop = format!("/v1/stop/{id}");
    let reply = world.deleted(&stop, 200);
    assert_eq!(
        reply["deployment_summary"]["current_status"],
        "Status.TERMINATING"
    );
    world.deleted(&stop, 202);
    world.wait(400);
    assert_eq!(
        status(&mut world, &id)["current_status"],
        "Status.TERMINATED"
    );
    says(&world.delete(&stop), 410, "Deployment already terminated");

    world.deleted("/v1/stop/a69f8e3e0555", 404);
}

#[test]
fn rates_are_limited() {
    let mut world = world();
    let full = full(&world);
    for _ in 0..20 {
        world.posted(CLOUD, &full, 202);
        world.posted(FLEET, &full, 202);
    }
    says(&world.post(CLOUD, &full), 429, "Too many requests");
    for _ in 0..10 {
        world.ok("/v1/deployments");
    }
    world.fails("/v1/deployments", 429);
    world.wait(1_000);
    world.posted(CLOUD, &full, 202);
}

#[test]
fn unknown_ids_and_routes() {
    let mut world = world();
    says(
        &world.get("/v1/status/a69f8e3e0555"),
        400,
        "Deployment not found",
    );
    for (method, path, status, words) in [
        ("GET", CLOUD, 405, "Method not allowed"),
        ("POST", "/deployments", 404, "Not found"),
        ("POST", "/v2/nope", 404, "Not found"),
    ] {
        let reply = world.send(Request::new(method, path));
        says(&reply, status, words);
    }
}
