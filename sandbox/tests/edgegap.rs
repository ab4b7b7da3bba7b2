//! Every rule of Edgegap.

mod common;

use common::{World, expect, expect_status};
use deploykit_sandbox::{Builder, Platform, Request, Sandbox};
use serde_json::{Value, json};

const CLOUD: &str = "/v2/deployments";
const FLEET: &str = "/v2/private-fleets/deployments";

fn world_of(builder: Builder) -> World {
    World::new(Platform::Edgegap, builder)
}

fn world() -> World {
    world_of(Sandbox::builder())
}

/// A body that every rule accepts, for both operations.
fn body(world: &World) -> Value {
    let access = world.state.edgegap().access("");
    json!({
        "application": access.application,
        "version": access.version,
        "private_host_ids": [access.private_host_id, "a-host-nobody-knows"],
        "require_cached_locations": null,
        "users": [
            { "user_type": "ip_address", "user_data": { "ip_address": "75.28.35.192" } },
            { "user_type": "geo_coordinates", "user_data": { "latitude": 45.508888, "longitude": -73.561668 } },
        ],
        "environment_variables": [{ "key": "MODE", "value": "ranked", "is_hidden": false }],
        "tags": ["eu"],
        "webhook_on_ready": { "url": "https://example.com/ready" },
        "webhook_on_error": { "url": "https://example.com/error" },
        "webhook_on_terminated": { "url": "https://example.com/terminated" },
        "resources": { "cpu_units": 512, "memory_mib": 1024 },
    })
}

fn deploy(world: &mut World) -> String {
    let body = body(world);
    let reply = expect_status(&world.post(CLOUD, &body), 202);
    reply["request_id"].as_str().unwrap().to_owned()
}

fn status(world: &mut World, id: &str) -> Value {
    expect_status(&world.get(&format!("/v1/status/{id}")), 200)
}

