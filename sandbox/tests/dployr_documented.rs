//! Every rule of dployr in its documented dialect.

mod common;

use common::dployr::*;
use common::{World, expect, expect_status, has};
use deploykit_sandbox::{Platform, Request, Sandbox};
use serde_json::{Value, json};

#[test]
fn login_gives_tokens_that_expire() {
    let mut world = world();
    let access = world.state.dployr().access("");
    let login = |email: &str, password: &str| {
        Request::new("POST", "/v1/auth/login")
            .with_json(&json!({ "email": email, "password": password }))
    };
    let body = expect_status(&world.raw(&login(&access.email, &access.password)), 200);
    assert_eq!(body["expires_in"], 3600);
    assert!(body["refresh_token"].is_string());
    let token = body["access_token"].as_str().unwrap().to_owned();
    let list = Request::new("GET", "/v1/deployments")
        .with_header("authorization", &format!("Bearer {token}"));
    expect(&world.raw(&list), 200, &json!([]));
    world.wait(3_600_000);
    expect_status(&world.raw(&list), 401);

    expect_status(&world.raw(&login(&access.email, "wrong")), 401);
    expect_status(
        &world.raw(&login("nobody@example.com", &access.password)),
        401,
    );
    refused(
        &world.raw(&login("", "x")),
        "Invalid login",
        "email",
        "is required",
    );
    refused(
        &world.raw(&login("a@example.com", "")),
        "Invalid login",
        "password",
        "is required",
    );
}

#[test]
fn everything_else_needs_the_token() {
    let mut world = world();
    let token = world.state.dployr().access("").token;
    let unauthorized = json!({ "error": {
        "code": "unauthorized", "message": "Missing or invalid access token", "details": {},
    } });
    for path in [
        "/v1/deployments",
        "/v1/services",
        "/v1/projects",
        "/v1/nope",
    ] {
        expect(&world.raw(&Request::new("GET", path)), 401, &unauthorized);
    }
    for value in [
        token.clone(),
        format!("bearer {token}"),
        format!("Bearer {token}x"),
        format!("token {token}"),
    ] {
        let request = Request::new("GET", "/v1/deployments").with_header("authorization", &value);
        expect(&world.raw(&request), 401, &unauthorized);
    }
}

#[test]
fn a_deployment_succeeds_and_leaves_a_service() {
    let mut world = world();
    let created = world.posted("/v1/deployments", &my_app(), 202);
    for (key, value) in my_app().as_object().unwrap() {
        assert_eq!(&created[key], value, "{key}");
    }
    assert_eq!(created["created_at"], "2026-11-24T02:24:27Z");
    let path = format!("/v1/deployments/{}", created["id"].as_str().unwrap());
    expect(&world.get("/v1/services"), 200, &json!([]));
    for (wait, status) in [(0, "pending"), (400, "running"), (800, "success")] {
        world.wait(wait);
        assert_eq!(world.ok(&path)["status"], status);
        assert_eq!(world.ok("/v1/deployments")[0]["status"], status);
    }
    let services = world.ok("/v1/services");
    has(
        &services[0],
        json!({ "name": "my-app", "status": "running" }),
    );
    assert_eq!(services[0]["deployment_id"], created["id"]);
}

#[test]
fn a_deployment_can_fail() {
    let mut world = World::new(Platform::Dployr, Sandbox::builder().deployments_fail(true));
    let id = world.posted("/v1/deployments", &my_app(), 202)["id"].clone();
    world.wait(1_200);
    let path = format!("/v1/deployments/{}", id.as_str().unwrap());
    assert_eq!(world.ok(&path)["status"], "failed");
    expect(&world.get("/v1/services"), 200, &json!([]));
}

/// A field of a creation, its value, and what is wrong with it.
const WRONG: &str = r#"
name | null | is required
name | "Bad_Name!" | must be lower case letters, digits and hyphens
source | "ftp" | Unsupported source
source | 1 | must be a non-empty string
runtime | "cobol" | Unsupported runtime version
version | 20 | must be a non-empty string
remote | { "url": "x" } | must be a non-empty string
port | 0 | must be an integer from 1 to 65535
port | "3000" | must be an integer from 1 to 65535
env | { "A": 1 } | must be a map of strings
"#;

