//! Checks a spec before it goes to the generator.
//!
//! Each check prevents a silent mistake: an error type that becomes the success type, a `nullable` that is
//! dropped, a parameter that disappears, a client that is stricter than the server.

pub mod extensions;
mod links;
mod personal_data;

use super::open_enums;
use super::problems::{InvalidSpec, Problems};
use super::schemas::{self, collect_references, entries, items, resolve, text};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Media types of request bodies that the generator can send. For `text/*` see [`super::success_replies`].
const BODY_TYPES: [&str; 3] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
];

/// Runs all checks. The error lists all problems, so that one build shows them all.
pub fn lint(file: &str, json: &Value) -> Result<(), InvalidSpec> {
    let mut problems = Problems::default();
    let version = json.pointer("/info/version").and_then(Value::as_str);
    problems.require(
        version.is_some_and(|version| version.is_ascii() && !version.is_empty()),
        "$.info.version",
        "the version is missing or not ASCII",
        "write an ASCII version: the generator puts it into a header",
    );
    operation_ids(json, &mut problems);
    for (path, method, operation) in schemas::operations(json) {
        let at = format!("$.paths.{path}.{method}");
        parameters(json, &at, operation, &mut problems);
        request_body(json, &at, operation, &mut problems);
        responses(json, &at, operation, &mut problems);
        extensions::operation(&at, method, operation, &mut problems);
        personal_data::personal_data(json, &at, operation, &mut problems);
    }
    components(json, &mut problems);
    refuse_closed_enums(json, &mut problems);
    references(json, "$", json, &mut problems);
    match problems.0.is_empty() {
        true => Ok(()),
        false => Err(InvalidSpec {
            file: file.to_owned(),
            problems: problems.0,
        }),
    }
}

fn operation_ids(json: &Value, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for (path, method, operation) in schemas::operations(json) {
        let at = format!("$.paths.{path}.{method}.operationId");
        let Some(id) = text(operation, "operationId") else {
            problems.add(
                at,
                "the operation has no operationId",
                "add one in the form `verb_noun`: it becomes a Rust method",
            );
            continue;
        };
        let is_snake = |c: char| c.is_lowercase() || c.is_numeric() || c == '_';
        problems.require(
            id.chars().all(is_snake) && id != "new",
            &at,
            format!("the operationId `{id}` is not a valid method name"),
            "use snake_case, but not `new`: the generated client has a constructor of that name",
        );
        if let Some(other) = seen.insert(id, at.clone()) {
            problems.add(
                at,
                format!("the operationId `{id}` is also used at {other}"),
                "give each operation a unique operationId",
            );
        }
    }
}

fn parameters(json: &Value, at: &str, operation: &Value, problems: &mut Problems) {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (index, parameter) in items(operation, "parameters").enumerate() {
        let parameter = resolve(json, parameter);
        let name = text(parameter, "name").unwrap_or_default();
        let place = text(parameter, "in").unwrap_or_default();
        let here = format!("{at}.parameters[{index}]");
        problems.require(
            ["path", "query", "header"].contains(&place),
            &here,
            format!(
                "the parameter `{name}` has `in: {place}`, which the generator does not support"
            ),
            "write `in: path`, `in: query` or `in: header`, or remove the parameter",
        );
        let reserved = ["accept", "content-type", "authorization"];
        problems.require(
            place != "header" || !reserved.contains(&name.to_lowercase().as_str()),
            &here,
            format!("the header `{name}` is a parameter, but the transport sets this header"),
            "remove the parameter",
        );
        problems.require(
            name != "body" || operation.get("requestBody").is_none(),
            &here,
            "a parameter is named `body`, like the argument for the request body in the generated method",
            "rename the parameter",
        );
        if let Some(other) = names.insert(name, place) {
            problems.add(
                &here,
                format!("two parameters are named `{name}`, one in {other} and one in {place}"),
                "rename one of them: both become arguments of one method",
            );
        }
        require_description(parameter, &here, problems);
        refuse_inline(&here, parameter, "schema", problems);
    }
}

