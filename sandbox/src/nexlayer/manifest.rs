//! Manifests: parsing, validation and their JSON Schema.

use serde_json::{Value, json};

use super::{body_of, failure, message};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::yaml::options;

/// A valid manifest.
///
/// `application.url` is ignored: it would make the deployment permanent instead of a preview
/// (Nexlayer/nexlayer-plugin:skills/ship-it-nexlayer/schema/nexlayer.schema.json), but domain verification
/// and replies of permanent deployments are unknown.
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) pods: Vec<String>,
}

/// A problem of a manifest, and its path.
pub(super) struct ManifestProblem {
    pub(super) path: &'static str,
    pub(super) message: &'static str,
}

pub(super) fn read(manifest: &Value) -> Result<Manifest, Vec<ManifestProblem>> {
    let application = manifest.get("application").unwrap_or(&Value::Null);
    let name = application.get("name").and_then(Value::as_str);
    let name = name.filter(|name| !name.trim().is_empty());
    // At least one pod is required
    // (Nexlayer/nexlayer-plugin:skills/ship-it-nexlayer/schema/nexlayer.schema.json).
    // https://nexlayer.com/docs/deployments/configuration has the pods next to `application`.
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
    let problem = |path, message| ManifestProblem { path, message };
    let mut problems = Vec::new();
    if name.is_none() {
        problems.push(problem("application.name", "is required"));
    }
    if pods.is_none() {
        problems.push(problem("application.pods", "needs at least one pod"));
    }
    Err(problems)
}

fn pod_name(pod: &Value) -> String {
    let name = pod.get("name").and_then(Value::as_str);
    name.unwrap_or("pod").to_owned()
}

/// Validates a manifest in JSON.
///
/// The bodies of the 200 and the 400 are from Nexlayer/docs:data/openapi.json; the messages in `details` are
/// made up.
pub(super) fn validate(call: &Call) -> HandlerResult {
    let Err(problems) = read(&body_of(call)?.into()) else {
        return Ok(message("Nexlayer YAML file is valid."));
    };
    let details = problems.iter();
    let details =
        details.map(|problem| json!({ "path": problem.path, "message": problem.message }));
    let details: Vec<Value> = details.collect();
    let body = json!({ "error": "Invalid Nexlayer YAML file", "details": details });
    Err(Reply::json(400, &body))
}

/// The rules of [`read`] as a JSON Schema.
///
/// The title and the draft are from
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

/// The manifest in the body, or the error reply.
pub(super) fn manifest_of(call: &Call) -> Result<Manifest, Reply> {
    // The reference says text/x-yaml; Nexlayer/nexlayer-mcp:services/nexlayer-api.ts sends text/yaml.
    let media_type = call.request.media_type();
    if !matches!(media_type.as_deref(), Some("text/x-yaml" | "text/yaml")) {
        return Err(failure(400, "Content-Type must be text/x-yaml"));
    }
    let manifest = serde_saphyr::from_slice_with_options(&call.request.body, options());
    let manifest: Value = manifest.map_err(|_| failure(400, "Invalid YAML"))?;
    read(&manifest).map_err(|problems| {
        let first = problems.first();
        let words = first.map(|problem| format!("{} {}", problem.path, problem.message));
        failure(400, &words.unwrap_or_default())
    })
}