#[test]
fn the_create_body_is_checked() {
    let mut world = world();
    for row in WRONG.trim().lines() {
        let (field, value, issue) = common::three(row);
        let value: Value = serde_json::from_str(value).unwrap();

        let mut body = my_app();
        body[field] = value;
        let expected = invalid("Invalid deployment configuration", field, issue);
        expect(&world.post("/v1/deployments", &body), 400, &expected);
    }
    for field in ["source", "remote", "runtime"] {
        let mut body = my_app();
        body.as_object_mut().unwrap().remove(field);
        let expected = invalid("Invalid deployment configuration", field, "is required");
        expect(&world.post("/v1/deployments", &body), 400, &expected);
    }
    let reply = world.post(
        "/v1/deployments",
        &json!({ "name": "my-app", "source": "image" }),
    );
    refused(
        &reply,
        "Invalid deployment configuration",
        "image",
        "is required",
    );
    let post =
        |kind: &str, body: &str| Request::new("POST", "/v1/deployments").with_body(kind, body);
    for (request, issue) in [
        (
            post("text/plain", &my_app().to_string()),
            "Content-Type must be application/json",
        ),
        (
            post("application/json", "{bad"),
            "the body is not valid JSON",
        ),
        (
            post("application/json", "[]"),
            "the body must be a JSON object",
        ),
    ] {
        refused(&world.send(request), "Invalid request body", "body", issue);
    }
    expect(&world.get("/v1/deployments"), 200, &json!([]));
}

#[test]
fn sources_of_the_guides_end_well() {
    for (more, first_line) in [
        (
            json!({ "source": "docker", "image": "nginx:1" }),
            "pulling image",
        ),
        (
            json!({ "source": "docker", "remote": "https://github.com/user/repo" }),
            "cloning repository",
        ),
        (json!({ "source": "local" }), "copying files"),
    ] {
        let mut world = world();
        let mut body = more.clone();
        body["name"] = json!("my-app");
        let made = world.posted("/v1/deployments", &body, 202);
        world.wait(1_200);
        let path = format!("/v1/deployments/{}", made["id"].as_str().unwrap());
        let deployment = world.ok(&path);
        assert_eq!(deployment["status"], "success", "{more}");
        let log = world.ok("/v1/services/my-app/logs");
        assert_eq!(log[0]["message"], first_line, "{more}");
    }
    let mut world = world();
    let expected = invalid("Invalid deployment configuration", "image", "is required");
    let nothing = json!({ "name": "my-app", "source": "docker" });
    expect(&world.post("/v1/deployments", &nothing), 400, &expected);
    let nowhere = json!({ "name": "my-app", "source": "docker", "image": "x.invalid/a:1" });
    world.posted("/v1/deployments", &nowhere, 202);
    world.wait(1_200);
    let list = world.ok("/v1/deployments");
    assert_eq!(list[0]["status"], "failed");
}

#[test]
fn the_same_name_deploys_again() {
    let (mut world, _) = running();
    let first = world.ok("/v1/deployments");
    let again = world.posted("/v1/deployments", &my_app(), 202);
    assert_eq!(again["id"], first[0]["id"]);
    assert_eq!(again["status"], "pending");
    assert_eq!(world.ok("/v1/deployments").as_array().unwrap().len(), 1);
}

#[test]
fn an_update_changes_what_it_names_and_deploys_again() {
    let (mut world, service) = running();
    let id = world.ok("/v1/deployments")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let put = |body: &Value| Request::new("PUT", &format!("/v1/deployments/{id}")).with_json(body);
    let body = json!({ "version": "22", "env": { "NODE_ENV": "production" } });
    let updated = expect_status(&world.send(put(&body)), 200);
    has(&updated, json!({ "version": "22", "branch": "main" }));
    assert_eq!(updated["status"], "pending");
    let env = world.ok(&format!("/v1/services/{service}/env"));
    assert_eq!(env, json!([{ "key": "NODE_ENV", "value": "production" }]));
    let reply = world.send(put(&json!({ "runtime": "cobol" })));
    refused(
        &reply,
        "Invalid deployment configuration",
        "runtime",
        "Unsupported runtime version",
    );
    let reply = world.send(Request::new("PUT", "/v1/deployments/nope").with_json(&body));
    missing(&reply, "deployment");
}

#[test]
fn a_delete_takes_the_record_alone() {
    let (mut world, _) = running();
    let id = world.ok("/v1/deployments")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/deployments/{id}");
    let reply = world.delete(&path);
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
    missing(&world.delete(&path), "deployment");
    missing(&world.get(&path), "deployment");
    assert_eq!(world.ok("/v1/services").as_array().unwrap().len(), 1);
}

