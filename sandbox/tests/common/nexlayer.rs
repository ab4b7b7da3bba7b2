//! Nexlayer with an app.

use super::{World, expect_status};
use deploykit_sandbox::{Platform, Reply, Request, Sandbox};
use serde_json::{Value, json};

pub fn world() -> World {
    World::new(Platform::Nexlayer, Sandbox::builder())
}

pub fn manifest(name: &str) -> String {
    format!(
        "application:\n  name: {name}\n  pods:\n    - name: web\n      image: nginx:1.27\n      path: /\n      servicePorts: [80]\n"
    )
}

pub fn yaml(target: &str, manifest: &str) -> Request {
    Request::new("POST", target).with_body("text/x-yaml", manifest)
}

pub const APP: &str = "Complete-Test-App";

/// Starts or updates an application with success.
pub fn deploy(world: &mut World, target: &str, name: &str) -> Value {
    expect_status(&world.send(yaml(target, &manifest(name))), 200)
}

/// A started Complete-Test-App: its token.
pub fn start(world: &mut World) -> String {
    let body = deploy(world, "/startUserDeployment", APP);
    body["sessionToken"].as_str().unwrap().to_owned()
}

pub fn about(token: &str, app: &str) -> Value {
    json!({ "applicationName": app, "sessionToken": token })
}

pub fn bare(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text_body());
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    reply.text_body()
}

/// Refused with these words.
#[track_caller]
pub fn refused(reply: &Reply, words: &str) {
    super::expect(reply, 400, &json!({ "error": words }));
}
