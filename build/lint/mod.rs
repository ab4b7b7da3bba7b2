//! Checks a spec before it goes to the generator.
//!
//! Each check prevents a silent mistake: an error type that becomes the success type, a `nullable` that is
//! dropped, a parameter that disappears, a client that is stricter than the server.

pub mod extensions;
mod links;
mod names;
mod personal_data;
mod references;
mod schemas;

pub use references::references;

use super::problems::Problems;
use super::schemas::{entries, items, operations, resolve, text};
use super::shared_parts::place;
use serde_json::Value;
use std::collections::BTreeSet;

/// Media types of request bodies that the generator can send. For `text/*` see [`super::success_replies`].
const BODY_TYPES: [&str; 3] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
];

/// Headers that the transport sets. OpenAPI ignores parameters with these names.
pub const HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// Runs all checks but those of [`references`], after [`super::shared_parts`].
pub fn lint(json: &Value, problems: &mut Problems) {
    let version = json.pointer("/info/version").and_then(Value::as_str);
    problems.require(
        version.is_some_and(|version| version.is_ascii() && !version.is_empty()),
        "$.info.version",
        "the version is missing or not ASCII",
        "write an ASCII version: the generator puts it into a header",
    );
    let general_pace = json.get("x-general-pace");
    problems.require(
        general_pace.is_none_or(extensions::is_pace),
        "$.x-general-pace",
        "the value is malformed",
        "write `bucket N/s`, `bucket N/min` or `bucket N/h`",
    );
    names::operation_ids(json, problems);
    for (path, method, operation) in operations(json) {
        let at = format!("$.paths.{path}.{method}");
        parameters(json, &at, operation, problems);
        names::parameters(&at, operation, problems);
        placeholders(path, &at, operation, problems);
        request_body(&at, operation, problems);
        responses(json, &at, operation, problems);
        extensions::operation(&at, method, operation, problems);
        personal_data::personal_data(json, &at, operation, problems);
    }
    schemas::schemas(json, problems);
}

fn parameters(json: &Value, at: &str, operation: &Value, problems: &mut Problems) {
    for (index, parameter) in items(operation, "parameters").enumerate() {
        let name = text(parameter, "name").unwrap_or_default();
        let kind = text(parameter, "in").unwrap_or_default();
        let here = place(parameter, format!("{at}.parameters[{index}]"));
        require_description(parameter, &here, problems);
        problems.require(
            ["path", "query", "header"].contains(&kind),
            &here,
            format!(
                "the parameter `{name}` has `in: {kind}`, which the generator does not support"
            ),
            "write `in: path`, `in: query` or `in: header`, or remove the parameter",
        );
        problems.require(
            kind != "header" || !HEADERS.contains(&name.to_lowercase().as_str()),
            &here,
            format!("the header `{name}` is a parameter, but the transport sets this header"),
            "remove the parameter",
        );
        let Some(schema) = parameter.get("schema") else {
            problems.add(
                &here,
                format!("the parameter `{name}` has no schema"),
                "write `schema` instead of `content`",
            );
            continue;
        };
        let schema = resolve(json, schema);
        let is_list = text(schema, "type") == Some("array");
        let is_object =
            text(schema, "type") == Some("object") || schema.get("properties").is_some();
        let is_bound = schema.get("x-rust-type").is_some();
        problems.require(
            is_bound || !is_object && (!is_list || kind == "query"),
            &here,
            format!(
                "the generator cannot send the parameter `{name}`: a list or an object in `{kind}`"
            ),
            "write one parameter per value, or `type: string` and join the values in the wrapper",
        );
        let default_style = if kind == "query" { "form" } else { "simple" };
        let style = text(parameter, "style").unwrap_or(default_style);
        let joined = is_list && parameter.get("explode") == Some(&false.into());
        problems.require(
            style == default_style && !joined,
            &here,
            format!("the generator sends a list as `{name}=a&{name}=b`, whatever `style` and `explode` say"),
            "write `type: string` and join the values in the wrapper",
        );
    }
}

/// Checks that the path has exactly the parameters that the operation declares for it.
fn placeholders(path: &str, at: &str, operation: &Value, problems: &mut Problems) {
    let in_path: BTreeSet<_> = path
        .split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
        .collect();
    let declared = || items(operation, "parameters").filter(|p| text(p, "in") == Some("path"));
    for name in &in_path {
        problems.require(
            declared().any(|parameter| text(parameter, "name") == Some(name)),
            at,
            format!("the path has `{{{name}}}`, but there is no parameter for it"),
            "add the parameter with `in: path` and `required: true`",
        );
    }
    for parameter in declared() {
        let name = text(parameter, "name").unwrap_or_default();
        problems.require(
            in_path.contains(name) && parameter.get("required") == Some(&true.into()),
            place(parameter, format!("{at}.parameters")),
            format!("the path parameter `{name}` is not in the path, or not required"),
            "correct the name in the path, and write `required: true`",
        );
    }
}

fn request_body(at: &str, operation: &Value, problems: &mut Problems) {
    let Some(body) = operation.get("requestBody") else {
        return;
    };
    let here = place(body, format!("{at}.requestBody"));
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
}

fn responses(json: &Value, at: &str, operation: &Value, problems: &mut Problems) {
    let mut successes = 0;
    let mut bodies = BTreeSet::new();
    let mut types = BTreeSet::new();
    for (status, response) in entries(operation, "responses") {
        let here = place(response, format!("{at}.responses.{status}"));
        problems.require(
            status != "default",
            &here,
            "`default` would also match success replies in the generated client",
            "list the status codes instead",
        );
        links::links(json, &here, operation, response, problems);
        if !status.starts_with('2') {
            continue;
        }
        successes += 1;
        let content: Vec<_> = entries(response, "content").collect();
        if !content.is_empty() {
            types.insert(
                content
                    .iter()
                    .map(|(media, _)| media.as_str())
                    .collect::<Vec<_>>(),
            );
            let schemas = content
                .iter()
                .map(|(_, body)| body.get("schema").map(Value::to_string));
            bodies.insert(schemas.collect::<Vec<_>>());
        }
    }
    let here = format!("{at}.responses");
    problems.require(
        successes > 0,
        &here,
        "the operation has no 2xx reply",
        "add the reply that the server sends",
    );
    problems.require(
        bodies.len() <= 1,
        &here,
        "the 2xx replies have different JSON schemas",
        "use the same component for all of them: the generated method has one return type",
    );
    problems.require(
        types.len() <= 1,
        &here,
        "the 2xx replies have different media types",
        "keep one media type: the generated method decodes all of them as the same type",
    );
}

fn require_description(value: &Value, at: &str, problems: &mut Problems) {
    problems.require(
        value.get("description").is_some(),
        at,
        "the description is missing",
        "add one line of plain text: it becomes the documentation of the Rust item",
    );
}
