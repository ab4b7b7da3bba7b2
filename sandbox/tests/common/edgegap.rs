//! Edgegap deployments.

use super::TestPlatform;
use deploykit_sandbox::{Platform, SandboxBuilder};
use serde_json::{Value, json};

pub fn api(builder: SandboxBuilder) -> TestPlatform {
    TestPlatform::new(Platform::Edgegap, builder)
}

/// The smallest create body.
pub fn body(api: &TestPlatform) -> Value {
    let access = api.state.edgegap().access("");
    json!({
        "application": access.application,
        "version": access.version,
        "users": [{ "user_type": "ip_address", "user_data": { "ip_address": "75.28.35.192" } }],
    })
}

/// The smallest create body with these fields.
pub fn body_with(api: &TestPlatform, fields: Value) -> Value {
    let mut body = body(api);
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

/// Creates a deployment with these fields and returns its id.
pub fn deploy_with(api: &mut TestPlatform, fields: Value, status: u16) -> String {
    let body = body_with(api, fields);
    let reply = api.posted("/v2/deployments", &body, status);
    reply["request_id"].as_str().unwrap().to_owned()
}
