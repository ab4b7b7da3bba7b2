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

/// A started Complete-Test-App: its token.
pub fn start(world: &mut World) -> String {
    let body = expect_status(
        &world.send(yaml("/startUserDeployment", &manifest("Complete-Test-App"))),
        200,
    );
    body["sessionToken"].as_str().unwrap().to_owned()
}

pub fn about(token: &str, app: &str) -> Value {
    json!({ "applicationName": app, "sessionToken": token })
}

pub fn bare(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text_body());
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    reply.text_body()
}
