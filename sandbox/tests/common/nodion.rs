//! Nodion with its application from git.

use super::{World, expect};
use deploykit_sandbox::{Platform, Reply, Sandbox};
use serde_json::{Value, json};

/// A world, and the path of its application from git.
pub fn world() -> (World, String) {
    let world = World::new(Platform::Nodion, Sandbox::builder());
    let id = world.state.nodion().access("").application_id;
    (world, format!("/v1/applications/{id}"))
}

pub fn list(world: &mut World, path: &str, key: &str) -> Vec<Value> {
    world.ok(path)[key].as_array().unwrap().clone()
}

#[track_caller]
pub fn refused(reply: &Reply, words: &str) {
    expect(reply, 400, &json!({ "errors": [words] }));
}

#[track_caller]
pub fn missing(reply: &Reply) {
    expect(reply, 404, &json!({ "status": 404, "error": "Not Found" }));
}
