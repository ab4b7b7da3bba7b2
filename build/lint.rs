//! Refuses a spec that the generator would misread, or that would make the client stricter than the
//! server, before the generator sees it.
//!
//! Each check stands for something that goes wrong in silence otherwise: an error type that becomes
//! the success type, a `nullable` that is dropped, a parameter that disappears.

use super::lint_extensions;
use super::lint_links;
use super::open_enums;
use super::problem::{Broken, Problem};
use super::schemas::{self, reach, resolve};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Request bodies the generator can send, or that [`super::success_only`] can disguise.
const BODY_TYPES: [&str; 3] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
];

/// Runs every check; all problems at once, so that one build shows the whole list.
pub fn lint(file: &str, json: &Value) -> Result<(), Broken> {
    let mut problems = Vec::new();
    info(json, &mut problems);
    operation_ids(json, &mut problems);
    for (path, method, operation) in schemas::operations(json) {
        let at = format!("$.paths.{path}.{method}");
        parameters(json, &at, operation, &mut problems);
        request_body(json, &at, operation, &mut problems);
        responses(json, &at, operation, &mut problems);
        lint_extensions::operation(&at, method, operation, &mut problems);
    }
    components(json, &mut problems);
    closed_enums(json, &mut problems);
    references(json, "$", json, &mut problems);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Broken {
            file: file.to_owned(),
            problems,
        })
    }
}

fn info(json: &Value, problems: &mut Vec<Problem>) {
    let version = json.pointer("/info/version").and_then(Value::as_str);
    if !version.is_some_and(|version| version.is_ascii() && !version.is_empty()) {
        problems.push(Problem::new(
            "$.info.version",
            "it is missing or not ASCII",
            "write a plain version, the generator puts it into a header",
        ));
    }
}

fn operation_ids(json: &Value, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (path, method, operation) in schemas::operations(json) {
        let at = format!("$.paths.{path}.{method}.operationId");
        let Some(id) = operation.get("operationId").and_then(Value::as_str) else {
            problems.push(Problem::new(
                at,
                "the operation has no id",
                "name it `verb_noun`, for it becomes a method",
            ));
            continue;
        };
        let snake = snake_case(id);
        if snake != id || id == "new" {
            problems.push(Problem::new(
                &at,
                format!("`{id}` is not a method name"),
                "use snake_case, and not `new`",
            ));
        }
        if let Some(other) = seen.insert(snake, at.clone()) {
            problems.push(Problem::new(
                at,
                format!("`{id}` is the same method as {other}"),
                "give each operation an id of its own",
            ));
        }
    }
}

fn snake_case(id: &str) -> String {
    let mut out = String::new();
    for c in id.chars() {
        if c.is_uppercase() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        } else if c.is_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out
}

fn parameters(json: &Value, at: &str, operation: &Value, problems: &mut Vec<Problem>) {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let list = operation.get("parameters").and_then(Value::as_array);
    for (index, parameter) in list.into_iter().flatten().enumerate() {
        let parameter = resolve(json, parameter);
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or("");
        let place = parameter.get("in").and_then(Value::as_str).unwrap_or("");
        let here = format!("{at}.parameters[{index}]");
        if !["path", "query", "header"].contains(&place) {
            problems.push(Problem::new(
                &here,
                format!("`{name}` stands in `{place}`"),
                "use path, query or header: the generator refuses the rest",
            ));
        }
        if place == "header"
            && ["accept", "content-type", "authorization"].contains(&name.to_lowercase().as_str())
        {
            problems.push(Problem::new(
                &here,
                format!("`{name}` is set by the transport"),
                "remove the parameter",
            ));
        }
        if name == "body" && operation.get("requestBody").is_some() {
            problems.push(Problem::new(
                &here,
                "a parameter is called `body` beside a request body",
                "rename it",
            ));
        }
        if let Some(other) = names.insert(name, place) {
            problems.push(Problem::new(
                &here,
                format!("`{name}` stands in {other} and in {place}"),
                "give the two parameters different names",
            ));
        }
        if parameter.get("description").is_none() {
            problems.push(missing_description(&here));
        }
        if let Some(schema) = parameter.get("schema") {
            inline(&format!("{here}.schema"), schema, problems);
        }
    }
}