#[test]
fn a_full_and_a_short_body_are_accepted() {
    let mut world = world();
    for path in [CLOUD, FLEET] {
        let full = body(&world);
        let reply = world.post(path, &full);
        let reply = expect_status(&reply, 202);
        let id = reply["request_id"].as_str().unwrap();
        assert!(
            id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert_eq!(reply.as_object().unwrap().len(), 1);
    }
    let mut short = body(&world);
    short
        .as_object_mut()
        .unwrap()
        .retain(|key, _| ["application", "version", "users"].contains(&key.as_str()));
    expect_status(&world.post(CLOUD, &short), 202);
}

#[test]
fn fields_are_checked() {
    let mut world = world();
    let remove = Value::Null;
    let user = |kind: &str, data: Value| json!([{ "user_type": kind, "user_data": data }]);
    let rows: Vec<(&str, &str, Value, &str, &str)> = vec![
        (
            CLOUD,
            "application",
            remove.clone(),
            "application",
            "is required",
        ),
        (
            CLOUD,
            "application",
            json!(1),
            "application",
            "must be a non-empty string",
        ),
        (
            CLOUD,
            "application",
            json!(""),
            "application",
            "must be a non-empty string",
        ),
        (CLOUD, "version", remove.clone(), "version", "is required"),
        (CLOUD, "users", remove.clone(), "users", "is required"),
        (CLOUD, "users", json!([]), "users", "needs at least 1 item"),
        (CLOUD, "users", json!({}), "users", "must be an array"),
        (
            CLOUD,
            "users",
            json!([{ "user_data": {} }]),
            "users",
            "each needs user_type",
        ),
        (
            CLOUD,
            "users",
            json!([{ "user_type": "ip_address" }]),
            "users",
            "each needs user_data",
        ),
        (
            CLOUD,
            "users",
            user("region", json!({})),
            "users",
            "user_type must be ip_address or geo_coordinates",
        ),
        (
            CLOUD,
            "users",
            user("ip_address", json!({})),
            "users",
            "ip_address needs user_data.ip_address",
        ),
        (
            CLOUD,
            "users",
            user("ip_address", json!({ "ip_address": "x" })),
            "users",
            "ip_address needs user_data.ip_address",
        ),
        (
            CLOUD,
            "users",
            user("geo_coordinates", json!({ "latitude": 91, "longitude": 0 })),
            "users",
            "geo_coordinates needs user_data.latitude and user_data.longitude",
        ),
        (
            CLOUD,
            "require_cached_locations",
            json!("no"),
            "require_cached_locations",
            "must be a boolean",
        ),
        (
            CLOUD,
            "environment_variables",
            json!({}),
            "environment_variables",
            "must be an array",
        ),
        (
            CLOUD,
            "environment_variables",
            json!([{ "value": "b", "is_hidden": true }]),
            "environment_variables",
            "each needs key",
        ),
        (
            CLOUD,
            "environment_variables",
            json!([{ "key": "a", "is_hidden": true }]),
            "environment_variables",
            "each needs value",
        ),
        (
            CLOUD,
            "environment_variables",
            json!([{ "key": "a", "value": "b" }]),
            "environment_variables",
            "each needs is_hidden",
        ),
        (
            CLOUD,
            "tags",
            json!([1]),
            "tags",
            "must be an array of strings",
        ),
        (
            CLOUD,
            "webhook_on_ready",
            json!({}),
            "webhook_on_ready",
            "needs url",
        ),
        (
            CLOUD,
            "webhook_on_error",
            json!("https://x"),
            "webhook_on_error",
            "needs url",
        ),
        (
            CLOUD,
            "webhook_on_terminated",
            json!({ "url": 1 }),
            "webhook_on_terminated",
            "needs url",
        ),
        (
            CLOUD,
            "resources",
            json!({ "cpu_units": 99, "memory_mib": 100 }),
            "resources",
            "needs cpu_units and memory_mib of at least 100",
        ),
        (
            CLOUD,
            "resources",
            json!({ "cpu_units": 100, "memory_mib": 201 }),
            "resources",
            "memory_mib may be at most twice cpu_units",
        ),
        (
            FLEET,
            "private_host_ids",
            remove.clone(),
            "private_host_ids",
            "is required",
        ),
        (
            FLEET,
            "private_host_ids",
            json!([]),
            "private_host_ids",
            "needs at least 1 item",
        ),
        (
            FLEET,
            "private_host_ids",
            json!([1]),
            "private_host_ids",
            "must be an array of strings",
        ),
        (
            FLEET,
            "private_host_ids",
            json!(["a", "b", "a"]),
            "private_host_ids",
            "must not repeat an item",
        ),
    ];
    for (path, field, value, named, problem) in rows {
        let mut body = body(&world);
        if value == remove {
            body.as_object_mut().unwrap().remove(field);
        } else {
            body[field] = value;
        }
        let expected = json!({ "message": format!("Invalid request: {named} {problem}"), "details": { named: problem } });
        expect(&world.post(path, &body), 400, &expected);
    }
    expect(
        &world.get("/v1/deployments"),
        200,
        &json!({
            "data": [],
            "total_count": 0,
            "pagination": {
                "number": 1, "next_page_number": null, "previous_page_number": null,
                "paginator": { "num_pages": 1 }, "has_next": false, "has_previous": false,
            },
            "message": [],
        }),
    );
}

#[test]
fn an_unknown_application_or_version_is_refused() {
    let mut world = world();
    for path in [CLOUD, FLEET] {
        for (field, value) in [("application", "other"), ("version", "0")] {
            let mut body = body(&world);
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
    let body = body(&world);
    for path in [CLOUD, FLEET] {
        let reply = world.raw(&Request::new("POST", path).with_json(&body));
        expect(&reply, 401, &json!({ "message": "Missing token" }));
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
            expect(
                &world.raw(&request),
                401,
                &json!({ "message": "Invalid token" }),
            );
        }
    }
}

#[test]
fn the_body_must_be_labelled_json() {
    let mut world = world();
    let post = |kind: &str, body: &str| Request::new("POST", CLOUD).with_body(kind, body);
    let valid = body(&world).to_string();
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
        expect(&world.send(request), 400, &json!({ "message": text }));
    }
}

#[test]
fn a_deployment_becomes_ready() {
    let mut world = world();
    let id = deploy(&mut world);
    let seeking = status(&mut world, &id);
    assert_eq!(seeking["current_status"], "Status.SEEKING");
    assert_eq!(
        (&seeking["running"], &seeking["public_ip"]),
        (&json!(false), &Value::Null)
    );
    world.wait(400);
    assert_eq!(
        status(&mut world, &id)["current_status"],
        "Status.DEPLOYING"
    );
    world.wait(800);
    let ready = status(&mut world, &id);
    assert_eq!(
        (&ready["current_status"], &ready["running"]),
        (&json!("Status.READY"), &json!(true))
    );
    assert_eq!(ready["tags"], json!(["eu"]));
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
        let full = body(&world);
        let reply = expect_status(&world.post(path, &full), 422);
        assert_eq!(reply["message"], "Could not allocate an Edge Server");
        assert_eq!(reply.as_object().unwrap().len(), 2);
        let left = status(&mut world, reply["request_id"].as_str().unwrap());
        assert_eq!(
            (&left["current_status"], &left["error"]),
            (&json!("Status.ERROR"), &json!(true))
        );
        assert_eq!(left["error_detail"], "Could not allocate an Edge Server");
    }
    world.wait(1_200);
    expect_status(&world.delete(&format!("/v1/stop/{first}")), 200);
    deploy(&mut world);
}