#[test]
fn a_service_is_switched() {
    let (mut world, id) = running();
    let status = |world: &mut World| {
        let body = world.ok(&format!("/v1/services/{id}/status"));
        body["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&mut world), "running");
    for (verb, at_once, later) in [
        ("stop", "stopped", "stopped"),
        ("start", "starting", "running"),
        ("restart", "starting", "running"),
    ] {
        let body = world.called(&format!("/v1/services/{id}/{verb}"), 200);
        assert!(body["taskId"].is_string());
        assert_eq!(status(&mut world), at_once, "{verb}");
        world.wait(1_200);
        assert_eq!(status(&mut world), later, "{verb}");
    }
    for (method, rest) in [
        ("GET", "status"),
        ("POST", "start"),
        ("POST", "stop"),
        ("POST", "restart"),
        ("GET", "env"),
    ] {
        let reply = world.send(Request::new(
            method,
            &format!("/v1/services/service-123/{rest}"),
        ));
        missing(&reply, "service");
    }
}

#[test]
fn logs_have_a_tail_and_can_be_followed() {
    let (mut world, id) = running();
    let path = format!("/v1/services/{id}/logs");
    let all = world.ok(&path);
    let all = all.as_array().unwrap();
    assert_eq!(all.last().unwrap()["message"], "listening on port 3000");
    assert_eq!(
        all[0],
        json!({
            "timestamp": 1_795_487_067_000_u64, "source": "build", "level": "info", "message": "cloning repository",
        })
    );
    let tail = world.ok(&format!("{path}?tail=2"));
    assert_eq!(tail.as_array().unwrap(), &all[all.len() - 2..]);
    let followed = world.get("/v1/services/my-app/logs?tail=100&follow=true");
    assert_eq!(
        followed.header("content-type"),
        Some("application/x-ndjson")
    );
    let lines: Vec<Value> = followed
        .text_body()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(&lines, all);
    refused(
        &world.get(&format!("{path}?tail=x")),
        "Invalid query",
        "tail",
        "must be a number",
    );
    missing(&world.get("/v1/services/ghost/logs"), "service");
}

#[test]
fn instances() {
    let mut world = world();
    let list = world.ok("/v1/instances");
    let id = list[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        list[0]["tag"],
        world.state.dployr().access("").instance_tag.as_str()
    );
    expect(&world.get(&format!("/v1/instances/{id}")), 200, &list[0]);
    let metrics = world.ok(&format!("/v1/instances/{id}/metrics"));
    assert!(metrics["cpu"]["count"].is_u64() && metrics["memory"]["total_bytes"].is_u64());
    missing(&world.get("/v1/instances/nope"), "instance");
    missing(&world.get("/v1/instances/nope/metrics"), "instance");
}

#[test]
fn rate_limits_are_in_every_reply() {
    let mut world = world();
    let reply = world.get("/v1/deployments");
    assert_eq!(reply.header("X-RateLimit-Limit"), Some("1000"));
    assert_eq!(reply.header("X-RateLimit-Remaining"), Some("999"));
    assert_eq!(reply.header("X-RateLimit-Reset"), Some("1795489200"));
    for _ in 0..999 {
        world.ok("/v1/deployments");
    }
    let reply = world.get("/v1/deployments");
    let expected = json!({ "error": {
        "code": "rate_limit_exceeded", "message": "Rate limit exceeded", "details": {},
    } });
    expect(&reply, 429, &expected);
    assert_eq!(reply.header("x-ratelimit-remaining"), Some("0"));

    let anonymous = world.raw(&Request::new("GET", "/v1/deployments"));
    assert_eq!(
        (
            anonymous.status.as_u16(),
            anonymous.header("x-ratelimit-limit")
        ),
        (401, Some("60"))
    );
    world.wait(3_600_000);
    world.ok("/v1/deployments");
}

#[test]
fn unknown_routes() {
    let mut world = world();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/v1/nope"),
        ("GET", "/v1/deployments/"),
        ("PATCH", "/v1/deployments"),
        ("POST", "/v1/auth/refresh"),
    ] {
        let reply = world.send(Request::new(method, path));
        assert_eq!(reply.status.as_u16(), 404, "{method} {path}");
        assert_eq!(reply.json_body()["error"]["code"], "not_found");
    }
}
