//! Refuses a spec that the generator would misread, or that would make the client stricter than the
//! server, before the generator sees it.
//!
//! Each check stands for something that goes wrong in silence otherwise: an error type that becomes
//! the success type, a `nullable` that is dropped, a parameter that disappears.

pub mod extensions;
mod links;

use super::open_enums;
use super::problems::{InvalidSpec, Problems};
use super::schemas::{self, entries, items, reach, resolve, text};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Request bodies the generator can send, or that [`super::success_replies`] can disguise.
const BODY_TYPES: [&str; 3] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
];

/// Runs every check; all problems at once, so that one build shows the whole list.
pub fn lint(file: &str, json: &Value) -> Result<(), InvalidSpec> {
    let mut problems = Problems::default();
    let version = json.pointer("/info/version").and_then(Value::as_str);
    problems.require(
        version.is_some_and(|version| version.is_ascii() && !version.is_empty()),
        "$.info.version",
        "it is missing or not ASCII",
        "write a plain version, the generator puts it into a header",
    );
    operation_ids(json, &mut problems);
    for (path, method, operation) in schemas::operations(json) {
        let at = format!("$.paths.{path}.{method}");
        parameters(json, &at, operation, &mut problems);
        request_body(json, &at, operation, &mut problems);
        responses(json, &at, operation, &mut problems);
        extensions::operation(&at, method, operation, &mut problems);
    }
    components(json, &mut problems);
    closed_enums(json, &mut problems);
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
                "the operation has no id",
                "name it `verb_noun`, for it becomes a method",
            );
            continue;
        };
        let is_snake = |c: char| c.is_lowercase() || c.is_numeric() || c == '_';
        problems.require(
            id.chars().all(is_snake) && id != "new",
            &at,
            format!("`{id}` is not a method name"),
            "use snake_case, and not `new`",
        );
        if let Some(other) = seen.insert(id, at.clone()) {
            problems.add(
                at,
                format!("`{id}` is the same method as {other}"),
                "give each operation an id of its own",
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
            format!("`{name}` stands in `{place}`"),
            "use path, query or header: the generator refuses the rest",
        );
        let reserved = ["accept", "content-type", "authorization"];
        problems.require(
            place != "header" || !reserved.contains(&name.to_lowercase().as_str()),
            &here,
            format!("`{name}` is set by the transport"),
            "remove the parameter",
        );
        problems.require(
            name != "body" || operation.get("requestBody").is_none(),
            &here,
            "a parameter is called `body` beside a request body",
            "rename it",
        );
        if let Some(other) = names.insert(name, place) {
            problems.add(
                &here,
                format!("`{name}` stands in {other} and in {place}"),
                "give the two parameters different names",
            );
        }
        described(parameter, &here, problems);
        inline_at(&here, parameter, "schema", problems);
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
        "the body does not say whether it is required",
        "say `required: true`, or `required: false` and let the wrapper attach it: the generator would send one always",
    );
    let types: Vec<_> = entries(body, "content").collect();
    let [(only, media)] = types.as_slice() else {
        problems.add(
            &here,
            format!("the body has {} media types", types.len()),
            "keep exactly one",
        );
        return;
    };
    let schema = media.get("schema").unwrap_or(&Value::Null);
    let here = format!("{here}.content.{only}");
    let plain_text = only.starts_with("text/") && text(schema, "type") == Some("string");
    problems.require(
        BODY_TYPES.contains(&only.as_str()) || plain_text,
        &here,
        format!("a body of type `{only}` is not supported"),
        "use application/json, a form, application/octet-stream, or text/* with `type: string`",
    );
    problems.require(
        schema.is_object(),
        &here,
        "the body has no schema",
        "add one",
    );
    inline_at(&here, media, "schema", problems);
}

fn responses(json: &Value, at: &str, operation: &Value, problems: &mut Problems) {
    let mut success = BTreeSet::new();
    let mut successes = 0;
    for (status, response) in entries(operation, "responses") {
        let here = format!("{at}.responses.{status}");
        problems.require(
            status != "default",
            &here,
            "`default` also stands for success in the generated client",
            "name the statuses",
        );
        let response = resolve(json, response);
        links::links(json, &here, operation, response, problems);
        for (media, body) in entries(response, "content") {
            inline_at(&format!("{here}.content.{media}"), body, "schema", problems);
            if status.starts_with('2') && media == "application/json" {
                success.extend(body.get("schema").map(Value::to_string));
            }
        }
        successes += usize::from(status.starts_with('2'));
    }
    let here = format!("{at}.responses");
    problems.require(
        successes > 0,
        &here,
        "no 2xx reply is documented",
        "add the one that the server sends",
    );
    problems.require(
        success.len() <= 1,
        &here,
        "the success replies have different schemas",
        "use one component for all of them",
    );
}

