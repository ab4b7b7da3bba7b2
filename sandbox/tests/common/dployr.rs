//! dployr in its documented dialect, with an app.

use super::{World, expect};
use deploykit_sandbox::{Platform, Reply, Sandbox};
use serde_json::{Value, json};

pub fn world() -> World {
    World::new(Platform::Dployr, Sandbox::builder())
}

/// The create body of the reference.
pub fn my_app() -> Value {
    json!({
        "name": "my-app",
        "source": "remote",
        "runtime": "nodejs",
        "version": "20",
        "remote": "https://github.com/user/repo",
        "branch": "main",
        "build_cmd": "npm install",
        "run_cmd": "npm start",
        "port": 3000,
    })
}

pub fn invalid(message: &str, field: &str, issue: &str) -> Value {
    let details = json!({ "field": field, "issue": issue });
    json!({ "error": { "code": "invalid_request", "message": message, "details": details } })
}

/// Refused for a field.
#[track_caller]
pub fn refused(reply: &Reply, message: &str, field: &str, issue: &str) {
    expect(reply, 400, &invalid(message, field, issue));
}

#[track_caller]
pub fn missing(reply: &Reply, what: &str) {
    let message = format!("No such {what}");
    let error = json!({ "code": "not_found", "message": message, "details": {} });
    expect(reply, 404, &json!({ "error": error }));
}

/// A world in which my-app runs, and the id of its service.
pub fn running() -> (World, String) {
    let mut world = world();
    world.posted("/v1/deployments", &my_app(), 202);
    world.wait(1_200);
    let services = world.ok("/v1/services");
    let id = services[0]["id"].as_str().unwrap().to_owned();
    (world, id)
}
