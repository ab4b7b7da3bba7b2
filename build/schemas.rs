//! Which component schemas are reached from requests, and which from replies.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

const PREFIX: &str = "#/components/schemas/";
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// The entries of the object that stands under this key, if there is one.
pub fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let map = value.get(key).and_then(Value::as_object);
    map.into_iter().flatten()
}

/// The items of the list that stands under this key, if there is one.
pub fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.get(key).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// The text that stands under this key.
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// Every operation: path, method, operation, in the document's order of paths.
pub fn operations(json: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    entries(json, "paths")
        .flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation))
        })
        .filter(|(_, method, _)| METHODS.contains(&method.as_str()))
}

/// Every operation, to be changed.
pub fn operations_mut(json: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = json.get_mut("paths").and_then(Value::as_object_mut);
    paths
        .into_iter()
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut)
        .flat_map(Map::iter_mut)
        .filter(|(method, _)| METHODS.contains(&method.as_str()))
        .filter_map(|(_, operation)| operation.as_object_mut())
}

/// The component schemas: name and schema.
pub fn components(json: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let components = json.get("components");
    components
        .into_iter()
        .flat_map(|components| entries(components, "schemas"))
}

/// The component schema of this name.
pub fn component<'a>(json: &'a Value, name: &str) -> Option<&'a Value> {
    json.get("components")?.get("schemas")?.get(name)
}

/// The target of a local `$ref` anywhere in the document, followed once.
pub fn resolve<'a>(json: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = text(value, "$ref") else {
        return value;
    };
    reference
        .strip_prefix('#')
        .and_then(|pointer| json.pointer(pointer))
        .unwrap_or(value)
}

/// The component schemas that are reached only from success replies: what users read and never
/// build, so that a new field must not break them.
pub fn reply_only(json: &Value) -> BTreeSet<String> {
    let mut requests = BTreeSet::new();
    let mut replies = BTreeSet::new();
    for (_, _, operation) in operations(json) {
        if let Some(body) = operation.get("requestBody") {
            reach(json, resolve(json, body), &mut requests);
        }
        if let Some(parameters) = operation.get("parameters") {
            reach(json, parameters, &mut requests);
        }
        for (status, response) in entries(operation, "responses") {
            if status.starts_with('2') {
                reach(json, resolve(json, response), &mut replies);
            }
        }
    }
    replies.difference(&requests).cloned().collect()
}

/// Adds the names of all component schemas that `value` leads to.
pub fn reach(json: &Value, value: &Value, found: &mut BTreeSet<String>) {
    for name in direct(value) {
        if found.insert(name.clone())
            && let Some(schema) = component(json, &name)
        {
            reach(json, schema, found);
        }
    }
}

/// The component schemas that `value` itself names: by `$ref`, or, where a handwritten type stands
/// in for the schema, in the name of that type.
fn direct(value: &Value) -> Vec<String> {
    let mut names = Vec::new();
    match value {
        Value::Object(map) => {
            if let Some(rust_type) = map.get("x-rust-type").and_then(Value::as_str) {
                names.extend(generated_types(rust_type));
                return names;
            }
            for (key, inner) in map {
                match (key.as_str(), inner.as_str()) {
                    ("$ref", Some(target)) => {
                        names.extend(target.strip_prefix(PREFIX).map(str::to_owned));
                    }
                    _ => names.extend(direct(inner)),
                }
            }
        }
        Value::Array(items) => names.extend(items.iter().flat_map(direct)),
        _ => {}
    }
    names
}

/// `X` of every `types::X` in a type such as `crate::dployr::shapes::Single<...types::X>`.
pub fn generated_types(rust_type: &str) -> Vec<String> {
    rust_type
        .split("types::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_handwritten_type_leads_to_the_generated_one_it_names() {
        assert_eq!(
            generated_types("crate::a::Single<crate::raw::a::types::Thing>"),
            ["Thing"]
        );
        assert!(generated_types("crate::Secret").is_empty());
    }

    #[test]
    fn reply_only_leaves_out_what_a_request_uses_too() {
        let json = json!({
            "paths": { "/a": { "post": {
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Both" } } } },
                "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Reply" } } } },
                               "400": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } } } }
            } } },
            "components": { "schemas": {
                "Both": { "type": "object" },
                "Reply": { "type": "object", "properties": { "a": { "$ref": "#/components/schemas/Both" }, "b": { "$ref": "#/components/schemas/Deep" } } },
                "Deep": { "type": "object" },
                "Error": { "type": "object" }
            } }
        });
        let names: Vec<_> = reply_only(&json).into_iter().collect();
        assert_eq!(names, ["Deep", "Reply"]);
    }
}