#[test]
fn a_deployment_can_fail() {
    let mut world = world_of(Sandbox::builder().deployments_fail(true));
    let id = deploy(&mut world);
    world.wait(1_200);
    let failed = status(&mut world, &id);
    assert_eq!(
        (&failed["current_status"], &failed["error"]),
        (&json!("Status.ERROR"), &json!(true))
    );
}

#[test]
fn a_stop_answers_410_the_second_time() {
    let mut world = world();
    let id = deploy(&mut world);
    world.wait(1_200);
    let stop = format!("/v1/stop/{id}");
    let reply = expect_status(&world.delete(&stop), 200);
    assert_eq!(
        reply["deployment_summary"]["current_status"],
        "Status.TERMINATING"
    );
    expect_status(&world.delete(&stop), 202);
    world.wait(400);
    assert_eq!(
        status(&mut world, &id)["current_status"],
        "Status.TERMINATED"
    );
    expect(
        &world.delete(&stop),
        410,
        &json!({ "message": "Deployment already terminated" }),
    );

    expect_status(&world.delete("/v1/stop/a69f8e3e0555"), 404);
}

#[test]
fn rates_are_limited() {
    let mut world = world();
    let full = body(&world);
    for _ in 0..20 {
        expect_status(&world.post(CLOUD, &full), 202);
        expect_status(&world.post(FLEET, &full), 202);
    }
    expect(
        &world.post(CLOUD, &full),
        429,
        &json!({ "message": "Too many requests" }),
    );
    for _ in 0..10 {
        expect_status(&world.get("/v1/deployments"), 200);
    }
    expect_status(&world.get("/v1/deployments"), 429);
    world.wait(1_000);
    expect_status(&world.post(CLOUD, &full), 202);
}

#[test]
fn unknown_ids_and_routes() {
    let mut world = world();
    expect(
        &world.get("/v1/status/a69f8e3e0555"),
        400,
        &json!({ "message": "Deployment not found" }),
    );
    for (method, path, status, words) in [
        ("GET", CLOUD, 405, "Method not allowed"),
        ("POST", "/deployments", 404, "Not found"),
        ("POST", "/v2/nope", 404, "Not found"),
    ] {
        let reply = world.send(Request::new(method, path));
        expect(&reply, status, &json!({ "message": words }));
    }
}
