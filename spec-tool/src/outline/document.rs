//! The facts of an OpenAPI document, with the faults that vendors' documents have.

use super::schema::{Reader, target};
use super::{Outline, with_braces};
use crate::build::schemas::{METHODS, entries, items, text};
use serde_json::Value;

/// Header parameters that mean nothing in OpenAPI.
const IGNORED_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// Adds the facts of the document.
pub fn read(json: &Value, base: Option<&str>, outline: &mut Outline) {
    let base = base.map_or_else(
        || base_of(json),
        |base| base.trim_end_matches('/').to_owned(),
    );
    for (path, item) in entries(json, "paths") {
        let item = target(json, item);
        let path = match path.starts_with(&format!("{base}/")) {
            true => with_braces(path),
            false => with_braces(&format!("{base}{path}")),
        };
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let name = format!("{} {path}", method.to_uppercase());
                add_operation(json, &name, item, operation, outline);
            }
        }
    }
}

/// The path of the first server: `/v2`.
fn base_of(json: &Value) -> String {
    let url = items(json, "servers").find_map(|server| text(server, "url"));
    let path = url.map(|url| match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    });
    path.unwrap_or_default().trim_end_matches('/').to_owned()
}

fn add_operation(json: &Value, name: &str, item: &Value, operation: &Value, outline: &mut Outline) {
    outline.add(name, "", "", "");
    if operation.get("deprecated") == Some(&true.into()) {
        outline.add(name, "deprecated", "", "");
    }
    for scheme in security(json, operation) {
        outline.add(name, "security", "", scheme);
    }
    let mut seen = Vec::new();
    for parameter in items(operation, "parameters").chain(items(item, "parameters")) {
        let parameter = target(json, parameter);
        let place = text(parameter, "in").unwrap_or_default();
        let field = text(parameter, "name").unwrap_or_default();
        let is_ignored =
            place == "header" && IGNORED_HEADERS.contains(&field.to_lowercase().as_str());
        if seen.contains(&(place, field)) || is_ignored {
            continue;
        }
        seen.push((place, field));
        let nothing = Value::Null;
        let schema = parameter.get("schema").unwrap_or(&nothing);
        let is_required = place == "path" || parameter.get("required") == Some(&true.into());
        let reader = Reader {
            json,
            operation: name,
            place,
        };
        reader.add(outline, field, schema, is_required);
        for key in ["style", "explode"] {
            if let Some(value) = parameter.get(key) {
                let value = value.to_string().replace('"', "");
                outline.add(name, place, &format!("{field} {key}"), value);
            }
        }
    }
    if let Some(body) = operation.get("requestBody") {
        let body = target(json, body);
        let is_required = body.get("required") == Some(&true.into());
        let words = if is_required { ", required" } else { "" };
        add_content(json, name, "request", body, words, outline);
    }
    for (status, response) in entries(operation, "responses") {
        let response = target(json, response);
        outline.add(name, status, "", "");
        add_content(json, name, status, response, "", outline);
        for (header, value) in entries(response, "headers") {
            let value = target(json, value);
            let schema = value.get("schema").unwrap_or(value);
            let reader = Reader {
                json,
                operation: name,
                place: status,
            };
            reader.add(outline, &format!("header {header}"), schema, false);
        }
    }
}

fn add_content(
    json: &Value,
    name: &str,
    place: &str,
    part: &Value,
    words: &str,
    outline: &mut Outline,
) {
    for (media, content) in entries(part, "content") {
        outline.add(name, place, "body", format!("{media}{words}"));
        if let Some(schema) = content.get("schema") {
            let reader = Reader {
                json,
                operation: name,
                place,
            };
            reader.add(outline, "", schema, false);
        }
    }
}

/// The schemes of an operation by what they send, not by their names: `header Authorization`.
fn security(json: &Value, operation: &Value) -> Vec<String> {
    let own = operation.get("security").or_else(|| json.get("security"));
    let mut found = Vec::new();
    for requirement in own.and_then(Value::as_array).into_iter().flatten() {
        for scheme in requirement
            .as_object()
            .into_iter()
            .flatten()
            .map(|(scheme, _)| scheme)
        {
            let defined = json.pointer("/components/securitySchemes");
            let defined = defined.and_then(|schemes| schemes.get(scheme));
            let word = |key| defined.and_then(|defined| text(defined, key));
            found.push(
                match (word("type"), word("in"), word("name"), word("scheme")) {
                    (Some("apiKey"), Some(place), Some(name), _) => format!("{place} {name}"),
                    (Some("http"), _, _, Some(scheme)) => {
                        format!("header Authorization ({scheme})")
                    }
                    (Some(kind), ..) => kind.to_owned(),
                    _ => format!("undefined scheme {scheme}"),
                },
            );
        }
    }
    found
}
