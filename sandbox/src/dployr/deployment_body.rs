//! Parses the body of create and update requests, in either dialect.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Settings;
use crate::request::text_field;

/// A field and its problem, for `details` in the error body of the reference.
pub(super) type FieldProblem = (&'static str, &'static str);

/// Field names of the reference, and the same fields on the control plane.
const DOCUMENTED_FIELDS: [(&str, &str); 12] = [
    ("type", "type"),
    ("source", "source"),
    ("runtime", "runtimeType"),
    ("version", "runtimeVersion"),
    ("remote", "remoteUrl"),
    ("branch", "remoteBranch"),
    ("build_cmd", "buildCmd"),
    ("run_cmd", "runCmd"),
    ("image", "image"),
    ("description", "description"),
    ("working_dir", "workingDir"),
    ("static_dir", "staticDir"),
];

/// The text fields of a deployment in control-plane replies.
pub(super) const TEXT_FIELDS: [&str; 15] = [
    "type",
    "source",
    "description",
    "runCmd",
    "buildCmd",
    "workingDir",
    "staticDir",
    "image",
    "domain",
    "runtimeType",
    "runtimeVersion",
    "remoteUrl",
    "remoteBranch",
    "remoteCommitHash",
    "healthCheck",
];

/// Control-plane field names in camel case and in snake case.
const CAMEL_AND_SNAKE_CASE: [(&str, &str); 12] = [
    ("type", "type"),
    ("source", "source"),
    ("description", "description"),
    ("image", "image"),
    ("domain", "domain"),
    ("runCmd", "run_cmd"),
    ("buildCmd", "build_cmd"),
    ("workingDir", "working_dir"),
    ("staticDir", "static_dir"),
    ("healthCheck", "health_check"),
    ("runtimeType", "runtime"),
    ("runtimeVersion", "version"),
];

/// Fields that a service update may change: the name in the request and the name in the record.
pub(super) const UPDATE_FIELDS: [(&str, &str); 11] = [
    ("description", "description"),
    ("run_cmd", "runCmd"),
    ("build_cmd", "buildCmd"),
    ("working_dir", "workingDir"),
    ("static_dir", "staticDir"),
    ("image", "image"),
    ("domain", "domain"),
    ("runtime", "runtimeType"),
    ("version", "runtimeVersion"),
    ("remote_url", "remoteUrl"),
    ("remote_branch", "remoteBranch"),
];

/// Runtimes of dployr-io/dployr-base:src/types/index.ts and of older daemons.
const DOCUMENTED_RUNTIMES: [&str; 11] = [
    "golang", "php", "python", "nodejs", "ruby", "dotnet", "java", "static", "docker", "k3s",
    "custom",
];

/// Applies documented fields to `settings`.
///
/// The spec checks the types; unknown fields are ignored.
pub(super) fn documented(
    body: &Map<String, Value>,
    settings: &mut Settings,
) -> Result<(), FieldProblem> {
    for (name, key) in DOCUMENTED_FIELDS {
        if let Some(text) = text_field(body, name) {
            settings.texts.insert(key, text.to_owned());
        }
    }
    settings.port = body.get("port").and_then(Value::as_u64).or(settings.port);
    let has = |key: &str| settings.text(key).is_some();
    let missing = |field| Err((field, "is required"));
    // The source `remote` is in the reference; the others are in the vendor's guides (docs/cli and
    // docs/blueprints).
    match settings.text("source") {
        None => return missing("source"),
        Some("remote") if !has("remoteUrl") => return missing("remote"),
        Some("remote") if !has("runtimeType") => return missing("runtime"),
        Some("image") if !has("image") => return missing("image"),
        // Assumption: without an image and a repository, there is nothing to run.
        Some("docker") if !has("image") && !has("remoteUrl") => return missing("image"),
        Some("remote" | "image" | "docker" | "local") => {}
        Some(_) => return Err(("source", "Unsupported source")),
    }
    let runtime = settings.text("runtimeType");
    if runtime.is_some_and(|runtime| !DOCUMENTED_RUNTIMES.contains(&runtime)) {
        // The reference's example error.
        return Err(("runtime", "Unsupported runtime version"));
    }
    Ok(())
}

/// Runtimes of the control plane (dployr-io/dployr-base:src/lib/tasks/types.ts).
const CONTROL_PLANE_RUNTIMES: [&str; 7] = [
    "golang", "php", "python", "nodejs", "ruby", "dotnet", "java",
];

