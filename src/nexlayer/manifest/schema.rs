//! JSON Schemas of a manifest: of every generation, and of the canonical form.

use super::cursor::NULLABLE;
use super::patterns::{self, Object, PORT};
use super::pods::MOST_PORTS;
use super::spec::{AppSpec, Others, ServicePort};
use crate::secret::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The schema that is derived from the types, to be restricted or relaxed.
fn derived(title: &str) -> Value {
    let mut generator = SchemaGenerator::default();
    let application = generator.subschema_for::<AppSpec>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "required": ["application"],
        "properties": { "application": application },
        "$defs": generator.take_definitions(true),
    })
}

fn finished(schema: Value) -> Schema {
    // It is a map.
    Schema::try_from(schema).unwrap_or_default()
}

/// A schema of the canonical form: the types of [`AppSpec`] with the rules of the lints.
pub(super) fn canonical() -> Schema {
    let mut schema = derived("A nexlayer.yaml");
    schema["additionalProperties"] = json!(false);
    for object in [
        &patterns::APPLICATION,
        &patterns::REGISTRY_LOGIN,
        &patterns::POD,
        &patterns::VOLUME,
        &patterns::SECRET,
        &patterns::RESOURCES,
        &patterns::QUANTITIES,
    ] {
        restrict(&mut schema["$defs"][object.definition], object);
    }
    let application = &mut schema["$defs"]["AppSpec"];
    application["required"] = json!(["name", "pods"]);
    application["properties"]["version"]["type"] = json!(["string", "number", "boolean"]);
    let pods = &mut application["properties"]["pods"];
    pods["minItems"] = json!(1);
    pods["contains"] =
        json!({ "required": ["path"], "properties": { "path": { "type": "string" } } });
    let pod = &mut schema["$defs"]["Pod"];
    pod["anyOf"] = json!([
        { "required": ["servicePorts"] },
        { "required": ["resourceType"], "properties": { "resourceType": { "const": "job" } } },
    ]);
    pod["properties"]["servicePorts"]["minItems"] = json!(1);
    pod["properties"]["servicePorts"]["maxItems"] = json!(MOST_PORTS);
    pod["properties"]["replicas"] = json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX });
    pod["properties"]["vars"] = json!({ "type": "object", "additionalProperties": text() });
    let secret = &mut schema["$defs"]["SecretFile"];
    secret["properties"]["data"] = json!({ "type": "string" });
    finished(schema)
}

