//! What the sandbox wants of a manifest, as text and as JSON.

use serde_json::{Value, json};

/// A manifest that can be run. `application.url` is not read: with it a deployment is permanent and without it a preview
/// (Nexlayer/nexlayer-plugin:skills/ship-it-nexlayer/schema/nexlayer.schema.json), but neither how its domain is verified
/// nor what the replies about it say of its end is known. Here all are previews.
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) pods: Vec<String>,
}

/// What is wrong at one place.
pub(super) struct Finding {
    pub(super) path: &'static str,
    pub(super) message: &'static str,
}

pub(super) fn read(manifest: &Value) -> Result<Manifest, Vec<Finding>> {
    let application = manifest.get("application").unwrap_or(&Value::Null);
    let name = application.get("name").and_then(Value::as_str);
    let name = name.filter(|name| !name.trim().is_empty());
    // Required with at least one item in
    // Nexlayer/nexlayer-plugin:skills/ship-it-nexlayer/schema/nexlayer.schema.json; beside `application` in
    // https://nexlayer.com/docs/deployments/configuration.
    let pods = application.get("pods").or_else(|| manifest.get("pods"));
    let pods = pods
        .and_then(Value::as_array)
        .filter(|pods| !pods.is_empty());
    if let (Some(name), Some(pods)) = (name, pods) {
        return Ok(Manifest {
            name: name.to_owned(),
            pods: pods.iter().map(pod_name).collect(),
        });
    }
    let finding = |path, message| Finding { path, message };
    let mut findings = Vec::new();
    if name.is_none() {
        findings.push(finding("application.name", "is required"));
    }
    if pods.is_none() {
        findings.push(finding("application.pods", "needs at least one pod"));
    }
    Err(findings)
}

fn pod_name(pod: &Value) -> String {
    let name = pod.get("name").and_then(Value::as_str);
    name.unwrap_or("pod").to_owned()
}

/// The same rules as a schema. Title and draft are those of
/// Nexlayer/nexlayer-plugin:skills/ship-it-nexlayer/schema/nexlayer.schema.json, which has many more rules.
pub(super) fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Nexlayer YAML Schema",
        "type": "object",
        "required": ["application"],
        "properties": {
            "application": {
                "type": "object",
                "required": ["name", "pods"],
                "properties": {
                    "name": { "type": "string" },
                    "pods": { "type": "array", "minItems": 1, "items": { "type": "object" } },
                },
            },
        },
    })
}