/// Parses an object of strings, such as `env` in the reference.
pub(super) fn string_map(value: &Value) -> Option<BTreeMap<String, String>> {
    let object = value.as_object()?;
    object
        .iter()
        .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Whether a name has only lower-case letters, digits and single hyphens between them.
///
/// From dployr-io/dployr-base:src/lib/db/migrations/000_init.ts and src/lib/validators/string-sanitizer.ts.
fn is_slug(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.bytes().all(inside)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// Why the control plane rejects a name (dployr-io/dployr-base:src/lib/validators/string-sanitizer.ts).
///
/// The message about characters was observed. The list of blocked words is not modelled. On the real server,
/// upper case passes the validator and fails in the database with an unknown message; here it gets the
/// message about characters.
fn name_error(name: &str) -> Option<&'static str> {
    let name = name.trim();
    // After the characters, the server checks for five equal characters in a row and for two forbidden
    // numbers.
    let bytes = name.as_bytes();
    let repeats = bytes
        .windows(5)
        .any(|five| five.iter().all(|it| Some(it) == five.first()));
    let mut numbers = name.split(|it: char| !it.is_ascii_digit());
    match name.chars().count() {
        0..=1 => Some("name must be at least 2 characters"),
        64.. => Some("name must be at most 63 characters"),
        _ if !is_slug(name) => Some("name contains invalid characters. Examples: my-slug, foo-123"),
        _ if repeats => Some("name contains suspicious character repetition"),
        _ if numbers.any(|number| matches!(number, "88" | "1488")) => {
            Some("name contains a known extremist code")
        }
        _ => None,
    }
}

/// Parses a body as the control plane does (dployr-io/dployr-base:src/lib/tasks/types.ts).
///
/// Accepts camel case and snake case; camel case has priority. A string in `remote`, `branch` and `env` are
/// silently ignored. The error is one message with all problems.
pub(super) fn control_plane(
    body: &Map<String, Value>,
) -> Result<(String, Settings, BTreeMap<String, String>), String> {
    let mut problems = Vec::new();
    let name = text_field(body, "name");
    if name.is_none() {
        problems.push("name: Name is required".to_owned());
    }
    if !matches!(
        text_field(body, "type"),
        Some("static" | "web" | "worker" | "job")
    ) {
        problems.push("type: Type must be either 'static', 'web', 'worker' or 'job'".to_owned());
    }
    if !matches!(text_field(body, "source"), Some("remote" | "image")) {
        problems.push("source: Source must be either 'remote' or 'image'".to_owned());
    }
    let either = |camel: &str, snake: &str| body.get(camel).or_else(|| body.get(snake));
    if let Some(runtime) = either("runtimeType", "runtime")
        && !runtime
            .as_str()
            .is_some_and(|it| CONTROL_PLANE_RUNTIMES.contains(&it))
    {
        let names = "'golang', 'php', 'python', 'nodejs', 'ruby', 'dotnet' or 'java'";
        problems.push(format!("runtime: Type must be either {names}"));
    }
    let port = body
        .get("port")
        .map(|port| coerce_to_string(port)?.parse::<u64>().ok());
    let port = port.map(|port| port.filter(|port| *port > 0));
    if port == Some(None) {
        problems.push("port: Invalid input".to_owned());
    }
    let env = either("envVars", "env_vars")
        .map_or(Ok(BTreeMap::new()), env_vars)
        .unwrap_or_else(|problem| {
            problems.push(problem);
            BTreeMap::new()
        });
    let Some(name) = name.filter(|_| problems.is_empty()) else {
        return Err(format!("Validation failed: {}", problems.join(", ")));
    };
    if let Some(problem) = name_error(name) {
        return Err(problem.to_owned());
    }
    let mut texts = BTreeMap::new();
    let mut put = |key, value: Option<&Value>| {
        if let Some(text) = value
            .and_then(coerce_to_string)
            .filter(|text| !text.is_empty())
        {
            texts.insert(key, text);
        }
    };
    for (key, snake) in CAMEL_AND_SNAKE_CASE {
        put(key, either(key, snake));
    }
    let remote = body.get("remote");
    for (key, inner) in [
        ("remoteUrl", "url"),
        ("remoteBranch", "branch"),
        ("remoteCommitHash", "commit_hash"),
    ] {
        put(
            key,
            body.get(key)
                .or_else(|| remote.and_then(|remote| remote.get(inner))),
        );
    }
    let port = port.flatten();
    Ok((name.to_owned(), Settings { texts, port }, env))
}

/// Parses `env_vars`. The error messages were observed on a running control plane.
pub(super) fn env_vars(value: &Value) -> Result<BTreeMap<String, String>, String> {
    if let Some(map) = string_map(value) {
        return Ok(map);
    }
    let object = value.as_object();
    let not_string = object.and_then(|object| object.iter().find(|(_, value)| !value.is_string()));
    Err(match not_string {
        Some((key, value)) => format!(
            "env_vars.{key}: Invalid input: expected string, received {}",
            json_type(value)
        ),
        None => format!(
            "env_vars: Invalid input: expected record, received {}",
            json_type(value)
        ),
    })
}

/// The text of a string or number. Like the server's schema, which coerces between the two.
fn coerce_to_string(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
