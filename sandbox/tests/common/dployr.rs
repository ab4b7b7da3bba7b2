//! dployr in its documented dialect, with an app.

use super::{World, expect_status};
use deploykit_sandbox::{Platform, Sandbox};
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
    json!({ "error": {
        "code": "invalid_request", "message": message, "details": { "field": field, "issue": issue },
    } })
}

pub fn no_such(what: &str) -> Value {
    json!({ "error": { "code": "not_found", "message": format!("No such {what}"), "details": {} } })
}

/// A world in which my-app runs, and the id of its service.
pub fn running() -> (World, String) {
    let mut world = world();
    expect_status(&world.post("/v1/deployments", &my_app()), 202);
    world.wait(1_200);
    let services = expect_status(&world.get("/v1/services"), 200);
    let id = services[0]["id"].as_str().unwrap().to_owned();
    (world, id)
}