fn request_body(json: &Value, at: &str, operation: &Value, problems: &mut Problems) {
    let Some(body) = operation.get("requestBody") else {
        return;
    };
    let body = resolve(json, body);
    let here = format!("{at}.requestBody");
    problems.require(
        body.get("required").is_some_and(Value::is_boolean),
        &here,
        "the request body does not state `required`",
        "write `required: true`, or `required: false` if the wrapper attaches the body",
    );
    let types: Vec<_> = entries(body, "content").collect();
    let [(media_type, media)] = types.as_slice() else {
        problems.add(
            &here,
            format!("the request body has {} media types", types.len()),
            "keep exactly one, the one that the client sends",
        );
        return;
    };
    let schema = media.get("schema").unwrap_or(&Value::Null);
    let here = format!("{here}.content.{media_type}");
    let plain_text = media_type.starts_with("text/") && text(schema, "type") == Some("string");
    problems.require(
        BODY_TYPES.contains(&media_type.as_str()) || plain_text,
        &here,
        format!("a request body of type `{media_type}` is not supported"),
        "use application/json, application/x-www-form-urlencoded, application/octet-stream, or text/* with `type: string`",
    );
    problems.require(
        schema.is_object(),
        &here,
        "the request body has no schema",
        "add a schema",
    );
    refuse_inline(&here, media, "schema", problems);
}

fn responses(json: &Value, at: &str, operation: &Value, problems: &mut Problems) {
    let mut success_schemas = BTreeSet::new();
    let mut successes = 0;
    for (status, response) in entries(operation, "responses") {
        let here = format!("{at}.responses.{status}");
        problems.require(
            status != "default",
            &here,
            "`default` would also match success replies in the generated client",
            "list the status codes instead",
        );
        let response = resolve(json, response);
        links::links(json, &here, operation, response, problems);
        for (media, body) in entries(response, "content") {
            refuse_inline(&format!("{here}.content.{media}"), body, "schema", problems);
            if status.starts_with('2') && media == "application/json" {
                success_schemas.extend(body.get("schema").map(Value::to_string));
            }
        }
        successes += usize::from(status.starts_with('2'));
    }
    let here = format!("{at}.responses");
    problems.require(
        successes > 0,
        &here,
        "the operation has no 2xx reply",
        "add the reply that the server sends",
    );
    problems.require(
        success_schemas.len() <= 1,
        &here,
        "the 2xx replies have different JSON schemas",
        "use the same component for all of them: the generated method has one return type",
    );
}

/// Rejects an inline object or enum in the schema at `parent[key]`.
///
/// The generator invents names for them, and merges types with equal names.
fn refuse_inline(at: &str, parent: &Value, key: &str, problems: &mut Problems) {
    let Some(schema) = parent.get(key) else {
        return;
    };
    let at = format!("{at}.{key}");
    problems.require(
        entries(schema, "properties").next().is_none(),
        &at,
        "the object is inline",
        "move it to components.schemas and refer to it with $ref: the generator merges inline objects with equal names",
    );
    problems.require(
        schema.get("enum").is_none(),
        &at,
        "the enum is inline",
        "move it to components.schemas and refer to it with $ref: the generator invents a name for an inline enum",
    );
    for part in ["items", "additionalProperties"] {
        refuse_inline(&at, schema, part, problems);
    }
}

fn components(json: &Value, problems: &mut Problems) {
    for (name, schema) in schemas::components(json) {
        let at = format!("$.components.schemas.{name}");
        require_description(schema, &at, problems);
        if let Some(values) = schema.get("enum").and_then(Value::as_array)
            && let Some(variant) = open_enums::collision(values)
        {
            problems.add(
                format!("{at}.enum"),
                format!("two values become the Rust variant `{variant}` (`Unknown` always exists)"),
                "remove one of the values: clients keep values without a variant as `Unknown`",
            );
        }
        for (key, property) in entries(schema, "properties") {
            let properties = format!("{at}.properties");
            refuse_inline(&properties, &schema["properties"], key, problems);
            if property.get("$ref").is_none() {
                require_description(property, &format!("{properties}.{key}"), problems);
            }
        }
        for part in ["items", "additionalProperties"] {
            refuse_inline(&at, schema, part, problems);
        }
        refuse_keywords(&at, schema, problems);
    }
}

