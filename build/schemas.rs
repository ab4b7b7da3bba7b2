//! Lookups in a spec: operations, components, references, and the schemas that only replies use.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

const PREFIX: &str = "#/components/schemas/";
pub const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// Keys whose value is a map with names as keys, so that a key such as `example` is no keyword.
pub const MAPS: [&str; 12] = [
    "callbacks",
    "content",
    "encoding",
    "headers",
    "links",
    "parameters",
    "paths",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "securitySchemes",
];

/// The entries of the object at this key; empty if the key is missing.
pub fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let map = value.get(key).and_then(Value::as_object);
    map.into_iter().flatten()
}

/// The items of the list at this key; empty if the key is missing.
pub fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.get(key).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// The string at this key.
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// All operations as path, method and operation.
pub fn operations(json: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    entries(json, "paths")
        .flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation))
        })
        .filter(|(_, method, _)| METHODS.contains(&method.as_str()))
}

/// All operations, mutable.
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

/// The component schemas as name and schema.
pub fn components(json: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let components = json.get("components");
    components
        .into_iter()
        .flat_map(|components| entries(components, "schemas"))
}

/// The component schema with this name.
pub fn component<'a>(json: &'a Value, name: &str) -> Option<&'a Value> {
    json.get("components")?.get("schemas")?.get(name)
}

/// The name of the component schema that a `$ref` names.
pub fn component_name(target: &str) -> Option<&str> {
    target.strip_prefix(PREFIX)
}

/// Follows a local `$ref` to its target, also over several references. Returns a value without a `$ref`, or
/// with one that has no target, as it is.
pub fn resolve<'a>(json: &'a Value, value: &'a Value) -> &'a Value {
    let mut found = value;
    // References that lead in a circle end here, too.
    for _ in 0..100 {
        let Some(reference) = text(found, "$ref") else {
            return found;
        };
        let target = reference.strip_prefix('#');
        match target.and_then(|pointer| json.pointer(pointer)) {
            Some(next) => found = next,
            None => break,
        }
    }
    value
}

/// The component schemas that occur in requests.
pub fn in_requests(json: &Value) -> BTreeSet<String> {
    let mut requests = BTreeSet::new();
    for (_, _, operation) in operations(json) {
        if let Some(body) = operation.get("requestBody") {
            collect_references(json, body, &mut requests);
        }
        if let Some(parameters) = operation.get("parameters") {
            collect_references(json, parameters, &mut requests);
        }
    }
    requests
}

/// The component schemas that occur only in success replies. Users never construct them, so they become
/// `#[non_exhaustive]`.
pub fn reply_only(json: &Value) -> BTreeSet<String> {
    let mut replies = BTreeSet::new();
    for (_, _, operation) in operations(json) {
        for (status, response) in entries(operation, "responses") {
            if status.starts_with('2') {
                collect_references(json, response, &mut replies);
            }
        }
    }
    replies.difference(&in_requests(json)).cloned().collect()
}

/// Adds the names of all component schemas that `value` refers to, directly or indirectly.
pub fn collect_references(json: &Value, value: &Value, found: &mut BTreeSet<String>) {
    for name in direct_references(value) {
        if found.insert(name.clone())
            && let Some(schema) = component(json, &name)
        {
            collect_references(json, schema, found);
        }
    }
}

/// The component schemas that `value` refers to directly: by `$ref`, or in its `x-rust-type`.
fn direct_references(value: &Value) -> Vec<String> {
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
                        names.extend(component_name(target).map(str::to_owned));
                    }
                    _ => names.extend(direct_references(inner)),
                }
            }
        }
        Value::Array(items) => names.extend(items.iter().flat_map(direct_references)),
        _ => {}
    }
    names
}

/// The names `X` of all `types::X` in a type such as `crate::dployr::shapes::Single<...types::X>`.
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
    fn generated_types_are_found_in_the_name_of_a_handwritten_type() {
        assert_eq!(
            generated_types("crate::a::Single<crate::raw::a::types::Thing>"),
            ["Thing"]
        );
        assert!(generated_types("crate::Secret").is_empty());
    }

    #[test]
    fn reply_only_excludes_schemas_that_requests_use_too() {
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
