//! Removes bounds and formats from the generator's copy of the spec, and escapes descriptions for rustdoc.
//!
//! The generated types would enforce bounds and formats in replies too: one value outside them would make the
//! whole reply fail. `minimum: 1` even changes the Rust type. The wrappers check requests, and their errors
//! name the field.

use serde_json::{Map, Value};

/// Keywords that make decoding stricter, and keywords that the generator does not need.
const DROPPED: [&str; 17] = [
    "default",
    "discriminator",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "pattern",
    "uniqueItems",
];

/// Applies the pass to the whole document.
pub fn apply(json: &mut Value) {
    if let Some(paths) = json.get_mut("paths") {
        remove_below(paths, "");
    }
    for components in ["/components/schemas", "/components/parameters"] {
        let named = json.pointer_mut(components).and_then(Value::as_object_mut);
        for (_, component) in named.into_iter().flatten() {
            remove_below(component, "");
        }
    }
}

fn remove_below(value: &mut Value, key: &str) {
    match value {
        // Below `properties` every key is a name, not a keyword.
        Value::Object(map) if key == "properties" => {
            map.values_mut().for_each(|v| remove_below(v, ""))
        }
        Value::Object(map) => {
            remove_constraints(map);
            for (key, inner) in map.iter_mut() {
                remove_below(inner, key);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove_below(item, "")),
        _ => {}
    }
}

fn remove_constraints(map: &mut Map<String, Value>) {
    map.retain(|key, _| !DROPPED.contains(&key.as_str()) && !key.starts_with("x-"));
    if map.get("additionalProperties") == Some(&Value::Bool(false)) {
        map.remove("additionalProperties");
    }
    // Formats of text become types that are too strict or come from another crate. A binary body stays one.
    let is_text = map.get("type") == Some(&"string".into());
    if is_text && map.get("format") != Some(&"binary".into()) {
        map.remove("format");
    }
    if let Some(Value::String(text)) = map.get_mut("description") {
        *text = rustdoc(text);
    }
}

/// Joins a description to one paragraph and escapes markup.
fn rustdoc(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('\\', "\\\\")
        .replace('<', "\\<")
        .replace('[', "\\[")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bounds_and_formats_are_removed_but_properties_with_such_names_stay() {
        let mut json = json!({ "components": {
            "schemas": { "A": {
                "type": "object", "additionalProperties": false, "x-open": true,
                "properties": {
                    "pattern": { "type": "string", "pattern": "^a$", "format": "date-time" },
                    "default": { "type": "integer", "format": "int64", "minimum": 1, "default": 3 }
                }
            } },
            "parameters": { "minimum": { "schema": { "type": "integer", "minimum": 1 } } }
        } });
        apply(&mut json);
        let expected = json!({ "components": {
            "schemas": { "A": {
                "type": "object",
                "properties": {
                    "pattern": { "type": "string" },
                    "default": { "type": "integer", "format": "int64" }
                }
            } },
            "parameters": { "minimum": { "schema": { "type": "integer" } } }
        } });
        assert_eq!(json, expected);
    }

    #[test]
    fn descriptions_are_escaped_for_rustdoc() {
        assert_eq!(
            rustdoc("A <tag>\n    indented [link]"),
            "A \\<tag> indented \\[link]"
        );
    }
}
