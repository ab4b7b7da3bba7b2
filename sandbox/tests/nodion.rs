//! Every rule of Nodion.

mod common;

use common::nodion::{missing, refused};
use common::{World, expect, has};
use deploykit_sandbox::{Platform, Request, Sandbox};
use serde_json::{Value, json};

fn world() -> (World, String) {
    let (world, path) = common::nodion::world();
    (world, format!("{path}/deployments"))
}

fn statuses(body: &Value) -> Vec<(u64, &str)> {
    let items = body["deployments"].as_array().unwrap().iter();
    items
        .map(|item| {
            (
                item["deploy_number"].as_u64().unwrap(),
                item["status"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_deployment_becomes_available() {
    let (mut world, path) = world();
    assert_eq!(statuses(&world.ok(&path)), [(1, "available")]);
    let body = world.called(&path, 200);
    let created = &body["deployment"];
    has(created, json!({ "status": "created", "deploy_number": 2 }));
    assert_eq!(created["created_at"], "2026-11-24T03:24:27.000+01:00");
    assert_eq!(created["updated_at"], created["created_at"]);
    for (wait, status) in [(0, "created"), (400, "waiting"), (800, "available")] {
        world.wait(wait);
        let body = world.ok(&path);
        assert_eq!(
            statuses(&body),
            [(2, status), (1, "available")],
            "newest first"
        );
        assert_eq!(body["deployments"][0]["id"], created["id"]);
        assert!(
            body["deployments"][0].get("updated_at").is_none(),
            "the list has no updated_at"
        );
    }
    assert_eq!(world.called(&path, 200)["deployment"]["deploy_number"], 3);
}

#[test]
fn a_deployment_can_fail() {
    let mut world = World::new(Platform::Nodion, Sandbox::builder().deployments_fail(true));
    let path = format!(
        "/v1/applications/{}/deployments",
        world.state.nodion().access("").application_id
    );
    world.post_empty(&path);
    world.wait(1_200);
    assert_eq!(
        statuses(&world.ok(&path)),
        [(2, "failed"), (1, "available")]
    );
}

#[test]
fn the_keys_are_those_of_the_example() {
    let (mut world, path) = world();
    let body = world.ok(&path);
    let keys: Vec<&String> = body["deployments"][0].as_object().unwrap().keys().collect();
    let expected = [
        "commit_message",
        "commit_timestamp",
        "committer_email",
        "committer_name",
        "committer_username",
        "created_at",
        "deploy_number",
        "git_sha",
        "id",
        "status",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn an_image_application_takes_a_tag() {
    let (mut world, git) = world();
    let id = world.state.nodion().access("").image_application_id;
    let path = format!("/v1/applications/{id}/deployments");
    let body = world.posted(&path, &json!({ "image_tag": "1.27" }), 200);
    assert_eq!(body["deployment"]["git_sha"], Value::Null);
    assert_eq!(
        body["deployment"]["image_reference"],
        "docker.io/nginx:1.27"
    );
    assert_eq!(body["deployment"]["strategy"], "prebuilt_image");
    let reply = world.post(&path, &json!({ "image_tag": 1 }));
    refused(&reply, "image_tag must be a string");
    let reply = world.post(&git, &json!({ "image_tag": "1.27" }));
    refused(
        &reply,
        "image_tag is only for applications with a pre-built image",
    );
}

#[test]
fn a_body_is_optional_and_must_be_json() {
    let (mut world, path) = world();
    world.posted(&path, &json!({}), 200);
    let post = |kind: &str, body: &str| Request::new("POST", &path).with_body(kind, body);
    for (request, error) in [
        (
            post("application/json", "hello"),
            "the body is not valid JSON",
        ),
        (
            post("application/json", "[]"),
            "the body must be a JSON object",
        ),
        (
            post("text/plain", "{}"),
            "Content-Type must be application/json",
        ),
    ] {
        refused(&world.send(request), error);
    }
}

#[test]
fn the_token_is_checked() {
    let (mut world, path) = world();
    let token = world.state.nodion().access("").token;
    let unauthorized = json!({ "status": 401, "error": "Unauthorized" });
    expect(&world.raw(&Request::new("GET", &path)), 401, &unauthorized);
    for value in [
        token.clone(),
        format!("Token {token}"),
        "Bearer nope".to_owned(),
        format!("Bearer Bearer {token}"),
    ] {
        for method in ["GET", "POST"] {
            let reply =
                world.raw(&Request::new(method, &path).with_header("Authorization", &value));
            expect(&reply, 401, &unauthorized);
        }
    }
}

#[test]
fn unknown_ids_and_routes_are_not_found() {
    let (mut world, path) = world();
    for (method, path) in [
        (
            "GET",
            "/v1/applications/92955d4f-2e44-4e48-8cb6-9c6c434afebb/deployments",
        ),
        ("POST", "/v1/applications/nope/deployments"),
        ("GET", "/v1/nope"),
        ("DELETE", path.as_str()),
        ("GET", &format!("{path}/")),
    ] {
        missing(&world.send(Request::new(method, path)));
    }
}

#[test]
fn a_deployment_says_less_of_itself_in_an_instance() {
    let mut world = World::new(Platform::Nodion, Sandbox::builder());
    let id = world.state.nodion().access("").image_application_id;
    let path = format!("/v1/applications/{id}");
    let listed = world.ok(&format!("{path}/deployments"));
    let mut expected = listed["deployments"][0].clone();
    for name in ["strategy", "image_reference"] {
        assert!(expected.as_object_mut().unwrap().remove(name).is_some());
    }
    let instances = world.ok(&format!("{path}/instances"));
    assert_eq!(instances["instances"][0]["deployment"], expected);
}