/// Rejects keywords that the generator misreads, anywhere in a schema.
fn refuse_keywords(at: &str, schema: &Value, problems: &mut Problems) {
    let has_rust_type = schema.get("x-rust-type").is_some();
    for (key, inner) in schema.as_object().into_iter().flatten() {
        let here = format!("{at}.{key}");
        match key.as_str() {
            "title" => problems.add(
                here,
                "the schema has a title",
                "remove it: the generator merges types with equal titles",
            ),
            "default" => problems.add(
                here,
                "the schema has a default",
                "remove it: the generator would send it with every request",
            ),
            "anyOf" | "oneOf" | "not" | "discriminator" if !has_rust_type => problems.add(
                here,
                format!("`{key}` is not supported"),
                "use one object with optional fields, or bind the component with x-rust-type",
            ),
            "properties" => {
                for (name, property) in entries(schema, key) {
                    refuse_keywords(&format!("{here}.{name}"), property, problems);
                }
            }
            "items" | "additionalProperties" => refuse_keywords(&here, inner, problems),
            "allOf" => {
                for (index, part) in items(schema, key).enumerate() {
                    refuse_keywords(&format!("{here}[{index}]"), part, problems);
                }
            }
            _ => {}
        }
    }
}

/// Rejects closed enums in replies: one new value would make the whole reply fail.
fn refuse_closed_enums(json: &Value, problems: &mut Problems) {
    let mut replies = BTreeSet::new();
    for (_, _, operation) in schemas::operations(json) {
        for (_, response) in entries(operation, "responses") {
            collect_references(json, resolve(json, response), &mut replies);
        }
    }
    for (name, schema) in schemas::components(json) {
        let closed = schema.get("enum").is_some() && schema.get("x-open") != Some(&true.into());
        problems.require(
            !(closed && replies.contains(name)),
            format!("$.components.schemas.{name}"),
            "a reply contains this closed enum, so one new value would make the whole reply fail",
            "add `x-open: true`: clients then keep unknown values",
        );
    }
}

/// Checks each `$ref`: the generator ignores keys next to it, and its target must exist.
fn references(json: &Value, at: &str, value: &Value, problems: &mut Problems) {
    if let Some(target) = text(value, "$ref") {
        let keys = value.as_object().into_iter().flat_map(Map::keys);
        let others: Vec<_> = keys.filter(|key| *key != "$ref").cloned().collect();
        problems.require(
            others.is_empty(),
            at,
            format!(
                "the generator ignores `{}` next to $ref",
                others.join("`, `")
            ),
            "replace $ref by `allOf: [{$ref: ...}]`",
        );
        let found = target.strip_prefix('#').and_then(|p| json.pointer(p));
        problems.require(
            found.is_some(),
            at,
            format!("the $ref target `{target}` does not exist"),
            "correct the name or add the component",
        );
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let here = format!("{at}.{key}");
        if !["example", "examples"].contains(&key.as_str()) {
            references(json, &here, inner, problems);
            continue;
        }
        let examples = entries(value, key);
        for (name, example) in examples.filter(|(_, example)| example.get("$ref").is_some()) {
            references(json, &format!("{here}.{name}"), example, problems);
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        references(json, &format!("{at}[{index}]"), item, problems);
    }
}

fn require_description(value: &Value, at: &str, problems: &mut Problems) {
    problems.require(
        value.get("description").is_some(),
        at,
        "the description is missing",
        "add one line of plain text: it becomes the documentation of the Rust item",
    );
}