/// Objects and enums without a name of their own are merged by the generator under a made-up one.
fn inline_at(at: &str, holder: &Value, key: &str, problems: &mut Problems) {
    let Some(schema) = holder.get(key) else {
        return;
    };
    let at = format!("{at}.{key}");
    problems.require(
        entries(schema, "properties").next().is_none(),
        &at,
        "an object stands inline",
        "lift it into components.schemas and refer to it: inline ones are merged by name",
    );
    problems.require(
        schema.get("enum").is_none(),
        &at,
        "an enum stands inline",
        "lift it into components.schemas and refer to it",
    );
    for part in ["items", "additionalProperties"] {
        inline_at(&at, schema, part, problems);
    }
}

fn components(json: &Value, problems: &mut Problems) {
    for (name, schema) in schemas::components(json) {
        let at = format!("$.components.schemas.{name}");
        described(schema, &at, problems);
        if let Some(values) = schema.get("enum").and_then(Value::as_array)
            && let Some(variant) = open_enums::collision(values)
        {
            problems.add(
                format!("{at}.enum"),
                format!("two values become `{variant}`"),
                "leave one out: unknown values are kept anyway",
            );
        }
        for (key, property) in entries(schema, "properties") {
            let properties = format!("{at}.properties");
            inline_at(&properties, &schema["properties"], key, problems);
            if property.get("$ref").is_none() {
                described(property, &format!("{properties}.{key}"), problems);
            }
        }
        for part in ["items", "additionalProperties"] {
            inline_at(&at, schema, part, problems);
        }
        keywords(&at, schema, problems);
    }
}

/// Keywords that the generator misreads wherever they stand in a schema.
fn keywords(at: &str, schema: &Value, problems: &mut Problems) {
    let bound = schema.get("x-rust-type").is_some();
    for (key, inner) in schema.as_object().into_iter().flatten() {
        let here = format!("{at}.{key}");
        match key.as_str() {
            "title" => problems.add(
                here,
                "a schema has a title",
                "remove it: equal titles merge different types",
            ),
            "default" => problems.add(
                here,
                "a schema has a default",
                "remove it, the generator would send it with every request",
            ),
            "anyOf" | "oneOf" | "not" | "discriminator" if !bound => problems.add(
                here,
                format!("`{key}` is not supported"),
                "use one object with optional fields, or bind the component with x-rust-type",
            ),
            "properties" => {
                for (name, property) in entries(schema, key) {
                    keywords(&format!("{here}.{name}"), property, problems);
                }
            }
            "items" | "additionalProperties" => keywords(&here, inner, problems),
            "allOf" => {
                for (index, part) in items(schema, key).enumerate() {
                    keywords(&format!("{here}[{index}]"), part, problems);
                }
            }
            _ => {}
        }
    }
}

/// A closed enum in a reply fails the whole reply on one new value.
fn closed_enums(json: &Value, problems: &mut Problems) {
    let mut replies = BTreeSet::new();
    for (_, _, operation) in schemas::operations(json) {
        for (_, response) in entries(operation, "responses") {
            reach(json, resolve(json, response), &mut replies);
        }
    }
    for (name, schema) in schemas::components(json) {
        let closed = schema.get("enum").is_some() && schema.get("x-open") != Some(&true.into());
        problems.require(
            !(closed && replies.contains(name)),
            format!("$.components.schemas.{name}"),
            "a reply uses a closed enum",
            "mark it `x-open: true`, so that a value nobody has seen yet is kept and not refused",
        );
    }
}

/// `$ref` with company loses the company, and one that leads nowhere loses the type.
fn references(json: &Value, at: &str, value: &Value, problems: &mut Problems) {
    if let Some(target) = text(value, "$ref") {
        let keys = value.as_object().into_iter().flat_map(Map::keys);
        let others: Vec<_> = keys.filter(|key| *key != "$ref").cloned().collect();
        problems.require(
            others.is_empty(),
            at,
            format!("`{}` beside $ref is ignored", others.join("`, `")),
            "write `allOf: [{$ref: ...}]` and put it beside that",
        );
        let found = target.strip_prefix('#').and_then(|p| json.pointer(p));
        problems.require(
            found.is_some(),
            at,
            format!("`{target}` leads nowhere"),
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

fn described(value: &Value, at: &str, problems: &mut Problems) {
    problems.require(
        value.get("description").is_some(),
        at,
        "it has no description",
        "write one line of plain text, it becomes the documentation of the Rust item",
    );
}
