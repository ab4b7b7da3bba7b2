//! The JSON Schema of a manifest, derived from the types in `spec.rs` and the formats in `lints.rs`.

use super::cursor::NULLABLE;
use super::lints::{self, Object};
use super::pods::MAX_PORTS;
use super::spec::{AppSpec, Others};
use crate::secret::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The schema of the canonical form.
pub(super) fn canonical() -> Schema {
    let mut generator = SchemaGenerator::default();
    let application = generator.subschema_for::<AppSpec>();
    let mut definitions = Value::Object(generator.take_definitions(true));
    for (name, object) in [
        ("AppSpec", &lints::APPLICATION),
        ("RegistryLogin", &lints::REGISTRY_LOGIN),
        ("Pod", &lints::POD),
        ("Volume", &lints::VOLUME),
        ("SecretFile", &lints::SECRET),
        ("Resources", &Object::NO_RULES),
        ("Quantities", &lints::QUANTITIES),
    ] {
        restrict(&mut definitions[name], object);
    }
    let application_schema = &mut definitions["AppSpec"];
    application_schema["required"] = json!(["name", "pods"]);
    application_schema["properties"]["version"] =
        json!({ "type": ["string", "number", "boolean"] });
    let pods = &mut application_schema["properties"]["pods"];
    pods["minItems"] = json!(1);
    pods["contains"] =
        json!({ "required": ["path"], "properties": { "path": { "type": "string" } } });
    let pod = &mut definitions["Pod"];
    pod["anyOf"] = json!([
        { "required": ["servicePorts"] },
        { "required": ["resourceType"], "properties": { "resourceType": { "const": "job" } } },
    ]);
    let scalar = json!({ "type": ["string", "number", "boolean", "null"] });
    let fields = &mut pod["properties"];
    fields["servicePorts"]["minItems"] = json!(1);
    fields["servicePorts"]["maxItems"] = json!(MAX_PORTS);
    fields["servicePorts"]["items"]["minimum"] = json!(1);
    fields["replicas"] = json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX });
    fields["vars"] = json!({ "type": "object", "additionalProperties": scalar });
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A nexlayer.yaml",
        "type": "object",
        "required": ["application"],
        "properties": { "application": application },
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// Adds the rules of an object to its derived schema.
fn restrict(schema: &mut Value, object: &Object) {
    schema["additionalProperties"] = json!(false);
    schema["required"] = json!(object.required);
    let Some(properties) = schema["properties"].as_object_mut() else {
        return;
    };
    for (key, property) in properties.iter_mut() {
        if !NULLABLE.contains(&key.as_str()) {
            without_null(property);
        }
    }
    for (key, pattern) in object.patterns {
        properties[*key]["pattern"] = json!(pattern.regex);
    }
    for key in object.untyped {
        properties.insert((*key).to_owned(), json!({}));
    }
}

/// Removes `null`, which the derive macro allows for each `Option`.
fn without_null(schema: &mut Value) {
    let is_null = |option: &Value| option == "null" || option["type"] == "null";
    for key in ["type", "anyOf"] {
        if let Some(options) = schema.get_mut(key).and_then(Value::as_array_mut) {
            options.retain(|option| !is_null(option));
        }
    }
}

impl JsonSchema for Others {
    fn schema_name() -> Cow<'static, str> {
        "Others".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
