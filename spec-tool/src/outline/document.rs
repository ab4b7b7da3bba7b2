//! The facts of an OpenAPI document, with the faults that vendors' documents have.

use super::schema::Reader;
use super::{Outline, with_braces};
use crate::build::lint::HEADERS;
use crate::build::schemas::{METHODS, entries, items, resolve, text};
use serde_json::Value;

/// Adds the facts of the document.
pub fn read(json: &Value, base: Option<&str>, outline: &mut Outline) {
    let base = base.map_or_else(
        || base_of(json),
        |base| base.trim_end_matches('/').to_owned(),
    );
    for url in items(json, "servers").filter_map(|server| text(server, "url")) {
        outline.add("*", "servers", "", url);
    }
    for (path, item) in entries(json, "paths") {
        let item = resolve(json, item);
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
    let reader = |place| Reader {
        json,
        operation: name,
        place,
    };
    let mut seen = Vec::new();
    for parameter in items(operation, "parameters").chain(items(item, "parameters")) {
        let parameter = resolve(json, parameter);
        let place = text(parameter, "in").unwrap_or_default();
        let field = text(parameter, "name").unwrap_or_default();
        let is_ignored = place == "header" && HEADERS.contains(&field.to_lowercase().as_str());
        if seen.contains(&(place, field)) || is_ignored {
            continue;
        }
        seen.push((place, field));
        let nothing = Value::Null;
        let schema = parameter.get("schema").unwrap_or(&nothing);
        let is_required = place == "path" || parameter.get("required") == Some(&true.into());
        reader(place).add(outline, field, schema, is_required);
        for key in ["style", "explode"] {
            if let Some(value) = parameter.get(key) {
                let value = value.to_string().replace('"', "");
                outline.add(name, place, &format!("{field} {key}"), value);
            }
        }
    }
    if let Some(body) = operation.get("requestBody") {
        let body = resolve(json, body);
        let is_required = body.get("required") == Some(&true.into());
        let words = if is_required { ", required" } else { "" };
        add_content(&reader("request"), body, words, outline);
    }
    for (status, response) in entries(operation, "responses") {
        let response = resolve(json, response);
        outline.add(name, status, "", "");
        let reader = reader(status);
        add_content(&reader, response, "", outline);
        for (header, value) in entries(response, "headers") {
            let value = resolve(json, value);
            let schema = value.get("schema").unwrap_or(value);
            reader.add(outline, &format!("header {header}"), schema, false);
        }
    }
}

fn add_content(reader: &Reader<'_>, part: &Value, words: &str, outline: &mut Outline) {
    for (media, content) in entries(part, "content") {
        let value = format!("{media}{words}");
        outline.add(reader.operation, reader.place, "body", value);
        if let Some(schema) = content.get("schema") {
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