fn request_body(json: &Value, at: &str, operation: &Value, problems: &mut Vec<Problem>) {
    let Some(body) = operation.get("requestBody") else {
        return;
    };
    let body = resolve(json, body);
    let here = format!("{at}.requestBody");
    if !body.get("required").is_some_and(Value::is_boolean) {
        problems.push(Problem::new(
            &here,
            "the body does not say whether it is required",
            "say `required: true`, or `required: false` and let the wrapper attach it: the generator would send one always",
        ));
    }
    let content = body.get("content").and_then(Value::as_object);
    let types: Vec<&String> = content.into_iter().flat_map(Map::keys).collect();
    let [only] = types.as_slice() else {
        problems.push(Problem::new(
            &here,
            format!("the body has {} media types", types.len()),
            "keep exactly one",
        ));
        return;
    };
    let media = content.and_then(|content| content.get(only.as_str()));
    let schema = media.and_then(|media| media.get("schema"));
    let here = format!("{here}.content.{only}");
    let plain_text = only.starts_with("text/")
        && schema
            .and_then(|schema| schema.get("type"))
            .and_then(Value::as_str)
            == Some("string");
    if !BODY_TYPES.contains(&only.as_str()) && !plain_text {
        problems.push(Problem::new(
            &here,
            format!("a body of type `{only}` is not supported"),
            "use application/json, a form, application/octet-stream, or text/* with `type: string`",
        ));
    }
    match schema {
        None => problems.push(Problem::new(&here, "the body has no schema", "add one")),
        Some(schema) => inline(&format!("{here}.schema"), schema, problems),
    }
}

fn responses(json: &Value, at: &str, operation: &Value, problems: &mut Vec<Problem>) {
    let all = operation.get("responses").and_then(Value::as_object);
    let mut success: BTreeSet<String> = BTreeSet::new();
    let mut successes = 0;
    for (status, response) in all.into_iter().flatten() {
        let here = format!("{at}.responses.{status}");
        if status == "default" {
            problems.push(Problem::new(
                &here,
                "`default` also stands for success in the generated client",
                "name the statuses",
            ));
        }
        let response = resolve(json, response);
        lint_links::links(json, &here, operation, response, problems);
        let content = response.get("content").and_then(Value::as_object);
        for (media, body) in content.into_iter().flatten() {
            if let Some(schema) = body.get("schema") {
                inline(&format!("{here}.content.{media}.schema"), schema, problems);
                if status.starts_with('2') && media == "application/json" {
                    success.insert(schema.to_string());
                }
            }
        }
        successes += usize::from(status.starts_with('2'));
    }
    let here = format!("{at}.responses");
    if successes == 0 {
        problems.push(Problem::new(
            &here,
            "no 2xx reply is documented",
            "add the one that the server sends",
        ));
    }
    if success.len() > 1 {
        problems.push(Problem::new(
            &here,
            "the success replies have different schemas",
            "use one component for all of them",
        ));
    }
}

/// Objects and enums without a name of their own are merged by the generator under a made-up one.
fn inline(at: &str, schema: &Value, problems: &mut Vec<Problem>) {
    let Some(map) = schema.as_object() else {
        return;
    };
    if map
        .get("properties")
        .is_some_and(|p| p.as_object().is_some_and(|p| !p.is_empty()))
    {
        problems.push(Problem::new(
            at,
            "an object stands inline",
            "lift it into components.schemas and refer to it: inline ones are merged by name",
        ));
    }
    if map.contains_key("enum") {
        problems.push(Problem::new(
            at,
            "an enum stands inline",
            "lift it into components.schemas and refer to it",
        ));
    }
    if let Some(items) = map.get("items") {
        inline(&format!("{at}.items"), items, problems);
    }
    if let Some(extra) = map.get("additionalProperties") {
        inline(&format!("{at}.additionalProperties"), extra, problems);
    }
}

