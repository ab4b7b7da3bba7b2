//! Converts the schemas of OpenAPI 3.0 to JSON Schema. The tool for specs includes this file.

use std::sync::Arc;

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

/// Base URI of the named schemas.
const BASE: &str = "https://spec.invalid/";
const NAMED: &str = "#/components/schemas/";

/// The named schemas of a spec.
pub(crate) type Schemas = Option<Arc<Registry<'static>>>;

/// Converts the schemas of an OpenAPI 3.0 document to JSON Schema and returns the named ones.
pub(crate) fn schemas(document: &mut Value) -> Schemas {
    translate(document);
    let named = json!({ "components": { "schemas": document.pointer("/components/schemas") } });
    let registry = Registry::new().add(BASE, named).ok()?.prepare().ok()?;
    Some(Arc::new(registry))
}

/// Converts `nullable` to a type, `int64` to a maximum, and references to absolute ones.
pub(crate) fn translate(value: &mut Value) {
    if let Some(Value::String(reference)) = value.get_mut("$ref")
        && reference.starts_with(NAMED)
    {
        reference.insert_str(0, BASE);
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(translate),
        Value::Array(items) => items.iter_mut().for_each(translate),
        _ => {}
    }
    let Value::Object(fields) = value else { return };
    if fields.get("format").is_some_and(|format| format == "int64") {
        fields.entry("maximum").or_insert(i64::MAX.into());
    }
    if fields.get("nullable") != Some(&Value::Bool(true)) {
        return;
    }
    match fields.get_mut("type") {
        Some(kind) => *kind = json!([kind.take(), "null"]),
        None => *value = json!({ "anyOf": [fields, { "type": "null" }] }),
    }
    if let Some(Value::Array(values)) = value.get_mut("enum") {
        values.push(Value::Null);
    }
}

/// Compiles a converted schema.
pub(crate) fn validator(schema: &Value, schemas: &Schemas) -> Option<Validator> {
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    let options = options.with_registry(schemas.as_deref()?);
    options.build(schema).ok()
}