/// Adds the rules of a map to its derived schema.
fn restrict(schema: &mut Value, object: &Object) {
    schema["additionalProperties"] = json!(false);
    schema["required"] = json!(object.required);
    let Some(properties) = schema["properties"].as_object_mut() else {
        return;
    };
    properties.retain(|key, _| !object.outdated.contains(&key.as_str()));
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

/// Takes null, which the derive allows for each `Option`, out of a schema.
fn without_null(schema: &mut Value) {
    let is_null = |one: &Value| one == "null" || one["type"] == "null";
    for key in ["type", "anyOf"] {
        if let Some(all) = schema.get_mut(key).and_then(Value::as_array_mut) {
            all.retain(|one| !is_null(one));
        }
    }
}

/// A schema of every generation: the types of [`AppSpec`] with the older names and forms.
pub(super) fn of_all_generations() -> Schema {
    let mut schema = derived("A nexlayer.yaml of any generation");
    let definitions = &mut schema["$defs"];
    let objects = definitions.as_object_mut().into_iter().flatten();
    objects.for_each(|(_, definition)| relax(definition));
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    for item in ["Pod", "Volume", "SecretFile"] {
        definitions[item]["type"] = json!("object");
        definitions[item]["required"] = json!(["name"]);
        definitions[item]["properties"]["name"] = scalar.clone();
        definitions[item]["properties"]["path"] = text();
    }
    let port = json!({ "anyOf": [
        { "type": "integer", "minimum": 1, "maximum": u16::MAX },
        { "type": "string", "pattern": PORT.regex },
    ] });
    let port_or_null = json!({ "anyOf": [port, { "type": "null" }] });
    let ports = ["port", "servicePort", "targetPort", "containerPort"];
    let one_of_ports = ports.map(|key| json!({ "required": [key], "properties": { key: port } }));
    let service_ports = list(json!({ "anyOf": [port, {
        "type": "object",
        "properties": {
            "port": port_or_null,
            "servicePort": port_or_null,
            "targetPort": port_or_null,
            "containerPort": port_or_null,
            "name": text(),
            "protocol": text(),
        },
        "anyOf": one_of_ports,
    }] }));
    let vars = json!({ "anyOf": [
        { "type": ["object", "null"], "additionalProperties": text() },
        { "type": "array", "items": {
            "type": "object",
            "properties": { "value": text() },
            "anyOf": [
                { "required": ["key"], "properties": { "key": scalar } },
                { "required": ["name"], "properties": { "key": { "type": "null" }, "name": scalar } },
            ],
        } },
    ] });
    let mut command = text();
    command["items"] = scalar;
    add(&mut command["type"], "array");
    let pod = &mut definitions["Pod"]["properties"];
    for (key, form) in [
        ("tag", text()),
        ("resourceType", text()),
        ("servicePorts", service_ports.clone()),
        ("ports", service_ports),
        ("vars", vars.clone()),
        ("env", vars),
        ("entrypoint", command.clone()),
        ("command", command.clone()),
    ] {
        pod[key] = form;
    }
    definitions["HealthCheck"]["properties"]["port"] = port_or_null;
    let data = &mut definitions["SecretFile"]["properties"]["data"];
    *data = text();
    data["additionalProperties"] = text();
    add(&mut data["type"], "object");
    let resources = &mut definitions["Resources"]["properties"];
    (resources["cpu"], resources["memory"]) = (text(), text());
    let application = &mut definitions["AppSpec"];
    application["type"] = json!("object");
    let name = json!({ "type": "string", "pattern": "\\S" });
    application["anyOf"] = json!([
        { "required": ["name"], "properties": { "name": name } },
        { "required": ["template"], "properties": {
            "name": { "type": "null" },
            "template": { "type": "object", "required": ["name"], "properties": { "name": name } },
        } },
    ]);
    let fields = &mut application["properties"];
    (fields["entrypoint"], fields["command"]) = (command.clone(), command);
    fields["domain"] = text();
    let (login, pods) = (fields["registryLogin"].clone(), fields["pods"].clone());
    fields["template"] = json!({
        "type": ["object", "null"],
        "properties": { "registryLogin": login, "pods": pods },
    });
    let texts = ["name", "registry", "username", "password"].map(|key| (key, text()));
    let texts: Value = texts.into_iter().collect();
    fields["imagePullSecrets"] = list(json!({ "type": "object", "properties": texts }));
    schema["properties"]["pods"] = pods;
    finished(schema)
}

/// Allows any scalar for a text, null everywhere, and unknown or missing fields.
fn relax(schema: &mut Value) {
    let fields = schema.get_mut("properties");
    let Some(fields) = fields.and_then(Value::as_object_mut) else {
        return;
    };
    for field in fields.values_mut() {
        let kind = match &field["type"] {
            Value::Array(kinds) => &kinds[0],
            kind => kind,
        };
        *field = match kind.as_str() {
            Some("string") => text(),
            Some("boolean") => json!({ "type": ["boolean", "null"] }),
            Some("integer") => {
                json!({ "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX })
            }
            Some("array") => list(field["items"].take()),
            _ => json!({ "anyOf": [field, { "type": "null" }] }),
        };
    }
    schema["type"] = json!(["object", "null"]);
    schema["required"] = json!([]);
}

fn text() -> Value {
    json!({ "type": ["string", "number", "boolean", "null"] })
}

fn list(items: Value) -> Value {
    json!({ "type": ["array", "null"], "items": items })
}

fn add(kinds: &mut Value, kind: &str) {
    if let Some(kinds) = kinds.as_array_mut() {
        kinds.push(kind.into());
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

impl JsonSchema for ServicePort {
    fn schema_name() -> Cow<'static, str> {
        "ServicePort".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": u16::MAX })
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