fn components(json: &Value, problems: &mut Vec<Problem>) {
    let all = json
        .pointer("/components/schemas")
        .and_then(Value::as_object);
    for (name, schema) in all.into_iter().flatten() {
        let at = format!("$.components.schemas.{name}");
        if schema.get("description").is_none() {
            problems.push(missing_description(&at));
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array)
            && let Some(variant) = open_enums::collision(values)
        {
            problems.push(Problem::new(
                format!("{at}.enum"),
                format!("two values become `{variant}`"),
                "leave one out: unknown values are kept anyway",
            ));
        }
        for (key, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let here = format!("{at}.properties.{key}");
            inline(&here, property, problems);
            if property.get("description").is_none() && property.get("$ref").is_none() {
                problems.push(missing_description(&here));
            }
        }
        for part in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(part) {
                inline(&format!("{at}.{part}"), inner, problems);
            }
        }
        keywords(&at, schema, problems);
    }
}

/// Keywords that the generator misreads wherever they stand in a schema.
fn keywords(at: &str, schema: &Value, problems: &mut Vec<Problem>) {
    let Some(map) = schema.as_object() else {
        return;
    };
    let bound = map.contains_key("x-rust-type");
    for (key, inner) in map {
        let here = format!("{at}.{key}");
        match key.as_str() {
            "title" => problems.push(Problem::new(
                here,
                "a schema has a title",
                "remove it: equal titles merge different types",
            )),
            "default" => problems.push(Problem::new(
                here,
                "a schema has a default",
                "remove it, the generator would send it with every request",
            )),
            "anyOf" | "not" | "discriminator" if !bound => problems.push(Problem::new(
                here,
                format!("`{key}` is not supported"),
                "use one object with optional fields, or bind the component with x-rust-type",
            )),
            "oneOf" if !bound => problems.push(Problem::new(
                here,
                "`oneOf` becomes first-match-wins",
                "use one object with optional fields, or bind the component with x-rust-type",
            )),
            "properties" => {
                for (name, property) in inner.as_object().into_iter().flatten() {
                    keywords(&format!("{here}.{name}"), property, problems);
                }
            }
            "items" | "additionalProperties" => keywords(&here, inner, problems),
            "allOf" => {
                for (index, part) in inner.as_array().into_iter().flatten().enumerate() {
                    keywords(&format!("{here}[{index}]"), part, problems);
                }
            }
            _ => {}
        }
    }
}

/// A closed enum in a reply fails the whole reply on one new value.
fn closed_enums(json: &Value, problems: &mut Vec<Problem>) {
    let mut replies = BTreeSet::new();
    for (_, _, operation) in schemas::operations(json) {
        for (_, response) in operation
            .get("responses")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            reach(json, resolve(json, response), &mut replies);
        }
    }
    for name in replies {
        let Some(schema) = schemas::component(json, &name) else {
            continue;
        };
        if schema.get("enum").is_some() && schema.get("x-open") != Some(&Value::Bool(true)) {
            problems.push(Problem::new(
                format!("$.components.schemas.{name}"),
                "a reply uses a closed enum",
                "mark it `x-open: true`, so that a value nobody has seen yet is kept and not refused",
            ));
        }
    }
}

/// `$ref` with company loses the company, and one that leads nowhere loses the type.
fn references(json: &Value, at: &str, value: &Value, problems: &mut Vec<Problem>) {
    match value {
        Value::Object(map) => {
            if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                if map.len() > 1 {
                    let others: Vec<_> = map.keys().filter(|key| *key != "$ref").cloned().collect();
                    problems.push(Problem::new(
                        at,
                        format!("`{}` beside $ref is ignored", others.join("`, `")),
                        "write `allOf: [{$ref: ...}]` and put it beside that",
                    ));
                }
                let found = target.strip_prefix('#').and_then(|p| json.pointer(p));
                if found.is_none() {
                    problems.push(Problem::new(
                        at,
                        format!("`{target}` leads nowhere"),
                        "correct the name or add the component",
                    ));
                }
            }
            for (key, inner) in map {
                if !["example", "examples"].contains(&key.as_str()) {
                    references(json, &format!("{at}.{key}"), inner, problems);
                } else if let Some(examples) = inner.as_object() {
                    for (name, example) in examples {
                        if example.get("$ref").is_some() {
                            references(json, &format!("{at}.{key}.{name}"), example, problems);
                        }
                    }
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                references(json, &format!("{at}[{index}]"), item, problems);
            }
        }
        _ => {}
    }
}

fn missing_description(at: &str) -> Problem {
    Problem::new(
        at,
        "it has no description",
        "write one line of plain text, it becomes the documentation of the Rust item",
    )
}
