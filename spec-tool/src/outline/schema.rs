//! The facts of a schema: its fields with their types, enums and limits. References and `allOf` are resolved.

use super::{Outline, field_in};
use crate::build::schemas::{entries, items, text};
use serde_json::{Map, Value};

/// Keywords that become a fact each.
pub const LIMITS: [&str; 12] = [
    "additionalProperties",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

/// Where the facts belong.
pub struct Reader<'a> {
    pub json: &'a Value,
    pub operation: &'a str,
    pub place: &'a str,
}

impl Reader<'_> {
    /// Adds the facts of a schema. `prefix` are words before its type, `is_required` whether it is required.
    pub fn add(&self, outline: &mut Outline, field: &str, schema: &Value, is_required: bool) {
        self.below(outline, field, schema, is_required, &mut Vec::new());
    }

    /// `open` are the names of the components around this schema.
    fn below(
        &self,
        outline: &mut Outline,
        field: &str,
        schema: &Value,
        is_required: bool,
        open: &mut Vec<String>,
    ) {
        let depth = open.len();
        let schema = match self.merged(schema, open) {
            Ok(schema) => schema,
            Err(name) => {
                self.fact(outline, field, format!("recursive {name}"), is_required);
                open.truncate(depth);
                return;
            }
        };
        let (mut kinds, mut nullable) = types(&schema);
        let (null, choices): (Vec<_>, Vec<_>) = ["oneOf", "anyOf"]
            .into_iter()
            .flat_map(|key| {
                schema
                    .get(key)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
            })
            .cloned()
            .partition(|choice| text(choice, "type") == Some("null"));
        nullable |= !null.is_empty();
        if kinds.is_empty() && schema.contains_key("properties") {
            kinds.push("object");
        }
        let mut value = match (kinds.is_empty(), choices.len()) {
            (false, _) => kinds.join(" or "),
            (true, 0) => "any".to_owned(),
            (true, choices) => format!("one of {choices}"),
        };
        if let Some(format) = schema.get("format").and_then(Value::as_str) {
            value += &format!(" ({format})");
        }
        if nullable {
            value += ", nullable";
        }
        if schema.get("deprecated") == Some(&Value::Bool(true)) {
            value += ", deprecated";
        }
        self.fact(outline, field, value, is_required);
        let keyword = |key: &str| match field {
            "" => key.to_owned(),
            field => format!("{field} {key}"),
        };
        for value in schema
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            outline.add(self.operation, self.place, &keyword("enum"), shown(value));
        }
        if let Some(value) = schema.get("const") {
            outline.add(self.operation, self.place, &keyword("enum"), shown(value));
        }
        for key in LIMITS {
            if let Some(value) = schema.get(key).filter(|value| !value.is_object()) {
                outline.add(self.operation, self.place, &keyword(key), shown(value));
            }
        }
        let schema = Value::Object(schema);
        let required: Vec<_> = items(&schema, "required")
            .filter_map(Value::as_str)
            .collect();
        for (name, property) in entries(&schema, "properties") {
            let is_required = required.contains(&name.as_str());
            let inner = field_in(field, name);
            self.below(outline, &inner, property, is_required, open);
        }
        for (key, suffix) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let Some(part) = schema.get(key).filter(|part| part.is_object()) {
                let inner = format!("{field}{suffix}");
                self.below(outline, inner.trim_start_matches('.'), part, false, open);
            }
        }
        for (index, choice) in choices.iter().enumerate() {
            self.below(
                outline,
                &format!("{field}|{}", index + 1),
                choice,
                false,
                open,
            );
        }
        open.truncate(depth);
    }

    fn fact(&self, outline: &mut Outline, field: &str, mut value: String, is_required: bool) {
        if is_required {
            value += ", required";
        }
        outline.add(self.operation, self.place, field, value);
    }

    /// The schema with its references resolved and its `allOf` merged. The error is the name of a component
    /// that contains itself.
    fn merged(&self, schema: &Value, open: &mut Vec<String>) -> Result<Map<String, Value>, String> {
        let mut schema = schema;
        let mut own = schema.as_object().cloned().unwrap_or_default();
        while let Some(target) = text(schema, "$ref") {
            let name = target.rsplit('/').next().unwrap_or(target).to_owned();
            if open.contains(&name) {
                return Err(name);
            }
            open.push(name);
            let next = self.json.pointer(target.trim_start_matches('#'));
            schema = next.unwrap_or(&Value::Null);
            // OpenAPI 3.1 allows keywords beside `$ref`.
            own.remove("$ref");
            merge(&mut own, schema.as_object().cloned().unwrap_or_default());
            own.remove("$ref");
        }
        for part in items(&Value::Object(own.clone()), "allOf") {
            // Two parts may refer to the same component.
            let mut inside = open.clone();
            merge(&mut own, self.merged(part, &mut inside)?);
        }
        own.remove("allOf");
        Ok(own)
    }
}

/// Adds the keywords of a part. Lists and properties are joined; of two other values, the first stays.
fn merge(schema: &mut Map<String, Value>, part: Map<String, Value>) {
    for (key, value) in part {
        match (schema.get_mut(&key), value) {
            (None, value) => drop(schema.insert(key, value)),
            (Some(Value::Object(all)), Value::Object(more)) => {
                for (name, property) in more {
                    all.entry(name).or_insert(property);
                }
            }
            (Some(Value::Array(all)), Value::Array(more)) if key == "required" => all.extend(more),
            _ => {}
        }
    }
}

/// The types but null, and whether null is allowed.
fn types(schema: &Map<String, Value>) -> (Vec<&str>, bool) {
    let listed = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let nullable = schema.get("nullable") == Some(&Value::Bool(true)) || listed.contains(&"null");
    let kinds = listed.into_iter().filter(|kind| *kind != "null");
    (kinds.collect(), nullable)
}

/// A value as one line without quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.escape_debug().to_string(),
        value => value.to_string(),
    }
}
